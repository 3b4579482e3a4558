package postgres_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// till is a migrated database with one client and whatever contracts a test gives it.
type till struct {
	*postgres.Store
	t     testing.TB
	url   string
	admin *pgxpool.Pool // a superuser: only to look, and to tamper
	clock atomic.Int64
	keys  atomic.Int64
}

// noon is when these tests happen.
var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

const hourly = `
schema: docket.contract/v1
contract: acme-hourly
client: acme
name: Time and materials
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
time: {minimum: 30m, increment: 15m}
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - {clause: "2.1", name: Remote support, charge: time, match: {categories: [email, network]}}
  - {clause: "2.2", name: Password resets, charge: covered, match: {categories: [password-reset]}}
  - {clause: "2.3", name: Onboarding, charge: per-ticket, price: "45.00", included: 1, match: {categories: [onboarding]}}
approval: {clause: "5.1", amount_over: "500.00", approvers: [ann], expires: 72h}
`

const blocks = `
schema: docket.contract/v1
contract: acme-block
client: acme
name: Block of hours
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", work_role: engineer, hourly: "120.00"}
lines:
  - {clause: "4.1", name: Block hours, charge: block, match: {categories: [email, network]}}
approval: {clause: "5.1", amount_over: "500.00", approvers: [ann], expires: 72h}
`

func newTill(t testing.TB, contracts ...string) *till {
	t.Helper()
	url := testenv.Template(t, "money", func(url string) error {
		_, err := postgres.Migrate(context.Background(), url, "", "")
		return err
	})
	return tillIn(t, url, contracts...)
}

// tillIn furnishes a migrated database.
func tillIn(t testing.TB, url string, contracts ...string) *till {
	t.Helper()
	k := &till{t: t, url: url}
	k.clock.Store(noon.UnixNano())
	k.Store = k.open(url)
	admin, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(admin.Close)
	k.admin = admin

	ctx := t.Context()
	for _, id := range []string{"acme", "zenith"} {
		require.NoError(t, k.PutClient(ctx, ticket.Client{ID: id, Name: "Acme", TimeZone: "America/New_York", Currency: "USD", Payer: id}))
	}
	for _, p := range []postgres.Staffing{
		{Person: ticket.Person{ID: "tom", Name: "Tom", Kind: ticket.Human, Roles: []string{"technician"}, WorkRole: "engineer"}, HourlyCost: decimal.NewFromInt(60)},
		{Person: ticket.Person{ID: "bot", Name: "Scripted agent", Kind: ticket.AI, Roles: []string{"agent"}, WorkRole: "agent"}},
		{Person: ticket.Person{ID: "dora", Name: "Dora", Kind: ticket.Human, Roles: []string{"dispatcher"}, WorkRole: "engineer"}},
		{Person: ticket.Person{ID: "olga", Name: "Olga", Kind: ticket.Human, Roles: []string{"owner"}}},
		{Person: ticket.Person{ID: "ben", Name: "Ben", Kind: ticket.Human, Client: "acme", Roles: []string{"approver"}}},
		{Person: ticket.Person{ID: "ann", Name: "Ann", Kind: ticket.Human, Client: "acme", Roles: []string{"approver", "contact"}}, Delegate: "ben"},
		{Person: ticket.Person{ID: "zoe", Name: "Zoe", Kind: ticket.Human, Client: "zenith", Roles: []string{"approver"}}},
	} {
		require.NoError(t, k.PutPerson(ctx, p))
	}
	for _, doc := range contracts {
		_, err := k.ApplyContract(ctx, []byte(doc), "olga", false)
		require.NoError(t, err)
	}
	return k
}

// open connects another store, as another process would.
func (k *till) open(url string) *postgres.Store {
	s, err := postgres.Open(k.t.Context(), url, postgres.Options{Now: k.now, MaxConns: 30})
	require.NoError(k.t, err)
	k.t.Cleanup(s.Disconnect)
	return s
}

func (k *till) now() time.Time { return time.Unix(0, k.clock.Load()).UTC() }

func (k *till) pass(d time.Duration) { k.clock.Add(int64(d)) }

// key gives a new operation key.
func (k *till) key() string { return fmt.Sprintf("key-%d", k.keys.Add(1)) }

func (k *till) by(who string) ticket.Header {
	return ticket.Header{OperationKey: k.key(), Who: who, Via: ticket.ViaCLI, At: k.now()}
}

// ticket opens a ticket and brings it to resolution.
func (k *till) ticket(category string) ticket.ID {
	k.t.Helper()
	id := k.opened(category)
	k.begin(id, 1)
	return id
}

func (k *till) opened(category string) ticket.ID {
	k.t.Helper()
	ctx, key := k.t.Context(), k.key()
	opened, err := k.Open(ctx, ticket.Opening{
		Client: "acme", Subject: "Something with " + category, Source: "test", ExternalID: key, EventID: key, Category: category,
		OpenedAt: k.now().Add(-8 * time.Hour),
	})
	require.NoError(k.t, err)
	return opened.Ticket
}

func (k *till) begin(id ticket.ID, round int) {
	k.t.Helper()
	ctx := k.t.Context()
	_, err := k.Begin(ctx, id, round)
	require.NoError(k.t, err)
	_, err = k.Triage(ctx, id, round)
	require.NoError(k.t, err)
	_, err = k.Route(ctx, id, round, nil)
	require.NoError(k.t, err)
}

// minutes is work of a person that ended an hour ago.
func (k *till) minutes(who string, n int) ticket.WorkEntry {
	d := time.Duration(n) * time.Minute
	return ticket.WorkEntry{OperationKey: k.key(), Actor: who, WorkType: "remote", StartedAt: k.now().Add(-time.Hour - d), MS: d.Milliseconds()}
}

// resolve is a message that closes with the work.
func (k *till) resolve(who string, work ...ticket.WorkEntry) ticket.Resolve {
	return ticket.Resolve{Header: k.by(who), Resolution: "Solved it", Work: work}
}

func (k *till) close(id ticket.ID, round int, work ...ticket.WorkEntry) billing.Receipt {
	k.t.Helper()
	r, err := k.Close(k.t.Context(), id, round, k.resolve("tom", work...))
	require.NoError(k.t, err)
	return r
}

// count runs a query of one number as superuser.
func (k *till) count(query string, args ...any) int64 {
	k.t.Helper()
	var n int64
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), query, args...).Scan(&n))
	return n
}

// owed is what acme's lines add up to.
func (k *till) owed() string {
	k.t.Helper()
	var sum decimal.Decimal
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), "select coalesce(sum(amount), 0) from invoice_lines where client_id = 'acme'").Scan(&sum))
	return sum.StringFixed(2)
}

// hoursLeft is what acme's blocks hold.
func (k *till) hoursLeft() string {
	k.t.Helper()
	var ms int64
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), "select coalesce(sum(remaining_ms), 0)::bigint from blocks").Scan(&ms))
	return decimal.NewFromInt(ms).DivRound(decimal.NewFromInt(3_600_000), 4).String()
}

// proved runs the audit, which must find nothing.
func (k *till) proved() {
	k.t.Helper()
	found, err := k.Audit(k.t.Context(), nil)
	require.NoError(k.t, err)
	require.True(k.t, found.Clean(), "%+v", found)
}

func (k *till) grant(hours int64) {
	k.t.Helper()
	_, err := k.GrantBlock(k.t.Context(), postgres.BlockGrant{
		OperationKey: k.key(), Contract: "acme-block", Hours: decimal.NewFromInt(hours), GrantedAt: noon.AddDate(0, -1, 0), Currency: "USD",
	})
	require.NoError(k.t, err)
}

// day reads a date.
func day(t testing.TB, date string) sla.LocalDate {
	t.Helper()
	d, err := sla.ParseDate(date)
	require.NoError(t, err)
	return d
}
