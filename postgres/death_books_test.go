package postgres_test

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
)

// deadlyBooks are what follows on the end of a month: files, exports, payments.
var deadlyBooks = []deadly{
	{"files of an invoice", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.parties()
		_, invoice := k.billed(60)
		paper, err := k.Paper(k.t.Context(), invoice.ID)
		require.NoError(k.t, err)
		files, err := document.Render(paper)
		require.NoError(k.t, err)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.KeepDocuments(ctx, invoice.ID, files)
			return err
		}
	}},
	{"files of a credit note", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.parties()
		_, invoice := k.billed(60)
		n := k.noted(k.credit(invoice, "50.00"))
		paper, err := k.CreditNotePaper(k.t.Context(), n.ID)
		require.NoError(k.t, err)
		files, err := document.Render(paper)
		require.NoError(k.t, err)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.KeepCreditNoteDocuments(ctx, n.ID, files)
			return err
		}
	}},
	{"export", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.parties()
		_, march := k.billed(60)
		k.exported("xero")
		k.void(march)
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		april := k.month("2026-04")
		k.credit(april, "50.00")
		k.pay(april, "100.00")
		due, err := k.Unexported(k.t.Context(), "xero")
		require.NoError(k.t, err)
		batch, err := document.Batch(due, document.Order{Format: document.Xero, OperationKey: k.key(), By: "olga"})
		require.NoError(k.t, err)
		require.Equal(k.t, "1 invoices, 2 credits, 1 payments", fmt.Sprintf("%d invoices, %d credits, %d payments", batch.Invoices, batch.Credits, batch.Payments))
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.KeepExport(ctx, batch); return err }
	}},
	{"finalise what is over", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		k.nextMonth()
		over, err := k.OverInvoices(k.t.Context(), billing.MonthClose{Until: "2026-04-01"}, billing.OverInvoice{}, 0)
		require.NoError(k.t, err)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.FinaliseOver(ctx, over[0], "olga")
			return err
		}
	}},
	{"payment that pays a block", one(holding), func(k *till) func(context.Context, *postgres.Store) error {
		k.soldBlock()
		p := postgres.InvoicePayment{InvoiceDeed: k.deed(k.month("2026-03")), Amount: "500.00"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Pay(ctx, p); return err }
	}},
	{"use of credit", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		k.pay(invoice, "150.00")
		k.credit(invoice, "50.00")
		k.nextMonth()
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		k.month("2026-04")
		u := k.use()
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.ApplyCredit(ctx, u); return err }
	}},
}
