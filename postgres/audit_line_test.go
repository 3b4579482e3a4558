package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// bookkept is a contract whose lines say all that the books take from a line.
var bookkept = strings.NewReplacer(
	"time: {", "payer: zenith\npurchase_order: {number: PO-77, limit: 5000.00, used_up: hold}\naccounting: {account: \"8010\", item: MSP, defer: straight-line}\ntime: {",
	"name: Remote support,", "name: Remote support, tax_category: reduced,",
).Replace(withParts)

func TestInvoiceLinesTellWhatTheBooksTake(t *testing.T) {
	k := newTill(t, bookkept)
	line := k.close(k.ticket("email"), 1, k.minutes("tom", 60)).Posted[0]
	lines, err := k.InvoiceLines(t.Context(), line.Invoice, 0, 10)
	require.NoError(t, err)
	require.Len(t, lines, 1)
	l := lines[0]
	require.Equal(t, "acme", l.Client)
	require.Equal(t, "zenith", l.Payer)
	require.Equal(t, "reduced", l.TaxCategory)
	require.Equal(t, "PO-77", l.PurchaseOrder)
	require.Equal(t, &billing.Accounting{Account: "8010", Item: "MSP", Defer: "straight-line"}, l.Accounting)
}

// One after the other, each on top of the ones before: every one is told by a sentence that was not there.
func TestAuditFindsEachTamperingWithALine(t *testing.T) {
	k := newTill(t, bookkept)
	id := k.ticket("email")
	k.part(id, "80.00")
	k.close(id, 1, k.minutes("tom", 60))
	other := k.ticket("email")
	k.part(other, "20.00")
	held := k.close(other, 1, k.minutes("tom", 240)).Held[0] // settled, so that its charges tell themselves what they are
	_, err := k.SignOff(t.Context(), other, ticket.SignOff{Header: k.by("ann"), Hold: held.Hold, Digest: held.Digest, Approved: true})
	require.NoError(t, err)
	k.proved()
	before := ""
	for _, c := range []struct{ what, statement, says string }{
		{
			"a line's payer, in every place", "with i as (update invoices set payer_id = 'acme') update invoice_lines set payer_id = 'acme'",
			`its line's payer is "acme", decided was "zenith"`,
		},
		{"a tax profile", "update invoice_lines set tax_profile = 'de'", `its line's tax profile is "de", decided was ""`},
		{"a tax category", "update invoice_lines set tax_category = '' where tax_category = 'reduced'", `its line's tax category is "", decided was "reduced"`},
		{"a purchase order", "update invoice_lines set purchase_order = 'PO-78'", `its line's purchase order is "PO-78", decided was "PO-77"`},
		{"a revenue account", "update invoice_lines set account = '8020'", `its line's account is "8020", decided was "8010"`},
		{"an item code", "update invoice_lines set item_code = ''", `its line's item code is "", decided was "MSP"`},
		{"a deferral", "update invoice_lines set deferral = ''", `its line's deferral is "", decided was "straight-line"`},
		{
			"another item for a charge", "update charge_items set item_id = item_id + 100 where charge_id = (select min(charge_id) from charge_items)",
			"it stands for item 101, decided was item 1",
		},
		{
			"no item for a settled charge", "delete from charge_items where charge_id = (select max(charge_id) from charge_items)",
			"it stands for no item, decided was item 2",
		},
		{
			"an item for a charge of time", "insert into charge_items select min(id), 1, 7 from charges where kind = 'time'",
			"it stands for item 1, decided was no item",
		},
	} {
		k.tamper(c.statement)
		a, err := k.Audit(t.Context(), nil)
		require.NoError(t, err)
		found := strings.Join(a.Lines, "\n")
		require.Contains(t, found, c.says, c.what)
		require.NotContains(t, before, c.says, c.what)
		before = found
	}
	// Both a charge that its closure decided and one that was settled later are told.
	for _, of := range []ticket.ID{id, other} {
		require.Contains(t, before, string(of)+" ")
	}
}
