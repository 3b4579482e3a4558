package postgres_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// deadly is one deed whose process dies at each of its points. set prepares everything, and gives the deed, which
// a caller repeats as it is until it succeeds.
type deadly struct {
	name      string
	contracts []string
	set       func(k *till) (deed func(context.Context, *postgres.Store) error)
}

// deadlyDeeds are those of a ticket's way and of the books. A new deed is one more row, here or in the table of its kind.
var deadlyDeeds = []deadly{
	{"open", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		o := ticket.Opening{Client: "acme", Subject: "Mail", Source: "test", ExternalID: "m-1", EventID: "e-1", Contact: "ann", OpenedAt: k.now()}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Open(ctx, o); return err }
	}},
	{"begin", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.opened("email")
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Begin(ctx, id, 1); return err }
	}},
	{"triage", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.opened("email")
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Triage(ctx, id, 1); return err }
	}},
	{"route", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.opened("email")
		_, err := k.Triage(k.t.Context(), id, 1)
		require.NoError(k.t, err)
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Route(ctx, id, 1, nil); return err }
	}},
	{"claim", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), ticket.Claim{Header: k.by("tom")}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Claim(ctx, id, m); return err }
	}},
	{"work", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), ticket.Work{Header: k.by("tom"), Entry: k.minutes("tom", 60)}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Log(ctx, id, m); return err }
	}},
	{"item", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), ticket.Material{Header: k.by("tom"), Kind: ticket.Part, Text: "SSD", Cost: "80.00"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.AddItem(ctx, id, m); return err }
	}},
	{"comment", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, key, at := k.ticket("email"), k.key(), k.now()
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.AddComment(ctx, id, key, "ann", "Any news?", true, at)
			return err
		}
	}},
	{"wait", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), ticket.Wait{Header: k.by("tom"), Reason: "customer"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Wait(ctx, id, m); return err }
	}},
	{"resume", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		_, err := k.Wait(k.t.Context(), id, ticket.Wait{Header: k.by("tom"), Reason: "customer"})
		require.NoError(k.t, err)
		m := ticket.Resume{Header: k.by("tom")}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Resume(ctx, id, m); return err }
	}},
	{"escalate", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), ticket.Escalate{Header: k.by("tom"), To: "dora", Reason: "needs hands"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Escalate(ctx, id, m); return err }
	}},
	{"reply that reopens", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		k.close(id, 1, k.minutes("tom", 60))
		h := k.by("ann")
		row, err := k.AddComment(k.t.Context(), id, h.OperationKey, "ann", "It is still slow", true, h.At)
		require.NoError(k.t, err)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Reply(ctx, id, ticket.Reply{Header: h, Comment: row})
			return err
		}
	}},
	{"request-approval", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), ticket.RequestApproval{Header: k.by("tom"), Action: "Replace the switch", Amount: "900.00", Currency: "USD"}
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.RequestApproval(ctx, id, m)
			return err
		}
	}},
	{"close and post", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), k.resolve("tom", k.minutes("tom", 60), k.minutes("dora", 30))
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Close(ctx, id, 1, m); return err }
	}},
	{"close and hold", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), k.resolve("tom", k.minutes("tom", 240))
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Close(ctx, id, 1, m); return err }
	}},
	{"close and draw", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		k.grant(1)
		id, m := k.ticket("network"), k.resolve("tom", k.minutes("tom", 90))
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Close(ctx, id, 1, m); return err }
	}},
	{"sign-off of an approval asked before", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		q, err := k.RequestApproval(k.t.Context(), id, ticket.RequestApproval{Header: k.by("tom"), Action: "Replace the switch", Amount: "900.00", Currency: "USD"})
		require.NoError(k.t, err)
		m := ticket.SignOff{Header: k.by("ann"), Hold: q.Hold, Digest: q.Digest, Approved: true}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SignOff(ctx, id, m); return err }
	}},
	{"sign-off", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.heldOnBlock()
		m := ticket.SignOff{Header: k.by("ann"), Hold: q.Hold, Digest: q.Digest, Approved: true}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SignOff(ctx, id, m); return err }
	}},
	{"decline", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.heldOnBlock()
		m := ticket.SignOff{Header: k.by("ann"), Hold: q.Hold, Digest: q.Digest, Reason: "too much"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.SignOff(ctx, id, m); return err }
	}},
	{"rule to bill", one(blocks), ruled(ticket.Bill)},
	{"rule to cover", one(blocks), ruled(ticket.Cover)},
	{"rule to write off", one(blocks), ruled(ticket.WriteOff)},
	{"rule to rework", one(blocks), ruled(ticket.Rework)},
	{"overdue", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		q := k.close(id, 1, k.minutes("tom", 240)).Held[0]
		k.pass(73 * time.Hour)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Overdue(ctx, id, q.Hold, 0)
			return err
		}
	}},
	{"remind", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		q := k.close(id, 1, k.minutes("tom", 240)).Held[0]
		k.pass(10 * time.Hour)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Remind(ctx, id, q.Hold, 0, 1)
			return err
		}
	}},
	{"breach", one(hourly + promised), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Breach(ctx, id, 1, "resolution")
			return err
		}
	}},
	{"late", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, h := k.ticket("email"), k.by("somebody")
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Late(ctx, id, ticket.MsgWait, h, "")
			return err
		}
	}},
	{"reopen", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		k.grant(1)
		id := k.ticket("network")
		k.close(id, 1, k.minutes("tom", 90))
		m := ticket.Reopen{Header: k.by("ann"), Reason: "It is back"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Reopen(ctx, id, m); return err }
	}},
	{"reopen what is held", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		id, _ := k.heldOnBlock()
		m := ticket.Reopen{Header: k.by("ann"), Reason: "It is back"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Reopen(ctx, id, m); return err }
	}},
	{"merge", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, into := k.ticket("email"), k.ticket("email")
		k.logged(id, "tom", 60)
		m := ticket.Merge{Header: k.by("dora"), Into: into}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Merge(ctx, id, m); return err }
	}},
	{"unmerge", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, into := k.ticket("email"), k.ticket("email")
		k.logged(id, "tom", 60)
		k.merge(id, into)
		m := ticket.Unmerge{Header: k.by("dora"), Reason: "two printers"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Unmerge(ctx, id, m); return err }
	}},
	{"split", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		m := ticket.SplitOff{Header: k.by("dora"), Subject: "Another mailbox", Work: []int64{k.logged(id, "tom", 60)}}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Split(ctx, id, m); return err }
	}},
	{"cancel", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id, m := k.ticket("email"), ticket.Cancel{Header: k.by("ann"), Reason: "it works again"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Cancel(ctx, id, m); return err }
	}},
	{"move", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		k.logged(id, "tom", 60)
		m := ticket.Move{Header: k.by("dora"), Client: "zenith", Reason: "a mail from the wrong domain"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Move(ctx, id, m); return err }
	}},
	{"period opens", one(managed), func(k *till) func(context.Context, *postgres.Store) error { return k.dueRun(billing.Opening) }},
	{"period opens ahead of the disk", one(managed), func(k *till) func(context.Context, *postgres.Store) error {
		run := k.nextRun(billing.Opening)
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.RunPeriodAhead(ctx, run); return err }
	}},
	{"period closes", one(managed), func(k *till) func(context.Context, *postgres.Store) error {
		k.devices("workstation", "2026-03-10", 7)
		k.sweep()
		k.nextMonth()
		return k.dueRun(billing.Closing)
	}},
	{"late work of a closed period", one(managed), func(k *till) func(context.Context, *postgres.Store) error {
		id := k.ticket("email")
		work := k.minutes("tom", 60)
		k.sweep()
		k.nextMonth()
		k.sweep()
		m := k.resolve("tom", work)
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Close(ctx, id, 1, m); return err }
	}},
	{"sale of a block", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		g := postgres.BlockGrant{
			OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: k.now().AddDate(0, 0, -1), Price: decimal.NewFromInt(550), Currency: "USD",
		}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.GrantBlock(ctx, g); return err }
	}},
	{"payment of a block", one(blocks), func(k *till) func(context.Context, *postgres.Store) error {
		block, err := k.GrantBlock(k.t.Context(), postgres.BlockGrant{
			OperationKey: "order-7", Contract: "acme-block", Hours: decimal.NewFromInt(5), GrantedAt: k.now().AddDate(0, 0, -1), Price: decimal.NewFromInt(550), Currency: "USD", Unpaid: true,
		})
		require.NoError(k.t, err)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.PayBlock(ctx, block.ID, "olga")
			return err
		}
	}},
	{"usage", one(strings.Replace(hourly, "approval:", mailboxes+"approval:", 1)), func(k *till) func(context.Context, *postgres.Store) error {
		e := postgres.UsageEvent{OperationKey: "u-1", Client: "acme", Event: "mailbox", Quantity: decimal.NewFromInt(3), On: "2026-03-17", Who: "tom"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.RecordUsage(ctx, e); return err }
	}},
	{"finalise", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.close(k.ticket("email"), 1, k.minutes("tom", 60))
		f := postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-03-01", By: "olga", Early: true}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Finalise(ctx, f); return err }
	}},
	{"void", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		v := postgres.InvoiceVoid{InvoiceDeed: k.deed(invoice), Reason: "Wrong address"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Void(ctx, v); return err }
	}},
	{"pay", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		p := postgres.InvoicePayment{InvoiceDeed: k.deed(invoice), Amount: "80.00"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Pay(ctx, p); return err }
	}},
	{"credit note", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		_, invoice := k.billed(60)
		n := postgres.CreditNoteDraft{InvoiceDeed: k.deed(invoice), Amount: "50.00", Reason: "Too dear"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.Credit(ctx, n); return err }
	}},
	{"write-down", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		line := k.close(k.ticket("email"), 1, k.minutes("tom", 60)).Posted[0].Line
		w := postgres.LineWriteDown{Line: line, To: "100.00", Reason: "It took too long", By: "olga", OperationKey: k.key()}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.WriteDown(ctx, w); return err }
	}},
}

// partly are the deeds of several transactions: a death leaves the first of them whole, and a repetition makes the others.
var partly = map[string]bool{
	"reminders": true, "blocks end": true, "bought blocks expire": true, "a count that bills what was added": true,
}

// onlyOnce are the deeds that refuse a repetition, with what is true then.
var onlyOnce = map[string]string{"a person who is new": "is there already"}

const mailboxes = "  - {clause: \"2.9\", name: Mailboxes, charge: usage, usage: {event: mailbox, model: unit, price: \"4.00\"}}\n"

const promised = `
sla:
  calendar: 24x7
  targets:
    1: {response: 1h, resolution: 1h}
    2: {response: 1h, resolution: 1h}
    3: {response: 1h, resolution: 1h}
    4: {response: 1h, resolution: 1h}
    5: {response: 1h, resolution: 1h}
`

func one(contracts ...string) []string { return contracts }

// heldOnBlock is a ticket of six hours, one of them from the block, that waits for the client.
func (k *till) heldOnBlock() (ticket.ID, billing.HeldQuote) {
	k.t.Helper()
	k.grant(1)
	id := k.ticket("network")
	return id, k.close(id, 1, k.minutes("tom", 360)).Held[0]
}

// ruled declines what is held, and rules on it so.
func ruled(action ticket.Ruling) func(k *till) func(context.Context, *postgres.Store) error {
	return func(k *till) func(context.Context, *postgres.Store) error {
		id, q := k.declined()
		return k.ruling(id, q, action, ticket.RuleTerms{})
	}
}

// dueRun makes the first run of the kind that is due.
func (k *till) dueRun(kind billing.PeriodRun) func(context.Context, *postgres.Store) error {
	k.t.Helper()
	run := k.nextRun(kind)
	return func(ctx context.Context, s *postgres.Store) error { _, err := s.RunPeriod(ctx, run, ""); return err }
}

func (k *till) nextRun(kind billing.PeriodRun) billing.DueRun {
	k.t.Helper()
	due, err := k.PeriodsDue(k.t.Context(), billing.DueFilter{})
	require.NoError(k.t, err)
	i := slices.IndexFunc(due, func(run billing.DueRun) bool { return run.Run == kind })
	require.GreaterOrEqual(k.t, i, 0, "no run is due")
	return due[i]
}

// The process dies before each statement of each deed, and before it hears of each round trip, the commit's among
// them. What it leaves is, byte for byte, what every table held before, or what every table holds where nobody died;
// and whoever repeats the deed on another connection comes to the latter. The points are counted on an undisturbed
// run, so that a deed that learns another step is tested there too.
func TestEdge05TheProcessDiesAtEachStepOfEachDeed(t *testing.T) {
	var deaths atomic.Int64
	deeds := slices.Concat(deadlyDeeds, deadlyRulings, deadlyClocks, deadlyBooks, deadlyInvoices, deadlyPeriods, deadlyHouse)
	t.Cleanup(func() { t.Logf("%d deeds died %d deaths", len(deeds), deaths.Load()) })
	for _, d := range deeds {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel() // most of a death is waiting for the server to notice it
			deaths.Add(int64(d.dies(t)))
		})
	}
}

func (d deadly) dies(t *testing.T) (deaths int) {
	t.Helper()
	k := newTill(t, d.contracts...)
	deed, clock := d.set(k), k.now()
	k.Disconnect()
	k.admin.Close()
	var want map[string]string
	for at := k.url; at != ""; {
		n := 0
		n, at = d.diesAt(t, at, clock, deed, &want)
		deaths += n
	}
	return deaths
}

// diesAt dies its deaths from what a database holds, and says how many. Where one leaves the first of several
// transactions, it gives a database that holds just that: the deaths of the others are those of whoever goes on there.
func (d deadly) diesAt(t *testing.T, url string, clock time.Time, deed func(context.Context, *postgres.Store) error, end *map[string]string) (n int, next string) {
	t.Helper()
	ctx := t.Context()
	fresh := func() *scene { return newScene(t, testenv.Copy(t, url), clock) }

	sc := fresh()
	w, s := sc.wired()
	w.arm(point{})
	alone, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	require.NoError(t, deed(alone, s))
	statements, trips := w.passed()
	before, want := sc.before, sc.tables()
	if *end == nil {
		*end = want
	}
	require.True(t, maps.Equal(*end, want), "whoever goes on comes to the same")
	require.False(t, maps.Equal(before, want), "the deed has an effect")
	d.repeated(t, deed(ctx, s))
	require.Equal(t, want, sc.tables(), "and one alone")

	repeated := func(at point) {
		d.repeated(t, deed(ctx, sc.open(sc.url)))
		require.Equal(t, want, sc.tables(), "repeated after a death %s", at)
	}
	sc = fresh()
	var part map[string]string
	committed := 0
	dies := func(at point, last bool) (goesOn bool) {
		w, s := sc.wired()
		w.arm(at)
		died := deed(ctx, s)
		require.Error(t, died, "it dies %s", at)
		require.Empty(t, ticket.Problems(died), "a death is nobody's mistake")
		s.Disconnect()
		sc.alone()
		n++
		left := sc.tables()
		switch {
		case maps.Equal(before, left):
			sc.giveBack()
			if !last { // what was left is the same each time, so that repeating it once shows it for all
				return true
			}
			repeated(at)
		case partly[d.name] && !maps.Equal(want, left):
			if part == nil {
				sc.giveBack()
				require.NoError(t, sc.look.Close(ctx))
				part, next = left, sc.url
			}
			require.Equal(t, part, left, "one transaction or none, after a death %s", at)
			sc = fresh()
			return false
		default:
			committed++
			require.Equal(t, want, left, "all of it or nothing, after a death %s", at)
			repeated(at)
		}
		sc = fresh()
		return true
	}
	for i := 1; i <= statements && dies(point{statement: i}, i == statements); i++ {
	}
	for i := 1; i <= trips && dies(point{trip: i}, false); i++ {
	}
	require.True(t, committed > 0 || next != "", "one death came after the commit and before its acknowledgement")
	return n, next
}

// repeated is what whoever repeats a deed hears.
func (d deadly) repeated(t *testing.T, err error) {
	t.Helper()
	if says := onlyOnce[d.name]; says != "" && err != nil {
		require.NotEmpty(t, ticket.Problems(err))
		require.ErrorContains(t, err, says)
		return
	}
	require.NoError(t, err)
}

func (p point) String() string {
	if p.statement > 0 {
		return fmt.Sprintf("before statement %d", p.statement)
	}
	return fmt.Sprintf("before the answer to round trip %d", p.trip)
}

// scene is a database as a deed finds it.
type scene struct {
	*till
	look   *pgx.Conn // a superuser's
	before map[string]string
	stand  []sequence
}

func newScene(t *testing.T, url string, clock time.Time) *scene {
	t.Helper()
	sc := &scene{till: &till{t: t, url: url}}
	sc.clock.Store(clock.UnixNano())
	var err error
	sc.look, err = pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = sc.look.Close(context.WithoutCancel(t.Context())) })
	sc.before = sc.tables()
	rows, err := sc.look.Query(t.Context(), `
select s.sequencename, coalesce(s.last_value, 0), coalesce(c.relname, ''), coalesce(a.attname, '') from pg_sequences s
left join pg_depend d on d.objid = s.sequencename::regclass and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
left join pg_class c on c.oid = d.refobjid left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
where s.schemaname = 'public'`)
	require.NoError(t, err)
	sc.stand, err = pgx.CollectRows(rows, pgx.RowToStructByPos[sequence])
	require.NoError(t, err)
	return sc
}

// wired is a process that can die. It has one connection: a deed that waits for a second one while it holds a lock would
// wait for ever where others that wait for the lock have them all, and does so here.
func (sc *scene) wired() (*wire, *postgres.Store) {
	sc.t.Helper()
	w := newWire(sc.t, sc.url)
	s, err := postgres.Open(sc.t.Context(), w.URL, postgres.Options{Now: sc.now, MaxConns: 1})
	require.NoError(sc.t, err)
	sc.t.Cleanup(s.Disconnect)
	return w, s
}

// tables is what every table holds.
func (sc *scene) tables() map[string]string {
	sc.t.Helper()
	ctx := sc.t.Context()
	rows, err := sc.look.Query(ctx, "select tablename::text from pg_tables where schemaname = 'public' and tablename not like 'goose%' order by 1")
	require.NoError(sc.t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(sc.t, err)
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("select '%s', coalesce(string_agg(r::text, E'\\n' order by r::text), '') from %s r", name, pgx.Identifier{name}.Sanitize()))
	}
	rows, err = sc.look.Query(ctx, strings.Join(parts, " union all "))
	require.NoError(sc.t, err)
	held := map[string]string{}
	var name, content string
	_, err = pgx.ForEachRow(rows, []any{&name, &content}, func() error { held[name] = content; return nil })
	require.NoError(sc.t, err)
	return held
}

// sequence is where a sequence stands, and the column that it numbers, if it is of one.
type sequence struct {
	Name   string
	Last   int64 // 0: it has given none
	Table  string
	Column string
}

// giveBack puts the sequences back to where they stood, or to what has been kept since: numbers that nobody used are gaps,
// which are no difference.
func (sc *scene) giveBack() {
	sc.t.Helper()
	b := &pgx.Batch{}
	for _, q := range sc.stand {
		kept := "0"
		if q.Table != "" {
			kept = fmt.Sprintf("(select coalesce(max(%s), 0) from %s)", pgx.Identifier{q.Column}.Sanitize(), pgx.Identifier{q.Table}.Sanitize())
		}
		b.Queue("select setval($1::text::regclass, case n when 0 then start_value else n end, n > 0) from pg_sequences, greatest($2::bigint, "+kept+") n where sequencename = $1::text", q.Name, q.Last)
	}
	require.NoError(sc.t, sc.look.SendBatch(sc.t.Context(), b).Close())
}

// alone waits until the server has noticed that the process is gone.
func (sc *scene) alone() {
	sc.t.Helper()
	require.Eventually(sc.t, func() bool {
		var others int
		err := sc.look.QueryRow(sc.t.Context(), "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'docket'").Scan(&others)
		return err == nil && others == 0
	}, 20*time.Second, 2*time.Millisecond)
}
