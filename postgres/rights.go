package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/ticket"
)

// actor is somebody a message names, with what deeds need to know of him.
type actor struct {
	ID           string
	Name         string
	Kind         ticket.Kind
	Client       string // empty: one of ours
	Roles        []string
	WorkRole     string
	HourlyCost   decimal.Decimal
	TokenCost    decimal.Decimal // of a thousand tokens
	CostCurrency string
	Active       bool
}

const actorColumns = `id, name, kind, coalesce(client_id, ''), roles, work_role, hourly_cost, token_cost, cost_currency, active`

// Who acts without a row of his own.
const (
	itself   = "docket"   // what follows from a rule: triage, routing, a deadline that passed
	operator = "operator" // who runs Temporal, and asked it there to cancel a workflow
)

// queueActors reads people by id, those that exist.
func queueActors(b *pgx.Batch, ids []string, into map[string]actor) {
	b.Queue("select "+actorColumns+" from people where id = any ($1)", ids).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[actor])
		for _, a := range found {
			into[a.ID] = a
		}
		return err
	})
}

// queueActor reads one person by id, if there is one: by a plan that is made once, where a list of
// ids is planned at each call.
func queueActor(b *pgx.Batch, id string, into map[string]actor) {
	b.Queue("select "+actorColumns+" from people where id = $1", id).Query(func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[actor])
		for _, a := range found {
			into[a.ID] = a
		}
		return err
	})
}

// pick gives the person of the id, or a Problem with the field that named him. Who acts without a
// row is nobody here: a message that claims to be of the desk itself would need no role at all.
func pick(people map[string]actor, field, id string) (actor, error) {
	a, ok := people[id]
	switch {
	case !ok || id == itself || id == operator:
		return actor{}, ticket.Invalid(field, id, "is not known", "give the id of a person the desk knows")
	case !a.Active:
		return actor{}, ticket.Invalid(field, id, "is no longer active", "name somebody who is")
	}
	return a, nil
}

// maySetTerms is the right to say who the clients are, what they have and what they have agreed: nil, or a Problem. What
// is billed from then on goes by it, so no client's person, technician or agent has it.
func maySetTerms(people map[string]actor, who, deed string) error {
	a, err := pick(people, "by", who)
	if err != nil {
		return err
	}
	roles := []string{"dispatcher", "owner", "finance"}
	if a.Client != "" || !slices.ContainsFunc(a.Roles, func(role string) bool { return slices.Contains(roles, role) }) {
		return ticket.Invalid("by", who, "may not "+deed, "it takes one of the roles "+strings.Join(roles, ", "))
	}
	return nil
}

// maySet is maySetTerms before a transaction begins.
func (s *Store) maySet(ctx context.Context, who, deed string) error {
	people, err := s.people(ctx, who)
	if err != nil {
		return err
	}
	return maySetTerms(people, who, deed)
}

// people reads those of the ids that exist, before a transaction begins.
func (s *Store) people(ctx context.Context, ids ...string) (map[string]actor, error) {
	found := map[string]actor{}
	b := &pgx.Batch{}
	queueActors(b, ids, found)
	if err := s.pool.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("look for %s: %w", strings.Join(ids, ", "), err)
	}
	return found, nil
}

// pickSender gives who sent the message: a person, or the operator who asked Temporal to cancel
// the workflow. Whoever may do that there may also type the message, so it gives him nothing.
func pickSender(people map[string]actor, name ticket.Name, h ticket.Header) (actor, error) {
	if h.Who == operator && name == ticket.MsgCancel && cmp.Or(h.Via, ticket.ViaTemporal) == ticket.ViaTemporal {
		return actor{ID: operator, Name: operator, Kind: ticket.System, Active: true}, nil
	}
	return pick(people, "who", h.Who)
}

// deedItem is AddItem's: a row, not a message of the ticket's workflow.
const deedItem ticket.Name = "item"

// deedMove is Move's, likewise.
const deedMove ticket.Name = "move"

// deedProject is what is done to a project: a row, too.
const deedProject ticket.Name = "project"

// deedSplit and deedUnmerge are Split's and Unmerge's.
const (
	deedSplit   ticket.Name = "split"
	deedUnmerge ticket.Name = "unmerge"
)

// deeds says which roles may do what: one of ours on any ticket, a client's person (contact,
// approver) on that client's tickets alone. A person of kind system, which is no role, may do
// what needs nobody's judgement.
var deeds = map[ticket.Name][]string{
	ticket.MsgClaim:           {"technician", "dispatcher", "agent"},
	ticket.MsgWork:            {"technician", "dispatcher", "agent", "owner", "system"},
	deedItem:                  {"technician", "dispatcher", "agent", "owner", "finance", "system"},
	deedMove:                  {"dispatcher", "owner"},
	deedSplit:                 {"technician", "dispatcher", "agent", "owner"},
	deedUnmerge:               {"technician", "dispatcher", "agent", "owner"},
	ticket.MsgWait:            {"technician", "dispatcher", "agent", "owner", "system"},
	ticket.MsgResume:          {"technician", "dispatcher", "agent", "owner", "system", "contact", "approver"},
	ticket.MsgReply:           {"technician", "dispatcher", "agent", "owner", "system", "contact", "approver"},
	ticket.MsgEscalate:        {"technician", "dispatcher", "agent", "owner", "system", "contact", "approver"},
	ticket.MsgPrioritise:      {"technician", "dispatcher", "agent", "owner", "system"},
	ticket.MsgResolve:         {"technician", "dispatcher", "agent", "owner", "system"},
	ticket.MsgRequestApproval: {"technician", "dispatcher", "agent", "owner"},
	ticket.MsgSignOff:         {"approver", "owner"},
	ticket.MsgRule:            {"dispatcher", "finance", "owner"}, // by queue: see rights
	ticket.MsgConfirm:         {"dispatcher", "finance", "owner"},
	deedProject:               {"dispatcher", "finance", "owner"},
	ticket.MsgReopen:          {"technician", "dispatcher", "agent", "owner", "system", "contact", "approver"},
	ticket.MsgMerge:           {"technician", "dispatcher", "agent", "owner"},
	ticket.MsgCancel:          {"technician", "dispatcher", "agent", "owner", "system", "contact", "approver"},
}

// may says whether the person may do the deed on a ticket of the client: nil, or a Problem.
func (a actor) may(deed ticket.Name, client string) error {
	if a.Client != "" && a.Client != client {
		return ticket.Invalid("who", a.ID, "belongs to another client", "only people of "+client+" and of the desk act on its tickets")
	}
	allowed := deeds[deed]
	if a.Kind == ticket.System && slices.Contains(allowed, "system") {
		return nil
	}
	for _, role := range a.Roles {
		ofClient := role == "contact" || role == "approver"
		if slices.Contains(allowed, role) && (a.Client == "" || ofClient) {
			return nil
		}
	}
	what := strings.ReplaceAll(string(deed), "-", " ") + " a ticket"
	switch deed {
	case deedItem:
		what = "add items to a ticket"
	case deedProject:
		what = "make or change projects"
	case ticket.MsgConfirm:
		what = "confirm a ruling"
	default:
	}
	return ticket.Invalid("who", a.ID, "may not "+what,
		"it takes one of the roles "+strings.Join(allowed, ", "))
}
