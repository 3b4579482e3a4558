package main

import (
	"fmt"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
)

func newCost(a *app) *cobra.Command {
	return noun("cost", "What work costs us, as a document", newCostCheck(a), newCostApply(a), newCostShow(a))
}

func newCostCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a cost document without storing it: every mistake with its line and what to write instead",
		Args:  exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			raw, err := a.document(args[0])
			if err != nil {
				return err
			}
			c, err := billing.ParseCostRates(raw)
			if err != nil {
				return err
			}
			return a.told(c, fmt.Sprintf("The cost document is well formed: %s, from %s", count(len(c.Rates), "rate"), c.EffectiveFrom))
		},
	}
}

func newCostApply(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "apply FILE",
		Short: "Store a cost document as a new, immutable revision: work that is logged from now on costs by it",
		Args:  exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := a.document(args[0])
			if err != nil {
				return err
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			v, err := a.session.store.ApplyCosts(cmd.Context(), raw, who.ID)
			if err != nil {
				return err
			}
			if !v.Changed {
				return a.told(v, fmt.Sprintf("Revision %d says this already; nothing changed", v.Revision))
			}
			return a.told(v, fmt.Sprintf("Revision %d is stored, in force from %s; what is logged keeps its cost", v.Revision, v.EffectiveFrom))
		},
	}
}

// costRow is a row of a revision of the cost document.
type costRow struct {
	Revision int    `json:"revision"`
	From     string `json:"effective_from"`
	Currency string `json:"currency"`
	billing.CostRate
}

func newCostShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Show what work costs us: every revision, the latest date first",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			versions, err := s.store.CostVersions(cmd.Context())
			if err != nil {
				return err
			}
			rows := []costRow{}
			for _, v := range versions {
				for _, r := range v.Document.Rates {
					rows = append(rows, costRow{v.Revision, v.EffectiveFrom, v.Document.Currency, r})
				}
			}
			amount := func(d *decimal.Decimal, currency string) string {
				if d == nil {
					return ""
				}
				return money(*d, currency)
			}
			return list(a, rows, "No cost document yet: work costs what each person's own costs say. Store one: docket cost apply FILE --as PERSON",
				number("REVISION", func(r costRow) string { return fmt.Sprint(r.Revision) }),
				text("FROM", func(r costRow) string { return r.From }),
				text("PERSON", func(r costRow) string { return r.Person }),
				text("WORK ROLE", func(r costRow) string { return r.WorkRole }),
				text("ACTOR", func(r costRow) string { return r.Actor }),
				number("HOURLY", func(r costRow) string { return amount(r.Hourly, r.Currency) }),
				number("RUN", func(r costRow) string { return amount(r.Run, r.Currency) }),
				number("1000 TOKENS IN", func(r costRow) string { return amount(r.TokensIn, r.Currency) }),
				number("1000 TOKENS OUT", func(r costRow) string { return amount(r.TokensOut, r.Currency) }),
			)
		},
	}
}
