package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// lastPayment is the number of the payment that came last.
func (k *till) lastPayment() int64 {
	k.t.Helper()
	return k.count("select max(event_id) from payments")
}

func (k *till) bounce(payment int64) (billing.PaymentReturned, error) {
	k.t.Helper()
	return k.ReturnPayment(k.t.Context(), postgres.PaymentReturn{Payment: payment, Reason: "No funds", By: "olga", OperationKey: k.key()})
}

func TestAPaymentThatCameBackIsOwedAgain(t *testing.T) {
	k := newTill(t, hourly)
	_, march := k.billed(60)
	k.pay(march, "50.00")
	k.pay(march, "200.00") // 100.00 on the invoice, 100.00 credit
	overpaid := k.lastPayment()
	require.Equal(t, "paid 0.00", k.stands(march))

	k.nextMonth() // the credit pays a part of the next invoice
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	april := k.month("2026-04")
	require.Equal(t, "partly-paid 50.00", k.stands(april))
	require.Equal(t, "0.00", k.inCredit())

	r := postgres.PaymentReturn{Payment: overpaid, Reason: "No funds", By: "olga", OperationKey: k.key()}
	answers := make([]billing.PaymentReturned, 20)
	many(len(answers), func(i int) {
		var err error
		answers[i], err = k.ReturnPayment(context.WithoutCancel(t.Context()), r)
		require.NoError(t, err)
	})
	for _, a := range answers {
		require.JSONEq(t, written(t, answers[0]), written(t, a))
	}
	require.Equal(t, "P-2 of INV-2026-00001, 200.00 USD, came back: owed again are 100.00 USD on INV-2026-00001, 100.00 USD on INV-2026-00002; 100.00 USD are acme's credit no more", answers[0].Says)
	require.Equal(t, "partly-paid 100.00", k.stands(march))
	require.Equal(t, "finalised 150.00", k.stands(april))
	require.Equal(t, "0.00", k.inCredit())
	k.proved()

	_, err := k.bounce(overpaid)
	require.Equal(t, "payment came back before, on 2026-04-18", refusal(t, err))
	_, err = k.ReturnPayment(t.Context(), postgres.PaymentReturn{Payment: overpaid, Reason: "x", By: "tom", OperationKey: k.key()})
	require.Contains(t, refusal(t, err), "may not say that a payment came back")
	k.void(april) // nothing is paid on it any more
	require.Equal(t, "0.00", k.inCredit(), "a void gives back no credit that came back before")
	credits, err := k.CreditsOf(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "0", credits[0].Credits[0].Left.String())
	k.proved()
}

func TestAPaymentThatCameBackAfterACreditNote(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(60)
	k.pay(invoice, "150.00")
	k.credit(invoice, "150.00")
	require.Equal(t, "credited 0.00", k.stands(invoice))
	back, err := k.bounce(k.lastPayment())
	require.NoError(t, err)
	require.Equal(t, "P-2 of INV-2026-00001, 150.00 USD, came back: owed again are 150.00 USD on INV-2026-00001; acme has 150.00 USD in credit: docket credit apply acme pays with it",
		strings.Replace(back.Says, ticket.PaymentID(k.lastPayment()), "P-2", 1))
	require.Equal(t, "finalised 150.00", k.stands(invoice), "owed again")
	require.Equal(t, "150.00", k.inCredit(), "and there is credit for it")
	_, err = k.ApplyCredit(t.Context(), k.use())
	require.NoError(t, err)
	require.Equal(t, "credited 0.00", k.stands(invoice))
	k.proved()
}

func TestABlockIsUnpaidWhenItsPaymentComesBack(t *testing.T) {
	k := newTill(t, holding)
	k.soldBlock()
	invoice := k.month("2026-03")
	k.pay(invoice, "500.00")
	require.False(t, k.unpaid())
	back, err := k.bounce(k.lastPayment())
	require.NoError(t, err)
	require.Equal(t, []int64{1}, back.Blocks)
	require.Contains(t, back.Says, "block 1 (5 h) is unpaid again")
	require.True(t, k.unpaid())
	require.Equal(t, []string{"paid 2026-03-18 by invoice", "unpaid 2026-03-18 by invoice"}, k.blockPayments())
	k.pay(invoice, "500.00")
	require.False(t, k.unpaid())
	k.proved()
}
