package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
)

func newProject(a *app) *cobra.Command {
	return noun("project", "Projects, and what their budgets have left", newProjectList(a), newProjectShow(a),
		newProjectDeed(a, "add PROJECT --client CLIENT (--budget N | --hours N)", "Make a project of a client", (*postgres.Store).AddProject),
		newProjectDeed(a, "budget PROJECT --reason TEXT", "Change what a project has agreed: --budget, --hours, --hourly", (*postgres.Store).SetProjectBudget),
		newProjectDeed(a, "close PROJECT --reason TEXT", "Close a project: what its tickets bill from then on waits for a ruling", (*postgres.Store).CloseProject),
		newProjectDeed(a, "open PROJECT --reason TEXT", "Open a closed project again", (*postgres.Store).OpenProject))
}

func newProjectDeed(a *app, use, short string, do func(*postgres.Store, context.Context, postgres.ProjectDeed) (postgres.ProjectAnswer, error)) *cobra.Command {
	var d postgres.ProjectDeed
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  exactly("PROJECT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			d.Project, d.By, d.OperationKey = args[0], who.ID, cmp.Or(d.OperationKey, desk.NewKey())
			answer, err := do(a.session.store, cmd.Context(), d)
			if err != nil {
				return err
			}
			return a.told(answer, answer.Says)
		},
	}
	flags := c.Flags()
	flags.StringVar(&d.OperationKey, "key", "", keyUsage)
	switch c.Name() {
	case "add":
		flags.StringVar(&d.Client, "client", "", "whose it is: `id` of the client")
		flags.StringVar(&d.Name, "name", "", "what it is called (`text`)")
		flags.StringVar(&d.Currency, "currency", "", "ISO 4217 `code` of the budget; the client's by default")
	default:
		flags.StringVar(&d.Reason, "reason", "", "why, one `sentence`")
	}
	if c.Name() == "add" || c.Name() == "budget" {
		flags.StringVar(&d.Budget, "budget", "", "its `amount` of money")
		flags.StringVar(&d.Hours, "hours", "", "its `hours` of work")
		flags.StringVar(&d.Hourly, "hourly", "", "what an hour costs where a contract would have covered it (`rate`); the rate card's by default")
	}
	return c
}

func newProjectList(a *app) *cobra.Command {
	var client string
	var all bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List projects: what was agreed, what is used, what waits",
		Args:  exactly(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.projects(cmd.Context(), client, !all) },
	}
	c.Flags().StringVar(&client, "client", "", "only of this `client`")
	c.Flags().BoolVar(&all, "all", false, "closed ones too")
	return c
}

// newReportProjects is the same list, closed ones too: what projects earned and cost.
func newReportProjects(a *app) *cobra.Command {
	var client string
	c := &cobra.Command{
		Use:   "projects",
		Short: "What projects were agreed at, billed and cost",
		Args:  exactly(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.projects(cmd.Context(), client, false) },
	}
	c.Flags().StringVar(&client, "client", "", "only of this `client`")
	return c
}

func (a *app) projects(ctx context.Context, client string, open bool) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	projects, err := s.store.Projects(ctx, client, open)
	if err != nil {
		return err
	}
	return list(a, projects, "No projects. Make one: docket project add cedar-hill --client northwind --budget 5000.00 --as PERSON",
		text("PROJECT", func(p billing.ProjectView) string { return p.Project }),
		text("CLIENT", func(p billing.ProjectView) string { return p.Client }),
		text("STATE", func(p billing.ProjectView) string { return p.State }),
		number("BUDGET", func(p billing.ProjectView) string { return budgetOf(p) }),
		number("BILLED", func(p billing.ProjectView) string { return money(p.Billed, p.Currency) }),
		number("WAITS", func(p billing.ProjectView) string { return money(p.Reserved, p.Currency) }),
		number("WORKED", func(p billing.ProjectView) string { return workedOf(p.WorkedMS) }),
		number("COST", func(p billing.ProjectView) string { return money(p.Cost, p.Currency) }),
		text("NAME", func(p billing.ProjectView) string { return short(oneLine(p.Name), 50) }),
	)
}

func newProjectShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show PROJECT",
		Short: "Show one project: its budget, its tickets, and what happened to it",
		Args:  exactly("PROJECT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			p, err := s.store.Project(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.show(p, func() { a.project(p) })
		},
	}
}

func (a *app) project(p billing.ProjectView) {
	_, _ = fmt.Fprintf(a.stdout, "%s  %s\n\n", p.Project, p.Name)
	hourly, waits := "", ""
	if p.Hourly != nil {
		hourly = money(*p.Hourly, p.Currency) + " an hour"
	}
	if !p.Reserved.IsZero() || p.ReservedMS > 0 {
		waits = money(p.Reserved, p.Currency) + ", " + workedOf(p.ReservedMS)
	}
	fields(a.stdout, "client", p.Client, "state", p.State, "budget", budgetOf(p), "rate", hourly, "billed", money(p.Billed, p.Currency),
		"worked", workedOf(p.WorkedMS), "waits", waits, "cost", money(p.Cost, p.Currency), "tickets", joined(p.Tickets))
	_, _ = fmt.Fprintln(a.stdout)
	rows := make([][]string, 0, len(p.Events))
	for _, e := range p.Events {
		rows = append(rows, []string{a.when(e.At), e.Kind, e.Actor, e.Says})
	}
	align(a.stdout, rows, []bool{false, false, false, false})
}

func budgetOf(p billing.ProjectView) string {
	said := ""
	if p.Budget != nil {
		said = money(*p.Budget, p.Currency)
	}
	if p.BudgetMS > 0 {
		if said != "" {
			said += ", "
		}
		said += workedOf(p.BudgetMS)
	}
	return said
}

func workedOf(ms int64) string {
	if ms == 0 {
		return "0 h"
	}
	return lasting(ms)
}

func decimalOf(s string) (decimal.Decimal, bool) {
	d, err := decimal.NewFromString(s)
	return d, err == nil && d.Exponent() >= -9 && d.Exponent() <= 0
}
