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
	c := newFile(a, "file INVOICE [pdf|ubl|json]", "List the files of a finalised invoice, or write one of them: they are rendered once, and kept",
		func(ctx context.Context, s *session, ref string) (filed, error) {
			invoice, err := invoiceItself(ctx, s, ref)
			return filed{
				keep:  func() ([]billing.KeptDocument, error) { return document.Keep(ctx, s.store, invoice.ID) },
				file:  func(kind string) (billing.KeptDocument, error) { return s.store.DocumentFile(ctx, invoice.ID, kind) },
				paper: func() (billing.Paper, error) { return s.store.Paper(ctx, invoice.ID) },
			}, err
		})
	c.Example = "  docket invoice file INV-2026-00017\n  docket invoice file INV-2026-00017 pdf --out invoice.pdf"
	return c
}

// filed is a document with files.
type filed struct {
	keep  func() ([]billing.KeptDocument, error) // renders them, unless they are kept
	file  func(kind string) (billing.KeptDocument, error)
	paper func() (billing.Paper, error) // what it is printed from
}

// newFile is the command that lists and writes the files of what find finds.
func newFile(a *app, use, short string, find func(ctx context.Context, s *session, ref string) (filed, error)) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			of, err := find(ctx, s, args[0])
			if err != nil {
				return err
			}
			kept, err := of.keep()
			if err != nil {
				return err
			}
			if err := a.fileBoxes(of); err != nil {
				return err
			}
			if len(args) == 1 {
				return a.keptFiles(kept)
			}
			file, err := of.file(args[1])
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
			a.say("%s: %s of %s, SHA-256 %s", out, file.Kind, file.Of(), file.SHA256)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "`file` to write to; stdout by default")
	return c
}

func (a *app) keptFiles(kept []billing.KeptDocument) error {
	return list(a, kept, "",
		text("FILE", func(d billing.KeptDocument) string { return d.Kind }),
		text("TYPE", func(d billing.KeptDocument) string { return d.MediaType }),
		number("BYTES", func(d billing.KeptDocument) string { return fmt.Sprint(d.Bytes) }),
		text("RENDERED", func(d billing.KeptDocument) string { return a.when(d.RenderedAt) }),
		text("SHA-256", func(d billing.KeptDocument) string { return d.SHA256 }),
	)
}

// fileBoxes says what a PDF could not print.
func (a *app) fileBoxes(of filed) error {
	paper, err := of.paper()
	if err != nil {
		return err
	}
	if d, err := document.Of(paper); err == nil { // else it was printed before its parties were changed
		a.boxes(d.Unprintable(), "names on it are set by docket client address, docket company set and contracts")
	}
	return nil
}
