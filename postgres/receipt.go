package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// resolved is what the record keeps of a resolution that was answered with a receipt.
type resolved struct {
	ByKey   bool // found by its operation key, in whichever round it came; else it is the round's closure
	Input   *string
	Receipt *string
}

// queueAnswered looks for what has answered a resolution already: before, where its key is on
// record, and known, where the round is closed.
func queueAnswered(b *pgx.Batch, id ticket.ID, round int, key string, before **resolved, known **billing.Receipt) {
	b.Queue(`
select true, e.input_digest, c.receipt from ticket_events e left join closures c on c.ticket = e.ticket and c.round = e.round
where e.operation_key = $3
union all select false, null, receipt from closures where ticket = $1 and round = $2`, id.Number(), round, key).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[resolved])
		if err != nil {
			return err
		}
		for i, r := range found {
			if r.ByKey {
				*before = &found[i]
				continue
			}
			*known = &billing.Receipt{}
			if err := json.Unmarshal([]byte(*r.Receipt), *known); err != nil {
				return fmt.Errorf("read the receipt of %s round %d: %w", id, round, err)
			}
		}
		return nil
	})
}

// receipt answers the repeated resolution as the first time.
func (r resolved) receipt(key, input string) (receipt billing.Receipt, err error) {
	if r.Input == nil || *r.Input != input || r.Receipt == nil {
		return receipt, ticket.Invalid("operation_key", key, "was used for another message", "choose a new key for a new message; repeat a message unchanged")
	}
	if err := json.Unmarshal([]byte(*r.Receipt), &receipt); err != nil {
		return receipt, fmt.Errorf("read the receipt of resolution %q: %w", key, err)
	}
	return receipt, nil
}

// closedBefore records a resolution that found its round closed by another, so that it does not
// close a later round when it comes again.
func (s *Store) closedBefore(ctx context.Context, t *tx, at lockedTicket, m ticket.Resolve, input string, by billing.Receipt) error {
	b := t.batch()
	if err := s.record(ctx, b, event{
		Ticket: at.id(), Client: at.ClientID, Round: by.Round, At: m.At.UTC(), Kind: string(ticket.MsgResolve), Actor: m.Who,
		Via: cmp.Or(m.Via, ticket.ViaTemporal), Key: m.OperationKey, Input: input,
		Says: fmt.Sprintf("Round %d of %s was closed already.", by.Round, at.id()),
	}); err != nil {
		return err
	}
	return t.commit(ctx, b)
}
