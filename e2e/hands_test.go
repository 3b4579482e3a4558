package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// byStore are hands that call the store as the workflow's activities do.
type byStore struct{ *postgres.Store }

func (b *byStore) open(ctx context.Context, o ticket.Opening) (ticket.ID, error) {
	opened, err := b.Open(ctx, o)
	if err != nil {
		return "", err
	}
	return opened.Ticket, b.begin(ctx, opened.Ticket, 1)
}

func (b *byStore) begin(ctx context.Context, id ticket.ID, round int) error {
	brief, err := b.Begin(ctx, id, round)
	if err != nil || !brief.Stage.Open() || (brief.Triaged != nil && brief.Assigned != nil) {
		return err
	}
	_, triaged := b.Triage(ctx, id, round)
	_, routed := b.Route(ctx, id, round, nil)
	return errors.Join(triaged, routed)
}

func (b *byStore) do(ctx context.Context, id ticket.ID, m ticket.Message) (told, error) {
	answer, err := b.deliver(ctx, id, m)
	if err != nil {
		return answer, err
	}
	for _, stirred := range []ticket.ID{id, answer.split} { // its run begins the round
		if stirred == "" {
			continue
		}
		at, err := b.Ticket(ctx, stirred)
		if err != nil {
			return answer, err
		}
		if err := b.begin(ctx, stirred, at.Round); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

func (b *byStore) deliver(ctx context.Context, id ticket.ID, m ticket.Message) (told, error) {
	switch m := m.(type) {
	case ticket.Claim:
		return answered(b.Claim(ctx, id, m))
	case ticket.Work:
		return answered(b.Log(ctx, id, m))
	case ticket.Wait:
		return answered(b.Wait(ctx, id, m))
	case ticket.Resume:
		return answered(b.Resume(ctx, id, m))
	case ticket.Reopen:
		return answered(b.Reopen(ctx, id, m))
	case ticket.Merge:
		return answered(b.Merge(ctx, id, m))
	case ticket.Unmerge:
		return answered(b.Unmerge(ctx, id, m))
	case ticket.SplitOff:
		return answered(b.Split(ctx, id, m))
	case ticket.Cancel:
		return answered(b.Cancel(ctx, id, m))
	case ticket.Prioritise:
		return answered(b.Prioritise(ctx, id, m))
	case reply:
		row, err := b.AddComment(ctx, id, m.OperationKey, m.Who, m.words, true, m.At)
		if err != nil {
			return told{}, err
		}
		return answered(b.Reply(ctx, id, ticket.Reply{Header: m.Header, Comment: row}))
	case ticket.RequestApproval:
		quote, err := b.RequestApproval(ctx, id, m)
		return told{effect: err == nil, says: quote.Says}, err
	case ticket.Resolve:
		at, err := b.Ticket(ctx, id)
		if err != nil {
			return told{}, err
		}
		receipt, err := b.Close(ctx, id, at.Round, m)
		return told{effect: err == nil, says: receipt.Says}, err
	case ticket.SignOff:
		return settled(b.SignOff(ctx, id, m))
	case ticket.Rule:
		return settled(b.Rule(ctx, id, m))
	}
	return told{}, fmt.Errorf("%T is not in the story", m)
}

func answered(a ticket.Answer, err error) (told, error) {
	return told{effect: a.Effect, says: a.Says, split: a.Split}, err
}

func settled(s billing.Settlement, err error) (told, error) {
	return told{effect: s.Changed(), says: s.Says}, err
}

// byDesk are hands that send as people do, through the tickets' workflows.
type byDesk struct{ *house }

func (b *byDesk) open(ctx context.Context, o ticket.Opening) (ticket.ID, error) {
	opened, err := b.desk.Open(ctx, o)
	if err != nil {
		return "", err
	}
	return opened.Ticket, b.rests(ctx, opened.Ticket)
}

// rests waits until the ticket's run has done what follows by itself.
func (b *byDesk) rests(ctx context.Context, id ticket.ID) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	poll := time.NewTicker(tick / 5)
	defer poll.Stop()
	for {
		var busy bool
		err := b.admin.QueryRow(ctx, `
select stage in ('new', 'triage', 'routing', 'closing') or exists (select from outbox o where o.ticket = number) from tickets where number = $1`, id.Number()).Scan(&busy)
		if err != nil || !busy {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not come to rest: %w", id, ctx.Err())
		case <-poll.C:
		}
	}
}

func (b *byDesk) do(ctx context.Context, id ticket.ID, m ticket.Message) (told, error) {
	answer, err := b.deliver(ctx, id, m)
	if err != nil {
		return answer, err
	}
	if answer.split != "" {
		err = b.rests(ctx, answer.split)
	}
	return answer, errors.Join(err, b.rests(ctx, id))
}

func (b *byDesk) deliver(ctx context.Context, id ticket.ID, m ticket.Message) (told, error) {
	switch m := m.(type) {
	case ticket.Claim:
		return answered(b.desk.Claim(ctx, id, m))
	case ticket.Work:
		return b.recorded(ctx)(b.desk.Work(ctx, id, m))
	case ticket.Wait:
		return b.recorded(ctx)(b.desk.Wait(ctx, id, m))
	case ticket.Resume:
		return b.recorded(ctx)(b.desk.Resume(ctx, id, m))
	case ticket.Escalate:
		return b.recorded(ctx)(b.desk.Escalate(ctx, id, m))
	case ticket.Reopen:
		return answered(b.desk.Reopen(ctx, id, m))
	case ticket.Merge:
		return answered(b.desk.Merge(ctx, id, m))
	case ticket.Unmerge:
		return answered(b.desk.Unmerge(ctx, id, m))
	case ticket.SplitOff:
		return answered(b.desk.Split(ctx, id, m))
	case ticket.Prioritise:
		return answered(b.desk.Prioritise(ctx, id, m))
	case ticket.Cancel:
		return b.recorded(ctx)(b.desk.Cancel(ctx, id, m))
	case reply:
		return b.recorded(ctx)(b.desk.Reply(ctx, id, m.Header, m.words))
	case ticket.RequestApproval:
		return b.recorded(ctx)(b.desk.RequestApproval(ctx, id, m))
	case ticket.Resolve:
		receipt, err := b.desk.Resolve(ctx, id, m)
		return told{effect: receipt.Closure != 0, says: receipt.Says}, err
	case ticket.SignOff:
		return settled(b.desk.SignOff(ctx, id, m))
	case ticket.Rule:
		return settled(b.desk.Rule(ctx, id, m))
	}
	return told{}, fmt.Errorf("%T is not in the story", m)
}

// recorded waits for what the record says of a message that nobody answers.
func (b *byDesk) recorded(ctx context.Context) func(desk.Sent, error) (told, error) {
	return func(sent desk.Sent, err error) (told, error) {
		if err != nil {
			return told{}, err
		}
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		poll := time.NewTicker(tick / 5)
		defer poll.Stop()
		for {
			record, err := b.Recorded(ctx, sent.Ticket, sent.OperationKey)
			if err != nil || record.Recorded {
				return told{effect: record.Effect, says: record.Says}, err
			}
			select {
			case <-ctx.Done():
				return told{}, fmt.Errorf("%s of %s is not on record: %w", sent.Message, sent.Ticket, ctx.Err())
			case <-poll.C:
			}
		}
	}
}
