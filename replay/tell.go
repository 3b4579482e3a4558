package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docket-psa/docket/ticket"
)

// errUnread says that messages are on their way and not on record yet.
var errUnread = errors.New("not on record yet")

// told is what became of a story.
type told struct {
	ticket  ticket.ID
	before  bool  // it was here before
	refused error // why the ticket was not opened; nil otherwise
	steps   []outcome
	record  []ticket.Moment
}

// outcome is what became of one step.
type outcome struct {
	effect bool
	says   string
}

// tell sends what is not on record yet, in order: messages that need no answer in one go, and a
// resolution or a reopening after everything before it. Then it reads what became of it all.
func (r *run) tell(ctx context.Context, s Story) (told, error) {
	opened, err := r.Desk.Accept(ctx, s.Opening)
	if problems := ticket.Problems(err); len(problems) > 0 {
		return told{refused: err}, nil
	}
	if err != nil {
		return told{}, err
	}
	t := told{ticket: opened.Ticket, before: opened.Duplicate}
	var known map[int64]ticket.Moment
	if opened.Duplicate {
		if t.record, err = r.Record.Timeline(ctx, t.ticket); err != nil {
			return t, err
		}
		known = byTime(t.record)
	}
	refused, sent, err := r.send(ctx, t.ticket, s.Steps, known)
	if err != nil {
		return t, err
	}
	if sent || t.record == nil {
		if t.record, err = r.read(ctx, t.ticket, s.Steps, refused); err != nil {
			return t, err
		}
		known = byTime(t.record)
	}
	for i, step := range s.Steps {
		t.steps = append(t.steps, become(step, refused[i], known))
	}
	return t, nil
}

// send sends the steps that are not on record. It gives those whose sender was told that they
// cannot be.
func (r *run) send(ctx context.Context, id ticket.ID, steps []Step, known map[int64]ticket.Moment) (refused map[int]error, sent bool, err error) {
	refused = map[int]error{}
	var mail []ticket.Message
	post := func() error {
		if len(mail) == 0 {
			return nil
		}
		err := r.Desk.Post(ctx, id, mail...)
		mail = nil
		return err
	}
	for i, step := range steps {
		if _, done := known[step.Header.At.UnixMilli()]; done {
			continue
		}
		sent = true
		var err error
		switch m := step.Message.(type) {
		case nil:
			_, err = r.Desk.Note(ctx, id, step.Header, step.Comment, false)
		case ticket.Resolve:
			if err = post(); err == nil {
				_, err = r.Desk.Resolve(ctx, id, m)
			}
		case ticket.Reopen:
			if err = post(); err == nil {
				_, err = r.Desk.Reopen(ctx, id, m)
			}
		default:
			mail = append(mail, m)
		}
		if len(ticket.Problems(err)) > 0 {
			refused[i], err = err, nil
		}
		if err != nil {
			return refused, sent, err
		}
	}
	return refused, sent, post()
}

// read waits until every step is on record. Most are when it first looks: whoever was answered
// last came after them.
func (r *run) read(ctx context.Context, id ticket.ID, steps []Step, refused map[int]error) ([]ticket.Moment, error) {
	const looks = 12 // 20 s
	for look, pause := 0, 10*time.Millisecond; ; look, pause = look+1, 2*pause {
		record, err := r.Record.Timeline(ctx, id)
		if err != nil {
			return nil, err
		}
		missing := 0
		for i, known := 0, byTime(record); i < len(steps); i++ {
			if _, ok := known[steps[i].Header.At.UnixMilli()]; !ok && refused[i] == nil {
				missing++
			}
		}
		if missing == 0 {
			return record, nil
		}
		if look == looks {
			return nil, fmt.Errorf("%d messages to %s: %w; does a worker run?", missing, id, errUnread)
		}
		rest(ctx, pause)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// byTime finds what the replay did by when it happened: each step has an instant of its own.
func byTime(record []ticket.Moment) map[int64]ticket.Moment {
	known := make(map[int64]ticket.Moment, len(record))
	for _, m := range record {
		if m.Kind == "comment" || (m.Via == ticket.ViaReplay && m.Kind != "work") {
			known[m.At.UnixMilli()] = m
		}
	}
	return known
}

func become(step Step, refused error, known map[int64]ticket.Moment) outcome {
	switch m, ok := known[step.Header.At.UnixMilli()]; {
	case step.Refused != "":
		return outcome{says: step.Refused}
	case refused != nil:
		return outcome{says: refused.Error()}
	case ok:
		return outcome{effect: m.Effect, says: m.Says}
	}
	return outcome{says: "is not on record"}
}
