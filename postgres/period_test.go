package postgres_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// managed is a contract that bills by the month.
const managed = `
schema: docket.contract/v1
contract: acme-managed
client: acme
name: Managed services
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3", work_role: engineer, hourly: "100.00"}
lines:
  - {clause: F, name: Managed service, charge: flat, price: "500.00"}
  - {clause: W, name: Workstations, charge: per-device, price: "10.00", when: arrears, count: {of: workstation}}
  - {clause: T, name: Projects, charge: time}
approval: {amount_over: "450.00", approvers: [ann]}
commitment: {clause: M, name: Minimum, amount: "2000.00"}
`

// periods is a till whose clock stands at the beginning of March, in New York.
func periods(t testing.TB, contracts ...string) *till {
	t.Helper()
	k := newTill(t)
	k.on("2026-03-01")
	k.apply(contracts...)
	return k
}

func (k *till) apply(contracts ...string) {
	k.t.Helper()
	for _, doc := range contracts {
		_, err := k.ApplyContract(k.t.Context(), []byte(doc), "olga", false)
		require.NoError(k.t, err)
	}
}

func (k *till) devices(kind, on string, n int) {
	k.t.Helper()
	require.NoError(k.t, k.CountDevices(k.t.Context(), "acme", kind, day(k.t, on), n))
}

// sweep makes every run that is due, and tells what each posted: "opening 2026-03-01: 500.00".
func (k *till) sweep() string {
	k.t.Helper()
	due, err := k.PeriodsDue(k.t.Context(), billing.DueFilter{})
	require.NoError(k.t, err)
	var told []string
	for _, run := range due {
		r, err := k.RunPeriod(k.t.Context(), run, "")
		require.NoError(k.t, err)
		told = append(told, string(run.Run)+" "+run.Period.Start+": "+tells(r))
	}
	return strings.Join(told, "\n")
}

func tells(r billing.PeriodReceipt) string {
	if r.State != billing.PostingPosted {
		return string(r.State)
	}
	var amounts []string
	for _, l := range r.Posted {
		amounts = append(amounts, l.Clause+" "+l.Amount.StringFixed(2))
	}
	return strings.Join(amounts, ", ")
}

func TestPeriodsPostByTheirOwnKeyedTransactions(t *testing.T) {
	k := periods(t, managed)
	k.devices("workstation", "2026-02-20", 30)
	require.Equal(t, "opening 2026-03-01: F 500.00", k.sweep())
	require.Empty(t, k.sweep(), "nothing is due twice")

	k.on("2026-03-18")
	k.close(k.ticket("email"), 1, k.minutes("tom", 120))
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: W 300.00, M 1000.00\nopening 2026-04-01: F 500.00", k.sweep(), "2,000 − 500 − 300 − 200")
	require.Equal(t, "2500.00", k.owed())
	k.proved()

	invoice, err := k.Invoice(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "2026-04-01", invoice.PeriodStart)
	lines, err := k.InvoiceLines(t.Context(), k.count("select id from invoices where period_start = '2026-03-01'"), 0, 0)
	require.NoError(t, err)
	require.Len(t, lines, 4)
	require.Empty(t, lines[0].Ticket, "it comes of no ticket")
	why, err := k.Why(t.Context(), lines[3].Line)
	require.NoError(t, err)
	require.Equal(t, billing.TrueUp, why.Charge.Kind)
	require.Contains(t, strings.Join(why.Sentences, " "), "1000.00 USD were billed before credits and tax, so 1000.00 USD lack.")
	require.NoError(t, k.AsClient(t.Context(), "acme", func(r postgres.Reads) error {
		_, err := r.Why(t.Context(), lines[0].Line)
		return err
	}), "a client may ask why, too")
}

func TestARunIsMadeOnceHoweverManyMakeIt(t *testing.T) {
	k := periods(t, managed)
	k.devices("workstation", "2026-02-20", 30)
	k.on("2026-04-01")
	due, err := k.PeriodsDue(t.Context(), billing.DueFilter{Client: "acme"})
	require.NoError(t, err)
	require.Len(t, due, 3)
	var group sync.WaitGroup
	receipts := make([][]billing.PeriodReceipt, 20)
	for i := range receipts {
		group.Go(func() {
			for _, run := range due {
				r, err := k.RunPeriod(t.Context(), run, "")
				if err != nil {
					t.Error(err)
				}
				receipts[i] = append(receipts[i], r)
			}
		})
	}
	group.Wait()
	effects := 0
	for _, rs := range receipts {
		for i, r := range rs {
			require.Equal(t, receipts[0][i].Posting, r.Posting)
			require.Equal(t, tells(receipts[0][i]), tells(r))
			require.Equal(t, receipts[0][i].Digest, r.Digest)
			if r.Effect {
				effects++
			}
		}
	}
	require.Equal(t, len(due), effects)
	require.Equal(t, int64(3), k.count("select count(*) from postings"))
	require.Equal(t, "2500.00", k.owed(), "March to its minimum, and April's fee")
	k.proved()
}

// Closings race with the closing of the period: each is either in the sum that the true-up was made from, or adjusts it.
func TestTheTrueUpIsExactWhileClosingsRace(t *testing.T) {
	k := periods(t, managed)
	k.devices("workstation", "2026-02-20", 30)
	k.sweep()
	k.on("2026-03-20")
	var tickets []ticket.ID
	for range 8 {
		tickets = append(tickets, k.ticket("email"))
	}
	resolves := make([]ticket.Resolve, len(tickets))
	for i := range resolves {
		resolves[i] = k.resolve("tom", k.minutes("tom", 30))
		resolves[i].Work[0].StartedAt = resolves[i].Work[0].StartedAt.Add(-time.Duration(i) * time.Hour)
	}
	k.on("2026-04-02")
	due, err := k.PeriodsDue(t.Context(), billing.DueFilter{})
	require.NoError(t, err)
	var group sync.WaitGroup
	for i, id := range tickets {
		group.Go(func() {
			if _, err := k.Close(t.Context(), id, 1, resolves[i]); err != nil {
				t.Error(err)
			}
		})
	}
	for range 4 {
		group.Go(func() {
			for _, run := range due {
				if _, err := k.RunPeriod(t.Context(), run, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	require.Equal(t, "2500.00", k.owed(), "March comes to its minimum, whoever came first")
	k.proved()
}

func TestATrueUpFollowsWhatPostsLate(t *testing.T) {
	k := periods(t, managed)
	k.devices("workstation", "2026-02-20", 30)
	k.sweep()
	k.on("2026-03-18")
	id, other := k.ticket("email"), k.ticket("email")
	held := k.close(id, 1, k.minutes("tom", 300)).Held
	require.Len(t, held, 1, "500.00 waits for the client")
	k.on("2026-04-01")
	require.Contains(t, k.sweep(), "M 1200.00")

	// The client agrees after the period was closed: the true-up gives way.
	signed, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: held[0].Hold, Digest: held[0].Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Stale, signed.Outcome, "the quote ran out meanwhile")
	fresh, err := k.Overdue(t.Context(), id, held[0].Hold, 0)
	require.NoError(t, err)
	signed, err = k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: fresh.Hold, Digest: fresh.Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, signed.Outcome)
	require.Equal(t, []string{"1200", "-500"}, k.trueUps())
	require.Equal(t, "2500.00", k.owed())
	k.proved()

	// And comes back when the ticket is reopened.
	_, err = k.Reopen(t.Context(), id, ticket.Reopen{Header: k.by("ann"), Reason: "It is back"})
	require.NoError(t, err)
	require.Equal(t, []string{"1200", "-500", "500"}, k.trueUps())
	require.Equal(t, "2500.00", k.owed())
	k.proved()

	// Work of the closed period that is logged late adjusts it, too; beyond the minimum nothing more does.
	late := k.minutes("tom", 240)
	late.StartedAt = noon
	k.close(other, 1, late)
	require.Equal(t, []string{"1200", "-500", "500", "-400"}, k.trueUps())
	why, err := k.Why(t.Context(), k.count("select max(id) from charges where kind = 'true-up'"))
	require.NoError(t, err)
	require.Contains(t, strings.Join(why.Sentences, " "), string(other)+" posted into the period after it was closed")
	k.proved()
}

func (k *till) trueUps() []string {
	k.t.Helper()
	rows, err := k.admin.Query(k.t.Context(), "select amount::text from charges where kind = 'true-up' order by id")
	require.NoError(k.t, err)
	defer rows.Close()
	var amounts []string
	for rows.Next() {
		var a string
		require.NoError(k.t, rows.Scan(&a))
		amounts = append(amounts, a)
	}
	require.NoError(k.t, rows.Err())
	return amounts
}

// A closing ends what the period granted, also where nobody drew from it, and grants the next period's.
func TestAClosingEndsThePeriodsAllowance(t *testing.T) {
	k := periods(t, bucket)
	require.Empty(t, k.sweep(), "a bucket without a price bills nothing in advance")
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: ", k.sweep())
	require.Equal(t, []string{
		"2026-03-01 10: 0 left, 6 forfeited, 4 rolled over",
		"2026-04-01 10: 10 left, 0 forfeited, 0 rolled over",
		"2026-04-01 rolled 4: 4 left, 0 forfeited, 0 rolled over",
	}, k.stood())
	require.Empty(t, k.sweep())
	k.proved()
}
