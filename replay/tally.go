package replay

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Result is what became of a log. What it counts of tickets is on record: a run that goes on
// where another stopped counts what that one did, too.
type Result struct {
	Incidents   int         `json:"incidents"`  // told to their end
	Duplicates  int         `json:"duplicates"` // of these, opened by an earlier run
	Rows        int         `json:"rows"`
	Unreadable  Faults      `json:"unreadable"` // lines left out
	Transitions Transitions `json:"transitions"`
	Work        Worked      `json:"work"`

	Closures   int                `json:"closures"`
	Reopenings int                `json:"reopenings"`
	Lines      int                `json:"lines"`
	Totals     map[string][]Total `json:"totals"` // by client

	// Of the whole desk: holds for a sign-off, holds for a dispatcher, and closed tickets whose
	// work is not wholly accounted for.
	Waiting    int              `json:"waiting"`
	Exceptions int              `json:"exceptions"`
	Leaked     int              `json:"leaked"`
	Standing   billing.Standing `json:"standing"`

	ElapsedMS int64 `json:"elapsed_ms"`
}

// Transitions counts the log's changes by what they stand for.
type Transitions struct {
	Accepted map[Kind]int            `json:"accepted"`
	Refused  map[Kind]map[string]int `json:"refused"` // by reason
}

// Worked is the work that the log's time stands for.
type Worked struct {
	Entries int    `json:"entries"`
	MS      int64  `json:"ms"`
	Rule    string `json:"rule"`
}

// Total is what the lines of one client come to in one currency.
type Total struct {
	Amount   string `json:"amount"` // decimal
	Currency string `json:"currency"`
	Lines    int    `json:"lines"`
}

// tally adds up stories as they end.
type tally struct {
	mu     sync.Mutex
	sum    Result
	totals map[owed]sum
}

type owed struct{ client, currency string }

type sum struct {
	amount decimal.Decimal
	lines  int
}

func newTally() *tally {
	return &tally{
		sum: Result{
			Transitions: Transitions{Accepted: map[Kind]int{}, Refused: map[Kind]map[string]int{}},
			Work:        Worked{Rule: WorkRule},
		},
		totals: map[owed]sum{},
	}
}

func (t *tally) add(s Story, d told) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.Incidents++
	if d.refused != nil {
		t.refuse(Open, d.refused.Error())
		for _, step := range s.Steps {
			t.refuse(step.Kind, "its ticket was not opened")
		}
		for _, kind := range s.Silent {
			t.refuse(kind, "its ticket was not opened")
		}
		return
	}
	if d.before {
		t.sum.Duplicates++
	}
	t.sum.Transitions.Accepted[Open]++
	for _, kind := range s.Silent {
		t.sum.Transitions.Accepted[kind]++
	}
	for i, step := range s.Steps {
		if d.steps[i].effect {
			t.sum.Transitions.Accepted[step.Kind]++
			continue
		}
		t.refuse(step.Kind, reason(d.steps[i].says, d.ticket, step.Header.Who))
	}
	for _, m := range d.record {
		t.moment(s.Opening.Client, m)
	}
}

func (t *tally) refuse(kind Kind, why string) {
	reasons := t.sum.Transitions.Refused[kind]
	if reasons == nil {
		reasons = map[string]int{}
		t.sum.Transitions.Refused[kind] = reasons
	}
	reasons[why]++
}

func (t *tally) moment(client string, m ticket.Moment) {
	switch m.Kind {
	case "closed":
		t.sum.Closures++
	case "reopen":
		if m.Effect {
			t.sum.Reopenings++
		}
	case "work":
		t.sum.Work.Entries++
		t.sum.Work.MS += m.MS
	case "line":
		t.sum.Lines++
		key := owed{client, m.Currency}
		// The database gives it as a decimal; anything else would show as a total that does not add up.
		amount, _ := decimal.NewFromString(m.Amount)
		t.totals[key] = sum{t.totals[key].amount.Add(amount), t.totals[key].lines + 1}
	}
}

// result gives the sums so far.
func (t *tally) result() Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.sum
	r.Totals = map[string][]Total{}
	for key, s := range t.totals {
		places, ok := billing.MinorUnits(key.currency)
		if !ok {
			places = -s.amount.Exponent()
		}
		r.Totals[key.client] = append(r.Totals[key.client], Total{Amount: s.amount.StringFixed(places), Currency: key.currency, Lines: s.lines})
	}
	for _, totals := range r.Totals {
		slices.SortFunc(totals, func(a, b Total) int { return cmp.Compare(a.Currency, b.Currency) })
	}
	return r
}

// reason leaves out of a sentence what differs from ticket to ticket, so that reasons add up.
func reason(says string, id ticket.ID, who string) string {
	return strings.NewReplacer(string(id), "the ticket", "by "+who+" ", "").Replace(says)
}
