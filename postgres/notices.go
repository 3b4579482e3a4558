package postgres

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// audience is a group of people who may hear of an event.
type audience string

// The audiences. Whoever is away or gone is stood in for by his delegate; AI agents and programs read no mail.
const (
	toAsked       audience = "asked"       // whom the quote asks; in place of one who asked for the work, his delegate
	toNamed       audience = "named"       // whom the event's answer names as to
	toRequester   audience = "requester"   // who resolved the ticket, or asked the client before acting
	toAssignee    audience = "assignee"    // who has the ticket after the event
	toDispatchers audience = "dispatchers" // ours
	toFinance     audience = "finance"     // ours
	toOwners      audience = "owners"      // ours
	toPayer       audience = "payer"       // the mail address that the deed names, else the one of the client's invoices
	toQueue       audience = "queue"       // of the exception: whoever is expected to look, dispatchers or finance
)

// about is what a notice carries beside its event.
type about string

const (
	theTicket  about = ""
	signOffs   about = "sign-off"  // one notice for each quote that asks the client
	exceptions about = "exception" // one for each that waits for a ruling
	anyHold    about = "hold"      // one for each of both
)

// opens is the event of every hold that an event opens, whichever event it is.
const opens = "opens"

// hearing is one row of who hears of what.
type hearing struct {
	event   string // kind of the event; of a word about a hold, its outcome after a slash; of one that names whom it hands the ticket to or takes it from, /handed
	about   about
	hear    []audience
	instead []audience // where nobody of hear is there: the first of these groups that has anybody
	tells   string     // the template: a file of notify/templates
	urgent  bool       // also in quiet hours
	told    bool       // also to the one who did it: he has to act on it
	vital   bool       // nobody there to hear is put on record as undeliverable, for the doctor to tell
}

// whoHears is the whole of it: what is not here is told to nobody. Endpoints hear whatever a row tells, by its template.
var whoHears = []hearing{
	// The client is asked, reminded, asked further up.
	{event: opens, about: signOffs, hear: []audience{toAsked}, tells: "asked", told: true, vital: true},
	{event: "reminder", about: signOffs, hear: []audience{toAsked}, tells: "reminder", told: true, vital: true},
	{event: "overdue", about: signOffs, hear: []audience{toAsked}, tells: "overdue", told: true, vital: true},
	// A dispatcher must rule.
	{event: opens, about: exceptions, hear: []audience{toQueue}, instead: []audience{toDispatchers, toOwners}, tells: "exception", told: true, vital: true},
	{event: "reminder", about: exceptions, hear: []audience{toQueue}, instead: []audience{toDispatchers, toOwners}, tells: "reminder", told: true, vital: true},
	{event: "overdue", about: exceptions, hear: []audience{toAsked, toQueue}, instead: []audience{toOwners}, tells: "overdue", told: true, vital: true},
	{event: "sign-off/declined", about: exceptions, hear: []audience{toQueue}, instead: []audience{toDispatchers, toOwners}, tells: "declined", told: true, vital: true},
	{event: "sign-off/declined", about: exceptions, hear: []audience{toRequester}, tells: "declined"},
	// A second person must confirm a ruling.
	{event: "co-rule/proposed", about: anyHold, hear: []audience{toFinance, toOwners}, tells: "proposed", vital: true},
	{event: "confirm/rejected", about: anyHold, hear: []audience{toDispatchers}, instead: []audience{toOwners}, tells: "rejected", vital: true},
	// Somebody decided.
	{event: "sign-off/declined", about: signOffs, hear: []audience{toRequester}, tells: "declined"}, // asked before the work: there is nothing to rule on
	{event: "sign-off/settled", about: signOffs, hear: []audience{toRequester}, tells: "approved"},
	{event: "rule/settled", about: anyHold, hear: []audience{toRequester}, tells: "ruled"},
	{event: "rule/sent-back", about: anyHold, hear: []audience{toRequester}, tells: "ruled"},
	{event: "confirm/settled", about: anyHold, hear: []audience{toRequester}, tells: "ruled"},
	{event: "confirm/sent-back", about: anyHold, hear: []audience{toRequester}, tells: "ruled"},
	// The clock and the desk.
	{event: "warning", hear: []audience{toNamed, toAssignee}, instead: []audience{toDispatchers}, tells: "warning", urgent: true, vital: true},
	{event: "breach", hear: []audience{toNamed, toAssignee}, instead: []audience{toDispatchers}, tells: "breach", urgent: true, vital: true},
	{event: "escalated", hear: []audience{toNamed}, instead: []audience{toOwners}, tells: "breach", urgent: true, vital: true},
	{event: "escalate", hear: []audience{toAssignee}, instead: []audience{toDispatchers}, tells: "escalated", urgent: true, vital: true},
	{event: "routed/handed", hear: []audience{toNamed}, tells: "assigned"},
	// Whoever has a ticket, or had it until then, hears what another did to it.
	{event: "claim/handed", hear: []audience{toNamed}, tells: "changed"},
	{event: "escalate/handed", hear: []audience{toNamed}, tells: "changed"},
	{event: "merge/handed", hear: []audience{toNamed}, tells: "changed"},
	{event: "merged-in", hear: []audience{toAssignee}, tells: "changed"},
	{event: "unmerged", hear: []audience{toAssignee}, tells: "changed"},
	{event: "split", hear: []audience{toAssignee}, tells: "changed"},
	{event: "move", hear: []audience{toAssignee}, tells: "changed"},
	{event: "reopen", hear: []audience{toAssignee}, instead: []audience{toDispatchers}, tells: "reopened"},
	// Money that does not come.
	{event: "question", hear: []audience{toFinance}, instead: []audience{toOwners}, tells: "dispute", told: true, vital: true},
	{event: "invoice-reminder", hear: []audience{toFinance}, instead: []audience{toOwners}, tells: "past-due", told: true},
	// What the payer gets.
	{event: "invoice-sent", hear: []audience{toPayer}, tells: "invoice"},
	{event: "credit-note-sent", hear: []audience{toPayer}, tells: "credit-note"},
	{event: "payer-reminder", hear: []audience{toPayer}, tells: "payment-due"},
	{event: "block-low", hear: []audience{toOwners}, instead: []audience{toDispatchers}, tells: "block-low", told: true},
}

// told is one notice to write for each of its audience.
type told struct {
	Tells   string     `json:"tells"`
	Hear    []audience `json:"hear"`
	Instead []audience `json:"instead"`
	Urgent  bool       `json:"urgent"`
	Told    bool       `json:"told"`
	Vital   bool       `json:"vital"`
	Hold    int64      `json:"hold"`
	Quote   any        `json:"quote,omitempty"` // billing.HeldQuote, as it stood then
	Invoice int64      `json:"invoice,omitempty"`
	Note    int64      `json:"note,omitempty"`
	Address string     `json:"address,omitempty"`
}

// topic is the event's kind as whoHears names it.
func (e event) topic() string {
	if s, ok := e.Answer.(billing.Settlement); ok {
		return e.Kind + "/" + string(s.Outcome)
	}
	if h, ok := e.Answer.(handed); ok && len(h.To) > 0 {
		return e.Kind + "/handed"
	}
	if m, ok := e.Answer.(merged); ok && len(m.To) > 0 {
		return e.Kind + "/handed"
	}
	return e.Kind
}

// handed is the answer on record to a deed that gives a ticket to somebody or takes it from him, of which he is to hear.
type handed struct {
	ticket.Answer
	To []string `json:"to"`
}

// notices are what is to be told of the event, as JSON; nil: nothing. What had no effect is told to nobody but its sender.
func (e event) notices() ([]byte, error) {
	if !e.Effect {
		return nil, nil
	}
	var list []told
	for _, h := range whoHears {
		quotes := e.Held
		if h.event == opens {
			quotes = e.Opened
		} else if h.event != e.topic() && h.event != e.Kind {
			continue
		}
		one := told{
			Tells: h.tells, Hear: h.hear, Instead: h.instead, Urgent: h.urgent, Told: h.told, Vital: h.vital, Invoice: e.Invoice, Note: e.Note, Address: e.Address,
		}
		if h.about == theTicket {
			list = append(list, one)
			continue
		}
		for _, q := range quotes {
			if h.about == anyHold || string(q.Kind) == string(h.about) {
				one.Hold, one.Quote, one.Hear = q.Hold, q, heard(h.hear, q)
				list = append(list, one)
			}
		}
	}
	if list == nil {
		return nil, nil
	}
	wanted, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encode who hears of %s: %w", e.Kind, err)
	}
	return wanted, nil
}

// heard says who hears of a quote where that goes by its queue: whose it is, and finance only where it may rule.
func heard(hear []audience, q billing.HeldQuote) []audience {
	r := rightsOf(q.Reason.Queue())
	whose := map[string]audience{"finance": toFinance, "owner": toOwners, "dispatcher": toDispatchers}[r.owner]
	var list []audience
	for _, a := range hear {
		switch {
		case a == toQueue:
			list = append(list, whose)
		case a == toFinance && !slices.Contains(r.may, "finance"):
		default:
			list = append(list, a)
		}
	}
	return list
}

// settledQuote is the quote that a settlement was about: the one that stands now, or the one that was decided.
func settledQuote(found waiting, s billing.Settlement) []billing.HeldQuote {
	if i := slices.IndexFunc(s.Held, func(q billing.HeldQuote) bool { return q.Hold == found.ID }); i >= 0 {
		return []billing.HeldQuote{s.Held[i]}
	}
	return []billing.HeldQuote{found.quote()}
}

// insertTold writes an event and, in the same statement, a notice for everybody who is to hear of it, of which %d is the
// last parameter. The past that is told again is told to nobody.
const insertTold = `
with e as (` + insertEvent + ` returning 'event ' || id as cause, id, ticket, client_id, at, recorded_at, actor, says, answer),` + tellWanted

// queueNotice tells of an event of no ticket, once a cause.
func queueNotice(b *pgx.Batch, cause string, e event) error {
	e.Effect = true
	wanted, err := e.notices()
	if err != nil {
		return err
	}
	b.Queue(fmt.Sprintf(insertNotice, 6), cause, e.Client, e.At, e.Actor, e.Says+".", wanted)
	return nil
}

// insertNotice tells of what is no event of a ticket: $1 is its cause, which makes it single.
const insertNotice = `
with e as (select $1::text as cause, null::bigint as id, null::bigint as ticket, $2::text as client_id, $3::timestamptz as at,
  $3::timestamptz as recorded_at, $4::text as actor, $5::text as says, null::jsonb as answer),` + tellWanted

const tellWanted = `
wanted as (
  select row_number() over () as n, r.*, e.cause, e.id as event, e.ticket, e.client_id, e.at, e.recorded_at, e.actor, e.says, e.answer,
    t.assignee, t.contact_id, h.requested_by
  from e left join tickets t on t.number = e.ticket
  cross join jsonb_to_recordset($%d::jsonb) as r (tells text, hear text[], instead text[], urgent bool, told bool, vital bool, hold bigint, quote jsonb,
    invoice bigint, note bigint, address text)
  left join holds h on h.id = r.hold and r.hold <> 0
  where t.event_time is not true),
meant as ( -- a person of each group, and who hears in his place
  select w.n, g.rank, case
    when g.who = '` + string(toAsked) + `' and p.id in (w.contact_id, w.requested_by) or not p.active then d.id
    when p.absent_until > w.recorded_at then coalesce(d.id, p.id)
    else p.id end as id
  from wanted w
  cross join lateral (
    select unnest(w.hear) as who, 0 as rank union all select * from unnest(w.instead) with ordinality) g
  join people p on case g.who
    when '` + string(toAsked) + `' then w.quote -> 'approvers' ? p.id
    when '` + string(toNamed) + `' then w.answer -> 'to' ? p.id
    when '` + string(toRequester) + `' then p.id = w.requested_by
    when '` + string(toAssignee) + `' then p.id = w.assignee
    when '` + string(toDispatchers) + `' then p.client_id is null and 'dispatcher' = any (p.roles)
    when '` + string(toFinance) + `' then p.client_id is null and 'finance' = any (p.roles)
    when '` + string(toOwners) + `' then p.client_id is null and 'owner' = any (p.roles)
    end
  left join people d on d.id = p.delegate_id and d.active),
heard as ( -- nobody hears of another client's matter, whatever its contract names him as
  select distinct w.n, m.rank, p.id, p.email from wanted w join meant m on m.n = w.n join people p on p.id = m.id
  where p.kind = 'human' and (w.told or p.id <> w.actor) and (p.client_id is null or p.client_id = w.client_id)),
told as (
  select n, 'mail' as channel, id as recipient, false as to_address, case when email = '' then 'undeliverable' else 'waiting' end as state,
    case when email = '' then id || ' has no mail address' else '' end as why
  from heard a where a.rank = (select min(b.rank) from heard b where b.n = a.n)
  union all
  select w.n, 'mail', p.address, true, case when p.address = '' then 'undeliverable' else 'waiting' end,
    case when p.address = '' then w.client_id || ' has no mail address: docket client address ' || w.client_id || ' --email ADDRESS' else '' end
  from wanted w join clients c on c.id = w.client_id
  cross join lateral (select coalesce(w.address, lower(c.party ->> 'email'), '') as address) p
  where '` + string(toPayer) + `' = any (w.hear)
  union all
  select w.n, 'webhook', x.id, false, 'waiting', '' from wanted w join notice_endpoints x on x.active and (x.tells = '{}' or w.tells = any (x.tells))
  union all
  select w.n, 'mail', '', false, 'undeliverable', 'nobody is there to hear: ' || array_to_string(w.hear || w.instead, ', ')
  from wanted w where w.vital and not exists (select from heard a where a.n = w.n))
insert into notices (cause, event, ticket, client_id, hold, quote, tells, urgent, channel, recipient, says, at, created_at, state, due_at, last_error,
  invoice_id, note_id, to_address)
select w.cause, w.event, w.ticket, w.client_id, w.hold, w.quote, w.tells, w.urgent, t.channel, t.recipient, w.says, w.at,
  w.recorded_at, t.state, w.recorded_at, t.why, w.invoice, w.note, t.to_address
from told t join wanted w on w.n = t.n order by w.n, t.channel, t.recipient
on conflict do nothing`
