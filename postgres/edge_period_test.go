package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const flatFee = `
schema: docket.contract/v1
contract: acme-flat
client: acme
name: Flat fee
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates: [{work_role: engineer, hourly: "100.00"}]
lines:
  - {clause: F, name: Managed service, charge: flat, price: "310.00"}
  - {clause: T, name: Work, charge: time}
`

// lineOn tells the invoice's period, the date of service and the amount of a line.
func (k *till) lineOn(line int64) string {
	k.t.Helper()
	var told string
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), `
		select i.period_start || ' ' || l.service_date || ' ' || l.amount::numeric(12,2) from invoice_lines l join invoices i on i.id = l.invoice_id
		where l.charge_id = $1`, line).Scan(&told))
	return told
}

func (k *till) finalise(payer, period string) billing.Invoice {
	k.t.Helper()
	i, err := k.Finalise(k.t.Context(), postgres.Finalisation{Payer: payer, Currency: "USD", Period: period, By: "olga", Early: true})
	require.NoError(k.t, err)
	return i
}

// Periods are half-open local dates in the contract's zone: a period opens at its midnight there, and nowhere else.
func TestEdge22PeriodsOpenAtTheContractsMidnight(t *testing.T) {
	k := periods(t, flatFee)
	k.sweep()
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	midnight := time.Date(2026, 4, 1, 0, 0, 0, 0, zone)
	k.clock.Store(midnight.Add(-time.Second).UnixNano()) // in London it is April already
	require.Empty(t, k.sweep())
	k.clock.Store(midnight.UnixNano())
	require.Equal(t, "closing 2026-03-01: \nopening 2026-04-01: F 310.00", k.sweep())
	k.proved()
}

// Work logged late for a closed period posts to the open invoice, and carries its own service date.
func TestEdge27WorkLoggedLateKeepsItsServiceDate(t *testing.T) {
	k := periods(t, flatFee)
	k.sweep()
	k.on("2026-03-20")
	id := k.ticket("email")
	late := k.minutes("tom", 60)
	k.on("2026-04-02")
	k.sweep()
	k.finalise("acme", "2026-03-01")
	receipt := k.close(id, 1, late)
	require.Equal(t, "2026-04-01 2026-03-20 100.00", k.lineOn(receipt.Posted[0].Line))
	k.proved()
}

// Cancelled: what was billed in advance beyond the end goes back, the last period waits as a draft, and posts once, by
// somebody who may.
func TestEdge37TheLastPeriodWaitsForAPerson(t *testing.T) {
	k := periods(t, flatFee)
	require.Equal(t, "opening 2026-03-01: F 310.00", k.sweep())
	k.on("2026-03-05")
	k.apply(strings.Replace(flatFee, `currency:`, "effective_to: 2026-03-11\nterm: {months: 12, cancelled_on: 2026-03-05, termination_fee: 150.00}\ncurrency:", 1))
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: draft", k.sweep())
	require.Empty(t, k.sweep(), "it waits, and nothing follows")
	require.Equal(t, "310.00", k.owed())
	drafts, err := k.Postings(t.Context(), postgres.PostingFilter{State: billing.PostingDraft})
	require.NoError(t, err)
	require.Len(t, drafts, 1)
	require.Len(t, drafts[0].Charges, 2)
	k.proved()

	rule := postgres.PeriodRuling{Contract: "acme-flat", Period: "2026-03", By: "tom", Approve: true}
	_, err = k.RulePeriod(t.Context(), rule)
	require.Equal(t, "by", ticket.Problems(err)[0].Field, "a technician may not")
	_, err = k.RulePeriod(t.Context(), postgres.PeriodRuling{Contract: "acme-flat", Period: "2026-03", By: "olga"})
	require.Equal(t, "reason", ticket.Problems(err)[0].Field)

	declined, err := k.RulePeriod(t.Context(), postgres.PeriodRuling{Contract: "acme-flat", Period: "2026-03", By: "olga", Reason: "the fee was waived"})
	require.NoError(t, err)
	require.Equal(t, billing.PostingVoid, declined.State)
	require.Equal(t, "closing 2026-03-01: draft", k.sweep(), "the next run drafts afresh")

	rule.By = "olga"
	approved := make([]billing.PeriodReceipt, 8)
	many(len(approved), func(i int) {
		var err error
		approved[i], err = k.RulePeriod(t.Context(), rule)
		require.NoError(t, err)
	})
	effects := 0
	for _, r := range approved {
		require.Equal(t, billing.PostingPosted, r.State)
		if r.Effect {
			effects++
			require.Equal(t, "F -210.00,  150.00", tells(r))
		}
	}
	require.Equal(t, 1, effects)
	require.Equal(t, "250.00", k.owed(), "310 × 10/31, and the fee for leaving early")
	k.proved()
}

// A parent pays: the payer gets the invoice, its own lines stay with the client.
func TestEdge60ThePayerGetsTheInvoice(t *testing.T) {
	k := periods(t, flatFee)
	require.NoError(t, k.PutClient(t.Context(), ticket.Client{ID: "acme", Name: "Acme", TimeZone: "America/New_York", Currency: "USD", Payer: "zenith"}))
	k.sweep()
	k.on("2026-03-20")
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	invoices, err := k.Invoices(t.Context(), postgres.InvoiceFilter{})
	require.NoError(t, err)
	require.Len(t, invoices, 1)
	require.Equal(t, "zenith", invoices[0].Payer)
	require.Equal(t, "410.00", invoices[0].Total.StringFixed(2), "fees and work alike")
	lines, err := k.InvoiceLines(t.Context(), invoices[0].ID, 0, 0)
	require.NoError(t, err)
	for _, l := range lines {
		require.Equal(t, "acme", l.Client)
	}
	report, err := k.ReportMargin(t.Context(), postgres.ReportFilter{})
	require.NoError(t, err)
	require.Len(t, report, 1)
	require.Equal(t, "acme", report[0].Client)
	require.Equal(t, "410.00", report[0].Billed.StringFixed(2))

	// A contract may name another payer than the client's.
	k.apply(strings.NewReplacer("acme-flat", "acme-own", "currency:", "payer: acme\ncurrency:", "2026-01-01", "2026-03-22").Replace(flatFee))
	k.on("2026-03-22")
	k.sweep()
	invoices, err = k.Invoices(t.Context(), postgres.InvoiceFilter{Payer: "acme"})
	require.NoError(t, err)
	require.Len(t, invoices, 1)
	require.Equal(t, "100.00", invoices[0].Total.StringFixed(2), "ten days of March")
	k.proved()
}

// The accounting period is locked: what posts into it goes to the next one, with the original date.
func TestEdge64ALockedPeriodGivesWayToTheNext(t *testing.T) {
	k := periods(t, strings.Replace(flatFee, `"310.00"`, `"310.00", when: arrears`, 1))
	k.on("2026-03-20")
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	k.on("2026-04-01")
	k.finalise("acme", "2026-03-01")
	require.Equal(t, "closing 2026-03-01: F 310.00", k.sweep())
	require.Equal(t, "2026-04-01 2026-03-01 310.00", k.lineOn(k.count("select id from charges where kind = 'recurring'")))
	k.proved()
}

// Held when its invoice is finalised: the invoice goes without it; it posts later with its own service date.
func TestEdge66HeldWhenItsInvoiceIsFinalised(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	held := k.close(id, 1, k.minutes("tom", 240)).Held[0]
	require.Equal(t, "150.00", k.finalise("acme", "2026-03-01").Total.StringFixed(2))
	signed, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: held.Hold, Digest: held.Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, "2026-04-01 2026-03-18 600.00", k.lineOn(signed.Posted[0].Line))
	k.proved()
}

// Versions that change in mid-period split its fee; a split period never bills twice.
func TestEdge72AVersionChangesInMidPeriod(t *testing.T) {
	k := periods(t, flatFee)
	require.Equal(t, "opening 2026-03-01: F 310.00", k.sweep())
	k.on("2026-03-10")
	k.apply(strings.NewReplacer("2026-01-01", "2026-03-11", "310.00", "620.00").Replace(flatFee))
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: F 210.00\nopening 2026-04-01: F 620.00", k.sweep(), "310 × 10/31 + 620 × 21/31 − 310")
	k.proved()

	// Known before it opens, each version has a line of its own.
	k.apply(strings.NewReplacer("2026-01-01", "2026-05-16", "310.00", "620.00").Replace(flatFee), strings.NewReplacer("2026-01-01", "2026-05-21", "310.00", "620.00").Replace(flatFee))
	k.on("2026-05-01")
	require.Equal(t, "closing 2026-04-01: \nopening 2026-05-01: F 300.00, F 100.00, F 220.00", k.sweep())
	k.proved()
}

// Fewer seats after billing in advance, on the real database: the counts of both runs are in their facts.
func TestEdge77SeatsThatWentAreCredited(t *testing.T) {
	k := periods(t, strings.Replace(flatFee, `charge: flat, price: "310.00"`, `charge: per-seat, price: "31.00", count: {fewer: credit}`, 1))
	k.devices("seat", "2026-02-01", 10)
	require.Equal(t, "opening 2026-03-01: F 310.00", k.sweep())
	k.devices("seat", "2026-03-22", 7)
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: F -30.00\nopening 2026-04-01: F 217.00", k.sweep(), "three seats for ten days")
	k.devices("seat", "2026-03-02", 1) // noted after it was closed
	require.Empty(t, k.sweep())
	k.proved()
}

// A purchase order that holds and does not reach: the run waits for a person, and then counts against it.
func TestEdge61AnOrderThatDoesNotReachHoldsTheFee(t *testing.T) {
	k := periods(t, strings.Replace(flatFee, "lines:", "purchase_order: {number: PO-7, limit: 400.00, used_up: hold}\nlines:", 1))
	require.Equal(t, "opening 2026-03-01: F 310.00", k.sweep())
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: \nopening 2026-04-01: draft", k.sweep())
	r, err := k.RulePeriod(t.Context(), postgres.PeriodRuling{Contract: "acme-flat", Period: "2026-04-01", By: "olga", Approve: true})
	require.NoError(t, err)
	require.Equal(t, "F 310.00", tells(r))
	require.EqualValues(t, 620, k.count("select value::bigint from counters where key = 'po/acme-flat/PO-7'"))
	k.proved()
}

// A count that nobody made keeps the period open until somebody makes it.
func TestARunWaitsForACount(t *testing.T) {
	k := periods(t, managed)
	require.Equal(t, "opening 2026-03-01: F 500.00", k.sweep(), "what bills at its end need not be counted yet")
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: waiting\nopening 2026-04-01: F 500.00", k.sweep())
	require.Zero(t, k.count("select count(*) from postings where kind = 'closing'"))
	k.devices("workstation", "2026-03-05", 12)
	require.Equal(t, "closing 2026-03-01: W 120.00, M 1380.00", k.sweep())
	k.proved()
}

// Every run loses its answer, at the acknowledgement of its commit or before. Whoever got none makes it again.
func TestLostAcknowledgementsOfRunsHaveOneEffect(t *testing.T) {
	k := periods(t, managed, metered)
	k.devices("workstation", "2026-02-20", 30)
	l := newLine(t, k)
	for month := range 8 {
		k.clock.Store(time.Date(2026, time.Month(4+month), 1, 16, 0, 0, 0, time.UTC).UnixNano())
		due, err := k.PeriodsDue(t.Context(), billing.DueFilter{})
		require.NoError(t, err)
		for _, run := range due {
			l.twice(func(s *postgres.Store) error { _, err := s.RunPeriod(t.Context(), run, ""); return err })
		}
		e := k.event("1", k.now().Format(time.DateOnly))
		l.twice(func(s *postgres.Store) error { _, err := s.RecordUsage(t.Context(), e); return err })
	}
	require.NotZero(t, l.atCommit)
	require.NotZero(t, l.before)
	require.Equal(t, k.count("select count(distinct (contract_id, kind, period_start)) from postings where period_start is not null"),
		k.count("select count(*) from postings where period_start is not null"))
	require.EqualValues(t, 8, k.count("select count(*) from usage_events"))
	require.EqualValues(t, 9*500, k.count("select sum(amount)::bigint from charges where key like 'recurring/%/F/%'"))
	k.proved()
}

func TestAuditFindsWhatIsWrongWithPostings(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		found     func(billing.Audit) []string
		says      string
	}{
		"a fee's amount": {
			"update charges set amount = amount + 1 where key like 'recurring/%/F/%'", func(a billing.Audit) []string { return a.Lines }, "amount is",
		},
		"a decision": {
			`update postings set decision = replace(decision, '"amount":"500"', '"amount":"5"')`, func(a billing.Audit) []string { return a.Mismatched }, "digest was left",
		},
		"facts": {
			`update postings set facts = replace(facts, '"count":30', '"count":3')`, func(a billing.Audit) []string { return a.Mismatched }, "decided again",
		},
		"a charge is gone": {
			`with l as (delete from invoice_lines where charge_id in (select id from charges where kind = 'true-up')) delete from charges where kind = 'true-up'`,
			func(a billing.Audit) []string { return a.Lines }, "was decided and is not posted",
		},
		"something posted into a closed period": {
			`update charges set service_date = '2026-03-31' where key like 'recurring/%/F/2026-04-01'`, func(a billing.Audit) []string { return a.Lines }, "without adjusting it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := periods(t, managed)
			k.devices("workstation", "2026-02-20", 30)
			k.on("2026-04-01")
			k.sweep()
			k.proved()
			k.tamper(c.statement)
			a, err := k.Audit(t.Context(), nil)
			require.NoError(t, err)
			require.Contains(t, strings.Join(c.found(a), "\n"), c.says)
		})
	}
}

// A revision never changes a closed period silently, nor the dates of one that has opened.
func TestEdge26ARevisionKeepsThePeriodsThatHavePosted(t *testing.T) {
	k := periods(t, flatFee)
	k.sweep()
	k.on("2026-04-01")
	k.sweep()
	dearer := strings.NewReplacer("2026-01-01", "2026-03-16", "310.00", "620.00").Replace(flatFee)
	_, err := k.ApplyContract(t.Context(), []byte(dearer), "olga", false)
	problems := ticket.Problems(err)
	require.Len(t, problems, 1, "%v", err)
	require.Equal(t, "lies before a period that is closed already (March 2026)", problems[0].Problem)
	_, err = k.ApplyContract(t.Context(), []byte(dearer), "olga", true)
	require.NoError(t, err)
	require.Empty(t, k.sweep(), "what March has posted stays")
	k.on("2026-05-01")
	require.Equal(t, "closing 2026-04-01: F 310.00\nopening 2026-05-01: F 620.00", k.sweep(), "April had opened by the old price")

	_, err = k.ApplyContract(t.Context(), []byte(strings.NewReplacer("2026-01-01", "2026-05-16", "currency:", "billing: {period: quarterly}\ncurrency:").Replace(flatFee)), "olga", false)
	require.Contains(t, ticket.Problems(err)[0].Fix, "begin them on 2026-06-01")
	k.proved()
}
