package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

func newReportRevenue(a *app) *cobra.Command {
	var p span
	c := &cobra.Command{
		Use:   "revenue",
		Short: "Revenue by month of service, and what the running month comes to at this rate",
		Long: `Revenue by month of service, less what credit notes gave back, without added tax. The running month says what it comes to if it goes
on as it has: what recurs counts as it is, work on tickets by the days that are over.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, to, err := p.dates()
			if err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			rows, err := s.store.ReportRevenue(cmd.Context(), from, to)
			if err != nil {
				return err
			}
			return list(a, rows, "Nothing is billed in this period. Close a ticket: docket ticket resolve TICKET --took 20m --resolution TEXT",
				text("MONTH", func(r billing.RevenueRow) string { return r.Month }),
				number("FINALISED", func(r billing.RevenueRow) string { return money(r.Finalised, r.Currency) }),
				number("OPEN", func(r billing.RevenueRow) string { return money(r.Open, r.Currency) }),
				number("REVENUE", func(r billing.RevenueRow) string { return money(r.Revenue, r.Currency) }),
				number("AT THIS RATE", func(r billing.RevenueRow) string {
					if r.RunRate == nil {
						return ""
					}
					return money(*r.RunRate, r.Currency)
				}),
			)
		},
	}
	p.flags(c)
	return c
}

func newReportAged(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "aged",
		Short: "What payers owe, by the days since it was due",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			rows, err := s.store.ReportAged(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, rows, "Nobody owes anything. Finalise an invoice: docket invoice finalize INVOICE",
				text("PAYER", func(r billing.AgedRow) string { return r.Payer }),
				number("NOT DUE", func(r billing.AgedRow) string { return money(r.NotDue, r.Currency) }),
				number("0-30 DAYS", func(r billing.AgedRow) string { return money(r.To30, r.Currency) }),
				number("31-60", func(r billing.AgedRow) string { return money(r.To60, r.Currency) }),
				number("61-90", func(r billing.AgedRow) string { return money(r.To90, r.Currency) }),
				number("OVER 90", func(r billing.AgedRow) string { return money(r.Older, r.Currency) }),
				number("OWED", func(r billing.AgedRow) string { return money(r.Owed, r.Currency) }),
				number("IN QUESTION", func(r billing.AgedRow) string { return money(r.Disputed, r.Currency) }),
				number("CREDIT", func(r billing.AgedRow) string { return money(r.Credit, r.Currency) }),
			)
		},
	}
}

func newReportBlocks(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "blocks",
		Short: "Blocks of hours that run low",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			low, err := s.store.LowBlocks(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, low, "No block of hours runs low. All of them: docket block list",
				text("CLIENT", func(b postgres.Block) string { return b.Client }),
				text("CONTRACT", func(b postgres.Block) string { return b.Contract }),
				number("BLOCK", func(b postgres.Block) string { return fmt.Sprint(b.ID) }),
				number("BOUGHT", func(b postgres.Block) string { return lasting(b.GrantedMS) }),
				number("LEFT", func(b postgres.Block) string { return lasting(b.RemainingMS) }),
				text("EXPIRES", func(b postgres.Block) string { return a.whenever(b.ExpiresAt) }),
			)
		},
	}
}

func newReportLeakage(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "leakage",
		Short: "Closed tickets, and whether all their work is billed, covered, not billable or waiting: leaked is always 0",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			stands, err := s.store.Standing(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, []billing.Standing{stands}, "",
				number("OPEN", func(s billing.Standing) string { return fmt.Sprint(s.Open) }),
				number("CLOSED", func(s billing.Standing) string { return fmt.Sprint(s.Closed) }),
				number("POSTED", func(s billing.Standing) string { return fmt.Sprint(s.Posted) }),
				number("WAITING", func(s billing.Standing) string { return fmt.Sprint(s.Waiting) }),
				number("EXCEPTIONS", func(s billing.Standing) string { return fmt.Sprint(s.Exceptions) }),
				number("LEAKED", func(s billing.Standing) string { return fmt.Sprint(s.Leaked) }),
			)
		},
	}
}

// contractMargins prints the margin by contract.
func (a *app) contractMargins(ctx context.Context, s *session, p span) error {
	from, to, err := p.dates()
	if err != nil {
		return err
	}
	rows, err := s.store.ReportContractMargin(ctx, from, to)
	if err != nil {
		return err
	}
	return list(a, rows, "Nothing worked or billed in this period. Log work: docket ticket work TICKET --took 20m",
		text("CLIENT", func(r billing.ContractMarginRow) string { return r.Client }),
		text("CONTRACT", func(r billing.ContractMarginRow) string { return r.Contract }),
		number("TICKETS", func(r billing.ContractMarginRow) string { return fmt.Sprint(r.Tickets) }),
		number("BILLED", func(r billing.ContractMarginRow) string { return money(r.Billed, r.Currency) }),
		number("COST", func(r billing.ContractMarginRow) string { return money(r.Cost.Round(2), r.Currency) }),
		number("MARGIN", func(r billing.ContractMarginRow) string { return money(r.Margin.Round(2), r.Currency) }),
	)
}
