package postgres

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
)

// The reports of the journal. They are kept by payer.

// revenueAccounts are the codes of all accounts that make up revenue, in the order of the chart.
func revenueAccounts() (codes []string) {
	for _, a := range billing.Accounts {
		if a.Type == billing.Revenue || a.Type == billing.Contra {
			codes = append(codes, a.Code)
		}
	}
	return codes
}

// ReportRevenue parts revenue by month and currency: work and fees on their date of service, block hours when they are used or
// expire, less what was discounted, written down and given back. The running month, in UTC, says what it comes to at this rate.
func (s *Store) ReportRevenue(ctx context.Context, f ReportFilter) ([]billing.RevenueRow, error) {
	if err := f.checkPayer(ctx, s.Reads); err != nil {
		return nil, err
	}
	rows, err := collect[billing.RevenueRow](ctx, s.pool, "revenue", `
select to_char(b.booked_on, 'YYYY-MM'), b.unit, coalesce(sum(b.amount) filter (where b.part = 'fixed'), 0),
  coalesce(sum(b.amount) filter (where b.part = 'usage'), 0), coalesce(sum(b.amount) filter (where b.part = 'credits'), 0),
  coalesce(sum(b.amount) filter (where b.part = 'tax'), 0), sum(b.amount), null::numeric
from (
  select j.booked_on, j.unit, -j.amount as amount, case
      when j.account in ('sla-credits', 'write-downs', 'credit-notes') then 'credits'
      when j.account = 'tax-in-prices' then 'tax'
      when j.account = 'block-revenue' then 'usage'
      when j.account = 'breakage' then 'fixed'
      when c.ticket is not null or p.kind = 'usage' then 'usage'
      else 'fixed'
    end as part
  from journal j left join charges own on j.kind = 'line' and own.id = j.source left join charges c on c.id = coalesce(own.reverses, own.id)
  left join postings p on p.id = c.posting_id
  where split_part(j.account, '/', 1) = any ($5) and ($4 = '' or j.unit = $4) and `+in("j.booked_on", "j.payer_id")+`
) b
group by 1, 2 order by 1, 2`, append(f.args(), f.Currency, revenueAccounts())...)
	if err != nil {
		return nil, err
	}
	now := s.now().UTC()
	for i := range rows {
		m := &rows[i]
		places, ok := billing.MinorUnits(m.Currency)
		if !ok || m.Month != now.Format("2006-01") {
			continue
		}
		days := time.Date(now.Year(), now.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		rate := m.Usage.Mul(decimal.NewFromInt(int64(days))).Div(decimal.NewFromInt(int64(now.Day()))).Round(places).Add(m.Revenue.Sub(m.Usage))
		m.RunRate = &rate
	}
	return rows, nil
}

// ReportAccounts is ReportRevenue by account, as the books have it.
func (r Reads) ReportAccounts(ctx context.Context, f ReportFilter) ([]billing.AccountRow, error) {
	if err := f.checkPayer(ctx, r); err != nil {
		return nil, err
	}
	rows, err := collect[billing.AccountRow](ctx, r.q, "revenue by account", `
select account, '', unit, -sum(amount) from journal
where split_part(account, '/', 1) = any ($5) and ($4 = '' or unit = $4) and `+in("booked_on", "payer_id")+`
group by account, unit having sum(amount) <> 0 order by unit, array_position($5::text[], split_part(account, '/', 1)), account`,
		append(f.args(), f.Currency, revenueAccounts())...)
	for i := range rows {
		if of, ok := billing.AccountOf(rows[i].Account); ok {
			rows[i].Name = of.Name
		}
	}
	return rows, err
}

// booked holds what was booked by the end of a date, $1, of a client, $2, and in a currency, $3; each is empty where all is meant.
func booked(client, currency string) string {
	return "($1 = '' or booked_on <= $1::date) and ($2 = '' or " + client + " = $2) and ($3 = '' or " + currency + " = $3)"
}

func (b Balance) args() []any {
	_, on := bounds(sla.LocalDate{}, b.AsOf)
	return []any{on, b.Client, b.Currency}
}

func (b Balance) filter() ReportFilter {
	return ReportFilter{Client: b.Client, Currency: b.Currency}
}

// ReportDeferred tells what of each sold block's price is not earned yet, as booked until the end of a date.
func (r Reads) ReportDeferred(ctx context.Context, b Balance) ([]billing.DeferredRow, error) {
	if err := b.filter().check(ctx, r); err != nil {
		return nil, err
	}
	return collect[billing.DeferredRow](ctx, r.q, "deferred revenue", `
select b.client_id, b.contract_id, b.id, b.currency, b.price, d.deferred, b.granted_ms, d.ms::bigint
from (
  select block_id, -coalesce(sum(amount) filter (where account = 'deferred'), 0) as deferred,
    coalesce(sum(amount) filter (where account in ('block-minutes', 'minutes-reserved')), 0) as ms
  from journal where block_id is not null and ($1 = '' or booked_on <= $1::date) and ($2 = '' or client_id = $2) group by 1
) d join blocks b on b.id = d.block_id
where d.deferred <> 0 and ($3 = '' or b.currency = $3) order by 1, 2, 3`, b.args()...)
}

// ReportWIP tells what each payer's work comes to that is done and not on a finalised invoice, as booked until the end of a date.
func (r Reads) ReportWIP(ctx context.Context, b Balance) ([]billing.WIPRow, error) {
	if err := b.filter().checkPayer(ctx, r); err != nil {
		return nil, err
	}
	return collect[billing.WIPRow](ctx, r.q, "work in progress", `
select payer_id, unit, sum(amount) from journal where account = 'wip' and `+booked("payer_id", "unit")+`
group by 1, 2 having sum(amount) <> 0 order by 1, 2`, b.args()...)
}

// ReportReceivables ages what payers owe, as booked until the end of a date, by the days since their invoices were due; beside it what of
// that was in question by then, and the payer's credit. What was paid ahead of an invoice is owed to the payer until then: less than zero. Without a date all that is booked counts, aged by today where each payer is.
func (s *Store) ReportReceivables(ctx context.Context, b Balance) ([]billing.ReceivableRow, error) {
	if err := b.filter().checkPayer(ctx, s.Reads); err != nil {
		return nil, err
	}
	return collect[billing.ReceivableRow](ctx, s.pool, "receivables", `
with owing as (
  select invoice_id, payer_id, unit, sum(amount) as amount from journal
  where account = 'receivable' and `+booked("payer_id", "unit")+` group by 1, 2, 3 having sum(amount) <> 0
), aged as (
  select o.*, coalesce(nullif($1, '')::date, ($4::timestamptz at time zone c.time_zone)::date)
      - coalesce(i.due_on, i.tax_date, (i.finalised_at at time zone c.time_zone)::date) as late,
    least(greatest(o.amount, 0), coalesce((
      select sum(greatest(d.amount - coalesce((
          select sum(g.amount) from (select note_id, charge_id, amount from credit_note_lines union all select note_id, charge_id, amount from credit_note_shares) g
          join credit_notes n on n.id = g.note_id
          where g.charge_id = any (d.lines) and n.event_id > d.event_id and ($1 = '' or (n.issued_at at time zone c.time_zone)::date <= $1::date)
        ), 0), 0))
      from disputes d left join dispute_settlements x on x.dispute_id = d.id
      where d.invoice_id = o.invoice_id and ($1 = '' or (d.opened_at at time zone c.time_zone)::date <= $1::date)
        and (x.dispute_id is null or ($1 <> '' and (x.settled_at at time zone c.time_zone)::date > $1::date))
    ), 0)) as disputed
  from owing o join invoices i on i.id = o.invoice_id join clients c on c.id = o.payer_id
), by_payer as (
  select payer_id, unit, count(*)::int as invoices,
    coalesce(sum(amount) filter (where late <= 0), 0) as not_due, coalesce(sum(amount) filter (where late between 1 and 30), 0) as to30,
    coalesce(sum(amount) filter (where late between 31 and 60), 0) as to60, coalesce(sum(amount) filter (where late between 61 and 90), 0) as to90,
    coalesce(sum(amount) filter (where late > 90), 0) as over90, sum(amount) as owed, sum(disputed) as disputed
  from aged group by 1, 2
), credit as (
  select payer_id, unit, -sum(amount) as credit from journal where account = 'client-credit' and `+booked("payer_id", "unit")+`
  group by 1, 2 having sum(amount) <> 0
)
select payer_id, unit, coalesce(invoices, 0), coalesce(not_due, 0), coalesce(to30, 0), coalesce(to60, 0), coalesce(to90, 0), coalesce(over90, 0),
  coalesce(owed, 0), coalesce(disputed, 0), coalesce(credit, 0)
from by_payer full join credit using (payer_id, unit) order by 1, 2`, append(b.args(), s.now())...)
}
