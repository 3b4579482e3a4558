package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// RunPeriod is the transaction in which a billing period opens or closes: its fees, their corrections and what lacks to a
// minimum post by one keyed posting, or nothing does. A run that was made before answers as it did; one that cannot be
// priced yet, because nobody has counted or the term is over, waits and stores nothing; the last period of a cancelled
// contract is stored as a draft, and posts when a person approves it.
//
// Locks, in the order of every transaction of money: the period's counters by key, of which one is the period's own, so
// that each run is made once and nothing posts into the period while its sums are read; then its allowances' blocks, by id; then
// the open invoice, shared.
//
// Returns a *ticket.Problem where the contract has no such period, or it is not over yet.
func (s *Store) RunPeriod(ctx context.Context, run billing.DueRun, who string) (billing.PeriodReceipt, error) {
	return s.runPeriod(ctx, run, who, (*tx).commit)
}

// RunPeriodAhead is RunPeriod ahead of the disk, for a closing that makes many: what it made is kept for good once Flush has returned.
func (s *Store) RunPeriodAhead(ctx context.Context, run billing.DueRun) (billing.PeriodReceipt, error) {
	return s.runPeriod(ctx, run, "", (*tx).commitAhead)
}

func (s *Store) runPeriod(ctx context.Context, run billing.DueRun, who string, commit func(*tx, context.Context, *pgx.Batch) error) (receipt billing.PeriodReceipt, err error) {
	a, p, err := s.agreedPeriod(ctx, s.pool, run)
	if err != nil {
		return receipt, err
	}
	if err := s.ripe(a, p, run); err != nil {
		return receipt, err
	}
	err = s.tx(ctx, run.String(), func(t *tx) error {
		// 1. Lock the period, and read what it knows by then. Was the run made already?
		w := periodWriting{agreement: a, who: who}
		before, facts, err := s.lockPeriod(ctx, t, a, p, run, &w.invoices)
		if err != nil {
			return err
		}
		if before != nil {
			receipt = *before
			receipt.Posted, err = postedLines(ctx, t.conn, before.Posting)
			return err
		}

		// 2. What follows from it.
		decision, err := billing.DecidePeriod(facts)
		if err != nil {
			return err
		}
		receipt = billing.PeriodReceipt{DueRun: run, N: facts.N, Notes: decision.Notes, Says: decision.Say(facts), At: s.now().UTC()}
		if says := decision.Waits(); says != "" {
			receipt.State, receipt.Says = billing.PostingWaiting, says
			return nil
		}

		// 3. The period's allowances: an opening grants them, a closing ends them and grants the next ones.
		on := p.begins()
		if run.Run == billing.Closing {
			on = p.End
		}
		if a.grants() {
			if _, err := s.grantAllowances(ctx, t, a.contract, on, receipt.At); err != nil {
				return err
			}
		}

		// 4. Write all of it, and commit with it.
		b := t.batch()
		w.facts, w.decision, w.at = facts, decision, receipt.At
		if err := s.writePeriod(ctx, t, b, w, &receipt); err != nil {
			return err
		}
		return commit(t, ctx, b)
	})
	return receipt, err
}

func (s *Store) agreedPeriod(ctx context.Context, q querier, run billing.DueRun) (*agreement, agreedPeriod, error) {
	found, err := s.agreements(ctx, q, "", run.Contract)
	if err != nil {
		return nil, agreedPeriod{}, err
	}
	if len(found) == 0 {
		return nil, agreedPeriod{}, ticket.Invalid("contract", run.Contract, "is not known", "`docket contract list` shows the contracts")
	}
	p, ok := found[0].period(run.Period)
	if !ok {
		return nil, p, ticket.Invalid("period", run.Period.Start+" … "+run.Period.End, "is no billing period of "+run.Contract,
			"`docket period list --contract "+run.Contract+"` shows them")
	}
	return &found[0], p, nil
}

// ripe refuses to open a period that has not begun, and to close one that is not over.
func (s *Store) ripe(a *agreement, p agreedPeriod, run billing.DueRun) error {
	today, err := a.today(s.now())
	if err != nil {
		return err
	}
	switch {
	case run.Run == billing.Opening && today < p.begins():
		return ticket.Invalid("period", p.Start, "has not begun: it opens on "+p.begins(), "wait until then; --dry-run shows what it will bill")
	case run.Run == billing.Closing && today < p.End:
		return ticket.Invalid("period", p.Start, "is not over: it closes on "+p.End, "wait until then; --dry-run shows what it would bill by now")
	}
	return nil
}

// lockPeriod locks the period's counters, and then looks whether the run was made, and reads the facts: in one round trip, but by
// statements of their own, which see what was committed before the lock was theirs. The facts have the number of the next try; invoices
// are a hint where its lines go.
func (s *Store) lockPeriod(ctx context.Context, t *tx, a *agreement, p agreedPeriod, run billing.DueRun, invoices *[]invoiceRow) (before *billing.PeriodReceipt, facts billing.PeriodFacts, err error) {
	var n int
	b := t.batch()
	queueCounters(b, a.client, billing.WantPeriod(billing.PeriodFacts{Run: run.Run, Contract: a.contract, Period: p.Period, Versions: p.versions}), nil)
	b.Queue(`select count(*)::int + 1 from postings where contract_id = $1 and period_start = $2::text::date and period_end = $3::text::date
  and (kind = $4 or ($4 = 'closing' and kind = 'adjusting'))`, a.contract, p.Start, p.End, run.Run).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
	b.Queue(selectPostings+`
where p.contract_id = $1 and p.period_start = $2::text::date and p.period_end = $3::text::date and p.kind = $4 and p.state <> 'void'`,
		a.contract, p.Start, p.End, run.Run).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, scanPosting)
		if len(found) > 0 {
			before = &billing.PeriodReceipt{
				DueRun: run, N: found[0].N, Posting: found[0].ID, State: found[0].State, Digest: found[0].Digest, Says: found[0].Says, At: found[0].At,
			}
		}
		return err
	})
	queueInvoicesOf(b, a.payer, invoices)
	known := queuePeriodFacts(b, a, p, run.Run)
	if err := t.send(ctx, b); err != nil {
		return nil, facts, err
	}
	known.N = n
	return before, *known, nil
}

// queueCounters locks counters by key, made where they are missing, and reads them by the lock; into may be nil.
func queueCounters(b *pgx.Batch, client string, keys []string, into *[]billing.Counter) {
	b.Queue("insert into counters (key, client_id) select unnest($1::text[]), $2 on conflict do nothing", keys, client)
	b.Queue("select key, value from counters where key = any ($1) order by key for update", keys).Query(func(rows pgx.Rows) error {
		found, err := collectCounters(rows)
		if into != nil {
			*into = found
		}
		return err
	})
}

// periodWriting is what a run writes.
type periodWriting struct {
	agreement *agreement
	facts     billing.PeriodFacts
	decision  billing.PeriodDecision
	who       string
	at        time.Time
	invoices  []invoiceRow
}

// writePeriod queues the run's posting with its charges and lines, and fills in the receipt.
func (s *Store) writePeriod(ctx context.Context, t *tx, b *pgx.Batch, w periodWriting, receipt *billing.PeriodReceipt) error {
	ids, err := s.postings.take(ctx, t.conn, 1)
	if err != nil {
		return err
	}
	f := w.facts
	row := postingRow{
		id: ids[0], kind: string(f.Run), client: f.Client, contract: f.Contract, period: f.Period, n: f.N, rules: f.Rules,
		says: w.decision.Say(f), state: billing.PostingPosted, by: cmp.Or(w.who, itself), at: w.at,
	}
	run := billing.DueRun{Contract: f.Contract, Run: f.Run, Period: f.Period}
	if f.Run == billing.Adjusting {
		run.Run = billing.Closing // each adjustment closes the period once more
	}
	row.key = fmt.Sprintf("%s/%d", run.Key(), f.N)
	if w.decision.Draft() != "" {
		row.state = billing.PostingDraft
	}
	if row.facts, err = billing.Canonical(f); err != nil {
		return err
	}
	if row.decision, err = billing.Canonical(w.decision); err != nil {
		return err
	}
	row.digest = billing.DigestOf(row.decision)
	s.queuePosting(b, row)
	receipt.Posting, receipt.State, receipt.Effect, receipt.Digest, receipt.Says = row.id, row.state, true, row.digest, row.says
	if row.state == billing.PostingDraft {
		return nil
	}
	receipt.Posted, err = s.postCharges(ctx, t, b, row, w.agreement.payer, w.decision.Charges, &w.invoices, &moves{})
	return err
}
