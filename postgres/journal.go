package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// JournalFilter narrows what JournalPostings lists. Zero values do not narrow.
type JournalFilter struct {
	Account string        // also of its sub-accounts
	Payer   string        // client id
	From    sla.LocalDate // booked on that date or later
	To      sla.LocalDate // booked before
	Limit   int           // the newest so many entries; 0: all
}

const selectJournal = `
select j.kind, j.source, j.account, j.unit, j.amount, j.booked_on::text, j.payer_id, coalesce(j.client_id, ''), coalesce(j.invoice_id, 0), coalesce(j.block_id, 0), j.at
from journal j`

// In debit first, as books are written.
const orderJournal = " order by j.at, j.kind, j.source, j.unit, j.amount < 0, j.account"

// JournalPostings lists whole entries that touch what the filter names, the oldest first.
func (r Reads) JournalPostings(ctx context.Context, f JournalFilter) ([]billing.JournalPosting, error) {
	if _, ok := billing.AccountOf(f.Account); f.Account != "" && !ok {
		return nil, ticket.Invalid("account", f.Account, "is not an account", "`docket journal accounts` lists them")
	}
	from, to := bounds(f.From, f.To)
	return r.journal(ctx, ` where (j.kind, j.source) in (
  select f.kind, f.source from journal f
  where ($1 = '' or f.account = $1 or starts_with(f.account, $1 || '/')) and ($2 = '' or f.payer_id = $2)
    and ($3 = '' or f.booked_on >= $3::date) and ($4 = '' or f.booked_on < $4::date)
  group by f.kind, f.source order by max(f.at) desc, f.kind, f.source desc limit nullif($5, 0)::bigint)`, f.Account, f.Payer, from, to, f.Limit)
}

// JournalOf gives the entries about what people name: a line (L-88123), an entry (payment/33), all of a block (block/3) with its moves,
// or all of an invoice but the lines on it (INV-2026-00017).
func (r Reads) JournalOf(ctx context.Context, ref string) ([]billing.JournalPosting, error) {
	ref = strings.TrimSpace(ref)
	kind, number, named := strings.Cut(ref, "/")
	if line, ok := strings.CutPrefix(strings.ToUpper(ref), "L-"); ok {
		kind, number, named = "line", line, true
	}
	if named {
		id, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, ticket.Invalid("entry", ref, "is not an entry of the journal", "name a line like L-88123, an entry like payment/33, a block like block/3 or an invoice like INV-2026-00017")
		}
		if kind == "block" {
			return r.journal(ctx, " where j.block_id = $1", id)
		}
		return r.journal(ctx, " where j.kind = $1 and j.source = $2", kind, id)
	}
	invoice, err := r.Invoice(ctx, ref)
	if err != nil {
		return nil, err
	}
	return r.journal(ctx, " where j.invoice_id = $1 and j.kind <> 'line'", invoice.ID)
}

func (r Reads) journal(ctx context.Context, where string, args ...any) ([]billing.JournalPosting, error) {
	return collect[billing.JournalPosting](ctx, r.q, "the journal", selectJournal+where+orderJournal, args...)
}

// ReportEarned sums revenue by account and currency over dates, the end exclusive: work and fees on their date of service,
// block hours when they are used or expire, less what was discounted, written down and given back.
func (r Reads) ReportEarned(ctx context.Context, from, to sla.LocalDate) ([]billing.EarnedRow, error) {
	var codes []string
	for _, a := range billing.Accounts {
		if a.Type == billing.Revenue || a.Type == billing.Contra {
			codes = append(codes, a.Code)
		}
	}
	a, b := bounds(from, to)
	rows, err := collect[billing.EarnedRow](ctx, r.q, "revenue", `
select account, '', unit, -sum(amount) from journal
where split_part(account, '/', 1) = any ($3) and `+fmt.Sprintf(inPeriod, "booked_on")+`
group by account, unit having sum(amount) <> 0 order by unit, array_position($3::text[], split_part(account, '/', 1)), account`, a, b, codes)
	for i := range rows {
		if of, ok := billing.AccountOf(rows[i].Account); ok {
			rows[i].Name = of.Name
		}
	}
	return rows, err
}

// before narrows to what was booked until a date, that day included; $1 is empty where all is meant.
const before = "($1 = '' or booked_on <= $1::date)"

// ReportDeferred tells what of each sold block's price is not earned yet, as booked until the end of a date.
func (r Reads) ReportDeferred(ctx context.Context, asOf sla.LocalDate) ([]billing.DeferredRow, error) {
	_, on := bounds(sla.LocalDate{}, asOf)
	return collect[billing.DeferredRow](ctx, r.q, "deferred revenue", `
select b.client_id, b.contract_id, b.id, b.currency, b.price, d.deferred, b.granted_ms, d.ms::bigint
from (
  select block_id, -coalesce(sum(amount) filter (where account = 'deferred'), 0) as deferred,
    coalesce(sum(amount) filter (where account in ('block-minutes', 'minutes-reserved')), 0) as ms
  from journal where block_id is not null and `+before+` group by 1
) d join blocks b on b.id = d.block_id
where d.deferred <> 0 order by 1, 2, 3`, on)
}

// ReportWIP tells what each payer's work comes to that is done and not on a finalised invoice, as booked until the end of a date.
func (r Reads) ReportWIP(ctx context.Context, asOf sla.LocalDate) ([]billing.WIPRow, error) {
	_, on := bounds(sla.LocalDate{}, asOf)
	return collect[billing.WIPRow](ctx, r.q, "work in progress", `
select payer_id, unit, sum(amount) from journal where account = 'wip' and `+before+` group by 1, 2 having sum(amount) <> 0 order by 1, 2`, on)
}

// ReportReceivables ages what payers owe, as booked until the end of a date, by the days since their invoices were due. Where the date is zero
// all that is booked counts, aged by today.
func (r Reads) ReportReceivables(ctx context.Context, asOf, today sla.LocalDate) ([]billing.ReceivableRow, error) {
	aged := asOf
	if aged.IsZero() {
		aged = today
	}
	_, on := bounds(sla.LocalDate{}, asOf)
	return collect[billing.ReceivableRow](ctx, r.q, "receivables", `
with owed as (
  select j.invoice_id, j.payer_id, j.unit, sum(j.amount) as amount from journal j
  where j.account = 'receivable' and `+before+` group by 1, 2, 3 having sum(j.amount) <> 0
), aged as (
  select o.*, $2::date - coalesce(i.due_on, i.tax_date, (i.finalised_at at time zone 'UTC')::date) as late
  from owed o join invoices i on i.id = o.invoice_id
), by_payer as (
  select payer_id, unit, count(*)::int as invoices,
    coalesce(sum(amount) filter (where late <= 0), 0) as not_due, coalesce(sum(amount) filter (where late between 1 and 30), 0) as to30,
    coalesce(sum(amount) filter (where late between 31 and 60), 0) as to60, coalesce(sum(amount) filter (where late between 61 and 90), 0) as to90,
    coalesce(sum(amount) filter (where late > 90), 0) as over90, sum(amount) as owed
  from aged group by 1, 2
), credit as (
  select payer_id, unit, -sum(amount) as credit from journal where account = 'client-credit' and `+before+` group by 1, 2 having sum(amount) <> 0
)
select payer_id, unit, coalesce(invoices, 0), coalesce(not_due, 0), coalesce(to30, 0), coalesce(to60, 0), coalesce(to90, 0), coalesce(over90, 0),
  coalesce(owed, 0), coalesce(credit, 0)
from by_payer full join credit using (payer_id, unit) order by 1, 2`, on, aged.String())
}
