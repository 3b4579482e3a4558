package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newCredit(a *app) *cobra.Command {
	return noun("credit", "What payers have in credit, and what it paid", newCreditList(a), newCreditShow(a), newCreditApply(a))
}

func newCreditList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the payers that have credit",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			balances, err := s.store.CreditBalances(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, balances, "Nobody has credit. A credit note or a payment above what is owed makes some: docket invoice credit INVOICE --amount N --reason TEXT",
				text("PAYER", func(b billing.PayerCredit) string { return b.Payer }),
				number("CREDIT", func(b billing.PayerCredit) string { return money(b.Balance, b.Currency) }),
			)
		},
	}
}

func newCreditShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show PAYER",
		Short: "Show where a payer's credit comes from, what used it, and what is left",
		Args:  exactly("PAYER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if _, err := s.store.Client(cmd.Context(), args[0]); err != nil {
				return err
			}
			all, err := s.store.CreditsOf(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.show(all, func() {
				if len(all) == 0 {
					_, _ = fmt.Fprintf(a.stdout, "%s never had any credit.\n", args[0])
				}
				for i, c := range all {
					if i > 0 {
						_, _ = fmt.Fprintln(a.stdout)
					}
					a.creditsOf(c)
				}
			})
		},
	}
}

func (a *app) creditsOf(p billing.PayerCredits) {
	_, _ = fmt.Fprintf(a.stdout, "%s has %s in credit\n\n", p.Payer, money(p.Balance, p.Currency))
	rows := [][]string{{"AT", "FROM", "OF", "AMOUNT", "LEFT"}}
	for _, c := range p.Credits {
		rows = append(rows, []string{a.when(c.At), c.Kind, c.Of, money(c.Amount, p.Currency), money(c.Left, p.Currency)})
		if c.Returned.IsPositive() {
			rows = append(rows, []string{"", "  came back", "", money(c.Returned.Neg(), p.Currency), ""})
		}
		for _, u := range c.Applied {
			verb := "paid"
			if u.Amount.IsNegative() {
				verb = "returned by"
			}
			rows = append(rows, []string{a.when(u.At), "  " + verb, u.Invoice, money(u.Amount.Neg(), p.Currency), ""})
		}
	}
	align(a.stdout, rows, []bool{false, false, false, true, true})
}

func newCreditApply(a *app) *cobra.Command {
	var (
		u  postgres.CreditUse
		to string
	)
	c := &cobra.Command{
		Use:   "apply PAYER",
		Short: "Pay what a payer owes from its credit: the oldest credit and the oldest invoice first",
		Long: `Pay what a payer owes from its credit: the oldest credit first, on all its finalised invoices, the oldest first, or on one (--to).
Finalising an invoice applies credit by itself; this is for credit that came later.`,
		Args: exactly("PAYER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			store := a.session.store
			u.Payer, u.By, u.OperationKey = args[0], who.ID, cmp.Or(u.OperationKey, desk.NewKey())
			client, err := store.Client(cmd.Context(), u.Payer)
			if err != nil {
				return err
			}
			u.Currency = cmp.Or(u.Currency, client.Currency)
			if to != "" {
				invoice, err := store.Invoice(cmd.Context(), to)
				if err != nil {
					return err
				}
				if invoice.Payer != u.Payer || invoice.Currency != u.Currency {
					return ticket.Invalid("to", to, "is "+invoice.Payer+"'s, in "+invoice.Currency, "credit pays invoices of its own payer and currency")
				}
				u.Invoice = invoice.ID
			}
			applied, err := store.ApplyCredit(cmd.Context(), u)
			if err != nil {
				return err
			}
			return a.told(applied, applied.Says)
		},
	}
	flags := c.Flags()
	flags.StringVar(&u.Currency, "currency", "", "ISO 4217 `code`; the payer's own by default")
	flags.StringVar(&to, "to", "", "only on this `invoice`")
	flags.StringVar(&u.OperationKey, "key", "", keyUsage)
	return c
}
