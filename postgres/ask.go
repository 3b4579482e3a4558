package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// askPatience is how long the client has to answer where no contract says it.
const askPatience = 72 * time.Hour

// RequestApproval asks the client's approvers before an action that will cost. The question is
// a hold like any other, without a closure: it takes nothing, and a yes means that no threshold
// asks again up to that amount in this round.
func (s *Store) RequestApproval(ctx context.Context, id ticket.ID, m ticket.RequestApproval) (quote billing.HeldQuote, err error) {
	at := m.At
	if at.IsZero() {
		at = s.now()
	}
	at = at.UTC()
	estimate, places, err := estimated(m)
	input, digestErr := digestOf(id, ticket.MsgRequestApproval, m.Who, m.Action, m.Amount, m.Currency)
	if err := errors.Join(m.Validate(), err, digestErr, plausible("at", at, s.now())); err != nil {
		return quote, err
	}
	err = s.tx(ctx, fmt.Sprintf("ask the client about %s", id), func(t *tx) error {
		var (
			row    lockedTicket
			people = map[string]actor{}
			r      reading
			ask    []string
		)
		b := t.batch()
		queueLock(b, id, &row)
		before := queueEarlier(b, m.OperationKey)
		r.queue(b, id, m.Who, 1)
		queueActors(b, []string{m.Who}, people)
		b.Queue(`
select p.id from people p join tickets t on t.client_id = p.client_id
where t.number = $1 and p.active and 'approver' = any (p.roles) order by p.id`, id.Number()).Query(func(rows pgx.Rows) (err error) {
			ask, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
		if err := t.send(ctx, b); err != nil {
			return err
		}
		if e := before(); e != nil {
			quote, err = recall[billing.HeldQuote](*e, m.OperationKey, input)
			return err
		}
		who, err := pick(people, "who", m.Who)
		if err != nil {
			return err
		}
		if err := who.may(ticket.MsgRequestApproval, row.ClientID); err != nil {
			return err
		}
		if !row.Stage.Open() {
			return ticket.Invalid("ticket", id, "is "+string(row.Stage), "ask before the work; `docket ticket show "+string(id)+"` tells where it stands")
		}
		patience := askPatience
		versions, err := s.versions(ctx, t.conn, r.versions, at, at)
		if err != nil {
			return err
		}
		for _, v := range versions { // whom the contract names goes before whom the client lists
			if named := v.Terms.Contract().Approval; named != nil && v.Terms.Currency() == m.Currency {
				ask = slices.Clone(named.Approvers)
				break
			}
		}
		if len(ask) == 0 {
			return ticket.Invalid("approver", row.ClientID, "has nobody who may approve", "add a person with the role approver, or name one in the contract")
		}
		ids, err := s.holds.take(ctx, t.conn, 1)
		if err != nil {
			return err
		}
		p := posting{ticket: row, round: row.Round, at: at}
		b = t.batch()
		says := fmt.Sprintf("%s asks before acting: %s", cmp.Or(who.Name, who.ID), m.Action)
		quote, err = p.openHold(b, ids[0], billing.Hold{
			Key: "ask/" + m.OperationKey, Kind: billing.SignOff, Reason: billing.BeforeAction, Says: says, Currency: m.Currency,
			Amount: estimate.Round(places), Charges: []billing.Charge{}, Approvers: ask, Patience: patience.Milliseconds(), Digest: input,
		}, m.Who, &moves{})
		if err != nil {
			return err
		}
		if err := moveClock(ctx, t, b, id, func(of *standing) error { return of.asked(at, ids[0]) }); err != nil {
			return err
		}
		if err := s.record(ctx, b, event{
			Ticket: id, Client: row.ClientID, Round: row.Round, At: at, Kind: string(ticket.MsgRequestApproval), Actor: m.Who,
			Via: cmp.Or(m.Via, ticket.ViaTemporal), Key: m.OperationKey, Input: input, Effect: true,
			Says: fmt.Sprintf("%s: %s, %s", ticket.HoldID(ids[0]), says, money(quote.Amount, quote.Currency)), Answer: quote, Opened: []billing.HeldQuote{quote},
		}); err != nil {
			return err
		}
		return t.commit(ctx, b)
	})
	return quote, err
}

func estimated(m ticket.RequestApproval) (decimal.Decimal, int32, error) {
	places, ok := billing.MinorUnits(m.Currency)
	if !ok {
		return decimal.Zero, 0, ticket.Invalid("currency", m.Currency, "is not an ISO 4217 currency", "give a code such as USD")
	}
	estimate, ok := figure(m.Amount)
	if !ok || !estimate.IsPositive() || estimate.GreaterThan(decimal.New(1, 12)) {
		return decimal.Zero, 0, ticket.Invalid("amount", m.Amount, "is not an amount to ask for", "give a decimal above zero, such as 250.00")
	}
	if !estimate.Equal(estimate.Round(places)) {
		return decimal.Zero, 0, ticket.Invalid("amount", m.Amount, fmt.Sprintf("has more than the %d decimals of %s", places, m.Currency), "round it")
	}
	return estimate, places, nil
}

// plain is a number as people write amounts. An exponent would let a few bytes ask for a number of
// millions of digits.
var plain = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,9})?$`)

// figure reads an amount of at most 9 decimals, which is 0 or more.
func figure(s string) (decimal.Decimal, bool) {
	if !plain.MatchString(s) {
		return decimal.Zero, false
	}
	d, err := decimal.NewFromString(s)
	return d, err == nil
}
