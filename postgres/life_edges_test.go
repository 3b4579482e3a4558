package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// 28 cents of tax a line, or 8.875 % of the sum: the profile says which, the invoice keeps it, and what is printed adds up.
func TestEdge42RoundedByTheLineOrByTheInvoice(t *testing.T) {
	const cheap = `
schema: docket.contract/v1
contract: acme-cheap
client: acme
name: Small amounts
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
tax: NY
rates: [{clause: "3", work_role: engineer, hourly: "3.18"}]
lines:
  - {clause: "1", name: Support, charge: time, match: {categories: [email]}}
  - {clause: "2", name: Courses, charge: time, tax_category: reduced, match: {categories: [network]}}
  - {clause: "3", name: Insurance, charge: time, tax_category: exempt, match: {categories: [onboarding]}}
`
	// Three of 3.18 at 8.875 %: 0.282225 each, 0.84667 together; two of 3.18 at 5 %: 0.159 each, 0.318 together.
	for how, want := range map[string]string{"": "19.08 + 1.17 = 20.25", "per: line\n": "19.08 + 1.16 = 20.24"} {
		t.Run(strings.TrimSpace(how), func(t *testing.T) {
			k := newTill(t)
			k.tax(newYork + how)
			k.apply(cheap)
			k.parties()
			for _, category := range []string{"email", "network", "email", "onboarding", "network", "email"} {
				k.close(k.ticket(category), 1, k.minutes("tom", 60))
			}
			march := k.month("2026-03")
			paper, err := k.Paper(t.Context(), march.ID)
			require.NoError(t, err)
			x := paper.Invoice.Taxes
			require.Equal(t, want, fmt.Sprintf("%s + %s = %s", x.TaxExclusive.StringFixed(2), x.Tax.StringFixed(2), x.TaxInclusive.StringFixed(2)))
			net, tax, base, rows := decimal.Zero, decimal.Zero, decimal.Zero, decimal.Zero
			for _, l := range x.Lines {
				net, tax = net.Add(l.Net), tax.Add(l.Tax)
			}
			for _, c := range x.Taxes {
				base, rows = base.Add(c.Base), rows.Add(c.Tax)
			}
			require.Equal(t, []string{x.TaxExclusive.String(), x.TaxExclusive.String(), x.Tax.String(), x.Tax.String()},
				[]string{net.String(), base.String(), tax.String(), rows.String()}, "the document adds up from its printed parts")
			require.Equal(t, x.TaxInclusive.StringFixed(2), march.Receivable.Owed.StringFixed(2))
			require.Contains(t, k.booked(march.Number), "invoice tax -"+x.Tax.StringFixed(2))
			for i, l := range k.linesOn(march) { // and so do the credit notes that give all of it back, line by line
				note, err := k.creditLines(march, l)
				require.NoError(t, err)
				require.Equal(t, x.Lines[i].Net.Add(x.Lines[i].Tax).StringFixed(2), note.Amount.StringFixed(2))
			}
			require.Equal(t, "credited 0.00", k.stands(march))
			k.proved()
		})
	}
}

// What was bought in another currency than the contract's waits for a ruling and is on no invoice; the hour beside it draws from the block all
// the same.
func TestEdge43AnotherCurrencyWaitsAndTheBlockDraws(t *testing.T) {
	k := newTill(t, blocks+"materials:\n  - {clause: \"6.1\", name: Hardware, kinds: [part], markup_percent: 15}\n")
	k.grant(2)
	id := k.ticket("email")
	_, err := k.AddItem(t.Context(), id, ticket.Material{Header: k.by("tom"), Kind: ticket.Part, Text: "SSD 1 TB", Cost: "80.00", Currency: "EUR"})
	require.NoError(t, err)
	receipt := k.close(id, 1, k.minutes("tom", 60))
	require.Equal(t, "1", k.hoursLeft())
	require.Len(t, receipt.Held, 1)
	require.Equal(t, billing.WrongCurrency, receipt.Held[0].Reason)
	require.Equal(t, `1 × "SSD 1 TB" cost 80.00 EUR each, and acme-block bills in USD: rule what one costs in USD.`, receipt.Held[0].Says)
	march := k.month("2026-03")
	require.Equal(t, "0.00", march.Total.StringFixed(2))
	require.Equal(t, 1, march.LineCount, "the invoice goes without it")
	require.Zero(t, k.count("select count(*) from journal where unit = 'EUR'"), "nothing is booked in euros")
	ruled, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("olga"), Hold: receipt.Held[0].Hold, Action: ticket.Bill, Hourly: "92.00", Reason: "As dear in dollars"})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, ruled.Outcome, ruled.Says)
	require.Equal(t, "92.00", k.owed())
	require.Equal(t, "1", k.hoursLeft())
	k.proved()
}

// Yen have no decimals and Kuwaiti dinars three: from the closing to the journal no amount is finer, and nobody can pay or credit one that is.
func TestEdge44InvoicesInYenAndInDinars(t *testing.T) {
	for currency, c := range map[string]struct{ hourly, total, tax, gross, half, finer string }{
		"JPY": {"8333", "9722", "863", "10585", "5292", "5292.5"},         // 70 minutes at 8,333 are 9,721.83
		"KWD": {"15.555", "18.148", "1.611", "19.759", "9.879", "9.8795"}, // 18.1475, and 8.875 % of it
	} {
		t.Run(currency, func(t *testing.T) {
			k := newTill(t)
			k.tax(newYork)
			require.NoError(t, k.PutClient(t.Context(), ticket.Client{ID: "acme", Name: "Acme", TimeZone: "America/New_York", Currency: currency, Payer: "acme"}))
			require.NoError(t, k.TaxClient(t.Context(), "acme", "NY", "olga"))
			k.apply(strings.NewReplacer("currency: USD", "currency: "+currency, `"150.00"`, c.hourly, "time: {minimum: 30m, increment: 15m}", "", `price: "45.00"`, "price: 45",
				`amount_over: "500.00"`, "amount_over: 1000000").Replace(hourly))
			k.close(k.ticket("email"), 1, k.minutes("tom", 70))
			march, err := k.Finalise(t.Context(), postgres.Finalisation{Payer: "acme", Currency: currency, Period: "2026-03-01", By: "olga", Early: true})
			require.NoError(t, err)
			require.Equal(t, []string{c.total, c.tax, c.gross}, []string{march.Total.String(), march.Taxes.Tax.String(), march.Receivable.Owed.String()})
			for _, amount := range []string{c.finer, c.gross + "0"} {
				_, err = k.Pay(t.Context(), postgres.InvoicePayment{InvoiceDeed: k.deed(march), Amount: amount})
				if amount == c.finer {
					require.Contains(t, refusal(t, err), "decimals of "+currency)
				}
				_, err = k.Credit(t.Context(), postgres.CreditNoteDraft{InvoiceDeed: k.deed(march), Amount: c.finer, Reason: "Too dear"})
				require.Contains(t, refusal(t, err), "decimals of "+currency)
			}
			k.proved()
		})
	}
}

// A process that dies as it commits a number takes none: the next invoice has it. Whoever is refused takes none either.
func TestEdge62ANumberThatWasRolledBackIsGivenToTheNext(t *testing.T) {
	k := newTill(t, hourly)
	for range 4 {
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		k.nextMonth()
	}
	months := []string{"2026-03-01", "2026-04-01", "2026-05-01", "2026-06-01"}
	final := func(period, by string) postgres.Finalisation {
		return postgres.Finalisation{Payer: "acme", Currency: "USD", Period: period, By: by}
	}
	clock := k.now()
	k.Disconnect()
	k.admin.Close()

	counted := newScene(t, testenv.Copy(t, k.url), clock)
	w, s := counted.wired()
	w.arm(point{})
	_, err := s.Finalise(t.Context(), final(months[0], "olga"))
	require.NoError(t, err)
	statements, _ := w.passed()

	sc := newScene(t, testenv.Copy(t, k.url), clock)
	for range 3 {
		w, s := sc.wired()
		w.arm(point{statement: statements}) // the commit
		_, err := s.Finalise(t.Context(), final(months[0], "olga"))
		require.Error(t, err)
		s.Disconnect()
		sc.alone()
	}
	alive := sc.open(sc.url)
	numbers := make([]string, 3*len(months))
	many(len(numbers), func(i int) {
		by := []string{"olga", "tom", "olga"}[i%3]
		invoice, err := alive.Finalise(context.WithoutCancel(t.Context()), final(months[i/3], by))
		if by == "tom" {
			require.NotEmpty(t, ticket.Problems(err))
			return
		}
		require.NoError(t, err)
		numbers[i] = invoice.Number
	})
	given := map[string]bool{}
	for _, n := range numbers {
		given[n] = true
	}
	delete(given, "")
	require.Equal(t, map[string]bool{"INV-2026-00001": true, "INV-2026-00002": true, "INV-2026-00003": true, "INV-2026-00004": true}, given)
}

// Somebody counts seats anew while the period is closed: every line of the run bills the same count, and the run says which.
func TestEdge63ACountThatChangesDuringARun(t *testing.T) {
	const seats = `
schema: docket.contract/v1
contract: acme-seats
client: acme
name: Seats
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
lines:
  - {clause: S, name: Seats, charge: per-seat, price: "10.00", when: arrears, count: {take: TAKE}}
  - {clause: B, name: Backup, charge: per-seat, price: "1.00", when: arrears, count: {take: TAKE}}
`
	for take, want := range map[string]string{"snapshot": "S 80.00, B 8.00", "peak": "S 120.00, B 12.00", "average": "S 92.90, B 9.29"} { // 8 on 21 days, 12 on 10: 9.29
		t.Run(take, func(t *testing.T) {
			k := periods(t, strings.ReplaceAll(seats, "TAKE", take))
			k.devices("seat", "2026-02-10", 8)
			k.devices("seat", "2026-03-22", 12)
			k.on("2026-04-01")
			due, err := k.PeriodsDue(t.Context(), billing.DueFilter{})
			require.NoError(t, err)
			require.Len(t, due, 1)
			require.Equal(t, "closing 2026-03-01: "+want, k.sweep())

			// Once more, with somebody who counts at the same time: of both lines, one count.
			other := periods(t, strings.ReplaceAll(seats, "TAKE", take))
			other.devices("seat", "2026-02-10", 8)
			other.devices("seat", "2026-03-22", 12)
			other.on("2026-04-01")
			many(2, func(i int) {
				ctx := context.WithoutCancel(t.Context())
				if i == 0 {
					for n := 20; n < 40; n++ {
						require.NoError(t, other.CountDevices(ctx, "acme", "seat", day(t, "2026-02-20"), n))
					}
					return
				}
				_, err := other.RunPeriod(ctx, due[0], "")
				require.NoError(t, err)
			})
			require.EqualValues(t, 2, other.count("select count(*) from charges"))
			require.EqualValues(t, 1, other.count("select count(distinct quantity) from charges"), "one count bills both")
			other.proved()
		})
	}
}
