package postgres

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// Audit proves the books: every stored decision is made again from its facts and must give the
// same bytes; every charge, span, draw and line must be what was decided; every millisecond of
// closed work must be accounted for; every cached sum must equal its rows.
//
// It reads one snapshot, page by page, so that closings go on meanwhile and memory stays flat
// however many closures there are. progress hears how many of how many closures are done; it may
// be nil. An error means that the audit could not be finished, never that something was found.
func (s *Store) Audit(ctx context.Context, progress func(done, total int)) (billing.Audit, error) {
	began := s.now()
	a := &auditor{store: s, progress: progress}
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(t pgx.Tx) error {
		if err := t.QueryRow(ctx, "select count(*) from closures").Scan(&a.total); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, byKeys); err != nil {
			return err
		}
		if err := a.closures(ctx, t); err != nil {
			return err
		}
		if err := a.postings(ctx, t); err != nil {
			return err
		}
		if _, err := t.Exec(ctx, byStatistics); err != nil {
			return err
		}
		return a.sums(ctx, t)
	})
	if err != nil {
		return billing.Audit{}, fmt.Errorf("audit: %w", err)
	}
	return billing.Audit{
		Closures: a.done, Postings: a.postingsDone, Mismatched: a.mismatched.all(), Leaks: a.leaks.all(), Caches: a.caches.all(), Invoices: a.invoices.all(),
		Lines: a.lines.all(), Journal: a.journal.all(), ElapsedMS: s.now().Sub(began).Milliseconds(),
	}, nil
}

type auditor struct {
	store    *Store
	progress func(done, total int)

	mu                                         sync.Mutex
	total, done, postingsDone                  int
	mismatched, leaks, caches, invoices, lines findings
	journal                                    findings
}

// findings keeps the first of what was found and counts the rest: a broken database must not
// fill the memory that tells about it.
type findings struct {
	kept []string
	more int
}

const keptFindings = 1000

func (f *findings) add(says ...string) {
	for _, s := range says {
		if len(f.kept) == keptFindings {
			f.more++
			continue
		}
		f.kept = append(f.kept, s)
	}
}

func (f *findings) all() []string {
	if f.more > 0 {
		return append(f.kept, fmt.Sprintf("… and %d more", f.more))
	}
	return append([]string{}, f.kept...)
}

// closures reads pages and hands each to a worker, one for each processor.
func (a *auditor) closures(ctx context.Context, q querier) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pages := make(chan []closurePage)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			r := rerater{store: a.store}
			for page := range pages {
				if err := a.check(ctx, &r, page); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := func() error {
		defer close(pages)
		for last := int64(0); ; {
			page, err := readClosures(ctx, q, last)
			if err != nil || len(page) == 0 {
				return err
			}
			last = page[len(page)-1].ID
			select {
			case pages <- page:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}()
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (a *auditor) check(ctx context.Context, r *rerater, page []closurePage) error {
	for i := range page {
		mismatched, lines, err := page[i].check(ctx, r)
		if err != nil {
			return err
		}
		a.mu.Lock()
		a.mismatched.add(mismatched...)
		a.lines.add(lines...)
		a.done++
		a.mu.Unlock()
	}
	if a.progress != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.progress(a.done, a.total)
	}
	return nil
}

// sums asks what single statements can prove.
func (a *auditor) sums(ctx context.Context, q querier) error {
	leaks, err := Reads{q: q}.leaks(ctx)
	if err != nil {
		return err
	}
	a.leaks.add(leaks...)
	for _, proof := range []struct {
		what string
		into *findings
		sql  string
	}{
		{"stages", &a.leaks, wrongStages},
		{"blocks", &a.caches, wrongBlocks},
		{"what had left blocks", &a.caches, wrongGone},
		{"counters", &a.caches, wrongCounters},
		{"reservations", &a.caches, wrongReservations},
		{"projects", &a.caches, wrongProjects},
		{"invoice totals", &a.invoices, wrongTotals},
		{"invoices of lines", &a.invoices, wrongInvoices},
		{"invoice numbers", &a.invoices, wrongNumbers},
		{"payments", &a.invoices, wrongPayments},
		{"returned payments", &a.invoices, wrongReturns},
		{"disputes", &a.invoices, wrongDisputes},
		{"sendings of invoices and credit notes", &a.invoices, wrongSendings},
		{"files of invoices and credit notes", &a.invoices, wrongFiles},
		{"credit notes", &a.invoices, wrongCreditNotes},
		{"applied credit", &a.invoices, wrongApplications},
		{"credits", &a.invoices, wrongCredits},
		{"tax", &a.invoices, wrongTaxes},
		{"what is owed", &a.invoices, wrongOwed},
		{"void invoices", &a.invoices, wrongVoids},
		{"write-downs", &a.invoices, wrongWriteDowns},
		{"credited lines", &a.invoices, wrongCredited},
		{"carried invoices", &a.invoices, wrongCarries},
		{"exports", &a.invoices, wrongExports},
		{"credit balances", &a.caches, wrongBalances},
		{"entries of the journal", &a.journal, wrongEntries},
		{"sums of entries", &a.journal, wrongSums},
		{"revenue", &a.journal, wrongBilled},
		{"receivables", &a.journal, wrongReceivables},
		{"work in progress", &a.journal, wrongWIP},
		{"credit in the journal", &a.journal, wrongClientCredit},
		{"deferred revenue", &a.journal, wrongDeferred},
		{"days of block hours", &a.journal, wrongDays},
		{"minutes of blocks", &a.journal, wrongMinutes},
	} {
		rows, err := q.Query(ctx, proof.sql)
		if err != nil {
			return fmt.Errorf("compare %s: %w", proof.what, err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("compare %s: %w", proof.what, err)
		}
		proof.into.add(found...)
	}
	return nil
}
