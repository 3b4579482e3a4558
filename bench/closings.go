// Package bench owns measuring Docket against a yardstick that runs beside it, in the same run
// and on the same machine: figures are ratios, since machines differ and are never quiet.
// It does not own what is fast enough: issues and readers say that.
package bench

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/internal/pgdev"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// ClosingOptions of Closings.
type ClosingOptions struct {
	Now         func() time.Time
	Connections int           // of pgbench and of Docket alike
	Phase       time.Duration // how long each side runs, a round
	Rounds      int           // how often the sides take turns
	Scale       int           // pgbench's
	Progress    io.Writer
}

// ClosingResult is transactions a second of each side, round by round, and the medians of the
// ratios within a round.
type ClosingResult struct {
	Connections int       `json:"connections"`
	PhaseMS     int64     `json:"phase_ms"`
	Scale       int       `json:"pgbench_scale"`
	TPCB        []float64 `json:"pgbench_tpcb_per_s"`
	Spread      []float64 `json:"closings_spread_clients_per_s"`
	Busy        []float64 `json:"closings_one_busy_client_per_s"`
	Block       []float64 `json:"closings_one_block_of_hours_per_s"`
	SpreadTPCB  float64   `json:"spread_to_tpcb"`
	BusySpread  float64   `json:"busy_to_spread"`
	BlockSpread float64   `json:"block_to_spread"`
	Audited     int       `json:"audited_closures"` // all of them, with their rows, by one audit at the end
	AuditPerS   float64   `json:"audit_per_s"`
}

// spreadClients is how many clients the spread closings are over.
const spreadClients = 200

// Closings closes tickets as the staff role, with every commit on disk, in turn with pgbench's
// TPC-B on the same cluster: over many clients, for one busy client, and on one block of hours.
func Closings(ctx context.Context, o ClosingOptions) (ClosingResult, error) {
	r := ClosingResult{Connections: o.Connections, PhaseMS: o.Phase.Milliseconds(), Scale: o.Scale}
	cluster, err := pgdev.Start(ctx, pgdev.Options{Durable: true, Settings: roomy})
	if err != nil {
		return r, err
	}
	defer func() { _ = cluster.Stop(context.WithoutCancel(ctx)) }()
	b := closingBench{o: o, cluster: cluster}
	if err := b.prepare(ctx); err != nil {
		return r, err
	}
	defer b.store.Disconnect()
	sides := []struct {
		name string
		into *[]float64
		run  func() (float64, error)
	}{
		{"pgbench TPC-B", &r.TPCB, func() (float64, error) { return b.tpcb(ctx) }},
		{"closings, spread clients", &r.Spread, func() (float64, error) { return b.closings(ctx, "spread") }},
		{"closings, one busy client", &r.Busy, func() (float64, error) { return b.closings(ctx, "busy") }},
		{"closings, one block of hours", &r.Block, func() (float64, error) { return b.closings(ctx, "block") }},
	}
	for round := range o.Rounds {
		for _, side := range sides {
			perSecond, err := side.run()
			if err != nil {
				return r, fmt.Errorf("%s: %w", side.name, err)
			}
			*side.into = append(*side.into, perSecond)
			_, _ = fmt.Fprintf(o.Progress, "round %d of %d: %-30s %8.0f /s\n", round+1, o.Rounds, side.name, perSecond)
		}
	}
	r.SpreadTPCB, r.BusySpread, r.BlockSpread = medianRatio(r.Spread, r.TPCB), medianRatio(r.Busy, r.Spread), medianRatio(r.Block, r.Spread)
	return r, b.audit(ctx, &r)
}

// audit proves everything that was closed: a figure over books that do not hold would be worth nothing.
func (b *closingBench) audit(ctx context.Context, r *ClosingResult) error {
	began := b.o.Now()
	found, err := b.store.Audit(ctx, nil)
	if err != nil {
		return err
	}
	if !found.Clean() {
		return fmt.Errorf("the books do not hold after %d closures: %+v", found.Closures, found)
	}
	r.Audited, r.AuditPerS = found.Closures, float64(found.Closures)/b.o.Now().Sub(began).Seconds()
	_, _ = fmt.Fprintf(b.o.Progress, "audit of %d closures with their rows: %8.0f /s\n", r.Audited, r.AuditPerS)
	return nil
}

type closingBench struct {
	o       ClosingOptions
	cluster *pgdev.Cluster
	admin   *pgxpool.Pool
	store   *postgres.Store
	made    int
}

func (b *closingBench) prepare(ctx context.Context) (err error) {
	maintenance, err := pgxpool.New(ctx, b.cluster.URL("postgres", "postgres"))
	if err != nil {
		return err
	}
	defer maintenance.Close()
	for _, name := range []string{"docket", yardstickDatabase} {
		if _, err := maintenance.Exec(ctx, "create database "+name); err != nil {
			return err
		}
	}
	owner := b.cluster.URL("postgres", "docket")
	if _, err := postgres.Migrate(ctx, owner, "docket_app", b.cluster.Password); err != nil {
		return err
	}
	if b.admin, err = pgxpool.New(ctx, owner); err != nil {
		return err
	}
	if err := b.yardstick().fill(ctx, b.o.Progress); err != nil {
		return err
	}
	b.store, err = postgres.Open(ctx, b.cluster.SocketURL("docket_app", "docket"), postgres.Options{Now: b.o.Now, MaxConns: int32(b.o.Connections)})
	if err != nil {
		return err
	}
	return b.msp(ctx)
}

// msp stores clients with a contract each, a technician, and a block of hours that no run empties.
func (b *closingBench) msp(ctx context.Context) error {
	if err := b.store.PutPerson(ctx, postgres.Staffing{
		Person: ticket.Person{ID: "tom", Name: "Tom", Kind: ticket.Human, Roles: []string{"technician", "dispatcher"}, WorkRole: "engineer"}, HourlyCost: decimal.NewFromInt(60),
	}); err != nil {
		return err
	}
	clients := []string{"busy", "block"}
	for i := range spreadClients {
		clients = append(clients, fmt.Sprintf("spread-%d", i))
	}
	for _, c := range clients {
		if err := b.store.PutClient(ctx, ticket.Client{ID: c, Name: c, TimeZone: "America/New_York", Currency: "USD", Payer: c}); err != nil {
			return err
		}
		if _, err := b.store.ApplyContract(ctx, []byte(contract(c)), "tom", false); err != nil {
			return err
		}
	}
	_, err := b.store.GrantBlock(ctx, postgres.BlockGrant{
		OperationKey: "bench", Contract: "block", Hours: decimal.NewFromInt(100_000), GrantedAt: b.o.Now().AddDate(0, -2, 0), Currency: "USD",
	})
	return err
}

func contract(client string) string {
	line := `{clause: "2.1", name: Remote support, charge: time}`
	if client == "block" {
		line = `{clause: "2.1", name: Block hours, charge: block}`
	}
	return fmt.Sprintf(`
schema: docket.contract/v1
contract: %[1]s
client: %[1]s
name: %[1]s
effective_from: "2015-01-01"
currency: USD
time_zone: America/New_York
time: {minimum: 15m, increment: 15m}
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - %[2]s
`, client, line)
}

// tickets makes n tickets in resolution with one work entry each; kind "spread" takes the
// clients in turn.
func (b *closingBench) tickets(ctx context.Context, kind string, n int) ([]ticket.ID, error) {
	b.made++
	rows, err := b.admin.Query(ctx, `
with made as (
  insert into tickets (client_id, source, external_id, body_digest, subject, description, channel, category, priority, stage,
    begun_round, routed_round, assignee, opened_at)
  select case when $1 = 'spread' then 'spread-' || (n % $2) else $1 end, 'bench', $3 || '-' || n, '', 'Bench', '', 'portal', 'email', 3,
    'resolution', 1, 1, 'tom', $4 from generate_series(1, $5) as n
  returning number, client_id)
insert into work_entries (ticket, client_id, round, operation_key, input_digest, actor, kind, work_type, work_role, started_at, ms, cost,
  cost_currency, logged_at, via)
select number, client_id, 1, 'bench/' || number, '', 'tom', 'human', 'remote', 'engineer', $4, 1200000, 20, 'USD', $4, 'bench' from made
returning ticket`, kind, spreadClients, fmt.Sprint(kind, b.made), b.o.Now().Add(-2*time.Hour), n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []ticket.ID
	for rows.Next() {
		var number int64
		if err := rows.Scan(&number); err != nil {
			return nil, err
		}
		ids = append(ids, ticket.NewID(number))
	}
	return ids, rows.Err()
}

// closings closes tickets on every connection for one phase. The tickets are made before the
// clock runs.
func (b *closingBench) closings(ctx context.Context, kind string) (float64, error) {
	ids, err := b.tickets(ctx, kind, int(b.o.Phase.Seconds()*4000)+b.o.Connections)
	if err != nil {
		return 0, err
	}
	for _, settle := range []string{"vacuum (analyze) tickets, work_entries", "checkpoint"} { // what making them left to do is not part of closing
		if _, err := b.admin.Exec(ctx, settle); err != nil {
			return 0, err
		}
	}
	var (
		next, done atomic.Int64
		all        sync.WaitGroup
		failed     = make(chan error, b.o.Connections)
		began      = b.o.Now()
		ends       = began.Add(b.o.Phase)
	)
	for range b.o.Connections {
		all.Go(func() {
			for b.o.Now().Before(ends) {
				i := next.Add(1) - 1
				if i >= int64(len(ids)) {
					failed <- fmt.Errorf("%d tickets were too few for a phase of %s", len(ids), b.o.Phase)
					return
				}
				m := ticket.Resolve{
					Header:     ticket.Header{OperationKey: "close/" + string(ids[i]), Who: "tom", Via: ticket.ViaCLI, At: b.o.Now()},
					Resolution: "Solved",
				}
				if _, err := b.store.Close(ctx, ids[i], 1, m); err != nil {
					failed <- err
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
	}
	return float64(done.Load()) / b.o.Now().Sub(began).Seconds(), nil
}

func (b *closingBench) yardstick() tpcb {
	return tpcb{url: b.cluster.SocketURL("postgres", yardstickDatabase), connections: b.o.Connections, phase: b.o.Phase, scale: b.o.Scale}
}

func (b *closingBench) tpcb(ctx context.Context) (float64, error) {
	if _, err := b.admin.Exec(ctx, "checkpoint"); err != nil {
		return 0, err
	}
	return b.yardstick().run(ctx)
}
