package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

// books is a house whose March is over: two clients with a fee in advance, a fee in arrears, a block of hours that has
// expired, and, where February was finalised, an invoice that nobody has paid.
type books struct {
	*postgres.Store
	t     *testing.T
	look  *pgxpool.Pool
	clock atomic.Int64
}

const retainer = `
schema: docket.contract/v1
contract: %[1]s-retainer
client: %[1]s
name: Managed services
effective_from: "2026-02-01"
currency: USD
time_zone: America/New_York
billing: {payment_days: 14}
rates: [{clause: "3.1", hourly: "150.00"}]
lines:
  - {clause: A, name: Licences, charge: flat, price: "120.00"}
  - {clause: F, name: Managed service, charge: flat, price: "500.00", when: arrears}
  - {clause: B, name: Block hours, charge: block}
`

func openBooks(t *testing.T) *books {
	t.Helper()
	b := &books{t: t}
	now := func() time.Time { return time.Unix(0, b.clock.Load()).UTC() }
	url := testenv.Template(t, "books", func(url string) error {
		ctx := context.Background()
		if _, err := postgres.Migrate(ctx, url, "", ""); err != nil {
			return err
		}
		s, err := postgres.Open(ctx, url, postgres.Options{Now: now})
		if err != nil {
			return err
		}
		defer s.Disconnect()
		b.on(2026, time.February, 1)
		return retain(ctx, s)
	})
	var err error
	b.Store, err = postgres.Open(t.Context(), url, postgres.Options{Now: now, MaxConns: 10})
	require.NoError(t, err)
	t.Cleanup(b.Disconnect)
	b.look, err = pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(b.look.Close)
	return b
}

// retain gives the house its owner, its clients, and what they bought.
func retain(ctx context.Context, s *postgres.Store) error {
	err := errors.Join(
		s.PutPerson(ctx, postgres.Staffing{Person: ticket.Person{ID: "olga", Name: "Olga", Kind: ticket.Human, Roles: []string{"owner"}, Email: "olga@desk.example"}}),
		s.SetCompany(ctx, billing.Party{Name: "Harbor IT", Country: "US"}, "olga"),
	)
	for _, client := range []string{"acme", "beta"} {
		err = errors.Join(err,
			s.PutClient(ctx, ticket.Client{ID: client, Name: client, TimeZone: "America/New_York", Currency: "USD"}),
			s.SetClientParty(ctx, client, billing.Party{Country: "US", Email: "ap@" + client + ".example"}, "olga"))
		_, applied := s.ApplyContract(ctx, fmt.Appendf(nil, retainer, client), "olga", true)
		_, granted := s.GrantBlock(ctx, postgres.BlockGrant{
			OperationKey: client, Contract: client + "-retainer", Hours: decimal.NewFromInt(5), GrantedAt: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
			ExpiresAt: time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC), Currency: "USD",
		})
		err = errors.Join(err, applied, granted)
	}
	return err
}

func (b *books) on(year int, month time.Month, day int) {
	b.clock.Store(time.Date(year, month, day, 12, 0, 0, 0, time.UTC).UnixNano())
}

// swept is a workflow that a schedule or a person starts, and starts again where it died.
type swept struct {
	name   string
	passes []string // activities that are on the way
	ready  func(b *books)
	run    func(b *books, m *mortal) error
}

// A new one is one more row.
var sweeps = []swept{
	{
		name: "periods", passes: []string{"DuePeriods", "RunPeriod", "ExpireBlocks"},
		ready: func(b *books) { b.on(2026, time.April, 2) },
		run:   (*books).periods,
	},
	{
		name: "reminders", passes: []string{"RemindOverdue"},
		ready: func(b *books) {
			b.on(2026, time.March, 2)
			require.NoError(b.t, b.periods(&mortal{}))
			for _, client := range []string{"acme", "beta"} {
				_, err := b.Finalise(b.t.Context(), postgres.Finalisation{Payer: client, Currency: "USD", Period: "2026-02-01", By: "olga"})
				require.NoError(b.t, err)
			}
			b.on(2026, time.March, 25)
		},
		run: func(b *books, m *mortal) error {
			return b.execute(m, workflows.RemindersType, workflows.Reminders, nil, activities.NewReminders(b))
		},
	},
	{
		name: "month", passes: []string{"MonthBegins", "DuePeriods", "RunPeriods", "ExpireBlocks", "ListOver", "FinaliseBatch", "ListUnrendered", "RenderBatch", "ListUnrenderedNotes", "RenderNotes", "ListUnsent", "SendBatch", "ListUnsentNotes", "SendNotes", "MonthCame"},
		ready: func(b *books) {
			b.on(2026, time.March, 2)
			require.NoError(b.t, b.periods(&mortal{}))
			february, err := b.Finalise(b.t.Context(), postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-02-01", By: "olga"})
			require.NoError(b.t, err)
			head := postgres.InvoiceDeed{Invoice: february.ID, By: "olga", OperationKey: "credit"}
			_, err = b.Credit(b.t.Context(), postgres.CreditNoteDraft{InvoiceDeed: head, Amount: "100.00", Reason: "Two days of outage"})
			require.NoError(b.t, err)
			b.on(2026, time.April, 2)
		},
		run: func(b *books, m *mortal) error {
			render := func(ctx context.Context, invoice int64) error { _, err := document.Keep(ctx, b, invoice); return err }
			renderNote := func(ctx context.Context, note int64) error { _, err := document.KeepNote(ctx, b, note); return err }
			ask, err := b.ProveMonth(b.t.Context(), billing.MonthClose{Until: "2026-04-01", By: "olga", Send: true})
			require.NoError(b.t, err)
			return b.execute(m, workflows.MonthType, workflows.Month, []any{ask},
				activities.NewPeriods(b), activities.NewMonths(b, render, renderNote))
		},
	},
}

func (b *books) periods(m *mortal) error {
	return b.execute(m, workflows.PeriodsType, workflows.Periods, nil, activities.NewPeriods(b))
}

// execute runs a workflow to its end; an error: it did not come to one.
func (b *books) execute(m *mortal, name string, flow any, in []any, acts ...any) error {
	b.t.Helper()
	env := skipping(time.Unix(0, b.clock.Load()).UTC())
	m.attend(env)
	env.RegisterWorkflowWithOptions(flow, workflow.RegisterOptions{Name: name})
	for _, a := range acts {
		env.RegisterActivity(a)
	}
	env.ExecuteWorkflow(name, in...)
	require.True(b.t, env.IsWorkflowCompleted())
	return env.GetWorkflowError()
}

// stand is all that a sweep leaves, but for numbers that are a matter of order.
func (b *books) stand() (all []string) {
	b.t.Helper()
	rows, err := b.look.Query(b.t.Context(), `
select format('invoice %s %s %s %s %s', payer_id, period_start, state, gross, due_on) from invoices
union all select format('line %s %s %s %s', payer_id, client_id, service_date, amount) from invoice_lines
union all select format('posting %s %s', key, state) from postings
union all select format('block %s %s %s', contract_id, remaining_ms, ended_at is not null) from blocks
union all select format('move %s %s', kind, ms) from block_moves
union all select format('reminder %s %s %s', payer_id, after_days, asked) from invoice_reminders
union all select format('notice %s %s %s %s', tells, client_id, recipient, state) from notices
union all select format('file %s %s', payer_id, kind) from invoice_documents
union all select format('file %s %s', n.number, d.kind) from credit_note_documents d join credit_notes n on n.id = d.note_id
union all select format('series %s %s', series, last) from number_series
order by 1`)
	require.NoError(b.t, err)
	all, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b.t, err)
	return all
}

// The worker dies before and after each activity of the sweeps: either the activity is done again, or the whole run is lost and
// the schedule's next one, or whoever started it, runs it again. What it leaves is what the undisturbed one left.
func TestWorkerDiesAtEachStepOfEachSweep(t *testing.T) {
	t.Parallel()
	for _, s := range sweeps {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			alone := &mortal{}
			want := s.live(t, alone)
			for _, name := range s.passes {
				require.Contains(t, alone.done, name, "on the way")
			}
			for die := 1; die <= len(alone.done); die++ {
				for _, how := range manners {
					t.Run(fmt.Sprintf("%d, %s", die, how), func(t *testing.T) {
						t.Parallel()
						require.Equal(t, want, s.live(t, &mortal{die: die, manner: how}))
					})
				}
			}
		})
	}
}

func (s swept) live(t *testing.T, m *mortal) []string {
	t.Helper()
	b := openBooks(t)
	s.ready(b)
	before := b.stand()
	err := s.run(b, m)
	if m.dead { // a sweep may get to its end without what died, and leave that to the next
		err = s.run(b, &mortal{})
	}
	require.NoError(t, err)
	after := b.stand()
	require.NotEqual(t, before, after, "it has an effect")
	require.NoError(t, s.run(b, &mortal{}))
	require.Equal(t, after, b.stand(), "once")
	found, err := b.Audit(t.Context(), nil)
	require.NoError(t, err)
	require.True(t, found.Clean(), "%+v", found)
	return after
}
