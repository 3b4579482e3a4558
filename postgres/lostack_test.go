package postgres_test

import (
	"bytes"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// Every transaction of a ticket's life loses its answer, at the acknowledgement of its commit or
// anywhere before. Whoever got none repeats the call, and each has had one effect.
func TestLostAcknowledgementsHaveOneEffect(t *testing.T) {
	k := newTill(t, hourly)
	line := newLine(t, k)
	const lives = 16
	sum := 0
	for range lives {
		var (
			opened ticket.Opened
			ctx    = t.Context()
			key    = k.key()
		)
		line.twice(func(s *postgres.Store) (err error) {
			opened, err = s.Open(ctx, ticket.Opening{
				Client: "acme", Subject: "Something with email", Source: "test", ExternalID: key, EventID: key, Category: "email",
				OpenedAt: k.now().Add(-8 * time.Hour),
			})
			return err
		})
		id := opened.Ticket
		line.twice(func(s *postgres.Store) error { _, err := s.Begin(ctx, id, 1); return err })
		line.twice(func(s *postgres.Store) error { _, err := s.Triage(ctx, id, 1); return err })
		line.twice(func(s *postgres.Store) error { _, err := s.Route(ctx, id, 1, nil); return err })
		logged := ticket.Work{Header: k.by("tom"), Entry: k.minutes("tom", 120)}
		line.twice(func(s *postgres.Store) error { _, err := s.Log(ctx, id, logged); return err })

		var receipt billing.Receipt
		m := k.resolve("tom", k.minutes("dora", 120))
		line.twice(func(s *postgres.Store) (err error) { receipt, err = s.Close(ctx, id, 1, m); return err })
		require.Len(t, receipt.Held, 1)

		var settled billing.Settlement
		yes := ticket.SignOff{Header: k.by("ann"), Hold: receipt.Held[0].Hold, Digest: receipt.Held[0].Digest, Approved: true}
		line.twice(func(s *postgres.Store) (err error) { settled, err = s.SignOff(ctx, id, yes); return err })
		require.Equal(t, billing.Settled, settled.Outcome, "the repeated sign-off has the first one's answer")
		sum += 600

		var reopened ticket.Answer
		again := ticket.Reopen{Header: k.by("ann"), Reason: "It is back"}
		line.twice(func(s *postgres.Store) (err error) { reopened, err = s.Reopen(ctx, id, again); return err })
		require.True(t, reopened.Effect)
		require.Equal(t, 2, reopened.Round)
	}
	t.Logf("%d answers lost at the commit, %d before it", line.atCommit, line.before)
	require.Equal(t, deeds*lives/2, line.atCommit, "every second call loses the acknowledgement of its commit")
	require.NotZero(t, line.before)

	require.EqualValues(t, lives, k.count("select count(*) from tickets"))
	require.EqualValues(t, lives, k.count("select count(*) from closures"))
	require.EqualValues(t, 2*lives, k.count("select count(*) from work_entries"))
	require.EqualValues(t, lives, k.count("select count(*) from holds"))
	require.EqualValues(t, sum, k.count("select sum(amount)::bigint from invoice_lines where amount > 0"))
	require.Equal(t, "0.00", k.owed(), "every reopening has undone what was charged")
	for _, kind := range []string{"opened", "triaged", "routed", "work", "closed", "sign-off", "reopen"} {
		require.EqualValues(t, lives, k.count("select count(*) from ticket_events where kind = $1", kind), kind)
	}
	audit, err := k.Audit(t.Context(), nil)
	require.NoError(t, err)
	require.Truef(t, audit.Clean(), "%+v", audit)
	k.proved()
}

// What happens to invoices loses its answers, too.
func TestLostAcknowledgementsOfInvoiceDeedsHaveOneEffect(t *testing.T) {
	k := newTill(t, hourly)
	line := newLine(t, k)
	ctx := t.Context()
	const lives = 8
	for range lives {
		write := k.close(k.ticket("email"), 1, k.minutes("tom", 70)).Posted[0].Line
		down := postgres.LineWriteDown{Line: write, To: "100.00", Reason: "It took too long", By: "olga", OperationKey: k.key()}
		line.twice(func(s *postgres.Store) error { _, err := s.WriteDown(ctx, down); return err })

		var invoice billing.Invoice
		final := postgres.Finalisation{Payer: "acme", Currency: "USD", Period: k.now().Format("2006-01") + "-01", By: "olga", Early: true}
		line.twice(func(s *postgres.Store) (err error) { invoice, err = s.Finalise(ctx, final); return err })
		require.Equal(t, "100.00", invoice.Total.StringFixed(2))
		void := postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice), Reason: "Wrong address"}
		line.twice(func(s *postgres.Store) error { _, err := s.Void(ctx, void); return err })
		k.nextMonth()

		final.Period = k.now().Format("2006-01") + "-01"
		line.twice(func(s *postgres.Store) (err error) { invoice, err = s.Finalise(ctx, final); return err })
		paid := postgres.InvoicePayment{InvoiceDeed: k.deed(invoice), Amount: "80.00"}
		line.twice(func(s *postgres.Store) error { _, err := s.Pay(ctx, paid); return err })
		gives := postgres.CreditNoteDraft{InvoiceDeed: k.deed(invoice), Amount: "50.00", Reason: "Too dear"}
		line.twice(func(s *postgres.Store) error { _, err := s.Credit(ctx, gives); return err })
		require.Equal(t, "30.00", k.inCredit(), "80.00 paid and 50.00 given back of 100.00")

		// The credit pays the next one, by word.
		other := k.ticket("email")
		k.close(other, 1, k.minutes("tom", 60))
		k.nextMonth()
		use := k.use()
		line.twice(func(s *postgres.Store) error { _, err := s.ApplyCredit(ctx, use); return err })
		require.Equal(t, "30.00", k.inCredit(), "nothing is owed yet")
		k.void(k.month(k.now().Format("2006-01")))
		k.nextMonth()
		again := k.month(k.now().Format("2006-01"))
		require.Equal(t, "30.00", again.Receivable.Applied.StringFixed(2))
		k.pay(again, again.Receivable.Owed.String())
		k.nextMonth()
	}
	t.Logf("%d answers lost at the commit, %d before it", line.atCommit, line.before)
	require.NotZero(t, line.atCommit)
	require.NotZero(t, line.before)
	for _, table := range []string{"credit_notes", "payments where received = 80", "invoice_events where kind = 'write-down'", "invoice_events where kind = 'credit-applied'"} {
		require.EqualValues(t, lives, k.count("select count(*) from "+table), table)
	}
	require.EqualValues(t, 2*lives, k.count("select count(*) from invoice_events where kind = 'void'"))
	require.Equal(t, "0.00", k.inCredit())
	k.proved()
}

// deeds is how many calls a life makes.
const deeds = 8

// line is a connection to the database that loses answers.
type line struct {
	t        *testing.T
	store    *postgres.Store
	proxy    *toxiproxy.Proxy
	chance   *rand.Rand
	calls    int
	atCommit int // answers lost there
	before   int
}

func newLine(t *testing.T, k *till) *line {
	t.Helper()
	direct, err := url.Parse(k.url)
	require.NoError(t, err)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &line{t: t, proxy: toxiproxy.NewProxy(server, "postgres", "127.0.0.1:0", direct.Host), chance: rand.New(rand.NewPCG(1, 2))}
	require.NoError(t, l.proxy.Start())
	t.Cleanup(l.proxy.Stop)
	through := *direct
	through.Host = l.proxy.Listen
	l.store = k.open(through.String())
	return l
}

// twice makes the call while its answer is cut, and repeats it on an undisturbed line if it failed.
func (l *line) twice(call func(*postgres.Store) error) {
	l.t.Helper()
	// A connection that was cut right behind an answer is found dead, and dropped, by whoever uses it next.
	if l.store.Ping(l.t.Context()) != nil {
		require.NoError(l.t, l.store.Ping(l.t.Context()), "the line is whole again")
	}
	// Every deed of a life meets both, in turn from life to life.
	atCommit := (l.calls+l.calls/deeds)%2 == 0
	l.calls++
	toxic := `{"name": "cut", "type": "limit_data", "attributes": {"bytes": ` + strconv.Itoa(l.chance.IntN(3000)) + `}}`
	if atCommit {
		toxic = `{"name": "cut", "type": "lose_commit"}`
	}
	_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	require.NoError(l.t, err)
	failed := call(l.store)
	require.NoError(l.t, l.proxy.Toxics.RemoveToxic(l.t.Context(), "cut"))
	if failed == nil {
		require.False(l.t, atCommit, "an acknowledgement that never came cannot have been read")
		return
	}
	require.Empty(l.t, ticket.Problems(failed), "a lost answer is nobody's mistake")
	if atCommit {
		l.atCommit++
	} else {
		l.before++
	}
	require.NoError(l.t, call(l.store))
}

// loseCommit passes answers on up to the acknowledgement of a commit, and cuts the line there.
type loseCommit struct{}

func init() { toxics.Register("lose_commit", new(loseCommit)) }

// Pipe is toxiproxy's contract for one direction of one connection.
func (*loseCommit) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			// CommandComplete of PostgreSQL's protocol: 'C', a length, the command's name.
			if at := bytes.Index(c.Data, []byte("COMMIT\x00")); at >= 0 {
				stub.Output <- &stream.StreamChunk{Data: c.Data[:max(at-5, 0)], Timestamp: c.Timestamp}
				stub.Close()
				return
			}
			stub.Output <- c
		}
	}
}
