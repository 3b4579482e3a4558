package billing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// withCredits has a fee of 500 a month: 400 and two seats of 50.
func withCredits(credits string) string {
	allotment := ""
	if strings.Contains(credits, "fast_hourly") {
		allotment = ", allotment: 4h"
	}
	return `
lines:
  - {clause: A1, name: Support, charge: covered}
  - {clause: F1, name: Fee, charge: flat, price: 400}
  - {clause: F2, name: Seats, charge: per-seat, price: 50, count: {fixed: 3, included: 1}}
sla:
  calendar: 24x7
  targets: {3: {response: 1h, resolution: 8h` + allotment + `}}
  credits: {clause: S1, ` + credits + `}
`
}

func slaOf(t *testing.T, credits string, outcome billing.SLAOutcome) billing.Facts {
	t.Helper()
	f := under(t, contract("AYCE-1", withCredits(credits)), work(1, noon, hour))
	f.Ticket.SLA = &outcome
	return f
}

func TestSLACreditAnchor(t *testing.T) {
	// fee 500, 5 %, cap 20 → −20
	f := slaOf(t, "response_percent: 5, cap_percent: 4", billing.SLAOutcome{ResponseMissed: true, SpentMS: 5 * hour})
	d := decide(t, f)
	require.Equal(t, "covered A1 1 h × 0 = 0\ncredit S1 1 piece × -20 = -20", posts(d))
	credit := d.Charges[1]
	require.Equal(t, "SLA credit · T-1 — response target missed", credit.Text)
	require.Equal(t, "credit/AYCE-1/S1/2026-03 25", counted(credit.Counts), "the counter holds what the cap has not lowered")
	require.Equal(t, []string{"credit/AYCE-1/S1/2026-03"}, billing.Want(f).Counters)
	require.Equal(t, []string{
		"The response target was missed: the contract (S1) credits 5 % of the period's fee of 500.00 EUR, 25.00 EUR. In time, nothing would have been credited. " +
			"The period's credit is at most 20.00 EUR: 0.00 EUR came before. What is beyond the cap is not credited.",
		"So the invoice moves by -20.00 EUR.",
	}, billing.Explain(credit))

	t.Run("the cap is the period's, in any order of reversal", func(t *testing.T) {
		l := ledger{terms: f.Contracts[0].Terms}
		small := slaOf(t, "response_percent: 5, cap_percent: 8", billing.SLAOutcome{ResponseMissed: true})
		l.terms = small.Contracts[0].Terms
		var got []string
		for range 3 {
			small.Counters = l.counters
			c := decide(t, small).Charges[1]
			got = append(got, c.Amount.String())
			l.post(c)
		}
		require.Equal(t, []string{"-25", "-15", "0"}, got)
		require.True(t, l.posted[2].Hidden, "nothing is left of it, and it is on record")
		require.Equal(t, "0", l.reverse(t, 0).Amount.String(), "the third takes the place of the first")
		require.Equal(t, "-40", l.total().String())
		l.reverse(t, 1)
		require.Equal(t, "-25", l.total().String())
		l.reverse(t, 2)
		require.True(t, l.total().IsZero())
	})
	t.Run("of the fee with what renewals have added to it", func(t *testing.T) {
		renewed := "term: {months: 6, since: 2025-01-01, uplift_percent: 10}"
		f := under(t, contract("AYCE-1", withCredits("response_percent: 5")+renewed), work(1, noon, hour))
		f.Ticket.SLA = &billing.SLAOutcome{ResponseMissed: true}
		require.Equal(t, "credit S1 1 piece × -30.25 = -30.25", render(decide(t, f).Charges[1:]), "twice by 10 %: 605.00")
	})
	t.Run("half-up to the minor unit, once", func(t *testing.T) {
		f := slaOf(t, "response_percent: 0.333", billing.SLAOutcome{ResponseMissed: true})
		require.Equal(t, "credit S1 1 piece × -1.67 = -1.67", render(decide(t, f).Charges[1:]), "1.665")
	})
	t.Run("spam earns none", func(t *testing.T) {
		f := slaOf(t, "response_percent: 5", billing.SLAOutcome{ResponseMissed: true})
		f.Ticket.Code = "spam"
		require.Len(t, decide(t, f).Charges, 1)
	})
	t.Run("of the contract that promised", func(t *testing.T) {
		f := slaOf(t, "response_percent: 5", billing.SLAOutcome{Contract: "AYCE-1", ResponseMissed: true})
		f.Contracts = append(f.Contracts, version(t, contract("PRIO-1", "priority: 9\nlines: [{clause: P1, name: All, charge: covered}]")))
		require.Equal(t, "covered P1 1 h × 0 = 0\ncredit S1 1 piece × -25 = -25", posts(decide(t, f)))
	})
}

func TestEdge68BothTargetsMissed(t *testing.T) {
	both := billing.SLAOutcome{ResponseMissed: true, ResolutionMissed: true, SpentMS: 9 * hour}
	for name, c := range map[string]struct{ credits, want, says string }{
		"the higher by default": {"response_percent: 5, resolution_percent: 10", "-50", "The resolution target was missed"},
		"whichever it is":       {"response_percent: 12, resolution_percent: 10", "-60", "The response target was missed"},
		"both where it says so": {"response_percent: 5, resolution_percent: 10, both: both", "-75", "The response and resolution targets were missed"},
	} {
		t.Run(name, func(t *testing.T) {
			d := decide(t, slaOf(t, c.credits, both))
			require.Equal(t, "credit S1 1 piece × "+c.want+" = "+c.want, render(d.Charges[1:]))
			require.Contains(t, billing.Explain(d.Charges[1])[0], c.says)
		})
	}
}

func TestEdge67FastResolutionThenReopened(t *testing.T) {
	// Against the allotment of 4 h, not the target of 8 h: 2.5 h less, at 30.
	f := slaOf(t, "fast_hourly: 30, cap_percent: 20", billing.SLAOutcome{SpentMS: 90 * minute})
	d := decide(t, f)
	require.Equal(t, "credit S1 1 piece × -75 = -75", render(d.Charges[1:]))
	require.Equal(t, "SLA credit · T-1 — 2 h 30 min faster than 4 h", d.Charges[1].Text)
	require.Contains(t, billing.Explain(d.Charges[1])[0], "2 h 30 min longer, and nothing would have been credited. The period's credit is at most 100.00 EUR: 0.00 EUR came before. 25.00 EUR more, and the cap would be reached.")
	l := ledger{terms: f.Contracts[0].Terms}
	l.post(d.Charges...)
	l.reverse(t, 1)
	require.True(t, l.total().IsZero(), "reopened: reversed")
	require.True(t, l.counters[0].Value.IsZero())

	for name, change := range map[string]func(*billing.Ticket){
		"between allotment and target":  func(t *billing.Ticket) { t.SLA.SpentMS = 5 * hour },
		"exactly the allotment":         func(t *billing.Ticket) { t.SLA.SpentMS = 4 * hour },
		"silence is no resolution":      func(t *billing.Ticket) { t.Code = "silent" },
		"a priority without allotment":  func(t *billing.Ticket) { t.Priority = 2 },
		"a ticket that had no SLA":      func(t *billing.Ticket) { t.SLA = nil },
		"another contract's SLA":        func(t *billing.Ticket) { t.SLA.Contract = "OLD-1" },
		"resolved in time, but no more": func(t *billing.Ticket) { t.SLA.SpentMS = 8 * hour },
	} {
		t.Run(name, func(t *testing.T) {
			f := slaOf(t, "fast_hourly: 30", billing.SLAOutcome{SpentMS: 90 * minute})
			change(&f.Ticket)
			require.Len(t, decide(t, f).Charges, 1)
		})
	}
}

func TestCreditOfTheTicket(t *testing.T) {
	const body = `
rates: [{hourly: 60}]
lines: [{clause: T1, name: Support, charge: time}, {clause: F1, name: Fee, charge: flat, price: 500}]
sla: {calendar: 24x7, targets: {3: {response: 1h, resolution: 8h%s}}, credits: {clause: S1, %s}}
`
	sla := &billing.SLAOutcome{ResponseMissed: true, SpentMS: hour}
	f := under(t, contract("TM-1", fmt.Sprintf(body, "", "response_percent: 50, base: ticket")), work(1, noon, 2*hour))
	f.Ticket.SLA = sla
	require.Equal(t, "credit S1 1 piece × -60 = -60", render(decide(t, f).Charges[1:]), "half of what the ticket costs")

	f = under(t, contract("TM-1", fmt.Sprintf(body, ", allotment: 4h", "response_percent: 50, fast_hourly: 40, floor: ticket")), work(1, noon, 2*hour))
	f.Ticket.SLA = sla
	d := decide(t, f)
	require.Equal(t, "time T1 2 h × 60 = 120\ncredit S1 1 piece × -120 = -120", posts(d), "no more than the ticket costs, all credits together")
	require.Contains(t, billing.Explain(d.Charges[1])[0], "One ticket's credit is at most 120.00 EUR.")

	t.Run("a credit posts, whatever the client answers about the rest", func(t *testing.T) {
		f := under(t, contract("TM-1", fmt.Sprintf(body, "", "response_percent: 5")+"approval: {amount_over: 100, approvers: [P-1]}"), work(1, noon, 2*hour))
		f.Ticket.SLA = sla
		d := decide(t, f)
		require.Equal(t, "credit S1 1 piece × -25 = -25", posts(d))
		require.Equal(t, "sign-off over-threshold: time T1 2 h × 60 = 120", holds(d), "and it hides no threshold")
	})
	t.Run("without a fee, a fast resolution earns at most what the ticket costs", func(t *testing.T) {
		f := under(t, contract("TM-1", "rates: [{hourly: 60}]\nlines: [{clause: T1, name: Support, charge: time}]\nsla: {calendar: 24x7, targets: {3: {response: 1h, resolution: 8h, allotment: 4h}}, credits: {clause: S1, fast_hourly: 10, floor: ticket}}"), work(1, noon, 20*minute))
		f.Ticket.SLA = &billing.SLAOutcome{SpentMS: (20 * time.Minute).Milliseconds()}
		require.Equal(t, "time T1 0.333333333 h × 60 = 20\ncredit S1 1 piece × -20 = -20", posts(decide(t, f)))
	})
}
