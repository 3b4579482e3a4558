package postgres_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// soldBlock sells acme five hours for 500.00, whose contract holds what an unpaid block pays, and closes an hour on it.
func (k *till) soldBlock() (postgres.Block, ticket.ID, billing.HeldQuote) {
	k.t.Helper()
	block, err := k.GrantBlock(k.t.Context(), postgres.BlockGrant{
		OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: noon.AddDate(0, 0, -1), Price: decimal.NewFromInt(500), Currency: "USD", By: "olga",
	})
	require.NoError(k.t, err)
	require.True(k.t, block.Unpaid, "its line is on an invoice that nobody has paid")
	id, receipt := k.worked("2026-03-18", 60)
	require.Len(k.t, receipt.Held, 1)
	require.Equal(k.t, billing.BlockUnpaid, receipt.Held[0].Reason)
	require.Contains(k.t, receipt.Held[0].Says, "Bill them once it is, or rule otherwise.")
	return block, id, receipt.Held[0]
}

var holding = replaced(blocks, "charge: block,", "charge: block, block: {unpaid: hold},")

// blockPayments tells which blocks were paid when, and by what: "paid 2026-03-18 by invoice".
func (k *till) blockPayments() []string {
	k.t.Helper()
	rows, err := k.admin.Query(k.t.Context(), `
select case when paid then 'paid ' else 'unpaid ' end || paid_on || case when invoice_id is null then ' by word' else ' by invoice' end from block_payments order by id`)
	require.NoError(k.t, err)
	told := []string{}
	for rows.Next() {
		var one string
		require.NoError(k.t, rows.Scan(&one))
		told = append(told, one)
	}
	require.NoError(k.t, rows.Err())
	return told
}

// unpaid says whether the block that was sold first still waits for its price.
func (k *till) unpaid() bool {
	k.t.Helper()
	listed, err := k.Blocks(k.t.Context(), "acme-block")
	require.NoError(k.t, err)
	return listed[0].Unpaid
}

func TestEdge38PayingTheInvoiceThatSoldABlockPaysTheBlock(t *testing.T) {
	k := newTill(t, holding)
	_, id, held := k.soldBlock()
	march := k.month("2026-03")
	require.True(t, k.unpaid())
	released, err := k.Released(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, released)

	// Part of it is not all of it.
	k.pay(march, "200.00")
	require.True(t, k.unpaid())
	k.pass(48 * time.Hour)
	last := postgres.InvoicePayment{InvoiceDeed: k.deed(march), Amount: "300.00", On: "2026-03-19"}
	for range 2 {
		paid, err := k.Pay(t.Context(), last)
		require.NoError(t, err)
		require.Equal(t, "300.00 USD received for INV-2026-00001: paid; block 1 (5 h) is paid with it", paid.Says)
	}
	require.False(t, k.unpaid())
	require.Equal(t, []string{"paid 2026-03-19 by invoice"}, k.blockPayments(), "once, at the payment's date")
	require.EqualValues(t, 1, k.count("select count(*) from blocks where paid_at = '2026-03-19 00:00 America/New_York'"))
	k.proved()

	// What waited for it may go on, by the word of whoever recorded the payment.
	released, err = k.Released(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []ticket.Release{{Ticket: id, Hold: held.Hold, By: "olga", OperationKey: "block-paid/" + ticket.HoldID(held.Hold)}}, released)
	head := ticket.Header{OperationKey: released[0].OperationKey, Who: "olga", Via: ticket.ViaCLI, At: k.now()}
	settled, err := k.Rule(t.Context(), id, ticket.Rule{Header: head, Hold: held.Hold, Action: ticket.Bill, Reason: "the block is paid"})
	require.NoError(t, err)
	require.Equal(t, billing.Settled, settled.Outcome)
	released, err = k.Released(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, released)
	_, receipt := k.worked("2026-03-18", 60)
	require.Empty(t, receipt.Held, "and nothing more waits for it")
	require.Equal(t, "3", k.hoursLeft())
	k.proved()
}

func TestEdge38WhoMayLetGoWhatWaitedForABlock(t *testing.T) {
	k := newTill(t, holding)
	require.NoError(t, k.PutPerson(t.Context(), postgres.Staffing{Person: ticket.Person{ID: "fay", Name: "Fay", Kind: ticket.Human, Roles: []string{"finance"}}}))
	block, id, held := k.soldBlock()
	rule := func(who string, action ticket.Ruling) billing.Settlement {
		s, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by(who), Hold: held.Hold, Action: action, Reason: "paid"})
		require.NoError(t, err)
		return s
	}
	require.Equal(t, billing.Refused, rule("fay", ticket.Bill).Outcome, "it is not paid yet, and finance does not rule")
	_, err := k.PayBlock(t.Context(), block.ID, "fay")
	require.NoError(t, err)
	require.Equal(t, []string{"paid 2026-03-18 by word"}, k.blockPayments())
	require.Equal(t, billing.Refused, rule("fay", ticket.Cover).Outcome, "nothing but billing it follows from that")
	require.Equal(t, billing.Settled, rule("fay", ticket.Bill).Outcome)
	k.proved()
}

// Nothing is owed any more, by whatever means: then the block is the client's.
func TestEdge38WhateverSettlesTheInvoicePaysTheBlock(t *testing.T) {
	for name, settle := range map[string]func(*till, billing.Invoice){
		"a credit note of the rest": func(k *till, i billing.Invoice) {
			k.pay(i, "450.00")
			require.True(k.t, k.unpaid())
			require.Contains(k.t, k.credit(i, "50.00").Says, "block 1 (5 h) is paid with it")
		},
		"credit that came later": func(k *till, i billing.Invoice) {
			k.pay(i, "400.00")
			_, err := k.GrantBlock(k.t.Context(), postgres.BlockGrant{
				OperationKey: "order-6", Contract: "acme-block", Hours: decimal.NewFromInt(1), GrantedAt: noon.AddDate(0, -1, 0), Price: decimal.NewFromInt(100), Currency: "USD",
			})
			require.NoError(k.t, err)
			k.pay(k.finaliseOf("2026-02-01", false), "200.00") // 100.00 more than owed
			require.True(k.t, k.unpaid())
			use := k.use()
			use.Invoice = i.ID
			used, err := k.ApplyCredit(k.t.Context(), use)
			require.NoError(k.t, err)
			require.Contains(k.t, used.Says, "block 1 (5 h) is paid with it")
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newTill(t, holding)
			k.soldBlock()
			march := k.month("2026-03")
			settle(k, march)
			require.False(t, k.unpaid())
			require.Contains(t, k.blockPayments(), "paid 2026-03-18 by invoice")
			k.proved()
		})
	}
}

func TestEdge38ABlockWhosePriceWentBackIsNotPaid(t *testing.T) {
	for name, credit := range map[string]func(*till, billing.Invoice){
		"by its amount": func(k *till, i billing.Invoice) { k.credit(i, "500.00") },
		"by its line": func(k *till, i billing.Invoice) {
			_, err := k.creditLines(i, k.count("select charge_id from invoice_lines where amount = 500"))
			require.NoError(k.t, err)
		},
		"in two parts": func(k *till, i billing.Invoice) { k.credit(i, "200.00"); k.credit(i, "300.00") },
	} {
		t.Run(name, func(t *testing.T) {
			k := newTill(t, holding)
			k.soldBlock()
			march := k.month("2026-03")
			credit(k, march)
			require.Equal(t, "credited 0.00", k.stands(march))
			require.True(t, k.unpaid(), "nobody has paid for it: what waits stays a person's to rule on")
			require.Empty(t, k.blockPayments())
			k.proved()
		})
	}
}

func TestEdge38CreditThatIsThereWhenTheInvoiceIsFinalised(t *testing.T) {
	k := newTill(t, holding)
	_, err := k.GrantBlock(t.Context(), postgres.BlockGrant{
		OperationKey: "order-6", Contract: "acme-block", Hours: decimal.NewFromInt(1), GrantedAt: noon.AddDate(0, -1, 0), ExpiresAt: noon.AddDate(0, 0, -5), Price: decimal.NewFromInt(100), Currency: "USD",
	})
	require.NoError(t, err)
	february := k.finaliseOf("2026-02-01", false)
	k.pay(february, "700.00") // 600.00 more than owed
	k.soldBlock()
	march := k.month("2026-03")
	require.Equal(t, "paid 0.00", k.stands(march))
	require.Equal(t, []string{"paid 2026-03-18 by invoice", "paid 2026-03-18 by invoice"}, k.blockPayments())
	k.proved()

	// Voided, its credit returns: the block is unpaid until the line that bills it again is.
	id := ticket.NewID(k.count("select max(number) from tickets"))
	k.reopen(id)
	k.void(march)
	require.Equal(t, "unpaid 2026-03-18 by invoice", k.blockPayments()[2])
	require.EqualValues(t, 1, k.count("select count(*) from blocks where sold_unpaid and paid_at is null"))
	k.proved()
	april := k.month("2026-04")
	require.Equal(t, "paid 0.00", k.stands(april))
	require.Zero(t, k.count("select count(*) from blocks where sold_unpaid and paid_at is null"))
	k.proved()
}

// A block that a closing bought is sold by a line of that closing: its invoice pays it, too.
func TestEdge38ANextBlockThatIsBoughtByItself(t *testing.T) {
	k := newTill(t, replaced(replaced(blocks, "charge: block,", `charge: block, block: {unpaid: hold, renewal: {hours: 10h, price: "1000.00", expires_days: 365}},`), `amount_over: "500.00"`, "time_over: 90h"))
	k.grant(1)
	id, receipt := k.worked("2026-03-18", 90)
	require.Len(t, receipt.Held, 1, "half an hour of a block that nobody has paid")
	require.Equal(t, billing.BlockUnpaid, receipt.Held[0].Reason)
	march := k.month("2026-03")
	require.Equal(t, "1000.00", march.Total.StringFixed(2))
	require.Contains(t, k.pay(march, "1000.00").Says, "block 2 (10 h) is paid with it")
	released, err := k.Released(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, released, 1)
	require.Equal(t, id, released[0].Ticket)
	k.proved()

	// Reopened, nothing waits any more, and the block stays paid.
	k.reopen(id)
	released, err = k.Released(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, released)
	require.Zero(t, k.count("select count(*) from blocks where sold_unpaid and paid_at is null"))
	k.proved()
}
