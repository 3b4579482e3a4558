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

func TestPaymentsPayWhatIsOwedAndTheRestIsCredit(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(70)
	require.Equal(t, "finalised 187.50", k.stands(invoice))

	first := k.pay(invoice, "100.00")
	require.Equal(t, "100.00 USD received for INV-2026-00001; 87.50 USD still owed", first.Says)
	require.Equal(t, "2026-03-18", first.PaidOn, "today, where the payer is")
	require.Equal(t, "partly-paid 87.50", k.stands(invoice))

	second := k.pay(invoice, "120")
	require.Equal(t, "120.00 USD received for INV-2026-00001: paid, and 32.50 USD more are acme's credit", second.Says)
	require.Equal(t, "paid 0.00", k.stands(invoice))
	require.Equal(t, "32.50", k.inCredit())

	third := k.pay(invoice, "5")
	require.Equal(t, "5.00", third.ToCredit.StringFixed(2), "money that has come is never refused")
	require.Equal(t, "37.50", k.inCredit())
	k.proved()
}

func TestThePaymentOfOneKeyIsOne(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(70)
	p := postgres.InvoicePayment{InvoiceDeed: k.deed(invoice), Amount: "200.00", On: "2026-03-17", Method: "bank transfer"}
	answers := make([]billing.Payment, 20)
	many(len(answers), func(i int) {
		var err error
		answers[i], err = k.Pay(context.WithoutCancel(t.Context()), p)
		require.NoError(t, err)
	})
	for _, a := range answers {
		require.JSONEq(t, written(t, answers[0]), written(t, a))
	}
	require.EqualValues(t, 1, k.count("select count(*) from payments"))
	require.Equal(t, "12.50", k.inCredit())

	p.Amount = "150.00"
	_, err := k.Pay(t.Context(), p)
	require.ErrorContains(t, err, "was used for another message")
	k.proved()
}

func TestPaymentsThatMakeNoSense(t *testing.T) {
	k := newTill(t, hourly)
	k.close(k.ticket("email"), 1, k.minutes("tom", 30))
	open, err := k.Invoice(t.Context(), "acme")
	require.NoError(t, err)
	_, err = k.Pay(t.Context(), postgres.InvoicePayment{InvoiceDeed: k.deed(open), Amount: "10"})
	require.ErrorContains(t, err, "is still open")
	invoice := k.month("2026-03")

	for name, c := range map[string]struct {
		change func(*postgres.InvoicePayment)
		field  string
	}{
		"no amount":          {func(p *postgres.InvoicePayment) { p.Amount = "" }, "amount"},
		"nothing":            {func(p *postgres.InvoicePayment) { p.Amount = "0.00" }, "amount"},
		"less than nothing":  {func(p *postgres.InvoicePayment) { p.Amount = "-5" }, "amount"},
		"a third decimal":    {func(p *postgres.InvoicePayment) { p.Amount = "5.001" }, "amount"},
		"forty digits":       {func(p *postgres.InvoicePayment) { p.Amount = "1111111111222222222233333333334444444444" }, "amount"},
		"tomorrow":           {func(p *postgres.InvoicePayment) { p.On = "2026-03-19" }, "on"},
		"before all of it":   {func(p *postgres.InvoicePayment) { p.On = "2025-12-31" }, "on"},
		"another century":    {func(p *postgres.InvoicePayment) { p.On = "1999-01-01" }, "on"},
		"no date":            {func(p *postgres.InvoicePayment) { p.On = "yesterday" }, "on"},
		"no key":             {func(p *postgres.InvoicePayment) { p.OperationKey = "" }, "operation_key"},
		"an unknown invoice": {func(p *postgres.InvoicePayment) { p.Invoice = 4711 }, "invoice"},
		"a technician":       {func(p *postgres.InvoicePayment) { p.By = "tom" }, "by"},
		"the client":         {func(p *postgres.InvoicePayment) { p.By = "ann" }, "by"},
		"nobody":             {func(p *postgres.InvoicePayment) { p.By = "nobody" }, "by"},
	} {
		t.Run(name, func(t *testing.T) {
			p := postgres.InvoicePayment{InvoiceDeed: k.deed(invoice), Amount: "10"}
			c.change(&p)
			_, err := k.Pay(t.Context(), p)
			problems := ticket.Problems(err)
			require.Len(t, problems, 1, "%v", err)
			require.Equal(t, c.field, problems[0].Field)
			require.NotEmpty(t, problems[0].Fix)
		})
	}
	require.Zero(t, k.count("select count(*) from payments"))
}

// Some pay ahead, before there is an invoice: their money keeps its date. A mistyped year looks the same, so the answer says it.
func TestAPaymentAheadKeepsItsDate(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(60)
	ahead := func(on string) (billing.Payment, error) {
		return k.Pay(t.Context(), postgres.InvoicePayment{InvoiceDeed: k.deed(invoice), Amount: "50.00", On: on})
	}
	paid, err := ahead("2026-02-20")
	require.NoError(t, err)
	require.Equal(t, "2026-02-20", paid.PaidOn)
	require.Equal(t, "50.00 USD received for INV-2026-00001; 100.00 USD still owed; it came before the invoice's period began on 2026-03-01: if the date is wrong, "+
		"`docket invoice show INV-2026-00001` names the payment, and `docket invoice bounce` takes it back", paid.Says)
	paid, err = ahead("2026-01-01")
	require.NoError(t, err, "the day on which the contract began")
	require.Contains(t, paid.Says, "it came before the invoice's period began")
	_, err = ahead("2025-12-31")
	require.ErrorContains(t, err, `on "2025-12-31" lies before acme had anything to pay for: that began on 2026-01-01: check the year`)
	require.Equal(t, "partly-paid 50.00", k.stands(invoice))
	owing, err := k.ReportReceivables(t.Context(), postgres.Balance{AsOf: day(t, "2026-02-28")})
	require.NoError(t, err)
	require.Equal(t, "-100.00 0.00", owing[0].Owed.StringFixed(2)+" "+owing[0].Disputed.StringFixed(2), "before the invoice the money is the payer's, and nothing is in question")
	k.proved()

	k = newTill(t, strings.Replace(hourly, "2026-01-01", "2015-01-01", 1))
	_, invoice = k.billed(60)
	_, err = ahead("2025-03-01")
	require.NoError(t, err)
	_, err = ahead("2025-02-28")
	require.ErrorContains(t, err, `on "2025-02-28" lies more than a year before the invoice's period: check the year: nobody pays before 2025-03-01 what begins on 2026-03-01`)
}

func TestEdge47PartlyPaidIsNotVoidedButCredited(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(70)
	k.pay(invoice, "50.00")

	_, err := k.Void(t.Context(), postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice), Reason: "Wrong address"})
	problems := ticket.Problems(err)
	require.Len(t, problems, 1)
	require.Equal(t, "has 50.00 USD of 187.50 USD paid", problems[0].Problem)
	require.Contains(t, problems[0].Fix, "docket invoice credit INV-2026-00001 --amount 187.50 --reason", "and says what to do instead")
	require.Equal(t, "partly-paid 137.50", k.stands(invoice))

	note := k.credit(invoice, "187.50")
	require.Equal(t, "CN-2026-00001", note.Number)
	require.Equal(t, "CN-2026-00001 gives back 187.50 USD of INV-2026-00001: 137.50 USD were owed, 50.00 USD are acme's credit", note.Says)
	require.Equal(t, "credited 0.00", k.stands(invoice))
	require.Equal(t, "50.00", k.inCredit())
	k.proved()
}

func TestEdge48ACreditLargerThanTheBalance(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(70)
	k.pay(invoice, "150.00")

	note := k.credit(invoice, "100.00")
	require.Equal(t, "37.50", note.Reduces.StringFixed(2), "what was owed")
	require.Equal(t, "62.50", note.ToCredit.StringFixed(2), "the rest becomes the client's credit")
	require.Equal(t, "paid 0.00", k.stands(invoice))
	require.Equal(t, "62.50", k.inCredit())
	k.proved()

	// The next invoice is paid by it, as it is finalised.
	k.nextMonth()
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	next := k.month("2026-04")
	require.Equal(t, "62.50", next.Receivable.Applied.StringFixed(2))
	require.Equal(t, billing.InvoicePartlyPaid, next.State)
	require.Equal(t, "partly-paid 87.50", k.stands(next))
	require.Equal(t, "0.00", k.inCredit())
	again := k.month("2026-04")
	require.JSONEq(t, written(t, next), written(t, again), "a repetition answers the same")
	k.proved()
}
