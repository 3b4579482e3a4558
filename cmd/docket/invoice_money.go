package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const keyUsage = "operation `key`: the same key again answers the same and does nothing more"

// invoiceDeed names the invoice and who acts on it, under a fresh key where none was given.
func (a *app) invoiceDeed(ctx context.Context, ref, key string) (postgres.InvoiceDeed, error) {
	who, err := a.person(ctx)
	if err != nil {
		return postgres.InvoiceDeed{}, err
	}
	invoice, err := invoiceItself(ctx, a.session, ref)
	if err != nil {
		return postgres.InvoiceDeed{}, err
	}
	return postgres.InvoiceDeed{Invoice: invoice.ID, By: who.ID, OperationKey: cmp.Or(key, desk.NewKey())}, nil
}

// invoiceItself finds an invoice by its own name. A credit note's number, which shows the invoice, would pay or mail it.
func invoiceItself(ctx context.Context, s *session, ref string) (billing.Invoice, error) {
	invoice, err := s.store.Invoice(ctx, ref)
	if note := strings.ToUpper(strings.TrimSpace(ref)); err == nil && strings.HasPrefix(note, "CN-") && note != invoice.Number {
		return invoice, ticket.Invalid("invoice", ref, "is a credit note of "+invoice.Number, "name the invoice; docket credit-note show, file and send take the note's number")
	}
	return invoice, err
}

// told prints what a deed answered: its sentence, or all of it as JSON.
func (a *app) told(answer any, says string) error {
	return a.show(answer, func() { _, _ = fmt.Fprintln(a.stdout, says) })
}

func newInvoicePay(a *app) *cobra.Command {
	var (
		p   postgres.InvoicePayment
		key string
	)
	c := &cobra.Command{
		Use:   "pay INVOICE --amount N",
		Short: "Record a payment; what is more than owed is the payer's credit",
		Args:  exactly("INVOICE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if p.InvoiceDeed, err = a.invoiceDeed(cmd.Context(), args[0], key); err != nil {
				return err
			}
			paid, err := a.session.store.Pay(cmd.Context(), p)
			if err != nil {
				return err
			}
			return a.told(paid, paid.Says)
		},
	}
	flags := c.Flags()
	flags.StringVar(&p.Amount, "amount", "", "what came in, a `decimal` in the invoice's currency")
	flags.StringVar(&p.On, "on", "", "`date` on which it came, YYYY-MM-DD; today by default")
	flags.StringVar(&p.Method, "method", "", "how, in a few `words`")
	flags.StringVar(&key, "key", "", keyUsage)
	return c
}

func newInvoiceCredit(a *app) *cobra.Command {
	var (
		n     postgres.CreditNoteDraft
		lines []string
		key   string
	)
	c := &cobra.Command{
		Use:   "credit INVOICE (--amount N | --lines L-1,L-2) --reason TEXT",
		Short: "Issue a credit note against a finalised invoice",
		Long: `Issue a credit note against a finalised invoice: for an amount (with tax), or for whole lines with what they were written
down by. It reduces what is owed; what is more than that is the payer's credit. All credit notes of an invoice never give
back more than it came to.`,
		Args: exactly("INVOICE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			n.Lines = nil
			for _, l := range lines {
				line, err := ticket.ParseLineID(strings.TrimSpace(l))
				if err != nil {
					return err
				}
				n.Lines = append(n.Lines, line)
			}
			if n.InvoiceDeed, err = a.invoiceDeed(cmd.Context(), args[0], key); err != nil {
				return err
			}
			note, err := a.session.store.Credit(cmd.Context(), n)
			if err != nil {
				return err
			}
			return a.told(note, note.Says)
		},
	}
	flags := c.Flags()
	flags.StringVar(&n.Amount, "amount", "", "what to give back, a `decimal` in the invoice's currency, with tax")
	flags.StringSliceVar(&lines, "lines", nil, "`lines` to give back instead, like L-88123,L-88124")
	flags.StringVar(&n.Reason, "reason", "", "why (`text`); the payer reads it")
	flags.StringVar(&key, "key", "", keyUsage)
	return c
}

func newInvoiceVoid(a *app) *cobra.Command {
	var (
		v   postgres.InvoiceVoid
		key string
	)
	c := &cobra.Command{
		Use:   "void INVOICE --reason TEXT",
		Short: "Take an unpaid invoice back: its lines are billed again on the open invoice",
		Args:  exactly("INVOICE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if v.InvoiceDeed, err = a.invoiceDeed(cmd.Context(), args[0], key); err != nil {
				return err
			}
			voided, err := a.session.store.Void(cmd.Context(), v)
			if err != nil {
				return err
			}
			return a.told(voided, voided.Says)
		},
	}
	c.Flags().StringVar(&v.Reason, "reason", "", "why (`text`); the payer reads it")
	c.Flags().StringVar(&key, "key", "", keyUsage)
	return c
}

func newInvoiceWriteDown(a *app) *cobra.Command {
	var w postgres.LineWriteDown
	c := &cobra.Command{
		Use:   "write-down LINE --to N --reason TEXT",
		Short: "Bring a line of an open invoice down, by a line of its own that says why",
		Args:  exactly("LINE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if w.Line, err = ticket.ParseLineID(args[0]); err != nil {
				return err
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			w.By, w.OperationKey = who.ID, cmp.Or(w.OperationKey, desk.NewKey())
			down, err := a.session.store.WriteDown(cmd.Context(), w)
			if err != nil {
				return err
			}
			return a.told(down, down.Says)
		},
	}
	flags := c.Flags()
	flags.StringVar(&w.To, "to", "", "what the line is to cost, a `decimal` before tax")
	flags.StringVar(&w.Reason, "reason", "", "why (`text`); `docket why` tells it")
	flags.StringVar(&w.OperationKey, "key", "", keyUsage)
	return c
}

func newInvoiceLimit(a *app) *cobra.Command {
	var currency string
	c := &cobra.Command{
		Use:   "limit [ROLE AMOUNT --currency CODE]",
		Short: "Show or set how much a role may write a line down by; owner and finance have no limit",
		Args:  cobra.MatchAll(cobra.MaximumNArgs(2), func(_ *cobra.Command, args []string) error { return both(args) }),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				s, err := a.open(cmd.Context())
				if err != nil {
					return err
				}
				limits, err := s.store.WriteDownLimits(cmd.Context())
				if err != nil {
					return err
				}
				return list(a, limits, "No limits: only owner and finance write lines down. Set one: docket invoice limit dispatcher 100.00 --currency USD --as PERSON",
					text("ROLE", func(l postgres.WriteDownLimit) string { return l.Role }),
					number("A LINE", func(l postgres.WriteDownLimit) string { return money(l.Amount, l.Currency) }),
					text("SET BY", func(l postgres.WriteDownLimit) string { return l.By }),
				)
			}
			amount, err := decimal.NewFromString(args[1])
			if err != nil {
				return ticket.Invalid("amount", args[1], "is not a number", "write it like 100.00")
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			l := postgres.WriteDownLimit{Role: args[0], Currency: currency, Amount: amount, By: who.ID}
			if err := a.session.store.SetWriteDownLimit(cmd.Context(), l); err != nil {
				return err
			}
			return a.told(l, fmt.Sprintf("%s may write a line down by %s at most", l.Role, money(l.Amount, l.Currency)))
		},
	}
	c.Flags().StringVar(&currency, "currency", "", "ISO 4217 `code`")
	return c
}

func both(args []string) error {
	if len(args) == 1 {
		return usage(fmt.Errorf("give a role and an amount, or neither: docket invoice limit %s 100.00 --currency USD", args[0]))
	}
	return nil
}

// stands tells what of a finalised invoice is paid and what is owed; nothing while it is open.
func (a *app) stands(i billing.Invoice) {
	r := i.Receivable
	if r == nil {
		return
	}
	amount := func(d decimal.Decimal) string {
		if d.IsZero() {
			return ""
		}
		return money(d, i.Currency)
	}
	sums(a.stdout, "payable", money(r.Payable, i.Currency), "paid", amount(r.Paid), "applied of credit", amount(r.Applied),
		"credited", amount(r.Credited), "of it, to credit", amount(r.Credited.Sub(r.Reduced)), "owed", money(r.Owed, i.Currency),
		"of it, in question", amount(r.Disputed))
}

// happened lists what was done to the invoice.
func (a *app) happened(i billing.Invoice) {
	if len(i.Events) == 0 {
		return
	}
	rows := [][]string{{"AT", "WHAT", "AMOUNT", "BY", "SAYS"}}
	for _, e := range i.Events {
		says := e.Says
		if e.Reason != "" {
			says += " (" + oneLine(e.Reason) + ")"
		}
		rows = append(rows, []string{a.when(e.At), strings.TrimSpace(e.Kind + " " + e.Ref), money(e.Amount, i.Currency), e.By, says})
	}
	_, _ = fmt.Fprintln(a.stdout)
	align(a.stdout, rows, []bool{false, false, true, false, false})
}
