package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// MonthType is the workflow that closes a month.
const MonthType = "Month"

// MonthProgress is the query that tells how far the closing is.
const MonthProgress = "progress"

// MonthWorkflowID is the id of the closing of what is over by a date: closed twice at once, it is closed once.
func MonthWorkflowID(m billing.MonthClose) string {
	id := "month/" + m.Until
	if m.Payer != "" {
		id += "/" + m.Payer
	}
	if m.Send { // who wants it sent does not join a closing that sends nothing
		id += "/send"
	}
	return id
}

var monthActs *activities.MonthActivities

const (
	finaliseAtOnce = 25 // invoices an activity
	renderAtOnce   = 10
	batchesAtOnce  = 4
	batchTakes     = 10 * time.Minute
	batchSilent    = time.Minute // without a word of the activity
)

// MonthClosing is how far the closing of a month is.
type MonthClosing struct {
	Stage     string `json:"stage"` // periods, invoices, files, mails, done
	Periods   int    `json:"periods"`
	Invoices  int    `json:"invoices"` // that are over
	Finalised int    `json:"finalised"`
	Refused   int    `json:"refused"`
	Files     int    `json:"files"` // invoices to render
	Rendered  int    `json:"rendered"`
	Mails     int    `json:"mails,omitempty"` // invoices to send
	Mailed    int    `json:"mailed,omitempty"`
}

// Month closes a month: the billing periods that are due, then the invoices that are over, their files, and where it is asked
// for the mails to their payers. It keeps
// nothing that is not in PostgreSQL: what is due is what is not done, so it may die on any line, and whoever closes the
// month again goes on from there. What is held does not stop the rest; it posts to a later invoice with its own date.
func Month(ctx workflow.Context, m billing.MonthClose) (billing.MonthReport, error) {
	if m.Until == "" { // by the schedule: the month that ended last
		now := workflow.Now(ctx).UTC()
		m.Until = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	c := &monthClosing{MonthClose: m}
	if err := workflow.SetQueryHandlerWithOptions(ctx, MonthProgress, func() (MonthClosing, error) { return c.at, nil },
		workflow.QueryHandlerOptions{Description: "How far the closing is."}); err != nil {
		return c.report, err
	}
	if err := c.do(ctx, "may it be closed", monthActs.MonthBegins, nil, m); err != nil {
		return c.report, err
	}
	if err := c.periods(ctx); err != nil {
		return c.report, err
	}
	if err := c.invoices(ctx); err != nil {
		return c.report, err
	}
	if err := c.files(ctx); err != nil {
		return c.report, err
	}
	if m.Send {
		if err := c.mails(ctx); err != nil {
			return c.report, err
		}
	}
	return c.came(ctx)
}

// monthClosing is one execution.
type monthClosing struct {
	billing.MonthClose
	at     MonthClosing
	swept  PeriodsSwept
	report billing.MonthReport
}

// do runs one activity until it is done; a Problem ends the closing with its reason.
func (c *monthClosing) do(ctx workflow.Context, summary string, act, into any, args ...any) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: batchTakes, HeartbeatTimeout: batchSilent,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: firstRunPause, MaximumInterval: longestPause, NonRetryableErrorTypes: []string{ticket.InvalidError}},
		Summary:     summary,
	})
	return workflow.ExecuteActivity(ctx, act, args...).Get(ctx, into)
}

// periods runs the billing periods that are due.
func (c *monthClosing) periods(ctx workflow.Context) error {
	c.tell(ctx, "periods")
	for {
		s := sweep{}
		due, err := s.list(ctx)
		if err != nil {
			return err
		}
		s.contracts = byContract(due)
		s.runAll(ctx)
		c.at.Periods += s.swept.Posted + s.swept.Drafts
		c.swept.Posted, c.swept.Drafts = c.swept.Posted+s.swept.Posted, c.swept.Drafts+s.swept.Drafts
		c.swept.Waiting, c.swept.Failed = s.swept.Waiting, s.swept.Failed
		c.tell(ctx, "periods")
		if len(due) < mostRuns || s.swept.Posted+s.swept.Drafts == 0 {
			s.expire(ctx)
			c.swept.Expired, c.swept.Failed = s.swept.Expired, s.swept.Failed
			return nil
		}
	}
}

// invoices finalises what is over, in batches, a few at once.
func (c *monthClosing) invoices(ctx workflow.Context) error {
	c.tell(ctx, "invoices")
	var over []billing.OverInvoice
	if err := c.do(ctx, "invoices that are over", monthActs.ListOver, &over, c.MonthClose); err != nil {
		return err
	}
	c.at.Invoices = len(over)
	return inBatches(ctx, over, finaliseAtOnce, func(ctx workflow.Context, batch []billing.OverInvoice) error {
		var done []billing.Finalised
		if err := c.do(ctx, fmt.Sprintf("finalise %d invoices from %s on", len(batch), batch[0].Payer), monthActs.FinaliseBatch, &done, batch, c.By); err != nil {
			return err
		}
		for _, f := range done {
			if f.Refused == "" {
				c.at.Finalised++
				continue
			}
			c.at.Refused++
			c.report.Refused = append(c.report.Refused, f)
		}
		c.tell(ctx, "invoices")
		return nil
	})
}

// files renders what is finalised and has no files.
func (c *monthClosing) files(ctx workflow.Context) error {
	c.tell(ctx, "files")
	var bare []int64
	if err := c.do(ctx, "invoices without files", monthActs.ListUnrendered, &bare, c.MonthClose); err != nil {
		return err
	}
	c.at.Files = len(bare)
	return inBatches(ctx, bare, renderAtOnce, func(ctx workflow.Context, batch []int64) error {
		var refused []string
		if err := c.do(ctx, fmt.Sprintf("render %d invoices", len(batch)), monthActs.RenderBatch, &refused, batch); err != nil {
			return err
		}
		c.at.Rendered += len(batch) - len(refused)
		c.report.Failed = append(c.report.Failed, refused...)
		c.tell(ctx, "files")
		return nil
	})
}

// mails hands the month's invoices to the outbox, each once.
func (c *monthClosing) mails(ctx workflow.Context) error {
	c.tell(ctx, "mails")
	var unsent []int64
	if err := c.do(ctx, "invoices that went to nobody yet", monthActs.ListUnsent, &unsent, c.MonthClose); err != nil {
		return err
	}
	c.at.Mails = len(unsent)
	return inBatches(ctx, unsent, finaliseAtOnce, func(ctx workflow.Context, batch []int64) error {
		var refused []string
		if err := c.do(ctx, fmt.Sprintf("mail %d invoices", len(batch)), monthActs.SendBatch, &refused, batch, c.By); err != nil {
			return err
		}
		c.at.Mailed += len(batch) - len(refused)
		c.report.Failed = append(c.report.Failed, refused...)
		c.tell(ctx, "mails")
		return nil
	})
}

// came reads what the month came to.
func (c *monthClosing) came(ctx workflow.Context) (billing.MonthReport, error) {
	refused, failed := c.report.Refused, append(c.swept.Failed, c.report.Failed...)
	if err := c.do(ctx, "what it came to", monthActs.MonthCame, &c.report, c.MonthClose); err != nil {
		return c.report, err
	}
	c.report.Refused, c.report.Failed, c.report.Waiting = refused, failed, c.swept.Waiting
	c.report.Posted, c.report.Drafts, c.report.Expired = c.swept.Posted, c.swept.Drafts, c.swept.Expired
	c.report.Rendered, c.report.At = c.at.Rendered, workflow.Now(ctx).UTC()
	c.tell(ctx, "done")
	return c.report, nil
}

// inBatches does all items, in batches of a size, a few batches at once. The first error ends it.
func inBatches[T any](ctx workflow.Context, items []T, size int, one func(workflow.Context, []T) error) error {
	next := 0
	var failed error
	group := workflow.NewWaitGroup(ctx)
	for range batchesAtOnce {
		group.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer group.Done()
			for next < len(items) && failed == nil {
				batch := items[next:min(next+size, len(items))]
				next += len(batch)
				if err := one(ctx, batch); err != nil && failed == nil {
					failed = err
				}
			}
		})
	}
	group.Wait(ctx)
	return failed
}

// tell writes the stage, and the current details of the Temporal UI.
func (c *monthClosing) tell(ctx workflow.Context, stage string) {
	c.at.Stage = stage
	lines := []string{
		fmt.Sprintf("**%s** · closing all that is over by %s", stage, c.Until),
		fmt.Sprintf("- %d runs of billing periods posted", c.at.Periods),
		fmt.Sprintf("- %d of %d invoices finalised, %d refused", c.at.Finalised, c.at.Invoices, c.at.Refused),
		fmt.Sprintf("- %d of %d rendered", c.at.Rendered, c.at.Files),
	}
	if c.Send {
		lines = append(lines, fmt.Sprintf("- %d of %d mailed", c.at.Mailed, c.at.Mails))
	}
	for i, r := range c.report.Refused {
		if i == shownRuns {
			lines = append(lines, fmt.Sprintf("- … and %d more", len(c.report.Refused)-i))
			break
		}
		lines = append(lines, "- "+escape(r.Payer+": "+r.Refused))
	}
	workflow.SetCurrentDetails(ctx, strings.Join(lines, "\n"))
}
