package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// monthContract has fees in arrears, so that the month's end posts them, and work by the hour.
const monthContract = `
schema: docket.contract/v1
contract: %[1]s
client: %[1]s
name: Managed services of %[1]s
effective_from: %[2]s
currency: USD
time_zone: UTC
tax: bench
billing: {payment_days: 14}
rates: [{clause: R1, hourly: "120.00"}]
lines:
  - {clause: F1, name: Managed workplace, charge: flat, price: "900.00", when: arrears}
  - {clause: F2, name: Backup, charge: flat, price: "149.50", when: arrears}
  - {clause: F3, name: Firewall, charge: flat, price: "79.00", when: arrears}
  - {clause: F4, name: Mail security, charge: flat, price: "63.25", when: arrears}
  - {clause: T1, name: Support, charge: time, time: {increment: 15m}}
`

const monthTax = `
schema: docket.tax/v1
tax: bench
name: Sales tax
standard: standard
categories: [{category: standard, code: S, rates: [{valid_from: 2015-01-01, percent: 8.875}]}]
`

func (b *monthBench) prepare(ctx context.Context) (err error) {
	cluster := b.on.cluster
	if b.admin, err = pgx.Connect(ctx, cluster.SocketURL(cluster.User, "postgres")); err != nil {
		return err
	}
	for _, name := range []string{database, yardstickDatabase} {
		if _, err := b.admin.Exec(ctx, "create database "+name); err != nil {
			return err
		}
	}
	if _, err := postgres.Migrate(ctx, cluster.URL(cluster.User, database), login, cluster.Password); err != nil {
		return err
	}
	if err := b.yardstick().fill(ctx, b.o.Progress); err != nil {
		return err
	}
	if b.look, err = pgxpool.New(ctx, cluster.SocketURL(cluster.User, database)); err != nil {
		return err
	}
	now := b.o.Now().UTC()
	b.begins = time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	inMonth, err := b.open(ctx, b.noon)
	if err != nil {
		return err
	}
	defer inMonth.Disconnect()
	for _, p := range []ticket.Person{
		{ID: monthCloser, Name: "Olga", Kind: ticket.Human, Roles: []string{"owner"}},
	} {
		if err := inMonth.PutPerson(ctx, postgres.Staffing{Person: p, HourlyCost: decimal.NewFromInt(60)}); err != nil {
			return err
		}
	}
	if err := inMonth.SetCompany(ctx, billing.Party{Name: "Harbor IT", Country: "US"}, monthCloser); err != nil {
		return err
	}
	_, err = inMonth.ApplyTax(ctx, []byte(monthTax), monthCloser)
	return err
}

// open gives the store, with a clock.
func (b *monthBench) open(ctx context.Context, now func() time.Time) (*postgres.Store, error) {
	return postgres.Open(ctx, b.on.cluster.SocketURL(login, database), postgres.Options{Now: now, MaxConns: b.o.Conns})
}

// noon is a day in the month.
func (b *monthBench) noon() time.Time { return b.begins.AddDate(0, 0, 9).Add(12 * time.Hour) }

func (b *monthBench) close(ctx context.Context) {
	if b.worker != nil {
		b.worker.Stop()
	}
	if b.store != nil {
		b.store.Disconnect()
	}
	if b.look != nil {
		b.look.Close()
	}
	if b.admin != nil {
		_ = b.admin.Close(context.WithoutCancel(ctx))
	}
}

// house makes clients whose month is over but for its closing: a contract each, and tickets that were closed in the month.
func (b *monthBench) house(ctx context.Context, kind string, clients int) error {
	_, _ = fmt.Fprintf(b.o.Progress, "a month of %d clients, %d lines each …\n", clients, b.o.Lines)
	inMonth, err := b.open(ctx, b.noon)
	if err != nil {
		return err
	}
	defer inMonth.Disconnect()
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(int(b.o.Conns))
	for i := range clients {
		g.Go(func() error { return b.agree(within, inMonth, fmt.Sprintf("%s-%d", kind, i)) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	b.made += clients
	ids, err := b.tickets(ctx, kind, clients)
	if err != nil {
		return err
	}
	g, within = errgroup.WithContext(ctx)
	g.SetLimit(int(b.o.Conns))
	for _, id := range ids {
		g.Go(func() error {
			_, err := inMonth.Close(within, id, 1, ticket.Resolve{
				Header:     ticket.Header{OperationKey: "close/" + string(id), Who: monthCloser, Via: ticket.ViaCLI, At: b.noon().Add(-time.Hour)},
				Resolution: "Solved",
			})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	_, err = b.look.Exec(ctx, settleTables) // what making them left to do is not part of closing
	return err
}

func (b *monthBench) agree(ctx context.Context, inMonth *postgres.Store, client string) error {
	if err := inMonth.PutClient(ctx, ticket.Client{ID: client, Name: client, TimeZone: "UTC", Currency: "USD"}); err != nil {
		return err
	}
	if err := inMonth.SetClientParty(ctx, client, billing.Party{Country: "US"}, monthCloser); err != nil {
		return err
	}
	// Each client has its own technician: nobody works for thousands at once.
	tech := ticket.Person{ID: "tech-" + client, Name: "Technician of " + client, Kind: ticket.Human, Roles: []string{"technician"}, WorkRole: "engineer"}
	if err := inMonth.PutPerson(ctx, postgres.Staffing{Person: tech, HourlyCost: decimal.NewFromInt(60)}); err != nil {
		return err
	}
	_, err := inMonth.ApplyContract(ctx, fmt.Appendf(nil, monthContract, client, b.begins.Format(time.DateOnly)), monthCloser, true)
	return err
}

// tickets makes tickets in resolution, with work of twenty minutes an entry.
func (b *monthBench) tickets(ctx context.Context, kind string, clients int) ([]ticket.ID, error) {
	rows, err := b.look.Query(ctx, `
with made as (
  insert into tickets (client_id, source, external_id, body_digest, subject, description, channel, category, priority, stage,
    begun_round, routed_round, assignee, opened_at)
  select format('%s-%s', $1::text, c), 'bench', format('%s-%s-%s', $1::text, c, n), '', 'Printer jams', '', 'portal', 'email', 3,
    'resolution', 1, 1, format('tech-%s-%s', $1::text, c), $3 from generate_series(0, $2 - 1) as c, generate_series(0, ($4 - 1) / $5) as n
  returning number, client_id, external_id
), work as (
  insert into work_entries (ticket, client_id, round, operation_key, input_digest, actor, kind, work_type, work_role, started_at, ms, cost,
    cost_currency, logged_at, via)
  select number, client_id, 1, 'bench/' || number || '/' || e, '', 'tech-' || client_id, 'human', 'remote', 'engineer', $3 + e * interval '20 minutes', 1200000, 20,
    'USD', $3 + interval '4 hours', 'bench'
  from made, generate_series(0, least($5, $4 - $5 * split_part(external_id, '-', 3)::int) - 1) as e
)
select number from made`, kind, clients, b.noon().Add(-5*time.Hour), b.o.Lines-feesAMonth, workATicket)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ticket.ID, error) {
		var number int64
		err := row.Scan(&number)
		return ticket.NewID(number), err
	})
}
