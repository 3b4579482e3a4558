package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

func newMonth(a *app) *cobra.Command {
	return noun("month", "Close months: billing periods, invoices, their files", newMonthClose(a), newMonthSchedule(a))
}

func newMonthClose(a *app) *cobra.Command {
	var (
		m   billing.MonthClose
		dry bool
	)
	c := &cobra.Command{
		Use:   "close MONTH",
		Short: "Run what is due, finalise what is over, render and send it: as often as you like, with one effect",
		Long: `Closes all that is over by the end of the month (2026-03): the runs of billing periods that are due, blocks of hours that
have ended, then every open invoice whose period is over in its payer's zone, the files of what is finalised and of credit notes, and
with --send the mails that take the month's invoices and credit notes to their payers. It is a workflow, month/…, which anybody may watch in the Temporal UI; closed again, it goes on where it stopped, or tells what it came to.

What waits for a person keeps back nothing: it posts to a later invoice with its own date of service.`,
		Args: exactly("MONTH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := notBoth(cmd, "send", "without-files") // the files are what is sent
			if err != nil {
				return err
			}
			if m.Until, err = monthEnd(args[0]); err != nil {
				return err
			}
			if dry {
				return a.monthPreview(cmd.Context(), m)
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			m.By = who.ID
			report, err := a.closeMonth(cmd.Context(), m)
			if err != nil {
				return err
			}
			if err := a.show(report, func() { a.month(report) }); err != nil {
				return err
			}
			if len(report.Refused)+len(report.Failed) > 0 {
				return errFound
			}
			return nil
		},
	}
	c.Flags().StringVar(&m.Payer, "client", "", "only the invoices of this `client`")
	c.Flags().BoolVar(&m.Send, "send", false, "mail the month's invoices to their payers, each once")
	c.Flags().BoolVar(&m.WithoutFiles, "without-files", false, "finalise, and leave the files to the next closing")
	c.Flags().BoolVar(&dry, "dry-run", false, "tell what it would do and come to, and change nothing")
	return c
}

// monthEnd gives the first date after a month.
func monthEnd(month string) (string, error) {
	begins, err := time.Parse("2006-01", month)
	if err != nil {
		return "", ticket.Invalid("month", month, "is not a month", "write it like 2026-03")
	}
	until := begins.AddDate(0, 1, 0)
	if until.Year() > 9999 {
		return "", ticket.Invalid("month", month, "lies too far ahead", "write it like 2026-03")
	}
	return until.Format(time.DateOnly), nil
}

// closeMonth runs the workflow, or joins the one that runs, and tells how far it is.
func (a *app) closeMonth(ctx context.Context, m billing.MonthClose) (report billing.MonthReport, err error) {
	s, err := a.open(ctx)
	if err != nil {
		return report, err
	}
	if err := s.store.MayCloseMonth(ctx, m); err != nil { // told at once, rather than by a workflow that fails
		return report, err
	}
	if m, err = s.store.ProveMonth(ctx, m); err != nil {
		return report, err
	}
	run, err := s.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflows.MonthWorkflowID(m), TaskQueue: ticket.TaskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:            "close all that is over by " + m.Until,
	}, workflows.MonthType, m)
	if err != nil {
		return report, fmt.Errorf("start the closing of the month: %w", err)
	}
	finished := make(chan error, 1)
	go func() { finished <- run.Get(ctx, &report) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last workflows.MonthClosing
	for {
		select {
		case err := <-finished:
			var refused *temporal.ApplicationError
			if errors.As(err, &refused) {
				return report, errors.New(refused.Message())
			}
			return report, err
		case <-tick.C:
			at, ok := a.monthAt(ctx, s, run.GetID())
			if ok && at != last {
				last = at
				a.say("%s", at)
			}
		}
	}
}

// monthAt asks the run that is the last one by now: a long closing goes on as another.
func (a *app) monthAt(ctx context.Context, s *session, id string) (at workflows.MonthClosing, ok bool) {
	within, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	found, err := s.temporal.QueryWorkflow(within, id, "", workflows.MonthProgress)
	return at, err == nil && found.Get(&at) == nil
}

// month tells what the month came to.
func (a *app) month(r billing.MonthReport) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(a.stdout, format+"\n", args...) }
	p("All that was over by %s is closed: %s posted, %s ended.", r.Until, count(r.Posted, "run"), count(r.Expired, "block"))
	if r.Drafts > 0 {
		p("Waiting for a person: %s. docket period list --state draft", count(r.Drafts, "draft"))
	}
	for _, f := range r.Finalised {
		p("Finalised: %s", finalisedMonth(f))
	}
	if len(r.Finalised) == 0 {
		p("No invoice of the month was finalised.")
	}
	if r.Older > 0 {
		p("Finalised too: %s of earlier months, which no closing mails: docket invoice send INVOICE", count(r.Older, "invoice"))
	}
	if r.Sent+r.SentNotes > 0 {
		p("Mailed: %s, %s; docket notify list tells what became of each", count(r.Sent, "invoice"), count(r.SentNotes, "credit note"))
	}
	for _, payer := range r.Homeless {
		p("Not mailed: %s has no mail address: docket client address %s --email ADDRESS", payer, payer)
	}
	for _, h := range r.Held {
		p("Held: %s of %s (%s, %s), %s: it posts to a later invoice", count(h.Holds, "line"), h.Payer, h.Kind, h.Reason, money(h.Amount, h.Currency))
	}
	for _, f := range r.Refused {
		p("Refused: %s of %s, %s: %s", ticket.InvoiceID(f.Invoice), f.Payer, f.Start, f.Refused)
	}
	for _, w := range r.Waiting {
		p("Waiting: %s", w)
	}
	for _, past := range r.Past {
		p("Not billed: %s; where nobody else has: %s", &past, past.Command())
	}
	for _, f := range r.Failed {
		p("Failed: %s", f)
	}
	if r.Untold > 0 {
		p("… and %d more, not listed here: docket month close MONTH --client CLIENT tells them client by client", r.Untold)
	}
}

// finalisedMonth tells of a month's invoices in one currency.
func finalisedMonth(f billing.FinalisedMonth) string {
	says := fmt.Sprintf("%s, %s to %s, %s with tax", count(f.Invoices, "invoice"), f.First, f.Last, money(f.Total, f.Currency))
	if f.Void > 0 {
		says += fmt.Sprintf("; %d of them void, and not in that sum", f.Void)
	}
	return says
}
