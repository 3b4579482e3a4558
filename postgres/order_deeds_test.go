package postgres_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
)

const (
	warns = "currency: USD\npurchase_order: {number: PO-7, limit: \"2000.00\"}"
	holds = "currency: USD\npurchase_order: {number: PO-7, limit: \"1000.00\", used_up: hold}"
)

// ordered is what has been billed against a contract's purchase order.
func (k *till) ordered(contract string) string {
	k.t.Helper()
	var sum decimal.Decimal
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), "select coalesce(sum(value), 0) from counters where key = $1", "po/"+contract+"/PO-7").Scan(&sum))
	return sum.StringFixed(2)
}

func TestEdge61ASoldBlockCountsAgainstTheOrder(t *testing.T) {
	k := newTill(t, replaced(blocks, "currency: USD", holds))
	sell := func(key string, price int64) (postgres.Block, error) {
		return k.GrantBlock(t.Context(), postgres.BlockGrant{
			OperationKey: key, Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon, Price: decimal.NewFromInt(price), Currency: "USD", By: "olga",
		})
	}
	block, err := sell("order-1", 700)
	require.NoError(t, err)
	require.Equal(t, "700.00", k.ordered("acme-block"))
	why, err := k.Why(t.Context(), k.count("select charge_id from invoice_lines"))
	require.NoError(t, err)
	require.Contains(t, why.Sentences, "It bills against order PO-7, of which 700.00 USD of 1000.00 USD are used now: 300.00 USD more, and it is used up.")
	_, err = sell("order-2", 400)
	require.ErrorContains(t, err, "goes beyond purchase order PO-7, which reaches to 1000.00 USD, of which 700.00 USD are billed")
	_, err = sell("order-1", 700)
	require.NoError(t, err, "a repetition is no new sale")
	require.Equal(t, "700.00", k.owed())
	k.proved()

	for range 2 {
		_, err = k.CancelBlock(t.Context(), block.ID, "olga", "too early")
		require.NoError(t, err)
	}
	require.Equal(t, "0.00", k.ordered("acme-block"), "taken back, the order has it again")
	_, err = sell("order-2", 400)
	require.NoError(t, err)
	require.Equal(t, "400.00", k.ordered("acme-block"))
	k.proved()
}

func TestEdge61ARenewalCountsAgainstTheOrder(t *testing.T) {
	renews := replaced(blocks, "charge: block,", `charge: block, block: {renewal: {hours: 2h, price: "240.00", expires_days: 365}},`)
	k := newTill(t, replaced(replaced(renews, "currency: USD", warns), `amount_over: "500.00"`, "time_over: 90h"))
	k.grant(1)
	id, _ := k.worked("2026-03-18", 90)
	require.Equal(t, "240.00", k.owed(), "half an hour of the next block, which it buys")
	require.Equal(t, "240.00", k.ordered("acme-block"))
	k.reopen(id)
	require.Equal(t, "240.00", k.ordered("acme-block"), "the block stays bought")
	k.proved()

	t.Run("an order that holds and does not reach buys none", func(t *testing.T) {
		k := newTill(t, replaced(replaced(replaced(renews, "currency: USD", holds), `limit: "1000.00"`, `limit: "200.00"`), `amount_over: "500.00"`, "time_over: 90h"))
		k.grant(1)
		_, receipt := k.worked("2026-03-18", 90)
		require.Empty(t, receipt.Held)
		require.Equal(t, "60.00", k.owed(), "half an hour of overage, to which it reaches")
		require.Equal(t, "60.00", k.ordered("acme-block"))
		k.proved()
	})
}

func TestEdge61FeesInAdvanceCountAgainstTheOrder(t *testing.T) {
	k := periods(t, replaced(besides, "currency: USD", warns))
	k.devices("workstation", "2026-02-20", 30)
	k.sweep()
	require.Equal(t, "500.00", k.ordered("acme-managed"), "March's fee, although it stands on February's invoice")
	k.on("2026-04-01")
	k.sweep()
	require.Equal(t, k.owed(), k.ordered("acme-managed"), "March to its minimum, and April's fee")
	k.proved()
}

func TestEdge61AWriteDownGivesTheOrderBack(t *testing.T) {
	k := newTill(t, replaced(hourly, "currency: USD", warns))
	id := k.ticket("email")
	line := k.close(id, 1, k.minutes("tom", 70)).Posted[0].Line
	require.Equal(t, "187.50", k.ordered("acme-hourly"))
	_, err := k.writeDown("olga", line, "150.00")
	require.NoError(t, err)
	require.Equal(t, "150.00", k.ordered("acme-hourly"))

	// Void and billed again, it is billed under the order as it was.
	march := k.month("2026-03")
	again := k.void(march).Lines
	require.Equal(t, "150.00", k.ordered("acme-hourly"))
	_, err = k.writeDown("olga", again[0].Line, "120.00")
	require.NoError(t, err)
	require.Equal(t, "120.00", k.ordered("acme-hourly"))
	k.reopen(id)
	require.Equal(t, "0.00", k.ordered("acme-hourly"), "undone to the cent, write-downs too")
	require.Equal(t, "0.00", k.counts())
	k.proved()
}

func TestEdge61ACreditNoteGivesTheOrderBack(t *testing.T) {
	k := newTill(t, replaced(hourly, "currency: USD", warns))
	one, other := k.ticket("email"), k.ticket("email")
	first := k.close(one, 1, k.minutes("tom", 70)).Posted[0].Line
	k.close(other, 1, k.minutes("tom", 60))
	march := k.month("2026-03")
	require.Equal(t, "337.50", k.ordered("acme-hourly"))
	_, err := k.creditLines(march, first)
	require.NoError(t, err)
	require.Equal(t, "150.00", k.ordered("acme-hourly"))
	k.credit(march, "50.00")
	require.Equal(t, "100.00", k.ordered("acme-hourly"))
	k.proved()
	k.reopen(one)
	require.Equal(t, "100.00", k.ordered("acme-hourly"), "the note gave it back before")
	k.reopen(other)
	require.Equal(t, "0.00", k.ordered("acme-hourly"))
	require.Equal(t, "237.50", k.counts(), "the notes gave back the rest")
	k.proved()
}
