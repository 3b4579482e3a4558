package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// rateCard rates what no other contract of the client takes, AI work too.
const rateCard = `
schema: docket.contract/v1
contract: acme-rates
client: acme
name: Rate card
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
fallback: true
rates:
  - {clause: "3.1", hourly: "90.00"}
  - {clause: "3.2", actor: ai, hourly: "36.00"}
lines:
  - {clause: "2.1", name: Anything, charge: time}
`

// blockCard is a block of hours for what no other contract takes.
const blockCard = `
schema: docket.contract/v1
contract: acme-prepaid
client: acme
name: Prepaid
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
fallback: true
rates:
  - {clause: "3.1", hourly: "80.00"}
lines:
  - {clause: "2.1", name: Prepaid hours, charge: block}
`

// scoped leaves projects out of scope, with a rate for AI work.
const scoped = `
schema: docket.contract/v1
contract: acme-scoped
client: acme
name: Scoped
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", hourly: "150.00"}
  - {clause: "3.2", actor: ai, hourly: "36.00"}
lines:
  - {clause: "2.1", name: Mail, charge: covered, match: {categories: [email]}}
`

func (k *till) counter(key string) string {
	k.t.Helper()
	var value string
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), "select coalesce(max(trim_scale(value))::text, '-') from counters where key = $1", key).Scan(&value))
	return value
}

// TestEveryRulingOnceAndBack gives each ruling eight times at once: it has one effect, the books balance, and a reopening
// takes all of it back, from blocks and counters too.
func TestEveryRulingOnceAndBack(t *testing.T) {
	for name, tt := range map[string]struct {
		contracts []string
		action    ticket.Ruling
		terms     ticket.RuleTerms
		owed      string
		left      string // of blocks, in hours, of two that were granted
		counter   string
		value     string
	}{
		"bill":                          {[]string{scoped}, ticket.Bill, ticket.RuleTerms{}, "450.00", "2", "", ""},
		"cover":                         {[]string{scoped}, ticket.Cover, ticket.RuleTerms{}, "0.00", "2", "", ""},
		"write off":                     {[]string{scoped}, ticket.WriteOff, ticket.RuleTerms{}, "0.00", "2", "", ""},
		"split by time":                 {[]string{scoped}, ticket.Split, ticket.RuleTerms{BillMS: 3_600_000, Rest: ticket.WriteOff}, "150.00", "2", "", ""},
		"split by amount":               {[]string{scoped}, ticket.Split, ticket.RuleTerms{BillAmount: "99.99", Rest: ticket.Cover}, "99.99", "2", "", ""},
		"project":                       {[]string{scoped}, ticket.ToProject, ticket.RuleTerms{Project: "p-1", Budget: "450.00"}, "450.00", "2", "project/p-1/USD", "450"},
		"project, in hours":             {[]string{scoped}, ticket.ToProject, ticket.RuleTerms{Project: "p-1", Hours: "3"}, "450.00", "2", "hours/p-1", "10800000"},
		"a contract with a rate":        {[]string{scoped, rateCard}, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-rates"}, "270.00", "2", "", ""},
		"a contract with a block":       {[]string{scoped}, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-prepaid"}, "80.00", "0", "", ""},
		"project, by an order":          {[]string{ordered}, ticket.ToProject, ticket.RuleTerms{Project: "p-1", Budget: "500.00"}, "450.00", "2", "po/acme-ordered/PO-77", "450"},
		"a part, by an order":           {[]string{ordered}, ticket.Split, ticket.RuleTerms{BillMS: 7_200_000, Rest: ticket.Cover}, "300.00", "2", "po/acme-ordered/PO-77", "300"},
		"another contract, by no order": {[]string{ordered, rateCard}, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-rates"}, "270.00", "2", "po/acme-ordered/PO-77", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newTill(t, append(tt.contracts, blockCard)...)
			k.grantOn("acme-prepaid", 2)
			id := k.ticket("project")
			q := k.close(id, 1, k.minutes("tom", 180)).Held[0]
			before := k.count("select count(*) from charges")

			outcomes := make([]billing.Outcome, 8)
			var all sync.WaitGroup
			for i := range outcomes {
				m := ticket.Rule{Header: k.by("dora"), Hold: q.Hold, Action: tt.action, Reason: "as agreed", RuleTerms: tt.terms}
				all.Go(func() {
					if s, err := k.Rule(t.Context(), id, m); err == nil {
						outcomes[i] = s.Outcome
					}
				})
			}
			all.Wait()
			settled := 0
			for _, o := range outcomes {
				if o == billing.Settled {
					settled++
				}
			}
			require.Equal(t, 1, settled, "%v", outcomes)
			require.Greater(t, k.count("select count(*) from charges"), before)
			require.Equal(t, tt.owed, k.owed())
			require.Equal(t, tt.left, k.hoursLeft())
			if tt.counter != "" {
				require.Equal(t, tt.value, k.counter(tt.counter))
			}
			k.proved()

			k.reopen(id)
			require.Equal(t, "0.00", k.owed())
			require.Equal(t, "2", k.hoursLeft())
			if tt.counter != "" {
				require.Equal(t, "0", k.counter(tt.counter))
			}
			k.proved()
		})
	}
}

func TestRulingsOnAIWorkKeepItsCount(t *testing.T) {
	k := newTill(t, scoped, rateCard)
	closeAI := func(seconds int) (ticket.ID, billing.HeldQuote) {
		id := k.ticket("project")
		entry := k.minutes("bot", 10)
		entry.MS = int64(seconds) * 1000
		r, err := k.Close(t.Context(), id, 1, k.resolve("bot", entry))
		require.NoError(t, err)
		return id, r.Held[0]
	}
	id, q := closeAI(100)
	k.pass(time.Hour)
	other, q2 := closeAI(50)
	key := "ai/acme-rates/2.1/36/2026-03"

	split := k.rule(id, "dora", q.Hold, ticket.Split, ticket.RuleTerms{BillAmount: "0.50", Rest: ticket.Cover})
	require.Equal(t, billing.Refused, split.Outcome, "its price depends on what the month has counted")
	require.Contains(t, split.Says, "possible: bill, cover, write-off, project, contract, rework")

	require.Equal(t, billing.Settled, k.rule(id, "dora", q.Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-rates"}).Outcome)
	require.Equal(t, billing.Settled, k.rule(other, "dora", q2.Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-rates"}).Outcome)
	require.Equal(t, "150", k.counter(key))
	require.Equal(t, "0", k.counter("ai/acme-scoped//36/2026-03"), "what was reserved there went back")
	require.Equal(t, "1.50", k.owed())
	k.proved()
	k.reopen(id)
	require.Equal(t, "50", k.counter(key))
	require.Equal(t, "0.50", k.owed())
	k.proved()
}

func TestTheAuditFindsARulingThatWasTamperedWith(t *testing.T) {
	k := newTill(t, scoped, rateCard)
	id := k.ticket("project")
	q := k.close(id, 1, k.minutes("tom", 180)).Held[0]
	require.Equal(t, billing.Settled, k.rule(id, "dora", q.Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-rates"}).Outcome)
	k.proved()
	tamper := func(sql string) {
		_, err := k.admin.Exec(t.Context(), "alter table reratings disable trigger user; "+sql+"; alter table reratings enable trigger user")
		require.NoError(t, err)
	}
	tamper(`update reratings set facts = replace(facts, '"ms":10800000', '"ms":10800001')`)
	found, err := k.Audit(t.Context(), nil)
	require.NoError(t, err)
	require.NotEmpty(t, found.Mismatched)
	require.Contains(t, found.Mismatched[0], "what the ruling on "+ticket.HoldID(q.Hold)+" rated")
	tamper("delete from reratings")
	found, err = k.Audit(t.Context(), nil)
	require.NoError(t, err)
	require.Contains(t, found.Mismatched[0], "was rated under another contract, and nothing says how")
}

func TestAnotherContractBuysItsNextBlock(t *testing.T) {
	k := newTill(t, scoped, replaced(blockCard, "charge: block", `charge: block, block: {renewal: {hours: 10h, price: "500.00", expires_days: 365}}`))
	k.grantOn("acme-prepaid", 2)
	id := k.ticket("project")
	q := k.close(id, 1, k.minutes("tom", 180)).Held[0]
	s := k.rule(id, "dora", q.Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-prepaid"})
	require.Equal(t, billing.Settled, s.Outcome, s.Says)
	require.Equal(t, "500.00", k.owed(), "the block of ten hours")
	require.Equal(t, "9", k.hoursLeft())
	k.proved()
	k.reopen(id)
	require.Equal(t, "500.00", k.owed(), "a block that was bought stays so")
	require.Equal(t, "12", k.hoursLeft())
	k.proved()
}

func TestAnotherContractIsMeasuredByWhatItGivesUp(t *testing.T) {
	k := newTill(t, scoped, rateCard)
	require.NoError(t, k.SetRulingLimit(t.Context(), postgres.RulingLimit{
		Role: "dispatcher", Action: billing.ReRate, Currency: "USD", Amount: decimal.NewFromInt(100), By: "olga",
	}))
	id := k.ticket("project")
	q := k.close(id, 1, k.minutes("tom", 180)).Held[0]
	p := k.rule(id, "dora", q.Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-rates"})
	require.Equal(t, billing.Proposed, p.Outcome, p.Says)
	require.Contains(t, p.Says, "proposes contract of 180.00 USD, above the 100.00 USD that he may decide alone: another person (owner) confirms it")
	require.EqualValues(t, 0, k.count("select count(*) from reratings"))
	k.proved()
	done, err := k.Confirm(t.Context(), id, ticket.Confirm{Header: k.by("olga"), Hold: q.Hold, Proposal: p.Proposal, Agreed: true})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, done.Outcome)
	require.Equal(t, "270.00", k.owed())
	require.Contains(t, k.why(done), "It was held as "+ticket.HoldID(q.Hold)+", and dora ruled that it falls under contract acme-rates, and olga agreed: as agreed.")
	k.proved()
}
