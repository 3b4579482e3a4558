package billing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

const threshold = `
time: {minimum: 15m, increment: 15m}
rates: [{hourly: 150}, {actor: ai, hourly: 36}]
lines:
  - {clause: T1, name: Support, match: {categories: [Email]}, charge: time}
  - {clause: A1, name: Monitoring, match: {work_types: [monitoring], categories: [Email]}, charge: covered}
  - {clause: X1, name: Projects, match: {work_types: [project], categories: [Email]}, charge: out-of-scope}
approval: {clause: A9, amount_over: 150.00, time_over: 4h, approvers: [P-1, P-2], expires: 48h}
`

func typed(w billing.Work, workType string) billing.Work {
	w.WorkType = workType
	return w
}

func TestOverTheThreshold(t *testing.T) {
	t.Run("exactly the limit passes", func(t *testing.T) {
		require.Empty(t, decide(t, under(t, contract("TM-1", threshold), work(1, noon, hour))).Holds)
	})
	t.Run("above it, all that costs waits in one hold, and the rest posts", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", threshold), work(1, noon, hour), work(2, noon.Add(2*time.Hour), minute),
			typed(work(3, noon.Add(3*time.Hour), minute), "monitoring"), typed(work(4, noon.Add(4*time.Hour), hour), "project")))
		require.Equal(t, "covered A1 0.016666667 h × 0 = 0", posts(d))
		require.Equal(t, "exception out-of-scope X1: time X1 1 h × 150 = 150\n"+
			"sign-off over-threshold A9: time T1 1 h × 150 = 150\ntime T1 0.25 h × 150 = 37.5", holds(d), "what is an exception is not asked about twice")
		h := d.Holds[1]
		require.Equal(t, "187.50 EUR is more than the 150.00 EUR that TM-1 A9 lets pass without sign-off.", h.Says)
		require.Equal(t, []string{"P-1", "P-2"}, h.Approvers)
		require.Equal(t, 48*hour, h.Patience)
		require.Equal(t, "187.5", h.Amount.String())
	})
	t.Run("by time, and AI time counts", func(t *testing.T) {
		d := decide(t, under(t, contract("TM-1", threshold), aiWork(1, noon, 4*hour+second)))
		require.Equal(t, "sign-off over-threshold A9: time T1 14401 s × 36 = 144.01", holds(d))
		require.Equal(t, "4 h 1 s is more than the 4 h that TM-1 A9 lets pass without sign-off.", d.Holds[0].Says)
	})
}

func TestEdge51AskedAgainOnlyBeyondWhatWasApproved(t *testing.T) {
	f := under(t, contract("TM-1", threshold), work(1, noon, 2*hour))
	f.Ticket.Approved, f.Ticket.ApprovedCurrency = dec("300"), "EUR"
	d := decide(t, f)
	require.Equal(t, "time T1 2 h × 150 = 300", posts(d))
	require.Contains(t, billing.Explain(d.Charges[0]), "The client had agreed to 300.00 EUR before the work, so nobody was asked again.")

	f.Ticket.Approved = dec("299.99")
	require.Equal(t, "sign-off over-threshold A9: time T1 2 h × 150 = 300", holds(decide(t, f)))
	f.Ticket.Approved, f.Ticket.ApprovedCurrency = dec("300"), "USD"
	require.Len(t, decide(t, f).Holds, 1)

	t.Run("what no threshold would ask about", func(t *testing.T) {
		const body = "rates: [{hourly: 150}]\nlines: [{clause: T1, name: Support, charge: time}]\n"
		f := under(t, contract("TM-1", body), work(1, noon, 2*hour))
		f.Ticket.Approved, f.Ticket.ApprovedCurrency, f.Ticket.ApprovedBy = dec("100"), "EUR", "ann"
		d := decide(t, f)
		require.Equal(t, "sign-off over-threshold: time T1 2 h × 150 = 300", holds(d))
		require.Equal(t, []string{"ann"}, d.Holds[0].Approvers)
		require.Equal(t, "300.00 EUR is more than the 100.00 EUR that the client agreed to before the work.", d.Holds[0].Says)
		require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "The client had to agree again: the ticket came to 300.00 EUR, and he had agreed to 100.00 EUR before the work.")
		f.Ticket.Approved = dec("300")
		require.Empty(t, decide(t, f).Holds)
		f.Ticket.Approved, f.Ticket.ApprovedCurrency = dec("100"), "USD"
		require.Empty(t, decide(t, f).Holds, "he agreed to something else")

		f = under(t, contract("TM-1", body+"approval: {clause: A9, amount_over: 500, approvers: [bo]}"), work(1, noon, 2*hour))
		f.Ticket.Approved, f.Ticket.ApprovedCurrency, f.Ticket.ApprovedBy = dec("100"), "EUR", "ann"
		d = decide(t, f)
		require.Equal(t, "sign-off over-threshold A9: time T1 2 h × 150 = 300", holds(d), "below the threshold, above what he agreed to")
		require.Equal(t, []string{"bo"}, d.Holds[0].Approvers)
	})
}

func TestEdge65HeldReservesAsPosted(t *testing.T) {
	const body = `
rates: [{hourly: 150}, {actor: ai, hourly: 36}]
lines:
  - {clause: B1, name: Block hours, match: {actors: [human]}, charge: block}
  - {clause: T1, name: AI, charge: time}
`
	const approval = "approval: {amount_over: 10, approvers: [P-1]}\n"
	entries := []billing.Work{work(1, noon, 2*hour), aiWork(2, noon, 100*second)}
	decideWith := func(body string) billing.Decision {
		f := under(t, contract("HB-1", body), entries...)
		f.Blocks = []billing.Block{block(7, hour)}
		return decide(t, f)
	}
	posted, held := decideWith(body), decideWith(body+approval)
	require.Empty(t, posted.Holds)
	require.Empty(t, held.Charges)
	require.Len(t, held.Holds, 1)
	for i, c := range held.Holds[0].Charges {
		require.Equal(t, posted.Charges[i].Draws, c.Draws)
		require.Equal(t, posted.Charges[i].Counts, c.Counts)
		require.Equal(t, posted.Charges[i].Key, c.Key)
	}
	require.Equal(t, "ai/HB-1/T1/36/2026-03", held.Holds[0].Charges[2].Counts[0].Key)
	require.Equal(t, "100", held.Holds[0].Charges[2].Counts[0].Quantity.String())
}

func TestSettle(t *testing.T) {
	f := under(t, contract("HB-1", "rates: [{hourly: 150}]\nlines: [{clause: B1, name: Block hours, charge: block}]\napproval: {amount_over: 10, approvers: [P-1]}"), work(1, noon, 2*hour))
	f.Blocks = []billing.Block{block(7, hour)}
	quote := decide(t, f).Holds[0]
	declined := billing.Decline(quote, "P-1", "too dear", 4*time.Hour)

	for name, c := range map[string]struct {
		hold   billing.Hold
		action billing.Action
		want   string
	}{
		"approve posts the quote":         {quote, billing.Approve, "block B1 1 h × 0 = 0 [block 7: 60 min]\noverage B1 1 h × 150 = 150"},
		"cover posts zero, draws gone":    {quote, billing.Cover, "covered B1 1 h × 0 = 0\ncovered B1 1 h × 0 = 0"},
		"write-off posts zero, hidden":    {quote, billing.WriteOff, "written-off B1 1 h × 0 = 0 hidden\nwritten-off B1 1 h × 0 = 0 hidden"},
		"bill a declined quote after all": {declined, billing.Bill, "block B1 1 h × 0 = 0 [block 7: 60 min]\noverage B1 1 h × 150 = 150"},
	} {
		t.Run(name, func(t *testing.T) {
			charges, err := billing.Settle(c.hold, billing.Ruling{Action: c.action, By: "P-1", Reason: "as agreed"})
			require.NoError(t, err)
			require.Equal(t, c.want, render(charges))
			for i, charge := range charges {
				require.Equal(t, c.hold.Charges[i].Key, charge.Key)
				require.Equal(t, c.hold.Charges[i].Spans, charge.Spans)
				last := charge.Steps[len(charge.Steps)-1]
				require.Equal(t, "ruling", last.Rule)
				require.Len(t, charge.Steps, len(c.hold.Charges[i].Steps)+1)
			}
		})
	}
	require.Equal(t, billing.Declined, declined.Reason)
	require.Equal(t, billing.Exception, declined.Kind)
	require.NotEqual(t, quote.Digest, declined.Digest)
	require.Equal(t, "P-1 declined 150.00 EUR: too dear", declined.Says)

	for name, c := range map[string]struct {
		hold   billing.Hold
		action billing.Action
		want   string
	}{
		"a sign-off is not billed over the client's head": {quote, billing.Bill, "needs the client's word"},
		"an exception is not the client's":                {declined, billing.Approve, "approve is for a sign-off"},
		"unknown":                                         {quote, "pay", `action "pay" is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := billing.Settle(c.hold, billing.Ruling{Action: c.action})
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSettleUnrated(t *testing.T) {
	hold := decide(t, under(t, contract("TM-1", "lines: [{clause: T1, name: Support, charge: time}]"), work(1, noon, 20*minute), aiWork(2, noon, 1500))).Holds[0]
	require.True(t, hold.Unrated)
	_, err := billing.Settle(hold, billing.Ruling{Action: billing.Bill, By: "D-1"})
	require.ErrorIs(t, err, billing.ErrNoRate)
	require.ErrorContains(t, err, "hourly")

	rate := dec("3000")
	charges, err := billing.Settle(hold, billing.Ruling{Action: billing.Bill, By: "D-1", Hourly: &rate})
	require.NoError(t, err)
	require.Equal(t, "time T1 0.333333333 h × 3000 = 1000\ntime T1 1.5 s × 3000 = 1.25", render(charges), "from milliseconds, not from rounded hours")
	require.False(t, charges[0].Unrated)

	negative := dec("-1")
	_, err = billing.Settle(hold, billing.Ruling{Action: billing.Bill, By: "D-1", Hourly: &negative})
	require.ErrorContains(t, err, "is no rate")

	t.Run("without any currency there is nothing to bill in", func(t *testing.T) {
		hold := decide(t, facts(nil, work(1, noon, hour))).Holds[0]
		require.Equal(t, billing.NoCurrency, hold.Currency)
		_, err := billing.Settle(hold, billing.Ruling{Action: billing.Bill, By: "D-1", Hourly: &rate})
		require.ErrorContains(t, err, "currency")
	})
	t.Run("nothing to post where a ticket was closed without time", func(t *testing.T) {
		hold := decide(t, under(t, contract("TM-1", timeAndMaterials))).Holds[0]
		charges, err := billing.Settle(hold, billing.Ruling{Action: billing.Bill, By: "D-1"})
		require.NoError(t, err)
		require.NotNil(t, charges)
		require.Empty(t, charges)
	})
}
