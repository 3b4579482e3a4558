package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// rush is everything that happens to acme's invoices while a month ends: each thing may be tried by many, under its key.
type rush struct {
	*till
	ctx   context.Context
	deeds []rushed

	done     map[string]int // by name
	refusals map[string]bool
}

type rushed struct {
	name string
	must bool // nothing that happens beside it refuses it
	do   func() (any, error)
}

func (r *rush) add(name string, do func() (any, error)) {
	r.deeds = append(r.deeds, rushed{name, false, do})
}

func (r *rush) must(name string, do func() (any, error)) {
	r.deeds = append(r.deeds, rushed{name, true, do})
}

// goes does all of it at once, everything twice: by two people who press the same button.
func (r *rush) goes(seed uint64) {
	r.t.Helper()
	n := len(r.deeds)
	rand.New(rand.NewPCG(seed, 7)).Shuffle(n, func(i, j int) { r.deeds[i], r.deeds[j] = r.deeds[j], r.deeds[i] }) // goroutines start in about their order
	answers, errs := make([]any, 2*n), make([]error, 2*n)
	many(2*n, func(i int) { answers[i], errs[i] = r.deeds[i%n].do() })
	for i, d := range r.deeds {
		for _, err := range []error{errs[i], errs[i+n]} {
			if err == nil {
				r.done[d.name]++
				continue
			}
			require.NotEmpty(r.t, ticket.Problems(err), "%s: only a sentence is a refusal: %v", d.name, err)
			require.False(r.t, d.must, "%s: %v", d.name, err)
			for _, p := range ticket.Problems(err) {
				require.NotEmpty(r.t, p.Fix, "%v", err)
				r.refusals[d.name+": "+drawnIDs.ReplaceAllString(p.Problem, "$1-n")] = true
			}
		}
		if errs[i] == nil && errs[i+n] == nil && answers[i] != nil {
			require.JSONEq(r.t, written(r.t, answers[i]), written(r.t, answers[i+n]), "%s: one key, one answer", d.name)
		}
	}
}

// voids queues what can happen to an invoice on which nobody pays anything: its void may come first.
func (r *rush) voids(i billing.Invoice) {
	void := postgres.InvoiceVoid{InvoiceDeed: r.deed(i), Reason: "Wrong address"}
	r.add("void", func() (any, error) { return r.Void(r.ctx, void) })
	asks := postgres.LineQuestion{Line: r.linesOn(i)[0], Reason: "Never happened", By: "ann", OperationKey: r.key()}
	r.add("question", func() (any, error) { return r.Question(r.ctx, asks) })
	goes := postgres.InvoiceDispatch{InvoiceDeed: r.deed(i), To: "ap@acme.example"}
	r.add("sending", func() (any, error) { return r.SendInvoice(r.ctx, goes) })
}

// invoice queues all that can happen to a finalised invoice. What was paid on it may bounce.
func (r *rush) invoice(i billing.Invoice, paid ...int64) {
	r.voids(i)
	lines := r.linesOn(i)
	for n, amount := range []string{"35.00", "60.00", "400.00"} {
		pays := postgres.InvoicePayment{InvoiceDeed: r.deed(i), Amount: amount}
		r.must("payment", func() (any, error) { return r.Pay(r.ctx, pays) })
		gives := postgres.CreditNoteDraft{InvoiceDeed: r.deed(i), Amount: []string{"20.00", "45.00", "163.31"}[n], Reason: "Too dear"}
		r.add("credit note", func() (any, error) { return r.Credit(r.ctx, gives) })
		back := postgres.CreditNoteDraft{InvoiceDeed: r.deed(i), Lines: lines[n : n+1], Reason: "Not our work"}
		r.add("credit note of a line", func() (any, error) { return r.Credit(r.ctx, back) })
		asks := postgres.LineQuestion{Line: lines[n], Reason: "Never happened", By: "ben", OperationKey: r.key()}
		r.add("question", func() (any, error) { return r.Question(r.ctx, asks) })
		use := r.use()
		r.must("credit applied", func() (any, error) { return r.ApplyCredit(r.ctx, use) })
		goes := postgres.InvoiceDispatch{InvoiceDeed: r.deed(i), To: fmt.Sprintf("ap%d@acme.example", n)}
		r.add("sending", func() (any, error) { return r.SendInvoice(r.ctx, goes) })
	}
	for _, p := range paid {
		bounce := postgres.PaymentReturn{Payment: p, Reason: "No funds", By: "olga", OperationKey: r.key()}
		r.must("bounce", func() (any, error) { return r.ReturnPayment(r.ctx, bounce) })
	}
	for n, whole := range []bool{true, false} {
		r.add("settlement", func() (any, error) {
			open, err := r.Disputes(r.ctx, postgres.DisputeFilter{State: "open", Invoice: i.ID})
			if err != nil || len(open) <= n {
				return nil, err
			}
			key := "settle-" + ticket.DisputeID(open[n].ID)
			_, err = r.SettleDispute(r.ctx, postgres.DisputeAnswer{Dispute: open[n].ID, Whole: whole, Reason: "Looked at", By: "olga", OperationKey: key})
			return nil, err // whoever looked at the other one tells another answer, or that the key was another's
		})
	}
	r.must("reminders", func() (any, error) { _, err := r.RemindOverdue(r.ctx, 10); return nil, err })
}

// May ends: two hundred tickets close, and three of the desk finalise its invoice, one of them with the batches of the month's closing. Beside
// it happens everything that can happen to the payer's other invoices.
func TestTwoHundredClosingsRaceTheEndOfAMonth(t *testing.T) {
	k := newTill(t)
	k.tax(newYork)
	k.apply(replaced(liveContract, "2026-01-01", "2025-01-01"))
	k.parties()
	r := &rush{till: k, ctx: context.WithoutCancel(t.Context()), done: map[string]int{}, refusals: map[string]bool{}}
	const closings, standing = 200, 6 // lines of May before it all begins
	var reopened []ticket.ID
	months := []string{"2025-12", "2026-01", "2026-02", "2026-03", "2026-04"}
	for _, month := range months {
		k.on(month + "-20")
		for n := range 4 {
			id := k.ticket("email")
			k.close(id, 1, k.minutes("tom", 60))
			if n == 3 {
				reopened = append(reopened, id)
			}
		}
	}
	var invoices []billing.Invoice
	var paid [][]int64
	for n, month := range months {
		i := k.month(month)
		_, err := document.Keep(t.Context(), k, i.ID)
		require.NoError(t, err)
		invoices, paid = append(invoices, i), append(paid, nil)
		for _, amount := range [][]string{{"100.00", "900.00"}, {"40.00"}, {"10.00"}, {}, {}}[n] { // of 900.00 a part is credit, which February will have used
			k.pay(i, amount)
			paid[n] = append(paid[n], k.lastPayment())
		}
	}

	k.on("2026-05-20")
	var lines []int64
	for range standing {
		lines = append(lines, k.close(k.ticket("email"), 1, k.minutes("tom", 30)).Posted[0].Line)
	}
	tickets, resolves := make([]ticket.ID, closings), make([]ticket.Resolve, closings)
	for n := range tickets {
		tickets[n], resolves[n] = k.ticket("email"), k.resolve("tom", k.minutes("tom", 30))
		resolves[n].Work[0].StartedAt = k.now().Add(-time.Duration(n+1) * 31 * time.Minute)
	}
	may, err := k.Invoice(t.Context(), "acme")
	require.NoError(t, err)
	k.on("2026-06-02")

	for n, i := range invoices {
		if len(paid[n]) > 0 {
			r.invoice(i, paid[n]...)
		} else {
			r.voids(i)
		}
		again := ticket.Reopen{Header: k.by("ann"), Reason: "Still broken"}
		r.must("reopening", func() (any, error) { return k.Reopen(r.ctx, reopened[n], again) })
	}
	for n := range 3 {
		review := k.deed(may)
		r.add("review", func() (any, error) { _, err := k.ReviewInvoice(r.ctx, review); return nil, err })
		down := postgres.LineWriteDown{Line: lines[n], To: "50.00", Reason: "Too long", By: "olga", OperationKey: k.key()}
		r.add("write-down", func() (any, error) { return k.WriteDown(r.ctx, down) })
		r.must("finalisation", func() (any, error) { _, err := k.Finalise(r.ctx, mayOf("olga")); return nil, err })
		r.must("month close", func() (any, error) {
			m := billing.MonthClose{Until: "2026-06-01", By: "olga"}
			if err := k.MayCloseMonth(r.ctx, m); err != nil {
				return nil, err
			}
			over, err := k.OverInvoices(r.ctx, m, billing.OverInvoice{}, 0)
			for _, o := range over {
				done, problem := k.FinaliseOver(r.ctx, o, "olga")
				if done.Refused != "" {
					problem = errors.New(done.Refused)
				}
				err = errors.Join(err, problem)
			}
			return nil, err
		})
	}
	for n, id := range tickets {
		r.must("closing", func() (any, error) { return k.Close(r.ctx, id, 1, resolves[n]) })
	}
	r.goes(1)
	r.holds(closings, standing)

	for said := range r.refusals {
		t.Log("refused: " + said)
	}
	var deadlocks int64
	require.NoError(t, k.admin.QueryRow(t.Context(), "select deadlocks from pg_stat_database where datname = current_database()").Scan(&deadlocks))
	t.Logf("done: %v; %d deadlocks were tried again", r.done, deadlocks)
}

func mayOf(by string) postgres.Finalisation {
	return postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-05-01", By: by}
}

// holds says what must hold whoever came first.
func (r *rush) holds(closings, standing int) {
	r.t.Helper()
	for name, n := range map[string]int{"closing": closings, "bounce": 4, "reopening": 5, "finalisation": 3, "month close": 3} {
		require.Equal(r.t, 2*n, r.done[name], name)
	}
	none := func(what, query string) {
		r.t.Helper()
		var found []string
		rows, err := r.admin.Query(r.t.Context(), query)
		require.NoError(r.t, err)
		for rows.Next() {
			var one string
			require.NoError(r.t, rows.Scan(&one))
			found = append(found, one)
		}
		require.NoError(r.t, rows.Err())
		require.Empty(r.t, found, what)
	}
	require.EqualValues(r.t, closings+standing+20, r.count("select count(*) from invoice_lines l join charges c on c.id = l.charge_id where c.kind = 'time'"), "each closing has one line")
	none("a charge on two invoices, or on none", "select c.id::text from charges c left join invoice_lines l on l.charge_id = c.id group by 1 having count(l.charge_id) <> 1")
	none("a line is billed on two invoices that count", `
with recursive base as (
  select c.id as line, c.id, c.adjusts from charges c where c.kind in ('time', 'rebilled')
  union all select b.line, c.id, c.adjusts from base b join charges c on c.id = b.adjusts
)
select b.id::text from base b join invoice_lines l on l.charge_id = b.line join invoice_standing s on s.invoice_id = l.invoice_id
where b.adjusts is null and not s.void group by b.id having count(*) <> 1`)
	none("a number that is missing or was given twice", `
select s.series || ' ' || g from number_series s cross join lateral generate_series(1, s.last) g
where 1 <> (select count(*) from (select number from invoices union all select number from credit_notes) n where n.number = s.series || '-' || lpad(g::text, 5, '0'))`)
	none("a total that is not the sum of its lines", `
select i.number from invoices i where i.state = 'finalised' and (i.total, i.line_count) <> (select sum(l.amount), count(*) from invoice_lines l where l.invoice_id = i.id)`)
	none("an entry that does not balance", "select kind || '/' || source from journal group by kind, source, unit having sum(amount) <> 0")
	none("less than nothing is owed", "select invoice_id::text from invoice_standing where owed < 0 or owed < disputed")
	none("credit that was used twice", `select payer_id from credit_balances b where balance < 0 or balance <> (select sum("left") from credit_left)`)
	half := []string{}
	for kind, table := range map[string]string{
		"payment": "payments", "credit-note": "credit_notes", "review": "invoice_reviews", "sent": "invoice_sendings", "credit-note-sent": "credit_note_sendings",
		"question": "disputes", "payment-returned": "payment_returns",
	} {
		half = append(half, "select e.kind || ' ' || e.id from invoice_events e left join "+table+" x on x.event_id = e.id where e.kind = '"+kind+"' and x.event_id is null")
	}
	none("a deed that is half done", strings.Join(half, " union all "))
	r.proved()
}
