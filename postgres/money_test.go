package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// many runs f n times at once and returns when all have.
func many(n int, f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() { <-start; f(i) })
	}
	close(start)
	all.Wait()
}

// written is a value as JSON, in which equal amounts look the same.
func written(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestClosingPostsWorkByTheContract(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")

	receipt := k.close(id, 1, k.minutes("tom", 70))

	require.Len(t, receipt.Posted, 1)
	require.Equal(t, "187.50", receipt.Posted[0].Amount.StringFixed(2), "70 minutes, min 30, by 15: 75 min at 150.00")
	require.Equal(t, "187.50", k.owed())
	why, err := k.Why(t.Context(), receipt.Posted[0].Line)
	require.NoError(t, err)
	require.NotEmpty(t, why.Sentences)
	k.proved()
}

func TestEdge04ClosedTwiceAtTheSameTime(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	_, err := k.Log(t.Context(), id, ticket.Work{Header: k.by("tom"), Entry: k.minutes("tom", 70)})
	require.NoError(t, err)

	receipts := make([]billing.Receipt, 50)
	many(50, func(i int) {
		var err error
		receipts[i], err = k.Close(context.WithoutCancel(t.Context()), id, 1, k.resolve("tom"))
		require.NoError(t, err)
	})

	for _, r := range receipts {
		require.JSONEq(t, written(t, receipts[0]), written(t, r), "every closer has the first one's receipt")
	}
	require.EqualValues(t, 1, k.count("select count(*) from closures"))
	require.Equal(t, "187.50", k.owed())
	k.proved()
}

func TestEdge31TwoClosingsRaceForTheLastHour(t *testing.T) {
	k := newTill(t, blocks)
	k.grant(1)
	tickets := make([]ticket.ID, 50)
	for i := range tickets {
		tickets[i] = k.ticket("network")
	}

	many(len(tickets), func(i int) {
		_, err := k.Close(context.WithoutCancel(t.Context()), tickets[i], 1, k.resolve("tom", k.minutes("tom", 12)))
		require.NoError(t, err)
	})

	// 50 × 12 minutes: five fit the hour, forty-five are overage of 24.00.
	require.Equal(t, "0", k.hoursLeft())
	require.Equal(t, "1080.00", k.owed())
	k.proved()
}

func TestFirstLineOfANewPeriodFromFiftySides(t *testing.T) {
	k := newTill(t, hourly)
	tickets := make([]ticket.ID, 50)
	for i := range tickets {
		tickets[i] = k.ticket("email")
	}

	many(len(tickets), func(i int) {
		_, err := k.Close(context.WithoutCancel(t.Context()), tickets[i], 1, k.resolve("tom", k.minutes("tom", 30)))
		require.NoError(t, err)
	})

	require.EqualValues(t, 1, k.count("select count(*) from invoices"))
	require.Equal(t, "3750.00", k.owed())
	k.proved()
}

func TestLateWorkAgainstAClosing(t *testing.T) {
	k := newTill(t, hourly)
	for range 20 {
		id := k.ticket("email")
		var answer ticket.Answer
		var receipt billing.Receipt
		many(2, func(i int) {
			var err error
			if ctx := context.WithoutCancel(t.Context()); i == 0 {
				answer, err = k.Log(ctx, id, ticket.Work{Header: k.by("tom"), Entry: k.minutes("tom", 60)})
			} else {
				receipt, err = k.Close(ctx, id, 1, k.resolve("tom", k.minutes("dora", 60)))
			}
			require.NoError(t, err)
		})
		rated := k.count("select count(*) from work_entries where ticket = $1 and rated_in is not null", id.Number())
		if answer.Effect {
			require.EqualValues(t, 2, rated, "work that was taken is in the closure")
		} else {
			require.EqualValues(t, 1, rated, "work that came too late is refused, on record")
			require.Contains(t, answer.Says, "reopen")
		}
		require.NotEmpty(t, receipt.Posted)
	}
	k.proved()
}

func TestEdge02ReopenedWhileTheInvoiceIsOpen(t *testing.T) {
	k := newTill(t, blocks)
	k.grant(1)
	id := k.ticket("network")
	k.close(id, 1, k.minutes("tom", 90)) // an hour drawn, half an hour at 120.00
	require.Equal(t, "60.00", k.owed())
	require.Equal(t, "0", k.hoursLeft())

	reopen := ticket.Reopen{Header: k.by("ann"), Reason: "still broken"}
	answer, err := k.Reopen(t.Context(), id, reopen)
	require.NoError(t, err)
	require.True(t, answer.Effect)
	require.Equal(t, 2, answer.Round)
	require.Equal(t, "0.00", k.owed(), "the open invoice moves at once")
	require.Equal(t, "1", k.hoursLeft(), "the draw is returned")
	again, err := k.Reopen(t.Context(), id, reopen)
	require.NoError(t, err)
	require.Equal(t, answer, again, "the same message once more has the same answer and no effect")
	k.proved()

	k.begin(id, 2)
	k.pass(3 * time.Hour)
	k.close(id, 2, k.minutes("tom", 30)) // 120 minutes in all: an hour drawn, an hour billed
	require.Equal(t, "120.00", k.owed())
	require.Equal(t, "0", k.hoursLeft())
	k.proved()
}

func TestEdge03ReopenedAfterTheInvoiceWasFinalised(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	k.close(id, 1, k.minutes("tom", 70))
	final := postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-03-01", By: "olga"}

	_, err := k.Finalise(t.Context(), final)
	var p *ticket.Problem
	require.ErrorAs(t, err, &p, "the period is not over")
	final.Early = true
	invoice, err := k.Finalise(t.Context(), final)
	require.NoError(t, err)
	require.Equal(t, "INV-2026-00001", invoice.Number)
	require.Equal(t, "187.50", invoice.Total.StringFixed(2))
	again, err := k.Finalise(t.Context(), final)
	require.NoError(t, err)
	require.Equal(t, invoice.Number, again.Number, "finalised once")

	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("tom"), Reason: "still broken"})
	require.NoError(t, err)
	require.Equal(t, "0.00", k.owed())
	require.EqualValues(t, 1, k.count("select count(*) from invoice_lines l join invoices i on i.id = l.invoice_id where i.state = 'open' and i.period_start = '2026-04-01' and l.amount = -187.50"),
		"the credit is on the open invoice; the finalised one keeps its line")
	k.proved()
}

func TestReopenAgainstSettle(t *testing.T) {
	k := newTill(t, hourly)
	for range 15 {
		id := k.ticket("email")
		q := k.close(id, 1, k.minutes("tom", 240)).Held[0]
		var settlement billing.Settlement
		many(2, func(i int) {
			var err error
			if ctx := context.WithoutCancel(t.Context()); i == 0 {
				settlement, err = k.SignOff(ctx, id, ticket.SignOff{Header: k.by("ann"), Hold: q.Hold, Digest: q.Digest, Approved: true})
			} else {
				_, err = k.Reopen(ctx, id, ticket.Reopen{Header: k.by("tom"), Reason: "again"})
			}
			require.NoError(t, err)
		})
		require.Contains(t, []billing.Outcome{billing.Settled, billing.Superseded}, settlement.Outcome)
	}
	require.Equal(t, "0.00", k.owed(), "whichever came first, a reopened round bills nothing")
	k.proved()
}

func TestClosingsRaceAFinalisation(t *testing.T) {
	k := newTill(t, hourly)
	tickets := make([]ticket.ID, 60)
	for i := range tickets {
		tickets[i] = k.ticket("email")
	}
	k.close(k.ticket("email"), 1, k.minutes("tom", 30))

	many(len(tickets)+1, func(i int) {
		ctx := context.WithoutCancel(t.Context())
		if i == len(tickets) {
			_, err := k.Finalise(ctx, postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-03-01", By: "olga", Early: true})
			require.NoError(t, err)
			return
		}
		_, err := k.Close(ctx, tickets[i], 1, k.resolve("tom", k.minutes("tom", 30)))
		require.NoError(t, err)
	})

	require.EqualValues(t, 61, k.count("select count(*) from invoice_lines"))
	require.Zero(t, k.count(`select count(*) from invoices i where state = 'finalised'
		and (total, line_count) <> (select coalesce(sum(amount), 0), count(*) from invoice_lines where invoice_id = i.id)`))
	k.proved()
}

func TestEdge62NumbersHaveNoGaps(t *testing.T) {
	k := newTill(t, hourly)
	// Twelve periods at once, some of them tried by somebody who may not.
	for month := range 12 {
		id := k.ticket("email")
		entry := k.minutes("tom", 30)
		entry.StartedAt = time.Date(2026, time.January, 10, 15, 0, 0, 0, time.UTC).AddDate(0, -month%3, month)
		if entry.StartedAt.Year() < 2026 {
			entry.StartedAt = entry.StartedAt.AddDate(0, 2, 0)
		}
		k.close(id, 1, entry)
	}
	many(9, func(i int) {
		f := postgres.Finalisation{Payer: "acme", Currency: "USD", Period: []string{"2026-01-01", "2026-02-01", "2026-03-01"}[i%3], By: []string{"olga", "tom", "olga"}[i/3], Early: true}
		_, err := k.Finalise(context.WithoutCancel(t.Context()), f)
		var p *ticket.Problem
		require.True(t, err == nil || errors.As(err, &p), "%v", err)
	})
	require.Equal(t, k.count("select count(*) from invoices where state = 'finalised'"), k.count("select coalesce(max(last), 0) from number_series"))
	k.proved()
}

func TestPerTicketChargeCountsTheMonth(t *testing.T) {
	k := newTill(t, hourly)
	first, second := k.ticket("onboarding"), k.ticket("onboarding")
	k.close(first, 1, k.minutes("tom", 30))
	require.Equal(t, "0.00", k.owed(), "one a month is included")
	k.close(second, 1, k.minutes("tom", 30))
	require.Equal(t, "45.00", k.owed())

	_, err := k.Reopen(t.Context(), first, ticket.Reopen{Header: k.by("tom"), Reason: "again"})
	require.NoError(t, err)
	require.Equal(t, "0.00", k.owed(), "without the first, the second is the included one")
	k.proved()
	k.begin(first, 2)
	k.close(first, 2, k.minutes("tom", 5))
	require.Equal(t, "45.00", k.owed())
	k.proved()
}

func TestApprovalBeforeTheWorkCoversTheBill(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	ask := ticket.RequestApproval{Header: k.by("tom"), Action: "rebuild the mail server", Amount: "600.00", Currency: "USD"}
	quote, err := k.RequestApproval(t.Context(), id, ask)
	require.NoError(t, err)
	again, err := k.RequestApproval(t.Context(), id, ask)
	require.NoError(t, err)
	require.JSONEq(t, written(t, quote), written(t, again))

	yes, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: quote.Hold, Digest: quote.Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, yes.Outcome)

	receipt := k.close(id, 1, k.minutes("tom", 240))
	require.Empty(t, receipt.Held, "600.00 was agreed to")
	require.Equal(t, "600.00", k.owed())
	k.proved()
}

func TestReworkSendsTheTicketBack(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("project")
	q := k.close(id, 1, k.minutes("tom", 60)).Held[0]
	back, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: q.Hold, Action: ticket.Rework, Reason: "wrong category"})
	require.NoError(t, err)
	require.Equal(t, billing.SentBack, back.Outcome)
	require.Empty(t, back.Held)
	shown, err := k.Ticket(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, 2, shown.Round)
	require.True(t, shown.Stage.Open())
	k.proved()
}
