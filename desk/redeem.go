package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Links is what redeeming the link of an approval mail needs of the store.
type Links interface {
	HoldByID(ctx context.Context, hold int64) (billing.HoldView, error)
	// NoteLink keeps what became of a link that somebody opened.
	NoteLink(ctx context.Context, l ticket.Link, outcome, says string) error
}

// Decision is what the holder of a link says.
type Decision struct {
	Approved bool
	Reason   string
}

// OpenLink shows the hold that a link is about, whatever became of it. Each opening is on record. Returns a Problem for a
// link that nobody of Docket sealed.
func (d *Desk) OpenLink(ctx context.Context, key []byte, token string) (ticket.Link, billing.HoldView, error) {
	l, err := d.unseal(ctx, key, token)
	if err != nil {
		return l, billing.HoldView{}, err
	}
	view, err := d.store.HoldByID(ctx, l.Hold)
	if err != nil {
		return l, view, err
	}
	return l, view, d.store.NoteLink(ctx, l, "shown", view.State+": "+view.Says)
}

// Redeem acts as the person of the link, on its quote alone. Whether the word still counts (the quote stands, nobody has
// decided, the person is there and may) the store decides, as for every sign-off, and keeps it on the ticket's record. A link
// that has run out is answered with what is true now. The same word by the same link twice is one.
func (d *Desk) Redeem(ctx context.Context, key []byte, token string, say Decision) (billing.Settlement, error) {
	l, err := d.unseal(ctx, key, token)
	if err != nil {
		return billing.Settlement{}, err
	}
	view, err := d.store.HoldByID(ctx, l.Hold)
	if err != nil {
		return billing.Settlement{}, err
	}
	if d.now().After(l.Until()) {
		s := billing.Settlement{
			Hold: l.Hold, Outcome: billing.Stale, At: d.now().UTC(), Held: []billing.HeldQuote{},
			Says: fmt.Sprintf("this link ran out at %s; %s", l.Until().Format(time.RFC3339), stands(view)),
		}
		return s, d.store.NoteLink(ctx, l, "expired", s.Says)
	}
	m := ticket.SignOff{
		Header: ticket.Header{OperationKey: onceKey(l, say), Who: l.Person, Via: ticket.ViaLink},
		Hold:   l.Hold, Digest: l.Digest, Approved: say.Approved, Reason: say.Reason,
	}
	s, err := d.SignOff(ctx, ticket.ID(view.Ticket), m)
	switch problems := ticket.Problems(err); {
	case err == nil:
		return s, d.store.NoteLink(ctx, l, string(s.Outcome), s.Says)
	case len(problems) > 0:
		return s, errors.Join(err, d.store.NoteLink(ctx, l, "refused", err.Error()))
	}
	return s, err // no answer came: the same link may be used again, and has one effect
}

func (d *Desk) unseal(ctx context.Context, key []byte, token string) (ticket.Link, error) {
	l, err := ticket.Unseal(key, token)
	if err != nil {
		return l, errors.Join(err, d.store.NoteLink(ctx, ticket.Link{}, "forged", "a link that was not sealed here, or was changed"))
	}
	return l, nil
}

// onceKey makes a word by a link single: a button that is pressed twice says one thing.
func onceKey(l ticket.Link, say Decision) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%s/%s/%t/%s", l.Hold, l.Step, l.Digest, l.Person, say.Approved, say.Reason))
	return "link/" + hex.EncodeToString(sum[:16])
}

// stands says where a hold stands, for who comes too late.
func stands(h billing.HoldView) string {
	name := ticket.HoldID(h.Hold)
	switch {
	case h.Decided != nil:
		return fmt.Sprintf("%s was decided by %s at %s", name, h.By, h.Decided.UTC().Format(time.RFC3339))
	case h.Kind != billing.SignOff:
		return name + " waits for a dispatcher's ruling now"
	default:
		return fmt.Sprintf("%s waits for an answer until %s: a newer mail has the link to it", name, h.ExpiresAt.UTC().Format(time.RFC3339))
	}
}
