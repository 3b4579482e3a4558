package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// CreditBalances lists what payers have in credit, those that have any.
func (r Reads) CreditBalances(ctx context.Context) ([]billing.PayerCredit, error) {
	return collect[billing.PayerCredit](ctx, r.q, "the payers' credit",
		"select payer_id, currency, balance from credit_balances where balance > 0 order by payer_id, currency")
}

// CreditsOf lists the credits of a payer by currency, with what each comes from and which invoices
// have used it.
func (r Reads) CreditsOf(ctx context.Context, payer string) ([]billing.PayerCredits, error) {
	balances, err := collect[billing.PayerCredit](ctx, r.q, "the payer's credit",
		"select payer_id, currency, balance from credit_balances where payer_id = $1 order by currency", payer)
	if err != nil {
		return nil, err
	}
	type part struct {
		Currency string
		ID       int64
		Kind     string
		Of       string
		Amount   decimal.Decimal
		At       time.Time
		Returned decimal.Decimal
	}
	parts, err := collect[part](ctx, r.q, "the payer's credit", `
		select c.currency, c.id, c.kind, coalesce(n.number, i.number), c.amount, c.at, coalesce(r.uncredited, 0)
		from credits c join invoices i on i.id = c.invoice_id left join credit_notes n on n.event_id = c.event_id
		left join payment_returns r on r.payment_id = c.event_id
		where c.payer_id = $1 order by c.id`, payer)
	if err != nil {
		return nil, err
	}
	type use struct {
		Credit int64
		billing.AppliedCredit
	}
	uses, err := collect[use](ctx, r.q, "what used the payer's credit", `
		select a.credit_id, i.number, a.amount, a.at from credit_applications a join invoices i on i.id = a.invoice_id
		where a.payer_id = $1 order by a.id`, payer)
	if err != nil {
		return nil, err
	}
	all := make([]billing.PayerCredits, 0, len(balances))
	for _, b := range balances {
		of := billing.PayerCredits{PayerCredit: b, Credits: []billing.CreditView{}}
		for _, p := range parts {
			if p.Currency != b.Currency {
				continue
			}
			c := billing.CreditView{ID: p.ID, Kind: p.Kind, Of: p.Of, Amount: p.Amount, Left: p.Amount.Sub(p.Returned), Returned: p.Returned, At: p.At}
			for _, u := range uses {
				if u.Credit == p.ID {
					c.Left, c.Applied = c.Left.Sub(u.Amount), append(c.Applied, u.AppliedCredit)
				}
			}
			of.Credits = append(of.Credits, c)
		}
		all = append(all, of)
	}
	return all, nil
}

// InvoiceEvents tells what was done to an invoice, in order. A client's session learns what, not
// who of the desk did it.
func (r Reads) InvoiceEvents(ctx context.Context, invoice int64) ([]billing.InvoiceEvent, error) {
	who, said, finalised := "e.actor", "e.says", "coalesce(i.finalised_by, '')"
	if r.client != "" {
		who, said, finalised = "''", "''", "''"
	}
	rows, err := r.q.Query(ctx, `
		select at, kind, ref, amount, actor, reason, says from (
			select e.at, case when e.kind in ('write-down', 'review') then 0 else 2 end as rank, e.id, e.kind, e.amount, `+who+` as actor,
				case when p.event_id is null then e.reason else concat_ws(', ', 'on ' || p.paid_on, nullif(p.method, '')) end as reason, `+said+` as says,
				case when e.kind = 'payment' then 'P-' || e.id else coalesce(n.number, m.number, '') end as ref
			from invoice_events e left join payments p on p.event_id = e.id left join credit_notes n on n.event_id = e.id
				left join credit_note_sendings x on x.event_id = e.id left join credit_notes m on m.id = x.note_id
			where e.invoice_id = $1 and e.kind <> 'credit-applied'
			union all
			select i.finalised_at, 1, 0, 'finalised', coalesce(i.gross, i.total), `+finalised+`, '', '', ''
			from invoices i where i.id = $1 and i.finalised_at is not null
			union all
			select a.at, 3, a.id, case when a.amount > 0 then 'credit-applied' else 'credit-returned' end, abs(a.amount),
				coalesce(`+who+`, ''), '', '', ''
			from credit_applications a left join invoice_events e on e.id = a.event_id where a.invoice_id = $1
			union all
			select m.at, 4, m.after_days, 'reminder', m.asked, '', '', m.says, '' from invoice_reminders m where m.invoice_id = $1
		) as happened order by at, rank, id`, invoice)
	if err != nil {
		return nil, fmt.Errorf("read what happened to invoice %d: %w", invoice, err)
	}
	events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[billing.InvoiceEvent])
	if err != nil {
		return nil, fmt.Errorf("read what happened to invoice %d: %w", invoice, err)
	}
	return events, nil
}
