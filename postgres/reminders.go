package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// selectOverdue finds invoices past their due date, where the payer is, that have reached a step of which no reminder went, nor a
// later one. What is in question is not asked for; where all that is owed is, nobody is reminded. $1 is now, $2 the steps.
const selectOverdue = `
select i.id, i.number, i.payer_id, i.currency, i.due_on::text, late.days, step.days, s.owed - s.disputed, s.disputed, ''
from invoices i join clients c on c.id = i.payer_id
cross join lateral (select ($1::timestamptz at time zone c.time_zone)::date - i.due_on as days) late
cross join lateral (select max(x) as days from unnest($2::int[]) x where x <= late.days) step
join invoice_standing s on s.invoice_id = i.id
where i.state = 'finalised' and i.due_on is not null and step.days > coalesce((select max(m.after_days) from invoice_reminders m where m.invoice_id = i.id), 0)
  and s.owed > s.disputed and not s.void`

// OverdueInvoices lists what the next sweep of reminders would remind of, the oldest debt first.
func (s *Store) OverdueInvoices(ctx context.Context, limit int) ([]billing.Overdue, error) {
	rules, err := s.InvoiceRules(ctx)
	if err != nil {
		return nil, err
	}
	found, err := collect[billing.Overdue](ctx, s.pool, "overdue invoices", selectOverdue+" order by i.due_on, i.id limit $3", s.now(), rules.RemindAfter, limit)
	for i := range found {
		found[i].Says = sayOverdue(found[i])
	}
	return found, err
}

// RemindOverdue reminds the payers of at most so many overdue invoices, each once a step, whoever sweeps beside it. Steps that
// were missed, because nobody swept or all was in question, are passed over: the last one that is reached counts.
func (s *Store) RemindOverdue(ctx context.Context, limit int) (swept billing.RemindersSwept, err error) {
	due, err := s.OverdueInvoices(ctx, limit)
	if err != nil {
		return swept, err
	}
	swept.Reminded, swept.More = []billing.Overdue{}, len(due) == limit
	for _, one := range due {
		reminded, err := s.remind(ctx, one.Invoice)
		if err != nil {
			return swept, err
		}
		swept.Reminded = append(swept.Reminded, reminded...)
	}
	return swept, nil
}

// remind reminds of one invoice under its lock, if it is still due: it may be paid, void or in question since.
func (s *Store) remind(ctx context.Context, invoice int64) (due []billing.Overdue, err error) {
	err = s.tx(ctx, "remind of "+ticket.InvoiceID(invoice), func(t *tx) error {
		b := t.batch()
		b.Queue("select from invoices where id = $1 for update", invoice)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		now := s.now().UTC()
		rules, err := invoiceRules(ctx, t.conn)
		if err != nil {
			return err
		}
		due, err = collect[billing.Overdue](ctx, t.conn, "the overdue invoice", selectOverdue+" and i.id = $3", now, rules.RemindAfter, invoice)
		if err != nil || len(due) == 0 {
			return err
		}
		due[0].Says = sayOverdue(due[0])
		b = t.batch()
		if err := queueReminder(b, due[0], rules, now); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return due, err
}

// queueReminder puts a reminder on record, and tells the payer and our own finance of it.
func queueReminder(b *pgx.Batch, o billing.Overdue, rules billing.InvoiceRules, at time.Time) error {
	b.Queue("insert into invoice_reminders (invoice_id, after_days, payer_id, currency, asked, at, says) values ($1, $2, $3, $4, $5, $6, $7)",
		o.Invoice, o.Step, o.Payer, o.Currency, o.Asked, at, o.Says)
	reminder := event{Kind: "invoice-reminder", Client: o.Payer, Actor: itself, Says: o.Says, At: at}
	if err := queueNotice(b, fmt.Sprintf("reminder %s %d", o.Number, o.Step), reminder); err != nil || rules.RemindInHouse {
		return err
	}
	reminder.Kind, reminder.Invoice = "payer-reminder", o.Invoice
	return queueNotice(b, fmt.Sprintf("reminder to the payer %s %d", o.Number, o.Step), reminder)
}

func sayOverdue(o billing.Overdue) string {
	says := fmt.Sprintf("%s was due on %s, %s ago: %s are owed", o.Number, o.DueOn, countOf(o.Days, "day"), money(o.Asked, o.Currency))
	if o.Disputed.IsPositive() {
		says += "; " + money(o.Disputed, o.Currency) + " more are in question"
	}
	return says
}
