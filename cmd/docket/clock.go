package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// clock tells in one line how a ticket stands against a target: by when, on the wall clock of its calendar, and how much
// business time is left.
func (a *app) clock(c ticket.Clock) string {
	said := []string{}
	if c.Due != nil {
		said = append(said, wall(*c.Due, c.Zone))
	}
	switch {
	case c.Missed != nil && c.Met != nil:
		said = append(said, "missed: it came "+lasting(max(-c.LeftMS, 0))+" of business time late")
	case c.Missed != nil:
		said = append(said, "missed, "+lasting(max(-c.LeftMS, 0))+" of business time ago")
	case c.Met != nil:
		said = append(said, "met "+wall(*c.Met, c.Zone)+", "+lasting(c.LeftMS)+" of business time left")
	case c.Paused != nil:
		said = append(said, "stands still since "+wall(*c.Paused, c.Zone)+" for "+or(c.Reason, "a wait")+", "+lasting(c.LeftMS)+" of business time left")
	default:
		said = append(said, lasting(max(c.LeftMS, 0))+" of business time left")
	}
	if c.PausedMS > 0 {
		said = append(said, "stood still for "+lasting(c.PausedMS))
	}
	if c.Warned != nil && c.Met == nil && c.Missed == nil {
		said = append(said, "warned "+wall(*c.Warned, c.Zone))
	}
	if c.Step > 0 && c.Met == nil {
		said = append(said, fmt.Sprintf("%d up the chain", c.Step))
	}
	return strings.Join(said, "; ")
}

// wall is an instant on the wall clock of a calendar, with its zone: a reader elsewhere must not take it for his own.
func wall(at time.Time, zone string) string {
	loc, err := sla.Zone(zone)
	if err != nil { // a calendar of another machine's zone database
		loc = time.UTC
	}
	return at.In(loc).Format("Mon 2 Jan 2006 15:04 MST")
}

func newReportSLA(a *app) *cobra.Command {
	c := &cobra.Command{Use: "sla", Short: "Compare what was promised with what was kept, by client and priority, and tell what is open now"}
	return over(a, c, served, false, func(s *postgres.Store, f postgres.ReportFilter) error {
		rows, err := s.ReportSLA(c.Context(), f)
		if err != nil {
			return err
		}
		of := func(n, all int) string {
			if all == 0 {
				return ""
			}
			return fmt.Sprintf("%d/%d", n, all)
		}
		return list(a, rows, "No tickets with SLA targets in this period. A contract promises them: docket contract show CONTRACT",
			text("CLIENT", func(r postgres.Attainment) string { return r.Client }),
			text("PRIORITY", func(r postgres.Attainment) string { return priority(r.Priority) }),
			number("CLOSED", func(r postgres.Attainment) string { return fmt.Sprint(r.Tickets) }),
			number("ANSWERED IN TIME", func(r postgres.Attainment) string { return of(r.ResponseMet, r.Tickets) }),
			number("RESOLVED IN TIME", func(r postgres.Attainment) string { return of(r.ResolutionMet, r.Tickets) }),
			number("AFTER THE WARNING", func(r postgres.Attainment) string { return fmt.Sprint(r.ResolvedInWarning) }),
			number("KEPT", func(r postgres.Attainment) string { return attained(r) }),
			number("STOOD STILL", func(r postgres.Attainment) string { return stood(r.PausedMS) }),
			number("OPEN", func(r postgres.Attainment) string { return fmt.Sprint(r.Open) }),
			number("WARNED", func(r postgres.Attainment) string { return fmt.Sprint(r.OpenWarned) }),
			number("MISSED", func(r postgres.Attainment) string { return fmt.Sprint(r.OpenMissed) }),
			number("PAUSED", func(r postgres.Attainment) string { return fmt.Sprint(r.OpenPaused) }),
		)
	})
}

func stood(ms int64) string {
	if ms == 0 {
		return ""
	}
	return lasting(ms)
}

func attained(r postgres.Attainment) string {
	if r.Tickets == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d %%", r.AttainmentPerMille/10, r.AttainmentPerMille%10)
}
