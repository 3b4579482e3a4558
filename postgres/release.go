package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// release gives the charges that set right what was charged after a hold that is let go of, or settled with less
// than it reserved. The counters of undoing are locked, and stand as before.
func (s *Store) release(ctx context.Context, t *tx, undoing *billing.Undoing, h waiting, settled []billing.Charge) ([]billing.Charge, error) {
	content, err := h.content()
	if err != nil {
		return nil, err
	}
	if h.ClosureID == nil || !content.Releases(settled) {
		return nil, nil
	}
	var rules int
	if err := t.conn.QueryRow(ctx, "select rules from closures where id = $1", *h.ClosureID).Scan(&rules); err != nil {
		return nil, fmt.Errorf("read by which rules %s was decided: %w", ticket.HoldID(h.ID), err)
	}
	var unread error // not the books' fault, and nobody's mistake: it may heal
	corrections, err := undoing.Release(ticket.HoldID(h.ID), rules, content, settled, func(contract string, revision int) (terms *billing.Terms, err error) {
		terms, unread = s.termsOf(ctx, t.conn, contract, revision)
		return terms, unread
	})
	switch {
	case unread != nil:
		return nil, unread
	case err != nil:
		return nil, ticket.Invalid("hold", ticket.HoldID(h.ID), "cannot be let go of: "+err.Error(), "`docket audit` tells what is wrong with the books")
	}
	return corrections, nil
}

// voided is what letting go of a hold posts, where its round is undone.
type voided struct {
	posting
	charges []billing.Charge
	ids     []int64
}

// voidHold queues what letting go of the hold posts, but for the lines.
func (s *Store) voidHold(ctx context.Context, t *tx, b *pgx.Batch, undoing *billing.Undoing, p posting, h waiting, m *moves) (v voided, err error) {
	v.posting = p
	if v.charges, err = s.release(ctx, t, undoing, h, nil); err != nil || len(v.charges) == 0 {
		return v, err
	}
	v.closure, v.round, v.hold = *h.ClosureID, h.Round, h.ID
	if v.ids, err = s.charges.take(ctx, t.conn, len(v.charges)); err != nil {
		return v, err
	}
	return v, v.posting.charges(b, v.charges, v.ids, m)
}

// lines places and queues the lines of what was posted.
func (v voided) lines(ctx context.Context, t *tx, b *pgx.Batch, invoices *[]invoiceRow) error {
	posted, err := v.place(ctx, t, v.charges, v.ids, invoices)
	if err != nil {
		return err
	}
	v.posting.lines(b, v.charges, posted)
	return nil
}
