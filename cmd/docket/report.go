package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

func newReport(a *app) *cobra.Command {
	return noun("report", "What the desk earned and cost", newReportActors(a), newReportMargin(a), newReportSLA(a), newReportProjects(a),
		newReportRevenue(a), newReportAged(a), newReportBlocks(a), newReportLeakage(a), newReportEarned(a), newReportDeferred(a), newReportWIP(a), newReportReceivables(a))
}

// span is a period of local dates, the end exclusive.
type span struct{ from, to string }

func (s *span) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.from, "from", "", "first `date`, YYYY-MM-DD; from the beginning by default")
	c.Flags().StringVar(&s.to, "to", "", "first `date` after it, YYYY-MM-DD; until now by default")
}

func (s *span) dates() (from, to sla.LocalDate, err error) {
	parse := func(field, text string, into *sla.LocalDate) {
		if text == "" || err != nil {
			return
		}
		if *into, err = sla.ParseDate(text); err != nil {
			err = ticket.Invalid(field, text, "is not a date", "write it like 2026-03-01")
		}
	}
	parse("from", s.from, &from)
	parse("to", s.to, &to)
	return from, to, err
}

func newReportActors(a *app) *cobra.Command {
	var p span
	c := &cobra.Command{
		Use:   "ai-vs-tech",
		Short: "Compare tickets that AI agents resolved with those that people did",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, to, err := p.dates()
			if err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			rows, err := s.store.ReportAIvsTech(cmd.Context(), from, to)
			if err != nil {
				return err
			}
			return list(a, rows, "No closed tickets in this period. Close one: docket ticket resolve TICKET --took 20m --resolution TEXT",
				text("RESOLVED BY", func(r billing.ActorRow) string { return r.Kind }),
				number("TICKETS", func(r billing.ActorRow) string { return fmt.Sprint(r.Tickets) }),
				number("NOTHING TO PAY", func(r billing.ActorRow) string { return fmt.Sprint(r.Covered) }),
				number("MEASURED", func(r billing.ActorRow) string { return lasting(r.WorkMS) }),
				number("EACH", func(r billing.ActorRow) string { return each(r) }),
				number("BILLED", func(r billing.ActorRow) string { return money(r.Billed, r.Currency) }),
				number("CREDITS", func(r billing.ActorRow) string { return money(r.Credits, r.Currency) }),
				number("COST", func(r billing.ActorRow) string { return money(r.Cost.Round(2), r.Currency) }),
			)
		},
	}
	p.flags(c)
	return c
}

func each(r billing.ActorRow) string {
	if r.Tickets == 0 {
		return ""
	}
	return lasting(r.WorkMS / int64(r.Tickets))
}

func newReportMargin(a *app) *cobra.Command {
	var (
		p          span
		byContract bool
	)
	c := &cobra.Command{
		Use:   "margin",
		Short: "Compare what was billed with what the work cost, by client or by contract",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, to, err := p.dates()
			if err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if byContract {
				return a.contractMargins(cmd.Context(), s, p)
			}
			rows, err := s.store.ReportMargin(cmd.Context(), from, to)
			if err != nil {
				return err
			}
			return list(a, rows, "Nothing worked or billed in this period. Log work: docket ticket work TICKET --took 20m",
				text("CLIENT", func(r billing.MarginRow) string { return r.Client }),
				number("TICKETS", func(r billing.MarginRow) string { return fmt.Sprint(r.Tickets) }),
				number("BILLED", func(r billing.MarginRow) string { return money(r.Billed, r.Currency) }),
				number("COST", func(r billing.MarginRow) string { return money(r.Cost.Round(2), r.Currency) }),
				number("MARGIN", func(r billing.MarginRow) string { return money(r.Margin.Round(2), r.Currency) }),
			)
		},
	}
	p.flags(c)
	c.Flags().BoolVar(&byContract, "by-contract", false, "by contract; work costs the contract that its ticket was routed to")
	return c
}
