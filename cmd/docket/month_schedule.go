package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

// The ids of the schedule that closes months, and of its runs but for the time that Temporal adds.
const (
	monthSchedule  = "month"
	monthScheduled = "month/scheduled"
)

func newMonthSchedule(a *app) *cobra.Command {
	var (
		day  int
		send bool
		off  bool
	)
	c := &cobra.Command{
		Use:   "schedule [--day N | --off]",
		Short: "Close each month by itself, on a day of the next one at 06:00 UTC; alone it tells what is scheduled",
		Example: `  docket month schedule --day 3 --send --as nadia.osei
  docket month schedule             # when it runs next, in whose name, and what became of it last
  docket month schedule --off --as nadia.osei`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := notBoth(cmd, "off", "day"); err != nil {
				return err
			}
			if !off && !cmd.Flags().Changed("day") {
				if send {
					return usage(errors.New("--send goes with --day, on which months are closed"))
				}
				return a.monthScheduled(ctx)
			}
			who, err := a.person(ctx)
			if err != nil {
				return err
			}
			// Some month that is over for sure: the question is who may.
			if err := a.session.store.MayCloseMonth(ctx, billing.MonthClose{Until: a.now().AddDate(-1, 0, 0).Format(time.DateOnly), By: who.ID}); err != nil {
				return err
			}
			if off {
				return a.monthByHand(ctx)
			}
			if day < 1 || day > 28 {
				return ticket.Invalid("day", day, "is not a day that every month has", "give 1 to 28")
			}
			return a.scheduleMonth(ctx, day, billing.MonthClose{By: who.ID, Send: send, Each: true})
		},
	}
	c.Flags().IntVar(&day, "day", 0, "`day` of the month, 1 to 28")
	c.Flags().BoolVar(&send, "send", false, "mail each month's invoices to their payers, too")
	c.Flags().BoolVar(&off, "off", false, "close months by hand again")
	return c
}

func (a *app) scheduleMonth(ctx context.Context, day int, each billing.MonthClose) error {
	each, err := a.session.store.ProveMonth(ctx, each)
	if err != nil {
		return err
	}
	_, err = a.session.temporal.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: monthSchedule,
		Spec: client.ScheduleSpec{Calendars: []client.ScheduleCalendarSpec{{
			DayOfMonth: []client.ScheduleRange{{Start: day}}, Hour: []client.ScheduleRange{{Start: 6}},
		}}},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		Action:  &client.ScheduleWorkflowAction{ID: monthScheduled, Workflow: workflows.MonthType, TaskQueue: ticket.TaskQueue, Args: []any{each}},
	})
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return ticket.Invalid("day", day, "cannot be set: months are scheduled already", "`docket month schedule` tells how; docket month schedule --off first")
	}
	if err != nil {
		return fmt.Errorf("schedule the closing of months: %w", err)
	}
	mailed := ""
	if each.Send {
		mailed = ", and its invoices are mailed to their payers"
	}
	return a.told(map[string]any{"scheduled": true, "day": day, "send": each.Send},
		fmt.Sprintf("Each month is closed on day %d of the next one, at 06:00 UTC, in the name of %s%s.", day, each.By, mailed))
}

const closedByHand = "Months are closed by hand: docket month close MONTH; by themselves: docket month schedule --day 3 --as PERSON"

func (a *app) monthByHand(ctx context.Context) error {
	err := a.session.temporal.ScheduleClient().GetHandle(ctx, monthSchedule).Delete(ctx)
	var none *serviceerror.NotFound
	if err != nil && !errors.As(err, &none) {
		return fmt.Errorf("end the schedule of months: %w", err)
	}
	return a.told(map[string]any{"scheduled": false}, closedByHand)
}
