package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/ticket"
)

func newExport(a *app) *cobra.Command {
	return noun("export", "Invoices, credit notes and payments for accounting programs, each once",
		newExportMake(a), newExportList(a), newExportShow(a))
}

func newExportMake(a *app) *cobra.Command {
	var (
		order document.Order
		dir   string
	)
	c := &cobra.Command{
		Use:   "make quickbooks|xero",
		Short: "Write what the program has not had yet as CSV, and keep it as a batch",
		Long: `Writes finalised invoices, credit notes, what takes back an invoice that was voided after it had gone there, payments, and payments
that came back: each goes to a program once. An invoice that was voided before never goes. Each file is what the program imports at
once; docs/exports.md in the source says how.

A payer who lacks something is left out with all that it has, and named with the fix: exit code 5. The next batch has it.`,
		Args: exactly("FORMAT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			who, err := a.person(ctx)
			if err != nil {
				return err
			}
			if err := writeableTo(dir); err != nil {
				return err
			}
			order.Format, order.By, order.OperationKey = document.Format(args[0]), who.ID, cmp.Or(order.OperationKey, desk.NewKey())
			e, err := document.Export(ctx, a.session.store, order)
			if err != nil {
				return err
			}
			if err := writeExport(a, dir, e); err != nil {
				return err
			}
			if err := a.show(e, func() { a.export(e) }); err != nil {
				return err
			}
			if order.Most > 0 && e.Invoices+e.Credits == order.Most {
				a.say("The batch is full: make another one of what is left.")
			}
			if len(e.LeftOut) > 0 {
				return errFound
			}
			return nil
		},
	}
	c.Example = "  docket export make xero --dir books --as felix.moreau\n  docket export make xero --account 4000 --tax 'S 19=19% VAT' --limit 500 --as felix.moreau"
	c.Flags().StringVar(&order.Account, "account", "200", "revenue `account` of lines whose contract names none")
	c.Flags().StringVar(&order.Item, "item", "Services", "product or `service` of lines whose contract names none")
	c.Flags().StringToStringVar(&order.Taxes, "tax", nil, "what the program calls a tax, such as 'S 19=19% VAT'; `code=name`, as often as there are taxes")
	c.Flags().StringVar(&order.OperationKey, "key", "", "operation `key`: the same one again gives the same batch")
	c.Flags().IntVar(&order.Most, "limit", 0, "at most so many `documents` in the batch; payments follow in the last one (0: all)")
	c.Flags().StringVar(&dir, "dir", "", "`directory` to write the files to")
	return c
}

// export tells what is in a batch, and who is not.
func (a *app) export(e billing.Export) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(a.stdout, format+"\n", args...) }
	if e.ID != 0 {
		p("Export %d for %s: %s of %s, %s, %s.", e.ID, e.Format, count(e.Lines, "line"), count(e.Invoices, "invoice"), count(e.Credits, "credit"), count(e.Payments, "payment"))
	}
	for _, f := range e.Files {
		p("  %-8s  %s, SHA-256 %s: docket export show %d %s", f.Name, count(f.Lines, "row"), f.SHA256[:16], e.ID, f.Name)
	}
	for _, l := range e.LeftOut {
		var lacks []string
		for _, lack := range l.Lacks {
			lacks = append(lacks, lack.Error())
		}
		p("Left out: %s of %s: %s", count(l.Documents, "document"), l.Payer, strings.Join(lacks, "; "))
	}
}

// writeableTo says at once what would keep the files from a directory: once the batch is made, it is kept.
func writeableTo(dir string) error {
	if dir == "" {
		return nil
	}
	if at, err := os.Stat(dir); err != nil || !at.IsDir() {
		return ticket.Invalid("dir", dir, "is no directory", "make it first, or name another")
	}
	return nil
}

// writeExport writes the files of a batch, if a directory is named: xero-3-invoices.csv.
func writeExport(a *app, dir string, e billing.Export) error {
	if dir == "" {
		return nil
	}
	for _, f := range e.Files {
		to := filepath.Join(dir, fmt.Sprintf("%s-%d-%s.csv", e.Format, e.ID, f.Name))
		if err := os.WriteFile(to, f.Content, 0o644); err != nil { //nolint:gosec // it is for whoever keeps the books to read
			return fmt.Errorf("write a file of the batch, which is kept (docket export show %d --dir DIR): %w", e.ID, err)
		}
		a.say("%s: %s", to, count(f.Lines, "row"))
	}
	return nil
}

func newExportList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the batches, the newest first",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			found, err := s.store.Exports(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, found, "Nothing was exported yet: docket export make xero --dir DIR --as PERSON",
				number("EXPORT", func(e billing.Export) string { return fmt.Sprint(e.ID) }),
				text("FORMAT", func(e billing.Export) string { return e.Format }),
				text("MADE", func(e billing.Export) string { return a.when(e.At) }),
				text("BY", func(e billing.Export) string { return e.By }),
				number("INVOICES", func(e billing.Export) string { return fmt.Sprint(e.Invoices) }),
				number("LINES", func(e billing.Export) string { return fmt.Sprint(e.Lines) }),
				number("CREDITS", func(e billing.Export) string { return fmt.Sprint(e.Credits) }),
				number("PAYMENTS", func(e billing.Export) string { return fmt.Sprint(e.Payments) }),
				number("LEFT OUT", func(e billing.Export) string { return fmt.Sprint(len(e.LeftOut)) }),
			)
		},
	}
}

func newExportShow(a *app) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "show EXPORT [invoices|credits|payments]",
		Short: "Tell what is in a batch, or write a file of it again, as it was, to stdout",
		Args:  oneOrTwo("EXPORT", "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return ticket.Invalid("export", args[0], "is not a number", "`docket export list` shows them")
			}
			if err := writeableTo(dir); err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			e, err := s.store.ExportByID(cmd.Context(), id)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				if err := writeExport(a, dir, e); err != nil {
					return err
				}
				return a.show(e, func() { a.export(e) })
			}
			i := slices.IndexFunc(e.Files, func(f billing.ExportFile) bool { return f.Name == args[1] })
			if i < 0 {
				return ticket.Invalid("file", args[1], "is not in export "+args[0], "`docket export show "+args[0]+"` lists its files")
			}
			_, err = a.stdout.Write(e.Files[i].Content)
			return err
		},
	}
	c.Example = "  docket export show 3\n  docket export show 3 invoices > march.csv\n  docket export show 3 --dir books"
	c.Flags().StringVar(&dir, "dir", "", "`directory` to write the files to")
	return c
}
