package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const (
	linePage   = 500
	watchEvery = time.Second // a hint may be lost; a line never is
)

func newInvoice(a *app) *cobra.Command {
	return noun("invoice", "Invoices, live while they are open",
		newInvoiceList(a), newInvoiceShow(a), newInvoiceWatch(a), newInvoiceFinalise(a),
		newInvoiceWriteDown(a), newInvoiceLimit(a), newInvoicePay(a), newInvoiceCredit(a), newInvoiceVoid(a), newInvoiceFile(a),
		newInvoiceReview(a), newInvoiceSend(a), newInvoiceQuestion(a), newInvoiceBounce(a), newInvoiceRemind(a), newInvoiceRules(a))
}

func newInvoiceList(a *app) *cobra.Command {
	var f postgres.InvoiceFilter
	c := &cobra.Command{
		Use:   "list",
		Short: "List invoices, the newest period first",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.State != "" && !slices.Contains(billing.InvoiceStates, f.State) {
				return ticket.Invalid("state", f.State, "is not an invoice's state", "one of "+strings.Join(billing.InvoiceStates, ", "))
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
			invoices, err := s.store.Invoices(cmd.Context(), f)
			if err != nil {
				return err
			}
			none := "No invoices yet. The first line of a period opens one: docket ticket resolve TICKET --took 30m --resolution TEXT"
			switch {
			case f.State == billing.InvoiceCreditNote:
				none = "No invoice came to less than zero. Credit notes against invoices: docket credit-note list"
			case f.State != "" || f.Payer != "":
				none = "No such invoices. All of them: docket invoice list"
			}
			return list(a, invoices, none,
				text("INVOICE", invoiceName),
				text("PAYER", func(i billing.Invoice) string { return i.Payer }),
				text("PERIOD", period),
				text("STATE", func(i billing.Invoice) string { return i.State }),
				number("LINES", func(i billing.Invoice) string { return fmt.Sprint(i.LineCount) }),
				number("NET", func(i billing.Invoice) string { return money(i.Total, i.Currency) }),
				number("OWED", owed),
			)
		},
	}
	c.Flags().StringVar(&f.Payer, "payer", "", "only of this `client`")
	c.Flags().StringVar(&f.State, "state", "", "only in this `state`: "+strings.Join(billing.InvoiceStates, ", "))
	c.Flags().IntVar(&f.Limit, "limit", 50, "at most this `number`")
	return c
}

func owed(i billing.Invoice) string {
	if i.Receivable == nil {
		return ""
	}
	return money(i.Receivable.Owed, i.Currency)
}

func invoiceName(i billing.Invoice) string {
	if i.Number != "" {
		return i.Number
	}
	return ticket.InvoiceID(i.ID)
}

// period shows a half-open period; the end is exclusive.
func period(i billing.Invoice) string { return i.PeriodStart + " … " + i.PeriodEnd }

// invoiceRef is how people name an invoice: by number, draft or client, and by the end of its period
// where a client has several open ones.
type invoiceRef struct{ until string }

func (r *invoiceRef) flags(c *cobra.Command) {
	c.Flags().StringVar(&r.until, "until", "", "with a client: the open invoice whose period ends before this `date`; of several the shortest period by default")
}

func (r *invoiceRef) find(ctx context.Context, s *session, name string) (billing.Invoice, error) {
	if r.until != "" {
		return s.store.OpenInvoice(ctx, name, r.until)
	}
	return s.store.Invoice(ctx, name)
}

func newInvoiceShow(a *app) *cobra.Command {
	var ref invoiceRef
	c := &cobra.Command{
		Use:   "show INVOICE",
		Short: "Show an invoice with its lines: INV-2026-00017, draft-12, or a client for its open one",
		Args:  exactly("INVOICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			invoice, err := ref.find(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			if invoice.Lines, err = linesAfter(cmd.Context(), s.store, invoice.ID, 0); err != nil {
				return err
			}
			var untaxed error // the lines are worth seeing all the same
			if invoice.Taxes, untaxed = s.store.InvoiceTaxes(cmd.Context(), invoice.ID, a.now()); untaxed != nil && len(ticket.Problems(untaxed)) == 0 {
				return untaxed
			}
			if invoice.Events, err = s.store.InvoiceEvents(cmd.Context(), invoice.ID); err != nil {
				return err
			}
			if invoice.Review, err = s.store.InvoiceReviewed(cmd.Context(), invoice.ID); err != nil {
				return err
			}
			mails, err := s.store.Notices(cmd.Context(), postgres.NoticeFilter{Invoice: invoice.ID})
			if err != nil {
				return err
			}
			return a.show(invoiceShown{invoice, mails}, func() {
				a.invoiceHead(invoice)
				a.lines(invoice.Lines)
				_, _ = fmt.Fprintf(a.stdout, "\n%s\n", summed(invoice))
				a.taxes(invoice)
				if untaxed != nil {
					_, _ = fmt.Fprintf(a.stdout, "With tax: %v\n", untaxed)
				}
				a.reviewed(invoice)
				a.stands(invoice)
				a.happened(invoice)
				a.mailed(mails)
				_, _ = fmt.Fprintln(a.stdout, "Why a line is there and what it costs: docket why LINE")
			})
		},
	}
	ref.flags(c)
	return c
}

// invoiceShown is an invoice with the notices that took it to its payer.
type invoiceShown struct {
	billing.Invoice
	Notices []ticket.Notice `json:"notices,omitempty"`
}

// linesAfter reads all lines with greater numbers, page by page.
func linesAfter(ctx context.Context, store *postgres.Store, invoice, after int64) (all []billing.InvoiceLine, err error) {
	for {
		page, err := store.InvoiceLines(ctx, invoice, after, linePage)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < linePage {
			return all, nil
		}
		after = page[len(page)-1].Line
	}
}

func (a *app) invoiceHead(i billing.Invoice) {
	_, _ = fmt.Fprintf(a.stdout, "%s  %s, %s\n\n", invoiceName(i), i.Payer, i.State)
	fields(a.stdout, "period", period(i), "finalised", a.whenever(i.FinalisedAt), "due", i.DueOn)
	_, _ = fmt.Fprintln(a.stdout)
}

func (a *app) lines(lines []billing.InvoiceLine) {
	rows := [][]string{{"LINE", "DATE", "TICKET", "CLIENT", "CLAUSE", "WHAT", "QUANTITY", "RATE", "AMOUNT"}}
	for _, l := range lines {
		rows = append(rows, lineRow(l))
	}
	right := []bool{false, false, false, false, false, false, true, true, true}
	// What only some contracts say has a column only where one does.
	for _, column := range []struct {
		title string
		of    func(billing.InvoiceLine) string
	}{
		{"ORDER", func(l billing.InvoiceLine) string { return l.PurchaseOrder }},
		{"TAX", func(l billing.InvoiceLine) string { return strings.TrimSpace(l.Tax + " " + l.TaxCategory) }},
		{"BOOKED", booked},
	} {
		if !slices.ContainsFunc(lines, func(l billing.InvoiceLine) bool { return column.of(l) != "" }) {
			continue
		}
		rows[0], right = append(rows[0], column.title), append(right, false)
		for i, l := range lines {
			rows[i+1] = append(rows[i+1], column.of(l))
		}
	}
	align(a.stdout, rows, right)
}

// booked tells how a line goes into the books: "8010 MSP, straight-line".
func booked(l billing.InvoiceLine) string {
	if l.Accounting == nil {
		return ""
	}
	says := strings.TrimSpace(l.Accounting.Account + " " + l.Accounting.Item)
	if l.Accounting.Defer == "" {
		return says
	}
	return strings.TrimPrefix(says+", "+l.Accounting.Defer, ", ")
}

func lineRow(l billing.InvoiceLine) []string {
	return []string{
		ticket.LineID(l.Line), l.Date, l.Ticket, l.Client, l.Clause, short(oneLine(l.Text), 60), quantity(l), rate(l), money(l.Amount, l.Currency),
	}
}

// quantity is what the line counts, as people read it: 0.42 h, 1.81 s, 38 pieces. JSON has all its decimals.
func quantity(l billing.InvoiceLine) string {
	switch l.Unit {
	case "h", "min":
		return l.Quantity.Round(2).String() + " " + l.Unit
	case "s":
		return l.Quantity.Round(3).String() + " " + l.Unit
	case "":
		return l.Quantity.String()
	}
	if l.Quantity.Abs().Equal(decimal.NewFromInt(1)) {
		return l.Quantity.String() + " " + l.Unit
	}
	return l.Quantity.String() + " " + l.Unit + "s"
}

// rate is the price of one, to four decimals: that of a package's unit has more. That of time is of an hour, also
// where seconds are counted. What costs nothing has none.
func rate(l billing.InvoiceLine) string {
	price := l.Rate
	if price.Exponent() < -4 {
		price = price.Round(4)
	}
	switch {
	case price.IsZero():
		return ""
	case l.Unit == "h", l.Unit == "s":
		return money(price, l.Currency) + "/h"
	}
	return money(price, l.Currency)
}

func newInvoiceWatch(a *app) *cobra.Command {
	var ref invoiceRef
	c := &cobra.Command{
		Use:   "watch INVOICE",
		Short: "Follow an invoice: each line as it posts, until Ctrl-C",
		Args:  exactly("INVOICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			invoice, err := ref.find(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			return a.watch(cmd.Context(), s, invoice)
		},
	}
	ref.flags(c)
	return c
}

// watch sweeps by the count of lines: line numbers commit out of order, so that the last number
// seen says nothing about what came.
func (a *app) watch(ctx context.Context, s *session, invoice billing.Invoice) error {
	if a.output == "table" {
		a.invoiceHead(invoice)
	}
	seen := map[int64]bool{}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		n, err := s.store.LineCount(ctx, invoice.ID)
		if err == nil && n != len(seen) {
			err = a.watched(ctx, s, invoice, seen)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && unavailable(err):
			a.say("PostgreSQL does not answer, trying again: %v", err)
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// watched prints the lines that were not there before.
func (a *app) watched(ctx context.Context, s *session, invoice billing.Invoice, seen map[int64]bool) error {
	lines, err := linesAfter(ctx, s.store, invoice.ID, 0)
	if err != nil {
		return err
	}
	total := invoice.Total.Sub(invoice.Total)
	var rows [][]string
	for _, l := range lines {
		total = total.Add(l.Amount)
		if seen[l.Line] {
			continue
		}
		seen[l.Line] = true
		if a.output != "table" {
			if err := a.encode(l); err != nil {
				return err
			}
		}
		rows = append(rows, lineRow(l))
	}
	if a.output == "table" {
		align(a.stdout, rows, []bool{false, false, false, false, false, false, true, true, true})
		_, _ = fmt.Fprintf(a.stdout, "%s, total so far %s\n", count(len(lines), "line"), money(total, invoice.Currency))
	}
	return nil
}

func newInvoiceFinalise(a *app) *cobra.Command {
	var early, incomplete bool
	var ref invoiceRef
	c := &cobra.Command{
		Use:     "finalize INVOICE",
		Aliases: []string{"finalise"},
		Short:   "Give an open invoice its number; it never changes again",
		Args:    exactly("INVOICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			store := a.session.store
			open, err := ref.find(cmd.Context(), a.session, args[0])
			if err != nil {
				return err
			}
			if !incomplete {
				if err := complete(cmd.Context(), store, open); err != nil {
					return err
				}
			}
			invoice, err := store.Finalise(cmd.Context(), postgres.Finalisation{
				Payer: open.Payer, Currency: open.Currency, Period: open.PeriodStart, Until: open.PeriodEnd, By: who.ID, Early: early,
			})
			if err != nil {
				return err
			}
			return a.show(invoice, func() {
				_, _ = fmt.Fprintf(a.stdout, "%s of %s for %s: %s\n", invoice.Number, invoice.Payer, period(invoice), summed(invoice))
				a.taxes(invoice)
				switch r := invoice.Receivable; {
				case invoice.State == billing.InvoiceCreditNote:
					_, _ = fmt.Fprintf(a.stdout, "It came to less than zero, so it is a credit note: %s are %s's credit\n", money(r.Payable.Neg(), invoice.Currency), invoice.Payer)
				case r.Applied.IsPositive():
					_, _ = fmt.Fprintf(a.stdout, "%s of %s's credit paid it, the oldest first; %s owed\n", money(r.Applied, invoice.Currency), invoice.Payer, money(r.Owed, invoice.Currency))
				}
			})
		},
	}
	ref.flags(c)
	c.Flags().BoolVar(&early, "early", false, "although its period is not over: what comes later goes on another invoice")
	c.Flags().BoolVar(&incomplete, "incomplete", false, "although fees are due that are not on it: they go on another invoice")
	return c
}

// complete refuses an invoice of a payer where billing periods of a client it pays for are due and have not posted: whoever
// finalises by hand would bill a month without its fees.
func complete(ctx context.Context, store *postgres.Store, open billing.Invoice) error {
	if open.FinalisedAt != nil {
		return nil
	}
	clients, err := store.Clients(ctx)
	if err != nil {
		return err
	}
	for _, c := range clients {
		if c.Payer != open.Payer {
			continue
		}
		due, err := store.PeriodsDue(ctx, billing.DueFilter{Client: c.ID})
		if err != nil {
			return err
		}
		if len(due) > 0 {
			return ticket.Invalid("invoice", invoiceName(open), "lacks what is due: "+due[0].String(),
				"docket period run --client "+c.ID+" posts it; --incomplete finalises without it")
		}
	}
	return nil
}
