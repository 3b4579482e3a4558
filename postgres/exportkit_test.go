package postgres_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
)

// formats are the accounting programs, each with books of its own.
var formats = []string{"quickbooks", "xero"}

func export(ctx context.Context, on *postgres.Store, format, key string) (billing.Export, error) {
	return document.Export(ctx, on, document.Order{
		Format: document.Format(format), OperationKey: key, By: "olga", Defaults: document.Defaults{Account: "200", Item: "Services"},
	})
}

// exported makes a batch of all that the program has not had.
func (k *till) exported(format string) billing.Export {
	k.t.Helper()
	e, err := export(k.t.Context(), k.Store, format, k.key())
	require.NoError(k.t, err)
	return e
}

// ledger is what an accounting program has after it has imported all batches: what each customer owes by documents, the money that
// came of it, and the documents by number.
type ledger struct {
	documents map[string]decimal.Decimal // by customer, credit notes subtracted
	money     map[string]decimal.Decimal
	sums      map[string]decimal.Decimal // by number of the document
	payments  []string
}

// imported reads all batches as the program does.
func (k *till) imported(format string) ledger {
	k.t.Helper()
	l := ledger{map[string]decimal.Decimal{}, map[string]decimal.Decimal{}, map[string]decimal.Decimal{}, nil}
	batches, err := k.Exports(k.t.Context())
	require.NoError(k.t, err)
	slices.Reverse(batches)
	for _, b := range batches {
		if b.Format != format {
			continue
		}
		e, err := k.ExportByID(k.t.Context(), b.ID)
		require.NoError(k.t, err)
		batch := map[string]bool{} // the numbers of its documents
		for _, file := range e.Files {
			rows, err := csv.NewReader(bytes.NewReader(file.Content)).ReadAll()
			require.NoError(k.t, err)
			require.Len(k.t, rows, file.Lines+1)
			for _, row := range rows[1:] {
				of := func(column string) string {
					return row[slices.IndexFunc(rows[0], func(name string) bool { return strings.Trim(name, "*") == column })]
				}
				sum := func(column string) decimal.Decimal { return decimal.RequireFromString(of(column)) }
				var who, number string
				var amount decimal.Decimal
				switch {
				case file.Name == "payments":
					l.money[of("Payee")] = l.money[of("Payee")].Add(sum("Amount"))
					l.payments = append(l.payments, fmt.Sprintf("%s %s %s of %s", of("Kind"), of("Reference"), of("Amount"), of("InvoiceNumber")))
					continue
				case format == "xero":
					who, number = of("ContactName"), of("InvoiceNumber")
					amount = sum("Quantity").Mul(sum("UnitAmount")).Round(2).Add(sum("TaxAmount"))
				case file.Name == "credits":
					who, number, amount = of("Customer"), of("CreditNoteNo"), sum("ItemAmount").Add(sum("ItemTaxAmount")).Neg()
				default:
					who, number, amount = of("Customer"), of("InvoiceNo"), sum("ItemAmount").Add(sum("ItemTaxAmount"))
				}
				_, before := l.sums[number]
				require.True(k.t, !before || batch[number], "%s went to %s in an earlier batch, too", number, format)
				batch[number] = true
				l.documents[who], l.sums[number] = l.documents[who].Add(amount), l.sums[number].Add(amount)
			}
		}
		require.Len(k.t, batch, b.Invoices+b.Credits)
	}
	return l
}

// booksAgree says that what the program has of each payer is what the journal says: documents are what invoices, voids and credit notes
// have booked to receivables and to the payer's credit, and money is cash.
func (k *till) booksAgree(format string) {
	k.t.Helper()
	l := k.imported(format)
	for payer, name := range k.payers() {
		require.Equal(k.t, k.journalSum(payer, "kind in ('invoice', 'void', 'note') and account in ('receivable', 'client-credit')"), l.documents[name].StringFixed(2), "documents of %s in %s", payer, format)
		require.Equal(k.t, k.journalSum(payer, "kind in ('payment', 'return') and account = 'cash'"), l.money[name].StringFixed(2), "money of %s in %s", payer, format)
		require.Equal(k.t, k.journalSum(payer, "account in ('receivable', 'client-credit')"), l.documents[name].Sub(l.money[name]).StringFixed(2), "what %s owes in %s", payer, format)
	}
}

// payers are the clients with the names that their documents have.
func (k *till) payers() map[string]string {
	k.t.Helper()
	names := map[string]string{}
	for _, id := range []string{"acme", "zenith"} {
		party, err := k.ClientParty(k.t.Context(), id)
		require.NoError(k.t, err)
		names[id] = party.Name
	}
	return names
}

func (k *till) journalSum(payer, where string) string {
	k.t.Helper()
	var sum decimal.Decimal
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), "select coalesce(sum(amount), 0) from journal where payer_id = $1 and "+where, payer).Scan(&sum))
	return sum.StringFixed(2)
}

// named gives all payers what documents need, and names that differ.
func (k *till) named() {
	k.t.Helper()
	k.parties()
	require.NoError(k.t, k.SetClientParty(k.t.Context(), "zenith", billing.Party{Name: "Zenith", Country: "US"}, "olga"))
}
