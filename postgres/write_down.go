package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// LineWriteDown asks that a line of an open invoice cost less.
type LineWriteDown struct {
	Line         int64
	To           string // what it is to cost, a decimal in its currency; 0 for nothing
	Reason       string
	By           string
	OperationKey string
}

// writable is a line as a write-down finds it under its locks.
type writable struct {
	lineCharge
	Kind     billing.ChargeKind
	Invoice  int64
	Open     bool
	Number   string // of the invoice, once it is finalised
	Currency string
	Amount   decimal.Decimal
	Now      decimal.Decimal // with earlier write-downs
	Earlier  int             // write-downs
	Reversal *int64          // the charge that has undone it
	Order    string          // counter of the purchase order that it counted against; empty: none
}

// What a line costs now is all on its invoice that leads to the same charge, its base: the line, or
// the copy of it where an invoice was void, and what writes it down.
const selectWritable = `
with recursive up as (
  select c.id, c.adjusts from charges c where c.id = $1
  union all
  select c.id, c.adjusts from up join charges c on c.id = up.adjusts
), family as (
  select id from up where adjusts is null
  union all
  select c.id from family f join charges c on c.adjusts = f.id
)
select ` + lineChargeColumns + `, c.kind, i.id, i.state = 'open', coalesce(i.number, ''), l.currency, l.amount,
  (select sum(o.amount) from family f join invoice_lines o on o.charge_id = f.id where o.invoice_id = i.id),
  (select count(*) from charges w where w.adjusts = c.id and w.kind = 'discount')::int,
  (select r.id from charges r join up on r.reverses = up.id limit 1),
  coalesce((select m.counter from counter_moves m join up on m.charge_id = up.id where starts_with(m.counter, $2) limit 1), '')
from ` + lineChargeTables + ` join invoices i on i.id = l.invoice_id where l.charge_id = $1`

// WriteDown brings a line of an open invoice down to a lower amount, by a line of its own that is
// linked to it and says why. A dispatcher may do so within the limit of his role, which counts all
// that is taken off the line; owners and people of finance may without one.
//
// What is taken off is free again on the purchase order that the line was billed under.
//
// Locks: the line's ticket, the counter of its purchase order and the blocks that its invoice sold, so that nothing undoes the line and
// leaves the write-down; then the invoice, which lets no two write-downs start from the same amount.
func (s *Store) WriteDown(ctx context.Context, w LineWriteDown) (answer billing.WrittenDown, err error) {
	input, err := digestOf("write-down", w.Line, w.To, w.Reason, w.By)
	if err := errors.Join(err, named("operation_key", w.OperationKey), reasoned(w.Reason)); err != nil {
		return answer, err
	}
	err = s.tx(ctx, "write down "+ticket.LineID(w.Line), func(t *tx) error {
		line, who, before, err := w.lock(ctx, t)
		if err != nil {
			return err
		}
		if before != nil {
			answer, err = recall[billing.WrittenDown](*before, w.OperationKey, input)
			return err
		}
		discount, err := w.charge(ctx, t, line, who)
		if err != nil {
			return err
		}
		ids, err := s.charges.take(ctx, t.conn, 1)
		if err != nil {
			return err
		}
		at := s.now().UTC()
		answer = billing.WrittenDown{
			Line: w.Line, By: ids[0], Invoice: line.Invoice, Currency: line.Currency, Was: line.Now, Now: line.Now.Add(discount.Amount),
		}
		answer.Says = fmt.Sprintf("%s was %s and is %s now, by %s", ticket.LineID(w.Line), money(answer.Was, line.Currency), money(answer.Now, line.Currency), ticket.LineID(ids[0]))
		p := line.posting(at)
		if _, err := recordOnInvoice(ctx, t, invoiceEvent{
			Invoice: &line.Invoice, Payer: line.Payer, Currency: line.Currency, Kind: "write-down", Amount: discount.Amount.Neg(), Actor: w.By, At: at,
			Reason: w.Reason, Says: answer.Says, Key: w.OperationKey, Input: input, Answer: answer,
		}); err != nil {
			return err
		}
		b := t.batch()
		var ordered moves
		if err := p.charges(b, []billing.Charge{discount}, ids, &ordered); err != nil {
			return err
		}
		if err := ordered.queue(b, shelf{}, at); err != nil {
			return err
		}
		p.lines(b, []billing.Charge{discount}, []billing.PostedLine{{Line: ids[0], Invoice: line.Invoice}})
		return t.commit(ctx, b)
	})
	return answer, err
}

func (w LineWriteDown) lock(ctx context.Context, t *tx) (*writable, actor, *earlier, error) {
	var (
		found []writable
		who   = map[string]actor{}
	)
	b := t.batch()
	b.Queue("select from tickets where number = (select ticket from invoice_lines where charge_id = $1) for update", w.Line)
	b.Queue(`
with recursive up as (
  select c.id, c.adjusts from charges c where c.id = $1
  union all
  select c.id, c.adjusts from up join charges c on c.id = up.adjusts
)
select from counters where key in (select m.counter from up join counter_moves m on m.charge_id = up.id where starts_with(m.counter, $2))
order by key for update`, w.Line, billing.CountsOrders)
	queueSoldBlocks(b, oneLine, w.Line)
	b.Queue("select from invoices where id = (select invoice_id from invoice_lines where charge_id = $1) for update", w.Line)
	before := queueInvoiceDone(b, w.OperationKey)
	queueActor(b, w.By, who)
	b.Queue(selectWritable, w.Line, billing.CountsOrders).Query(func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l writable, err error) {
			err = row.Scan(append(l.fields(), &l.Kind, &l.Invoice, &l.Open, &l.Number, &l.Currency, &l.Amount, &l.Now, &l.Earlier, &l.Reversal, &l.Order)...)
			return l, err
		})
		return err
	})
	if err := t.send(ctx, b); err != nil {
		return nil, actor{}, nil, err
	}
	if e := before(); e != nil {
		return nil, actor{}, e, nil
	}
	by, err := pick(who, "by", w.By)
	if err != nil {
		return nil, by, nil, err
	}
	if len(found) == 0 {
		return nil, by, nil, ticket.Invalid("line", ticket.LineID(w.Line), "is not known", "`docket invoice show` lists the lines of an invoice")
	}
	return &found[0], by, nil, found[0].open()
}

// open says why the line cannot be written down, if it cannot.
func (l *writable) open() error {
	name := ticket.LineID(l.ID)
	switch {
	case !l.Open:
		return ticket.Invalid("line", name, "is on "+l.Number+", which is finalised", "give it back by a credit note: docket invoice credit "+l.Number+" --lines "+name+" --reason …")
	case l.Reversal != nil:
		return ticket.Invalid("line", name, "was undone by "+ticket.LineID(*l.Reversal), "it costs nothing any more")
	case l.Kind == billing.Reversal || l.Kind == billing.Credited || l.Kind == billing.Carried || !l.Amount.IsPositive() || !l.Now.IsPositive():
		return ticket.Invalid("line", name, "has nothing to take off ("+string(l.Kind)+", "+money(l.Amount, l.Currency)+")", "write down a line that costs something")
	}
	return nil
}

// charge gives the charge that writes the line down, if the person may go so far.
func (w LineWriteDown) charge(ctx context.Context, t *tx, l *writable, who actor) (billing.Charge, error) {
	to, ok := figure(w.To)
	if !ok {
		return billing.Charge{}, ticket.Invalid("to", w.To, "is not an amount", "write what the line is to cost, like 100.00, or 0")
	}
	if err := wholeUnits("to", to, l.Currency); err != nil {
		return billing.Charge{}, err
	}
	if !to.LessThan(l.Now) {
		return billing.Charge{}, ticket.Invalid("to", w.To, "is not less than the line costs: "+money(l.Now, l.Currency), "a write-down only takes off")
	}
	whole, err := l.charge()
	if err != nil {
		return billing.Charge{}, err
	}
	if err := who.mayWriteDown(ctx, t, l, whole.Amount.Sub(to)); err != nil {
		return billing.Charge{}, err
	}
	key := fmt.Sprintf("write-down/%d/%d", l.ID, l.Earlier+1)
	discount, err := billing.WriteDown(key, whole, l.Now, to, billing.Adjustment{Line: l.ID, By: cmp.Or(who.Name, who.ID), Reason: w.Reason})
	if err != nil {
		return billing.Charge{}, ticket.Invalid("line", ticket.LineID(l.ID), "cannot be written down: "+err.Error(), "write down a line that costs something")
	}
	return discount.OnOrder(l.Order), nil
}

// mayWriteDown says whether the person may take so much off the line, in all.
func (a actor) mayWriteDown(ctx context.Context, t *tx, l *writable, off decimal.Decimal) error {
	if a.mayFinalise() {
		return nil
	}
	if a.Client != "" || !slices.Contains(a.Roles, "dispatcher") {
		return ticket.Invalid("by", a.ID, "may not write lines down", "it takes the role owner, finance, or dispatcher within a limit")
	}
	var limit *decimal.Decimal
	b := t.batch()
	b.Queue("select amount from write_down_limits where role = any ($1) and currency = $2 order by amount desc limit 1", a.Roles, l.Currency).
		Query(func(rows pgx.Rows) error {
			limits, err := pgx.CollectRows(rows, pgx.RowTo[decimal.Decimal])
			if len(limits) > 0 {
				limit = &limits[0]
			}
			return err
		})
	if err := t.send(ctx, b); err != nil {
		return err
	}
	fix := "ask an owner or somebody of finance"
	switch {
	case limit == nil:
		return ticket.Invalid("by", a.ID, "may not write lines down: no limit is set for dispatchers in "+l.Currency,
			fix+", who can also set one: docket invoice limit dispatcher 100.00 --currency "+l.Currency)
	case off.GreaterThan(*limit):
		return ticket.Invalid("line", ticket.LineID(l.ID), fmt.Sprintf("would lose %s in all, and %s may take %s off a line", money(off, l.Currency), strings.Join(a.Roles, ", "), money(*limit, l.Currency)),
			fix)
	}
	return nil
}

// WriteDownLimit is how much a role may take off one line.
type WriteDownLimit struct {
	Role     string          `json:"role"`
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
	By       string          `json:"set_by"`
}

// limited are the roles that may write lines down within a limit.
var limited = []string{"dispatcher"}

// SetWriteDownLimit sets a role's limit; the last word counts.
func (s *Store) SetWriteDownLimit(ctx context.Context, l WriteDownLimit) error {
	var errs []error
	if !slices.Contains(limited, l.Role) {
		errs = append(errs, ticket.Invalid("role", l.Role, "has no limit to set", "roles with a limit: "+strings.Join(limited, ", ")))
	}
	if l.Amount.IsNegative() {
		errs = append(errs, ticket.Invalid("amount", l.Amount, "is negative", "give 0 or more"))
	}
	if err := errors.Join(append(errs, wholeUnits("amount", l.Amount, l.Currency))...); err != nil {
		return err
	}
	return s.tx(ctx, "set a limit", func(t *tx) error {
		who := map[string]actor{}
		b := t.batch()
		queueActor(b, l.By, who)
		if err := t.send(ctx, b); err != nil {
			return err
		}
		by, err := pick(who, "by", l.By)
		if err != nil {
			return err
		}
		if !by.mayFinalise() {
			return ticket.Invalid("by", l.By, "may not set limits", "it takes the role owner or finance")
		}
		b = t.batch()
		b.Queue(`
insert into write_down_limits (role, currency, amount, set_by, set_at) values ($1, $2, $3, $4, $5)
on conflict (role, currency) do update set amount = excluded.amount, set_by = excluded.set_by, set_at = excluded.set_at`,
			l.Role, l.Currency, l.Amount, l.By, s.now())
		return t.commit(ctx, b)
	})
}

// WriteDownLimits lists the limits that are set.
func (r Reads) WriteDownLimits(ctx context.Context) ([]WriteDownLimit, error) {
	return collect[WriteDownLimit](ctx, r.q, "limits", "select role, currency, amount, set_by from write_down_limits order by role, currency")
}
