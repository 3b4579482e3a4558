package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
)

func newAudit(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "audit",
		Short: "Prove the books: every decision rated again, nothing leaked, every sum right",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer bulk()()
			found, err := s.store.Audit(cmd.Context(), a.progress("closures rated again"))
			if err != nil {
				return err
			}
			if err := a.show(found, func() { a.audited(found) }); err != nil {
				return err
			}
			if !found.Clean() {
				return errFound
			}
			return nil
		},
	}
}

func (a *app) audited(found billing.Audit) {
	row := func(what string, list []string) {
		verdict := "none"
		if len(list) > 0 {
			verdict = fmt.Sprint(len(list))
		}
		_, _ = fmt.Fprintf(a.stdout, "%-60s %s\n", what, verdict)
		for _, line := range list {
			_, _ = fmt.Fprintf(a.stdout, "  %s\n", line)
		}
	}
	_, _ = fmt.Fprintf(a.stdout, "%s and %s rated again from their facts, in %s\n\n", count(found.Closures, "closure"),
		count(found.Postings, "posting"), lasting(found.ElapsedMS))
	row("decisions that come out differently:", found.Mismatched)
	row("work neither billed, covered, not billable nor waiting:", found.Leaks)
	row("blocks, counters and credit that differ from their moves:", found.Caches)
	row("invoices, payments and credit that do not add up:", found.Invoices)
	row("charges and lines that differ:", found.Lines)
	row("the journal, where it differs from what it is about:", found.Journal)
}
