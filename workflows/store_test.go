package workflows_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// memory satisfies the activities' interfaces for one ticket, as simply as their contracts
// allow. The real store has its own tests; here it shows what the workflow asks for, and when.
type memory struct {
	mu  sync.Mutex
	now func() time.Time

	client    string
	stage     ticket.Stage
	round     int
	into      ticket.ID
	triaged   *ticket.Triaged
	assigned  *ticket.Assignment
	deadlines ticket.Deadlines
	eventTime bool
	worked    int64 // ms logged in this round
	receipts  map[int]billing.Receipt
	held      []billing.HeldQuote
	decided   map[int64]billing.Outcome
	seen      map[string]ticket.Answer // by operation key
	headers   map[string]ticket.Header // likewise

	// What the test sets up.
	holds     []billing.HeldQuote // what the next closing holds
	patience  time.Duration       // of a fresh quote
	reminders []time.Duration     // after which a quote of the closing reminds: each after the one before
	targets   ticket.Deadlines    // what triage finds
	routes    []string            // whom routing finds, in order
	atClose   func()              // between the closing's commit and its answer
	fail      func(deed string) error

	after     time.Duration    // from a missed target to the first step up the chain; 0: none follows
	reroute   bool             // that step takes the ticket from its assignee
	stands    time.Duration    // the clock stands still that long while the client is asked to approve
	retargets ticket.Deadlines // what another priority finds

	keepDeadline bool // a breach finds that the deadline has not come yet

	calls []string // what was asked, in order
}

func newMemory() *memory {
	return &memory{
		client: "northwind", stage: ticket.New, round: 1, receipts: map[int]billing.Receipt{}, decided: map[int64]billing.Outcome{},
		seen: map[string]ticket.Answer{}, headers: map[string]ticket.Header{}, patience: 24 * time.Hour, routes: []string{"scripted-ai"},
	}
}

// enter records the call and lets the test fail it.
func (s *memory) enter(format string, args ...any) (func(), error) {
	s.mu.Lock()
	call := fmt.Sprintf(format, args...)
	if s.fail != nil {
		if err := s.fail(call); err != nil {
			s.mu.Unlock()
			return nil, err
		}
	}
	s.calls = append(s.calls, call)
	return s.mu.Unlock, nil
}

func (s *memory) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

func (s *memory) says(effect bool, says string) ticket.Answer {
	a := ticket.Answer{Effect: effect, Says: says, Ticket: id, Round: s.round, Stage: s.stage, Into: s.into, Deadlines: s.deadlines}
	if s.assigned != nil {
		a.Assignee = s.assigned.Assignee
	}
	return a
}

// once gives a message its one effect.
func (s *memory) once(call string, h ticket.Header, effect func() ticket.Answer) (ticket.Answer, error) {
	leave, err := s.enter("%s %s", call, h.OperationKey)
	if err != nil {
		return ticket.Answer{}, err
	}
	defer leave()
	if a, ok := s.seen[h.OperationKey]; ok {
		return a, nil
	}
	a := effect()
	s.seen[h.OperationKey], s.headers[h.OperationKey] = a, h
	return a, nil
}

func (s *memory) late(says string) ticket.Answer { return s.says(false, says) }

func (s *memory) Begin(_ context.Context, _ ticket.ID, round int) (ticket.Brief, error) {
	leave, err := s.enter("begin %d", round)
	if err != nil {
		return ticket.Brief{}, err
	}
	defer leave()
	return ticket.Brief{
		Ticket: id, Round: s.round, Stage: s.stage, Client: s.client, Subject: "Printer jams", MergedInto: s.into,
		EventTime: s.eventTime, Triaged: s.triaged, Assigned: s.assigned, Deadlines: s.deadlines,
	}, nil
}

func (s *memory) Triage(context.Context, ticket.ID, int) (ticket.Triaged, error) {
	leave, err := s.enter("triage")
	if err != nil {
		return ticket.Triaged{}, err
	}
	defer leave()
	s.deadlines = s.targets
	s.triaged = &ticket.Triaged{Category: "hardware", Priority: 3, Contract: "northwind-ayce", Deadlines: s.targets}
	s.stage = ticket.Routing
	return *s.triaged, nil
}

func (s *memory) Route(_ context.Context, _ ticket.ID, _ int, exclude []string) (ticket.Assignment, error) {
	leave, err := s.enter("route without %v", exclude)
	if err != nil {
		return ticket.Assignment{}, err
	}
	defer leave()
	s.assigned = &ticket.Assignment{Board: "service-desk"}
	if len(s.routes) > 0 {
		s.assigned.Assignee, s.routes = s.routes[0], s.routes[1:]
	}
	s.stage = ticket.Resolution
	return *s.assigned, nil
}

func (s *memory) Claim(_ context.Context, _ ticket.ID, m ticket.Claim) (ticket.Answer, error) {
	return s.once("claim", m.Header, func() ticket.Answer {
		if !s.stage.Open() {
			return s.late("too late to claim")
		}
		s.assigned = &ticket.Assignment{Board: "service-desk", Assignee: m.Who}
		s.deadlines.Response, s.deadlines.WarnResponse, s.deadlines.Owed.Response = time.Time{}, time.Time{}, time.Time{}
		return s.says(true, m.Who+" has it")
	})
}

func (s *memory) Log(_ context.Context, _ ticket.ID, m ticket.Work) (ticket.Answer, error) {
	return s.once("log", m.Header, func() ticket.Answer {
		if !s.stage.Open() {
			return s.late("late work, on record")
		}
		s.worked += m.Entry.MS
		return s.says(true, "logged")
	})
}

func (s *memory) Wait(_ context.Context, _ ticket.ID, m ticket.Wait) (ticket.Answer, error) {
	return s.once("wait", m.Header, func() ticket.Answer {
		s.stage, s.deadlines = ticket.Waiting, ticket.Deadlines{}
		return s.says(true, "waiting")
	})
}

func (s *memory) Resume(_ context.Context, _ ticket.ID, m ticket.Resume) (ticket.Answer, error) {
	return s.once("resume", m.Header, func() ticket.Answer {
		s.stage, s.deadlines = ticket.Resolution, s.targets
		return s.says(true, "resumed")
	})
}

func (s *memory) Reply(_ context.Context, _ ticket.ID, m ticket.Reply) (ticket.Answer, error) {
	return s.once("reply", m.Header, func() ticket.Answer { return s.says(true, "noted") })
}

func (s *memory) Escalate(_ context.Context, _ ticket.ID, m ticket.Escalate) (ticket.Answer, error) {
	return s.once("escalate", m.Header, func() ticket.Answer {
		s.assigned, s.stage = nil, ticket.Routing
		return s.says(true, "handed on")
	})
}

func (s *memory) Breach(_ context.Context, _ ticket.ID, _ int, target string) (ticket.Answer, error) {
	leave, err := s.enter("breach %s", target)
	if err != nil {
		return ticket.Answer{}, err
	}
	defer leave()
	if s.keepDeadline {
		return s.says(false, "not due yet"), nil
	}
	if target == "response" {
		s.deadlines.Response, s.deadlines.WarnResponse = time.Time{}, time.Time{}
	} else {
		s.deadlines.Resolution, s.deadlines.WarnResolution = time.Time{}, time.Time{}
	}
	if s.after > 0 {
		s.deadlines.Escalate, s.deadlines.Step = s.now().Add(s.after), 1
	}
	return s.says(true, target+" target missed"), nil
}

func (s *memory) Warn(_ context.Context, _ ticket.ID, _ int, target string) (ticket.Answer, error) {
	leave, err := s.enter("warn %s", target)
	if err != nil {
		return ticket.Answer{}, err
	}
	defer leave()
	if target == "response" {
		s.deadlines.WarnResponse = time.Time{}
	} else {
		s.deadlines.WarnResolution = time.Time{}
	}
	return s.says(true, "warned of the "+target), nil
}

func (s *memory) StepUp(_ context.Context, _ ticket.ID, _, step int) (ticket.Answer, error) {
	leave, err := s.enter("step %d up", step)
	if err != nil {
		return ticket.Answer{}, err
	}
	defer leave()
	s.deadlines.Escalate, s.deadlines.Step = s.now().Add(s.after<<step), step+1
	if s.reroute && step == 1 {
		s.assigned, s.stage = nil, ticket.Routing
	}
	return s.says(true, "told somebody further up"), nil
}

func (s *memory) Prioritise(_ context.Context, _ ticket.ID, m ticket.Prioritise) (ticket.Answer, error) {
	return s.once("prioritise", m.Header, func() ticket.Answer {
		if !s.stage.Open() {
			return s.late("closed")
		}
		s.deadlines = s.retargets
		return s.says(true, "reckoned anew")
	})
}

func (s *memory) Merge(_ context.Context, _ ticket.ID, m ticket.Merge) (ticket.Answer, error) {
	return s.once("merge", m.Header, func() ticket.Answer {
		s.stage, s.into = ticket.Merged, m.Into
		return s.says(true, "merged into "+string(m.Into))
	})
}

func (s *memory) Cancel(_ context.Context, _ ticket.ID, m ticket.Cancel) (ticket.Answer, error) {
	return s.once("cancel", m.Header, func() ticket.Answer {
		if s.worked > 0 || !s.stage.Open() {
			return s.late("work is logged: close it instead")
		}
		s.stage = ticket.Cancelled
		return s.says(true, "cancelled")
	})
}

func (s *memory) Late(_ context.Context, _ ticket.ID, name ticket.Name, h ticket.Header, _ string) (ticket.Answer, error) {
	leave, err := s.enter("late %s %s", name, h.OperationKey)
	if err != nil {
		return ticket.Answer{}, err
	}
	defer leave()
	return s.late("too late"), nil
}

func (s *memory) Close(_ context.Context, _ ticket.ID, round int, m ticket.Resolve) (billing.Receipt, error) {
	leave, err := s.enter("close %d %s", round, m.OperationKey)
	if err != nil {
		return billing.Receipt{}, err
	}
	defer leave()
	said := "closed by " + m.OperationKey
	for _, r := range s.receipts {
		if r.Says == said { // it closed this or an earlier round
			return r, nil
		}
	}
	if r, ok := s.receipts[round]; ok {
		return r, nil
	}
	s.stage, s.deadlines = ticket.Posted, ticket.Deadlines{}
	for _, q := range s.holds {
		q.ExpiresAt = s.now().Add(s.patience)
		if len(s.reminders) > 0 {
			q.RemindAt = s.now().Add(s.reminders[0])
		}
		s.held, s.stage = append(s.held, q), ticket.Held
	}
	s.holds = nil
	r := billing.Receipt{Ticket: string(id), Round: round, Closure: int64(100 + round), Held: s.list(), Says: said}
	s.receipts[round] = r
	if s.atClose != nil {
		s.atClose()
	}
	return r, nil
}

func (s *memory) list() []billing.HeldQuote { return append([]billing.HeldQuote{}, s.held...) }

func (s *memory) Held(context.Context, ticket.ID) ([]billing.HeldQuote, error) {
	leave, err := s.enter("held")
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.list(), nil
}

func (s *memory) SignOff(_ context.Context, _ ticket.ID, m ticket.SignOff) (billing.Settlement, error) {
	return s.decide("sign-off", m.OperationKey, m.Hold, m.Digest, billing.Settled)
}

func (s *memory) Rule(_ context.Context, _ ticket.ID, m ticket.Rule) (billing.Settlement, error) {
	outcome := billing.Settled
	switch m.Action {
	case ticket.Rework:
		outcome = billing.SentBack
	case ticket.WriteOff: // above everybody's limit here
		outcome = billing.Proposed
	default:
	}
	return s.decide("rule", m.OperationKey, m.Hold, "", outcome)
}

func (s *memory) Confirm(_ context.Context, _ ticket.ID, m ticket.Confirm) (billing.Settlement, error) {
	outcome := billing.Settled
	if !m.Agreed {
		outcome = billing.Rejected
	}
	return s.decide("confirm", m.OperationKey, m.Hold, "", outcome)
}

func (s *memory) decide(call, key string, hold int64, digest string, outcome billing.Outcome) (billing.Settlement, error) {
	leave, err := s.enter("%s H-%d %s", call, hold, key)
	if err != nil {
		return billing.Settlement{}, err
	}
	defer leave()
	for i, q := range s.held {
		if q.Hold != hold {
			continue
		}
		if digest != "" && digest != q.Digest {
			return billing.Settlement{Hold: hold, Outcome: billing.Stale, Says: "that quote is no longer the one", Held: s.list()}, nil
		}
		if outcome == billing.Proposed || outcome == billing.Rejected {
			return billing.Settlement{Hold: hold, Outcome: outcome, Says: "it waits", Held: s.list()}, nil
		}
		s.held = append(s.held[:i], s.held[i+1:]...)
		s.decided[hold] = outcome
		if s.stands > 0 {
			s.deadlines.Resolution = s.targets.Resolution.Add(s.stands)
		}
		if outcome == billing.SentBack {
			s.round, s.stage, s.held = s.round+1, ticket.Resolution, nil
		} else if len(s.held) == 0 && s.stage == ticket.Held {
			s.stage = ticket.Posted
		}
		return billing.Settlement{Hold: hold, Outcome: outcome, Says: "done", Held: s.list()}, nil
	}
	if _, ok := s.decided[hold]; ok {
		return billing.Settlement{Hold: hold, Outcome: billing.Already, Says: "decided before", Held: s.list()}, nil
	}
	return billing.Settlement{}, ticket.Invalid("hold", hold, "is not a hold of this ticket", "`docket approval list` shows them")
}

func (s *memory) Proven(context.Context, ticket.Name, ticket.Message) (bool, error) { return true, nil }

func (s *memory) RequestApproval(_ context.Context, _ ticket.ID, m ticket.RequestApproval) (billing.HeldQuote, error) {
	leave, err := s.enter("request-approval %s", m.OperationKey)
	if err != nil {
		return billing.HeldQuote{}, err
	}
	defer leave()
	amount, err := decimal.NewFromString(m.Amount)
	if err != nil {
		return billing.HeldQuote{}, ticket.Invalid("amount", m.Amount, "is not a number", "write it like 120.00")
	}
	q := quote(50, "ask-1")
	q.Reason, q.Amount, q.ExpiresAt = billing.BeforeAction, amount, s.now().Add(s.patience)
	s.held = append(s.held, q)
	if s.stands > 0 {
		s.deadlines.Resolution = time.Time{}
	}
	return q, nil
}

func (s *memory) Overdue(_ context.Context, _ ticket.ID, hold int64, step int) (billing.HeldQuote, error) {
	leave, err := s.enter("overdue H-%d step %d", hold, step)
	if err != nil {
		return billing.HeldQuote{}, err
	}
	defer leave()
	for i, q := range s.held {
		if q.Hold == hold {
			q.Step = step + 1
			q.Digest = fmt.Sprintf("d%d-%d", hold, q.Step)
			q.ExpiresAt = s.now().Add(s.patience)
			s.held[i] = q
			return q, nil
		}
	}
	return billing.HeldQuote{}, nil
}

func (s *memory) Remind(_ context.Context, _ ticket.ID, hold int64, step, n int) (billing.HeldQuote, error) {
	leave, err := s.enter("remind H-%d step %d the %d. time", hold, step, n)
	if err != nil {
		return billing.HeldQuote{}, err
	}
	defer leave()
	for i, q := range s.held {
		if q.Hold == hold {
			s.held[i].Reminded, s.held[i].RemindAt = n, time.Time{}
			if n < len(s.reminders) {
				s.held[i].RemindAt = q.RemindAt.Add(s.reminders[n])
			}
			return s.held[i], nil
		}
	}
	return billing.HeldQuote{}, nil
}

func (s *memory) Reopen(_ context.Context, _ ticket.ID, m ticket.Reopen) (ticket.Answer, error) {
	return s.once("reopen", m.Header, func() ticket.Answer {
		if s.stage.Open() {
			return s.says(false, "it is open")
		}
		s.round, s.stage, s.held, s.worked = s.round+1, ticket.Resolution, nil, 0
		return s.says(true, "reopened")
	})
}
