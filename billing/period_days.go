package billing

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// epochDay is a local date, as days since 1 January 1970.
type epochDay int

const secondsPerDay = 24 * 60 * 60

// dayOf reads YYYY-MM-DD.
func dayOf(date string) (epochDay, bool) {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0, false
	}
	return epochDay(at.Unix() / secondsPerDay), true
}

func (d epochDay) at() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String writes YYYY-MM-DD.
func (d epochDay) String() string { return d.at().Format(time.DateOnly) }

// addMonths gives the date n months later, on the last day of a month that is too short.
func (d epochDay) addMonths(n int) epochDay {
	y, m, dom := d.at().Date()
	first := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	return epochDay(first.Unix()/secondsPerDay) + epochDay(min(dom, first.AddDate(0, 1, -1).Day())) - 1
}

// tellDates tells a half-open range of days to people: "March 2026", "1 January to 31 March 2026", "5 March 2026".
func tellDates(from, to epochDay) string {
	a, b := from.at(), (to - 1).at()
	switch {
	case a.Day() == 1 && to == from.addMonths(1):
		return a.Format("January 2006")
	case from == to-1:
		return a.Format("2 January 2006")
	case a.Year() == b.Year():
		return a.Format("2 January") + " to " + b.Format("2 January 2006")
	}
	return a.Format("2 January 2006") + " to " + b.Format("2 January 2006")
}

// termSpan is a run of days in which nothing changes but the lines' own dates: one version, one number of renewals.
type termSpan struct {
	version  int // index in PeriodFacts.Versions
	from, to epochDay
	renewals int
	idle     NoteReason // why fees do not bill; empty: they do
}

// spans cuts the days [from, to) of a version at its renewals, at the end of its term and at pauses without fees.
func (t *Terms) spans(version int, from, to epochDay) []termSpan {
	var spans []termSpan
	for from < to {
		s := termSpan{version: version, from: from}
		s.renewals, s.to, s.idle = t.term(from)
		s.to = min(s.to, to)
		for _, pause := range t.contract.Pauses {
			begins, ok := dayOf(pause.From)
			ends, ends2 := dayOf(pause.To)
			if !ok || !ends2 || pause.Fee == pauseFeeBill {
				continue
			}
			switch {
			case begins <= from && from < ends:
				s.to = min(s.to, ends)
				if s.idle == "" {
					s.idle = FeesWaived
				}
			case from < begins:
				s.to = min(s.to, begins)
			}
		}
		spans = append(spans, s)
		from = s.to
	}
	return spans
}

// never is after every date that a contract can name.
const never = epochDay(1 << 40)

// term says how often the contract has renewed by the day, and until when that stays so. A contract that does not
// renew by itself is idle once its term is over: somebody must apply a new revision.
func (t *Terms) term(on epochDay) (renewals int, until epochDay, idle NoteReason) {
	began, months, again := t.firstTerm()
	if months == 0 {
		return 0, never, ""
	}
	end := began.addMonths(months)
	if on < end {
		return 0, end, ""
	}
	if renews := t.contract.Term.Renews; renews == renewsAsk || renews == renewsNo {
		return 0, never, TermEnded
	}
	for on >= end {
		renewals++
		end = began.addMonths(months + renewals*again)
	}
	return renewals, end, ""
}

// firstTerm says when the first term began, how many months it has, and how many each further one. 0 months: it runs
// without a term.
func (t *Terms) firstTerm() (began epochDay, months, again int) {
	term := t.contract.Term
	if term == nil || term.Months == 0 {
		return 0, 0, 0
	}
	since := term.Since
	if since == "" {
		since = t.contract.EffectiveFrom
	}
	began, ok := dayOf(since)
	if !ok {
		return 0, 0, 0
	}
	again = term.RenewalMonths
	if again == 0 {
		again = term.Months
	}
	return began, term.Months, again
}

// TermBegan gives the first local date of the term that contains the date: of a contract without terms, the date from
// which its terms are in force.
func (t *Terms) TermBegan(date string) string {
	on, ok := dayOf(date)
	began, months, again := t.firstTerm()
	if !ok || months == 0 {
		return t.contract.EffectiveFrom
	}
	if renewals, _, _ := t.term(on); renewals > 0 {
		began = began.addMonths(months + (renewals-1)*again)
	}
	return began.String()
}

// uplift gives by what recurring prices are multiplied after a number of renewals.
func (t *Terms) uplift(renewals int) decimal.Decimal {
	if renewals == 0 || t.contract.Term == nil || t.contract.Term.UpliftPercent == nil {
		return decimal.NewFromInt(1)
	}
	return decimal.NewFromInt(1).Add(t.contract.Term.UpliftPercent.Shift(-2)).Pow(decimal.NewFromInt(int64(renewals)))
}

func intArg(name string, n int) Arg { return Arg{name, strconv.Itoa(n)} }
