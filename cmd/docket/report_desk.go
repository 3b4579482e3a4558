package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

func newReportActors(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "ai-vs-tech",
		Short: "Compare tickets that AI agents resolved with those that people did",
		Long: `Tickets whose last closure lies in the period, by whether an AI agent or a person made it. AI WORKED and PEOPLE WORKED are what was measured on these tickets,
whoever resolved them; COST is all of that, failed attempts and items too. BILLED is less the CREDITS: what was given back by credit notes, and for missed targets.`,
	}
	return over(a, c, served, true, func(s *postgres.Store, f postgres.ReportFilter) error {
		rows, err := s.ReportAIvsTech(c.Context(), f)
		if err != nil {
			return err
		}
		err = list(a, rows, "No closed tickets in this period. Close one: docket ticket resolve TICKET --took 20m --resolution TEXT",
			text("RESOLVED BY", func(r billing.ActorRow) string { return r.Kind }),
			number("TICKETS", func(r billing.ActorRow) string { return fmt.Sprint(r.Tickets) }),
			number("NOTHING TO PAY", func(r billing.ActorRow) string { return fmt.Sprint(r.Covered) }),
			number("AI WORKED", func(r billing.ActorRow) string { return lasting(r.AIMS) }),
			number("PEOPLE WORKED", func(r billing.ActorRow) string { return lasting(r.HumanMS) }),
			number("EACH", each),
			number("BILLED", func(r billing.ActorRow) string { return money(r.Billed, r.Currency) }),
			number("CREDITS", func(r billing.ActorRow) string { return money(r.Credits, r.Currency) }),
			number("COST", func(r billing.ActorRow) string { return money(r.Cost.Round(2), r.CostCurrency) }),
		)
		foreign := slices.ContainsFunc(rows, func(r billing.ActorRow) bool { return r.CostCurrency != r.Currency })
		return a.withoutRate(err, foreign)
	})
}

func each(r billing.ActorRow) string {
	if r.Tickets == 0 {
		return ""
	}
	return lasting((r.AIMS + r.HumanMS) / int64(r.Tickets))
}

// withoutRate tells people that costs in other currencies are not to be set against what was billed.
func (a *app) withoutRate(err error, foreign bool) error {
	if err == nil && foreign && a.output == "table" {
		a.say("Cost in another currency than what was billed stands in its own: there is no rate of exchange in Docket, so no margin is told. Do not subtract the two.")
	}
	return err
}

func newReportMargin(a *app) *cobra.Command {
	var byContract bool
	c := &cobra.Command{
		Use:   "margin",
		Short: "Compare what was billed with what the work cost, by client or by contract",
		Long: `What was billed for service in the period, less what credit notes gave back, and what the work and the items of those dates cost. Cost counts beside
what its ticket bills and is told in its own currency. There is no rate of exchange in Docket: where the two differ, MARGIN is "no rate".`,
	}
	over(a, c, served, true, func(s *postgres.Store, f postgres.ReportFilter) error { return a.margin(c.Context(), s, f, byContract) })
	c.Flags().BoolVar(&byContract, "by-contract", false, "by contract; work costs the contract that bills or covers it")
	return c
}

func (a *app) margin(ctx context.Context, s *postgres.Store, f postgres.ReportFilter, byContract bool) error {
	read, columns := s.ReportMargin, []column[billing.MarginRow]{text("CLIENT", func(r billing.MarginRow) string { return r.Client })}
	if byContract {
		read, columns = s.ReportContractMargin, append(columns, text("CONTRACT", func(r billing.MarginRow) string { return or(r.Contract, "none") }))
	}
	rows, err := read(ctx, f)
	if err != nil {
		return err
	}
	err = list(a, rows, "Nothing worked or billed in this period. Log work: docket ticket work TICKET --took 20m", append(columns,
		number("TICKETS", func(r billing.MarginRow) string { return fmt.Sprint(r.Tickets) }),
		number("BILLED", func(r billing.MarginRow) string { return money(r.Billed, r.Currency) }),
		number("COST", func(r billing.MarginRow) string { return money(r.Cost.Round(2), r.CostCurrency) }),
		number("MARGIN", func(r billing.MarginRow) string {
			if r.Margin == nil {
				return "no rate"
			}
			return money(r.Margin.Round(2), r.Currency)
		}),
	)...)
	return a.withoutRate(err, slices.ContainsFunc(rows, func(r billing.MarginRow) bool { return r.Margin == nil }))
}

func newReportLeakage(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "leakage",
		Short: "Compare the work on closed tickets with what became of it: leaked is always 0",
		Long: `Work of the period on tickets that are closed, against what became of it: each millisecond is billed, covered (by the contract, a block or an allowance),
not billable, or waits for a person; each item is charged once. What is left has leaked, and docket audit names it.`,
	}
	return over(a, c, served, false, func(s *postgres.Store, f postgres.ReportFilter) error {
		rows, err := s.ReportLeakage(c.Context(), f)
		if err != nil {
			return err
		}
		err = list(a, rows, "No work on closed tickets in this period: nothing can have leaked.",
			text("CLIENT", func(r billing.LeakageRow) string { return r.Client }),
			number("TICKETS", func(r billing.LeakageRow) string { return fmt.Sprint(r.Tickets) }),
			number("WORKED", func(r billing.LeakageRow) string { return lasting(r.WorkMS) }),
			number("BILLED", func(r billing.LeakageRow) string { return lasting(r.BilledMS) }),
			number("COVERED", func(r billing.LeakageRow) string { return lasting(r.CoveredMS) }),
			number("NOT BILLABLE", func(r billing.LeakageRow) string { return lasting(r.UnbillableMS) }),
			number("WAITING", func(r billing.LeakageRow) string { return lasting(r.WaitingMS) }),
			number("LEAKED", func(r billing.LeakageRow) string { return lasting(r.LeakedMS) }),
			number("TICKETS THAT LEAK", func(r billing.LeakageRow) string { return fmt.Sprint(r.Leaked) }),
		)
		if err != nil || a.output != "table" || len(rows) == 0 {
			return err
		}
		var all billing.LeakageRow
		for _, r := range rows {
			all.Tickets, all.Entries, all.Items, all.Leaked = all.Tickets+r.Tickets, all.Entries+r.Entries, all.Items+r.Items, all.Leaked+r.Leaked
			all.LeakedMS += r.LeakedMS
		}
		a.say("Compared %s with %s and %s: %s leaked, on %s.%s", count(all.Tickets, "closed ticket"), strings.Replace(count(all.Entries, "entry"), "entrys", "entries", 1)+" of work",
			count(all.Items, "item"), lasting(all.LeakedMS), count(all.Leaked, "ticket"), named(all.Leaked))
		return nil
	})
}

func named(leaks int) string {
	if leaks == 0 {
		return ""
	}
	return " docket audit names them."
}

func newReportBlocks(a *app) *cobra.Command {
	var client string
	c := &cobra.Command{
		Use:   "blocks",
		Short: "Tell which bought hours run low, and when they are used up at this pace",
		Long: `Contracts whose bought hours have come down to their reorder_at or, without one, below a tenth. RUNS OUT goes by what was used in the last 30 days, or
since the first block where that is shorter.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			rows, err := s.store.ReportLowBlocks(cmd.Context(), client)
			if err != nil {
				return err
			}
			return list(a, rows, "No block of hours runs low. All of them: docket block list",
				text("CLIENT", func(r billing.LowBlockRow) string { return r.Client }),
				text("CONTRACT", func(r billing.LowBlockRow) string { return r.Contract }),
				number("BLOCKS", func(r billing.LowBlockRow) string { return fmt.Sprint(r.Blocks) }),
				number("BOUGHT", func(r billing.LowBlockRow) string { return lasting(r.GrantedMS) }),
				number("LEFT", func(r billing.LowBlockRow) string { return lasting(r.LeftMS) }),
				number("USED", func(r billing.LowBlockRow) string { return lasting(r.UsedMS) + " in " + count(r.Days, "day") }),
				text("RUNS OUT", runsOut),
				text("EXPIRES", func(r billing.LowBlockRow) string { return a.whenever(r.Expires) }),
			)
		},
	}
	c.Flags().StringVar(&client, "client", "", string(served))
	return c
}

func runsOut(r billing.LowBlockRow) string {
	switch {
	case r.LeftMS == 0:
		return "used up"
	case r.RunsOut == nil:
		return "not at this pace"
	}
	return r.RunsOut.Format("2006-01-02")
}
