package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// promise is what a ticket keeps of its SLA beside the due columns: the resolution clock with its pauses in business
// time, or none where the contract promises none, and what the contract said when the ticket was triaged. The response
// needs no clock: to ask the customer is a response, so nothing pauses before it.
type promise struct {
	Clock *sla.Clock `json:"clock,omitempty"`
	Until time.Time  `json:"until,omitzero"` // the latest wait or resume, in event time
	Waits *waits     `json:"waits,omitempty"`
	Asks  []int64    `json:"asks,omitempty"` // holds by which the client was asked, and for which the clock stands still

	Response int64    `json:"response_ms,omitempty"` // target, business time
	Warn     int      `json:"warn,omitempty"`        // per cent of a target; 0: triaged before there were warnings
	PausesOn []string `json:"pauses_on,omitempty"`   // nil: every wait that somebody declares
	After    int64    `json:"escalate_ms,omitempty"` // business time to the first step up the chain
	Reroute  bool     `json:"reroute,omitempty"`
}

// waits are pauses of a ticket that has no clock: another priority, or another client, may give it one.
type waits struct {
	Over   []sla.Pause `json:"over,omitempty"`
	Since  *time.Time  `json:"since,omitempty"`
	Reason string      `json:"reason,omitempty"`
}

// alwaysOpen is the calendar of contracts that count every hour.
const alwaysOpen = "24x7"

// promiseOf reckons what the contract promises for the ticket's priority, from its opening on. Pauses so far are kept;
// so are a response that was given and a target that was missed: what happened is measured by what was promised then.
func promiseOf(ctx context.Context, q querier, terms *billing.Terms, t *standing) error {
	was, err := t.promised()
	if err != nil {
		return err
	}
	p := promise{Until: was.Until, Asks: was.Asks}
	kept := was.pauses()
	var target billing.Target
	if terms != nil {
		target, _ = terms.Target(t.Priority)
		after, reroute := terms.Escalation()
		p.Warn, p.PausesOn, p.After, p.Reroute = terms.WarnPercent(), terms.PausesOn(), after.Milliseconds(), reroute
	}
	calendar := sla.Calendar{}
	if target != (billing.Target{}) {
		if calendar, err = calendarOf(ctx, q, terms, target.Calendar); err != nil {
			return err
		}
	}
	p.Response = target.Response.Milliseconds()
	if t.RespondedAt == nil && t.ResponseBreachedAt == nil {
		if err := t.dueResponse(calendar, target.Response, p.Warn); err != nil {
			return err
		}
	}
	switch {
	case target.Resolution > 0:
		clock := sla.Clock{Calendar: calendar, Target: target.Resolution, StartedAt: t.OpenedAt.UTC(), Pauses: kept.Over, PausedAt: kept.Since, Reason: kept.Reason}
		if err := clock.Validate(); err != nil {
			return fmt.Errorf("resolution target of %s: %w", t.id(), err)
		}
		p.Clock = &clock
	case len(kept.Over) > 0 || kept.Since != nil:
		p.Waits = &kept
	}
	t.ResolutionWarnedAt = nil // the target is another one
	return t.keep(p)
}

// dueResponse sets by when somebody is to answer, and when the assignee is warned of it; none without a target.
func (t *standing) dueResponse(calendar sla.Calendar, target time.Duration, warn int) error {
	t.ResponseDue, t.ResponseWarnAt, t.ResponseWarnedAt = nil, nil, nil
	if target <= 0 {
		return nil
	}
	clock, err := sla.Start(calendar, target, t.OpenedAt)
	if err != nil {
		return fmt.Errorf("response target of %s: %w", t.id(), err)
	}
	t.ResponseDue, t.ResponseWarnAt, err = dueAndWarning(clock, warn)
	if err != nil {
		return fmt.Errorf("response target of %s: %w", t.id(), err)
	}
	return nil
}

// calendarOf reads the calendar of the id as it stands now.
func calendarOf(ctx context.Context, q querier, terms *billing.Terms, id string) (calendar sla.Calendar, err error) {
	if id == alwaysOpen {
		return sla.AlwaysOpen(terms.Zone()), nil
	}
	if err := q.QueryRow(ctx, "select document from calendars where id = $1", id).Scan(&calendar); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			err = errors.New("there is no such calendar")
		}
		return calendar, fmt.Errorf("read calendar %q of contract %s: %w", id, terms.Contract().ID, err)
	}
	return calendar, nil
}

// pauses are those that the ticket has had, by its clock or without one.
func (p promise) pauses() waits {
	if p.Clock != nil {
		return waits{Over: p.Clock.Pauses, Since: p.Clock.PausedAt, Reason: p.Clock.Reason}
	}
	if p.Waits != nil {
		return *p.Waits
	}
	return waits{}
}

// stops says whether the clock stands still for a wait that somebody declares.
func (p promise) stops(reason string) bool {
	return p.PausesOn == nil || slices.Contains(p.PausesOn, reason)
}

// promised reads what keep wrote.
func (t *standing) promised() (p promise, err error) { return readPromise(t.SLA, t.id()) }

func readPromise(raw []byte, id ticket.ID) (p promise, err error) {
	if len(raw) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("read the SLA clock of %s: %w", id, err)
	}
	return p, nil
}

// keep puts the promise back, and brings the columns of the resolution in line with its clock: none while it stands
// still. A ticket that no contract promises anything and that has not waited keeps nothing.
func (t *standing) keep(p promise) (err error) {
	t.ResolutionDue, t.ResolutionWarnAt = nil, nil
	if p.Clock != nil {
		if t.ResolutionDue, t.ResolutionWarnAt, err = dueAndWarning(*p.Clock, p.Warn); err != nil {
			return fmt.Errorf("SLA clock of %s: %w", t.id(), err)
		}
	}
	t.OnAsk = slices.Contains(p.PausesOn, billing.PauseApproval)
	if p.Clock == nil && p.Waits == nil && p.Until.IsZero() && p.Warn == 0 {
		t.SLA = nil
		return nil
	}
	if t.SLA, err = json.Marshal(p); err != nil {
		return fmt.Errorf("write the SLA clock of %s: %w", t.id(), err)
	}
	return nil
}

// dueAndWarning gives both instants; nil for what the clock's standing still, or its contract, leaves open.
func dueAndWarning(clock sla.Clock, percent int) (due, warning *time.Time, err error) {
	at, running, err := clock.Due()
	if err != nil || !running {
		return nil, nil, err
	}
	if percent <= 0 || percent >= 100 {
		return &at, nil, nil
	}
	early, running, err := clock.WarnAt(percent)
	if err != nil || !running {
		return &at, nil, err
	}
	return &at, &early, nil
}

// writeSLA writes what promiseOf and keep change.
const writeSLA = `
update tickets set response_due = $2, response_warn_at = $3, response_warned_at = $4, resolution_due = $5, resolution_warn_at = $6,
  resolution_warned_at = $7, sla = $8, escalation_step = $9, escalate_at = $10 where number = $1`

func (t *standing) queueSLA(b *pgx.Batch) {
	b.Queue(writeSLA, t.Number, t.ResponseDue, t.ResponseWarnAt, t.ResponseWarnedAt, t.ResolutionDue, t.ResolutionWarnAt,
		t.ResolutionWarnedAt, t.SLA, t.EscalationStep, t.EscalateAt)
}
