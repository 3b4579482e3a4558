package billing

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// doubt says why an entry cannot be believed as it stands; it waits for a dispatcher then.
type doubt uint8

const (
	overlaps    doubt = 1 << iota // another entry of the same person on the ticket
	endless                       // it is longer than anybody works
	overfull                      // its person's day has more hours than a day
	onAnother                     // its person was on another ticket too, and the contract holds that
	besideDoubt                   // it is measured together with one in doubt
)

// aDay is the most that a person works on end, and on one date.
const aDay = int64(24 * time.Hour / time.Millisecond)

// doubtTime looks for time that cannot be. It asks about people alone: an AI agent may work on several things at
// once, and its time is measured.
func (d *decider) doubtTime() {
	last := make(map[string]int, 2) // by person, the entry that ends last so far
	unstarted := false
	for i := range d.facts.Work {
		w, e := &d.facts.Work[i], &d.entries[i]
		if e.free {
			continue
		}
		if w.MS > longest || (d.facts.Rules >= rulesOverlaps && w.Kind == kindHuman && w.MS > aDay) {
			e.doubt |= endless
		}
		if w.Kind != kindHuman || w.MS == 0 {
			continue
		}
		if w.Unstarted {
			unstarted = true
			continue
		}
		if w.Elsewhere != nil && d.holdsElsewhere(w) {
			e.doubt |= onAnother
		}
		j, ok := last[w.Actor]
		if ok && w.StartedAt.Before(d.facts.Work[j].end()) {
			e.doubt |= overlaps
			d.entries[j].doubt |= overlaps
		}
		if !ok || w.end().After(d.facts.Work[j].end()) {
			last[w.Actor] = i
		}
	}
	if unstarted && d.facts.Rules >= rulesOverlaps {
		d.doubtDays()
	}
}

// personDay is one person's date.
type personDay struct{ actor, date string }

// doubtDays doubts what fills a person's date beyond its hours: entries whose start nobody noted overlap nothing, and
// may still be too many.
func (d *decider) doubtDays() {
	days := map[personDay]int64{}
	for i := range d.facts.Work {
		if w := &d.facts.Work[i]; !d.entries[i].free && w.Kind == kindHuman {
			for _, s := range w.Segments {
				days[personDay{w.Actor, s.Date}] += s.To - s.From
			}
		}
	}
	for i := range d.facts.Work {
		w, e := &d.facts.Work[i], &d.entries[i]
		full := func(s Segment) bool { return days[personDay{w.Actor, s.Date}] > aDay }
		if !e.free && w.Kind == kindHuman && slices.ContainsFunc(w.Segments, full) {
			e.doubt |= overfull
		}
	}
}

// holdsElsewhere says whether the terms that govern the entry hold work of somebody who was on another ticket too.
func (d *decider) holdsElsewhere(w *Work) bool {
	p := d.choose(w.StartedAt, w.WorkType, w.Kind)
	return p.version >= 0 && p.tie < 0 && p.line.time.elsewhere == elsewhereHold
}

// doubts names the entries in doubt, and why.
func (d *decider) doubts() string {
	var ids []string
	var all doubt
	var meanwhile string
	for i := range d.entries {
		e, w := &d.entries[i], &d.facts.Work[i]
		if e.doubt == 0 {
			continue
		}
		ids = append(ids, strconv.FormatInt(w.ID, 10))
		all |= e.doubt
		if meanwhile == "" && e.doubt&onAnother != 0 {
			meanwhile = w.Actor + " was on " + w.Elsewhere.Ticket + " too, for " + span(w.Elsewhere.MS) + " of its time"
		}
	}
	says := "work entries " + strings.Join(ids, ", ")
	if len(ids) == 1 && d.facts.Rules >= rulesOverlaps {
		says = "work entry " + ids[0]
	}
	switch {
	case all&endless != 0 && d.facts.Rules < rulesOverlaps:
		return says + ", one of them longer than 31 days"
	case all&endless != 0:
		return says + ", longer than a person works on end"
	case all&overlaps != 0:
		return says + ": entries of one person overlap"
	case all&overfull != 0:
		return says + ": more than 24 h of one person on one day"
	}
	return says + ": " + meanwhile
}
