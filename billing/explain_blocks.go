package billing

import (
	"slices"
	"strconv"
	"strings"
)

// bucket tells what a draw leaves of a period's allowance.
func (s Step) bucket() string {
	what := "the allowance of " + s.get("period")
	if from := s.get("rolled_from"); from != "" {
		what = "what rolled over into " + s.get("period") + " (from block " + from + ")"
	}
	said := span(s.ms("drawn_ms")) + " were drawn from " + what
	if granted := s.ms("granted_ms"); granted > 0 {
		said += ": " + span(s.ms("used_ms")) + " of its " + span(granted) + " are used"
	}
	left := s.ms("left_ms")
	if left == 0 {
		return said + ", and it is empty now: any more would have been beyond it."
	}
	return said + "; " + span(left) + " more, and it would have been empty."
}

// late tells where the hours of a block that had ended came back from.
func (s Step) late() string {
	var parts []string
	if ms := s.ms("restored_ms"); ms > 0 {
		parts = append(parts, span(ms)+" had been forfeited, and came back")
	}
	if ms := s.ms("unrolled_ms"); ms > 0 {
		parts = append(parts, span(ms)+" had rolled over, and came back from block "+s.get("into"))
	}
	return "Block " + s.get("block") + " had ended when this was logged: " + strings.Join(parts, "; ") + "."
}

func (s Step) overdraw() string {
	said := span(s.ms("lent_ms")) + " were used ahead of the next block, which pays them back (clause " + s.get("clause") + "): " +
		span(s.ms("all_ms")) + " of at most " + span(s.ms("most_ms")) + " are lent now"
	if left := s.ms("most_ms") - s.ms("all_ms"); left > 0 {
		return said + "; " + span(left) + " more, and time would have been billed."
	}
	return said + ": any more would have been billed."
}

func (s Step) renewal(c Charge) string {
	said := "Block " + s.get("used_up") + " was used up, and clause " + s.get("clause") + " buys the next one by itself: " +
		span(s.ms("ms")) + " for " + money(s.amount("price"), c.Currency)
	switch days := s.get("days"); days {
	case "0":
		return said + ", without expiry."
	default:
		return said + ", for " + days + " days."
	}
}

// saysUnpaid tells why block hours wait that nobody has paid for yet.
func saysUnpaid(slots []*slot, h *Hold, time string) string {
	var blocks []string
	for _, s := range slots {
		for _, draw := range s.charge.Draws {
			name := blockName(draw.Block)
			if draw.Block < 0 {
				name = "that was just bought"
			}
			if !slices.Contains(blocks, name) {
				blocks = append(blocks, name)
			}
		}
	}
	what, are := "Block ", " is"
	if len(blocks) > 1 {
		what, are = "Blocks ", " are"
	}
	return what + joinAnd(blocks) + " of " + clauseName(h.Contract, h.Clause) + are + " not paid: " + time +
		" that it would pay for wait. Bill them once it is, or rule otherwise."
}

// ended tells why a block with hours did not pay.
func (s Step) ended() string {
	said := "Block " + s.get("block") + " has " + span(s.ms("left_ms")) + ", but "
	switch s.get("why") {
	case "later":
		return said + "was bought at " + s.get("on") + ", after the work."
	case "late":
		after := "that"
		if days := s.ms("grace_ms") / day.Milliseconds(); days > 0 {
			after = strconv.FormatInt(days, 10) + " days of grace"
		}
		return said + "expired at " + s.get("on") + ", and the work was logged after " + after + "."
	}
	return said + "had expired at " + s.get("on") + ", before the work."
}
