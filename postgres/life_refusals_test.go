package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// Every mistake about money is answered with what is wrong, what is true now and what to do; and it leaves every table as it was, byte for byte.
func TestWhatCannotBeDoneToAnInvoice(t *testing.T) {
	s := newStage(t)
	for name, c := range map[string]struct {
		do      func(ctx context.Context, on *postgres.Store) error
		problem string
		fix     string
	}{
		"a credit larger than the invoice": {
			func(ctx context.Context, on *postgres.Store) error {
				_, err := on.Credit(ctx, postgres.CreditNoteDraft{InvoiceDeed: head(s.march, "k"), Amount: "163.32", Reason: "Too dear"})
				return err
			}, "amount is more than INV-2026-00003 has left to give back: 163.31 USD of 163.31 USD", "credit at most that",
		},
		"a credit larger than what other notes have left of it": {
			func(ctx context.Context, on *postgres.Store) error {
				_, err := on.Credit(ctx, postgres.CreditNoteDraft{InvoiceDeed: head(s.april, "k"), Amount: "140.00", Reason: "Too dear"})
				return err
			}, "amount is more than INV-2026-00004 has left to give back: 133.31 USD of 163.31 USD", "credit at most that",
		},
		"a payment's key for another payment": {
			func(ctx context.Context, on *postgres.Store) error {
				_, err := on.Pay(ctx, postgres.InvoicePayment{InvoiceDeed: head(s.march, s.paidBy), Amount: "41.00"})
				return err
			}, "operation_key was used for another message", "choose a new key for a new message; repeat a message unchanged",
		},
		"a void of a paid invoice": {
			func(ctx context.Context, on *postgres.Store) error {
				_, err := on.Void(ctx, postgres.InvoiceVoid{InvoiceDeed: head(s.january, "k"), Reason: "Wrong address"})
				return err
			}, "invoice has 163.31 USD of 163.31 USD paid",
			"money that came in stays on it; give the rest back by a credit note: docket invoice credit INV-2026-00001 --amount 163.31 --reason …",
		},
		"a period that is not over": {
			func(ctx context.Context, on *postgres.Store) error {
				_, err := on.Finalise(ctx, postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-05-01", By: "olga"})
				return err
			}, "period is not over until 2026-06-01", "wait, or finalise it early (--early); later work then goes to the next invoice",
		},
		"a month that is not over": {
			func(ctx context.Context, on *postgres.Store) error {
				return on.MayCloseMonth(ctx, billing.MonthClose{Until: "2026-06-01", By: "olga"})
			}, "month is not over anywhere before 2026-06-01", "it can be closed from that day on; `docket month close 2026-05 --dry-run` tells what would be finalised",
		},
		"a tax profile that is missing": {
			func(ctx context.Context, on *postgres.Store) error { return on.TaxClient(ctx, "acme", "XX", "olga") },
			"tax is not known", "apply the profile first: docket tax apply FILE; `docket tax list` shows them",
		},
		"a contract whose tax profile is missing": {
			func(ctx context.Context, on *postgres.Store) error {
				_, err := on.ApplyContract(ctx, []byte(replaced(liveContract, "tax: NY", "tax: XX")), "olga", false)
				return err
			}, "tax is not known", "apply the profile first: docket tax apply FILE; `docket tax list` shows them",
		},
	} {
		t.Run(name, func(t *testing.T) {
			sc := newScene(t, testenv.Copy(t, s.url), s.now())
			err := c.do(t.Context(), sc.open(sc.url))
			require.Equal(t, c.problem, refusal(t, err))
			require.Equal(t, c.fix, ticket.Problems(err)[0].Fix)
			require.Equal(t, sc.before, sc.tables(), "nothing is half done")
		})
	}
}

// The same money told twice under two keys is two payments, for Docket cannot know; so the second answer says that there was one like it.
func TestAPaymentThatLooksLikeAnotherSaysSo(t *testing.T) {
	k := newTill(t, hourly)
	_, invoice := k.billed(60)
	pay := func(amount, on string) string {
		p, err := k.Pay(t.Context(), postgres.InvoicePayment{InvoiceDeed: k.deed(invoice), Amount: amount, On: on})
		require.NoError(t, err)
		return p.Says
	}
	require.Equal(t, "150.00 USD received for INV-2026-00001: paid", pay("150.00", "2026-03-17"))
	require.Equal(t, "150.00 USD received for INV-2026-00001, on which nothing is owed: all of it is acme's credit; P-1 of the same day is as much: "+
		"if it is the same money, take one of them back: docket invoice bounce P-1 --reason …", pay("150.00", "2026-03-17"))
	require.NotContains(t, pay("150.00", "2026-03-18"), "the same day", "another day's money")
	require.NotContains(t, pay("20.00", "2026-03-17"), "as much")
	_, err := k.bounce(1)
	require.NoError(t, err)
	_, err = k.bounce(2)
	require.NoError(t, err)
	require.NotContains(t, pay("150.00", "2026-03-17"), "as much", "what came back is none")
	k.proved()
}

// A month that is closed again finds nothing to do, and gives the numbers that it gave. An invoice that lacks a rate of its tax keeps back no other;
// once it has one, closing again finishes the month.
func TestAMonthIsClosedTwice(t *testing.T) {
	k := newTill(t, hourly)
	const from = "schema: docket.tax/v1\ntax: T\nname: T\nstandard: s\ncategories: [{category: s, code: S, rates: [{percent: 10, valid_from: %s}]}]\n"
	k.tax(replaced(from, "%s", "2026-05-01"))
	require.NoError(t, k.TaxClient(t.Context(), "acme", "T", "olga"))
	k.close(k.ticket("email"), 1, k.minutes("tom", 60))
	k.apply(strings.NewReplacer("acme-fee", "zenith-fee", "client: acme", "client: zenith").Replace(monthlyHundred))
	k.sweep()
	k.nextMonth()
	m := billing.MonthClose{Until: "2026-04-01", By: "olga"}
	closes := func() (said []string) {
		require.NoError(t, k.MayCloseMonth(t.Context(), m))
		over, err := k.OverInvoices(t.Context(), m, billing.OverInvoice{}, 0)
		require.NoError(t, err)
		for _, o := range over {
			done, err := k.FinaliseOver(t.Context(), o, "olga")
			require.NoError(t, err)
			said = append(said, o.Payer+" "+done.Number+done.Refused)
		}
		return said
	}
	first := closes()
	require.Len(t, first, 2)
	require.Contains(t, first[0], "category s of tax profile T has no rate on 2026-04-18: add the rate that was in force then")
	require.Contains(t, first[0], "correct the profile and apply it again: docket tax apply FILE")
	require.Equal(t, "zenith INV-2026-00001", first[1], "what was refused took no number")
	report, err := k.MonthStands(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, 1, report.Finalised[0].Invoices)

	k.tax(replaced(from, "%s", "2026-01-01"))
	require.Equal(t, []string{"acme INV-2026-00002"}, closes())
	require.Empty(t, closes(), "nothing is left to close")
	report, err = k.MonthStands(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, "INV-2026-00001 INV-2026-00002", report.Finalised[0].First+" "+report.Finalised[0].Last)
	require.EqualValues(t, 2, k.count("select last from number_series where series = 'INV-2026'"))
	k.proved()
}
