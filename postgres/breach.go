package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// The kinds of event that a target puts on record. Their answer is a ticket.Escalation.
const (
	eventWarning   = "warning"   // a share of the target is used up
	eventBreach    = "breach"    // it was missed
	eventEscalated = "escalated" // it was missed, is not met yet, and somebody further up hears of it
)

// Steps up the chain wait twice as long as the last, from escalateAfter or what the contract says up to a working week.
const (
	escalateAfter     = time.Hour
	longestEscalation = 40 * time.Hour
)

// Breach records that a deadline ("response" or "resolution") passed unmet, once, and says who hears of it first: the
// assignee, or the dispatchers of a ticket that nobody has. One that was met, moved or reported meanwhile changes
// nothing, and the answer says what is due now. The breach is dated by the deadline, not by the timer that noticed it.
func (s *Store) Breach(ctx context.Context, id ticket.ID, round int, target string) (ticket.Answer, error) {
	return s.falls(ctx, id, round, ticket.Due(target), func(f *falling) (escalated, error) { return f.breach(s.now()) })
}

// Warn records that the contract's share of a target is used up, once. Where the target itself was missed meanwhile,
// because no worker ran, that is recorded instead: there is nothing left to warn of.
func (s *Store) Warn(ctx context.Context, id ticket.ID, round int, target string) (ticket.Answer, error) {
	return s.falls(ctx, id, round, ticket.Due(target), func(f *falling) (escalated, error) {
		if e, err := f.breach(s.now()); e.kind != "" || err != nil {
			return e, err
		}
		return f.warn(s.now()), nil
	})
}

// StepUp tells the next in the chain that a missed target is still not met: the dispatchers of the ticket's board first,
// then the owners, again and again. By contract the first step also takes the ticket from its assignee, and routing
// follows. A step that was taken before, or is not yet due by this clock, changes nothing.
func (s *Store) StepUp(ctx context.Context, id ticket.ID, round, step int) (ticket.Answer, error) {
	return s.falls(ctx, id, round, ticket.ResolutionDue, func(f *falling) (escalated, error) { return f.stepUp(s.now(), step) })
}

// falling is a ticket of which something falls due.
type falling struct {
	*standing
	target ticket.Due
	above  []superior
	b      *pgx.Batch
}

// superior is somebody of ours who hears of missed targets.
type superior struct {
	ID     string
	Board  string
	Roles  []string
	Absent bool
}

// escalated is what goes on record; none where nothing has fallen due.
type escalated struct {
	kind string
	at   time.Time
	says string
	ticket.Escalation
}

const selectSuperiors = `
select id, board, roles, coalesce(absent_until > $1, false) from people
where active and client_id is null and kind = 'human' and roles && '{dispatcher,owner}' order by id`

func (s *Store) falls(ctx context.Context, id ticket.ID, round int, target ticket.Due, fall func(*falling) (escalated, error)) (answer ticket.Answer, err error) {
	if target != ticket.ResponseDue && target != ticket.ResolutionDue {
		return answer, ticket.Invalid("target", target, "is not known", "response or resolution")
	}
	err = s.tx(ctx, fmt.Sprintf("%s target of %s", target, id), func(t *tx) error {
		f := falling{target: target, b: t.batch()}
		b := t.batch()
		b.Queue("select"+standingColumns+" from tickets t where t.number = $1 for update of t", id.Number()).Query(row(&f.standing))
		b.Queue(selectSuperiors, s.now()).Query(func(rows pgx.Rows) (err error) {
			f.above, err = pgx.CollectRows(rows, pgx.RowToStructByPos[superior])
			return err
		})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if f.standing == nil {
			return ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
		}
		var e escalated
		if round == f.Round {
			if e, err = fall(&f); err != nil {
				return err
			}
		}
		if e.kind == "" {
			answer = f.answer(false, fmt.Sprintf("The %s target of %s is not missed: %s", target, id, f.dueOf(target)))
			return nil
		}
		answer = f.answer(true, e.says)
		if err := s.record(ctx, f.b, event{
			Ticket: id, Client: f.Client, Round: f.Round, At: e.at, Kind: e.kind, Actor: itself, Via: "timer", Effect: true, Says: e.says,
			Answer: e.Escalation,
		}); err != nil {
			return err
		}
		return t.commit(ctx, f.b)
	})
	return answer, err
}

// of gives the deadline of the target, and when it is warned of; zero where neither is due any more.
func (f *falling) of() (due, warning time.Time) {
	d := f.deadlines()
	if f.target == ticket.ResponseDue {
		return d.Response, d.WarnResponse
	}
	return d.Resolution, d.WarnResolution
}

func (f *falling) breach(now time.Time) (e escalated, err error) {
	due, _ := f.of()
	if due.IsZero() || due.After(now) {
		return e, nil
	}
	p, err := f.promised()
	if err != nil {
		return e, err
	}
	next, err := p.after(now, 0)
	if err != nil {
		return e, fmt.Errorf("escalation of %s: %w", f.id(), err)
	}
	f.EscalationStep, f.EscalateAt = 0, &next
	if f.target == ticket.ResponseDue {
		f.ResponseBreachedAt = &due
	} else {
		f.ResolutionBreachedAt = &due
	}
	f.b.Queue(`
update tickets set response_breached_at = $2, resolution_breached_at = $3, escalation_step = 0, escalate_at = $4 where number = $1`,
		f.Number, f.ResponseBreachedAt, f.ResolutionBreachedAt, next)
	e = escalated{kind: eventBreach, at: due, Escalation: ticket.Escalation{Target: f.target, Due: due, To: f.first(), Next: next}}
	e.says = fmt.Sprintf("%s missed its %s target, which was %s%s.", f.id(), f.target, due.Format(time.RFC3339), tells(e.To))
	return e, nil
}

func (f *falling) warn(now time.Time) (e escalated) {
	due, warning := f.of()
	if warning.IsZero() || warning.After(now) {
		return e
	}
	column := "resolution_warned_at"
	if f.target == ticket.ResponseDue {
		column = "response_warned_at"
		f.ResponseWarnedAt = &now
	} else {
		f.ResolutionWarnedAt = &now
	}
	f.b.Queue("update tickets set "+column+" = $2 where number = $1", f.Number, now)
	e = escalated{kind: eventWarning, at: now.UTC(), Escalation: ticket.Escalation{Target: f.target, Due: due, To: f.first()}}
	e.says = fmt.Sprintf("The %s of %s is due %s%s.", f.target, f.id(), due.Format(time.RFC3339), tells(e.To))
	return e
}

func (f *falling) stepUp(now time.Time, step int) (e escalated, err error) {
	d := f.deadlines()
	if d.Escalate.IsZero() || d.Step != step || d.Escalate.After(now) {
		return e, nil
	}
	p, err := f.promised()
	if err != nil {
		return e, err
	}
	next, err := p.after(now, step)
	if err != nil {
		return e, fmt.Errorf("escalation of %s: %w", f.id(), err)
	}
	e = escalated{kind: eventEscalated, at: now.UTC(), Escalation: ticket.Escalation{
		Target: ticket.ResolutionDue, Due: d.Owed.Resolution, Step: step, To: f.superiors(step), Next: next,
	}}
	if f.ResolutionBreachedAt == nil {
		e.Target, e.Due = ticket.ResponseDue, d.Owed.Response
	}
	f.EscalationStep, f.EscalateAt = step, &next
	f.b.Queue("update tickets set escalation_step = $2, escalate_at = $3 where number = $1", f.Number, step, next)
	e.says = fmt.Sprintf("%s is still without its %s, which was due %s%s", f.id(), e.Target, e.Due.Format(time.RFC3339), tells(e.To))
	if p.Reroute && step == 1 && f.Assignee != "" && f.Stage == ticket.Resolution {
		e.From, f.Assignee, f.ClaimedAt, f.RoutedRound, f.Stage = f.Assignee, "", nil, 0, ticket.Routing
		e.says += "; it was taken from " + e.From + ", and goes to somebody else"
		f.b.Queue(writeEscalation, f.Number, f.Assignee, f.Stage, f.RoutedRound, e.says)
	}
	e.says += "."
	return e, nil
}

// after is when the step after this one follows, in the business time of the clock.
func (p promise) after(now time.Time, step int) (time.Time, error) {
	first := time.Duration(p.After) * time.Millisecond
	if first <= 0 {
		first = escalateAfter
	}
	wait := longestEscalation
	if first < longestEscalation>>min(step, 16) {
		wait = first << step
	}
	calendar := sla.AlwaysOpen("UTC")
	if p.Clock != nil {
		calendar = p.Clock.Calendar
	}
	return calendar.Add(now, wait)
}

// first is who hears of a target before anybody else.
func (f *falling) first() []string {
	if f.Assignee != "" {
		return []string{f.Assignee}
	}
	return f.superiors(1)
}

// superiors are who hears of a step: first the dispatchers, those of the ticket's board before others, then the owners.
// Where the desk has none of the one it is the other; who is away hears of it only where nobody is there.
func (f *falling) superiors(step int) []string {
	dispatchers := f.holding("dispatcher", f.Board)
	if len(dispatchers) == 0 {
		dispatchers = f.holding("dispatcher", "")
	}
	owners := f.holding("owner", "")
	if len(dispatchers) == 0 || (step > 1 && len(owners) > 0) {
		return owners
	}
	return dispatchers
}

// holding gives who holds the role, on the board if one is named.
func (f *falling) holding(role, board string) []string {
	ids, away := []string{}, []string{}
	for _, p := range f.above {
		if !slices.Contains(p.Roles, role) || (board != "" && p.Board != board) {
			continue
		}
		if p.Absent {
			away = append(away, p.ID)
			continue
		}
		ids = append(ids, p.ID)
	}
	if len(ids) == 0 && board == "" {
		return away
	}
	return ids
}

func tells(to []string) string {
	if len(to) == 0 {
		return "; the desk has nobody who could be told"
	}
	return "; told " + strings.Join(to, ", ")
}

// dueOf tells what is due of a target, for a sentence.
func (t *standing) dueOf(target ticket.Due) string {
	d := t.deadlines()
	due := d.Resolution
	if target == ticket.ResponseDue {
		due = d.Response
	}
	if due.IsZero() {
		return "it is met, stands still, or is reported."
	}
	return "it is due " + due.Format(time.RFC3339) + "."
}
