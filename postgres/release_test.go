package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// heldTickets has the client agree to each ticket that costs something. One a period is included, and all of them
// together cost at most 30.00.
const heldTickets = `
schema: docket.contract/v1
contract: held-tickets
client: acme
name: Tickets, some of them asked about
effective_from: 2026-01-01
currency: USD
time_zone: America/New_York
rates: [{hourly: 100}]
lines:
  - {clause: U1, name: Ticket, match: {categories: [email]}, charge: per-ticket, price: 12, included: 1, cap: 30}
approval: {categories: [email], approvers: [ann]}
purchase_order: {number: PO-7, limit: 10000}
`

// heldTicket closes a ticket whose price waits.
func (k *till) heldTicket() (ticket.ID, billing.HeldQuote) {
	k.t.Helper()
	k.pass(time.Minute)
	id := k.ticket("email")
	r := k.close(id, 1, k.minutes("tom", 5))
	require.Len(k.t, r.Held, 1)
	return id, r.Held[0]
}

func (k *till) waive(id ticket.ID, h billing.HeldQuote, action ticket.Ruling) billing.Settlement {
	k.t.Helper()
	s, err := k.Rule(k.t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: h.Hold, Action: action, Reason: "so be it"})
	require.NoError(k.t, err)
	require.Equal(k.t, billing.Settled, s.Outcome)
	return s
}

func (k *till) later(deed func()) {
	k.pass(time.Minute)
	deed()
}

func TestEdge65WaivedQuoteLeavesLaterTicketsAsWithoutIt(t *testing.T) {
	for name, let := range map[string]func(*till, ticket.ID, billing.HeldQuote){
		"covered":     func(k *till, id ticket.ID, h billing.HeldQuote) { k.waive(id, h, ticket.Cover) },
		"written off": func(k *till, id ticket.ID, h billing.HeldQuote) { k.waive(id, h, ticket.WriteOff) },
		"reopened":    func(k *till, id ticket.ID, _ billing.HeldQuote) { k.reopen(id) },
		"sent back": func(k *till, id ticket.ID, h billing.HeldQuote) {
			_, err := k.Rule(k.t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: h.Hold, Action: ticket.Rework, Reason: "look again"})
			require.NoError(k.t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newTill(t, heldTickets)
			free := k.ticket("email")
			k.close(free, 1, k.minutes("tom", 5))
			id, held := k.heldTicket()
			require.Equal(t, "12", held.Amount.String())
			other, next := k.heldTicket()
			k.later(func() { k.agreed(other, next) })
			last, capped := k.heldTicket()
			require.Equal(t, "6", capped.Amount.String(), "30 less the 24 before")
			k.later(func() { k.agreed(last, capped) })
			require.Equal(t, "18.00", k.owed())

			k.later(func() { let(k, id, held) })
			require.Equal(t, "24.00", k.owed(), "three tickets, one of them included: the cap takes nothing off")
			k.proved()
			require.Equal(t, int64(24), k.count("select value::bigint from counters where key like 'po/%'"))
			k.requireSame(k.whatIf(whole(k), heldTickets))

			k.later(func() { k.reopen(other) })
			k.later(func() { k.reopen(last) })
			require.Equal(t, "0.00", k.owed())
			k.proved()
			if name == "covered" || name == "written off" {
				k.later(func() { k.reopen(id) })
			}
			k.later(func() { k.reopen(free) })
			require.Equal(t, "0.00", k.owed(), "what was set right stands")
			k.proved()
			k.requireSame(k.whatIf(whole(k), heldTickets))
			for _, value := range []string{"tickets/%", "cap/%", "po/%"} {
				require.Zero(t, k.count("select coalesce(sum(value), 0)::bigint from counters where key like $1", value), value)
			}
		})
	}
}

func (k *till) agreed(id ticket.ID, h billing.HeldQuote) {
	k.t.Helper()
	s, err := k.SignOff(k.t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: h.Hold, Digest: h.Digest, Approved: true})
	require.NoError(k.t, err)
	require.Equal(k.t, billing.Settled, s.Outcome, s.Says)
}

// whole asks about everything until tomorrow.
func whole(k *till) postgres.WhatIfQuestion {
	return postgres.WhatIfQuestion{From: day(k.t, "2026-01-01"), To: sla.DateAt(k.now(), noon.Location()).AddDays(2)}
}

// TestEdge65WaivedInAClosedPeriod: what is set right late stands on the open invoice with the date of its service, and the
// closed period's minimum is reckoned anew.
func TestEdge65WaivedInAClosedPeriod(t *testing.T) {
	k := periods(t, heldTickets+"commitment: {clause: M, name: Minimum, amount: 20}\n")
	k.on("2026-03-10")
	k.close(k.ticket("email"), 1, k.minutes("tom", 5)) // the included one
	id, held := k.heldTicket()
	for range 2 {
		other, next := k.heldTicket()
		k.agreed(other, next)
	}
	require.Equal(t, "18.00", k.owed(), "12.00, and 6.00 up to the cap")
	k.on("2026-04-02")
	k.sweep()
	require.Equal(t, "20.00", k.owed(), "with what lacks to the minimum")
	k.finalise("acme", "2026-03-01")

	s := k.waive(id, held, ticket.WriteOff)
	require.Equal(t, "24.00", k.owed(), "two tickets: above the minimum")
	correction := s.Posted[len(s.Posted)-1]
	require.Equal(t, billing.Correction, correction.Kind)
	require.Equal(t, "6", correction.Amount.String())
	require.Equal(t, int64(3), k.count("select extract(month from service_date)::bigint from charges where kind = 'correction' and amount <> 0"))
	require.Equal(t, "2026-04-01", invoiceOf(k, correction.Line))
	k.proved()

	why, err := k.Why(t.Context(), correction.Line)
	require.NoError(t, err)
	require.Contains(t, why.Sentences[0], "H-1 was waived, so 12.00 USD of its cost was not used: the count goes from 36.00 USD to 24.00 USD, "+
		"and all that was charged by it should come to 6.00 USD more.")
}

// invoiceOf tells on which invoice a line stands, by the first day of its period.
func invoiceOf(k *till, line int64) (start string) {
	k.t.Helper()
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(),
		"select i.period_start::text from invoice_lines l join invoices i on i.id = l.invoice_id where l.charge_id = $1", line).Scan(&start))
	return start
}

func TestAuditFindsACorrectionThatItsHoldDoesNotMake(t *testing.T) {
	k := newTill(t, heldTickets)
	k.close(k.ticket("email"), 1, k.minutes("tom", 5))
	id, held := k.heldTicket()
	for range 2 {
		other, next := k.heldTicket()
		k.agreed(other, next)
	}
	k.waive(id, held, ticket.Cover)
	k.proved()
	k.tamper(`update charges set amount = 60, exact = 60, rate = 60, body = replace(replace(body, '"amount":"6"', '"amount":"60"'), '"exact":"6"', '"exact":"60"') where kind = 'correction' and amount = 6`)
	k.tamper("update invoice_lines set amount = 60 where amount = 6 and text like '%not used%'")
	found, err := k.Audit(t.Context(), nil)
	require.NoError(t, err)
	require.Contains(t, strings.Join(found.Lines, "\n"), "H-1 let go of again comes to 6.00 USD, it is 60.00 USD")
}
