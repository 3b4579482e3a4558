package billing

import (
	"slices"
	"strings"
)

// reach reports lines that can never apply, because an earlier one speaks of all their
// work: of two equally specific lines the first counts. It is asked of documents that
// people hand in and not of those in store, which have always been read that way.
func reach(ps *problems, c *Contract) {
	if len(c.Lines) > maxLines {
		return
	}
	var before []reaches
	for i := range c.Lines {
		l := &c.Lines[i]
		if !governs(l.Charge) {
			continue
		}
		is := reachOf(i, l)
		first := slices.IndexFunc(before, func(r reaches) bool { return r.covers(&is) })
		// What could not be read of its match may be what tells it apart.
		if field := nth("lines", i); first >= 0 && !ps.reported(field+".match") {
			ps.add(field, "", "can never apply: "+nth("lines", before[first].line)+" speaks of the same work first", "remove it, or let its match say more")
		}
		before = append(before, is)
	}
}

// governs says whether lines of the charge decide about work, rather than about events and periods.
func governs(charge string) bool {
	return slices.Contains(charges, charge) && charge != chargeUsage && !slices.Contains(feeCharges, charge)
}

// reaches is what a line's match fits.
type reaches struct {
	line       int
	lists      [9]map[string]bool // without regard to case; nil fits anything
	priorities []int
	except     bool
}

func reachOf(i int, l *Line) reaches {
	r := reaches{line: i, priorities: l.Match.Priorities, except: l.Except != nil}
	for n, list := range l.Match.lists() {
		if len(list.values) == 0 {
			continue
		}
		r.lists[n] = make(map[string]bool, len(list.values))
		for _, name := range list.values {
			r.lists[n][strings.ToLower(name)] = true
		}
	}
	return r
}

// covers says whether r, which comes first, fits everything that s fits, by the same lists.
func (r *reaches) covers(s *reaches) bool {
	if r.except || (len(r.priorities) == 0) != (len(s.priorities) == 0) {
		return false
	}
	for _, p := range s.priorities {
		if !slices.Contains(r.priorities, p) {
			return false
		}
	}
	for n := range r.lists {
		if (r.lists[n] == nil) != (s.lists[n] == nil) {
			return false
		}
		for name := range s.lists[n] {
			if !r.lists[n][name] {
				return false
			}
		}
	}
	return true
}
