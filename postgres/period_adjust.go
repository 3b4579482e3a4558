package postgres

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// adjuster knows the client's contracts whose closed periods depend on their sums: those with a minimum, or a fee for no
// use. What posts into such a period after it was closed adjusts it in the same transaction, so that a true-up is never
// charged twice, and never too much.
type adjuster struct{ agreements []agreement }

// adjuster reads no row that is not known: rows are the client's contract versions, in order.
func (s *Store) adjuster(ctx context.Context, q querier, t lockedTicket, rows []versionRow) (adjuster, error) {
	var of adjuster
	for i := 0; i < len(rows); {
		a := agreement{contract: rows[i].Contract, client: t.ClientID, payer: t.PayerID}
		depends := false
		for ; i < len(rows) && rows[i].Contract == a.contract; i++ {
			terms, err := s.terms.load(ctx, q, rows[i].Contract, rows[i].Revision, rows[i].Digest)
			if err != nil {
				return of, err
			}
			depends = depends || terms.Adjusts()
			v := billing.DatedVersion{Revision: rows[i].Revision, Digest: rows[i].Digest, From: terms.EffectiveFrom(), Until: terms.EffectiveTo(), Terms: terms}
			if n := len(a.versions); n > 0 {
				if last := &a.versions[n-1]; last.Until == "" || v.From < last.Until {
					last.Until = v.From
				}
			}
			a.versions = append(a.versions, v)
		}
		if depends {
			of.agreements = append(of.agreements, a)
		}
	}
	return of, nil
}

// keys names the counters of the periods that charges of these dates would post into: a transaction that may post into
// them locks these first.
func (of adjuster) keys(dates ...string) []string {
	var keys []string
	for i := range of.agreements {
		a := &of.agreements[i]
		for _, date := range dates {
			if p, ok := a.periodOn(date); ok {
				keys = append(keys, billing.CommitmentCounter(a.contract, p))
				keys = append(keys, billing.OrderCounters(a.contract, a.versions)...)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// keysOf names those of charges.
func (of adjuster) keysOf(charges []billing.Charge) []string {
	var dates []string
	for _, c := range charges {
		dates = append(dates, c.Date)
	}
	return of.keys(dates...)
}

// datesOf are the dates of service that charges of these facts may have.
func datesOf(f billing.Facts) []string {
	dates := []string{f.Ticket.ResolvedOn}
	for _, w := range f.Work {
		for _, s := range w.Segments {
			dates = append(dates, s.Date)
		}
	}
	for _, i := range f.Items {
		dates = append(dates, i.Date)
	}
	for _, e := range f.Events {
		dates = append(dates, e.Date)
	}
	slices.Sort(dates)
	return slices.Compact(dates)
}

// lateness is what a transaction posts, and what may have come too late for its period.
type lateness struct {
	posting
	because  string           // what posts, "T-1042"
	charges  []billing.Charge // not in the database yet; reversals with the kind of what they undo
	reserves []billing.Charge // held, or released: they move counters and bill nothing
	moves    *moves           // of counters, not in the database yet
	invoices *[]invoiceRow
}

// adjustPeriods queues what closed periods owe anew after the charges, as one more posting for each period whose sums
// they have changed. The periods' counters are locked.
func (s *Store) adjustPeriods(ctx context.Context, t *tx, b *pgx.Batch, of adjuster, l lateness) error {
	for i := range of.agreements {
		a := &of.agreements[i]
		for _, p := range a.touched(slices.Concat(l.charges, l.reserves)) {
			if err := s.adjustPeriod(ctx, t, b, a, p, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// touched gives the periods that charges under the agreement post into.
func (a *agreement) touched(charges []billing.Charge) []billing.Period {
	var touched []billing.Period
	for _, c := range charges {
		if p, ok := a.periodOn(c.Date); ok && c.Contract == a.contract && !slices.Contains(touched, p) {
			touched = append(touched, p)
		}
	}
	slices.SortFunc(touched, func(a, b billing.Period) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
	return touched
}

func (s *Store) adjustPeriod(ctx context.Context, t *tx, b *pgx.Batch, a *agreement, period billing.Period, l lateness) error {
	today, err := a.today(s.now())
	if err != nil || today < period.End {
		return err // nothing has closed it yet
	}
	p, ok := a.period(period)
	if !ok {
		return nil
	}
	var (
		closed bool
		n      int
	)
	read := t.batch()
	read.Queue(`
select coalesce(bool_or(kind = 'closing' and state = 'posted'), false), count(*)::int + 1 from postings
where contract_id = $1 and period_start = $2::text::date and period_end = $3::text::date and kind in ('closing', 'adjusting')`,
		a.contract, p.Start, p.End).QueryRow(func(row pgx.Row) error { return row.Scan(&closed, &n) })
	if err := t.send(ctx, read); err != nil || !closed {
		return err // a draft is adjusted when it posts
	}
	facts, err := periodFacts(ctx, t.conn, a, p, billing.Adjusting, n)
	if err != nil {
		return err
	}
	facts.Because = l.because
	l.addTo(&facts)
	decision, err := billing.DecidePeriod(facts)
	if err != nil || len(decision.Charges) == 0 {
		return err
	}
	w := periodWriting{agreement: a, facts: facts, decision: decision, at: l.at, invoices: *l.invoices}
	err = s.writePeriod(ctx, t, b, w, &billing.PeriodReceipt{})
	*l.invoices = w.invoices
	return err
}

// addTo adds to the facts what this transaction has not written yet.
func (l lateness) addTo(f *billing.PeriodFacts) {
	from, until := billedDays(*f)
	for _, c := range l.charges {
		if c.Contract != f.Contract || c.Date < from || c.Date >= until || c.Kind == billing.Credit || c.Kind == billing.TrueUp || c.Adjusts != 0 {
			continue
		}
		i := slices.IndexFunc(f.Billed, func(s billing.CurrencySum) bool { return s.Currency == c.Currency })
		if i < 0 {
			i = len(f.Billed)
			f.Billed = append(f.Billed, billing.CurrencySum{Currency: c.Currency})
		}
		f.Billed[i].Amount = f.Billed[i].Amount.Add(c.Amount)
	}
	f.Billed = slices.DeleteFunc(f.Billed, func(s billing.CurrencySum) bool { return s.Amount.IsZero() })
	slices.SortFunc(f.Billed, func(a, b billing.CurrencySum) int { return strings.Compare(a.Currency, b.Currency) })
	if l.moves == nil {
		return
	}
	for _, key := range billing.WantPeriod(*f) {
		moved, ok := l.moves.counters[key]
		if !ok {
			continue
		}
		i := slices.IndexFunc(f.Counters, func(c billing.Counter) bool { return c.Key == key })
		if i < 0 {
			i = len(f.Counters)
			f.Counters = append(f.Counters, billing.Counter{Key: key})
		}
		f.Counters[i].Value = f.Counters[i].Value.Add(moved)
	}
	slices.SortFunc(f.Counters, func(a, b billing.Counter) int { return strings.Compare(a.Key, b.Key) })
}
