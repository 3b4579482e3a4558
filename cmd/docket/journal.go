package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

func newJournal(a *app) *cobra.Command {
	return noun("journal", "The books in double entry: what each deed booked, and where", newJournalList(a), newJournalShow(a), newJournalAccounts(a))
}

func newJournalList(a *app) *cobra.Command {
	var (
		p span
		f postgres.JournalFilter
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "List entries of the journal, the newest 100 by default",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if f.From, f.To, err = p.dates(); err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			rows, err := s.store.JournalPostings(cmd.Context(), f)
			if err != nil {
				return err
			}
			return a.journal(rows, "Nothing is booked there. Close a ticket, or sell a block: docket block add")
		},
	}
	p.flags(c)
	c.Flags().StringVar(&f.Account, "account", "", "only entries that touch this `account` or its sub-accounts; docket journal accounts lists them")
	c.Flags().StringVar(&f.Payer, "payer", "", "only of this `client`")
	c.Flags().IntVar(&f.Limit, "limit", 100, "the newest so many entries; 0: all")
	return c
}

func newJournalShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ENTRY",
		Short: "Show what a line (L-88123), an invoice (INV-2026-00017), a block (block/3) or a deed (payment/33) booked",
		Args:  exactly("ENTRY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			rows, err := s.store.JournalOf(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.journal(rows, args[0]+" has booked nothing: what costs nothing is no entry, nor is a line that bills a void one again")
		},
	}
}

func (a *app) journal(rows []billing.JournalPosting, empty string) error {
	side := func(of billing.JournalPosting, debit bool) string {
		switch {
		case of.Amount.IsPositive() != debit:
			return ""
		case of.Unit == "ms":
			return lasting(of.Amount.Abs().IntPart())
		}
		return money(of.Amount.Abs(), of.Unit)
	}
	return list(a, rows, empty,
		text("ENTRY", func(r billing.JournalPosting) string { return fmt.Sprintf("%s/%d", r.Kind, r.Source) }),
		text("BOOKED ON", func(r billing.JournalPosting) string { return r.BookedOn }),
		text("PAYER", func(r billing.JournalPosting) string { return r.Payer }),
		text("ACCOUNT", func(r billing.JournalPosting) string { return r.Account }),
		number("DEBIT", func(r billing.JournalPosting) string { return side(r, true) }),
		number("CREDIT", func(r billing.JournalPosting) string { return side(r, false) }),
	)
}

func newJournalAccounts(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "accounts",
		Short: "List the accounts of the journal",
		Args:  exactly(),
		RunE: func(*cobra.Command, []string) error {
			return list(a, billing.Accounts, "",
				text("ACCOUNT", func(r billing.Account) string { return r.Code }),
				text("TYPE", func(r billing.Account) string { return string(r.Type) }),
				text("WHAT IT HOLDS", func(r billing.Account) string { return r.Name }),
			)
		},
	}
}

func newReportEarned(a *app) *cobra.Command {
	var p span
	c := &cobra.Command{
		Use:   "earned",
		Short: "Tell what was earned, by account: work and fees by date of service, block hours as they were used",
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
			rows, err := s.store.ReportEarned(cmd.Context(), from, to)
			if err != nil {
				return err
			}
			return list(a, rows, "Nothing was earned in this period. docket journal list shows what is booked",
				text("ACCOUNT", func(r billing.EarnedRow) string { return r.Account }),
				text("WHAT IT HOLDS", func(r billing.EarnedRow) string { return r.Name }),
				number("EARNED", func(r billing.EarnedRow) string { return money(r.Amount, r.Currency) }),
			)
		},
	}
	p.flags(c)
	return c
}

// dated is a report of how things stood at the end of a date.
func dated(a *app, use, short string, report func(cmd *cobra.Command, s *postgres.Store, asOf sla.LocalDate) error) *cobra.Command {
	var on string
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var asOf sla.LocalDate // zero: all that is booked, also where it is tomorrow already
			if on != "" {
				var err error
				if asOf, err = sla.ParseDate(on); err != nil {
					return ticket.Invalid("as-of", on, "is not a date", "write it like 2026-03-31")
				}
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			return report(cmd, s.store, asOf)
		},
	}
	c.Flags().StringVar(&on, "as-of", "", "as booked until the end of this `date`, YYYY-MM-DD; all that is booked by default")
	return c
}

func newReportDeferred(a *app) *cobra.Command {
	return dated(a, "deferred", "Tell what of the prices of block hours is not earned yet", func(cmd *cobra.Command, s *postgres.Store, asOf sla.LocalDate) error {
		rows, err := s.ReportDeferred(cmd.Context(), asOf)
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
	return dated(a, "wip", "Tell what is done and on no finalised invoice yet", func(cmd *cobra.Command, s *postgres.Store, asOf sla.LocalDate) error {
		rows, err := s.ReportWIP(cmd.Context(), asOf)
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
	return dated(a, "receivables", "Tell who owes what, by the days since it was due", func(cmd *cobra.Command, s *postgres.Store, asOf sla.LocalDate) error {
		rows, err := s.ReportReceivables(cmd.Context(), asOf, sla.DateAt(a.now(), time.UTC))
		if err != nil {
			return err
		}
		return list(a, rows, "Nobody owes anything. docket invoice list shows the invoices",
			text("PAYER", func(r billing.ReceivableRow) string { return r.Payer }),
			number("INVOICES", func(r billing.ReceivableRow) string { return number0(r.Invoices) }),
			number("NOT DUE", func(r billing.ReceivableRow) string { return money(r.NotDue, r.Currency) }),
			number("1-30 DAYS", func(r billing.ReceivableRow) string { return money(r.To30, r.Currency) }),
			number("31-60", func(r billing.ReceivableRow) string { return money(r.To60, r.Currency) }),
			number("61-90", func(r billing.ReceivableRow) string { return money(r.To90, r.Currency) }),
			number("OVER 90", func(r billing.ReceivableRow) string { return money(r.Over90, r.Currency) }),
			number("OWED", func(r billing.ReceivableRow) string { return money(r.Owed, r.Currency) }),
			number("IN CREDIT", func(r billing.ReceivableRow) string { return money(r.Credit, r.Currency) }),
		)
	})
}
