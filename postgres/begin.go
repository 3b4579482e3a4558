package postgres

import (
	"context"
	"fmt"

	"github.com/docket-psa/docket/ticket"
)

// beginRound says 'round n begun'. It changes nothing where that is said already.
const beginRound = `
update tickets t set begun_round = greatest(begun_round, least($2, round)), stage = case stage when 'new' then 'triage' else stage end
where number = $1 and (begun_round < least($2, round) or stage = 'new')`

// Begin says 'round n begun', clears the outbox up to it, and tells where the ticket stands, in one round trip. A run
// that was started late or twice reads in the brief that there is nothing, or something else, to do.
func (s *Store) Begin(ctx context.Context, id ticket.ID, round int) (brief ticket.Brief, err error) {
	err = s.tx(ctx, fmt.Sprintf("begin round %d of %s", round, id), func(t *tx) error {
		var (
			at   *standing
			kind ticket.Kind
		)
		b := t.batch()
		b.Queue(beginRound, id.Number(), round)
		b.Queue("delete from outbox where ticket = $1 and round <= $2", id.Number(), round)
		b.Queue("select"+standingColumns+" from tickets t where t.number = $1", id.Number()).Query(row(&at))
		b.Queue("select p.kind from tickets t join people p on p.id = t.assignee where t.number = $1", id.Number()).Query(one(&kind))
		if err := t.commit(ctx, b); err != nil {
			return err
		}
		if at == nil {
			return ticket.Invalid("ticket", id, "does not exist", "`docket ticket list` shows the tickets")
		}
		brief = at.brief(kind)
		return nil
	})
	return brief, err
}

func (t *standing) brief(assignee ticket.Kind) ticket.Brief {
	return ticket.Brief{
		Ticket: t.id(), Round: t.Round, Stage: t.Stage, Client: t.Client, Subject: t.Subject, MergedInto: t.into(),
		EventTime: t.EventTime, Triaged: t.triaged(), Assigned: t.assigned(assignee), Deadlines: t.deadlines(),
	}
}

// triaged is what triage found; nil before it.
func (t *standing) triaged() *ticket.Triaged {
	if t.TriagedAt == nil {
		return nil
	}
	return &ticket.Triaged{Category: t.Category, Priority: t.Priority, Contract: t.Contract, Deadlines: t.deadlines(), Says: t.TriageSays}
}

// assigned is where routing sent the ticket in this round; nil before it.
func (t *standing) assigned(kind ticket.Kind) *ticket.Assignment {
	if t.RoutedRound != t.Round {
		return nil
	}
	return &ticket.Assignment{Board: t.Board, Assignee: t.Assignee, Kind: kind, Says: t.RoutingSays}
}
