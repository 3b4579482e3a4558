package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/docket-psa/docket/billing"
)

// Periods is where billing periods open and close. Each run is one transaction that its key
// makes single.
type Periods interface {
	// PeriodsDue lists the runs that are due, of each contract in the order in which they must be made.
	PeriodsDue(ctx context.Context, f billing.DueFilter) ([]billing.DueRun, error)
	// RunPeriod makes one run; who is empty where nobody asked for it.
	RunPeriod(ctx context.Context, run billing.DueRun, who string) (billing.PeriodReceipt, error)
	// RunPeriodAhead makes one of many, which is kept for good once Flush has returned.
	RunPeriodAhead(ctx context.Context, run billing.DueRun) (billing.PeriodReceipt, error)
	// Flush waits until all that was done before is on the disk.
	Flush(ctx context.Context) error
	// ExpireBlocks puts on record the end of blocks of hours that have expired, each once, and says of how many.
	ExpireBlocks(ctx context.Context) (int, error)
}

// PeriodActivities are the deeds of the scheduled workflow, by the names under which Temporal
// knows them.
type PeriodActivities struct{ periods Periods }

// NewPeriods gives the activities over the store.
func NewPeriods(p Periods) *PeriodActivities { return &PeriodActivities{periods: p} }

// DuePeriods lists runs that are due by now, of the contracts after one, by id: a page that ends with the contract that
// makes them so many. Fewer than so many: there are no more.
func (a *PeriodActivities) DuePeriods(ctx context.Context, most int, after string) ([]billing.DueRun, error) {
	due, err := a.periods.PeriodsDue(ctx, billing.DueFilter{Most: most, After: after})
	return due, translate(err)
}

// RunPeriod opens or closes one billing period.
func (a *PeriodActivities) RunPeriod(ctx context.Context, run billing.DueRun) (billing.PeriodReceipt, error) {
	receipt, err := a.periods.RunPeriod(ctx, run, "")
	return receipt, translate(err)
}

// PeriodsRun is what some runs came to.
type PeriodsRun struct {
	Posted  int              `json:"posted"`
	Drafts  int              `json:"drafts,omitempty"`
	Waiting []string         `json:"waiting,omitempty"` // and why
	Failed  []billing.DueRun `json:"failed,omitempty"`  // with the runs of their contracts after them: to be tried one at a time
}

// RunPeriods makes the runs of some contracts, one transaction each, those of a contract in order. One that waits or
// fails keeps back its contract alone. It tells how far it is.
func (a *PeriodActivities) RunPeriods(ctx context.Context, runs []billing.DueRun) (done PeriodsRun, err error) {
	stopped := "" // the contract that goes no further
	for i, run := range runs {
		if run.Contract == stopped {
			continue
		}
		receipt, err := a.periods.RunPeriodAhead(ctx, run)
		switch {
		case ctx.Err() != nil:
			return done, translate(ctx.Err())
		case err != nil:
			stopped = run.Contract
			for _, left := range runs[i:] {
				if left.Contract == stopped {
					done.Failed = append(done.Failed, left)
				}
			}
		case receipt.State == billing.PostingWaiting:
			stopped = run.Contract
			done.Waiting = append(done.Waiting, run.String()+": "+receipt.Says)
		case receipt.State == billing.PostingDraft:
			done.Drafts++
		default:
			done.Posted++
		}
		activity.RecordHeartbeat(ctx, i+1)
	}
	return done, translate(a.periods.Flush(ctx))
}

// ExpireBlocks ends the blocks of hours that have expired: what is left of them rolls over, or is forfeited.
func (a *PeriodActivities) ExpireBlocks(ctx context.Context) (int, error) {
	n, err := a.periods.ExpireBlocks(ctx)
	return n, translate(err)
}
