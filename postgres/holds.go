package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// Approvals lists what clients are asked to sign off, oldest first.
func (r Reads) Approvals(ctx context.Context, openOnly bool, client string) ([]billing.HoldView, error) {
	return r.holdViews(ctx, "where h.kind = 'sign-off' and (not $1 or h.state = 'open') and ($2 = '' or h.client_id = $2) order by h.id", openOnly, client)
}

// ExceptionFilter narrows a list of exceptions; an empty field does not.
type ExceptionFilter struct {
	Open   bool // only what still waits
	Client string
	Queue  billing.Queue
	Roles  []string // of a person: only queues that are theirs to look after
}

// Exceptions lists what a person of ours must rule on, oldest first.
func (r Reads) Exceptions(ctx context.Context, f ExceptionFilter) ([]billing.HoldView, error) {
	if f.Queue != "" && !slices.Contains(billing.Queues, f.Queue) {
		return nil, ticket.Invalid("queue", f.Queue, "is no queue", "scope, money, time, contract, project, pattern, order or block")
	}
	all, err := r.holdViews(ctx, "where h.kind = 'exception' and (not $1 or h.state = 'open') and ($2 = '' or h.client_id = $2) order by h.id", f.Open, f.Client)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(h billing.HoldView) bool {
		return (f.Queue != "" && h.Queue != f.Queue) || (f.Roles != nil && !slices.Contains(f.Roles, h.Owner))
	}), nil
}

// HoldsOf lists every hold of a ticket, decided ones too.
func (r Reads) HoldsOf(ctx context.Context, id ticket.ID) ([]billing.HoldView, error) {
	return r.holdViews(ctx, "where h.ticket = $1 order by h.id", id.Number())
}

// HoldByID gives one hold with its last quote; a Problem where there is none.
func (r Reads) HoldByID(ctx context.Context, hold int64) (billing.HoldView, error) {
	found, err := r.holdViews(ctx, "where h.id = $1", hold)
	if err != nil {
		return billing.HoldView{}, err
	}
	if len(found) == 0 {
		return billing.HoldView{}, ticket.Invalid("hold", ticket.HoldID(hold), "is not known", "`docket approval list` and `docket exception list` show the holds")
	}
	return found[0], nil
}

// lastProposal is what waits on hold h for a second person.
const lastProposal = `
left join lateral (select p.content, p.says, p.digest from proposals p where p.hold_id = h.id
  and not exists (select from proposal_answers a where a.proposal_id = p.id) order by p.id desc limit 1) p on true`

type heldRow struct {
	ID        int64
	Kind      billing.HoldKind
	Reason    billing.HoldReason
	Says      string
	Amount    decimal.Decimal
	Currency  string
	Hold      string
	Ticket    int64
	Client    string
	Subject   string
	State     string
	OpenedAt  time.Time
	DecidedAt *time.Time
	DecidedBy string
	Digest    string
	Asked     []string
	ExpiresAt *time.Time
	Step      int
	QuotedAt  *time.Time
	Reminded  int
	Content   string
	Proposed  string
	Proposal  string
}

func (r Reads) holdViews(ctx context.Context, where string, args ...any) ([]billing.HoldView, error) {
	proposed, join := "coalesce(p.content, ''), coalesce(p.says, ''), coalesce(p.digest, '')", lastProposal
	if r.client != "" {
		proposed, join = "'', '', ''", "" // what we think of giving away is ours
	}
	rows, err := r.q.Query(ctx, `
		select h.id, h.kind, h.reason, h.says, h.amount, h.currency, h.hold, h.ticket, h.client_id, t.subject, h.state, h.opened_at,
			h.decided_at, coalesce(h.decided_by, ''), coalesce(q.digest, ''), coalesce(q.asked, '{}'), q.expires_at, coalesce(q.step, 0),
			q.quoted_at, (select count(*) from quote_reminders r where r.hold_id = q.hold_id and r.step = q.step)::int, `+proposed+`
		from holds h join tickets t on t.number = h.ticket
		left join lateral (select * from quotes q where q.hold_id = h.id order by q.step desc limit 1) q on true `+join+" "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	views, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (billing.HoldView, error) {
		h, err := pgx.RowToStructByPos[heldRow](row)
		if err != nil {
			return billing.HoldView{}, err
		}
		var quoted billing.Hold
		if err := json.Unmarshal([]byte(h.Hold), &quoted); err != nil {
			return billing.HoldView{}, fmt.Errorf("read hold %s: %w", ticket.HoldID(h.ID), err)
		}
		v := billing.HoldView{
			HeldQuote: billing.HeldQuote{
				Hold: h.ID, Kind: h.Kind, Reason: h.Reason, Says: h.Says, Amount: h.Amount, Currency: h.Currency, Digest: h.Digest,
				Approvers: h.Asked, Step: h.Step,
			},
			Ticket: string(ticket.NewID(h.Ticket)), Client: h.Client, Subject: h.Subject, State: h.State, OpenedAt: h.OpenedAt,
			Decided: h.DecidedAt, By: h.DecidedBy, Charges: quoted.Charges,
		}
		if h.ExpiresAt != nil {
			v.ExpiresAt, v.Reminded = *h.ExpiresAt, h.Reminded
			if v.Decided == nil {
				v.RemindAt = remindAt(*h.QuotedAt, *h.ExpiresAt, h.Reminded)
			}
		}
		if h.Kind == billing.Exception && r.client == "" {
			v.Queue, v.Rulings = h.Reason.Queue(), quoted.Rulings()
			v.Owner = rightsOf(v.Queue).owner
		}
		if h.State == "open" && h.Content == quoted.Digest {
			v.Proposed, v.Proposal = h.Proposed, h.Proposal
		}
		return v, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	return views, nil
}
