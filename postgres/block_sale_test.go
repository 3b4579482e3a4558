package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func TestEdge38AnUnpaidBlockHoldsWhatItPays(t *testing.T) {
	k := newTill(t, replaced(blocks, "charge: block,", "charge: block, block: {unpaid: hold},"))
	sold := postgres.BlockGrant{OperationKey: "b", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon.AddDate(0, -1, 0), Price: decimal.NewFromInt(500), Currency: "USD", Unpaid: true}
	block, err := k.GrantBlock(t.Context(), sold)
	require.NoError(t, err)
	require.True(t, block.Unpaid)
	id, receipt := k.worked("2026-03-18", 60)
	require.Len(t, receipt.Held, 1)
	require.Equal(t, billing.BlockUnpaid, receipt.Held[0].Reason)
	require.Equal(t, "4", k.hoursLeft(), "it is reserved")

	_, err = k.PayBlock(t.Context(), block.ID, "tom")
	require.ErrorContains(t, err, "it takes the role owner or finance")
	for range 2 {
		block, err = k.PayBlock(t.Context(), block.ID, "olga")
		require.NoError(t, err)
		require.False(t, block.Unpaid)
	}
	_, err = k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: receipt.Held[0].Hold, Action: ticket.Bill, Reason: "paid"})
	require.NoError(t, err)
	_, receipt = k.worked("2026-03-18", 60)
	require.Empty(t, receipt.Held)
	require.Equal(t, "3", k.hoursLeft())
	k.proved()
}

func TestEdge39APartlyUsedBlockCannotBeCancelled(t *testing.T) {
	k := newTill(t, blocks)
	k.grant(5)
	listed, err := k.Blocks(t.Context(), "acme-block")
	require.NoError(t, err)
	id := listed[0].ID
	used, _ := k.worked("2026-03-18", 90)

	_, err = k.CancelBlock(t.Context(), id, "olga", "sold by mistake")
	require.ErrorContains(t, err, "is partly used: 1.5 h of its 5 h are drawn or reserved")
	_, err = k.CancelBlock(t.Context(), id, "tom", "sold by mistake")
	require.ErrorContains(t, err, "may not cancel it")
	k.reopen(used)
	for range 2 {
		block, err := k.CancelBlock(t.Context(), id, "olga", "sold by mistake")
		require.NoError(t, err)
		require.Zero(t, block.RemainingMS)
		require.NotNil(t, block.CancelledAt)
	}
	k.begin(used, 2)
	k.pass(3 * time.Hour)
	k.close(used, 2, k.minutes("tom", 30))
	require.Equal(t, "240.00", k.owed(), "a cancelled block pays for nothing")
	k.proved()
}

func TestEdge39VoidingTheInvoiceThatSoldAPartlyUsedBlock(t *testing.T) {
	k := newTill(t, blocks)
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{
		OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(550), Currency: "USD",
	})
	require.NoError(t, err)
	id, _ := k.worked("2026-03-18", 90)
	invoice, err := k.Finalise(t.Context(), postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-03-01", By: "olga", Early: true})
	require.NoError(t, err)

	void := postgres.InvoiceVoid{InvoiceDeed: postgres.InvoiceDeed{Invoice: invoice.ID, By: "olga", OperationKey: k.key()}, Reason: "wrong address"}
	_, err = k.Void(t.Context(), void)
	require.ErrorContains(t, err, "of whose 5 h 1.5 h are drawn or reserved")
	k.reopen(id)
	void.OperationKey = k.key()
	_, err = k.Void(t.Context(), void)
	require.NoError(t, err, "nothing of it is used any more")
	k.proved()
}

func TestEdge39ASaleBilledAgainIsStillASale(t *testing.T) {
	renews := replaced(blocks, "charge: block,", `charge: block, block: {renewal: {hours: 10h, price: "1000.00", expires_days: 365}},`)
	k := newTill(t, replaced(renews, `amount_over: "500.00"`, "time_over: 90h"))
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{
		OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(1), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(110), Currency: "USD",
	})
	require.NoError(t, err)
	id, _ := k.worked("2026-03-18", 90) // an hour of one block, half an hour of the next one, which it buys
	march := k.month("2026-03")
	require.Equal(t, "1110.00", march.Total.StringFixed(2))
	k.reopen(id)
	k.void(march)
	k.proved()

	k.begin(id, 2)
	k.pass(3 * time.Hour)
	k.close(id, 2, k.minutes("tom", 30))
	april := k.month("2026-04")
	void := postgres.InvoiceVoid{InvoiceDeed: k.deed(april), Reason: "wrong address"}
	_, err = k.Void(t.Context(), void)
	require.ErrorContains(t, err, "are drawn or reserved", "the lines that sell them are new, the blocks are not")
	k.proved()
}

func TestABlockSoldForLessIsNotTakenBackAtItsPrice(t *testing.T) {
	k := newTill(t, blocks)
	sold := postgres.BlockGrant{OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon, Price: decimal.NewFromInt(550), Currency: "USD", By: "olga"}
	block, err := k.GrantBlock(t.Context(), sold)
	require.NoError(t, err)
	line := k.count("select charge_id from invoice_lines")
	down, err := k.writeDown("olga", line, "500.00")
	require.NoError(t, err)
	require.Equal(t, "500.00", k.owed())
	_, err = k.CancelBlock(t.Context(), block.ID, "olga", "too early")
	require.ErrorContains(t, err, ticket.LineID(down.By)+" took something off its price")
	k.proved()

	note, err := k.creditLines(k.month("2026-03"), line)
	require.NoError(t, err)
	require.Equal(t, "500.00", note.Amount.StringFixed(2))
	k.proved()
}

func TestASoldBlockIsALineOfItsOwn(t *testing.T) {
	k := newTill(t, blocks)
	sold := postgres.BlockGrant{OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon, Price: decimal.NewFromInt(550), Currency: "USD", By: "olga"}
	made, errs := make([]postgres.Block, 5), make([]error, 5)
	many(5, func(i int) { made[i], errs[i] = k.GrantBlock(context.WithoutCancel(t.Context()), sold) })
	require.NoError(t, errors.Join(errs...))
	block := made[0]
	require.Equal(t, "550.00", k.owed(), "one block, one line")
	line := k.count("select charge_id from invoice_lines")
	why, err := k.Why(t.Context(), line)
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(why), "The client bought a block of 5 h on 2026-03-18 for 550.00 USD.")
	elsewhere := sold
	elsewhere.OperationKey, elsewhere.Billed = "before us", true
	_, err = k.GrantBlock(t.Context(), elsewhere)
	require.NoError(t, err)
	require.Equal(t, "550.00", k.owed())
	k.proved()

	for range 2 {
		_, err = k.CancelBlock(t.Context(), block.ID, "olga", "sold by mistake")
		require.NoError(t, err)
		require.Equal(t, "0.00", k.owed(), "its price goes back with it, once")
	}
	k.proved()
}

func TestEdge73HoursAheadOfTheNextBlock(t *testing.T) {
	k := newTill(t, replaced(blocks, "charge: block,", "charge: block, block: {overdraw: 3h},"))
	first, _ := k.worked("2026-03-18", 120)
	require.Equal(t, "0.00", k.owed())
	require.EqualValues(t, 7_200_000, k.count("select value::bigint from counters where key = 'overdrawn/acme-block'"))
	k.grant(5)
	require.Equal(t, "3", k.hoursLeft(), "two hours are paid back")
	require.Zero(t, k.count("select value::bigint from counters where key = 'overdrawn/acme-block'"))
	k.proved()

	k.reopen(first)
	require.Equal(t, "5", k.hoursLeft(), "what was paid back for it comes back to the block")
	require.Zero(t, k.count("select value::bigint from counters where key = 'overdrawn/acme-block'"))
	k.proved()

	k.worked("2026-03-18", 540)
	require.Equal(t, "120.00", k.owed(), "five hours, three ahead, one beyond")
	k.grant(1)
	require.Equal(t, "0", k.hoursLeft(), "the next block pays back what it can")
	require.EqualValues(t, 7_200_000, k.count("select value::bigint from counters where key = 'overdrawn/acme-block'"))
	k.proved()
}

func TestEdge73OneRenewalWhoeverNeedsIt(t *testing.T) {
	k := newTill(t, replaced(replaced(blocks, "charge: block,", `charge: block, block: {renewal: {hours: 10h, price: "1000.00", expires_days: 365}},`), `amount_over: "500.00"`, "time_over: 90m"))
	k.grant(1)
	tickets := make([]ticket.ID, 50)
	for i := range tickets {
		tickets[i] = k.ticket("email")
	}
	many(len(tickets), func(i int) {
		_, err := k.Close(context.WithoutCancel(t.Context()), tickets[i], 1, k.resolve("tom", k.minutes("tom", 12)))
		require.NoError(t, err)
	})
	// Ten hours: one was there, nine of the ten that were bought.
	require.Equal(t, "1000.00", k.owed(), "one block was bought, once")
	require.Equal(t, []string{"bought 10: 1 left, 0 forfeited, 0 rolled over", "bought 1: 0 left, 0 forfeited, 0 rolled over"}, k.stood())
	k.proved()

	k.reopen(tickets[0])
	require.Equal(t, "1000.00", k.owed(), "a block stays bought, whatever becomes of the ticket")
	k.proved()

	t.Run("what was bought and not used goes back with its price", func(t *testing.T) {
		listed, err := k.Blocks(t.Context(), "")
		require.NoError(t, err)
		_, err = k.CancelBlock(t.Context(), listed[0].ID, "olga", "too early")
		require.ErrorContains(t, err, "is partly used")
		for _, id := range tickets[1:] {
			k.reopen(id)
		}
		_, err = k.CancelBlock(t.Context(), listed[0].ID, "olga", "too early")
		require.NoError(t, err)
		require.Equal(t, "0.00", k.owed())
		k.proved()
	})
}

func TestEdge73HeldDrawsOfABlockThatWasJustBought(t *testing.T) {
	k := newTill(t, replaced(replaced(blocks, "charge: block,", `charge: block, block: {renewal: {hours: 10h, price: "1000.00", expires_days: 365}},`), `amount_over: "500.00"`, "time_over: 90m"))
	k.grant(1)
	id, receipt := k.worked("2026-03-18", 120)
	require.Len(t, receipt.Held, 1, "two hours need a word from the client")
	require.Equal(t, "1000.00", k.owed(), "the block is bought all the same: the contract agreed to it")
	require.Equal(t, "9", k.hoursLeft(), "an hour of it is reserved")
	k.proved()
	_, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: receipt.Held[0].Hold, Digest: receipt.Held[0].Digest, Approved: true})
	require.NoError(t, err)
	require.Equal(t, "9", k.hoursLeft())
	k.proved()
	k.reopen(id)
	require.Equal(t, "11", k.hoursLeft())
	require.Equal(t, "1000.00", k.owed())
	k.proved()
}
