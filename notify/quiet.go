package notify

import (
	"time"

	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// QuietUntil is the first instant from now on that is not quiet: now itself where it is not. Across a change of the clocks
// the hours are those that the wall clock shows.
func QuietUntil(q ticket.Quiet, now time.Time) (time.Time, error) {
	const day = 24 * 60
	var quiet []sla.Window
	if q.Begins < q.Ends {
		quiet = []sla.Window{{From: q.Begins, To: q.Ends}}
	} else {
		quiet = append(quiet, sla.Window{From: q.Begins, To: day})
		if q.Ends > 0 {
			quiet = append([]sla.Window{{From: 0, To: q.Ends}}, quiet...)
		}
	}
	week := sla.EveryDay(quiet...)
	if q.Weekend {
		week.Saturday, week.Sunday = []sla.Window{sla.WholeDay}, []sla.Window{sla.WholeDay}
	}
	// What is not quiet is business time, and its first nanosecond ends at most one nanosecond after it begins.
	loud := sla.Calendar{Zone: q.Zone, Hours: week.Outside()}
	first, err := loud.Add(now, time.Nanosecond)
	return first.Add(-time.Nanosecond), err
}
