package main

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newExport(a *app) *cobra.Command {
	return noun("export", "Rows of finalised invoices for accounting programs, each line once",
		newExportMake(a), newExportList(a), newExportShow(a))
}

func newExportMake(a *app) *cobra.Command {
	var fill document.Defaults
	var key string
	c := &cobra.Command{
		Use:   "make quickbooks|xero",
		Short: "Write what the program has not had yet as CSV to stdout, and keep it as a batch",
		Args:  exactly("FORMAT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			who, err := a.person(ctx)
			if err != nil {
				return err
			}
			store := a.session.store
			papers, err := store.Unexported(ctx, args[0])
			if err != nil {
				return err
			}
			content, err := exported(document.Format(args[0]), papers, fill)
			if err != nil {
				return err
			}
			e, err := store.KeepExport(ctx, postgres.Export{Format: args[0], OperationKey: cmp.Or(key, desk.NewKey()), By: who.ID, Content: content}, papers)
			if err != nil {
				return err
			}
			a.say("Export %d: %s of %s. It is kept: docket export show %d", e.ID, count(e.Lines, "line"), count(e.Invoices, "invoice"), e.ID)
			_, err = a.stdout.Write(e.Content)
			return err
		},
	}
	c.Flags().StringVar(&fill.Account, "account", "200", "revenue `account` of lines whose contract names none")
	c.Flags().StringVar(&fill.Item, "item", "Services", "product or `service` of lines whose contract names none")
	c.Flags().StringVar(&key, "key", "", "operation `key`: the same one again gives the same batch")
	return c
}

func exported(f document.Format, papers []billing.Paper, fill document.Defaults) ([]byte, error) {
	documents := make([]*document.Document, len(papers))
	for i, p := range papers {
		d, err := document.Of(p)
		if err != nil {
			return nil, err
		}
		documents[i] = d
	}
	return document.CSV(f, documents, fill)
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
			return list(a, found, "Nothing was exported yet: docket export make xero --as PERSON > invoices.csv",
				number("EXPORT", func(e postgres.Export) string { return fmt.Sprint(e.ID) }),
				text("FORMAT", func(e postgres.Export) string { return e.Format }),
				text("MADE", func(e postgres.Export) string { return a.when(e.At) }),
				text("BY", func(e postgres.Export) string { return e.By }),
				number("INVOICES", func(e postgres.Export) string { return fmt.Sprint(e.Invoices) }),
				number("LINES", func(e postgres.Export) string { return fmt.Sprint(e.Lines) }),
				text("SHA-256", func(e postgres.Export) string { return e.SHA256[:16] }),
			)
		},
	}
}

func newExportShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show EXPORT",
		Short: "Write a batch again, as it was, to stdout",
		Args:  exactly("EXPORT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return ticket.Invalid("export", args[0], "is not a number", "`docket export list` shows them")
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			e, err := s.store.ExportByID(cmd.Context(), id)
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(e.Content)
			return err
		},
	}
}
