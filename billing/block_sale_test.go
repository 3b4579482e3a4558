package billing_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestBlockSale(t *testing.T) {
	v := version(t, contract("HB-1", "payer: C-9\nlines:\n  - {clause: A1, name: Support, charge: covered, match: {categories: [mail]}}\n"+
		"  - {clause: B1, name: Block hours, charge: block, tax_category: prepaid, accounting: {account: \"2400\", defer: as-used}}"))
	f := billing.SaleFacts{
		Rules: billing.Rules, Key: "order-7", Client: "C-1", Contract: "HB-1", Version: &v, MS: 20 * hour, Price: dec("2500.005"), Currency: "EUR", Date: "2026-03-10",
	}
	d, err := billing.DecideSale(f)
	require.NoError(t, err)
	require.Equal(t, "recurring B1 1 piece × 2500.005 = 2500.01", render(d.Charges))
	c := d.Charges[0]
	require.Equal(t, "sale/order-7", c.Key)
	require.Equal(t, "Block hours — 20 h", c.Text)
	require.Equal(t, []string{"C-9", "prepaid", "2400", "as-used"}, []string{c.Payer, c.TaxCategory, c.Accounting.Account, c.Accounting.Defer})
	require.Equal(t, "The client bought a block of 20 h on 2026-03-10 for 2500.01 EUR.\nSo it costs 2500.01 EUR.", explainedLines(c))

	t.Run("taken back", func(t *testing.T) {
		back, err := billing.DecideReturn(billing.ReturnFacts{Rules: billing.Rules, Block: 7, Charge: 88, Sold: c, Why: "sold by mistake"})
		require.NoError(t, err)
		require.Equal(t, "reversal B1 -1 piece × 2500.005 = -2500.01", render(back.Charges))
		require.Contains(t, explainedLines(back.Charges[0]), "Block 7 was taken back, as nothing of it was used: sold by mistake.")
	})
	t.Run("under no contract in force", func(t *testing.T) {
		f.Version = nil
		d, err := billing.DecideSale(f)
		require.NoError(t, err)
		require.Equal(t, "recurring 1 piece × 2500.005 = 2500.01", render(d.Charges))
	})
	t.Run("malformed", func(t *testing.T) {
		f.Currency = "EURO"
		_, err := billing.DecideSale(f)
		require.ErrorContains(t, err, "is not a currency")
	})
}
