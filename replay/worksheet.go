package replay

import (
	"time"

	"github.com/docket-psa/docket/ticket"
)

const (
	// Longest is the most that one stay in Active counts as work. Every tenth stay in the log lasts
	// almost nine days or more: Active says who has an incident, not that he works day and night.
	Longest = 2 * time.Hour
	// Handling is what a round counts that never shows Active for a minute or more.
	Handling = 15 * time.Minute
	// Shortest is what remains of Handling where the incident was opened when it was resolved.
	Shortest = time.Minute
)

// WorkRule is the rule in words, for whoever reads the result.
const WorkRule = "Work of a round is its time in Active, each stay with one technician at most 2 h. " +
	"A round without a minute in Active counts the last 15 min before its resolution, less where it was shorter, at least 1 min in the first round. " +
	"New and Awaiting count nothing."

// worksheet collects the work of one round. Its entries never overlap.
type worksheet struct {
	from    time.Time // of the round
	first   bool      // the incident's first round
	who     string    // whose stay in Active is going on; empty: nobody's
	since   time.Time
	entries []ticket.WorkEntry
}

// follow begins, goes on with or ends a stay.
func (w *worksheet) follow(working bool, who string, at time.Time) {
	if working && who == w.who {
		return
	}
	w.stop(at)
	if working {
		w.who, w.since = who, at
	}
}

func (w *worksheet) stop(at time.Time) {
	if w.who != "" && at.After(w.since) {
		w.log(w.who, w.since, min(at.Sub(w.since), Longest), "in Active in the log")
	}
	w.who = ""
}

func (w *worksheet) log(who string, from time.Time, spent time.Duration, note string) {
	w.entries = append(w.entries, ticket.WorkEntry{
		Actor: who, WorkType: "remote", StartedAt: from, MS: spent.Milliseconds(), Note: note,
	})
}

// end gives the round's work, resolved by who.
func (w *worksheet) end(who string, at time.Time) []ticket.WorkEntry {
	w.stop(at)
	if len(w.entries) == 0 {
		spent := min(at.Sub(w.from), Handling)
		if spent <= 0 && w.first {
			spent = Shortest // written down after the call
		}
		if spent > 0 {
			w.log(who, at.Add(-spent), spent, "handled without a minute in Active in the log")
		}
	}
	entries := w.entries
	*w = worksheet{from: at}
	return entries
}
