package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// LookAtMonth tells what the closing of a month would do now, or, of a month that is not over, what it would do once that is,
// by what is known now. It reads one snapshot of a transaction that PostgreSQL lets write nothing.
//
// Returns a *ticket.Problem where the month lies too far ahead, or there is no such payer.
func (s *Store) LookAtMonth(ctx context.Context, m billing.MonthClose) (billing.MonthLook, error) {
	begins, opens, err := monthOver(m.Until)
	if err != nil {
		return billing.MonthLook{}, err
	}
	now := s.now().UTC()
	if month, last := begins.AddDate(0, 0, -1).Format("2006-01"), now.AddDate(1, 0, 0).Format("2006-01"); month > last {
		return billing.MonthLook{}, ticket.Invalid("month", month, "lies more than a year ahead", "a closing can be looked at for months until "+last)
	}
	if m.Payer != "" {
		if err := s.clientExists(ctx, m.Payer); err != nil {
			return billing.MonthLook{}, err
		}
	}
	l := &monthLook{store: s, asked: m, at: now, early: now.Before(opens), invoices: map[invoiceName]*lookedInvoice{}, profiles: map[string]*billing.TaxProfile{}}
	if l.early {
		l.at = begins.Add(12 * time.Hour) // then it is over everywhere
	}
	if l.past, err = s.pastOfMonth(ctx, m); err != nil { // on connections of its own
		return billing.MonthLook{}, fmt.Errorf("list what was over before its contract came: %w", err)
	}
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(t pgx.Tx) error {
		l.q = t
		return l.look(ctx)
	})
	if err != nil {
		return billing.MonthLook{}, fmt.Errorf("look at the closing of what is over by %s: %w", m.Until, err)
	}
	return l.found, nil
}

// monthLook carries one look through its steps.
type monthLook struct {
	store *Store
	q     querier
	asked billing.MonthClose
	at    time.Time // when the month would be closed
	early bool      // that lies ahead
	past  []billing.PastPeriods

	periods  periodLook
	ends     map[allowanceOf]bool // allowances whose end a run puts on record
	invoices map[invoiceName]*lookedInvoice
	profiles map[string]*billing.TaxProfile // those that were read besides an invoice's own
	found    billing.MonthLook
}

type allowanceOf struct{ contract, period string }

type invoiceName struct{ payer, currency, start, end string }

// lookedInvoice is an invoice with what is to come on it.
type lookedInvoice struct {
	invoiceRow
	more  []taxLine
	notes *bool // whether all contracts behind what comes want a credit note, should it be below zero; nil: there is none
}

func (l *monthLook) look(ctx context.Context) error {
	stands, err := Reads{q: l.q}.monthStands(ctx, l.asked)
	if err != nil {
		return err
	}
	billing.Tell(&stands.Past, &stands.Untold, l.past...)
	l.found = billing.MonthLook{
		MonthReport: stands, Early: l.early, Done: slices.Clone(stands.Finalised), Runs: []billing.PeriodReceipt{}, Ending: []billing.EndingBlock{},
		Invoices: []billing.InvoiceAhead{},
	}
	l.found.At = l.at
	for _, step := range []func(context.Context) error{l.run, l.end, l.finalise} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// run looks at the runs that are due, contract by contract: one that waits or fails keeps back its contract alone.
func (l *monthLook) run(ctx context.Context) error {
	agreements, err := l.store.agreements(ctx, l.q, "", "")
	if err != nil {
		return err
	}
	due := billing.DueFilter{}
	if l.early {
		due.Until = l.asked.Until
	}
	runs, err := l.store.dueOf(ctx, l.q, nil, agreements, due)
	if err != nil {
		return err
	}
	of := make(map[string]*agreement, len(agreements))
	for i := range agreements {
		of[agreements[i].contract] = &agreements[i]
	}
	l.ends = map[allowanceOf]bool{}
	stopped := "" // the contract that goes no further
	for _, run := range runs {
		if run.Contract == stopped {
			continue
		}
		goesOn, err := l.runPeriod(ctx, of[run.Contract], run)
		if err != nil {
			return err
		}
		if !goesOn {
			stopped = run.Contract
		}
	}
	return nil
}

func (l *monthLook) runPeriod(ctx context.Context, a *agreement, run billing.DueRun) (goesOn bool, err error) {
	p, ok := a.period(run.Period)
	if !ok {
		return false, fmt.Errorf("%s is due, and is no period of its contract", run)
	}
	r, charges, err := l.periods.at(ctx, l.q, a, p, run)
	if err != nil {
		if ctx.Err() != nil {
			return false, err
		}
		billing.Tell(&l.found.Failed, &l.found.Untold, fmt.Sprintf("%s: %v", run, err))
		return false, nil
	}
	l.found.Runs = append(l.found.Runs, r)
	switch r.State {
	case billing.PostingWaiting:
		billing.Tell(&l.found.Waiting, &l.found.Untold, run.String()+": "+r.Says)
		return false, nil
	case billing.PostingDraft:
		l.found.Drafts++
	default:
		l.found.Posted++
	}
	// Each run grants the allowances of its day, and ends those of the period before.
	on := p.begins()
	if run.Run == billing.Closing {
		on = p.End
	}
	if before, ok := a.periodOn(dayBefore(on)); ok {
		l.ends[allowanceOf{run.Contract, before.Start}] = true
	}
	for _, c := range charges {
		if c.Hidden {
			continue
		}
		i, err := l.place(ctx, cmp.Or(c.Payer, a.payer), c)
		if err != nil {
			return false, err
		}
		i.more = append(i.more, taxLine{Amount: c.Amount, Named: c.Tax, Category: c.TaxCategory})
		i.noted(a, c)
	}
	return true, nil
}

func dayBefore(date string) string {
	day, err := sla.ParseDate(date)
	if err != nil {
		return date
	}
	return day.AddDays(-1).String()
}

// noted adds what the charge's contract wants of an invoice below zero.
func (i *lookedInvoice) noted(a *agreement, c billing.Charge) {
	v := slices.IndexFunc(a.versions, func(v billing.DatedVersion) bool { return v.Revision == c.Revision })
	if v < 0 {
		return
	}
	own := a.versions[v].Terms.Contract().Billing
	wants := own != nil && own.Negative == "credit-note" && (i.notes == nil || *i.notes)
	i.notes = &wants
}

// place finds the invoice that a charge goes on: the open one of its period, or of the first period after with one that is
// open, or that nobody has opened yet.
func (l *monthLook) place(ctx context.Context, payer string, c billing.Charge) (*lookedInvoice, error) {
	period, err := billsIn(c)
	for ; err == nil; period, err = following(period) {
		name := invoiceName{payer, c.Currency, period.Start.String(), period.End.String()}
		i, err := l.invoice(ctx, name)
		if err != nil || i.State == "open" {
			return i, err
		}
	}
	return nil, fmt.Errorf("billing period of charge %s: %w", c.Key, err)
}

func (l *monthLook) invoice(ctx context.Context, n invoiceName) (*lookedInvoice, error) {
	if i := l.invoices[n]; i != nil {
		return i, nil
	}
	i := &lookedInvoice{invoiceRow: invoiceRow{Payer: n.payer, Currency: n.currency, State: "open"}}
	err := l.q.QueryRow(ctx, `
select id, state from invoices where payer_id = $1 and currency = $2 and period_start = $3::text::date and period_end = $4::text::date`,
		n.payer, n.currency, n.start, n.end).Scan(&i.ID, &i.State)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("look for the invoice of %s from %s: %w", n.payer, n.start, err)
	}
	l.invoices[n] = i
	return i, nil
}

// end looks at the blocks whose end would be put on record. The report counts those that no run has ended before.
func (l *monthLook) end(ctx context.Context) error {
	type expired struct {
		billing.EndingBlock
		Period     string
		RolledFrom int64
		RolloverMS int64
	}
	rows, err := l.q.Query(ctx, `
select id, contract_id, client_id, clause, expires_at, remaining_ms, coalesce(period::text, ''), coalesce(rolled_from, 0), rollover_ms
from blocks where ended_at is null and cancelled_at is null and expires_at <= $1 order by expires_at, id`, l.at)
	if err != nil {
		return fmt.Errorf("list blocks that have expired: %w", err)
	}
	blocks, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b expired, err error) {
		err = row.Scan(&b.Block, &b.Contract, &b.Client, &b.Clause, &b.ExpiredAt, &b.LeftMS, &b.Period, &b.RolledFrom, &b.RolloverMS)
		b.ExpiredAt = b.ExpiredAt.UTC()
		return b, err
	})
	if err != nil {
		return fmt.Errorf("list blocks that have expired: %w", err)
	}
	for _, b := range blocks {
		byRun := b.Clause != "" && l.ends[allowanceOf{b.Contract, b.Period}]
		if !byRun {
			l.found.Expired++
		}
		if b.RolloverMS > 0 && b.RolledFrom == 0 {
			next, err := l.followedBy(ctx, b.Contract, b.Clause, b.Period)
			if err != nil {
				return err
			}
			if next != nil {
				b.RollsMS = min(b.LeftMS, b.RolloverMS)
				if !next.Until.After(l.at) && !byRun && !l.ends[allowanceOf{b.Contract, next.Period.Start}] { // into a period that is over, too
					l.found.Expired++
				}
			}
		}
		b.ExpiresMS = b.LeftMS - b.RollsMS
		l.found.Ending = append(l.found.Ending, b.EndingBlock)
	}
	return nil
}

// followedBy gives the allowance that the hours of a clause's period may roll over into; nil: there is none.
func (l *monthLook) followedBy(ctx context.Context, contract, clause, period string) (*billing.Allowance, error) {
	var (
		rows   []versionRow
		client string
	)
	b := &pgx.Batch{}
	queueVersionsOf(b, contract, &rows, &client)
	if err := l.q.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("read the versions of contract %s: %w", contract, err)
	}
	versions, err := l.store.versions(ctx, l.q, rows, always.from, always.to)
	if err != nil {
		return nil, err
	}
	return allowed(versions, clause, billing.PeriodAfter(versions, billing.PeriodOn(versions, period))), nil
}
