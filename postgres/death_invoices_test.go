package postgres_test

import (
	"context"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
)

// deadlyInvoices are what happens to an invoice before it is finalised and after.
var deadlyInvoices = []deadly{
	{"review", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		d := k.deed(k.live())
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.ReviewInvoice(ctx, d); return err }
	}},
	{"review of what has moved since", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		_, err := k.ReviewInvoice(k.t.Context(), k.deed(k.live()))
		require.NoError(k.t, err)
		k.close(k.ticket("email"), 1, k.minutes("tom", 30))
		d := k.deed(k.live())
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.ReviewInvoice(ctx, d); return err }
	}},
	{"finalise what was reviewed", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		require.NoError(k.t, k.SetInvoiceRules(k.t.Context(), billing.InvoiceRules{ReviewFirst: true, SetBy: "olga"}))
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		_, err := k.ReviewInvoice(k.t.Context(), k.deed(k.live()))
		require.NoError(k.t, err)
		f := postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-03-01", By: "olga", Early: true}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Finalise(ctx, f); return err }
	}},
	{"how the house treats invoices", one(hourly), func(*till) func(context.Context, *postgres.Store) error {
		r := billing.InvoiceRules{ReviewFirst: true, RemindAfter: []int32{5, 15}, SetBy: "olga"}
		return func(ctx context.Context, s *postgres.Store) error { return s.SetInvoiceRules(ctx, r) }
	}},
	{"a limit of write-downs", one(hourly), func(*till) func(context.Context, *postgres.Store) error {
		l := postgres.WriteDownLimit{Role: "dispatcher", Currency: "USD", Amount: decimal.NewFromInt(50), By: "olga"}
		return func(ctx context.Context, s *postgres.Store) error { return s.SetWriteDownLimit(ctx, l) }
	}},
	{"send", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		k.parties()
		_, err := document.Keep(k.t.Context(), k, invoice.ID)
		require.NoError(k.t, err)
		m := postgres.InvoiceDispatch{InvoiceDeed: k.deed(invoice), To: "ap@acme.example"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SendInvoice(ctx, m); return err }
	}},
	{"send again, to somebody else", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		k.sent(invoice, "ap@acme.example")
		m := postgres.InvoiceDispatch{InvoiceDeed: k.deed(invoice), To: "boss@acme.example"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SendInvoice(ctx, m); return err }
	}},
	{"send at the month's end", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		k.parties()
		require.NoError(k.t, k.SetClientParty(k.t.Context(), "acme", billing.Party{City: "Springfield", Country: "US", Email: "ap@acme.example"}, "olga"))
		_, err := document.Keep(k.t.Context(), k, invoice.ID)
		require.NoError(k.t, err)
		return func(ctx context.Context, s *postgres.Store) error { return s.SendOver(ctx, invoice.ID, "olga") }
	}},
	{"send a credit note", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		n := k.noted(k.credit(invoice, "50.00"))
		k.parties()
		k.noteFile(n, "pdf")
		m := postgres.CreditNoteDispatch{Note: n.ID, To: "ap@acme.example", By: "olga", OperationKey: k.key()}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SendCreditNote(ctx, m); return err }
	}},
	{"send a credit note at the month's end", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		n := k.noted(k.credit(invoice, "50.00"))
		k.parties()
		require.NoError(k.t, k.SetClientParty(k.t.Context(), "acme", billing.Party{City: "Springfield", Country: "US", Email: "ap@acme.example"}, "olga"))
		k.noteFile(n, "pdf")
		return func(ctx context.Context, s *postgres.Store) error { return s.SendNoteOver(ctx, n.ID, "olga") }
	}},
	{"question a line", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.mailbox()
		_, invoice := k.billed(60)
		q := postgres.LineQuestion{Line: k.linesOn(invoice)[0], Reason: "Never happened", By: "ann", OperationKey: k.key()}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Question(ctx, q); return err }
	}},
	{"answer that the line stands", one(hourly), answered(func(*postgres.DisputeAnswer) {})},
	{"answer by giving the line back", one(hourly), answered(func(a *postgres.DisputeAnswer) { a.Whole = true })},
	{"answer by giving a part of it back", one(hourly), answered(func(a *postgres.DisputeAnswer) { a.Amount = "40.00" })},
	{"void what is in question", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		k.question(invoice, k.linesOn(invoice)[0], "ann")
		v := postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice), Reason: "Wrong address"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Void(ctx, v); return err }
	}},
	{"credit note of a line", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		n := postgres.CreditNoteDraft{InvoiceDeed: k.deed(invoice), Lines: k.linesOn(invoice), Reason: "Never happened"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Credit(ctx, n); return err }
	}},
	{"payment that leaves credit", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		p := postgres.InvoicePayment{InvoiceDeed: k.deed(invoice), Amount: "200.00"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Pay(ctx, p); return err }
	}},
	{"payment that comes back", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		k.pay(invoice, "150.00")
		return k.bounced()
	}},
	{"payment that comes back after others lived on it", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		k.pay(invoice, "250.00") // 100.00 of it are credit, which the next invoice uses
		k.nextMonth()
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		k.month("2026-04")
		return k.bounced()
	}},
	{"payment of a block that comes back", one(holding), func(k *till) func(context.Context, *postgres.Store) error {
		k.soldBlock()
		k.pay(k.month("2026-03"), "500.00")
		return k.bounced()
	}},
	// Each invoice is reminded of by itself.
	{"reminders", one(hourly + "billing: {payment_days: 14}\n"), func(k *till) func(context.Context, *postgres.Store) error {
		k.mailbox()
		k.billed(60)
		k.nextMonth()
		k.close(k.ticket("email"), 1, k.minutes("tom", 30))
		k.month("2026-04")
		k.nextMonth()
		k.nextMonth()
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.RemindOverdue(ctx, 10); return err }
	}},
}

// live is the invoice that acme's lines go to.
func (k *till) live() billing.Invoice {
	k.t.Helper()
	open, err := k.Invoice(k.t.Context(), "acme")
	require.NoError(k.t, err)
	return open
}

// answered settles what is in question.
func answered(how func(*postgres.DisputeAnswer)) func(k *till) func(context.Context, *postgres.Store) error {
	return func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		q := k.question(invoice, k.linesOn(invoice)[0], "ann")
		a := postgres.DisputeAnswer{Dispute: q.ID, Reason: "We looked", By: "olga", OperationKey: k.key()}
		how(&a)
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SettleDispute(ctx, a); return err }
	}
}

// bounced takes the first payment back.
func (k *till) bounced() func(context.Context, *postgres.Store) error {
	r := postgres.PaymentReturn{Payment: k.count("select min(event_id) from payments"), Reason: "No funds", By: "olga", OperationKey: k.key()}
	return func(ctx context.Context, s *postgres.Store) error { _, err := s.ReturnPayment(ctx, r); return err }
}
