package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docket-psa/docket/ticket"
)

// Absence says who does not act for a while, or any more, and who does for him.
type Absence struct {
	Person   string    `json:"person"`
	Until    time.Time `json:"until,omitzero"`     // zero: he is here
	Left     bool      `json:"left,omitempty"`     // he does not come back
	Delegate string    `json:"delegate,omitempty"` // person id, of the same client or of ours; empty: as it was
	By       string    `json:"by"`
}

// SetAbsence notes it; the last word counts. It takes the person himself, or one of ours with the role dispatcher or owner.
// His delegate signs off in his place; routing gives him no tickets.
func (s *Store) SetAbsence(ctx context.Context, a Absence) error {
	if !a.Until.IsZero() && !a.Until.After(s.now()) {
		return ticket.Invalid("until", a.Until.Format(time.RFC3339), "is over", "give a time to come, or say that he is back")
	}
	return s.tx(ctx, "note who is away", func(t *tx) error {
		people := map[string]actor{}
		b := t.batch()
		queueActors(b, []string{a.Person, a.By, a.Delegate}, people)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		by, err := pick(people, "by", a.By)
		if err != nil {
			return err
		}
		person, ok := people[a.Person]
		if !ok {
			return ticket.Invalid("person", a.Person, "is not known", "`docket person list` shows everybody")
		}
		ours := by.Client == "" && (slices.Contains(by.Roles, "dispatcher") || slices.Contains(by.Roles, "owner"))
		if !ours && (a.By != a.Person || a.Left) {
			return ticket.Invalid("by", a.By, "may not say so of "+a.Person, "it takes "+a.Person+" himself, or the role dispatcher or owner")
		}
		if a.Delegate != "" {
			delegate, err := pick(people, "delegate", a.Delegate)
			switch {
			case err != nil:
				return err
			case a.Delegate == a.Person:
				return ticket.Invalid("delegate", a.Delegate, "is the person himself", "name somebody else")
			case delegate.Client != person.Client:
				return ticket.Invalid("delegate", a.Delegate, "is of another side", "name somebody of the same client, or of ours for one of ours")
			}
		}
		b = t.batch()
		b.Queue(`
update people set absent_until = $2, active = not $3, delegate_id = coalesce(nullif($4, ''), delegate_id) where id = $1`,
			a.Person, atOrNull(a.Until), a.Left, a.Delegate)
		return t.commit(ctx, b)
	})
}

// Says tells it in a sentence.
func (a Absence) Says() string {
	says := a.Person + " is here"
	switch {
	case a.Left:
		says = a.Person + " has left"
	case !a.Until.IsZero():
		says = fmt.Sprintf("%s is away until %s", a.Person, a.Until.UTC().Format(time.RFC3339))
	}
	if a.Delegate != "" {
		says += "; " + a.Delegate + " acts for him"
	}
	return says
}

func atOrNull(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
