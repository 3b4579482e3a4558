package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newWhy(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "why LINE",
		Short: "Tell where an invoice line comes from, in sentences",
		Args:  exactly("LINE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := ticket.ParseLineID(args[0])
			if err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			why, err := s.store.Why(cmd.Context(), n)
			if err != nil {
				return err
			}
			undone, err := undoneBy(cmd.Context(), s.store, why)
			if err != nil {
				return err
			}
			return a.show(why, func() {
				l := why.Line
				_, _ = fmt.Fprintf(a.stdout, "%s  %s  %s\n\n", ticket.LineID(l.Line), l.Text, money(l.Amount, l.Currency))
				for _, sentence := range why.Sentences {
					_, _ = fmt.Fprintln(a.stdout, sentence)
				}
				_, _ = fmt.Fprintln(a.stdout)
				fields(a.stdout, "ticket", l.Ticket, "project", why.Charge.Project, "client", l.Client, "invoice", invoiceName(why.Invoice), "date", l.Date, "decided", a.when(why.ClosedAt),
					"digest", why.Digest, "adjusts", lineID(l.Adjusts), "undoes", lineID(l.Reverses), "undone", undone)
			})
		},
	}
}

// undoneBy names the line that undoes this one. What cost nothing is undone without a line.
func undoneBy(ctx context.Context, store *postgres.Store, why billing.Why) (string, error) {
	if why.Reversed == 0 {
		return "", nil
	}
	if _, err := store.Why(ctx, why.Reversed); len(ticket.Problems(err)) > 0 {
		return "yes, when the ticket was reopened; it cost nothing, so no line takes it back", nil
	} else if err != nil {
		return "", err
	}
	return "by " + ticket.LineID(why.Reversed), nil
}

// lineID is a line's name; nothing for none.
func lineID(n int64) string {
	if n == 0 {
		return ""
	}
	return ticket.LineID(n)
}
