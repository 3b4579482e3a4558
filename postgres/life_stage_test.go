package postgres_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// liveContract has what an invoice lives through: work that bills, blocks of hours that are sold, and two weeks to pay.
const liveContract = `
schema: docket.contract/v1
contract: acme-life
client: acme
name: Everything on an invoice
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
tax: NY
billing: {payment_days: 14}
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - {clause: "2.1", name: Remote support, charge: time, match: {categories: [email]}}
  - {clause: "4.1", name: Block hours, charge: block, block: {unpaid: hold}, match: {categories: [network]}}
`

// stage is acme in June, from which every deed of a test starts. Four invoices are finalised, and May's is open:
// January's was overpaid, twice. February's has used a little of that credit; it is overdue, a line of it is in question, and it sold a block
// of hours, of which nothing is used. March's is partly paid, and April's was paid and then credited a little. So acme has credit of two kinds that
// nothing has used.
type stage struct {
	*till
	january, february, march, april, may billing.Invoice

	work     map[string]ticket.ID // tickets by the month of their work; "email" and "network" are still open
	line     map[string]int64     // of those tickets
	overpaid int64                // January's payment, a part of which is credit that February has used
	again    int64                // another one, which is credit as a whole
	partly   int64                // March's
	paidBy   string               // its operation key
	dispute  int64
	block    int64
	note     int64 // April's credit note
}

// newStage sets it all up once; a test copies its database as often as it likes.
func newStage(t *testing.T) *stage {
	t.Helper()
	k := newTill(t)
	k.tax(newYork)
	k.apply(liveContract)
	k.parties()
	s := &stage{till: k, work: map[string]ticket.ID{}, line: map[string]int64{}}
	works := func(name string, minutes int) {
		s.work[name] = k.ticket("email")
		s.line[name] = k.close(s.work[name], 1, k.minutes("tom", minutes)).Posted[0].Line
	}
	k.on("2026-01-20")
	works("january", 60)
	k.on("2026-02-20")
	works("february", 60)
	works("disputed", 30)
	block, err := k.GrantBlock(t.Context(), postgres.BlockGrant{
		OperationKey: k.key(), Contract: "acme-life", Hours: decimal.NewFromInt(5), GrantedAt: k.now(), Price: decimal.NewFromInt(500), Currency: "USD", By: "olga",
	})
	require.NoError(t, err)
	s.block = block.ID
	k.on("2026-03-20")
	works("march", 60)
	k.on("2026-04-20")
	works("april", 60)
	s.january = k.month("2026-01")
	k.pay(s.january, "183.31")
	s.overpaid = k.lastPayment()
	s.february = k.month("2026-02")
	k.on("2026-05-20")
	s.march, s.april = k.month("2026-03"), k.month("2026-04")
	works("may", 60)
	works("may too", 20)
	s.work["email"], s.work["network"] = k.ticket("email"), k.ticket("network")
	s.may, err = k.Invoice(t.Context(), "acme")
	require.NoError(t, err)

	k.pay(s.january, "80.00")
	s.again = k.lastPayment()
	paid := k.deed(s.march)
	_, err = k.Pay(t.Context(), postgres.InvoicePayment{InvoiceDeed: paid, Amount: "40.00"})
	require.NoError(t, err)
	s.partly, s.paidBy = k.lastPayment(), paid.OperationKey
	k.pay(s.april, "163.31")
	note := k.noted(k.credit(s.april, "30.00"))
	s.note = note.ID
	k.noteFile(note, "pdf")
	s.dispute = k.question(s.february, s.line["disputed"], "ann").ID
	_, err = document.Keep(t.Context(), k, s.february.ID)
	require.NoError(t, err)
	require.Equal(t, "110.00", k.inCredit())
	k.proved()
	k.Disconnect()
	k.admin.Close()
	return s
}

// played is a copy of the stage on which deeds happen, and which can be put back to where it stood before them.
type played struct {
	*postgres.Store
	t      testing.TB
	look   *pgx.Conn
	tables []string
}

func (s *stage) play(t *testing.T) *played {
	t.Helper()
	url := testenv.Copy(t, s.url)
	p := &played{t: t}
	var err error
	p.Store, err = postgres.Open(t.Context(), url, postgres.Options{Now: s.now, MaxConns: 4})
	require.NoError(t, err)
	t.Cleanup(p.Disconnect)
	p.look, err = pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.look.Close(context.WithoutCancel(t.Context())) })

	rows, err := p.look.Query(t.Context(), "select tablename::text from pg_tables where schemaname = 'public' and tablename not like 'goose%' order by 1")
	require.NoError(t, err)
	p.tables, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	b := &pgx.Batch{}
	b.Queue("create schema kept")
	for _, table := range p.tables {
		b.Queue("create table kept." + table + " as table " + table)
	}
	b.Queue("set session_replication_role = replica") // neither triggers nor foreign keys mind what it does
	require.NoError(t, p.look.SendBatch(t.Context(), b).Close())
	return p
}

// rewind puts every row back. Sequences go on: a store may have taken ids ahead.
func (p *played) rewind() {
	p.t.Helper()
	b := &pgx.Batch{}
	for _, table := range p.tables {
		b.Queue("delete from " + table)
		b.Queue("insert into " + table + " overriding system value table kept." + table)
	}
	require.NoError(p.t, p.look.SendBatch(p.t.Context(), b).Close())
}

// stoodBy is where all of acme's money stands, by names that people know: numbers, periods and accounts, never ids of rows, which
// another order gives otherwise.
var stoodBy = []struct{ what, query string }{
	{"invoices", `select format('%s %s %s: payable %s paid %s applied %s credited %s reduced %s owed %s disputed %s, %s lines of %s', i.period_start, i.number, s.state,
  s.payable, s.paid, s.applied, s.credited, s.reduced, s.owed, s.disputed, (select count(*) from invoice_lines l where l.invoice_id = i.id),
  (select trim_scale(sum(l.amount)) from invoice_lines l where l.invoice_id = i.id)) from invoices i join invoice_standing s on s.invoice_id = i.id`},
	{"credit", `select format('%s, in parts %s', trim_scale(b.balance), (select trim_scale(sum("left")) from credit_left)) from credit_balances b`},
	{"credit notes", `select format('%s of %s gives back %s, %s of it owed', n.number, i.number, n.amount, n.reduces) from credit_notes n join invoices i on i.id = n.invoice_id`},
	{"disputes", `select format('%s: %s, %s left', opened_at, state, trim_scale("left")) from dispute_standing`},
	{"journal", `select format('%s %s', account, trim_scale(sum(amount))) from journal group by account, unit having sum(amount) <> 0`},
	{"blocks", `select format('%s ms left, cancelled %s, settled %s', b.remaining_ms, b.cancelled_at is not null,
  (select string_agg(p.paid::text, ', ' order by p.id) from block_payments p where p.block_id = b.id)) from blocks b`},
	{"tickets", `select format('T-%s round %s %s, %s waiting', number, round, stage, (select count(*) from holds h where h.ticket = t.number and h.state = 'open')) from tickets t`},
	{"deeds", `select format('%s %s, of %s', kind, count(*), trim_scale(sum(amount))) from invoice_events group by kind`},
	// Not what they ask for: a sweep is a transaction an invoice, and a payment may come back between two.
	{"reminders", `select format('%s after %s days', i.number, r.after_days) from invoice_reminders r join invoices i on i.id = r.invoice_id`},
	{"exports", `select format('%s has %s', x.format, i.number) from exports x join export_lines x2 on x2.export_id = x.id join invoice_lines l on l.charge_id = x2.charge_id
  join invoices i on i.id = l.invoice_id group by x.format, i.number union all
select format('%s has %s of %s on %s', x.format, v.kind, v.amount, i.number) from exports x join export_events e on e.export_id = x.id
  join invoice_events v on v.id = e.event_id join invoices i on i.id = v.invoice_id`},
	{"series", `select format('%s %s', series, last) from number_series`},
}

// proved lets the audit prove all of it.
func (p *played) proved() {
	p.t.Helper()
	found, err := p.Audit(p.t.Context(), nil)
	require.NoError(p.t, err)
	require.True(p.t, found.Clean(), "%+v", found)
}

// stands tells where all of it stands.
func (p *played) stands() string {
	p.t.Helper()
	b := &pgx.Batch{}
	var told strings.Builder
	for _, s := range stoodBy {
		b.Queue("select coalesce(string_agg(x, E'\\n  ' order by x), '') from (" + s.query + ") as t (x)").QueryRow(func(row pgx.Row) error {
			var rows string
			err := row.Scan(&rows)
			fmt.Fprintf(&told, "%s:\n  %s\n", s.what, rows)
			return err
		})
	}
	require.NoError(p.t, p.look.SendBatch(p.t.Context(), b).Close())
	return told.String()
}

// deadlocks is how often PostgreSQL had to end one.
func (p *played) deadlocks() (n int64) {
	p.t.Helper()
	require.NoError(p.t, p.look.QueryRow(p.t.Context(), "select deadlocks from pg_stat_database where datname = current_database()").Scan(&n))
	return n
}

var drawnIDs = regexp.MustCompile(`\b(L|P|D|draft)-\d+`)

// told is what came of a deed: the sentence of its refusal without the ids that another order gives otherwise. Anything but a
// sentence for people fails the test.
func told(t testing.TB, name string, err error) string {
	t.Helper()
	if err == nil {
		return "done"
	}
	problems := ticket.Problems(err)
	require.NotEmpty(t, problems, "%s: only a refusal is an answer: %v", name, err)
	says := make([]string, len(problems))
	for i, p := range problems {
		require.NotEmpty(t, p.Fix, "%s: what to do then: %v", name, err)
		says[i] = p.Field + " " + p.Problem
	}
	return "refused: " + drawnIDs.ReplaceAllString(strings.Join(says, "; "), "$1-n")
}

// lifeDeed is one of the things that happen to invoices. key makes it this one and no other.
type lifeDeed struct {
	name string
	do   func(ctx context.Context, s *stage, on *postgres.Store, key string) error
}

// header is who does a deed on tickets.
func (s *stage) header(who, key string) ticket.Header {
	return ticket.Header{OperationKey: key, Who: who, Via: ticket.ViaCLI, At: s.now()}
}

func (s *stage) closes(ctx context.Context, on *postgres.Store, category, key string) error {
	entry := ticket.WorkEntry{OperationKey: key + "/work", Actor: "tom", WorkType: "remote", StartedAt: s.now().Add(-2 * time.Hour), MS: time.Hour.Milliseconds()}
	_, err := on.Close(ctx, s.work[category], 1, ticket.Resolve{Header: s.header("tom", key), Resolution: "Solved it", Work: []ticket.WorkEntry{entry}})
	return err
}

func head(i billing.Invoice, key string) postgres.InvoiceDeed {
	return postgres.InvoiceDeed{Invoice: i.ID, By: "olga", OperationKey: key}
}

// lifeDeeds are all of them.
var lifeDeeds = []lifeDeed{
	{"finalise May", func(ctx context.Context, _ *stage, on *postgres.Store, _ string) error {
		_, err := on.Finalise(ctx, postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-05-01", By: "olga", Early: true})
		return err
	}},
	{"review May", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.ReviewInvoice(ctx, head(s.may, key))
		return err
	}},
	{"write down in May", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.WriteDown(ctx, postgres.LineWriteDown{Line: s.line["may"], To: "100.00", Reason: "Too long", By: "olga", OperationKey: key})
		return err
	}},
	{"close a ticket", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		return s.closes(ctx, on, "email", key)
	}},
	{"close a ticket on the block", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		return s.closes(ctx, on, "network", key)
	}},
	{"reopen what May bills", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.Reopen(ctx, s.work["may"], ticket.Reopen{Header: s.header("ann", key), Reason: "Still broken"})
		return err
	}},
	{"reopen what February bills", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.Reopen(ctx, s.work["february"], ticket.Reopen{Header: s.header("ann", key), Reason: "Still broken"})
		return err
	}},
	{"pay a part of February", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.Pay(ctx, postgres.InvoicePayment{InvoiceDeed: head(s.february, key), Amount: "100.00"})
		return err
	}},
	{"pay more than February", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.Pay(ctx, postgres.InvoicePayment{InvoiceDeed: head(s.february, key), Amount: "1000.00"})
		return err
	}},
	{"credit an amount of February", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.Credit(ctx, postgres.CreditNoteDraft{InvoiceDeed: head(s.february, key), Amount: "80.00", Reason: "Too dear"})
		return err
	}},
	{"credit a line of February", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.Credit(ctx, postgres.CreditNoteDraft{InvoiceDeed: head(s.february, key), Lines: []int64{s.line["february"]}, Reason: "Not our work"})
		return err
	}},
	{"void February", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.Void(ctx, postgres.InvoiceVoid{InvoiceDeed: head(s.february, key), Reason: "Wrong address"})
		return err
	}},
	{"void January", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.Void(ctx, postgres.InvoiceVoid{InvoiceDeed: head(s.january, key), Reason: "Wrong address"})
		return err
	}},
	{"January's payment comes back", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.ReturnPayment(ctx, postgres.PaymentReturn{Payment: s.overpaid, Reason: "No funds", By: "olga", OperationKey: key})
		return err
	}},
	{"January's second payment comes back", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.ReturnPayment(ctx, postgres.PaymentReturn{Payment: s.again, Reason: "No funds", By: "olga", OperationKey: key})
		return err
	}},
	{"March's payment comes back", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.ReturnPayment(ctx, postgres.PaymentReturn{Payment: s.partly, Reason: "No funds", By: "olga", OperationKey: key})
		return err
	}},
	{"apply the credit", func(ctx context.Context, _ *stage, on *postgres.Store, key string) error {
		_, err := on.ApplyCredit(ctx, postgres.CreditUse{Payer: "acme", Currency: "USD", By: "olga", OperationKey: key})
		return err
	}},
	{"question a line of February", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.Question(ctx, postgres.LineQuestion{Line: s.line["february"], Reason: "Never happened", By: "ann", OperationKey: key})
		return err
	}},
	{"settle the dispute by a credit note", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.SettleDispute(ctx, postgres.DisputeAnswer{Dispute: s.dispute, Whole: true, Reason: "True", By: "olga", OperationKey: key})
		return err
	}},
	{"settle the dispute: it stands", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.SettleDispute(ctx, postgres.DisputeAnswer{Dispute: s.dispute, Reason: "It was done", By: "olga", OperationKey: key})
		return err
	}},
	{"send February", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.SendInvoice(ctx, postgres.InvoiceDispatch{InvoiceDeed: head(s.february, key), To: "ap@acme.example"})
		return err
	}},
	{"send April's credit note", func(ctx context.Context, s *stage, on *postgres.Store, key string) error {
		_, err := on.SendCreditNote(ctx, postgres.CreditNoteDispatch{Note: s.note, To: "ap@acme.example", By: "olga", OperationKey: key})
		return err
	}},
	{"remind of what is overdue", func(ctx context.Context, _ *stage, on *postgres.Store, _ string) error {
		_, err := on.RemindOverdue(ctx, 10)
		return err
	}},
	{"export", func(ctx context.Context, _ *stage, on *postgres.Store, key string) error {
		_, err := export(ctx, on, "xero", key)
		return err
	}},
	{"take the block back", func(ctx context.Context, s *stage, on *postgres.Store, _ string) error {
		_, err := on.CancelBlock(ctx, s.block, "olga", "Sold by mistake")
		return err
	}},
}
