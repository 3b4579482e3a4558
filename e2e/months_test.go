package e2e_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

// A ticket's life over months, and a quote's over days, with the clocks of the place changing meanwhile. Every instant is
// worked out by hand: what the wall shows there, and what that is in UTC.
//
// The office is open from Monday to Friday, 09:00 to 17:00. Priority 3 is answered within 4 and resolved within 16 hours
// of that; both warn at 75 %, after 3 and after 12. A missed target goes up the chain after 1 hour of it, then after 2
// more. The first ticket is opened at 15:00, so that two hours of its day are left; it is claimed at 15:00 of the next
// working day, waits from 16:00 on, with 9 hours used and 7 left, until 10:00 of a day months later, and is resolved when
// it has gone one step up the chain. The second is closed at 16:00, and its quote runs out 72 hours later: elapsed time,
// whatever the wall shows. It reminds after 1/8, 3/8 and 7/8 of them: 9, 27 and 63 hours.
var places = []place{
	{
		zone: "America/New_York", changes: "forward on 8 March, back on 1 November 2026",
		opened:   "Fri 2026-03-06 15:00 EST = 2026-03-06T20:00Z",
		claimed:  "Mon 2026-03-09 15:00 EDT = 2026-03-09T19:00Z",
		waits:    "Mon 2026-03-09 16:00 EDT = 2026-03-09T20:00Z",
		resumed:  "Mon 2026-11-02 10:00 EST = 2026-11-02T15:00Z",
		resolved: "Tue 2026-11-03 10:30 EST = 2026-11-03T15:30Z",
		closed:   "Fri 2026-10-30 16:00 EDT = 2026-10-30T20:00Z",
		signed:   "Mon 2026-11-02 20:00 EST = 2026-11-03T01:00Z",
		wantTicket: []string{
			"warning    Mon 2026-03-09 10:00 EDT = 2026-03-09T14:00Z",
			"breach     Mon 2026-03-09 11:00 EDT = 2026-03-09T15:00Z",
			"escalated  Mon 2026-03-09 12:00 EDT = 2026-03-09T16:00Z",
			"escalated  Mon 2026-03-09 14:00 EDT = 2026-03-09T18:00Z",
			"warning    Mon 2026-11-02 13:00 EST = 2026-11-02T18:00Z",
			"breach     Mon 2026-11-02 17:00 EST = 2026-11-02T22:00Z",
			"escalated  Tue 2026-11-03 10:00 EST = 2026-11-03T15:00Z",
		},
		wantQuote: []string{
			"reminder   Sat 2026-10-31 01:00 EDT = 2026-10-31T05:00Z",
			"reminder   Sat 2026-10-31 19:00 EDT = 2026-10-31T23:00Z",
			"reminder   Mon 2026-11-02 06:00 EST = 2026-11-02T11:00Z",
			"overdue    Mon 2026-11-02 15:00 EST = 2026-11-02T20:00Z",
		},
	},
	{
		zone: "Europe/Berlin", changes: "forward on 29 March, back on 25 October 2026",
		opened:   "Fri 2026-03-27 15:00 CET = 2026-03-27T14:00Z",
		claimed:  "Mon 2026-03-30 15:00 CEST = 2026-03-30T13:00Z",
		waits:    "Mon 2026-03-30 16:00 CEST = 2026-03-30T14:00Z",
		resumed:  "Mon 2026-10-26 10:00 CET = 2026-10-26T09:00Z",
		resolved: "Tue 2026-10-27 10:30 CET = 2026-10-27T09:30Z",
		closed:   "Fri 2026-10-23 16:00 CEST = 2026-10-23T14:00Z",
		signed:   "Mon 2026-10-26 20:00 CET = 2026-10-26T19:00Z",
		wantTicket: []string{
			"warning    Mon 2026-03-30 10:00 CEST = 2026-03-30T08:00Z",
			"breach     Mon 2026-03-30 11:00 CEST = 2026-03-30T09:00Z",
			"escalated  Mon 2026-03-30 12:00 CEST = 2026-03-30T10:00Z",
			"escalated  Mon 2026-03-30 14:00 CEST = 2026-03-30T12:00Z",
			"warning    Mon 2026-10-26 13:00 CET = 2026-10-26T12:00Z",
			"breach     Mon 2026-10-26 17:00 CET = 2026-10-26T16:00Z",
			"escalated  Tue 2026-10-27 10:00 CET = 2026-10-27T09:00Z",
		},
		wantQuote: []string{
			"reminder   Sat 2026-10-24 01:00 CEST = 2026-10-23T23:00Z",
			"reminder   Sat 2026-10-24 19:00 CEST = 2026-10-24T17:00Z",
			"reminder   Mon 2026-10-26 06:00 CET = 2026-10-26T05:00Z",
			"overdue    Mon 2026-10-26 15:00 CET = 2026-10-26T14:00Z",
		},
	},
	{
		zone: "Australia/Lord_Howe", changes: "half an hour back on 5 April, forward on 4 October 2026",
		opened:   "Fri 2026-04-03 15:00 +11 = 2026-04-03T04:00Z",
		claimed:  "Mon 2026-04-06 15:00 +1030 = 2026-04-06T04:30Z",
		waits:    "Mon 2026-04-06 16:00 +1030 = 2026-04-06T05:30Z",
		resumed:  "Mon 2026-10-05 10:00 +11 = 2026-10-04T23:00Z",
		resolved: "Tue 2026-10-06 10:30 +11 = 2026-10-05T23:30Z",
		closed:   "Fri 2026-10-02 16:00 +1030 = 2026-10-02T05:30Z",
		signed:   "Mon 2026-10-05 20:00 +11 = 2026-10-05T09:00Z",
		wantTicket: []string{
			"warning    Mon 2026-04-06 10:00 +1030 = 2026-04-05T23:30Z",
			"breach     Mon 2026-04-06 11:00 +1030 = 2026-04-06T00:30Z",
			"escalated  Mon 2026-04-06 12:00 +1030 = 2026-04-06T01:30Z",
			"escalated  Mon 2026-04-06 14:00 +1030 = 2026-04-06T03:30Z",
			"warning    Mon 2026-10-05 13:00 +11 = 2026-10-05T02:00Z",
			"breach     Mon 2026-10-05 17:00 +11 = 2026-10-05T06:00Z",
			"escalated  Tue 2026-10-06 10:00 +11 = 2026-10-05T23:00Z",
		},
		wantQuote: []string{
			"reminder   Sat 2026-10-03 01:00 +1030 = 2026-10-02T14:30Z",
			"reminder   Sat 2026-10-03 19:00 +1030 = 2026-10-03T08:30Z",
			"reminder   Mon 2026-10-05 07:30 +11 = 2026-10-04T20:30Z",
			"overdue    Mon 2026-10-05 16:30 +11 = 2026-10-05T05:30Z",
		},
	},
	{
		zone: "America/New_York", changes: "29 February is a Tuesday, and clocks go forward on 12 March 2028",
		opened:   "Mon 2028-02-28 15:00 EST = 2028-02-28T20:00Z",
		claimed:  "Tue 2028-02-29 15:00 EST = 2028-02-29T20:00Z",
		waits:    "Tue 2028-02-29 16:00 EST = 2028-02-29T21:00Z",
		resumed:  "Mon 2028-03-13 10:00 EDT = 2028-03-13T14:00Z",
		resolved: "Tue 2028-03-14 10:30 EDT = 2028-03-14T14:30Z",
		closed:   "Mon 2028-02-28 16:00 EST = 2028-02-28T21:00Z",
		signed:   "Thu 2028-03-02 20:00 EST = 2028-03-03T01:00Z",
		wantTicket: []string{
			"warning    Tue 2028-02-29 10:00 EST = 2028-02-29T15:00Z",
			"breach     Tue 2028-02-29 11:00 EST = 2028-02-29T16:00Z",
			"escalated  Tue 2028-02-29 12:00 EST = 2028-02-29T17:00Z",
			"escalated  Tue 2028-02-29 14:00 EST = 2028-02-29T19:00Z",
			"warning    Mon 2028-03-13 13:00 EDT = 2028-03-13T17:00Z",
			"breach     Mon 2028-03-13 17:00 EDT = 2028-03-13T21:00Z",
			"escalated  Tue 2028-03-14 10:00 EDT = 2028-03-14T14:00Z",
		},
		wantQuote: []string{
			"reminder   Tue 2028-02-29 01:00 EST = 2028-02-29T06:00Z",
			"reminder   Tue 2028-02-29 19:00 EST = 2028-03-01T00:00Z",
			"reminder   Thu 2028-03-02 07:00 EST = 2028-03-02T12:00Z",
			"overdue    Thu 2028-03-02 16:00 EST = 2028-03-02T21:00Z",
		},
	},
}

// place is one zone and its hand-written table: each entry is the wall clock there, and the instant.
type place struct {
	zone, changes                             string
	opened, claimed, waits, resumed, resolved string
	closed, signed                            string
	wantTicket, wantQuote                     []string
}

func TestMonthsOfWaitingAcrossClockChanges(t *testing.T) {
	for _, p := range places {
		t.Run(p.zone+", "+p.changes, func(t *testing.T) {
			t.Run("targets", func(t *testing.T) {
				d := p.desk(t, p.opened)
				id := d.open("Printer jams")
				d.at(p.claimed, ticket.MsgClaim, ticket.Claim{Header: d.by("tom")})
				d.at(p.waits, ticket.MsgWait, ticket.Wait{Header: d.by("tom"), Reason: "customer"})
				d.at(p.resumed, ticket.MsgResume, ticket.Resume{Header: d.by("tom")})
				d.at(p.resolved, ticket.MsgResolve, ticket.Resolve{Header: d.by("tom"), Resolution: "Rollers cleaned", Work: []ticket.WorkEntry{{
					OperationKey: "work", WorkType: "remote", StartedAt: d.instant(p.resolved).Add(-15 * time.Minute), MS: 900_000,
				}}})
				d.run(id)
				require.Equal(t, p.wantTicket, d.happened(id, "warning", "breach", "escalated"))
			})
			t.Run("approvals", func(t *testing.T) {
				d := p.desk(t, p.closed)
				id := d.open("Printer jams")
				d.at(p.closed, ticket.MsgResolve, ticket.Resolve{Header: d.by("tom"), Resolution: "Rollers replaced", Work: []ticket.WorkEntry{{
					OperationKey: "work", WorkType: "remote", StartedAt: d.instant(p.closed).Add(-2 * time.Hour), MS: 7_200_000,
				}}})
				d.then(p.signed, func() {
					held, err := d.store.Held(t.Context(), id)
					require.NoError(t, err)
					require.Len(t, held, 1)
					require.Equal(t, 1, held[0].Step)
					m := ticket.SignOff{Header: d.by("ann"), Hold: held[0].Hold, Digest: held[0].Digest, Approved: true}
					m.At = d.env.Now().UTC()
					m.Proof, err = d.store.Prove(t.Context(), ticket.MsgSignOff, m) // as the desk does
					require.NoError(t, err)
					d.env.SignalWorkflow(string(ticket.MsgSignOff), m)
				})
				d.run(id)
				require.Equal(t, p.wantQuote, d.happened(id, "reminder", "overdue"))
			})
		})
	}
}

// timeless is a desk whose workflow runs in Temporal's test suite, which jumps from timer to timer, over a real database.
type timeless struct {
	t     *testing.T
	place place
	zone  *time.Location
	start time.Time
	env   *testsuite.TestWorkflowEnvironment
	store *postgres.Store
	pool  *pgxpool.Pool
	keys  int
}

const monthly = `
schema: docket.contract/v1
contract: acme-hourly
client: acme
name: Time and materials
effective_from: "2020-01-01"
currency: USD
time_zone: %s
rates: [{clause: "3.1", hourly: "150.00"}]
lines: [{clause: "2.1", name: Support, charge: time}]
approval: {clause: "5.1", amount_over: "100.00", approvers: [ann], expires: 72h}
sla: {calendar: office, targets: {3: {response: 4h, resolution: 16h}}}
`

func (p place) desk(t *testing.T, opened string) *timeless {
	t.Helper()
	d := &timeless{t: t, place: p}
	var err error
	d.zone, err = time.LoadLocation(p.zone)
	require.NoError(t, err)
	d.start = d.instant(opened)
	d.env = skipping(d.start)
	url := testenv.Template(t, "months", func(url string) error {
		_, err := postgres.Migrate(context.Background(), url, "", "")
		return err
	})
	d.store, err = postgres.Open(t.Context(), url, postgres.Options{Now: func() time.Time { return d.env.Now() }, MaxConns: 5})
	require.NoError(t, err)
	t.Cleanup(d.store.Disconnect)
	d.pool, err = pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(d.pool.Close)
	d.furnish()
	d.employ()
	return d
}

// skipping is an environment that jumps from timer to timer.
func skipping(start time.Time) *testsuite.TestWorkflowEnvironment {
	var s testsuite.WorkflowTestSuite
	s.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := s.NewTestWorkflowEnvironment()
	env.SetStartTime(start)
	env.SetTestTimeout(patience)
	return env
}

// employ registers what carries tickets.
func (d *timeless) employ() {
	d.env.RegisterWorkflowWithOptions(workflows.Ticket, workflow.RegisterOptions{Name: ticket.WorkflowType})
	d.env.RegisterActivity(activities.New(d.store, d.store))
}

func (d *timeless) furnish() {
	d.t.Helper()
	ctx := d.t.Context()
	require.NoError(d.t, d.store.PutCalendar(ctx, "office", sla.Calendar{Zone: d.place.zone, Hours: sla.Weekdays(sla.Window{From: 9 * 60, To: 17 * 60})}))
	require.NoError(d.t, d.store.PutClient(ctx, ticket.Client{ID: "acme", Name: "Acme", TimeZone: d.place.zone, Currency: "USD"}))
	for _, p := range []ticket.Person{
		{ID: "tom", Name: "Tom", Kind: ticket.Human, Roles: []string{"technician"}, Board: "service"},
		{ID: "dora", Name: "Dora", Kind: ticket.Human, Roles: []string{"dispatcher"}, Board: "service"},
		{ID: "olga", Name: "Olga", Kind: ticket.Human, Roles: []string{"owner"}},
		{ID: "ann", Name: "Ann", Kind: ticket.Human, Client: "acme", Roles: []string{"approver"}},
	} {
		require.NoError(d.t, d.store.PutPerson(ctx, postgres.Staffing{Person: p, Capacity: 10, HourlyCost: decimal.NewFromInt(40)}))
	}
	_, err := d.store.ApplyContract(ctx, fmt.Appendf(nil, monthly, d.place.zone), "dora", true)
	require.NoError(d.t, err)
}

func (d *timeless) open(subject string) ticket.ID {
	d.t.Helper()
	opened, err := d.store.Open(d.t.Context(), ticket.Opening{
		Client: "acme", Subject: subject, Source: "mail", ExternalID: subject, EventID: subject, OpenedAt: d.start, Impact: 2, Urgency: 2,
	})
	require.NoError(d.t, err)
	return opened.Ticket
}

func (d *timeless) by(who string) ticket.Header {
	d.keys++
	return ticket.Header{OperationKey: fmt.Sprintf("%s-%d", who, d.keys), Who: who, Via: ticket.ViaCLI}
}

// instant reads "Mon 2026-03-09 15:00 EDT = 2026-03-09T19:00Z", and holds its author to both sides being the same.
func (d *timeless) instant(written string) time.Time {
	d.t.Helper()
	_, utc, _ := strings.Cut(written, " = ")
	at, err := time.Parse("2006-01-02T15:04Z07:00", utc)
	require.NoError(d.t, err)
	require.Equal(d.t, written, d.written(at), "the table contradicts itself")
	return at.UTC()
}

func (d *timeless) written(at time.Time) string {
	return at.In(d.zone).Format("Mon 2006-01-02 15:04 MST") + " = " + at.UTC().Format("2006-01-02T15:04Z")
}

func (d *timeless) at(when string, name ticket.Name, m any) {
	d.t.Helper()
	d.then(when, func() { d.env.SignalWorkflow(string(name), m) })
}

func (d *timeless) then(when string, do func()) {
	d.t.Helper()
	d.env.RegisterDelayedCallback(do, d.instant(when).Sub(d.start))
}

func (d *timeless) run(id ticket.ID) {
	d.t.Helper()
	d.env.ExecuteWorkflow(ticket.WorkflowType, ticket.Input{Ticket: id, Round: 1})
	require.True(d.t, d.env.IsWorkflowCompleted())
	require.NoError(d.t, d.env.GetWorkflowError())
}

// happened gives what is on record of those kinds, to the minute.
func (d *timeless) happened(id ticket.ID, kinds ...string) []string {
	d.t.Helper()
	rows, err := d.pool.Query(d.t.Context(), "select kind, at from ticket_events where ticket = $1 and kind = any ($2) order by id", id.Number(), kinds)
	require.NoError(d.t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var kind string
		var at time.Time
		require.NoError(d.t, rows.Scan(&kind, &at))
		all = append(all, fmt.Sprintf("%-10s %s", kind, d.written(at)))
	}
	require.NoError(d.t, rows.Err())
	return all
}
