package main

import (
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

func newReport(a *app) *cobra.Command {
	return noun("report", "What the desk earned, cost and kept",
		newReportRevenue(a), newReportReceivables(a), newReportDeferred(a), newReportWIP(a),
		newReportActors(a), newReportMargin(a), newReportProjects(a), newReportSLA(a), newReportLeakage(a), newReportBlocks(a))
}

// span is a period of local dates, the end exclusive.
type span struct{ from, to string }

func (s *span) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.from, "from", "", "first `date`, YYYY-MM-DD; from the beginning by default")
	c.Flags().StringVar(&s.to, "to", "", "first `date` after it, YYYY-MM-DD; until now by default")
}

func (s *span) dates() (from, to sla.LocalDate, err error) {
	parse := func(field, text string, into *sla.LocalDate) {
		if err == nil {
			*into, err = localDate(field, text)
		}
	}
	parse("from", s.from, &from)
	parse("to", s.to, &to)
	return from, to, err
}

// localDate reads a date; zero where none is given.
func localDate(field, text string) (d sla.LocalDate, err error) {
	if text == "" {
		return d, nil
	}
	if d, err = sla.ParseDate(text); err != nil {
		return d, ticket.Invalid(field, text, "is not a date", "write it like 2026-03-01")
	}
	return d, nil
}

// whose says what --client narrows a report to.
type whose string

const (
	served whose = "only of this `client`"
	payer  whose = "only what this `client` pays"
)

// over makes of c a report over a period. Those of money have a currency too.
func over(a *app, c *cobra.Command, client whose, ofMoney bool, report func(s *postgres.Store, f postgres.ReportFilter) error) *cobra.Command {
	var (
		p span
		f postgres.ReportFilter
	)
	c.Args = exactly()
	c.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if f.From, f.To, err = p.dates(); err != nil {
			return err
		}
		s, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		return report(s.store, f)
	}
	p.flags(c)
	narrowed(c, client, ofMoney, &f.Client, &f.Currency)
	return c
}

// standing makes of c a report of how the books stood at the end of a date.
func standing(a *app, c *cobra.Command, client whose, report func(s *postgres.Store, b postgres.Balance) error) *cobra.Command {
	var (
		on string
		b  postgres.Balance
	)
	c.Args = exactly()
	c.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if b.AsOf, err = localDate("as-of", on); err != nil {
			return err
		}
		s, err := a.open(cmd.Context())
		if err != nil {
			return err
		}
		return report(s.store, b)
	}
	c.Flags().StringVar(&on, "as-of", "", "as booked until the end of this `date`, YYYY-MM-DD; all that is booked by default")
	narrowed(c, client, true, &b.Client, &b.Currency)
	return c
}

func narrowed(c *cobra.Command, client whose, ofMoney bool, of, currency *string) {
	c.Flags().StringVar(of, "client", "", string(client))
	if ofMoney {
		c.Flags().StringVar(currency, "currency", "", "only in this currency, an ISO 4217 `code`")
	}
}
