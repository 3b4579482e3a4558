package main

import (
	"fmt"

	"github.com/spf13/cobra"

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
			return a.show(why, func() {
				l := why.Line
				_, _ = fmt.Fprintf(a.stdout, "%s  %s  %s\n\n", ticket.LineID(l.Line), l.Text, money(l.Amount, l.Currency))
				for _, sentence := range why.Sentences {
					_, _ = fmt.Fprintln(a.stdout, sentence)
				}
				_, _ = fmt.Fprintln(a.stdout)
				undone := ""
				if why.Reversed != 0 {
					undone = ticket.LineID(why.Reversed)
				}
				reverses := ""
				if l.Reverses != 0 {
					reverses = ticket.LineID(l.Reverses)
				}
				adjusts := ""
				if l.Adjusts != 0 {
					adjusts = ticket.LineID(l.Adjusts)
				}
				fields(a.stdout, "ticket", l.Ticket, "client", l.Client, "invoice", invoiceName(why.Invoice), "of", l.Date, "decided", a.when(why.ClosedAt),
					"digest", why.Digest, "adjusts", adjusts, "undoes", reverses, "undone by", undone)
			})
		},
	}
}
