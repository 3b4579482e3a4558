package main

import (
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/ticket"
)

func newException(a *app) *cobra.Command {
	return noun("exception", "What a dispatcher of ours must rule on", newExceptionList(a), newHoldShow(a), newRule(a))
}

func newExceptionList(a *app) *cobra.Command {
	var all bool
	var client string
	c := &cobra.Command{
		Use:   "list",
		Short: "List what waits for a dispatcher's ruling",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			holds, err := s.store.Exceptions(cmd.Context(), !all, client)
			if err != nil {
				return err
			}
			return a.holds(holds, "No exceptions. Work that no contract speaks of becomes one: docket ticket open --client northwind --category purchase --subject 'Buy 20 laptops'")
		},
	}
	c.Flags().BoolVar(&all, "all", false, "decided ones too")
	c.Flags().StringVar(&client, "client", "", "only of this `client`")
	return c
}

func newRule(a *app) *cobra.Command {
	var l letter
	var action, reason, hourly string
	c := &cobra.Command{
		Use:   "rule HOLD --action ACTION --reason TEXT",
		Short: "Decide: bill it as quoted, cover it, write it off, or send the ticket back (rework)",
		Args:  exactly("HOLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := ticket.ParseHoldID(args[0])
			if err != nil {
				return err
			}
			h, err := a.header(cmd.Context(), l.key, l.at.Time)
			if err != nil {
				return err
			}
			view, err := a.session.store.HoldByID(cmd.Context(), n)
			if err != nil {
				return err
			}
			return a.settlement(a.session.desk.Rule(cmd.Context(), ticket.ID(view.Ticket),
				ticket.Rule{Header: h, Hold: n, Action: ticket.Ruling(action), Reason: reason, Hourly: hourly}))
		},
	}
	l.flags(c)
	c.Flags().StringVar(&action, "action", "", "bill, cover, write-off or rework (`action`)")
	c.Flags().StringVar(&reason, "reason", "", "why, one `sentence`")
	c.Flags().StringVar(&hourly, "hourly", "", "with bill on a hold that found no rate: the hourly `rate` to use")
	return c
}
