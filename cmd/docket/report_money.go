package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

func newReportRevenue(a *app) *cobra.Command {
	var byAccount bool
	c := &cobra.Command{
		Use:   "revenue",
		Short: "Tell what was earned by month, and what the running month comes to at this rate",
		Long: `What was earned by month, as the journal books it: work and fees on their date of service, block hours as they are used or expire, less what was
given back; without tax. FIXED are fees, minimums and expired block hours; USAGE is work, materials, counted usage and used block hours, less discounts; CREDITS are for
targets, write-downs and credit notes. The running month says what it comes to if it goes on as it has: usage by the days that are over, the rest as it is.`,
	}
	over(a, c, payer, true, func(s *postgres.Store, f postgres.ReportFilter) error {
		if byAccount {
			return a.revenueByAccount(c.Context(), s, f)
		}
		rows, err := s.ReportRevenue(c.Context(), f)
		if err != nil {
			return err
		}
		columns := []column[billing.RevenueRow]{
			text("MONTH", func(r billing.RevenueRow) string { return r.Month }),
			number("FIXED", func(r billing.RevenueRow) string { return money(r.Fixed, r.Currency) }),
			number("USAGE", func(r billing.RevenueRow) string { return money(r.Usage, r.Currency) }),
			number("CREDITS", func(r billing.RevenueRow) string { return money(r.Credits, r.Currency) }),
		}
		for _, r := range rows {
			if !r.TaxInPrices.IsZero() {
				columns = append(columns, number("TAX IN PRICES", func(r billing.RevenueRow) string { return money(r.TaxInPrices, r.Currency) }))
				break
			}
		}
		return list(a, rows, nothingEarned, append(columns,
			number("REVENUE", func(r billing.RevenueRow) string { return money(r.Revenue, r.Currency) }),
			number("AT THIS RATE", func(r billing.RevenueRow) string {
				if r.RunRate == nil {
					return ""
				}
				return money(*r.RunRate, r.Currency)
			}),
		)...)
	})
	c.Flags().BoolVar(&byAccount, "by-account", false, "by account of the journal, over the whole period")
	return c
}

const nothingEarned = "Nothing was earned in this period. Close a ticket: docket ticket resolve TICKET --took 20m --resolution TEXT"

func (a *app) revenueByAccount(ctx context.Context, s *postgres.Store, f postgres.ReportFilter) error {
	rows, err := s.ReportAccounts(ctx, f)
	if err != nil {
		return err
	}
	return list(a, rows, nothingEarned,
		text("ACCOUNT", func(r billing.AccountRow) string { return r.Account }),
		text("WHAT IT HOLDS", func(r billing.AccountRow) string { return r.Name }),
		number("EARNED", func(r billing.AccountRow) string { return money(r.Amount, r.Currency) }),
	)
}

func newReportDeferred(a *app) *cobra.Command {
	c := &cobra.Command{Use: "deferred", Short: "Tell what of the prices of block hours is not earned yet"}
	return standing(a, c, served, func(s *postgres.Store, b postgres.Balance) error {
		rows, err := s.ReportDeferred(c.Context(), b)
		if err != nil {
			return err
		}
		return list(a, rows, "No block hours are sold and unused. docket block list shows the blocks",
			text("CLIENT", func(r billing.DeferredRow) string { return r.Client }),
			text("CONTRACT", func(r billing.DeferredRow) string { return r.Contract }),
			number("BLOCK", func(r billing.DeferredRow) string { return fmt.Sprint(r.Block) }),
			number("PRICE", func(r billing.DeferredRow) string { return money(r.Price, r.Currency) }),
			number("LEFT", func(r billing.DeferredRow) string { return lasting(r.Left) }),
			number("OF", func(r billing.DeferredRow) string { return lasting(r.Granted) }),
			number("NOT EARNED", func(r billing.DeferredRow) string { return money(r.Deferred, r.Currency) }),
		)
	})
}

func newReportWIP(a *app) *cobra.Command {
	c := &cobra.Command{Use: "wip", Short: "Tell what is done and on no finalised invoice yet"}
	return standing(a, c, payer, func(s *postgres.Store, b postgres.Balance) error {
		rows, err := s.ReportWIP(c.Context(), b)
		if err != nil {
			return err
		}
		return list(a, rows, "All that is done is billed. docket invoice list shows the invoices",
			text("PAYER", func(r billing.WIPRow) string { return r.Payer }),
			number("NOT BILLED", func(r billing.WIPRow) string { return money(r.Amount, r.Currency) }),
		)
	})
}

func newReportReceivables(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "receivables",
		Short: "Tell who owes what, by the days since it was due",
		Long: `What payers owe on finalised invoices, by the days since it was due; what is due on that day is not late. IN QUESTION is what of it nobody collects, since somebody
questioned its lines. IN CREDIT is what the payer has and no invoice has used.`,
	}
	return standing(a, c, payer, func(s *postgres.Store, b postgres.Balance) error {
		rows, err := s.ReportReceivables(c.Context(), b)
		if err != nil {
			return err
		}
		return list(a, rows, "Nobody owes anything. Finalise an invoice: docket invoice finalize INVOICE",
			text("PAYER", func(r billing.ReceivableRow) string { return r.Payer }),
			number("INVOICES", func(r billing.ReceivableRow) string { return fmt.Sprint(r.Invoices) }),
			number("NOT DUE", func(r billing.ReceivableRow) string { return money(r.NotDue, r.Currency) }),
			number("1-30 DAYS", func(r billing.ReceivableRow) string { return money(r.To30, r.Currency) }),
			number("31-60", func(r billing.ReceivableRow) string { return money(r.To60, r.Currency) }),
			number("61-90", func(r billing.ReceivableRow) string { return money(r.To90, r.Currency) }),
			number("OVER 90", func(r billing.ReceivableRow) string { return money(r.Over90, r.Currency) }),
			number("OWED", func(r billing.ReceivableRow) string { return money(r.Owed, r.Currency) }),
			number("IN QUESTION", func(r billing.ReceivableRow) string { return money(r.Disputed, r.Currency) }),
			number("IN CREDIT", func(r billing.ReceivableRow) string { return money(r.Credit, r.Currency) }),
		)
	})
}
