package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newDispute(a *app) *cobra.Command {
	return noun("dispute", "Lines of invoices that are in question, for finance to settle", newDisputeList(a), newDisputeSettle(a))
}

func newDisputeList(a *app) *cobra.Command {
	var (
		f   postgres.DisputeFilter
		all bool
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "List the lines in question, the oldest first",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.State != "" && !slices.Contains(billing.DisputeStates, f.State) {
				return ticket.Invalid("state", f.State, "is not a dispute's state", "one of "+strings.Join(billing.DisputeStates, ", "))
			}
			if err := positive("limit", f.Limit); err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := known(cmd.Context(), s.store, f.Payer, ""); err != nil {
				return err
			}
			if f.State == "" && !all {
				f.State = "open"
			}
			found, err := s.store.Disputes(cmd.Context(), f)
			if err != nil {
				return err
			}
			return list(a, found, "Nothing is in question. Somebody questions a line: docket invoice question LINE --reason TEXT --as CONTACT",
				text("DISPUTE", func(d billing.Dispute) string { return ticket.DisputeID(d.ID) }),
				text("STATE", func(d billing.Dispute) string { return d.State }),
				text("LINE", func(d billing.Dispute) string { return ticket.LineID(d.Line) }),
				text("INVOICE", func(d billing.Dispute) string { return d.Invoice }),
				text("PAYER", func(d billing.Dispute) string { return d.Payer }),
				number("AMOUNT", func(d billing.Dispute) string { return money(d.Amount, d.Currency) }),
				number("LEFT", func(d billing.Dispute) string { return money(d.Left, d.Currency) }),
				text("BY", func(d billing.Dispute) string { return d.OpenedBy }),
				text("SINCE", func(d billing.Dispute) string { return a.when(d.OpenedAt) }),
				text("WHY", func(d billing.Dispute) string { return short(oneLine(d.Reason), 60) }),
			)
		},
	}
	c.Flags().StringVar(&f.Payer, "payer", "", "only of this `client`")
	c.Flags().StringVar(&f.State, "state", "", "only in this `state`: "+strings.Join(billing.DisputeStates, ", ")+"; open by default")
	c.Flags().BoolVar(&all, "all", false, "settled ones too")
	c.Flags().IntVar(&f.Limit, "limit", 50, "at most this `number`")
	return c
}

func newDisputeSettle(a *app) *cobra.Command {
	var (
		d      postgres.DisputeAnswer
		stands bool
	)
	c := &cobra.Command{
		Use:   "settle DISPUTE (--stands | --credit | --credit-amount N) --reason TEXT",
		Short: "Settle a line in question: it stands, or a credit note gives it back, whole or in part",
		Args:  exactly("DISPUTE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if d.Dispute, err = ticket.ParseDisputeID(args[0]); err != nil {
				return err
			}
			if answers := one(stands) + one(d.Whole) + one(d.Amount != ""); answers != 1 {
				return ticket.Invalid("answer", answers, "is not one answer", "give one of --stands, --credit (the whole line) or --credit-amount N")
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			d.By, d.OperationKey = who.ID, cmp.Or(d.OperationKey, desk.NewKey())
			settled, err := a.session.store.SettleDispute(cmd.Context(), d)
			if err != nil {
				return err
			}
			return a.told(settled, settled.Says)
		},
	}
	flags := c.Flags()
	flags.BoolVar(&stands, "stands", false, "the line stands as it was billed, and is collected again")
	flags.BoolVar(&d.Whole, "credit", false, "give the whole line back by a credit note")
	flags.StringVar(&d.Amount, "credit-amount", "", "give a part of the line back, a `decimal` with tax")
	flags.StringVar(&d.Reason, "reason", "", "why (`text`); the payer reads it")
	flags.StringVar(&d.OperationKey, "key", "", keyUsage)
	return c
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
