package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newInvoiceReview(a *app) *cobra.Command {
	var (
		key string
		ref invoiceRef
	)
	c := &cobra.Command{
		Use:   "review INVOICE",
		Short: "Put on record that you have read an open invoice, and what it came to",
		Long: `Put on record that you have read an open invoice, and what it came to then. Lines may still come; docket invoice show says
that the total has moved since. docket invoice rules --review-first asks for a review before anything is finalised.`,
		Args: exactly("INVOICE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			invoice, err := ref.find(cmd.Context(), a.session, args[0])
			if err != nil {
				return err
			}
			review, err := a.session.store.ReviewInvoice(cmd.Context(), postgres.InvoiceDeed{Invoice: invoice.ID, By: who.ID, OperationKey: cmp.Or(key, desk.NewKey())})
			if err != nil {
				return err
			}
			return a.told(review, review.Says)
		},
	}
	ref.flags(c)
	c.Flags().StringVar(&key, "key", "", keyUsage)
	return c
}

func newInvoiceSend(a *app) *cobra.Command {
	var (
		m   postgres.InvoiceDispatch
		key string
	)
	c := &cobra.Command{
		Use:   "send INVOICE",
		Short: "Mail a finalised invoice to its payer, with its files",
		Long: `Render the files of a finalised invoice, if they are not kept yet, and mail the PDF (and the EN 16931 file, where there is one) to
its payer, or to another address. The PDF's SHA-256 goes on record. The same file goes to nobody twice: asked again, it tells when it
went. docket serve delivers; docket invoice show tells what became of it.`,
		Args: exactly("INVOICE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if m.InvoiceDeed, err = a.invoiceDeed(cmd.Context(), args[0], key); err != nil {
				return err
			}
			if _, err := document.Keep(cmd.Context(), a.session.store, m.Invoice); err != nil {
				return err
			}
			sent, err := a.session.store.SendInvoice(cmd.Context(), m)
			if err != nil {
				return err
			}
			return a.told(sent, sent.Says+", "+a.when(sent.At))
		},
	}
	c.Flags().StringVar(&m.To, "to", "", "mail `address`; the payer's by default (docket client address)")
	c.Flags().StringVar(&key, "key", "", keyUsage)
	return c
}

func newInvoiceBounce(a *app) *cobra.Command {
	var r postgres.PaymentReturn
	c := &cobra.Command{
		Use:   "bounce PAYMENT --reason TEXT",
		Short: "Say that a payment came back: what it paid is owed again",
		Long: `Say that a payment came back, as a cheque or a debit does. What it had paid is owed again; what of it had become the payer's
credit is taken out of it, and owed again where invoices have used it. docket invoice show names the payments: P-12.`,
		Args: exactly("PAYMENT"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if r.Payment, err = ticket.ParsePaymentID(args[0]); err != nil {
				return err
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			r.By, r.OperationKey = who.ID, cmp.Or(r.OperationKey, desk.NewKey())
			back, err := a.session.store.ReturnPayment(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.told(back, back.Says)
		},
	}
	c.Flags().StringVar(&r.Reason, "reason", "", "why (`text`); the payer reads it")
	c.Flags().StringVar(&r.OperationKey, "key", "", keyUsage)
	return c
}

func newInvoiceQuestion(a *app) *cobra.Command {
	var q postgres.LineQuestion
	c := &cobra.Command{
		Use:   "question LINE --reason TEXT",
		Short: "Question a line of a finalised invoice: it is not collected until finance has settled it",
		Args:  exactly("LINE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if q.Line, err = ticket.ParseLineID(args[0]); err != nil {
				return err
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			q.By, q.OperationKey = who.ID, cmp.Or(q.OperationKey, desk.NewKey())
			asked, err := a.session.store.Question(cmd.Context(), q)
			if err != nil {
				return err
			}
			return a.told(asked, asked.Says)
		},
	}
	c.Flags().StringVar(&q.Reason, "reason", "", "what is wrong with it (`text`)")
	c.Flags().StringVar(&q.OperationKey, "key", "", keyUsage)
	return c
}

func newInvoiceRemind(a *app) *cobra.Command {
	var (
		dry   bool
		limit int
	)
	c := &cobra.Command{
		Use:   "remind",
		Short: "Remind of what is overdue, once a step, as the hourly schedule does; --dry-run only lists it",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := positive("limit", limit); err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			var due []billing.Overdue
			if dry {
				due, err = s.store.OverdueInvoices(cmd.Context(), limit)
			} else {
				var swept billing.RemindersSwept
				swept, err = s.store.RemindOverdue(cmd.Context(), limit)
				due = swept.Reminded
			}
			if err != nil {
				return err
			}
			return list(a, due, "Nobody is to be reminded. What is owed by now: docket report receivables",
				text("INVOICE", func(o billing.Overdue) string { return o.Number }),
				text("PAYER", func(o billing.Overdue) string { return o.Payer }),
				text("DUE", func(o billing.Overdue) string { return o.DueOn }),
				number("DAYS", func(o billing.Overdue) string { return fmt.Sprint(o.Days) }),
				number("ASKED", func(o billing.Overdue) string { return money(o.Asked, o.Currency) }),
				number("IN QUESTION", func(o billing.Overdue) string { return money(o.Disputed, o.Currency) }),
			)
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only list what would be reminded of")
	c.Flags().IntVar(&limit, "limit", 500, "at most this `number`")
	return c
}

func newInvoiceRules(a *app) *cobra.Command {
	var (
		r    billing.InvoiceRules
		days string
	)
	c := &cobra.Command{
		Use:   "rules [--review-first] [--remind 3,10,21|never] [--remind-in-house]",
		Short: "Show or set how the house treats its invoices: a review first, and when reminders go out",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			rules, err := s.store.InvoiceRules(cmd.Context())
			if err != nil {
				return err
			}
			reviews, reminds, house := cmd.Flags().Changed("review-first"), cmd.Flags().Changed("remind"), cmd.Flags().Changed("remind-in-house")
			if reviews || reminds || house {
				who, err := a.person(cmd.Context())
				if err != nil {
					return err
				}
				if reviews {
					rules.ReviewFirst = r.ReviewFirst
				}
				if reminds {
					if rules.RemindAfter, err = daysAfter(days); err != nil {
						return err
					}
				}
				if house {
					rules.RemindInHouse = r.RemindInHouse
				}
				rules.SetBy = who.ID
				if err := s.store.SetInvoiceRules(cmd.Context(), rules); err != nil {
					return err
				}
				if rules, err = s.store.InvoiceRules(cmd.Context()); err != nil {
					return err
				}
			}
			return a.told(rules, rulesSaid(rules))
		},
	}
	c.Flags().BoolVar(&r.ReviewFirst, "review-first", false, "finalise nothing that nobody has reviewed as it is; --review-first=false ends that")
	c.Flags().StringVar(&days, "remind", "", "`days` after the due date on which to remind, such as 3,10,21, or never")
	c.Flags().BoolVar(&r.RemindInHouse, "remind-in-house", false, "remind finance alone; --remind-in-house=false mails payers, too")
	return c
}

// daysAfter reads days; the store says which are none after a due date.
func daysAfter(list string) ([]int32, error) {
	days := []int32{}
	if list = strings.TrimSpace(list); list == "" || list == "never" {
		return days, nil
	}
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(word), 10, 32)
		if err != nil {
			return nil, ticket.Invalid("remind", word, "is not a number of days", "write them like 3,10,21, or never")
		}
		days = append(days, int32(n))
	}
	return days, nil
}

func rulesSaid(r billing.InvoiceRules) string {
	says := "Invoices are finalised without a review"
	if r.ReviewFirst {
		says = "An invoice is finalised once somebody has reviewed it as it is"
	}
	if len(r.RemindAfter) == 0 {
		return says + "; nobody is reminded"
	}
	days := make([]string, len(r.RemindAfter))
	for i, d := range r.RemindAfter {
		days[i] = fmt.Sprint(d)
	}
	to := "the payer and finance"
	if r.RemindInHouse {
		to = "finance alone"
	}
	return says + "; reminders go to " + to + " " + strings.Join(days, ", ") + " days after the due date"
}

// mailed tells what became of the mails that took the invoice, or its credit notes, to its payer.
func (a *app) mailed(notices []ticket.Notice) {
	for _, n := range slices.Backward(notices) {
		if n.Channel != ticket.ByMail {
			continue
		}
		what := map[string]string{ticket.TellsInvoice: "Mailed", ticket.TellsPayment: "Reminded", ticket.TellsNote: "Mailed " + n.CreditNote}[n.Tells]
		says := fmt.Sprintf("%s to %s: %s", what, or(n.Recipient, "nobody"), n.State)
		switch {
		case n.SentAt != nil:
			says += " " + a.when(*n.SentAt)
		case n.LastError != "":
			says += ", " + short(oneLine(n.LastError), 120)
		case n.State == ticket.NoticeWaiting:
			says += "; docket serve delivers"
		}
		_, _ = fmt.Fprintln(a.stdout, says)
	}
}

// reviewed tells what an open invoice came to when it was reviewed, and whether it has moved since.
func (a *app) reviewed(i billing.Invoice) {
	r := i.Review
	if r == nil || i.FinalisedAt != nil {
		return
	}
	says := fmt.Sprintf("Reviewed by %s %s at %s", r.By, a.when(r.At), money(r.Total, r.Currency))
	if r.Moved(i.Total, i.LineCount) {
		says += fmt.Sprintf("; it has moved since by %s and is %s now: read it again, docket invoice review %s", money(i.Total.Sub(r.Total), r.Currency), money(i.Total, r.Currency), invoiceName(i))
	}
	_, _ = fmt.Fprintln(a.stdout, says)
}
