package billing

import "cmp"

// time tells how what was measured became billable, and how much less or more would have changed that.
func (s Step) time(c Charge) string {
	entry, whole := s.ms("entry_ms"), s.ms("billable_ms")
	scope := s.get("scope")
	incScope := cmp.Or(s.get("increment_scope"), scope)
	minimum, increment := s.ms("minimum_ms"), s.ms("increment_ms")
	if scope != scopeEntry {
		minimum = 0
	}
	if incScope != scopeEntry {
		increment = 0
	}
	said := span(entry) + " were measured"
	byMinimum := entry < minimum && minimum > 0
	switch {
	case whole == 0:
		said += "; rounded " + cmp.Or(s.get("round"), roundDown) + " they are nothing"
	case whole == entry:
		said += ", and the same is billable"
	case byMinimum && whole == minimum:
		said += "; the minimum is " + span(minimum)
	default:
		said += "; " + span(whole) + " are billable"
	}
	if increment > 0 && whole > 0 && (whole != minimum || !byMinimum) {
		said += " in increments of " + span(increment) + s.rounding()
	}
	said += s.together(scope, incScope)
	if share := s.ms("share_ms"); span(share) != span(whole) {
		said += ". " + span(share) + " of them fall to this charge"
		if part := s.ms("part_ms"); span(part) != span(share) {
			said += ", for " + span(part) + " of the time"
		}
	}
	return said + s.nearest(entry, whole, minimum, increment, c) + "."
}

// together tells what is measured with the ticket's other entries.
func (s Step) together(scope, incScope string) string {
	minimum, increment := s.ms("minimum_ms"), s.ms("increment_ms")
	if scope != scopeTicket {
		minimum = 0
	}
	if incScope != scopeTicket {
		increment = 0
	}
	switch {
	case minimum > 0 && increment > 0:
		return ". The ticket's entries are taken together: at least " + span(minimum) + ", in increments of " + span(increment) + s.rounding()
	case minimum > 0:
		return ". The ticket's entries are taken together: at least " + span(minimum)
	case increment > 0:
		return ". The ticket's entries are taken together, in increments of " + span(increment) + s.rounding()
	}
	return ""
}

// nearest tells by how much the entry missed another result: one increment less, or time that would have cost no more.
func (s Step) nearest(entry, whole, minimum, increment int64, c Charge) string {
	counted := "billed"
	if c.Kind == BlockDraw || c.Kind == BucketDraw {
		counted = "drawn"
	}
	switch {
	case minimum > 0 && entry < minimum && whole == minimum:
		return ". " + span(minimum-entry) + " more would have been in the minimum too"
	case increment == 0 || whole < increment || entry < minimum:
		return ""
	}
	switch s.get("round") {
	case roundDown:
		return ". " + span(whole+increment-entry) + " more, and one increment more would have been " + counted
	case roundNearest:
		return ". " + span(whole+increment-increment/2-entry) + " more, and one increment more would have been " + counted
	}
	if over := entry - (whole - increment) - s.ms("grace_ms"); over > 0 && whole > entry && whole > increment {
		return ". " + span(over) + " less, and one increment less would have been " + counted
	}
	return ""
}

// rounding tells how time becomes a whole number of increments, where it does not simply go up.
func (s Step) rounding() string {
	switch s.get("round") {
	case roundNearest:
		return ", to the nearest"
	case roundDown:
		return ", rounded down"
	}
	if grace := s.ms("grace_ms"); grace > 0 {
		return ", with a grace of " + span(grace)
	}
	return ""
}
