package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
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
		Short: "Show what a line, an invoice, a payment, a credit note, a block or a deed booked",
		Example: `  docket journal show L-88123
  docket journal show INV-2026-00017     # also P-12 and CN-2026-00003
  docket journal show block/3`,
		Args: exactly("ENTRY"),
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
