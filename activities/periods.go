package activities

import (
	"context"

	"github.com/docket-psa/docket/billing"
)

// Periods is where billing periods open and close. Each run is one transaction that its key
// makes single.
type Periods interface {
	// PeriodsDue lists the runs that are due, of each contract in the order in which they must be made.
	PeriodsDue(ctx context.Context, f billing.DueFilter) ([]billing.DueRun, error)
	// RunPeriod makes one run; who is empty where nobody asked for it.
	RunPeriod(ctx context.Context, run billing.DueRun, who string) (billing.PeriodReceipt, error)
	// ExpireBlocks puts on record the end of blocks of hours that have expired, each once, and says of how many.
	ExpireBlocks(ctx context.Context) (int, error)
}

// PeriodActivities are the deeds of the scheduled workflow, by the names under which Temporal
// knows them.
type PeriodActivities struct{ periods Periods }

// NewPeriods gives the activities over the store.
func NewPeriods(p Periods) *PeriodActivities { return &PeriodActivities{periods: p} }

// DuePeriods lists at most so many of the runs that are due by now.
func (a *PeriodActivities) DuePeriods(ctx context.Context, most int) ([]billing.DueRun, error) {
	due, err := a.periods.PeriodsDue(ctx, billing.DueFilter{})
	return due[:min(most, len(due))], translate(err)
}

// RunPeriod opens or closes one billing period.
func (a *PeriodActivities) RunPeriod(ctx context.Context, run billing.DueRun) (billing.PeriodReceipt, error) {
	receipt, err := a.periods.RunPeriod(ctx, run, "")
	return receipt, translate(err)
}

// ExpireBlocks ends the blocks of hours that have expired: what is left of them rolls over, or is forfeited.
func (a *PeriodActivities) ExpireBlocks(ctx context.Context) (int, error) {
	n, err := a.periods.ExpireBlocks(ctx)
	return n, translate(err)
}
