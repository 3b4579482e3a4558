package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// PayBlock says that a block is paid, once: by somebody who knows, of one that was sold elsewhere. A block that an invoice
// of ours sold is paid with it (see soldOn).
func (s *Store) PayBlock(ctx context.Context, id int64, by string) (Block, error) {
	return s.blockDeed(ctx, id, by, "mark it as paid", func(_ context.Context, _ *tx, b *pgx.Batch, row *shelved) error {
		if row.Clause != "" {
			return ticket.Invalid("block", id, "was not sold: clause "+row.Clause+" grants it", "`docket block list` shows what was bought")
		}
		if row.Unpaid {
			queueBlockPayment(b, blockPayment{block: id, paid: true, key: fmt.Sprintf("by/%s/%d", by, s.now().UnixMicro()), by: by, at: s.now()})
		}
		return nil
	})
}

// blockPayment is the word that a block is paid, or that it is not any more.
type blockPayment struct {
	block   int64
	paid    bool
	key     string // of what says so, unique for the block
	on      string // local date; empty: that of at, in UTC
	zone    string // of the date; empty: UTC
	invoice int64  // that sold it; 0: somebody says so
	event   *int64
	by      string
	at      time.Time
}

// queueBlockPayment writes the payment's row, and what the block says of it.
func queueBlockPayment(b *pgx.Batch, p blockPayment) {
	kind := "paid"
	if !p.paid {
		kind = "unpaid"
	}
	if p.on == "" {
		p.on = p.at.UTC().Format(time.DateOnly)
	}
	b.Queue(`
insert into block_payments (operation_key, block_id, client_id, paid, paid_on, invoice_id, event_id, made_by, at)
select $1, id, client_id, $3, $4::text::date, nullif($5::bigint, 0), $6, $7, $8 from blocks where id = $2`,
		fmt.Sprintf("%s/%d/%s", kind, p.block, p.key), p.block, p.paid, p.on, p.invoice, p.event, p.by, p.at)
	if !p.paid {
		b.Queue("update blocks set paid_at = null, paid_by = null where id = $1", p.block)
		return
	}
	b.Queue(`
update blocks set paid_by = $2, paid_at = case when $5 = '' then $3::timestamptz else least($3::timestamptz, $4::text::timestamp at time zone $5) end where id = $1`,
		p.block, p.by, p.at, p.on, p.zone)
}

// soldBlock is a block that an invoice sold.
type soldBlock struct {
	Block   int64
	Invoice int64
	MS      int64
	Sale    int64           // the charge that sold it
	Left    decimal.Decimal // of its price, less what was written off and what credit notes gave back
}

// unpaidSold finds, of the blocks that nobody has paid, the lines that sell them: the charge of the sale, or the line
// that bills it again where an invoice was void.
const unpaidSold = `
with recursive sold as (
  select b.id as block, b.granted_ms as ms, c.id as sale, c.id as charge from blocks b cross join lateral (
    select c.id from postings p join charges c on c.posting_id = p.id and c.adjusts is null
    where p.key = 'sale/' || b.operation_key
    union all
    select c.id from charges c where c.closure_id = b.closure_id and c.key like '%/' || b.operation_key
  ) c
  where b.sold_unpaid and b.paid_at is null and b.cancelled_at is null
  union all
  select s.block, s.ms, s.sale, c.id from sold s join charges c on c.adjusts = s.charge and c.kind = 'rebilled'
)`

// queueUnpaidSold locks the blocks that invoices sold and nobody has paid, before those invoices: which are found by the
// condition on i.
func queueUnpaidSold(b *pgx.Batch, invoices string, args ...any) {
	b.Queue(unpaidSold+`
select from blocks where id in (
  select s.block from sold s join invoice_lines l on l.charge_id = s.charge join invoices i on i.id = l.invoice_id where `+invoices+`)
order by id for update`, args...)
}

// soldOn gives the blocks that wait for the invoices to be paid, after queueUnpaidSold has locked them. One whose price
// went back whole is not among them: nobody has paid for it, and nobody will.
func soldOn(ctx context.Context, q querier, invoices ...int64) ([]soldBlock, error) {
	if len(invoices) == 0 {
		return nil, nil
	}
	return collect[soldBlock](ctx, q, "the blocks that the invoice sold", unpaidSold+`
select s.block, l.invoice_id, s.ms, s.sale, p."left" from sold s join invoice_lines l on l.charge_id = s.charge cross join lateral (
  select sum(f.amount - coalesce((select net from credit_note_lines n where n.charge_id = f.charge_id), 0)
    - coalesce((select sum(net) from credit_note_shares n where n.charge_id = f.charge_id), 0)) as "left"
  from invoice_lines f join charges c on c.id = f.charge_id
  where f.charge_id = l.charge_id or (c.adjusts = l.charge_id and c.kind = 'discount')
) p
where l.invoice_id = any ($1) and p."left" > 0 order by 1`, invoices)
}

// paidBy gives the blocks that the invoice's payment has paid: nothing since has said otherwise.
func paidBy(ctx context.Context, q querier, invoice int64) ([]soldBlock, error) {
	return collect[soldBlock](ctx, q, "the blocks that the invoice's payment paid", `
select b.id, p.invoice_id, b.granted_ms, 0::bigint, b.price from blocks b
join lateral (select paid, invoice_id from block_payments where block_id = b.id order by id desc limit 1) p on p.paid and p.invoice_id = $1
where b.id in (select block_id from block_payments where invoice_id = $1) and b.cancelled_at is null order by b.id`, invoice)
}

// settlesBlocks finds what the deed pays by leaving nothing owed on its invoice: the blocks that it sold. The deed queues
// them with its rows, by payBlocks.
func (d *invoiceDeed) settlesBlocks(ctx context.Context, t *tx, settled bool) error {
	if !settled || d.stands.State == billing.InvoiceVoid {
		return nil
	}
	sold, err := soldOn(ctx, t.conn, d.found.ID)
	d.pays = sold
	return err
}

// payBlocks queues that the blocks are paid, at the date of what paid their invoice.
func (d *invoiceDeed) payBlocks(b *pgx.Batch, on string, event int64) {
	queueBlocksPaid(b, d.pays, d.found, d.head.By, on, &event, d.at)
}

func queueBlocksPaid(b *pgx.Batch, sold []soldBlock, x lockedInvoice, by, on string, event *int64, at time.Time) {
	key := "finalised"
	if event != nil {
		key = fmt.Sprintf("event-%d", *event)
	}
	for _, s := range sold {
		queueBlockPayment(b, blockPayment{
			block: s.Block, paid: true, key: fmt.Sprintf("invoice-%d/%s", s.Invoice, key), on: on, zone: x.TimeZone, invoice: s.Invoice, event: event, by: by, at: at,
		})
	}
}

// sayPaidBlocks tells which blocks are paid now: "; block 3 (5 h) is paid with it".
func sayPaidBlocks(sold []soldBlock) string {
	if len(sold) == 0 {
		return ""
	}
	names := make([]string, len(sold))
	for i, s := range sold {
		names[i] = fmt.Sprintf("block %d (%s)", s.Block, inHours(s.MS))
	}
	is := " is"
	if len(sold) > 1 {
		is = " are"
	}
	return "; " + strings.Join(names, ", ") + is + " paid with it"
}

// today is the local date of an instant where the payer is.
func (i lockedInvoice) today(at time.Time) (string, error) {
	zone, err := time.LoadLocation(i.TimeZone)
	if err != nil {
		return "", fmt.Errorf("payer %s: %w", i.Payer, err)
	}
	return at.In(zone).Format(time.DateOnly), nil
}

// Released lists holds that waited for blocks to be paid, which they are, and on which nobody has ruled for that
// reason yet: the desk sends the ruling in the name of whoever said that the block is paid.
func (s *Store) Released(ctx context.Context, limit int) ([]ticket.Release, error) {
	return collect[ticket.Release](ctx, s.pool, "holds whose blocks are paid", `
select 'T-' || h.ticket, h.id, p.paid_by, 'block-paid/H-' || h.id from holds h join lateral (
  select bool_and(not b.sold_unpaid or b.paid_at is not null) as paid, max(b.paid_by) as paid_by
  from block_moves m join blocks b on b.id = m.block_id where m.hold_id = h.id and m.kind = 'reserve'
) p on p.paid and p.paid_by is not null
where h.state = 'open' and h.reason = 'block-unpaid' and not exists (
  select from ticket_events e where e.operation_key = 'block-paid/H-' || h.id)
order by h.id limit $1`, limit)
}

// mayRelease says whether the person may bill what waited for a block that is paid by now, although he may not rule: who may
// say that it is paid may draw the consequence.
func (d *settling) mayRelease(ctx context.Context, q querier, m ticket.Rule) (bool, error) {
	who := d.people[m.Who]
	if m.Action != ticket.Bill || d.found.Reason != billing.BlockUnpaid || !who.mayFinalise() {
		return false, nil
	}
	var unpaid bool
	err := q.QueryRow(ctx, `
select exists (select from block_moves m join blocks b on b.id = m.block_id
  where m.hold_id = $1 and m.kind = 'reserve' and b.sold_unpaid and b.paid_at is null)`, d.hold).Scan(&unpaid)
	if err != nil {
		return false, errors.Join(errors.New("look whether the block is paid"), err)
	}
	return !unpaid, nil
}
