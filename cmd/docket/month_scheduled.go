package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// scheduledMonths is what the schedule does, and did last.
type scheduledMonths struct {
	Scheduled bool       `json:"scheduled"`
	By        string     `json:"by,omitempty"`
	Day       int        `json:"day,omitempty"`
	Send      bool       `json:"send,omitempty"`
	Paused    bool       `json:"paused,omitempty"`  // in Temporal
	Refused   string     `json:"refused,omitempty"` // why its next run will close nothing: the person has left, or has no right any more
	Next      *time.Time `json:"next,omitempty"`
	Last      string     `json:"last,omitempty"`   // the workflow that it started last
	Came      string     `json:"came,omitempty"`   // what that came to: Completed, Failed, Running …
	Failed    string     `json:"failed,omitempty"` // why it closed nothing, as long as invoices of that time are open
}

// failing says whether somebody must do something, or months stay open.
func (m *scheduledMonths) failing() bool { return m.Refused != "" || m.Failed != "" }

// again are the commands that schedule months in the name of somebody who may.
func (m *scheduledMonths) again() string {
	send := ""
	if m.Send {
		send = " --send"
	}
	return fmt.Sprintf("as an owner, or finance: docket month schedule --off --as PERSON, then docket month schedule --day %d%s --as PERSON", m.Day, send)
}

// scheduledMonths asks Temporal what is scheduled, and PostgreSQL whether it can be done.
func (s *session) scheduledMonths(ctx context.Context, now time.Time) (m scheduledMonths, err error) {
	found, err := s.temporal.ScheduleClient().GetHandle(ctx, monthSchedule).Describe(ctx)
	var none *serviceerror.NotFound
	if errors.As(err, &none) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("read the schedule of months: %w", err)
	}
	m = scheduledMonths{Scheduled: true, Paused: found.Schedule.State != nil && found.Schedule.State.Paused}
	var each billing.MonthClose
	if action, ok := found.Schedule.Action.(*client.ScheduleWorkflowAction); ok && len(action.Args) > 0 {
		if raw, ok := action.Args[0].(*commonpb.Payload); ok && converter.GetDefaultDataConverter().FromPayload(raw, &each) == nil {
			m.By, m.Send = each.By, each.Send
		}
	}
	if on := found.Schedule.Spec.Calendars; len(on) > 0 && len(on[0].DayOfMonth) > 0 {
		m.Day = on[0].DayOfMonth[0].Start
	}
	if next := found.Info.NextActionTimes; len(next) > 0 {
		m.Next = &next[0]
	}
	// Some month that is over for sure: the question is who asked, and whether he may.
	each.Until = now.AddDate(-1, 0, 0).Format(time.DateOnly)
	var refused *ticket.Problem
	if err := s.store.BeginMonth(ctx, each); errors.As(err, &refused) {
		m.Refused = refused.Error()
	} else if err != nil {
		return m, err
	}
	if recent := found.Info.RecentActions; len(recent) > 0 && recent[len(recent)-1].StartWorkflowResult != nil {
		err = s.lastScheduled(ctx, &m, recent[len(recent)-1])
	}
	return m, err
}

// lastScheduled tells what became of the last run, as long as Temporal keeps it.
func (s *session) lastScheduled(ctx context.Context, m *scheduledMonths, last client.ScheduleActionResult) error {
	run := last.StartWorkflowResult
	m.Last = run.WorkflowID
	about, err := s.temporal.DescribeWorkflowExecution(ctx, run.WorkflowID, "") // the last of those that it went on as
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask what became of %s: %w", run.WorkflowID, err)
	}
	status := about.GetWorkflowExecutionInfo().GetStatus()
	m.Came = status.String()
	switch status {
	case enumspb.WORKFLOW_EXECUTION_STATUS_FAILED, enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED, enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED, enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
	default:
		return nil
	}
	at := last.ActualTime.UTC()
	until := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	open, err := s.store.OverInvoices(ctx, billing.MonthClose{Until: until}, billing.OverInvoice{}, 1)
	if err != nil || len(open) == 0 { // somebody has closed the month since
		return err
	}
	m.Failed = "it " + status.String()
	var told *temporal.ApplicationError
	if err := s.temporal.GetWorkflow(ctx, run.WorkflowID, "").Get(ctx, nil); errors.As(err, &told) {
		m.Failed = told.Message()
	}
	return nil
}

func (a *app) monthScheduled(ctx context.Context) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	m, err := s.scheduledMonths(ctx, a.now())
	if err != nil {
		return err
	}
	if !m.Scheduled {
		return a.told(m, closedByHand)
	}
	return a.show(m, func() {
		paused := ""
		if m.Paused {
			paused = "paused in Temporal; "
		}
		fields(a.stdout, "next", paused+a.whenever(m.Next), "in the name of", m.By, "mails", map[bool]string{true: "to their payers, too", false: "none"}[m.Send],
			"refused", m.Refused, "last", m.Last, "came to", m.Came, "failed", m.Failed)
		if m.Refused != "" {
			_, _ = fmt.Fprintln(a.stdout, "\nIt closes nothing until it is scheduled again: "+m.again())
		}
	})
}

// tellWhoseMonths says so where months close in the name of somebody who has left. Without Temporal the doctor will.
func (a *app) tellWhoseMonths(ctx context.Context, who string) {
	within, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if m, err := a.session.scheduledMonths(within, a.now()); err == nil && m.By == who && m.Refused != "" {
		a.say("Months are closed in the name of %s, and will not be; %s", who, m.again())
	}
}

// examineMonths looks at whether months close by themselves where they are to.
func (a *app) examineMonths(ctx context.Context, s *session) finding {
	const check = "closing of months"
	m, err := s.scheduledMonths(ctx, a.now())
	switch {
	case err != nil:
		return found(check, err, "", "")
	case !m.Scheduled:
		return found(check, nil, "by hand", "")
	case m.Refused != "":
		return finding{Check: check, Says: "its schedule closes nothing: " + m.Refused, Fix: m.again(), Severity: string(postgres.Warning), Owner: "finance"}
	case m.Failed != "":
		return finding{
			Check: check, Says: "its schedule failed last, and invoices of that month are open: " + m.Failed,
			Fix: "close the month by hand: docket month close MONTH --as PERSON", Severity: string(postgres.Warning), Owner: "finance",
		}
	case m.Paused:
		return finding{Check: check, OK: true, Says: "its schedule is paused in Temporal", Fix: "unpause it there, or docket month close MONTH", Severity: string(postgres.Notice), Owner: "finance"}
	}
	return found(check, nil, fmt.Sprintf("on day %d of the next one, in the name of %s", m.Day, cmp.Or(m.By, "nobody")), "")
}
