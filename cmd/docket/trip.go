package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/ticket"
)

// tripPart is the part of one trip that a ticket bears.
type tripPart struct {
	Ticket ticket.ID `json:"ticket"`
	Key    string    `json:"operation_key"`
	MS     int64     `json:"ms"`
	Says   string    `json:"says"`
}

func newTicketTrip(a *app) *cobra.Command {
	var (
		l       letter
		m       measured
		tickets []ticket.ID
	)
	c := &cobra.Command{
		Use:   "trip TICKET TICKET … --took DURATION",
		Short: "Log one trip for several tickets: each bears an equal part of its time",
		Long: `Log one trip for several tickets: each bears an equal part of its time, one after the other, and the parts sum to the trip.

Repeated with the same --key and --started it logs nothing twice. A minimum for the whole trip is a minimum a day on the
contract's line for travel (time: {minimum: 30m, scope: day}).`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage(errors.New("give the tickets of the trip, at least two; one alone is `docket ticket work --type travel`"))
			}
			tickets = nil
			for _, arg := range args {
				id, err := ticket.ParseID(arg)
				if err != nil {
					return err
				}
				if slices.Contains(tickets, id) {
					return usage(fmt.Errorf("%s is there twice: name each ticket once", id))
				}
				tickets = append(tickets, id)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := a.header(cmd.Context(), l.key, l.at.Time)
			if err != nil {
				return err
			}
			if m.took < time.Duration(len(tickets))*time.Millisecond {
				return usage(fmt.Errorf("--took %s is too short to share over %s", m.took, count(len(tickets), "ticket")))
			}
			if h.OperationKey == "" {
				h.OperationKey = desk.NewKey()
			}
			at := m.entry("", a.now()).StartedAt
			var parts []tripPart
			for i, ms := range billing.SplitTime(m.took.Milliseconds(), len(tickets)) {
				part := h
				part.OperationKey = fmt.Sprintf("%s/%d", h.OperationKey, i+1)
				entry := m.entry(part.OperationKey, at)
				entry.StartedAt, entry.MS = at, ms
				at = at.Add(time.Duration(ms) * time.Millisecond)
				sent, err := a.session.desk.Work(cmd.Context(), tickets[i], ticket.Work{Header: part, Entry: entry})
				if err != nil {
					return fmt.Errorf("%s, part %d of the trip: %w", tickets[i], i+1, err)
				}
				record, err := a.recorded(cmd.Context(), sent)
				if err != nil {
					return err
				}
				says := record.Says
				if !record.Recorded {
					says = "is on its way"
				}
				parts = append(parts, tripPart{Ticket: tickets[i], Key: part.OperationKey, MS: ms, Says: says})
			}
			return list(a, parts, "",
				text("TICKET", func(p tripPart) string { return string(p.Ticket) }),
				number("TIME", func(p tripPart) string { return lasting(p.MS) }),
				text("WHAT HAPPENED", func(p tripPart) string { return p.Says }),
			)
		},
	}
	l.flags(c)
	m.flags(c)
	c.Flags().Lookup("type").DefValue, m.kind = "travel", "travel"
	return c
}
