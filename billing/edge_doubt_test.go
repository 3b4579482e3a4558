package billing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestEdge11OnePersonOnTwoTicketsAtATime(t *testing.T) {
	busy := work(1, noon, hour)
	busy.Elsewhere = &billing.Elsewhere{Ticket: "T-1007", MS: 20 * minute}
	t.Run("is shown", func(t *testing.T) {
		d := decide(t, under(t, guarded(""), busy))
		require.Equal(t, "time T1 1 h × 60 = 60", posts(d))
		require.Contains(t, billing.Explain(d.Charges[0]), "anna was on T-1007 for 20 min of it, where that time may bill too.")
	})
	t.Run("is held where the contract says so", func(t *testing.T) {
		d := decide(t, under(t, guarded("time: {elsewhere: hold}"), busy, work(2, noon.Add(2*time.Hour), hour)))
		require.Equal(t, "time T1 1 h × 60 = 60", posts(d), "the other entry is in no doubt")
		require.Equal(t, "exception implausible: time T1 1 h × 60 = 60", holds(d))
		require.Equal(t, "The time cannot be right (work entry 1: anna was on T-1007 too, for 20 min of its time): correct it, or rule on it as it stands; 60.00 EUR if it is billed.", d.Holds[0].Says)
		require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "anna was on T-1007 for 20 min of it, and the contract holds such work until a dispatcher has looked at it. Without that time there, nobody would have been asked.")
	})
	t.Run("an agent may be on many", func(t *testing.T) {
		agent := aiWork(1, noon, hour)
		agent.Elsewhere = busy.Elsewhere
		require.Empty(t, decide(t, under(t, guarded("time: {elsewhere: hold}"), agent)).Holds)
	})
	t.Run("work that bills nothing asks nobody", func(t *testing.T) {
		free := busy
		free.NoBill = true
		require.Empty(t, decide(t, under(t, guarded("time: {elsewhere: hold}"), free)).Holds)
	})
}

func TestTimeThatCannotBe(t *testing.T) {
	unstarted := func(id, ms int64) billing.Work {
		w := work(id, noon, ms)
		w.Unstarted = true
		for i := range w.Segments {
			w.Segments[i].Date = w.Segments[0].Date
		}
		return w
	}
	t.Run("an entry longer than a day", func(t *testing.T) {
		require.Empty(t, decide(t, under(t, guarded(""), work(1, noon, 24*hour))).Holds)
		d := decide(t, under(t, guarded(""), work(1, noon, 24*hour+1)))
		require.Equal(t, billing.Implausible, d.Holds[0].Reason)
		require.Contains(t, d.Holds[0].Says, "(work entry 1, longer than a person works on end)")
	})
	t.Run("more hours of one person than a day has", func(t *testing.T) {
		require.Empty(t, decide(t, under(t, guarded(""), unstarted(1, 12*hour), unstarted(2, 12*hour))).Holds)
		d := decide(t, under(t, guarded(""), unstarted(1, 12*hour), unstarted(2, 12*hour), unstarted(3, minute)))
		require.Empty(t, d.Charges)
		require.Contains(t, d.Holds[0].Says, "(work entries 1, 2, 3: more than 24 h of one person on one day)")
	})
	t.Run("an agent's own", func(t *testing.T) {
		require.Empty(t, decide(t, under(t, guarded(""), aiWork(1, noon, 30*hour))).Holds, "it is measured")
	})
}

func TestPatternBrokenByFailedAttempts(t *testing.T) {
	failed := func(id int64) billing.Work {
		w := aiWork(id, noon.Add(time.Duration(id)*time.Minute), second)
		w.Failed = true
		return w
	}
	doc := guarded("expected: {clause: E1, attempts: 2}")
	require.Empty(t, decide(t, under(t, doc, failed(1), failed(2), work(3, noon, hour))).Holds)
	d := decide(t, under(t, doc, failed(1), failed(2), failed(4), work(3, noon, hour)))
	require.Equal(t, "exception pattern E1: time T1 1 h × 60 = 60", holds(d))
	require.Equal(t, "This is not what such a ticket comes to: AI agents failed 3 times on it, and TM-1 E1 expects 2 at most. Look at it before the client does: 60.00 EUR if it is billed.", d.Holds[0].Says)
	require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "The ticket breaks the pattern of its kind (E1): AI agents failed 3 times on it, and the contract expects 2 at most. Fewer failures, and nobody would have been asked.")
}

func TestPatternBrokenByTheClientsHistory(t *testing.T) {
	const doc = "expected: {clause: E1, history: {times: 3, tickets: 10}}"
	usual := billing.Past{Days: 180, Tickets: 24, MS: 30 * minute, Amounts: []billing.PastAmount{{Currency: "EUR", Amount: dec("30")}}, Span: 168, Week: 1}
	closing := func(t *testing.T, settings string, past billing.Past, entries ...billing.Work) billing.Decision {
		f := under(t, guarded(settings), entries...)
		f.Past = &past
		return decide(t, f)
	}
	require.Empty(t, closing(t, doc, usual, work(1, noon, 90*minute)).Holds, "exactly three times")

	t.Run("by time", func(t *testing.T) {
		d := closing(t, doc, usual, work(1, noon, 91*minute))
		require.Equal(t, billing.PatternBroken, d.Holds[0].Reason)
		require.Equal(t, "This is not what such tickets of the client come to: people worked 1 h 31 min, more than 3 times the 30 min that the client's last 24 tickets of Email (180 days) took in the middle (TM-1 E1). Look at it before the client does: 91.00 EUR if it is billed.", d.Holds[0].Says)
		require.Contains(t, billing.Explain(d.Holds[0].Charges[0]), "The ticket breaks the pattern of those before it (E1): people worked 1 h 31 min, more than 3 times the 30 min that the client's last 24 tickets of Email (180 days) took in the middle. Up to 1 h 30 min, and nobody would have been asked.")
	})
	t.Run("by amount", func(t *testing.T) {
		dear := work(1, noon, hour)
		dear.WorkRole = "architect"
		d := closing(t, doc, usual, dear)
		require.Contains(t, d.Holds[0].Says, "it comes to 200.00 EUR, more than 3 times the 30.00 EUR that the client's last 24 tickets of Email (180 days) billed in the middle")
		require.Empty(t, closing(t, "expected: {history: {times: 3, of: [time, frequency]}}", usual, dear).Holds)
	})
	t.Run("by frequency", func(t *testing.T) {
		often := usual
		often.Week = 3 // and this one; one a week came
		d := closing(t, doc, often, work(1, noon, minute))
		require.Contains(t, d.Holds[0].Says, "it is number 4 of Email in 7 days, more than 3 times the 1 that came in a week on average (24 tickets in 180 days)")
	})
	t.Run("too few make no pattern", func(t *testing.T) {
		few := usual
		few.Tickets = 9
		require.Empty(t, closing(t, doc, few, work(1, noon, 20*hour)).Holds)
	})
	t.Run("what was covered is no yardstick of amounts", func(t *testing.T) {
		covered := usual
		covered.Amounts, covered.MS = nil, 0
		require.Empty(t, closing(t, doc, covered, work(1, noon, 20*hour)).Holds)
	})
}
