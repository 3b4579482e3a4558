package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// PeriodRuling is a person's word about a draft: the last period of a cancelled contract, or one that goes beyond its
// purchase order.
type PeriodRuling struct {
	Contract string
	Period   string // its first day, or its month
	By       string // person id
	Approve  bool   // false: the draft is void, and the next run drafts afresh
	Reason   string // of a refusal
}

// RulePeriod posts the draft of a period as it was drafted, or voids it. What posted into the
// period meanwhile adjusts it in the same transaction. A draft that is decided answers what became of it.
func (s *Store) RulePeriod(ctx context.Context, r PeriodRuling) (receipt billing.PeriodReceipt, err error) {
	if !r.Approve && strings.TrimSpace(r.Reason) == "" {
		return receipt, ticket.Invalid("reason", "", "is missing", "say why the draft is declined, for whoever corrects the contract")
	}
	draft, err := s.findDraft(ctx, r)
	if err != nil {
		return receipt, err
	}
	run := billing.DueRun{Contract: r.Contract, Client: draft.Client, Run: billing.PeriodRun(draft.Kind), Period: draft.Period}
	a, p, err := s.agreedPeriod(ctx, s.pool, run)
	if err != nil {
		return receipt, err
	}
	err = s.tx(ctx, "rule on the "+run.String(), func(t *tx) error {
		people := map[string]actor{}
		b := t.batch()
		queueCounters(b, a.client, billing.WantPeriod(billing.PeriodFacts{Run: run.Run, Contract: a.contract, Period: p.Period, Versions: p.versions}), nil)
		queueActors(b, []string{r.By}, people)
		b.Queue(selectPostings+" where p.id = $1", draft.ID).Query(func(rows pgx.Rows) (err error) {
			draft, err = pgx.CollectExactlyOneRow(rows, scanPosting)
			return err
		})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		by, err := pick(people, "by", r.By)
		if err != nil {
			return err
		}
		if !by.mayFinalise() {
			return ticket.Invalid("by", r.By, "may not rule on a draft", "it takes the role owner or finance")
		}
		receipt = billing.PeriodReceipt{DueRun: run, N: draft.N, Posting: draft.ID, State: draft.State, Digest: draft.Digest, At: draft.At}
		if draft.State != billing.PostingDraft {
			receipt.Says = fmt.Sprintf("%s is %s already, by %s", draft.Key, draft.State, draft.Decider)
			return nil
		}
		return s.decideDraft(ctx, t, a, draft, r, by, &receipt)
	})
	return receipt, err
}

func (s *Store) decideDraft(ctx context.Context, t *tx, a *agreement, draft billing.PostingView, r PeriodRuling, by actor, receipt *billing.PeriodReceipt) error {
	at := s.now().UTC()
	receipt.State, receipt.Effect, receipt.At = billing.PostingVoid, true, at
	receipt.Says = fmt.Sprintf("%s declined it: %s", by.Name, r.Reason)
	if r.Approve {
		receipt.State = billing.PostingPosted
		receipt.Says = fmt.Sprintf("%s approved it: %s", by.Name, draft.Says)
	}
	b := t.batch()
	b.Queue("update postings set state = $2, decided_at = $3, decided_by = $4, decided_says = $5 where id = $1",
		draft.ID, receipt.State, at, r.By, receipt.Says)
	if !r.Approve {
		return t.commit(ctx, b)
	}
	row := postingRow{id: draft.ID, client: draft.Client, contract: draft.Contract, at: at}
	var invoices []invoiceRow
	posted, err := s.postCharges(ctx, t, b, row, a.payer, draft.Charges, &invoices, &moves{})
	if err != nil {
		return err
	}
	receipt.Posted = posted
	// The rows must be there for what was billed meanwhile to be compared with them.
	if err := t.send(ctx, b); err != nil {
		return err
	}
	b = t.batch()
	if draft.Kind == string(billing.Opening) {
		return t.commit(ctx, b)
	}
	late := lateness{posting: posting{at: at}, because: "Work that came while its draft waited", invoices: &invoices}
	if err := s.adjustPeriod(ctx, t, b, a, draft.Period, late); err != nil {
		return err
	}
	return t.commit(ctx, b)
}

// findDraft finds the draft of the contract's period, or the one that was decided last.
func (s *Store) findDraft(ctx context.Context, r PeriodRuling) (billing.PostingView, error) {
	rows, err := s.pool.Query(ctx, selectPostings+`
where p.contract_id = $1 and p.kind in ('opening', 'closing') and p.period_start::text = $2 and (p.state = 'draft' or p.decided_at is not null)
order by p.state = 'draft' desc, p.id desc limit 1`, r.Contract, firstDay(r.Period))
	if err != nil {
		return billing.PostingView{}, fmt.Errorf("look for the draft of %s: %w", r.Contract, err)
	}
	found, err := pgx.CollectRows(rows, scanPosting)
	if err != nil {
		return billing.PostingView{}, fmt.Errorf("look for the draft of %s: %w", r.Contract, err)
	}
	if len(found) == 0 {
		return billing.PostingView{}, ticket.Invalid("period", r.Period, "has no draft of "+r.Contract, "`docket period list --state draft` shows what waits")
	}
	return found[0], nil
}
