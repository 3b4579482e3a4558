package workflows

import (
	"fmt"
	"slices"
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
	runsInBatch    = 50 // of billing periods, an activity
	finaliseAtOnce = 50 // invoices an activity
	renderAtOnce   = 10
	batchesAtOnce  = 12
	numbersAtOnce  = 4   // batches of invoices: they wait for each other's number, and not for the disk
	pageOfRuns     = 500 // listed at once: while they run the next ones are listed, and the contracts of both are kept compiled
	pageOfInvoices = 1000
	batchTakes     = 10 * time.Minute
	batchSilent    = time.Minute // without a word of the activity
)

// The stages of a closing, in order.
const (
	closingPeriods  = "periods"
	closingInvoices = "invoices"
	closingFiles    = "files"
	closingMails    = "mails"
	closingDone     = "done"
)

// MonthClosing is how far the closing of a month is.
type MonthClosing struct {
	Stage     string `json:"stage"`    // periods, invoices, files, mails, done
	Due       int    `json:"due"`      // runs of billing periods, as far as they were listed
	Periods   int    `json:"periods"`  // that posted
	Invoices  int    `json:"invoices"` // that are over, as far as they were listed
	Finalised int    `json:"finalised"`
	Older     int    `json:"older,omitempty"` // of those finalised: of earlier months
	Refused   int    `json:"refused"`
	Files     int    `json:"files"` // invoices and credit notes to render, as far as they were listed
	Rendered  int    `json:"rendered"`
	Mails     int    `json:"mails,omitempty"` // of them, to send
	Mailed    int    `json:"mailed,omitempty"`
}

// String tells people how far it is.
func (c MonthClosing) String() string {
	says := fmt.Sprintf("%s: %d of %d period runs posted · %d of %d invoices finalised · %d refused · %d of %d rendered",
		c.Stage, c.Periods, c.Due, c.Finalised, c.Invoices, c.Refused, c.Rendered, c.Files)
	if c.Mails > 0 {
		says += fmt.Sprintf(" · %d of %d mailed", c.Mailed, c.Mails)
	}
	return says
}

// MonthSoFar is what a closing hands on when its history grows long and it continues as another run: it goes on with the page after.
type MonthSoFar struct {
	At       MonthClosing        `json:"at"`
	Swept    PeriodsSwept        `json:"swept"`
	Refused  []billing.Finalised `json:"refused,omitempty"`
	Failed   []string            `json:"failed,omitempty"`
	Untold   int                 `json:"untold,omitempty"`
	Contract string              `json:"contract,omitempty"` // the last one whose periods were run
	Over     billing.OverInvoice `json:"over"`               // the last one that was finalised
	Rendered int64               `json:"rendered,omitempty"` // the last invoice that was
	Note     int64               `json:"note,omitempty"`     // the last credit note that was
}

// Month closes a month: the billing periods that are due, then the invoices that are over, their files, and where it is asked
// for the mails to their payers. It keeps nothing that is not in PostgreSQL: what is due is what is not done, so it may die
// on any line, and whoever closes the month again goes on from there. What is held does not stop the rest; it posts to a later invoice with its own date.
//
// All is read and done by pages, so that neither a message nor the history grows with the house. so is empty at first.
func Month(ctx workflow.Context, m billing.MonthClose, so MonthSoFar) (report billing.MonthReport, err error) {
	if m.Each && m.Until == "" { // by the schedule: the month that ended last
		now := workflow.Now(ctx).UTC()
		m.Until = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	c := &monthClosing{MonthClose: m, MonthSoFar: so}
	if err := workflow.SetQueryHandlerWithOptions(ctx, MonthProgress, func() (MonthClosing, error) { return c.At, nil },
		workflow.QueryHandlerOptions{Description: "How far the closing is."}); err != nil {
		return report, err
	}
	// Each run asks, one that continues another too: how far it is may have been typed into Temporal like the rest.
	if err := c.do(ctx, "may it be closed", monthActs.MonthBegins, nil, m); err != nil {
		return report, err
	}
	switch c.At.Stage {
	case "", closingPeriods:
		if err := c.periods(ctx); err != nil {
			return report, err
		}
		fallthrough
	case closingInvoices:
		if err := c.invoices(ctx); err != nil {
			return report, err
		}
		fallthrough
	case closingFiles:
		if m.WithoutFiles {
			break
		}
		if err := c.files(ctx); err != nil {
			return report, err
		}
	}
	if m.Send {
		if err := c.mails(ctx); err != nil {
			return report, err
		}
	}
	return c.came(ctx)
}

// monthClosing is one execution.
type monthClosing struct {
	billing.MonthClose
	MonthSoFar
}

// onward lets the closing continue as another run where its history has become long, between two pages.
func (c *monthClosing) onward(ctx workflow.Context) error {
	if workflow.GetInfo(ctx).GetContinueAsNewSuggested() {
		return workflow.NewContinueAsNewError(ctx, MonthType, c.MonthClose, c.MonthSoFar)
	}
	return nil
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

// periods runs the billing periods that are due: contract by contract, in batches, a few at once.
func (c *monthClosing) periods(ctx workflow.Context) error {
	c.tell(ctx, closingPeriods)
	for page := listingDue(ctx, c.Contract, pageOfRuns); page != nil; {
		var due []billing.DueRun
		if err := page.Get(ctx, &due); err != nil {
			return err
		}
		page = nil
		if len(due) >= pageOfRuns {
			page = listingDue(ctx, due[len(due)-1].Contract, pageOfRuns)
		}
		c.At.Due += len(due)
		if err := inBatches(ctx, byContract(due), runsInBatch, batchesAtOnce, c.run); err != nil {
			return err
		}
		if page != nil {
			c.Contract = due[len(due)-1].Contract
			if err := c.onward(ctx); err != nil {
				return err
			}
		}
	}
	s := sweep{}
	s.expire(ctx)
	c.Swept.Expired = s.swept.Expired
	billing.Tell(&c.Swept.Failed, &c.Untold, s.swept.Failed...)
	return nil
}

// run makes the runs of some contracts. What fails is tried again, each by itself as the hourly sweep does it.
func (c *monthClosing) run(ctx workflow.Context, contracts [][]billing.DueRun) error {
	runs := slices.Concat(contracts...)
	var done activities.PeriodsRun
	if err := c.do(ctx, fmt.Sprintf("run %d billing periods from %s on", len(runs), runs[0].Contract), periodActs.RunPeriods, &done, runs); err != nil {
		return err
	}
	s := sweep{contracts: byContract(done.Failed)}
	s.runAll(ctx)
	c.Swept.Posted, c.Swept.Drafts = c.Swept.Posted+done.Posted+s.swept.Posted, c.Swept.Drafts+done.Drafts+s.swept.Drafts
	billing.Tell(&c.Swept.Waiting, &c.Untold, append(done.Waiting, s.swept.Waiting...)...)
	billing.Tell(&c.Swept.Failed, &c.Untold, s.swept.Failed...)
	c.At.Periods = c.Swept.Posted + c.Swept.Drafts
	c.tell(ctx, closingPeriods)
	return nil
}

// invoices finalises what is over, in batches, a few at once.
func (c *monthClosing) invoices(ctx workflow.Context) error {
	c.tell(ctx, closingInvoices)
	for {
		var over []billing.OverInvoice
		if err := c.do(ctx, "invoices that are over", monthActs.ListOver, &over, c.MonthClose, c.Over, pageOfInvoices); err != nil {
			return err
		}
		c.At.Invoices += len(over)
		if err := inBatches(ctx, over, finaliseAtOnce, numbersAtOnce, c.finalise); err != nil {
			return err
		}
		if len(over) < pageOfInvoices {
			return nil
		}
		c.Over = over[len(over)-1]
		if err := c.onward(ctx); err != nil {
			return err
		}
	}
}

func (c *monthClosing) finalise(ctx workflow.Context, batch []billing.OverInvoice) error {
	var done []billing.Finalised
	if err := c.do(ctx, fmt.Sprintf("finalise %d invoices from %s on", len(batch), batch[0].Payer), monthActs.FinaliseBatch, &done, batch, c.By); err != nil {
		return err
	}
	for _, f := range done {
		if f.Refused == "" {
			c.At.Finalised++
			if f.End <= c.Begins() {
				c.At.Older++
			}
			continue
		}
		c.At.Refused++
		billing.Tell(&c.Refused, &c.Untold, f)
	}
	c.tell(ctx, closingInvoices)
	return nil
}

// papers is one kind of document that a closing renders and mails.
type papers struct {
	noun                               string
	listBare, render, listUnsent, send any // activities
}

var (
	invoicePapers = papers{"invoices", monthActs.ListUnrendered, monthActs.RenderBatch, monthActs.ListUnsent, monthActs.SendBatch}
	notePapers    = papers{"credit notes", monthActs.ListUnrenderedNotes, monthActs.RenderNotes, monthActs.ListUnsentNotes, monthActs.SendNotes}
)

// withNotes says whether the run has credit notes on its way: those of before had none.
func withNotes(ctx workflow.Context) bool {
	return workflow.GetVersion(ctx, "credit-notes-have-files", workflow.DefaultVersion, 1) >= 1
}

// files renders what is finalised, or was issued, and has no files.
func (c *monthClosing) files(ctx workflow.Context) error {
	c.tell(ctx, closingFiles)
	if err := c.filesOf(ctx, invoicePapers, &c.Rendered); err != nil || !withNotes(ctx) {
		return err
	}
	return c.filesOf(ctx, notePapers, &c.Note)
}

// filesOf renders one kind of them, after the last one that was.
func (c *monthClosing) filesOf(ctx workflow.Context, p papers, last *int64) error {
	for {
		var bare []int64
		if err := c.do(ctx, p.noun+" without files", p.listBare, &bare, c.MonthClose, *last, pageOfInvoices); err != nil {
			return err
		}
		c.At.Files += len(bare)
		if err := inBatches(ctx, bare, renderAtOnce, batchesAtOnce, func(ctx workflow.Context, batch []int64) error { return c.render(ctx, p, batch) }); err != nil {
			return err
		}
		if len(bare) < pageOfInvoices {
			return nil
		}
		*last = bare[len(bare)-1]
		if err := c.onward(ctx); err != nil {
			return err
		}
	}
}

func (c *monthClosing) render(ctx workflow.Context, p papers, batch []int64) error {
	var refused []string
	if err := c.do(ctx, fmt.Sprintf("render %d %s", len(batch), p.noun), p.render, &refused, batch); err != nil {
		return err
	}
	c.At.Rendered += len(batch) - len(refused)
	billing.Tell(&c.Failed, &c.Untold, refused...)
	c.tell(ctx, closingFiles)
	return nil
}

// mails hands the month's invoices and credit notes to the outbox, each once.
func (c *monthClosing) mails(ctx workflow.Context) error {
	c.tell(ctx, closingMails)
	if err := c.mailsOf(ctx, invoicePapers); err != nil || !withNotes(ctx) {
		return err
	}
	return c.mailsOf(ctx, notePapers)
}

func (c *monthClosing) mailsOf(ctx workflow.Context, p papers) error {
	var unsent []int64
	if err := c.do(ctx, p.noun+" that went to nobody yet", p.listUnsent, &unsent, c.MonthClose); err != nil {
		return err
	}
	c.At.Mails += len(unsent)
	return inBatches(ctx, unsent, finaliseAtOnce, batchesAtOnce, func(ctx workflow.Context, batch []int64) error {
		var refused []string
		if err := c.do(ctx, fmt.Sprintf("mail %d %s", len(batch), p.noun), p.send, &refused, batch, c.By); err != nil {
			return err
		}
		c.At.Mailed += len(batch) - len(refused)
		billing.Tell(&c.Failed, &c.Untold, refused...)
		c.tell(ctx, closingMails)
		return nil
	})
}

// came reads what the month came to.
func (c *monthClosing) came(ctx workflow.Context) (report billing.MonthReport, err error) {
	if err := c.do(ctx, "what it came to", monthActs.MonthCame, &report, c.MonthClose); err != nil {
		return report, err
	}
	report.Untold += c.Untold
	billing.Tell(&report.Refused, &report.Untold, c.Refused...)
	billing.Tell(&report.Failed, &report.Untold, append(c.Swept.Failed, c.Failed...)...)
	report.Waiting, report.Posted, report.Drafts, report.Expired = c.Swept.Waiting, c.Swept.Posted, c.Swept.Drafts, c.Swept.Expired
	report.Older = c.At.Older
	report.Rendered, report.At = c.At.Rendered, workflow.Now(ctx).UTC()
	c.tell(ctx, closingDone)
	return report, nil
}

// inBatches does all items, in batches of a size, some batches at once. The first error ends it.
func inBatches[T any](ctx workflow.Context, items []T, size, atOnce int, one func(workflow.Context, []T) error) error {
	next := 0
	var failed error
	group := workflow.NewWaitGroup(ctx)
	for range atOnce {
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
	c.At.Stage = stage
	lines := []string{
		fmt.Sprintf("**%s** · closing all that is over by %s", stage, c.Until),
		fmt.Sprintf("- %d of %d runs of billing periods posted", c.At.Periods, c.At.Due),
		fmt.Sprintf("- %d of %d invoices finalised, %d refused", c.At.Finalised, c.At.Invoices, c.At.Refused),
		fmt.Sprintf("- %d of %d rendered", c.At.Rendered, c.At.Files),
	}
	if c.Send {
		lines = append(lines, fmt.Sprintf("- %d of %d mailed", c.At.Mailed, c.At.Mails))
	}
	for _, r := range c.Refused[:min(shownRuns, len(c.Refused))] {
		lines = append(lines, "- "+escape(r.Payer+": "+r.Refused))
	}
	if more := c.At.Refused - shownRuns; more > 0 {
		lines = append(lines, fmt.Sprintf("- … and %d more", more))
	}
	workflow.SetCurrentDetails(ctx, strings.Join(lines, "\n"))
}
