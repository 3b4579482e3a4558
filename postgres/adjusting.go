package postgres

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// An adjustment (charges.adjusts) moves money that is on a line already. It belongs to the closure or
// the posting of the charge that it adjusts, keeps its own body, and counts for nothing but the
// invoice: sums of what was rated leave adjustments out.

// lineCharge is an invoice line with the charge that it is, and where that comes from.
type lineCharge struct {
	ID       int64
	Closure  int64 // 0: it comes of a posting
	Posting  int64
	Round    int
	Key      string
	Body     *string
	Decision string
	Payer    string
	Ticket   int64 // 0: none
	Client   string
}

const (
	lineChargeColumns = `
c.id, coalesce(c.closure_id, 0), coalesce(c.posting_id, 0), c.round, c.key, c.body, coalesce(cl.decision, p.decision, ''), l.payer_id,
coalesce(l.ticket, 0), l.client_id`
	lineChargeTables = `
invoice_lines l join charges c on c.id = l.charge_id
left join closures cl on cl.id = c.closure_id and c.body is null left join postings p on p.id = c.posting_id and c.body is null`
)

func (c *lineCharge) fields() []any {
	return []any{&c.ID, &c.Closure, &c.Posting, &c.Round, &c.Key, &c.Body, &c.Decision, &c.Payer, &c.Ticket, &c.Client}
}

// charge is the charge as it was decided, settled, reversed or adjusted.
func (c *lineCharge) charge() (whole billing.Charge, err error) {
	if c.Body != nil {
		if err := json.Unmarshal([]byte(*c.Body), &whole); err != nil {
			return whole, fmt.Errorf("read charge %s: %w", ticket.LineID(c.ID), err)
		}
		return whole, nil
	}
	decided, err := chargesOf(c.Decision)
	if err != nil {
		return whole, fmt.Errorf("charge %s: %w", ticket.LineID(c.ID), err)
	}
	i := slices.IndexFunc(decided, func(d billing.Charge) bool { return d.Key == c.Key })
	if i < 0 {
		return whole, fmt.Errorf("charge %s: nothing decided %q", ticket.LineID(c.ID), c.Key)
	}
	return decided[i], nil
}

// posting posts adjustments of the line where its charge comes from.
func (c *lineCharge) posting(at time.Time) posting {
	return posting{
		ticket:  lockedTicket{Number: c.Ticket, ClientID: c.Client, PayerID: c.Payer},
		closure: c.Closure, posting: c.Posting, round: c.Round, at: at, bodies: true,
	}
}

func collectLineCharges(rows pgx.Rows) ([]lineCharge, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c lineCharge, err error) {
		err = row.Scan(c.fields()...)
		return c, err
	})
}
