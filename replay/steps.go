package replay

import (
	"cmp"
	"fmt"
	"time"

	"github.com/docket-psa/docket/ticket"
)

// header gives the next step's own time and key. The key names the incident and the line's
// place in it by the step's number: the same log gives the same keys.
func (t *teller) header(kind Kind, who string) ticket.Header {
	at := t.minute
	if !at.After(t.last) {
		at = t.last.Add(time.Millisecond)
	}
	t.last = at
	if who == "" { // the log took it from everybody
		who = cmp.Or(t.owner, scribe)
	}
	return ticket.Header{
		OperationKey: fmt.Sprintf("%s/%s/%d/%s", Source, t.number, len(t.story.Steps)+1, kind), Who: who, Via: ticket.ViaReplay, At: at,
	}
}

func (t *teller) send(kind Kind, h ticket.Header, m ticket.Message) {
	t.story.Steps = append(t.story.Steps, Step{Kind: kind, Header: h, Message: m})
}

func (t *teller) claim() {
	t.owner = t.holder
	if !t.phase.over() {
		t.claimed = t.holder
	}
	h := t.header(Claim, t.holder)
	t.send(Claim, h, ticket.Claim{Header: h})
}

// wait asks somebody. Where another was asked before, that wait ends first.
func (t *teller) wait(reason string) {
	if t.phase == waiting {
		if t.reason == reason {
			return
		}
		t.resume()
	}
	t.phase, t.reason = waiting, reason
	h := t.header(Wait, t.holder)
	t.send(Wait, h, ticket.Wait{Header: h, Reason: reason})
}

func (t *teller) resume() {
	t.phase = active
	h := t.header(Resume, t.holder)
	t.send(Resume, h, ticket.Resume{Header: h})
}

// resolve closes the round with the work that was done in it.
func (t *teller) resolve() {
	t.phase = resolved
	h := t.header(Resolve, t.holder)
	work := t.work.end(t.holder, t.minute)
	for i := range work {
		work[i].OperationKey = fmt.Sprintf("%s/work-%d", h.OperationKey, i+1)
	}
	t.send(Resolve, h, ticket.Resolve{Header: h, Resolution: "Resolved " + t.number, Work: work})
}

func (t *teller) reopen() {
	t.phase, t.owner = active, t.claimed
	h := t.header(Reopen, t.holder)
	t.work = worksheet{from: t.minute}
	t.send(Reopen, h, ticket.Reopen{Header: h, Reason: fmt.Sprintf("the log goes on with %s in %s", t.number, t.row.State)})
}

// refuse keeps a change that makes no sense as a comment.
func (t *teller) refuse(why string) {
	from := t.state
	if from == "" {
		from = "nothing"
	}
	t.comment(Change, fmt.Sprintf("Line %d of the log was refused, from %s to %s: %s.", t.row.Line, from, t.row.State, why), why)
}

func (t *teller) comment(kind Kind, text, refused string) {
	t.story.Steps = append(t.story.Steps, Step{Kind: kind, Header: t.header(kind, scribe), Comment: text, Refused: refused})
}

// scribe signs what nobody of the desk's people did.
const scribe = "docket"
