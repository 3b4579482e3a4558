package main

import (
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
)

func newCompany(a *app) *cobra.Command {
	return noun("company", "Who the MSP is, as its invoices name it", newCompanyShow(a), newCompanySet(a))
}

func newCompanyShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Show the company",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			p, err := s.store.Company(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(p, func() { a.party(p) })
		},
	}
}

func (a *app) party(p billing.Party) {
	fields(a.stdout, "name", p.Name, "street", p.Street, "city", p.City, "postcode", p.Postcode, "region", p.Region, "country", p.Country,
		"tax id", p.TaxID, "legal id", p.LegalID, "email", p.Email, "IBAN", p.IBAN, "BIC", p.BIC)
	a.boxes(document.Unprintable(p.Name+p.Street+p.City+p.Postcode+p.Region), "give it in those, too: a name for the paper is --name")
}

// boxes says which letters a PDF has none for.
func (a *app) boxes(lacks, fix string) {
	if lacks != "" {
		a.say("The PDF shows boxes for %s: its fonts have Latin, Greek and Cyrillic letters; %s. The files of data have all letters.", short(lacks, 40), fix)
	}
}

func newCompanySet(a *app) *cobra.Command {
	var p partyFlags
	c := &cobra.Command{
		Use:   "set --name NAME --country CODE",
		Short: "Set what the company is; a flag that is left out keeps what was set",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			was, err := a.session.store.Company(cmd.Context())
			if err != nil {
				return err
			}
			p.over(cmd, &was)
			if err := a.session.store.SetCompany(cmd.Context(), was, who.ID); err != nil {
				return err
			}
			return a.show(was, func() { a.party(was) })
		},
	}
	p.flags(c)
	c.Flags().StringVar(&p.party.IBAN, "iban", "", "`account` to pay to")
	c.Flags().StringVar(&p.party.BIC, "bic", "", "`code` of its bank")
	return c
}

func newClientAddress(a *app) *cobra.Command {
	var p partyFlags
	c := &cobra.Command{
		Use:   "address CLIENT",
		Short: "Show where a client's invoices go, or set it; a flag that is left out keeps what was set",
		Args:  exactly("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			was, err := s.store.ClientParty(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if p.over(cmd, &was) {
				who, err := a.person(cmd.Context())
				if err != nil {
					return err
				}
				if err := s.store.SetClientParty(cmd.Context(), args[0], was, who.ID); err != nil {
					return err
				}
			}
			return a.show(was, func() { a.party(was) })
		},
	}
	p.flags(c)
	return c
}

// partyFlags are the flags of an address, by the names of its fields.
type partyFlags struct{ party billing.Party }

func (p *partyFlags) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.party.Name, "name", "", "`name` on the paper")
	f.StringVar(&p.party.Street, "street", "", "`street` and number")
	f.StringVar(&p.party.City, "city", "", "`city`")
	f.StringVar(&p.party.Postcode, "postcode", "", "`postcode`")
	f.StringVar(&p.party.Region, "region", "", "`state` or region")
	f.StringVar(&p.party.Country, "country", "", "two letters of ISO 3166, a `code` such as DE")
	f.StringVar(&p.party.TaxID, "tax-id", "", "VAT `number`, with its country")
	f.StringVar(&p.party.LegalID, "legal-id", "", "`number` in the company register")
	f.StringVar(&p.party.Email, "email", "", "`address` for invoices")
}

// over writes the flags that were given over the party, and says whether there were any.
func (p *partyFlags) over(c *cobra.Command, to *billing.Party) bool {
	given := false
	for name, value := range map[string][2]*string{
		"name": {&p.party.Name, &to.Name}, "street": {&p.party.Street, &to.Street}, "city": {&p.party.City, &to.City},
		"postcode": {&p.party.Postcode, &to.Postcode}, "region": {&p.party.Region, &to.Region}, "country": {&p.party.Country, &to.Country},
		"tax-id": {&p.party.TaxID, &to.TaxID}, "legal-id": {&p.party.LegalID, &to.LegalID}, "email": {&p.party.Email, &to.Email},
		"iban": {&p.party.IBAN, &to.IBAN}, "bic": {&p.party.BIC, &to.BIC},
	} {
		if c.Flags().Changed(name) {
			*value[1], given = *value[0], true
		}
	}
	return given
}
