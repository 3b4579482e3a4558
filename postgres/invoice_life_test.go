package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// refusal is the only Problem of an error, said in one line.
func refusal(t testing.TB, err error) string {
	t.Helper()
	problems := ticket.Problems(err)
	require.Len(t, problems, 1, "%v", err)
	require.NotEmpty(t, problems[0].Fix)
	return problems[0].Field + " " + problems[0].Problem
}

// sent renders the invoice and puts on record that it went to a recipient.
func (k *till) sent(i billing.Invoice, to string) billing.InvoiceSending {
	k.t.Helper()
	k.parties()
	_, err := document.Keep(k.t.Context(), k, i.ID)
	require.NoError(k.t, err)
	sent, err := k.SendInvoice(k.t.Context(), postgres.InvoiceDispatch{InvoiceDeed: k.deed(i), To: to})
	require.NoError(k.t, err)
	return sent
}

func (k *till) question(i billing.Invoice, line int64, who string) billing.Dispute {
	k.t.Helper()
	q, err := k.Question(k.t.Context(), postgres.LineQuestion{Line: line, Reason: "Never happened", By: who, OperationKey: k.key()})
	require.NoError(k.t, err)
	require.Equal(k.t, i.Number, q.Invoice)
	return q
}

// linesOn are the numbers of an invoice's lines.
func (k *till) linesOn(i billing.Invoice) (lines []int64) {
	k.t.Helper()
	all, err := k.InvoiceLines(k.t.Context(), i.ID, 0, 0)
	require.NoError(k.t, err)
	for _, l := range all {
		lines = append(lines, l.Line)
	}
	return lines
}

func TestAnInvoiceLivesFromOpenToPaid(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	k.close(k.ticket("email"), 1, k.minutes("tom", 30))
	open, err := k.Invoice(ctx, "acme")
	require.NoError(t, err)
	require.Equal(t, "open", k.stands(open))

	head := k.deed(open)
	review, err := k.ReviewInvoice(ctx, head)
	require.NoError(t, err)
	require.Equal(t, ticket.InvoiceID(open.ID)+" is reviewed: 1 line, 75.00 USD", review.Says)
	again, err := k.ReviewInvoice(ctx, head)
	require.NoError(t, err)
	require.JSONEq(t, written(t, review), written(t, again))
	_, err = k.ReviewInvoice(ctx, k.deed(open))
	require.NoError(t, err)
	require.EqualValues(t, 1, k.count("select count(*) from invoice_reviews"), "reviewed as it is, it is reviewed")
	require.Equal(t, "review", k.stands(open))

	k.close(k.ticket("email"), 1, k.minutes("tom", 60)) // a review stops no line
	last, err := k.InvoiceReviewed(ctx, open.ID)
	require.NoError(t, err)
	now := k.seen(open)
	require.True(t, last.Moved(now.Total, now.LineCount))

	invoice := k.month("2026-03")
	require.Equal(t, "finalised 225.00", k.stands(invoice))
	_, err = k.ReviewInvoice(ctx, k.deed(invoice))
	require.Equal(t, "invoice is finalised (finalised): it never changes", refusal(t, err))

	sent := k.sent(invoice, "AP@acme.example")
	require.Equal(t, "ap@acme.example", sent.Recipient)
	require.Contains(t, sent.Says, "INV-2026-00001 goes to ap@acme.example with its PDF, SHA-256 "+sent.SHA256[:12])
	require.Equal(t, "sent 225.00", k.stands(invoice))
	k.pass(time.Hour)
	require.Equal(t, sent, k.sent(invoice, "ap@acme.example"), "the same file goes to nobody twice: it tells when it went")
	k.sent(invoice, "cfo@acme.example")
	require.EqualValues(t, 2, k.count("select count(*) from invoice_sendings"))

	k.pay(invoice, "100.00")
	require.Equal(t, "partly-paid 125.00", k.stands(invoice))
	k.pay(invoice, "125.00")
	require.Equal(t, "paid 0.00", k.stands(invoice))
	events, err := k.InvoiceEvents(ctx, invoice.ID)
	require.NoError(t, err)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	require.Equal(t, []string{"review", "finalised", "sent", "sent", "payment", "payment"}, kinds)
	require.Equal(t, ticket.PaymentID(k.count("select max(event_id) from payments")), events[5].Ref)
	for state, n := range map[string]int{"paid": 1, "sent": 0, "review": 0} {
		list, err := k.Invoices(ctx, postgres.InvoiceFilter{State: state})
		require.NoError(t, err)
		require.Len(t, list, n, state)
	}
	k.proved()
}

func TestTheHouseMayAskForAReviewBeforeFinalising(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	require.Contains(t, refusal(t, k.SetInvoiceRules(ctx, billing.InvoiceRules{SetBy: "tom"})), "may not set how the house treats invoices")
	require.Contains(t, refusal(t, k.SetInvoiceRules(ctx, billing.InvoiceRules{SetBy: "olga", RemindAfter: []int32{0}})), "is not a number of days")
	require.NoError(t, k.SetInvoiceRules(ctx, billing.InvoiceRules{SetBy: "olga", ReviewFirst: true, RemindAfter: []int32{7, 7, 2}}))
	rules, err := k.InvoiceRules(ctx)
	require.NoError(t, err)
	require.Equal(t, billing.InvoiceRules{SetBy: "olga", ReviewFirst: true, RemindAfter: []int32{2, 7}}, rules)

	k.close(k.ticket("email"), 1, k.minutes("tom", 30))
	open, err := k.Invoice(ctx, "acme")
	require.NoError(t, err)
	final := postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-03-01", By: "olga", Early: true}
	_, err = k.Finalise(ctx, final)
	require.Equal(t, "invoice was reviewed by nobody", refusal(t, err))
	_, err = k.ReviewInvoice(ctx, k.deed(open))
	require.NoError(t, err)
	k.close(k.ticket("email"), 1, k.minutes("tom", 30))
	_, err = k.Finalise(ctx, final)
	require.Equal(t, "invoice has moved since olga reviewed it: 75.00 USD on 1 line then, 150.00 USD on 2 lines now", refusal(t, err))
	_, err = k.ReviewInvoice(ctx, k.deed(open))
	require.NoError(t, err)
	invoice, err := k.Finalise(ctx, final)
	require.NoError(t, err)
	require.Equal(t, "INV-2026-00001", invoice.Number, "what was refused took no number")
	k.proved()
}

func TestWhatIsWrongIsSaidWithWhatIsTrue(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	k.close(k.ticket("email"), 1, k.minutes("tom", 70))
	open, err := k.Invoice(ctx, "acme")
	require.NoError(t, err)
	line := k.linesOn(open)[0]
	ask := func(by string) error {
		_, err := k.Question(ctx, postgres.LineQuestion{Line: line, Reason: "Never happened", By: by, OperationKey: k.key()})
		return err
	}
	send := func(to string) error {
		_, err := k.SendInvoice(ctx, postgres.InvoiceDispatch{InvoiceDeed: k.deed(open), To: to})
		return err
	}
	require.Contains(t, refusal(t, ask("ann")), "is still open")
	require.Contains(t, refusal(t, send("ap@acme.example")), "is still open")
	_, err = k.ReviewInvoice(ctx, postgres.InvoiceDeed{Invoice: open.ID, By: "tom", OperationKey: k.key()})
	require.Contains(t, refusal(t, err), "may not review invoices")

	invoice := k.month("2026-03")
	require.Equal(t, "to is missing: acme has no mail address", refusal(t, send("")))
	require.Contains(t, refusal(t, send("not an address")), "is not a mail address")
	require.Contains(t, refusal(t, send("a@b.example, c@d.example")), "is not a mail address")
	require.Equal(t, "invoice has no PDF yet", refusal(t, send("ap@acme.example")))
	require.Contains(t, refusal(t, ask("zoe")), "may not question")
	require.Contains(t, refusal(t, ask("bot")), "may not question")
	_, err = k.Question(ctx, postgres.LineQuestion{Line: 4711, Reason: "x", By: "ann", OperationKey: k.key()})
	require.Equal(t, "line is not known", refusal(t, err))
	_, err = k.Question(ctx, postgres.LineQuestion{Line: line, By: "ann", OperationKey: k.key()})
	require.Equal(t, "reason is empty", refusal(t, err))
	_, err = k.ReturnPayment(ctx, postgres.PaymentReturn{Payment: 4711, Reason: "x", By: "olga", OperationKey: k.key()})
	require.Equal(t, "payment is not known", refusal(t, err))
	_, err = k.SettleDispute(ctx, postgres.DisputeAnswer{Dispute: 4711, Reason: "x", By: "olga", OperationKey: k.key()})
	require.Equal(t, "dispute is not known", refusal(t, err))
	_, err = k.Credit(ctx, postgres.CreditNoteDraft{InvoiceDeed: k.deed(invoice), Amount: "187.51", Reason: "x"})
	require.Contains(t, refusal(t, err), "is more than INV-2026-00001 has left to give back: 187.50 USD of 187.50 USD")

	k.void(invoice)
	require.Contains(t, refusal(t, ask("ann")), "is on INV-2026-00001, which is void")
	require.Contains(t, refusal(t, send("ap@acme.example")), "is void")
	require.EqualValues(t, 1, k.count("select count(*) from invoice_events"), "nothing half done")
	k.proved()
}

func TestALineInQuestionIsOwedButNotCollected(t *testing.T) {
	k := newTill(t, hourly)
	ctx := t.Context()
	for _, n := range []int{30, 60, 120} {
		k.close(k.ticket("email"), 1, k.minutes("tom", n))
	}
	invoice := k.month("2026-03")
	lines := k.linesOn(invoice)
	disputed := func() string { return k.seen(invoice).Receivable.Disputed.StringFixed(2) }

	first := k.question(invoice, lines[0], "ann")
	require.Equal(t, "D-1: "+ticket.LineID(lines[0])+" of INV-2026-00001, 75.00 USD, is in question; 75.00 USD of 525.00 USD owed are not collected until it is settled", first.Says)
	require.Equal(t, "75.00", disputed())
	require.Equal(t, "finalised 525.00", k.stands(invoice), "it stays owed")
	_, err := k.Question(ctx, postgres.LineQuestion{Line: lines[0], Reason: "Again", By: "tom", OperationKey: k.key()})
	require.Equal(t, "line is in question already: D-1, by ann", refusal(t, err))
	second := k.question(invoice, lines[1], "dora")
	third := k.question(invoice, lines[2], "ben")
	require.Equal(t, "525.00", disputed())
	k.pay(invoice, "100.00")
	require.Equal(t, "425.00", disputed(), "never more than is owed")

	answer := func(d billing.Dispute, whole bool, amount string) (billing.DisputeSettled, error) {
		return k.SettleDispute(ctx, postgres.DisputeAnswer{Dispute: d.ID, Whole: whole, Amount: amount, Reason: "Looked at", By: "olga", OperationKey: k.key()})
	}
	_, err = k.SettleDispute(ctx, postgres.DisputeAnswer{Dispute: first.ID, Reason: "I say so", By: "ann", OperationKey: k.key()})
	require.Contains(t, refusal(t, err), "may not settle what is in question")
	_, err = answer(first, true, "5")
	require.Contains(t, refusal(t, err), "two answers")
	stands, err := answer(first, false, "")
	require.NoError(t, err)
	require.Equal(t, "D-1 is settled: "+ticket.LineID(lines[0])+" of INV-2026-00001 stands; 425.00 USD are owed", stands.Says)
	_, err = answer(first, true, "")
	require.Equal(t, "dispute is settled: stands, by olga", refusal(t, err))

	_, err = answer(second, false, "150.01")
	require.Contains(t, refusal(t, err), "is more than "+ticket.LineID(lines[1])+" has left to give back: 150.00 USD")
	part, err := answer(second, false, "50.00")
	require.NoError(t, err)
	require.Equal(t, "D-2 is settled: CN-2026-00001 gives back 50.00 USD of INV-2026-00001; 375.00 USD still owed", part.Says)
	require.Equal(t, []int64{lines[1]}, []int64{k.count("select charge_id from credit_note_shares")}, "of that line alone")

	whole := postgres.DisputeAnswer{Dispute: third.ID, Whole: true, Reason: "True", By: "olga", OperationKey: k.key()}
	answers := make([]billing.DisputeSettled, 20)
	many(len(answers), func(i int) {
		var err error
		answers[i], err = k.SettleDispute(context.WithoutCancel(ctx), whole)
		require.NoError(t, err)
	})
	for _, a := range answers {
		require.JSONEq(t, written(t, answers[0]), written(t, a))
	}
	require.Equal(t, "0.00", disputed())
	require.Equal(t, "partly-paid 75.00", k.stands(invoice))
	all, err := k.Disputes(ctx, postgres.DisputeFilter{Payer: "acme"})
	require.NoError(t, err)
	require.Equal(t, []string{"stands", "credited", "credited"}, []string{all[0].State, all[1].State, all[2].State})
	open, err := k.Disputes(ctx, postgres.DisputeFilter{State: "open"})
	require.NoError(t, err)
	require.Empty(t, open)

	_, err = k.Question(ctx, postgres.LineQuestion{Line: lines[2], Reason: "Again", By: "ann", OperationKey: k.key()})
	require.Equal(t, "line was given back by CN-2026-00002", refusal(t, err))
	require.EqualValues(t, 4, k.question(invoice, lines[0], "ann").ID, "a line that stood may be questioned anew")
	k.proved()
}

func TestFinanceIsToldOfDisputesAndReminders(t *testing.T) {
	k := newTill(t, hourly)
	k.mailbox()
	k.close(k.ticket("email"), 1, k.minutes("tom", 30))
	k.close(k.ticket("email"), 1, k.minutes("tom", 30))
	invoice := k.month("2026-03")
	k.question(invoice, k.linesOn(invoice)[0], "ann")
	require.Equal(t, []string{"dispute H-0 mail olga waiting"}, k.told())
	k.pass(5 * 24 * time.Hour)
	for range 2 {
		k.reminded()
	}
	require.Equal(t, []string{"dispute H-0 mail olga waiting", "past-due H-0 mail olga waiting", "payment-due H-0 mail nobody undeliverable"}, k.told())
	k.proved()
}

func TestADisputeIsMootWhereItsLineWentBackOrItsInvoiceIsVoid(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(60)
	line := k.linesOn(invoice)[0]
	one := k.question(invoice, line, "ann")
	_, err := k.creditLines(invoice, line)
	require.NoError(t, err)
	settle := postgres.DisputeAnswer{Dispute: one.ID, Reason: "x", By: "olga", OperationKey: k.key()}
	_, err = k.SettleDispute(t.Context(), settle)
	require.Contains(t, refusal(t, err), "is moot: credit notes have given")

	k.nextMonth()
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	next := k.month("2026-04")
	two := k.question(next, k.linesOn(next)[0], "ann")
	k.void(next)
	require.Equal(t, "void 0.00", k.stands(next))
	settle.Dispute, settle.OperationKey = two.ID, k.key()
	_, err = k.SettleDispute(t.Context(), settle)
	require.Equal(t, "dispute is moot: INV-2026-00002 is void", refusal(t, err))
	k.proved()
}
