package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// friday is when tests begin: 10:00 UTC, 11:00 in Berlin, a Friday.
var friday = time.Date(2026, 3, 6, 10, 0, 0, 0, time.UTC)

// kit is a store over a database of its own, with a clock that stands until it is moved.
type kit struct {
	*Store
	t   testing.TB
	ctx context.Context
	url string // the owner's

	mu    sync.Mutex
	clock time.Time
	keys  int
}

// newKit gives a migrated database with a small desk: clients northwind (all-you-can-eat, office hours) and contoso
// (no contract); ada and bob, technicians; dora, dispatcher; sam, an AI agent that may take nothing by itself; nina and
// vera (approver) of northwind, carl of contoso.
func newKit(t testing.TB) *kit {
	t.Helper()
	k := &kit{t: t, ctx: t.Context(), clock: friday}
	k.url = testenv.Template(t, "desk", func(url string) error {
		ctx := context.Background()
		if _, err := Migrate(ctx, url, "", ""); err != nil {
			return err
		}
		s, err := Open(ctx, url, Options{Now: k.time})
		if err != nil {
			return err
		}
		defer s.Disconnect()
		return furnish(ctx, s)
	})
	var err error
	k.Store, err = Open(k.ctx, k.url, Options{Now: k.time, MaxConns: 20})
	require.NoError(t, err)
	t.Cleanup(k.Disconnect)
	return k
}

func furnish(ctx context.Context, s *Store) (err error) {
	for _, c := range []ticket.Client{
		{ID: "northwind", Name: "Northwind", TimeZone: "Europe/Berlin", Currency: "EUR"},
		{ID: "contoso", Name: "Contoso", TimeZone: "America/New_York", Currency: "USD"},
	} {
		err = errors.Join(err, s.PutClient(ctx, c))
	}
	for _, p := range []Staffing{
		staff("ada", "Ada", "technician"),
		staff("bob", "Bob", "technician"),
		staff("dora", "Dora", "dispatcher"),
		{
			Person:   ticket.Person{ID: "sam", Name: "Sam", Kind: ticket.AI, Roles: []string{"agent"}, WorkRole: "agent"},
			Capacity: 100, TokenCost: decimal.RequireFromString("0.03"),
		},
		{Person: ticket.Person{ID: "nina", Name: "Nina", Kind: ticket.Human, Client: "northwind", Roles: []string{"contact"}}},
		{Person: ticket.Person{ID: "vera", Name: "Vera", Kind: ticket.Human, Client: "northwind", Roles: []string{"approver"}}},
		{Person: ticket.Person{ID: "carl", Name: "Carl", Kind: ticket.Human, Client: "contoso", Roles: []string{"contact"}}},
	} {
		err = errors.Join(err, s.PutPerson(ctx, p))
	}
	office := []sla.Window{{From: 8 * 60, To: 17 * 60}}
	err = errors.Join(err, s.PutCalendar(ctx, "office", sla.Calendar{
		Zone: "Europe/Berlin", Hours: sla.Week{Monday: office, Tuesday: office, Wednesday: office, Thursday: office, Friday: office},
	}))
	_, applied := s.ApplyContract(ctx, []byte(coverAll), "dora", true)
	return errors.Join(err, applied)
}

const coverAll = `
schema: docket.contract/v1
contract: northwind-all
client: northwind
name: All you can eat
effective_from: 2020-01-01
currency: EUR
time_zone: Europe/Berlin
lines:
  - clause: "1"
    name: Everything
    charge: covered
sla:
  calendar: office
  targets:
    1: {response: 15m, resolution: 2h}
    2: {response: 1h, resolution: 8h}
    3: {response: 1h, resolution: 8h}
    4: {response: 2h, resolution: 16h}
    5: {response: 4h, resolution: 40h}
`

func staff(id, name, role string) Staffing {
	return Staffing{
		Person:   ticket.Person{ID: id, Name: name, Kind: ticket.Human, Roles: []string{role}, WorkRole: "engineer", Board: "service"},
		Capacity: 1000, HourlyCost: decimal.RequireFromString("42.50"),
	}
}

func (k *kit) time() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.clock
}

// at moves the clock.
func (k *kit) at(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clock = now
}

// key gives a fresh key.
func (k *kit) key() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys++
	return fmt.Sprintf("key-%d", k.keys)
}

// by heads a message of the person, now.
func (k *kit) by(who string) ticket.Header {
	return ticket.Header{OperationKey: k.key(), Who: who, Via: ticket.ViaCLI, At: k.time()}
}

func (k *kit) opening(client string) ticket.Opening {
	n := k.key()
	return ticket.Opening{
		Client: client, Subject: "Printer jams", Description: "The printer on the second floor jams.", Channel: "mail",
		Source: "mail", ExternalID: "mail-" + n, EventID: "event-" + n, OpenedAt: k.time(),
	}
}

// open opens a ticket and takes it through triage and routing.
func (k *kit) open(client string) ticket.ID {
	k.t.Helper()
	return k.openAs(k.opening(client))
}

func (k *kit) openAs(o ticket.Opening) ticket.ID {
	k.t.Helper()
	opened, err := k.Open(k.ctx, o)
	require.NoError(k.t, err)
	_, err = k.Begin(k.ctx, opened.Ticket, 1)
	require.NoError(k.t, err)
	_, err = k.Triage(k.ctx, opened.Ticket, 1)
	require.NoError(k.t, err)
	_, err = k.Route(k.ctx, opened.Ticket, 1, nil)
	require.NoError(k.t, err)
	return opened.Ticket
}

// work is a quarter of an hour that ended just now.
func (k *kit) work() ticket.WorkEntry {
	const quarter = 15 * time.Minute
	return ticket.WorkEntry{OperationKey: k.key(), WorkType: "remote", StartedAt: k.time().Add(-quarter), MS: quarter.Milliseconds(), Note: "cleared the jam"}
}

// brief is where the ticket stands.
func (k *kit) brief(id ticket.ID) ticket.Brief {
	k.t.Helper()
	b, err := k.Begin(k.ctx, id, 1)
	require.NoError(k.t, err)
	return b
}

// value is the single value of a query, as staff.
func value[V any](k *kit, sql string, args ...any) V {
	k.t.Helper()
	rows, err := k.pool.Query(k.ctx, sql, args...)
	require.NoError(k.t, err)
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[V])
	require.NoError(k.t, err)
	return v
}

// problem is the one Problem that err must be.
func problem(t testing.TB, err error) *ticket.Problem {
	t.Helper()
	problems := ticket.Problems(err)
	require.Len(t, problems, 1, "%v", err)
	return problems[0]
}

// together runs n functions at once and waits for all.
func together(n int, do func(i int)) {
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			do(i)
		})
	}
	done.Wait()
}
