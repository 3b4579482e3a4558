package billing_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// problems parses a document that is wrong and gives what is said about it.
func problems(t *testing.T, document string) []string {
	t.Helper()
	c, err := billing.ParseContract([]byte(document))
	require.Error(t, err)
	require.Nil(t, c)
	var said []string
	for _, p := range billing.Problems(err) {
		require.NotEmpty(t, p.Problem, "%s", p.Field)
		require.NotEmpty(t, p.Fix, "%s", p.Field)
		said = append(said, p.Error())
	}
	return said
}

func TestParseContractReportsEverythingAtOnce(t *testing.T) {
	said := problems(t, `schema: docket.contract/v2
contract: "SH 1"
name: Support
effective_from: 2026-02-30
colour: red
currency: EURO
time_zone: Europe/Atlantis
priority: high
rounding: bankers
time: {minimum: 15, scope: week}
rates:
  - {work_role: engineer}
  - {actor: robot, hourly: 1e9}
  - {hourly: -5}
  - {hourly: 1000000000.01}
lines:
  - clause: A 1
    name: Support
    charge: per-ticket
    included: -1
    match: {actors: [cat], categories: [], priorities: [0], sites: [x, X]}
  - clause: A2
    charge: free
  - clause: A3
    name: Blocks
    charge: block
    overage: cheap
    price: 12
  - {clause: A3, name: Again, charge: covered, overage: hold}
approval: {amount_over: 100}
sla: {calendar: 24x7, targets: {9: {response: 4h, resolution: 1h}}}
`)
	require.Equal(t, []string{
		`line 5: colour is not a field of a contract: remove it; docs/contracts.md lists the fields`,
		`line 8: priority "high" is not a whole number of at most 9 digits: write it like 10`,
		`line 13: rates[1].hourly "1e9" is not an amount: write it like 150.00: at most 12 digits before the point and 9 after, no currency sign, no exponent`,
		`line 1: schema "docket.contract/v2" is not a schema of this version: write docket.contract/v1`,
		`line 2: contract "SH 1" is not an id: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1`,
		`line 1: client is missing: use 1 to 64 letters, digits, dots, dashes and underscores, like SH-1`,
		`line 4: effective_from "2026-02-30" is not a date: write it like 2026-01-31`,
		`line 6: currency "EURO" is not a currency of ISO 4217: use its three capital letters, like EUR`,
		`line 7: time_zone "Europe/Atlantis" is not a time zone: use the client's IANA zone, like Europe/Amsterdam`,
		`line 9: rounding "bankers" is not known: use half-up, half-even`,
		`line 10: time.minimum "15" is not a length of time: write it like 15m, 1h30m or 72h`,
		`line 10: time.scope "week" is not known: use entry, ticket, day`,
		`line 12: rates[0].hourly is missing: give the price of an hour, like 150.00 (0 for free)`,
		`line 13: rates[1].actor "robot" is not known: use human, ai`,
		`line 14: rates[2].hourly "-5" is negative: credits are not written as negative prices`,
		`line 15: rates[3].hourly "1000000000.01" is more than 1,000,000,000: check the number of digits`,
		`line 15: rates[3] speaks of the same work as rates[2]: keep one of the two rows`,
		`line 17: lines[0].clause "A 1" is not a clause: number it as the paper contract does, like A1 or §4.2, without spaces and slashes`,
		`line 21: lines[0].match.categories is an empty list: name what the line speaks of, or leave the list out to match everything`,
		`line 21: lines[0].match.sites[1] "X" is there twice: keep one of them`,
		`line 21: lines[0].match.actors[0] "cat" is not known: use human, ai`,
		`line 21: lines[0].match.priorities[0] "0" is not a priority: use 1 (most urgent) to 5`,
		`line 17: lines[0].price is missing: give the price of a ticket, like 12.00`,
		`line 20: lines[0].included "-1" is no number of tickets: give how many tickets of a period cost nothing, 0 to 1000000`,
		`line 22: lines[1].name is missing: say what the invoice line shall be called`,
		`line 23: lines[1].charge "free" is not known: use covered, time, block, bucket, retainer, per-ticket, usage, flat, per-device, per-seat, not-billable, out-of-scope`,
		`line 28: lines[2].price means nothing with charge block: remove it, or charge per-ticket, flat, per-device, per-seat, bucket or retainer`,
		`line 27: lines[2].overage "cheap" is not a way to charge overage: use rate-card, hold, or the price of an hour like 140.00`,
		`line 29: lines[3].clause "A3" is the clause of lines[2] too: give every line a clause of its own`,
		`line 29: lines[3].overage "hold" means nothing with charge covered: remove it, or charge block or bucket`,
		`line 30: approval.approvers is missing: name at least one person of the client who may sign off`,
		`line 31: sla.targets.9 is not a priority: use 1 (most urgent) to 5`,
		`line 31: sla.targets.9 "4h" answers later than it resolves: make response no longer than resolution`,
		`line 29: lines[3] can never apply: lines[2] speaks of the same work first: remove it, or let its match say more`,
	}, said)
}

func TestParseContractRefuses(t *testing.T) {
	ok := contract("C-1", allCare)
	for name, c := range map[string]struct{ document, want string }{
		"nothing":            {"", "document is empty"},
		"a list":             {"- a", "document is not a list of fields"},
		"neither":            {"a: [", "line 1: document is neither YAML nor JSON"},
		"too much":           {ok + strings.Repeat("#", billing.MaxDocument), "is 1048"},
		"a NUL byte":         {ok + "\x00", "contains a NUL byte"},
		"two documents":      {ok + "\n---\na: 1", "document is followed by a second one"},
		"an alias":           {strings.Replace(ok, "client: C-1", "client: &a C-1\npatience: *a", 1), "uses an anchor or an alias"},
		"a repeated field":   {ok + "\npatience: 4h\npatience: 4h", "patience is there twice"},
		"an empty field":     {ok + "\npatience:", "patience has no value"},
		"a text for a list":  {ok + "\nrates: 150", `rates "150" is not a list`},
		"a list for a text":  {ok + "\npatience: [4h]", "patience is not a text"},
		"a text for a group": {ok + "\ntime: 15m", `time "15m" is not a group of fields`},
		"yes for a name":     {strings.Replace(ok, "name: Test contract", "name: true", 1), `name "true" is read as true or false`},
		"a quoted bool":      {strings.Replace(ok, "charge: covered", `charge: covered, hidden: "no"`, 1), `hidden "no" is neither true nor false`},
		"forty digits":       {ok + "\nrates: [{hourly: 1234567890123456789012345678901234567890}]", "is not an amount"},
		"a control sign":     {strings.Replace(ok, "name: Test contract", `name: "a\u0007b"`, 1), "contains a control character"},
		"letters turned":     {strings.Replace(ok, "name: Test contract", `name: "eef \u202e emoclew"`, 1), "contains a control character"},
		"a long text":        {strings.Replace(ok, "name: Test contract", "name: "+strings.Repeat("a", 300), 1), "is 300 bytes long"},
		"an end before":      {ok + "\neffective_to: 2026-01-01", "is not after effective_from"},
		"a negative length":  {ok + "\npatience: -4h", "is out of bounds"},
		"an endless length":  {ok + "\npatience: 999999h", "is out of bounds"},
		"no threshold":       {ok + "\napproval: {approvers: [P-1]}", "approval has no threshold"},
		"a missing promise":  {ok + "\nsla: {calendar: 24x7, targets: {1: {response: 1h}}}", "sla.targets.1.resolution is missing"},
		"no fraction of it":  {ok + "\npriority: 1.5", "is not a whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, strings.Join(problems(t, c.document), "\n"), c.want)
		})
	}
}

func TestParseContractReadsItsOwnJSON(t *testing.T) {
	documents := []string{contract("TM-1", threshold), contract("HB-1", perTicket)}
	documents = slices.AppendSeq(documents, maps.Values(written(t)))
	for _, document := range documents {
		c, err := billing.ParseContract([]byte(document))
		require.NoError(t, err)
		canonical, err := billing.Canonical(c)
		require.NoError(t, err)
		indented, err := json.MarshalIndent(c, "", "\t")
		require.NoError(t, err)
		for _, text := range [][]byte{canonical, indented} {
			again := terms(t, string(text))
			require.Equal(t, terms(t, document).Digest(), again.Digest())
		}
		stored, err := billing.ReadContract(canonical)
		require.NoError(t, err)
		same, err := stored.Compile()
		require.NoError(t, err)
		require.Equal(t, terms(t, document).Digest(), same.Digest())
	}
}

// What was stored once must be read for good, though it is not accepted of new documents;
// what a later release stored is not read as if it said less.
func TestReadContract(t *testing.T) {
	twice := contract("C-1", "lines: [{clause: A1, name: A, charge: covered}, {clause: A2, name: B, charge: time}]")
	require.Contains(t, strings.Join(problems(t, twice), ""), "can never apply")
	c, err := billing.ReadContract([]byte(`{"schema": "docket.contract/v1", "contract": "C-1", "client": "C-1", "name": "Test", "effective_from": "2026-01-01",
		"currency": "EUR", "time_zone": "UTC", "lines": [{"clause": "A1", "name": "A", "charge": "covered"}, {"clause": "A2", "name": "B", "charge": "time"}]}`))
	require.NoError(t, err)
	_, err = c.Compile()
	require.NoError(t, err)

	_, err = billing.ReadContract([]byte(`{"schema": "docket.contract/v1", "moonlight": true}`))
	require.ErrorContains(t, err, "moonlight")
	_, err = billing.ReadContract([]byte(`{`))
	require.Error(t, err)
}

func TestCompileChecksWhatIsNotParsed(t *testing.T) {
	_, err := (&billing.Contract{Schema: billing.SchemaV1}).Compile()
	require.ErrorContains(t, err, "lines is missing")
	require.ErrorContains(t, err, "currency is missing")

	// Numbers that nobody could write into a file: the absurd must not cost memory.
	huge, fine := decimal.New(1, 999_999_999), decimal.New(1, -999_999_999)
	_, err = (&billing.Contract{
		Rates: []billing.Rate{{Hourly: huge}},
		Bands: []billing.Band{{Name: "night", Days: []string{"weekdays"}, Multiplier: &huge}},
		Lines: []billing.Line{
			{Charge: "usage", Usage: &billing.UsageTerms{Free: &huge, Tiers: []billing.Tier{{UpTo: &fine, Percent: huge}, {UpTo: &huge}}}},
			{Charge: "time", Discount: &billing.DiscountTerms{Percent: &fine}, Cap: &fine},
		},
		NotToExceed: &billing.NotToExceed{Amount: fine},
	}).Compile()
	for _, field := range []string{
		"rates[0].hourly", "bands[0].multiplier", "lines[0].usage.free", "lines[0].usage.tiers[0].up_to", "lines[0].usage.tiers[0].percent",
		"lines[0].usage.tiers[1].up_to", "lines[1].discount.percent", "lines[1].cap", "not_to_exceed.amount",
	} {
		require.ErrorContains(t, err, field+" is no")
	}
}

func TestTerms(t *testing.T) {
	compiled := terms(t, strings.Replace(contract("TM-1", threshold+"patience: 90m\nsla: {calendar: office, targets: {1: {response: 15m, resolution: 4h}}}\neffective_to: 2027-01-01"), "time_zone: UTC", "time_zone: America/New_York", 1))
	require.Equal(t, "2026-01-01", compiled.EffectiveFrom())
	require.Equal(t, "2027-01-01", compiled.EffectiveTo())
	require.Equal(t, "2026-01-01T05:00:00Z", compiled.Begins().Format("2006-01-02T15:04:05Z07:00"))
	require.Equal(t, "2027-01-01T05:00:00Z", compiled.Ends().Format("2006-01-02T15:04:05Z07:00"))
	require.Equal(t, "1h30m0s", compiled.Patience().String())
	require.Equal(t, "office", compiled.Calendar())
	target, ok := compiled.Target(1)
	require.True(t, ok)
	require.Equal(t, "15m0s 4h0m0s", target.Response.String()+" "+target.Resolution.String())
	_, ok = compiled.Target(2)
	require.False(t, ok)

	t.Run("a day that begins after a gap", func(t *testing.T) {
		// São Paulo, 4 November 2018: clocks went from 00:00 to 01:00.
		doc := strings.NewReplacer("time_zone: UTC", "time_zone: America/Sao_Paulo", "2026-01-01", "2018-11-04").Replace(contract("C-1", allCare))
		require.Equal(t, "2018-11-04T03:00:00Z", terms(t, doc).Begins().Format("2006-01-02T15:04:05Z07:00"))
	})
}

func TestMinorUnits(t *testing.T) {
	for currency, want := range map[string]int32{
		"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3, "XOF": 0, "UGX": 0, "ISK": 0, "BHD": 3, "TND": 3, "OMR": 3,
		"JOD": 3, "IQD": 3, "LYD": 3, "HUF": 2, "UYW": 4, "CLF": 4, "XCG": 2,
	} {
		digits, ok := billing.MinorUnits(currency)
		require.True(t, ok, currency)
		require.Equal(t, want, digits, currency)
	}
	for _, unknown := range []string{"", "eur", "XAU", billing.NoCurrency, "ABC"} {
		_, ok := billing.MinorUnits(unknown)
		require.False(t, ok, unknown)
	}
}

func TestEdge44MinorUnitsOfTheCurrency(t *testing.T) {
	for currency, want := range map[string]string{"JPY": "33", "EUR": "33.33", "KWD": "33.333"} {
		t.Run(currency+" "+strconv.Itoa(len(want)), func(t *testing.T) {
			doc := strings.Replace(contract("TM-1", "rates: [{hourly: 100}]\nlines: [{clause: T1, name: Support, charge: time}]"), "currency: EUR", "currency: "+currency, 1)
			c := decide(t, under(t, doc, work(1, noon, 20*minute))).Charges[0]
			require.Equal(t, want, c.Amount.String())
			require.Equal(t, "33.3333333333333333", c.Exact.String())
		})
	}
}
