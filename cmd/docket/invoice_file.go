package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/ticket"
)

func newInvoiceFile(a *app) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "file INVOICE [pdf|ubl|json]",
		Short: "List the files of a finalised invoice, or write one of them: they are rendered once, and kept",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			invoice, err := invoiceItself(ctx, s, args[0])
			if err != nil {
				return err
			}
			kept, err := document.Keep(ctx, s.store, invoice.ID)
			if err != nil {
				return err
			}
			if err := a.fileBoxes(ctx, s, invoice.ID); err != nil {
				return err
			}
			if len(args) == 1 {
				return list(a, kept, "",
					text("FILE", func(d billing.KeptDocument) string { return d.Kind }),
					text("TYPE", func(d billing.KeptDocument) string { return d.MediaType }),
					number("BYTES", func(d billing.KeptDocument) string { return fmt.Sprint(d.Bytes) }),
					text("RENDERED", func(d billing.KeptDocument) string { return a.when(d.RenderedAt) }),
					text("SHA-256", func(d billing.KeptDocument) string { return d.SHA256 }),
				)
			}
			file, err := s.store.DocumentFile(ctx, invoice.ID, args[1])
			if err != nil {
				return err
			}
			if out == "" {
				_, err = a.stdout.Write(file.Content)
				return err
			}
			if err := os.WriteFile(out, file.Content, 0o644); err != nil { //nolint:gosec // an invoice is for whoever asked to read it
				return ticket.Invalid("out", out, "cannot be written: "+errors.Unwrap(err).Error(), "name a file in a directory that is there, and yours to write")
			}
			a.say("%s: %s of %s, SHA-256 %s", out, file.Kind, file.Invoice, file.SHA256)
			return nil
		},
	}
	c.Example = "  docket invoice file INV-2026-00017\n  docket invoice file INV-2026-00017 pdf --out invoice.pdf"
	c.Flags().StringVar(&out, "out", "", "`file` to write to; stdout by default")
	return c
}

// fileBoxes says what the PDF of an invoice could not print.
func (a *app) fileBoxes(ctx context.Context, s *session, invoice int64) error {
	paper, err := s.store.Paper(ctx, invoice)
	if err != nil {
		return err
	}
	if d, err := document.Of(paper); err == nil { // else it was printed before its parties were changed
		a.boxes(d.Unprintable(), "names on it are set by docket client address, docket company set and contracts")
	}
	return nil
}
