package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

func TestReadsOfALivedDesk(t *testing.T) {
	l := live(t)
	ctx := t.Context()

	t.Run("tickets page by number", func(t *testing.T) {
		all, err := l.ListTickets(ctx, ticket.Filter{Client: "acme"})
		require.NoError(t, err)
		require.Len(t, all, 7)
		page, err := l.ListTickets(ctx, ticket.Filter{After: all[2].Ticket.Number(), Limit: 2})
		require.NoError(t, err)
		require.Len(t, page, 2)
		assert.Equal(t, all[3], page[0])
		held, err := l.ListTickets(ctx, ticket.Filter{Stage: ticket.Held})
		require.NoError(t, err)
		require.Len(t, held, 1)
		assert.Equal(t, l.waits, held[0].Ticket)
		open, err := l.ListTickets(ctx, ticket.Filter{Open: true})
		require.NoError(t, err)
		assert.Empty(t, open)
	})
	t.Run("a timeline tells what happened in its order", func(t *testing.T) {
		moments, err := l.Timeline(ctx, l.reopened)
		require.NoError(t, err)
		at := func(kind string, nth int) int {
			for i, m := range moments {
				if m.Kind == kind {
					if nth--; nth < 0 {
						return i
					}
				}
			}
			require.Fail(t, "no such moment", "%s in %+v", kind, moments)
			return -1
		}
		order := []int{at("opened", 0), at("triaged", 0), at("routed", 0), at("closed", 0), at("line", 0), at("reopen", 0), at("closed", 1)}
		assert.IsNonDecreasing(t, order)
		for i := 1; i < len(moments); i++ {
			assert.False(t, moments[i].At.Before(moments[i-1].At))
		}
		var sum int
		for _, m := range moments {
			if m.Kind == "work" {
				sum += int(m.MS)
				assert.Positive(t, m.MS)
			}
		}
		assert.Equal(t, int((90 * time.Minute).Milliseconds()), sum)
	})
	t.Run("approvals show what waits, with its quote", func(t *testing.T) {
		open, err := l.Approvals(ctx, true, "")
		require.NoError(t, err)
		require.Len(t, open, 1)
		assert.Equal(t, string(l.waits), open[0].Ticket)
		assert.Equal(t, "750", open[0].Amount.String())
		assert.Equal(t, []string{"ann"}, open[0].Approvers)
		assert.NotEmpty(t, open[0].Digest)
		assert.NotEmpty(t, open[0].Charges)
		all, err := l.Approvals(ctx, false, "acme")
		require.NoError(t, err)
		assert.Len(t, all, 2)
		byID, err := l.HoldByID(ctx, open[0].Hold)
		require.NoError(t, err)
		assert.Equal(t, open[0], byID)
		_, err = l.HoldByID(ctx, 4711)
		assert.Len(t, ticket.Problems(err), 1)
	})
	t.Run("an invoice is found by client and by draft, and its lines page", func(t *testing.T) {
		byClient, err := l.Invoice(ctx, "acme")
		require.NoError(t, err)
		byDraft, err := l.Invoice(ctx, ticket.InvoiceID(byClient.ID))
		require.NoError(t, err)
		assert.Equal(t, byClient, byDraft)
		assert.Equal(t, l.owed(), byClient.Total.StringFixed(2))
		n, err := l.LineCount(ctx, byClient.ID)
		require.NoError(t, err)
		assert.Equal(t, byClient.LineCount, n)
		var paged []billing.InvoiceLine
		for after := int64(0); ; {
			page, err := l.InvoiceLines(ctx, byClient.ID, after, 2)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].Line
			paged = append(paged, page...)
		}
		assert.Len(t, paged, n)
		_, err = l.Invoice(ctx, "nobody")
		assert.Len(t, ticket.Problems(err), 1)
	})
	t.Run("finalised, it is found by its number", func(t *testing.T) {
		draft, err := l.Invoice(ctx, "acme")
		require.NoError(t, err)
		final, err := l.Finalise(ctx, postgres.Finalisation{Payer: "acme", Currency: "USD", Period: draft.PeriodStart, By: "olga", Early: true})
		require.NoError(t, err)
		found, err := l.Invoice(ctx, final.Number)
		require.NoError(t, err)
		assert.Equal(t, draft.ID, found.ID)
		assert.True(t, found.Total.Equal(draft.Total))
		assert.Equal(t, draft.LineCount, found.LineCount)
		list, err := l.Invoices(ctx, postgres.InvoiceFilter{State: "finalised"})
		require.NoError(t, err)
		assert.Len(t, list, 1)
	})
	t.Run("why tells a decided, a settled and an undone line", func(t *testing.T) {
		for _, id := range []ticket.ID{l.billed, l.approved, l.reopened} {
			lines, err := l.LinesOf(ctx, id)
			require.NoError(t, err)
			require.NotEmpty(t, lines)
			why, err := l.Why(ctx, lines[0].Line)
			require.NoError(t, err)
			assert.Equal(t, lines[0], why.Line)
			assert.True(t, why.Charge.Amount.Equal(why.Line.Amount))
			assert.NotEmpty(t, why.Sentences)
			assert.Len(t, why.Digest, 64)
			assert.Equal(t, id == l.reopened, why.Reversed != 0)
		}
		_, err := l.Why(ctx, 4711)
		assert.Len(t, ticket.Problems(err), 1)
	})
	t.Run("the standing counts", func(t *testing.T) {
		s, err := l.Standing(ctx)
		require.NoError(t, err)
		assert.Equal(t, billing.Standing{Closed: 7, Posted: 6, Waiting: 1}, s)
	})
	t.Run("reports", func(t *testing.T) {
		margin, err := l.ReportMargin(ctx, postgres.ReportFilter{})
		require.NoError(t, err)
		require.Len(t, margin, 1)
		assert.Equal(t, l.owed(), margin[0].Billed.StringFixed(2))
		assert.Equal(t, "740.00", margin[0].Cost.StringFixed(2), "740 minutes at 60 an hour")
		assert.True(t, margin[0].Margin.Equal(margin[0].Billed.Sub(margin[0].Cost)))
		assert.Equal(t, 7, margin[0].Tickets)
		none, err := l.ReportMargin(ctx, postgres.ReportFilter{From: day(t, "2027-01-01")})
		require.NoError(t, err)
		assert.Empty(t, none)

		actors, err := l.ReportAIvsTech(ctx, postgres.ReportFilter{})
		require.NoError(t, err)
		require.Len(t, actors, 1)
		assert.Equal(t, "human", actors[0].Kind)
		assert.Equal(t, 7, actors[0].Tickets)
		assert.Equal(t, 2, actors[0].Covered, "the reset, and the onboarding that is included")
		assert.Equal(t, l.owed(), actors[0].Billed.StringFixed(2))

		totals, err := l.TotalsByClient(ctx)
		require.NoError(t, err)
		require.Len(t, totals, 1)
		assert.Equal(t, l.owed(), totals[0].Amount.StringFixed(2))
	})
}

func TestAClientsSessionSeesItsOwnAndNothingElse(t *testing.T) {
	l := live(t)
	ctx := t.Context()
	lines, err := l.LinesOf(ctx, l.billed)
	require.NoError(t, err)
	invoice, err := l.Invoice(ctx, "acme")
	require.NoError(t, err)

	t.Run("its own", func(t *testing.T) {
		require.NoError(t, l.AsClient(ctx, "acme", func(r postgres.Reads) error {
			tickets, err := r.ListTickets(ctx, ticket.Filter{})
			require.NoError(t, err)
			assert.Len(t, tickets, 7)
			moments, err := r.Timeline(ctx, l.waits)
			require.NoError(t, err)
			for _, m := range moments {
				assert.Contains(t, []string{"comment", "hold", "line"}, m.Kind)
			}
			clients, err := r.Clients(ctx)
			require.NoError(t, err)
			assert.Len(t, clients, 1)
			approvals, err := r.Approvals(ctx, true, "")
			require.NoError(t, err)
			assert.Len(t, approvals, 1)
			seen, err := r.Invoice(ctx, "acme")
			require.NoError(t, err)
			assert.Equal(t, invoice, seen)
			own, err := r.InvoiceLines(ctx, invoice.ID, 0, 100)
			require.NoError(t, err)
			assert.Len(t, own, invoice.LineCount)
			why, err := r.Why(ctx, lines[0].Line)
			require.NoError(t, err)
			assert.NotEmpty(t, why.Sentences)
			contracts, err := r.Contracts(ctx, "")
			require.NoError(t, err)
			assert.Len(t, contracts, 1)
			_, err = r.Blocks(ctx, "")
			return err
		}))
	})
	t.Run("nothing of another's", func(t *testing.T) {
		require.NoError(t, l.AsClient(ctx, "zenith", func(r postgres.Reads) error {
			tickets, err := r.ListTickets(ctx, ticket.Filter{Client: "acme"})
			require.NoError(t, err)
			assert.Empty(t, tickets)
			_, err = r.Timeline(ctx, l.waits)
			assert.Len(t, ticket.Problems(err), 1)
			_, err = r.Client(ctx, "acme")
			assert.Len(t, ticket.Problems(err), 1)
			approvals, err := r.Approvals(ctx, false, "")
			require.NoError(t, err)
			assert.Empty(t, approvals)
			_, err = r.Invoice(ctx, ticket.InvoiceID(invoice.ID))
			assert.Len(t, ticket.Problems(err), 1)
			seen, err := r.InvoiceLines(ctx, invoice.ID, 0, 100)
			require.NoError(t, err)
			assert.Empty(t, seen)
			n, err := r.LineCount(ctx, invoice.ID)
			require.NoError(t, err)
			assert.Zero(t, n)
			_, err = r.Why(ctx, lines[0].Line)
			assert.Len(t, ticket.Problems(err), 1)
			contracts, err := r.Contracts(ctx, "")
			require.NoError(t, err)
			assert.Empty(t, contracts)
			totals, err := r.TotalsByClient(ctx)
			require.NoError(t, err)
			assert.Empty(t, totals)
			return nil
		}))
	})
	t.Run("never people, work or the record", func(t *testing.T) {
		for name, read := range map[string]func(postgres.Reads) error{
			"people":   func(r postgres.Reads) error { _, err := r.People(ctx, ""); return err },
			"standing": func(r postgres.Reads) error { _, err := r.Standing(ctx); return err },
			"margin": func(r postgres.Reads) error {
				_, err := r.ReportMargin(ctx, postgres.ReportFilter{})
				return err
			},
		} {
			err := l.AsClient(ctx, "acme", read)
			require.ErrorContains(t, err, "permission denied", name)
		}
	})
	t.Run("and leaves nothing behind on the connection", func(t *testing.T) {
		people, err := l.People(ctx, "")
		require.NoError(t, err)
		assert.Len(t, people, 7)
	})
	t.Run("of an unknown client there is none", func(t *testing.T) {
		err := l.AsClient(ctx, "nobody", func(postgres.Reads) error { return nil })
		assert.Len(t, ticket.Problems(err), 1)
	})
}

func TestAPayerSeesTheInvoiceAndItsPayeesOnlyTheirLines(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	require.NoError(t, k.PutClient(ctx, ticket.Client{ID: "acme", Name: "Acme", TimeZone: "America/New_York", Currency: "USD", Payer: "zenith"}))
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 45))
	require.NoError(t, k.AsClient(ctx, "zenith", func(r postgres.Reads) error {
		i, err := r.Invoice(ctx, "zenith")
		require.NoError(t, err)
		assert.Equal(t, k.owed(), i.Total.StringFixed(2))
		return nil
	}))
	require.NoError(t, k.AsClient(ctx, "acme", func(r postgres.Reads) error {
		_, err := r.Invoice(ctx, "acme")
		assert.Len(t, ticket.Problems(err), 1)
		lines, err := r.LinesOf(ctx, id)
		require.NoError(t, err)
		require.Len(t, lines, 1)
		why, err := r.Why(ctx, lines[0].Line)
		require.NoError(t, err)
		assert.NotEmpty(t, why.Sentences)
		return nil
	}))
}

func TestWritersRefuseWithFieldValueAndFix(t *testing.T) {
	k := newTill(t)
	ctx := t.Context()
	fields := func(err error) (names []string) {
		for _, p := range ticket.Problems(err) {
			assert.NotEmpty(t, p.Fix)
			names = append(names, p.Field)
		}
		return names
	}
	assert.Equal(t, []string{"client", "name", "time_zone", "currency", "payer"},
		fields(k.PutClient(ctx, ticket.Client{ID: "A B", TimeZone: "Mars", Currency: "X", Payer: "nobody"})))
	assert.Equal(t, []string{"name", "person", "kind", "roles", "capacity", "client", "delegate"}, fields(k.PutPerson(ctx, postgres.Staffing{
		Person: ticket.Person{ID: "A B", Kind: "robot", Client: "nobody", Roles: []string{"king"}}, Capacity: -1, Delegate: "nobody",
	})))
	assert.Equal(t, []string{"site", "name", "client"}, fields(k.PutSite(ctx, "nobody", "A B", "")))
	assert.Equal(t, []string{"kind", "client", "counted_on", "devices"}, fields(k.CountDevices(ctx, "nobody", "", sla.LocalDate{}, -1)))
	assert.Equal(t, []string{"calendar", "calendar"}, fields(k.PutCalendar(ctx, "A B", sla.Calendar{})))
}

func TestDoctorTellsWhatStandsStill(t *testing.T) {
	l := live(t)
	ctx := t.Context()
	what := func() map[string]postgres.Finding {
		found, err := l.Doctor(ctx, postgres.Patience{Skew: 100 * 365 * 24 * time.Hour})
		require.NoError(t, err)
		byWhat := map[string]postgres.Finding{}
		for _, f := range found {
			assert.NotEmpty(t, f.Why)
			assert.NotEmpty(t, f.Do)
			assert.NotEmpty(t, f.Owner)
			byWhat[f.What] = f
		}
		return byWhat
	}
	hold, err := l.Approvals(ctx, true, "")
	require.NoError(t, err)
	name := ticket.HoldID(hold[0].Hold)
	assert.NotContains(t, what(), name)

	key := l.key()
	opened, err := l.Open(ctx, ticket.Opening{Client: "acme", Subject: "Nobody starts it", Source: "test", ExternalID: key, EventID: key, OpenedAt: l.now()})
	require.NoError(t, err)
	assert.NotContains(t, what(), string(opened.Ticket))

	l.pass(100 * time.Hour)
	found := what()
	assert.Equal(t, postgres.Critical, found[string(opened.Ticket)].Severity)
	assert.Equal(t, "ann", found[name].Owner)
	assert.Contains(t, found[name].Why, "ran out at step 0")
	waits, err := l.Waits(ctx, l.now())
	require.NoError(t, err)
	require.Len(t, waits.Holds, 1)
	assert.Equal(t, postgres.WaitingHolds{Kind: billing.SignOff, Reason: billing.OverThreshold, Open: 1, Past: 1, Oldest: 100 * time.Hour}, waits.Holds[0])
	assert.Equal(t, 1, waits.Outbox)
	assert.Equal(t, 100*time.Hour, waits.OutboxOldest)

	fresh, err := l.Overdue(ctx, ticket.ID(hold[0].Ticket), hold[0].Hold, 0)
	require.NoError(t, err)
	found = what()
	assert.Equal(t, postgres.Warning, found[name].Severity, "it was asked for again, and still nobody has decided")
	assert.EqualValues(t, 100*time.Hour/time.Millisecond, found[name].AgeMS)
	assert.Equal(t, strings.Join(fresh.Approvers, ", "), found[name].Owner)
	assert.Contains(t, found[name].Why, "sign-off of USD 750 for "+hold[0].Ticket+", over-threshold: nobody has decided; asked 2 times, now until 2026-")
	assert.Contains(t, found[name].Why, "is more than the 500.00 USD", "the sentence why it waits")
	assert.Equal(t, "`docket approval show "+name+"`", found[name].Do)

	t.Run("a clock that is off, a schema that is behind", func(t *testing.T) {
		all, err := l.Doctor(ctx, postgres.Patience{})
		require.NoError(t, err)
		var names []string
		for _, f := range all {
			names = append(names, f.What)
		}
		assert.Contains(t, names, "clock")
		l.tamper("delete from goose_db_version where version_id = (select max(version_id) from goose_db_version)")
		assert.Contains(t, what()["schema"].Do, "docket migrate")
	})
}
