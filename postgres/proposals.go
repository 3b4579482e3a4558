package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// proposal is a ruling above its sender's limit, as it waits for a second person.
type proposal struct {
	ID       int64
	Content  string // digest of the hold's content
	Digest   string
	Ruling   string // JSON of ticket.Rule
	Amount   decimal.Decimal
	Currency string
	By       string
	ByName   string
	At       time.Time
	Says     string
}

// queueProposal reads the last proposal of the hold that nobody has answered.
func queueProposal(b *pgx.Batch, hold int64, into **proposal) {
	b.Queue(`
select p.id, p.content, p.digest, p.ruling, p.amount, p.currency, p.proposed_by, w.name, p.proposed_at, p.says
from proposals p join people w on w.id = p.proposed_by
where p.hold_id = $1 and not exists (select from proposal_answers a where a.proposal_id = p.id)
order by p.id desc limit 1`, hold).Query(row(into))
}

// standingProposals narrows proposals p of open holds h to those that wait for a second person: unanswered, and of what
// is held now. One of the hold as it was quoted before has fallen.
const standingProposals = `
and not exists (select from proposal_answers a where a.proposal_id = p.id) and p.content = h.hold::jsonb ->> 'digest'`

// standingProposal is what waits on the hold as it is quoted now; nil: nothing. A quote of other content lets it fall; a
// reminder, which quotes the same afresh, does not.
func (d *settling) standingProposal() (*proposal, error) {
	content, err := d.found.content()
	if err != nil || d.proposed == nil || d.proposed.Content != content.Digest {
		return nil, err
	}
	return d.proposed, nil
}

// propose keeps a ruling above its sender's limit for a second person. It has no effect on money.
func (s *Store) propose(b *pgx.Batch, d *settling, m ticket.Rule, p *planned, above beyond) (billing.Settlement, error) {
	name := ticket.HoldID(d.hold)
	standing, err := d.standingProposal()
	if err != nil {
		return billing.Settlement{}, err
	}
	if m.Who == d.found.RequestedBy {
		return billing.Settlement{Outcome: billing.Refused, Says: fmt.Sprintf("%s resolved it himself, so that somebody else rules on %s: it would be %s",
			m.Who, name, above.says(p))}, nil
	}
	if standing != nil {
		return billing.Settlement{Outcome: billing.Refused, Proposal: standing.Digest, Says: standing.Says}, nil
	}
	content, err := d.found.content()
	if err != nil {
		return billing.Settlement{}, err
	}
	ruling, err := json.Marshal(m)
	if err != nil {
		return billing.Settlement{}, fmt.Errorf("encode the ruling: %w", err)
	}
	digest, err := digestOf("proposal", d.hold, content.Digest, m.Who, m.OperationKey, d.asks)
	if err != nil {
		return billing.Settlement{}, err
	}
	digest = digest[:32]
	who := d.people[m.Who]
	says := fmt.Sprintf("%s: %s proposes %s: another person (%s) confirms it (docket exception confirm %s) or rejects it",
		name, cmp.Or(who.Name, who.ID), above.says(p), d.seconds(), name)
	b.Queue(`
insert into proposals (hold_id, client_id, content, digest, ruling, amount, currency, proposed_by, proposed_at, says)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.hold, d.ticket.ClientID, content.Digest, digest, string(ruling), p.measure, p.currency, m.Who, d.at, says)
	d.kind = "co-rule"
	return billing.Settlement{Outcome: billing.Proposed, Says: says, Proposal: digest}, nil
}

// Confirm is a second person's word about a ruling above its sender's limit: it takes effect, or it is gone. Nobody
// confirms his own, nor what is about his own work; it takes finance, an owner, or somebody whose own limit reaches so far.
func (s *Store) Confirm(ctx context.Context, id ticket.ID, m ticket.Confirm) (billing.Settlement, error) {
	if err := m.Validate(); err != nil {
		return billing.Settlement{}, err
	}
	d := &settling{name: ticket.MsgConfirm, head: m.Header, hold: m.Hold, asks: []any{m.Hold, m.Proposal, m.Agreed, m.Reason}}
	return s.settle(ctx, id, d, func(t *tx, b *pgx.Batch) (billing.Settlement, error) {
		if d.typed() {
			return billing.Settlement{Outcome: billing.Refused, Says: unprovenDeed(m.Header, "confirm it at the desk: docket exception confirm "+ticket.HoldID(m.Hold))}, nil
		}
		who := d.people[m.Who]
		standing, err := d.standingProposal()
		if err != nil {
			return billing.Settlement{}, err
		}
		if outcome, says := d.unconfirmed(m, who, standing); outcome != "" {
			return billing.Settlement{Outcome: outcome, Says: says}, nil
		}
		if !m.Agreed {
			queueAnswer(b, d, standing, m)
			says := fmt.Sprintf("%s: %s rejected what %s proposed: %s; it waits for a ruling as before", ticket.HoldID(d.hold), who.Name, standing.ByName, m.Reason)
			return billing.Settlement{Outcome: billing.Rejected, Says: says}, nil
		}
		var ruling ticket.Rule
		if err := json.Unmarshal([]byte(standing.Ruling), &ruling); err != nil {
			return billing.Settlement{}, fmt.Errorf("read the proposal on %s: %w", ticket.HoldID(d.hold), err)
		}
		d.people[standing.By] = actor{ID: standing.By, Name: standing.ByName}
		p, refusal, err := s.plan(ctx, t, d, ruling, m.Who)
		if err != nil || refusal != "" {
			return billing.Settlement{Outcome: billing.Refused, Says: refusal}, err
		}
		if refusal, err := d.beyondSecond(ctx, t, who, p, standing); err != nil || refusal != "" {
			return billing.Settlement{Outcome: billing.Refused, Says: refusal}, err
		}
		settlement, err := p.settle(b)
		if err == nil && settlement.Outcome == billing.Settled {
			queueAnswer(b, d, standing, m)
		}
		return settlement, err
	})
}

// unconfirmed says why a second person's word has no effect; "" when it may have.
func (d *settling) unconfirmed(m ticket.Confirm, who actor, standing *proposal) (billing.Outcome, string) {
	name := ticket.HoldID(d.hold)
	if d.found.State != "open" {
		return d.found.decided()
	}
	if refusal := d.mayRule(who, ticket.MsgConfirm); refusal != "" {
		return billing.Refused, refusal
	}
	switch {
	case standing == nil && d.proposed != nil && d.proposed.Digest == m.Proposal:
		return billing.Stale, name + " is quoted otherwise by now, and what was proposed fell with the old quote; rule on it again"
	case standing == nil:
		return billing.Refused, "nobody has proposed anything on " + name + "; `docket exception show " + name + "` tells what is possible"
	case standing.Digest != m.Proposal:
		return billing.Stale, "that was not what is proposed now. " + standing.Says
	case standing.By == m.Who:
		return billing.Refused, m.Who + " proposed it; nobody confirms his own ruling"
	case d.found.RequestedBy == m.Who:
		return billing.Refused, m.Who + " resolved the ticket; somebody else confirms a ruling on it"
	}
	return "", ""
}

// beyondSecond says why the second person may not go so far either; "" when he may.
func (d *settling) beyondSecond(ctx context.Context, t *tx, who actor, p *planned, standing *proposal) (string, error) {
	if p.measure.GreaterThan(standing.Amount) {
		return fmt.Sprintf("%s comes to %s by now, and %s was proposed; rule on it again", ticket.HoldID(d.hold), money(p.measure, p.currency), money(standing.Amount, standing.Currency)), nil
	}
	if who.mayFinalise() {
		return "", nil
	}
	above, err := d.beyond(ctx, t, who, p)
	if err != nil || above == nil {
		return "", err
	}
	return fmt.Sprintf("%s may not confirm it alone either: it is %s; it takes another person (%s)", who.ID, above.says(p), d.seconds()), nil
}

// seconds names the roles that confirm whatever the limit, of those that may rule in the hold's queue.
func (d *settling) seconds() string {
	var roles []string
	for _, role := range rightsOf(d.found.Reason.Queue()).may {
		if role == "finance" || role == "owner" {
			roles = append(roles, role)
		}
	}
	return strings.Join(roles, " or ")
}

func queueAnswer(b *pgx.Batch, d *settling, p *proposal, m ticket.Confirm) {
	b.Queue("insert into proposal_answers (proposal_id, client_id, confirmed, by_person, at, reason) values ($1, $2, $3, $4, $5, $6)",
		p.ID, d.ticket.ClientID, m.Agreed, m.Who, d.at, m.Reason)
}
