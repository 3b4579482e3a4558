package desk

import (
	"context"
	"log/slog"

	"github.com/docket-psa/docket/ticket"
)

// Split moves work and items that nobody has billed to a new ticket of the same client and starts that one's run; the
// answer names it. It is a row, as a move is: the old ticket's run finds what is left where it reads it next.
func (d *Desk) Split(ctx context.Context, id ticket.ID, m ticket.SplitOff) (ticket.Answer, error) {
	m.Header = d.head(m.Header)
	if err := d.check(m); err != nil {
		return ticket.Answer{}, err
	}
	at, err := d.store.Where(ctx, id)
	if err != nil {
		return ticket.Answer{}, err
	}
	answer, err := d.store.Split(ctx, at.Ticket, m)
	if err == nil && answer.Split != "" {
		d.beginSoon(ctx, answer.Split, 1, at.Client, m.Subject)
	}
	return answer, err
}

// Unmerge takes a merge back and starts the next round of the ticket, which goes on by itself.
func (d *Desk) Unmerge(ctx context.Context, id ticket.ID, m ticket.Unmerge) (ticket.Answer, error) {
	m.Header = d.head(m.Header)
	if err := d.check(m); err != nil {
		return ticket.Answer{}, err
	}
	answer, err := d.store.Unmerge(ctx, id, m)
	if err != nil || !answer.Effect {
		return answer, err
	}
	at, err := d.store.Where(ctx, id)
	if err != nil {
		return answer, err
	}
	d.beginSoon(ctx, at.Ticket, at.Round, at.Client, at.Subject)
	return answer, nil
}

// beginSoon starts a run that the outbox has: at once, or, where Temporal does not answer, by the relay.
func (d *Desk) beginSoon(ctx context.Context, id ticket.ID, round int, client, subject string) {
	within, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := d.begin(within, id, round, client, subject); err != nil {
		d.log.LogAttrs(ctx, slog.LevelWarn, "the ticket is stored, its workflow starts later", slog.String("ticket", string(id)), slog.Any("error", err))
		d.Hint()
	}
}
