package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newCreditNote(a *app) *cobra.Command {
	return noun("credit-note", "Credit notes, and their files: docket invoice credit issues them",
		newCreditNoteList(a), newCreditNoteShow(a), newCreditNoteFile(a), newCreditNoteSend(a))
}

func newCreditNoteList(a *app) *cobra.Command {
	var f postgres.CreditNoteFilter
	c := &cobra.Command{
		Use:   "list",
		Short: "List credit notes, the newest first",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := positive("limit", f.Limit); err != nil {
				return err
			}
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			if err := known(ctx, s.store, f.Payer, ""); err != nil {
				return err
			}
			none := "No credit notes yet. One against an invoice: docket invoice credit INVOICE --amount N --reason TEXT"
			if f.Payer != "" || f.Invoice != "" {
				none = "No such credit notes. All of them: docket credit-note list"
			}
			if f.Invoice != "" {
				invoice, err := s.store.Invoice(ctx, f.Invoice)
				if err != nil {
					return err
				}
				f.Invoice = invoiceName(invoice) // an open one has none
			}
			notes, err := s.store.CreditNotes(ctx, f)
			if err != nil {
				return err
			}
			return list(a, notes, none,
				text("NOTE", func(n billing.ListedNote) string { return n.Number }),
				text("ISSUED", func(n billing.ListedNote) string { return n.IssuedOn }),
				text("PAYER", func(n billing.ListedNote) string { return n.Payer }),
				text("OF", func(n billing.ListedNote) string { return n.Invoice }),
				number("AMOUNT", func(n billing.ListedNote) string { return money(n.Amount, n.Currency) }),
				number("OFF THE INVOICE", func(n billing.ListedNote) string { return money(n.Reduces, n.Currency) }),
				number("TO CREDIT", func(n billing.ListedNote) string { return money(n.ToCredit, n.Currency) }),
				text("SENT", func(n billing.ListedNote) string { return a.whenever(n.SentAt) }),
				text("WHY", func(n billing.ListedNote) string { return short(oneLine(n.Reason), 60) }),
			)
		},
	}
	c.Flags().StringVar(&f.Payer, "payer", "", "only of this `client`")
	c.Flags().StringVar(&f.Invoice, "invoice", "", "only about this `invoice`")
	c.Flags().IntVar(&f.Limit, "limit", 50, "at most this `number`")
	return c
}

// noteShown is a credit note with its files and the mails that took it to its payer.
type noteShown struct {
	billing.ListedNote
	Kept    []billing.KeptDocument `json:"kept"`
	Notices []ticket.Notice        `json:"notices,omitempty"`
}

func newCreditNoteShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show NOTE",
		Short: "Show a credit note: what of each line it gives back, why, and what became of the money",
		Args:  exactly("NOTE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			n := noteShown{}
			if n.ListedNote, err = s.store.CreditNote(ctx, args[0]); err != nil {
				return err
			}
			if n.Kept, err = s.store.CreditNoteDocuments(ctx, n.ID); err != nil {
				return err
			}
			if n.Notices, err = s.store.Notices(ctx, postgres.NoticeFilter{Note: n.ID}); err != nil {
				return err
			}
			return a.show(n, func() { a.creditNote(n) })
		},
	}
}

func (a *app) creditNote(n noteShown) {
	_, _ = fmt.Fprintf(a.stdout, "%s  %s, of %s\n\n", n.Number, n.Payer, n.Invoice)
	fields(a.stdout, "issued", n.IssuedOn, "why", oneLine(n.Reason))
	_, _ = fmt.Fprintln(a.stdout)
	rows := [][]string{{"LINE", "DATE", "WHAT", "OF", "NET", "TAX"}}
	for i, l := range n.Lines {
		back, what := n.Taxes.Lines[i], short(oneLine(l.Text), 60)
		if slices.Contains(n.Parts, l.Line) {
			what = "part of: " + what
		}
		rows = append(rows, []string{
			ticket.LineID(l.Line), l.Date, what, money(l.Amount, l.Currency), money(back.Net, l.Currency), strings.TrimSpace(money(back.Tax, l.Currency) + " " + back.Code),
		})
	}
	align(a.stdout, rows, []bool{false, false, false, true, true, true})
	_, _ = fmt.Fprintln(a.stdout)
	sums(a.stdout, "net", money(n.Net, n.Currency), "tax", money(n.Tax, n.Currency), "given back", money(n.Amount, n.Currency),
		"off "+n.Invoice, money(n.Reduces, n.Currency), "to credit", money(n.ToCredit, n.Currency))
	if len(n.Kept) == 0 {
		_, _ = fmt.Fprintf(a.stdout, "It has no files yet: docket credit-note file %s\n", n.Number)
	}
	for _, d := range n.Kept {
		_, _ = fmt.Fprintf(a.stdout, "Kept: %s, %d bytes, SHA-256 %s\n", d.Kind, d.Bytes, d.SHA256)
	}
	a.mailed(n.Notices)
}

func newCreditNoteFile(a *app) *cobra.Command {
	c := newFile(a, "file NOTE [pdf|ubl|json]", "List the files of a credit note, or write one of them: they are rendered once, and kept",
		func(ctx context.Context, s *session, ref string) (filed, error) {
			n, err := s.store.CreditNote(ctx, ref)
			return filed{
				keep:  func() ([]billing.KeptDocument, error) { return document.KeepNote(ctx, s.store, n.ID) },
				file:  func(kind string) (billing.KeptDocument, error) { return s.store.CreditNoteFile(ctx, n.ID, kind) },
				paper: func() (billing.Paper, error) { return s.store.CreditNotePaper(ctx, n.ID) },
			}, err
		})
	c.Example = "  docket credit-note file CN-2026-00003\n  docket credit-note file CN-2026-00003 pdf --out credit-note.pdf"
	return c
}

func newCreditNoteSend(a *app) *cobra.Command {
	var m postgres.CreditNoteDispatch
	c := &cobra.Command{
		Use:   "send NOTE",
		Short: "Mail a credit note to its payer, with its files",
		Long: `Render the files of a credit note, if they are not kept yet, and mail the PDF (and the EN 16931 file, where there is one) to its
payer, or to another address. The PDF's SHA-256 goes on record. The same file goes to nobody twice: asked again, it tells when it
went. docket serve delivers; docket credit-note show tells what became of it.`,
		Args: exactly("NOTE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			who, err := a.person(ctx)
			if err != nil {
				return err
			}
			store := a.session.store
			n, err := store.CreditNote(ctx, args[0])
			if err != nil {
				return err
			}
			if _, err := document.KeepNote(ctx, store, n.ID); err != nil {
				return err
			}
			m.Note, m.By, m.OperationKey = n.ID, who.ID, cmp.Or(m.OperationKey, desk.NewKey())
			sent, err := store.SendCreditNote(ctx, m)
			if err != nil {
				return err
			}
			return a.told(sent, sent.Says+", "+a.when(sent.At))
		},
	}
	c.Flags().StringVar(&m.To, "to", "", "mail `address`; the payer's by default (docket client address)")
	c.Flags().StringVar(&m.OperationKey, "key", "", keyUsage)
	return c
}
