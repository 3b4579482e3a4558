package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

func newTax(a *app) *cobra.Command {
	return noun("tax", "How invoices are taxed, as documents", newTaxCheck(a), newTaxApply(a), newTaxList(a), newTaxShow(a))
}

func newTaxCheck(a *app) *cobra.Command {
	return checking(a, "Check a tax profile without storing it", func(raw []byte) (*billing.TaxProfile, string, error) {
		p, err := billing.ParseTaxProfile(raw)
		if err != nil {
			return nil, "", err
		}
		return p, fmt.Sprintf("%s is well formed: %s, standard category %s", p.ID, p.Name, p.Standard), nil
	})
}

func newTaxApply(a *app) *cobra.Command {
	return applying(a, "Store a tax profile as a new, immutable revision; open invoices show it, finalised ones stay",
		func(ctx context.Context, raw []byte, by string) (postgres.TaxVersion, string, error) {
			v, err := a.session.store.ApplyTax(ctx, raw, by)
			if err != nil {
				return v, "", err
			}
			if !v.Changed {
				return v, fmt.Sprintf("%s revision %d says this already; nothing changed", v.Profile, v.Revision), nil
			}
			return v, fmt.Sprintf("%s revision %d is stored; next, whom it taxes: docket client tax CLIENT %s, or `tax: %s` in a contract",
				v.Profile, v.Revision, v.Profile, v.Profile), nil
		})
}

func newTaxList(a *app) *cobra.Command {
	return listing(a, "list", "List the tax profiles, each with the revision that counts",
		"No tax profiles yet, and no invoice has tax. Store one: docket tax apply FILE --as PERSON",
		func(ctx context.Context, s *postgres.Store) ([]postgres.TaxVersion, error) { return s.TaxProfiles(ctx) },
		text("TAX", func(v postgres.TaxVersion) string { return v.Profile }),
		text("NAME", func(v postgres.TaxVersion) string { return v.Document.Name }),
		number("REVISION", func(v postgres.TaxVersion) string { return fmt.Sprint(v.Revision) }),
		text("STANDARD", func(v postgres.TaxVersion) string { return v.Document.Standard }),
		text("APPLIED", func(v postgres.TaxVersion) string { return a.when(v.AppliedAt) + " by " + v.AppliedBy }),
	)
}

func newTaxShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show TAX",
		Short: "Show a tax profile: its categories, rates and certificate",
		Args:  exactly("TAX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			v, err := s.store.TaxProfile(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.show(v, func() { a.taxProfile(v) })
		},
	}
}

func (a *app) taxProfile(v postgres.TaxVersion) {
	p := v.Document
	_, _ = fmt.Fprintf(a.stdout, "%s  %s, revision %d\n\n", p.ID, p.Name, v.Revision)
	exempt := ""
	if e := p.Exemption; e != nil {
		exempt = fmt.Sprintf("certificate %s from %s", e.Certificate, e.From)
		if e.To != "" {
			exempt += ", until before " + e.To
		}
		exempt += ": " + e.Reason
	}
	fields(a.stdout, "standard", p.Standard, "prices", p.Prices, "rounded per", p.Per, "exempt", exempt)
	_, _ = fmt.Fprintln(a.stdout)
	rows := [][]string{{"CATEGORY", "CODE", "PERCENT", "PART", "FROM", "WHY"}}
	for _, c := range p.Categories {
		if len(c.Rates) == 0 {
			rows = append(rows, []string{c.Name, c.Code, "", "", "", c.Reason})
		}
		for _, r := range c.Rates {
			if len(r.Parts) == 0 {
				rows = append(rows, []string{c.Name, c.Code, r.Percent.String(), "", r.From, c.Reason})
			}
			for _, part := range r.Parts {
				rows = append(rows, []string{c.Name, c.Code, part.Percent.String(), part.Name, r.From, c.Reason})
			}
		}
	}
	align(a.stdout, rows, []bool{false, false, true, false, false, false})
}

func newClientTax(a *app) *cobra.Command {
	var none bool
	c := &cobra.Command{
		Use:   "tax CLIENT [TAX]",
		Short: "Say by which tax profile a client's invoices are taxed where its contracts name none",
		Args:  oneOrTwo("CLIENT", "TAX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			profile := ""
			if len(args) == 2 {
				profile = args[1]
			}
			if none != (profile == "") {
				return usage(errors.New("name a tax profile, or --none to take it away; `docket tax list` shows the profiles"))
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.session.store.TaxClient(cmd.Context(), args[0], profile, who.ID); err != nil {
				return err
			}
			answer := map[string]string{"client": args[0], "tax": profile}
			if none {
				return a.told(answer, args[0]+" has no tax profile: what its contracts do not tax has no tax")
			}
			return a.told(answer, args[0]+" is taxed by "+profile+" from the next finalisation on")
		},
	}
	c.Flags().BoolVar(&none, "none", false, "take its profile away")
	return c
}

// untaxed says whether nobody said how any of the invoice is taxed.
func untaxed(t *billing.DocumentTotals) bool {
	return !slices.ContainsFunc(t.Taxes, func(c billing.CategoryTax) bool { return c.Code != "" })
}

// summed is what an invoice's lines come to. Where tax is still to come, its rows begin with the net.
func summed(i billing.Invoice) string {
	lines := count(i.LineCount, "line")
	if i.Taxes == nil || untaxed(i.Taxes) {
		return lines + ", total " + money(i.Total, i.Currency)
	}
	return lines
}

// taxes shows an invoice's sums with tax, a row for what is taxed alike.
func (a *app) taxes(i billing.Invoice) {
	t := i.Taxes
	switch {
	case t == nil:
		return
	case untaxed(t):
		says := "No tax: neither its contracts nor its payer name a tax profile."
		if i.FinalisedAt == nil {
			says += " docket client tax " + i.Payer + " TAX names one."
		}
		_, _ = fmt.Fprintln(a.stdout, says)
		return
	}
	rows := [][]string{{"net", money(t.TaxExclusive, t.Currency)}}
	for _, c := range t.Taxes {
		what := "no tax profile, no tax"
		if c.Code != "" {
			what = fmt.Sprintf("tax %s, %s %% of %s", c.Code, c.Percent, money(c.Base, t.Currency))
		}
		if c.Reason != "" {
			what += ": " + c.Reason
		}
		if c.Certificate != "" {
			what += ", certificate " + c.Certificate
		}
		rows = append(rows, []string{what, money(c.Tax, t.Currency)})
		for _, part := range c.Parts {
			rows = append(rows, []string{fmt.Sprintf("  of it %s, %s %%", part.Name, part.Percent), money(part.Tax, t.Currency)})
		}
	}
	rows = append(rows, []string{"gross, at the rates of " + t.TaxDate, money(t.TaxInclusive, t.Currency)})
	align(a.stdout, rows, []bool{false, true})
	for _, s := range t.Says {
		_, _ = fmt.Fprintln(a.stdout, s)
	}
}
