package billing

import "strings"

// ruling tells by whose word a held charge posted as it did.
func (s Step) ruling(c Charge) string {
	by := s.get("by")
	switch Action(s.get("action")) {
	case Approve:
		return by + " approved it for the client" + s.because()
	case Bill:
		if hourly := s.get("hourly"); hourly != "" {
			return by + " ruled to bill it at " + hourly + s.because()
		}
		return by + " ruled to bill it" + s.because()
	case Cover:
		return by + " ruled that the contract covers it" + s.because()
	case WriteOff:
		return by + " wrote it off" + s.because()
	case ToProject:
		said := by + " ruled that it bills to project " + s.get("project")
		if hourly := s.get("hourly"); hourly != "" {
			said += " at " + moneyExactly(decimalOf(hourly), c.Currency) + " an hour"
		}
		return said + s.because()
	case Split:
		return s.split(c)
	case ReRate: // its own step tells it
	}
	return ""
}

// because gives the reason, and who had to agree.
func (s Step) because() string {
	said := ""
	if second := s.get("confirmed_by"); second != "" {
		said = ", and " + second + " agreed"
	}
	reason := s.get("reason")
	if reason == "" {
		return said + "."
	}
	return said + ": " + strings.TrimSuffix(reason, ".") + "."
}

// split tells the part that bills; the rest of the hold is told by the charges that it became.
func (s Step) split(c Charge) string {
	part := span(s.ms("bill_ms"))
	if s.get("bill_amount") != "" {
		part = money(s.amount("bill_amount"), c.Currency)
	}
	rest := "the contract covers the rest"
	if Action(s.get("rest")) == WriteOff {
		rest = "we bear the rest"
	}
	return s.get("by") + " ruled to bill " + part + " of what was held, and that " + rest + s.because()
}

// rerated tells by whose word work was rated under another contract.
func (s Step) rerated() string {
	return "It was held as " + s.get("hold") + ", and " + s.get("by") + " ruled that it falls under contract " + s.get("contract") + s.because()
}
