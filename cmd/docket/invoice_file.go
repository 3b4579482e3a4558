package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
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
			invoice, err := s.store.Invoice(ctx, args[0])
			if err != nil {
				return err
			}
			kept, err := document.Keep(ctx, s.store, invoice.ID)
			if err != nil {
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
				return fmt.Errorf("write %s: %w", out, err)
			}
			a.say("%s: %s of %s, SHA-256 %s", out, file.Kind, file.Invoice, file.SHA256)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "`file` to write to; stdout by default")
	return c
}
