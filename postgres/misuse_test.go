package postgres_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// requireProblem wants a Problem of the field: anything else would be tried again for ever.
func requireProblem(t *testing.T, err error, field string) {
	t.Helper()
	p := ticket.Problems(err)
	require.NotEmpty(t, p, "wanted a Problem of %s, got %v", field, err)
	require.Equal(t, field, p[0].Field)
}

func TestAResolutionRepeatedAfterAReopeningClosesNothing(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	m := k.resolve("tom", k.minutes("tom", 60))
	first, err := k.Close(t.Context(), id, 1, m)
	require.NoError(t, err)
	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "back"})
	require.NoError(t, err)
	k.begin(id, 2)
	again, err := k.Close(t.Context(), id, 2, m)
	require.NoError(t, err)
	require.Equal(t, written(t, first), written(t, again))
	require.EqualValues(t, 1, k.count("select count(*) from closures"))

	second := k.resolve("tom")
	_, err = k.Close(t.Context(), id, 2, second)
	require.NoError(t, err)
	beaten := k.resolve("dora")
	for range 2 { // it found the round closed, also when it comes again
		receipt, err := k.Close(t.Context(), id, 2, beaten)
		require.NoError(t, err)
		require.Equal(t, 2, receipt.Round)
	}
	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "back again"})
	require.NoError(t, err)
	k.begin(id, 3)
	receipt, err := k.Close(t.Context(), id, 3, beaten)
	require.NoError(t, err)
	require.Equal(t, 2, receipt.Round)
	require.EqualValues(t, 2, k.count("select count(*) from closures"))
	k.proved()
}

func TestOneKeyClosesOneTicket(t *testing.T) {
	k := newTill(t, hourly)
	a, b := k.ticket("email"), k.ticket("email")
	m := k.resolve("tom")
	_, err := k.Close(t.Context(), a, 1, m)
	require.NoError(t, err)
	_, err = k.Close(t.Context(), b, 1, m)
	requireProblem(t, err, "operation_key")
}

func TestNobodySendsAsTheDeskItself(t *testing.T) {
	k := newTill(t, hourly)
	for _, who := range []string{"docket", "operator"} {
		id := k.ticket("email")
		h := k.by(who)
		h.Via = ticket.ViaTemporal
		_, err := k.Log(t.Context(), id, ticket.Work{Header: h, Entry: k.minutes("tom", 60)})
		requireProblem(t, err, "who")
		h.OperationKey = k.key()
		_, err = k.Close(t.Context(), id, 1, ticket.Resolve{Header: h, Resolution: "x"})
		requireProblem(t, err, "who")
		k.close(id, 1)
		_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by(who), Reason: "x"})
		requireProblem(t, err, "who")
	}
}

func TestAClosingTakesPlausibleTimesOnlyAndElseTheClock(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	m := k.resolve("tom", k.minutes("tom", 60))
	for _, at := range []string{"0000-01-01T00:00:00+14:00", "0001-01-01T01:00:00Z", "1980-01-01T00:00:00Z", "9999-12-31T23:59:59Z"} {
		m.At, _ = time.Parse(time.RFC3339, at)
		_, err := k.Close(t.Context(), id, 1, m)
		requireProblem(t, err, "at")
	}
	m.At = time.Time{}
	r, err := k.Close(t.Context(), id, 1, m)
	require.NoError(t, err)
	require.Equal(t, noon, r.ClosedAt)

	early := k.resolve("tom")
	early.At = noon.AddDate(-1, 0, 0)
	r, err = k.Close(t.Context(), k.ticket("onboarding"), 1, early)
	require.NoError(t, err)
	require.Equal(t, noon.Add(-8*time.Hour), r.ClosedAt, "no ticket is closed before it was opened")
}

func TestAnHourlyRateOfTooManyDecimalsIsAProblem(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("unheard-of")
	r := k.close(id, 1, k.minutes("bot", 60))
	require.NotEmpty(t, r.Held)
	_, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: r.Held[0].Hold, Action: ticket.Bill, Reason: "x", Hourly: "0.00000000001"})
	requireProblem(t, err, "hourly")
}

func TestAFewBytesCannotAskForANumberOfMillionsOfDigits(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	for _, amount := range []string{"1e-2000000000", "1e2000000000", "NaN", "Inf", "-5", "0", "0x10", " 5"} {
		_, err := k.RequestApproval(t.Context(), id, ticket.RequestApproval{Header: k.by("tom"), Action: "Buy it", Amount: amount, Currency: "USD"})
		requireProblem(t, err, "amount")
		_, err = k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: 1, Action: ticket.Bill, Reason: "So be it", Hourly: amount + "e-2000000000"})
		requireProblem(t, err, "hourly")
	}
}

func TestTokensBeyondCountingAreAProblem(t *testing.T) {
	k := newTill(t)
	w := k.minutes("bot", 1)
	w.TokensIn, w.TokensOut = math.MaxInt64, math.MaxInt64-5 // their sum is below zero, and so would be the cost
	requireProblem(t, w.Validate(), "work.tokens")
}

func TestSettlingLocksBlocksBeforeInvoices(t *testing.T) {
	k := newTill(t, blocks)
	k.grant(10)
	id := k.ticket("email")
	r := k.close(id, 1, k.minutes("tom", 600), k.minutes("dora", 300)) // five hours more than the block has
	require.NotEmpty(t, r.Held)
	ctx := t.Context()
	tx, err := k.admin.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(ctx, "select from blocks order by id for update")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := k.SignOff(ctx, id, ticket.SignOff{Header: k.by("ann"), Hold: r.Held[0].Hold, Digest: r.Held[0].Digest, Approved: true})
		done <- err
	}()
	require.Eventually(t, func() bool {
		return k.count("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()") > 0
	}, 4*time.Second, 20*time.Millisecond)
	_, err = tx.Exec(ctx, "set local lock_timeout = '800ms'")
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `insert into invoices (payer_id, currency, period_start, period_end) values ('acme', 'USD', '2026-03-01', '2026-04-01')
on conflict (payer_id, currency, period_start, period_end) do nothing`)
	require.NoError(t, err, "a closing that holds the blocks opens the period's invoice")
	require.NoError(t, tx.Rollback(ctx))
	require.NoError(t, <-done)
}

func TestASignOffIsNeverOlderThanItsQuote(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	r := k.close(id, 1, k.minutes("tom", 240))
	require.NotEmpty(t, r.Held)
	_, err := k.admin.Exec(t.Context(), "update people set absent_until = $1 where id = 'ann'", k.now().Add(-24*time.Hour))
	require.NoError(t, err)
	h := k.by("ben")
	h.At = k.now().Add(-48 * time.Hour)
	s, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: h, Hold: r.Held[0].Hold, Digest: r.Held[0].Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Refused, s.Outcome, s.Says)
}

func TestAnAgentLogsItsOwnTimeAlone(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	_, err := k.Log(t.Context(), id, ticket.Work{Header: k.by("bot"), Entry: k.minutes("tom", 480)})
	requireProblem(t, err, "work.actor")
	_, err = k.Close(t.Context(), id, 1, k.resolve("bot", k.minutes("tom", 480)))
	requireProblem(t, err, "work.actor")
	require.Zero(t, k.count("select count(*) from work_entries"))
}

func TestAReversalGoesBackToWhoPaid(t *testing.T) {
	k := newTill(t, hourly)
	ctx, id := t.Context(), k.ticket("email")
	k.close(id, 1, k.minutes("tom", 60))
	require.NoError(t, k.PutClient(ctx, ticket.Client{ID: "acme", Name: "Acme", TimeZone: "America/New_York", Currency: "USD", Payer: "zenith"}))
	_, err := k.Reopen(ctx, id, ticket.Reopen{Header: k.by("ann"), Reason: "back"})
	require.NoError(t, err)
	require.EqualValues(t, 2, k.count("select count(*) from invoice_lines where payer_id = 'acme'"))
	k.begin(id, 2)
	k.close(id, 2)
	for payer, owes := range map[string]int64{"acme": 0, "zenith": 150} {
		require.Equal(t, owes, k.count("select sum(amount)::bigint from invoice_lines where payer_id = $1", payer), payer)
	}
	k.proved()
}

func TestAQuoteStandsUntilItsTimeIsOutByTheStoresClock(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	quote := k.close(id, 1, k.minutes("tom", 240)).Held[0]
	early, err := k.Overdue(t.Context(), id, quote.Hold, 0)
	require.NoError(t, err)
	require.Equal(t, quote.Digest, early.Digest)
	k.pass(72 * time.Hour)
	fresh, err := k.Overdue(t.Context(), id, quote.Hold, 0)
	require.NoError(t, err)
	require.Equal(t, 1, fresh.Step)
}

func TestWorkLeftOnATicketThatEndedOtherwiseIsALeak(t *testing.T) {
	k := newTill(t, hourly)
	for _, end := range []string{"stage = 'cancelled'", "stage = 'merged', merged_into = 1001"} {
		id := k.ticket("email")
		_, err := k.Log(t.Context(), id, ticket.Work{Header: k.by("tom"), Entry: k.minutes("tom", 30)})
		require.NoError(t, err)
		_, err = k.admin.Exec(t.Context(), "update tickets set "+end+" where number = $1", id.Number())
		require.NoError(t, err)
	}
	standing, err := k.Standing(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, standing.Leaked)
}
