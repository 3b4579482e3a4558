package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/ticket"
)

const writeWait = `
update tickets set stage = $2, waiting_for = $3, sla = $4, resolution_due = $5, responded_at = $6, response_breached_at = $7,
  resolution_warn_at = $8
where number = $1`

// Wait asks the customer, a vendor or for a part: the SLA clock stands still from the time of the message on. Asking is
// a response, if it is the first.
func (s *Store) Wait(ctx context.Context, id ticket.ID, m ticket.Wait) (ticket.Answer, error) {
	deed := message{id: id, name: ticket.MsgWait, head: m.Header, asks: m.Reason, todo: "wait on it"}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		if sc.WaitingFor != "" {
			return verdict{says: fmt.Sprintf("%s waits for the %s already.", id, sc.WaitingFor)}, nil
		}
		at := sc.noEarlier(sc.at)
		stage := sc.Stage
		moved, err := sc.pause(at, m.Reason)
		if err != nil {
			return verdict{}, err
		}
		if !moved {
			return verdict{says: fmt.Sprintf("The wait of %s began before %s was resumed; it goes on.", at.Format(time.RFC3339), id)}, nil
		}
		if stage == ticket.New || stage == ticket.Triage || stage == ticket.Routing {
			sc.Stage = stage // it is still to be given to somebody, and waits then
		}
		sc.respond(at)
		sc.queueWait(b)
		return verdict{effect: true, says: fmt.Sprintf("%s waits for the %s; %s.", id, m.Reason, sc.standsStill())}, nil
	})
}

// Resume ends a wait. One that comes before the wait, in the time of the messages, changes nothing.
func (s *Store) Resume(ctx context.Context, id ticket.ID, m ticket.Resume) (ticket.Answer, error) {
	deed := message{id: id, name: ticket.MsgResume, head: m.Header, todo: "work on it"}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		return sc.endWait(b, fmt.Sprintf("%s resumed %s", sc.who.Name, id))
	})
}

func (sc *scene) endWait(b *pgx.Batch, did string) (verdict, error) {
	if sc.WaitingFor == "" {
		return verdict{says: did + ", which was not waiting."}, nil
	}
	stage, reason, at := sc.Stage, sc.WaitingFor, sc.noEarlier(sc.at)
	moved, err := sc.resume(at)
	if err != nil {
		return verdict{}, err
	}
	if !moved {
		return verdict{says: fmt.Sprintf("%s at %s, before it began to wait for the %s; it still waits.", did, at.Format(time.RFC3339), reason)}, nil
	}
	if stage != ticket.Waiting {
		sc.Stage = stage
	}
	sc.queueWait(b)
	says := did + "; the SLA clock runs again"
	if sc.ResolutionDue == nil && sc.OnAsk {
		says = did + "; the SLA clock stands still until the client has answered what he was asked"
	}
	if sc.ResolutionDue != nil {
		says += ", and the resolution is due " + sc.ResolutionDue.UTC().Format(time.RFC3339)
	}
	return verdict{effect: true, says: says + "."}, nil
}

// standsStill tells whether the clock of the resolution runs on during the wait.
func (t *standing) standsStill() string {
	if t.ResolutionDue != nil && t.ResolutionBreachedAt == nil {
		return "the contract does not pause the SLA clock for that, and the resolution is due " + t.ResolutionDue.UTC().Format(time.RFC3339)
	}
	return "the SLA clock stands still"
}

func (sc *scene) queueWait(b *pgx.Batch) {
	b.Queue(writeWait, sc.Number, sc.Stage, sc.WaitingFor, sc.SLA, sc.ResolutionDue, sc.RespondedAt, sc.ResponseBreachedAt, sc.ResolutionWarnAt)
}
