package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// charge gives a charge whole, as it was decided: from its own row where it was settled or
// reversed later, else from the decision of its closure, or of its posting without a ticket.
func (r Reads) charge(ctx context.Context, id int64) (billing.Charge, chargeOrigin, error) {
	var (
		key      string
		body     *string
		decision string
		from     chargeOrigin
		charge   billing.Charge
	)
	err := r.q.QueryRow(ctx, `
		select c.key, c.body, coalesce(cl.decision, p.decision), coalesce(cl.digest, p.digest), coalesce(cl.closed_at, p.at),
			coalesce((select r.id from charges r where r.reverses = c.id), 0)
		from charges c left join closures cl on cl.id = c.closure_id left join postings p on p.id = c.posting_id where c.id = $1`, id).
		Scan(&key, &body, &decision, &from.digest, &from.at, &from.reversedBy)
	if err != nil {
		return charge, from, fmt.Errorf("read charge %s: %w", ticket.LineID(id), err)
	}
	if body != nil {
		if err := json.Unmarshal([]byte(*body), &charge); err != nil {
			return charge, from, fmt.Errorf("read charge %s: %w", ticket.LineID(id), err)
		}
		return charge, from, nil
	}
	decided, err := chargesOf(decision)
	if err != nil {
		return charge, from, fmt.Errorf("charge %s: %w", ticket.LineID(id), err)
	}
	for _, c := range decided {
		if c.Key == key {
			return c, from, nil
		}
	}
	return charge, from, fmt.Errorf("charge %s: the decision has none of key %s; `docket audit` tells more", ticket.LineID(id), key)
}
