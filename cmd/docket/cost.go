package main

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

func newCost(a *app) *cobra.Command {
	return noun("cost", "What work costs us, as a document", newCostCheck(a), newCostApply(a), newCostShow(a))
}

func newCostCheck(a *app) *cobra.Command {
	return checking(a, "Check a cost document without storing it", func(raw []byte) (*billing.CostRates, string, error) {
		c, err := billing.ParseCostRates(raw)
		if err != nil {
			return nil, "", err
		}
		return c, fmt.Sprintf("The cost document is well formed: %s, from %s", count(len(c.Rates), "rate"), c.EffectiveFrom), nil
	})
}

func newCostApply(a *app) *cobra.Command {
	return applying(a, "Store a cost document as a new, immutable revision: work that is logged from now on costs by it",
		func(ctx context.Context, raw []byte, by string) (postgres.CostVersion, string, error) {
			v, err := a.session.store.ApplyCosts(ctx, raw, by)
			if err != nil {
				return v, "", err
			}
			if !v.Changed {
				return v, fmt.Sprintf("Revision %d says this already; nothing changed", v.Revision), nil
			}
			return v, fmt.Sprintf("Revision %d is stored, in force from %s; what is logged keeps its cost", v.Revision, v.EffectiveFrom), nil
		})
}

// costRow is a row of a revision of the cost document.
type costRow struct {
	Revision int    `json:"revision"`
	From     string `json:"effective_from"`
	Currency string `json:"currency"`
	billing.CostRate
}

func newCostShow(a *app) *cobra.Command {
	return listing(a, "show", "Show what work costs us: every revision, the latest date first",
		"No cost document yet: work costs what each person's own costs say. Store one: docket cost apply FILE --as PERSON", costRows,
		number("REVISION", func(r costRow) string { return fmt.Sprint(r.Revision) }),
		text("FROM", func(r costRow) string { return r.From }),
		text("PERSON", func(r costRow) string { return r.Person }),
		text("WORK ROLE", func(r costRow) string { return r.WorkRole }),
		text("ACTOR", func(r costRow) string { return r.Actor }),
		costColumn("HOURLY", func(r costRow) *decimal.Decimal { return r.Hourly }),
		costColumn("RUN", func(r costRow) *decimal.Decimal { return r.Run }),
		costColumn("1000 TOKENS IN", func(r costRow) *decimal.Decimal { return r.TokensIn }),
		costColumn("1000 TOKENS OUT", func(r costRow) *decimal.Decimal { return r.TokensOut }),
	)
}

// costColumn is a column of a cost that a row may leave out.
func costColumn(head string, of func(costRow) *decimal.Decimal) column[costRow] {
	return number(head, func(r costRow) string {
		if cost := of(r); cost != nil {
			return money(*cost, r.Currency)
		}
		return ""
	})
}

func costRows(ctx context.Context, s *postgres.Store) ([]costRow, error) {
	versions, err := s.CostVersions(ctx)
	if err != nil {
		return nil, err
	}
	var rows []costRow
	for _, v := range versions {
		for _, r := range v.Document.Rates {
			rows = append(rows, costRow{v.Revision, v.EffectiveFrom, v.Document.Currency, r})
		}
	}
	return rows, nil
}
