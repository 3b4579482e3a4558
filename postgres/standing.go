package postgres

import (
	"fmt"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// standing is a ticket as a deed of the desk finds it, under its lock. A deed changes it along
// with the row, so that its answer says what is true after the commit.
type standing struct {
	Number               int64
	Client               string
	Subject              string
	EventTime            bool
	Category             string
	Priority             int
	Contract             string
	Board                string
	Assignee             string
	ClaimedAt            *time.Time
	RoutedRound          int
	RoutingSays          string
	Stage                ticket.Stage
	Round                int
	Into                 int64 // after merges, the ticket that lives on; 0: not merged
	OpenedAt             time.Time
	TriagedAt            *time.Time
	TriageSays           string
	RespondedAt          *time.Time
	ResolvedAt           *time.Time
	ResponseDue          *time.Time
	ResolutionDue        *time.Time
	ResponseBreachedAt   *time.Time
	ResolutionBreachedAt *time.Time
	SLA                  []byte // of type promise
	WaitingFor           string
	ResponseWarnAt       *time.Time
	ResponseWarnedAt     *time.Time
	ResolutionWarnAt     *time.Time
	ResolutionWarnedAt   *time.Time
	EscalationStep       int // how far a missed target has gone up the chain
	EscalateAt           *time.Time
	OnAsk                bool // asking the client's approval stops the clock
}

// standingColumns are those of standing, of tickets t.
const standingColumns = `
t.number, t.client_id, t.subject, t.event_time, t.category, t.priority, coalesce(t.contract_id, ''), t.board,
coalesce(t.assignee, ''), t.claimed_at, t.routed_round, t.routing_says, t.stage, t.round,
case when t.merged_into is null then 0 else ` + livesOn + ` end,
t.opened_at, t.triaged_at, t.triage_says, t.responded_at, t.resolved_at, t.response_due, t.resolution_due,
t.response_breached_at, t.resolution_breached_at, t.sla, t.waiting_for,
t.response_warn_at, t.response_warned_at, t.resolution_warn_at, t.resolution_warned_at, t.escalation_step, t.escalate_at,
coalesce(t.sla -> 'pauses_on' ? '` + billing.PauseApproval + `', false)`

// livesOn follows the merges of tickets t to the ticket that carries on.
const livesOn = `(
with recursive chain as (
  select t.number, t.merged_into union all
  select n.number, n.merged_into from tickets n join chain c on n.number = c.merged_into)
select number from chain where merged_into is null)`

func (t *standing) id() ticket.ID { return ticket.NewID(t.Number) }

func (t *standing) into() ticket.ID {
	if t.Into == 0 {
		return ""
	}
	return ticket.NewID(t.Into)
}

// answer says what is true now.
func (t *standing) answer(effect bool, says string) ticket.Answer {
	return ticket.Answer{
		Effect: effect, Says: says, Ticket: t.id(), Round: t.Round, Stage: t.Stage, Assignee: t.Assignee,
		Into: t.into(), Deadlines: t.deadlines(),
	}
}

// deadlines are what is due and neither met nor reported. While the clock of the resolution stands still, so do they.
func (t *standing) deadlines() (d ticket.Deadlines) {
	if !t.Stage.Open() {
		return d
	}
	late := false
	if t.RespondedAt == nil && t.ResponseDue != nil {
		d.Owed.Response = t.ResponseDue.UTC()
		switch {
		case t.ResponseBreachedAt != nil:
			late = true
		default:
			d.Response, d.WarnResponse = d.Owed.Response, unless(t.ResponseWarnedAt, t.ResponseWarnAt)
		}
	}
	if t.ResolvedAt == nil && t.ResolutionDue != nil {
		d.Owed.Resolution = t.ResolutionDue.UTC()
		switch {
		case t.ResolutionBreachedAt != nil:
			late = true
		default:
			d.Resolution, d.WarnResolution = d.Owed.Resolution, unless(t.ResolutionWarnedAt, t.ResolutionWarnAt)
		}
	}
	if late && t.EscalateAt != nil && t.WaitingFor == "" {
		d.Escalate, d.Step = t.EscalateAt.UTC(), t.EscalationStep+1
	}
	d.OnAsk = t.OnAsk
	return d
}

// unless gives the instant of something that is to happen once; zero where it has been done, or never will.
func unless(done, at *time.Time) time.Time {
	if done != nil || at == nil {
		return time.Time{}
	}
	return at.UTC()
}

// over says why a message of the desk can no longer take effect, and what to do.
func (t *standing) over(todo string) string {
	switch t.Stage {
	case ticket.Merged:
		return fmt.Sprintf("%s was merged into %s; send it there.", t.id(), t.into())
	case ticket.Cancelled:
		return fmt.Sprintf("%s was cancelled; reopen it to %s.", t.id(), todo)
	default:
		return fmt.Sprintf("%s is closed; reopen it to %s.", t.id(), todo)
	}
}

// noEarlier gives the instant, or the ticket's opening where a sender's clock is behind it.
func (t *standing) noEarlier(at time.Time) time.Time {
	if at.Before(t.OpenedAt) {
		return t.OpenedAt
	}
	return at
}
