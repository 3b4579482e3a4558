package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
)

func newCalendar(a *app) *cobra.Command {
	return noun("calendar", "The hours in which SLA targets count, as documents",
		newCalendarCheck(a), newCalendarApply(a), newCalendarList(a), newCalendarShow(a))
}

func newCalendarCheck(a *app) *cobra.Command {
	return checking(a, "Check a calendar without storing it", func(raw []byte) (sla.Document, string, error) {
		d, err := sla.ParseCalendar(raw)
		return d, fmt.Sprintf("%s is well formed: %s, %s", d.ID, d.Name, weekly(d.Calendar)), err
	})
}

func newCalendarApply(a *app) *cobra.Command {
	return applying(a, "Store a calendar as its next revision; open tickets keep the one they were promised by",
		func(ctx context.Context, raw []byte, by string) (postgres.CalendarVersion, string, error) {
			v, err := a.session.store.ApplyCalendar(ctx, raw, by)
			if err != nil {
				return v, "", err
			}
			if !v.Changed {
				return v, fmt.Sprintf("%s revision %d says this already; nothing changed", v.ID, v.Revision), nil
			}
			return v, fmt.Sprintf("%s revision %d is stored: %s; name it in a contract: `sla: {calendar: %s, …}`", v.ID, v.Revision, weekly(v.Document), v.ID), nil
		})
}

func newCalendarList(a *app) *cobra.Command {
	return listing(a, "list", "List the calendars, each with the contracts that name it",
		"No calendars yet; 24x7 is built in. Store one: docket calendar apply FILE --as PERSON",
		func(ctx context.Context, s *postgres.Store) ([]postgres.CalendarVersion, error) {
			return s.ListCalendars(ctx)
		},
		text("CALENDAR", func(v postgres.CalendarVersion) string { return v.ID }),
		text("NAME", func(v postgres.CalendarVersion) string { return v.Name }),
		text("ZONE", func(v postgres.CalendarVersion) string { return v.Document.Zone }),
		text("A WEEK", func(v postgres.CalendarVersion) string { return weekly(v.Document) }),
		number("HOLIDAYS", func(v postgres.CalendarVersion) string {
			return fmt.Sprint(len(v.Document.Holidays) + len(v.Document.Recurring))
		}),
		text("CONTRACTS", func(v postgres.CalendarVersion) string { return strings.Join(v.Contracts, ", ") }),
	)
}

func newCalendarShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show CALENDAR",
		Short: "Show a calendar: its hours, its holidays, and who changed it last",
		Args:  exactly("CALENDAR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			v, err := s.store.Calendar(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.show(v, func() { a.calendar(v) })
		},
	}
}

func (a *app) calendar(v postgres.CalendarVersion) {
	c := v.Document
	_, _ = fmt.Fprintf(a.stdout, "%s  %s, revision %d\n\n", v.ID, v.Name, v.Revision)
	changed := ""
	if v.AppliedAt != nil {
		changed = a.when(*v.AppliedAt) + " by " + v.AppliedBy
	}
	pairs := []string{"zone", c.Zone, "a week", weekly(c)}
	for i := range 7 {
		day := (time.Monday + time.Weekday(i)) % 7
		pairs = append(pairs, strings.ToLower(day.String()), windowList(c.Hours.On(day)))
	}
	fields(a.stdout, append(pairs, "contracts", strings.Join(v.Contracts, ", "), "changed", changed)...)
	if len(c.Holidays)+len(c.Recurring) == 0 {
		return
	}
	_, _ = fmt.Fprintln(a.stdout)
	rows := [][]string{{"CLOSED", "NAME", "PART OF THE DAY"}}
	for _, h := range c.Recurring {
		rows = append(rows, []string{"every " + h.Every, h.Name, windowList(h.Windows)})
	}
	for _, h := range c.Holidays {
		rows = append(rows, []string{h.Date.String(), h.Name, windowList(h.Windows)})
	}
	align(a.stdout, rows, []bool{false, false, false})
}

// weekly tells how much a week without holidays and clock changes has.
func weekly(c sla.Calendar) string {
	minutes := 0
	for day := time.Sunday; day <= time.Saturday; day++ {
		for _, w := range c.Hours.On(day) {
			minutes += w.To - w.From
		}
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("%d h a week", minutes/60)
	}
	return fmt.Sprintf("%d h %d min a week", minutes/60, minutes%60)
}

func windowList(windows []sla.Window) string {
	said := make([]string, len(windows))
	for i, w := range windows {
		said[i] = w.String()
	}
	return strings.Join(said, ", ")
}
