package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/ticket"
)

// mailbox holds every message that has come, by signal or by update, and has not been acted
// on. There is one for the whole run: a message that matches nothing yet waits in it.
type mailbox struct {
	channels []workflow.ReceiveChannel // in the order of drainOrder
	kinds    []*kind                   // of the channels
	unread   []*letter
	received int
}

// letter is one message on its way.
type letter struct {
	kind     *kind
	message  ticket.Message // nil when malformed
	raw      []byte         // its JSON as it came, when malformed
	fault    error          // what is wrong with it, when malformed
	order    int            // of arrival
	update   bool           // somebody waits for the answer
	answered bool
	answer   any // ticket.Answer, billing.Receipt or billing.Settlement
	err      error
}

// openMailbox registers everything a ticket understands, and takes over what the run before
// had not acted on. It must run before the workflow first waits: updates of the first task
// look for their handlers then.
func openMailbox(ctx workflow.Context, carried ticket.Mail) (*mailbox, error) {
	m := &mailbox{}
	for rank, row := range drainOrder {
		for _, k := range row {
			k.rank = rank
			m.kinds = append(m.kinds, &k)
			m.channels = append(m.channels, workflow.GetSignalChannelWithOptions(ctx, string(k.name),
				workflow.SignalChannelOptions{Description: k.description}))
			if k.register == nil {
				continue
			}
			if err := k.register(ctx, m, &k); err != nil {
				return nil, fmt.Errorf("register update %s: %w", k.name, err)
			}
		}
	}
	for _, item := range carried.Items {
		if k := m.kindOf(item.Name); k != nil {
			m.post(ctx, k, item.Payload)
		}
	}
	return m, nil
}

// post decodes and keeps one message that came without anyone waiting for the answer.
func (m *mailbox) post(ctx workflow.Context, k *kind, raw []byte) {
	l := &letter{kind: k}
	if message, err := k.decode(raw, workflow.Now(ctx)); err != nil {
		l.raw, l.fault = raw, err
	} else {
		l.message = message
	}
	m.keep(l)
}

func (m *mailbox) keep(l *letter) {
	m.received++
	l.order = m.received
	m.unread = append(m.unread, l)
}

func (m *mailbox) kindOf(name ticket.Name) *kind {
	for _, k := range m.kinds {
		if k.name == name {
			return k
		}
	}
	return nil
}

// waiting says whether anything has come, without taking it.
func (m *mailbox) waiting() bool {
	if len(m.unread) > 0 {
		return true
	}
	for _, c := range m.channels {
		if c.Len() > 0 {
			return true
		}
	}
	return false
}

// collect takes in every signal that has arrived.
func (m *mailbox) collect(ctx workflow.Context) {
	for i, c := range m.channels {
		for {
			var raw converter.RawValue
			if !c.ReceiveAsync(&raw) {
				break
			}
			m.post(ctx, m.kinds[i], raw.Payload().GetData())
		}
	}
}

// next takes the letter to act on now out of the box; nil when there is none.
func (m *mailbox) next(ctx workflow.Context) *letter {
	m.collect(ctx)
	first := -1
	for i, l := range m.unread {
		if first < 0 || l.before(m.unread[first]) {
			first = i
		}
	}
	if first < 0 {
		return nil
	}
	l := m.unread[first]
	m.unread = append(m.unread[:first], m.unread[first+1:]...)
	return l
}

// before holds the drain order: by row; within a row by when it happened; then by arrival.
func (l *letter) before(other *letter) bool {
	if l.kind.rank != other.kind.rank {
		return l.kind.rank < other.kind.rank
	}
	if a, b := l.at(), other.at(); !a.Equal(b) {
		return a.Before(b)
	}
	return l.order < other.order
}

func (l *letter) at() time.Time {
	if l.message == nil {
		return time.Time{}
	}
	return l.message.Head().At
}

// reply answers the sender, if he waits.
func (l *letter) reply(answer any, err error) {
	l.answer, l.err, l.answered = answer, err, true
}

// header identifies the letter on record. A malformed one may lack all of it: its content
// makes its key then, so that the same letter twice is one record.
func (l *letter) header(now time.Time) ticket.Header {
	if l.message != nil {
		return l.message.Head()
	}
	var h ticket.Header
	_ = fromJSON(l.raw, &h) // what can be read of it
	if h.Validate() != nil {
		sum := sha256.Sum256(l.raw)
		h = ticket.Header{OperationKey: "malformed-" + hex.EncodeToString(sum[:8]), Who: "unknown"}
	}
	h.Stamp(now)
	return h
}

// maxCarried bounds what continue-as-new carries, in bytes: far below Temporal's 2 MiB for a
// payload. What does not fit is acted on before the run continues as new.
const maxCarried = 256 << 10

// carry gives the unread mail for the next run; false while somebody waits for an answer,
// which only this run can give, or while it is too much.
func (m *mailbox) carry(ctx workflow.Context) (ticket.Mail, bool) {
	m.collect(ctx)
	var mail ticket.Mail
	size := 0
	for _, l := range m.unread {
		if l.update {
			return ticket.Mail{}, false
		}
		payload := l.raw
		if l.message != nil {
			var err error
			if payload, err = toJSON(l.message); err != nil {
				return ticket.Mail{}, false
			}
		}
		size += len(payload)
		mail.Items = append(mail.Items, ticket.Item{Name: l.kind.name, Payload: payload})
	}
	return mail, size <= maxCarried
}

// refuse answers every unread letter with why the run cannot go on.
func (m *mailbox) refuse(err error) {
	for _, l := range m.unread {
		l.reply(nil, err)
	}
	m.unread = nil
}
