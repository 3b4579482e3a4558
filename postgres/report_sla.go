package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

// Attainment is how one client's tickets of one priority stood against their targets.
type Attainment struct {
	Client   string `json:"client"`
	Priority int    `json:"priority"`

	// Tickets closed in the period that were promised targets.
	Tickets            int   `json:"tickets"`
	ResponseMet        int   `json:"response_met"`
	ResponseMissed     int   `json:"response_missed"`
	ResolutionMet      int   `json:"resolution_met"`
	ResolutionMissed   int   `json:"resolution_missed"`
	ResolvedInWarning  int   `json:"resolved_in_warning"` // of those met: after the contract's share of the target was used up
	PausedMS           int64 `json:"paused_ms"`           // business time for which their clocks stood still
	TicketsThatWaited  int   `json:"paused"`
	AttainmentPerMille int   `json:"attainment_per_mille"` // of both targets: met of all

	// Tickets that are open now, whenever they were opened.
	Open       int `json:"open"`
	OpenWarned int `json:"open_warned"` // within the warning of their resolution
	OpenMissed int `json:"open_missed"` // a target is missed
	OpenPaused int `json:"open_paused"` // their clock stands still
}

type measured struct {
	Number               int64
	Client               string
	Priority             int
	Open                 bool
	ResponseBreachedAt   *time.Time
	ResolutionBreachedAt *time.Time
	ResolutionWarnAt     *time.Time
	ResolvedAt           *time.Time
	SLA                  []byte
}

// ReportSLA counts, by client and priority, how tickets stood against what they were promised: those closed for good in
// the period, by local date of the client, and those that are open now. A ticket without targets is none.
func (s *Store) ReportSLA(ctx context.Context, f ReportFilter) ([]Attainment, error) {
	if err := f.check(ctx, s.Reads); err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
select t.number, t.client_id, t.priority, t.closed_at is null, t.response_breached_at, t.resolution_breached_at, t.resolution_warn_at, t.resolved_at, t.sla
from tickets t join clients c on c.id = t.client_id
where t.sla ? 'clock' and not t.stage in ('merged', 'cancelled')
  and ($3 = '' or t.client_id = $3) and (t.closed_at is null or (`+inAt("t.closed_at", "c.time_zone", "t.client_id")+`))
order by t.client_id, t.priority, t.number`, f.args()...)
	if err != nil {
		return nil, fmt.Errorf("report SLA: %w", err)
	}
	now := s.now().UTC()
	var report []Attainment
	m := measured{}
	_, err = pgx.ForEachRow(rows, []any{
		&m.Number, &m.Client, &m.Priority, &m.Open, &m.ResponseBreachedAt, &m.ResolutionBreachedAt, &m.ResolutionWarnAt, &m.ResolvedAt, &m.SLA,
	}, func() error {
		if n := len(report); n == 0 || report[n-1].Client != m.Client || report[n-1].Priority != m.Priority {
			report = append(report, Attainment{Client: m.Client, Priority: m.Priority})
		}
		return report[len(report)-1].count(m, now)
	})
	if err != nil {
		return nil, fmt.Errorf("report SLA: %w", err)
	}
	for i := range report {
		if r := &report[i]; r.Tickets > 0 {
			r.AttainmentPerMille = 1000 * (r.ResponseMet + r.ResolutionMet) / (2 * r.Tickets)
		}
	}
	return report, nil
}

func (r *Attainment) count(m measured, now time.Time) error {
	p, err := readPromise(m.SLA, ticket.NewID(m.Number))
	if err != nil {
		return err
	}
	if m.Open {
		r.Open++
		switch {
		case m.ResponseBreachedAt != nil || m.ResolutionBreachedAt != nil:
			r.OpenMissed++
		case p.Clock.PausedAt != nil:
			r.OpenPaused++
		case m.ResolutionWarnAt != nil && !m.ResolutionWarnAt.After(now):
			r.OpenWarned++
		}
		return nil
	}
	r.Tickets++
	if m.ResponseBreachedAt != nil {
		r.ResponseMissed++
	} else {
		r.ResponseMet++
	}
	switch {
	case m.ResolutionBreachedAt != nil:
		r.ResolutionMissed++
	case m.ResolutionWarnAt != nil && m.ResolvedAt != nil && m.ResolutionWarnAt.Before(*m.ResolvedAt):
		r.ResolvedInWarning++
		fallthrough
	default:
		r.ResolutionMet++
	}
	if (len(p.Clock.Pauses) == 0 && p.Clock.PausedAt == nil) || m.ResolvedAt == nil {
		return nil
	}
	paused, err := p.Clock.Paused(later(*m.ResolvedAt, p.Clock.StartedAt))
	if err != nil {
		return fmt.Errorf("SLA clock of %s: %w", ticket.NewID(m.Number), err)
	}
	r.TicketsThatWaited++
	r.PausedMS += paused.Milliseconds()
	return nil
}
