package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// besides is a contract whose fees go out beside the work of the month before.
var besides = replaced(managed, "currency: USD", "currency: USD\nbilling: {advance_on: previous-invoice}")

// invoiced tells each invoice with its lines: "2026-02-01 open: 500.00, 300.00".
func (k *till) invoiced() string {
	k.t.Helper()
	rows, err := k.admin.Query(k.t.Context(), `
select i.period_start::text || ' ' || i.state || ': ' || string_agg(round(l.amount, 2)::text, ', ' order by l.charge_id)
from invoices i join invoice_lines l on l.invoice_id = i.id group by i.id order by i.period_start, i.id`)
	require.NoError(k.t, err)
	var told []string
	for rows.Next() {
		var one string
		require.NoError(k.t, rows.Scan(&one))
		told = append(told, one)
	}
	require.NoError(k.t, rows.Err())
	return strings.Join(told, "\n")
}

func TestFeesInAdvanceGoOutBesideTheWorkOfTheMonthBefore(t *testing.T) {
	k := periods(t, replaced(besides, "commitment: ", "# commitment: "))
	k.devices("workstation", "2026-02-20", 30)
	k.sweep()
	require.Equal(t, "2026-02-01 open: 500.00", k.invoiced(), "March's fee goes out when March begins")
	k.finaliseOf("2026-02-01", false)

	k.on("2026-03-18")
	k.close(k.ticket("email"), 1, k.minutes("tom", 120))
	k.on("2026-04-01")
	k.sweep()
	require.Equal(t, "2026-02-01 finalised: 500.00\n2026-03-01 open: 200.00, 300.00, 500.00", k.invoiced(), "March's work and devices, and April's fee")
	require.Equal(t, "1000.00", k.finaliseOf("2026-03-01", false).Total.StringFixed(2), "one invoice on 1 April")
	k.proved()

	t.Run("a fee that comes after the invoice before was finalised goes on the next", func(t *testing.T) {
		k.on("2026-04-20")
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		k.on("2026-05-01")
		k.finaliseOf("2026-04-01", false)
		k.sweep()
		require.Contains(t, k.invoiced(), "2026-04-01 finalised: 100.00\n2026-05-01 open: 300.00, 500.00")
		k.proved()
	})
}

func TestAContractThatBeginsInMidMonthBillsItsFirstFeeBesideTheNext(t *testing.T) {
	k := newTill(t)
	k.on("2026-03-15")
	k.apply(strings.NewReplacer(`effective_from: "2026-01-01"`, `effective_from: "2026-03-15"`, "commitment: ", "# commitment: ").Replace(besides))
	k.devices("workstation", "2026-03-15", 10)
	k.sweep()
	require.Equal(t, "2026-03-01 open: 274.19", k.invoiced(), "17 of 31 days; no invoice closes on the 15th")
	k.on("2026-04-01")
	k.sweep()
	require.Equal(t, "2026-03-01 open: 274.19, 54.84, 500.00", k.invoiced())
	k.proved()
}

// March's minimum counts March's fee, although that stands on February's invoice; what March's closing corrects is on March's.
func TestWhatIsBilledOnTheInvoiceBeforeIsCorrectedOnItsOwn(t *testing.T) {
	k := periods(t, besides)
	k.devices("workstation", "2026-02-20", 30)
	k.sweep()
	k.finaliseOf("2026-02-01", false)
	k.on("2026-03-10")
	k.apply(strings.NewReplacer(`effective_from: "2026-01-01"`, `effective_from: "2026-03-11"`, `price: "500.00"`, `price: "810.00"`).Replace(besides))
	k.on("2026-04-01")
	require.Equal(t, "closing 2026-03-01: F 210.00, W 96.77, W 203.23, M 990.00\nopening 2026-04-01: F 810.00", k.sweep(), "310 × 21/31 more; and to 2,000 with the 500 of February's invoice")
	require.Equal(t, "2026-02-01 finalised: 500.00\n2026-03-01 open: 210.00, 96.77, 203.23, 990.00, 810.00", k.invoiced())

	fee := k.count("select charge_id from invoice_lines where amount = 810")
	why, err := k.Why(t.Context(), fee)
	require.NoError(t, err)
	require.Equal(t, "2026-04-01", why.Line.Date, "its date of service is April's")
	require.Contains(t, why.Sentences[0], "in advance, on the invoice of the period before: this is April 2026.")
	k.proved()
}
