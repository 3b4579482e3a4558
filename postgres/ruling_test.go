package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// rule sends a ruling, which must be well-formed.
func (k *till) rule(id ticket.ID, who string, hold int64, action ticket.Ruling, terms ticket.RuleTerms) billing.Settlement {
	k.t.Helper()
	s, err := k.Rule(k.t.Context(), id, ticket.Rule{Header: k.by(who), Hold: hold, Action: action, Reason: "as agreed", RuleTerms: terms})
	require.NoError(k.t, err)
	return s
}

// why are the sentences of the posted lines of a settlement.
func (k *till) why(s billing.Settlement) []string {
	k.t.Helper()
	var said []string
	for _, l := range s.Posted {
		if l.Line != 0 {
			why, err := k.Why(k.t.Context(), l.Line)
			require.NoError(k.t, err)
			said = append(said, why.Sentences...)
		}
	}
	return said
}

func TestRuledUnderAnotherContract(t *testing.T) {
	t.Run("draws from that contract's block, and gives back when reopened", func(t *testing.T) {
		k := newTill(t, hourly, blocks)
		k.grant(2)
		id := k.ticket("network")
		held := k.close(id, 1, k.minutes("tom", 60)).Held
		require.Len(t, held, 1)
		require.Equal(t, billing.Tie, held[0].Reason)

		ruled := k.rule(id, "dora", held[0].Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-block"})
		require.Equal(t, billing.Settled, ruled.Outcome, ruled.Says)
		require.Equal(t, "1", k.hoursLeft())
		require.Equal(t, "0.00", k.owed())
		require.Contains(t, k.why(ruled), "It was held as "+ticket.HoldID(held[0].Hold)+", and dora ruled that it falls under contract acme-block: as agreed.")
		k.proved()

		again := k.rule(id, "dora", held[0].Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-hourly"})
		require.Equal(t, billing.Already, again.Outcome)

		k.reopen(id)
		require.Equal(t, "2", k.hoursLeft())
		k.proved()
		k.begin(id, 2)
		require.Equal(t, billing.Tie, k.close(id, 2).Held[0].Reason, "the work is rated afresh")
		k.proved()
	})
	t.Run("asks for the sign-off that contract asks for", func(t *testing.T) {
		k := newTill(t, hourly, blocks)
		k.grant(2)
		id := k.ticket("network")
		tie := k.close(id, 1, k.minutes("tom", 360)).Held[0]
		ruled := k.rule(id, "dora", tie.Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-hourly"})
		require.Equal(t, billing.Settled, ruled.Outcome, ruled.Says)
		require.Empty(t, ruled.Posted)
		require.Len(t, ruled.Held, 1)
		require.Equal(t, billing.OverThreshold, ruled.Held[0].Reason)
		require.Equal(t, "900.00", ruled.Held[0].Amount.StringFixed(2))
		k.proved()

		signed, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: ruled.Held[0].Hold, Digest: ruled.Held[0].Digest, Approved: true})
		require.NoError(t, err)
		require.Equal(t, billing.Settled, signed.Outcome)
		require.Equal(t, "900.00", k.owed())
		k.proved()
		k.reopen(id)
		require.Equal(t, "0.00", k.owed())
		k.proved()
	})
	t.Run("of one part of an entry whose rest has posted", func(t *testing.T) {
		k := newTill(t, heldOverage, networks)
		k.grantOn("acme-held", 1)
		id := k.ticket("network")
		r := k.close(id, 1, k.minutes("tom", 150))
		require.Equal(t, billing.BlockEmpty, r.Held[0].Reason)
		require.Equal(t, "0", k.hoursLeft())

		ruled := k.rule(id, "dora", r.Held[0].Hold, ticket.OtherContract, ticket.RuleTerms{Contract: "acme-networks"})
		require.Equal(t, billing.Settled, ruled.Outcome, ruled.Says)
		require.Equal(t, "135.00", k.owed(), "the 90 minutes beyond the block, at 90.00 an hour")
		require.Equal(t, "0", k.hoursLeft(), "what the block paid for stands")
		k.proved()
		k.reopen(id)
		require.Equal(t, "1", k.hoursLeft())
		k.proved()
	})
	t.Run("not by one that cannot rate it", func(t *testing.T) {
		k := newTill(t, hourly, blocks)
		id := k.ticket("project")
		out := k.close(id, 1, k.minutes("tom", 60)).Held[0]
		for contract, says := range map[string]string{
			"zenith-all": "zenith-all is no contract of acme; possible: acme-hourly",
			"acme-block": "is quoted under acme-block already; possible: acme-hourly",
		} {
			s := k.rule(id, "dora", out.Hold, ticket.OtherContract, ticket.RuleTerms{Contract: contract})
			require.Equal(t, billing.Refused, s.Outcome)
			require.Contains(t, s.Says, says)
		}
		k.proved()
	})
}

// heldOverage asks a dispatcher about time beyond its block; networks is there beside it, with less to say.
const heldOverage = `
schema: docket.contract/v1
contract: acme-held
client: acme
name: Block of hours, overage held
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
priority: 10
rates:
  - {clause: "3.1", work_role: engineer, hourly: "120.00"}
lines:
  - {clause: "4.1", name: Block hours, charge: block, overage: hold, match: {categories: [network]}}
`

const networks = `
schema: docket.contract/v1
contract: acme-networks
client: acme
name: Networks
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", hourly: "90.00"}
lines:
  - {clause: "2.1", name: Networks, charge: time, match: {categories: [network]}}
`

func (k *till) grantOn(contract string, hours int64) {
	k.t.Helper()
	_, err := k.GrantBlock(k.t.Context(), postgres.BlockGrant{
		OperationKey: k.key(), Contract: contract, Hours: decimal.NewFromInt(hours), GrantedAt: noon.AddDate(0, -1, 0), Currency: "USD",
	})
	require.NoError(k.t, err)
}

func TestRuledInParts(t *testing.T) {
	t.Run("an hour of three bills, the rest is covered", func(t *testing.T) {
		k := newTill(t, hourly)
		id := k.ticket("project")
		q := k.close(id, 1, k.minutes("tom", 180)).Held[0]
		ruled := k.rule(id, "dora", q.Hold, ticket.Split, ticket.RuleTerms{BillMS: time.Hour.Milliseconds(), Rest: ticket.Cover})
		require.Equal(t, billing.Settled, ruled.Outcome, ruled.Says)
		require.Equal(t, "150.00", k.owed())
		require.Len(t, ruled.Posted, 2)
		require.Contains(t, k.why(ruled), "dora ruled to bill 1 h of what was held, and that the contract covers the rest: as agreed.")
		require.EqualValues(t, 180*60_000, k.count("select sum(upper(span) - lower(span)) from charge_work"), "no millisecond is lost, or there twice")
		k.proved()
		k.reopen(id)
		require.Equal(t, "0.00", k.owed())
		k.proved()
		k.begin(id, 2)
		require.Equal(t, "450.00", k.close(id, 2).Held[0].Amount.StringFixed(2))
		k.proved()
	})
	t.Run("an amount bills, we bear the rest", func(t *testing.T) {
		k := newTill(t, hourly)
		id := k.ticket("project")
		q := k.close(id, 1, k.minutes("tom", 180)).Held[0]
		ruled := k.rule(id, "dora", q.Hold, ticket.Split, ticket.RuleTerms{BillAmount: "100.01", Rest: ticket.WriteOff})
		require.Equal(t, billing.Settled, ruled.Outcome, ruled.Says)
		require.Equal(t, "100.01", k.owed())
		require.EqualValues(t, 1, k.count("select count(*) from charges where kind = 'written-off' and hidden"))
		require.EqualValues(t, 180*60_000, k.count("select sum(upper(span) - lower(span)) from charge_work"))
		k.proved()
	})
	t.Run("a block draws for what bills alone", func(t *testing.T) {
		k := newTill(t, blocks)
		k.grant(1)
		id := k.ticket("network")
		q := k.close(id, 1, k.minutes("tom", 360)).Held[0]
		require.Equal(t, "0", k.hoursLeft())
		_, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: q.Hold, Digest: q.Digest, Reason: "too much"})
		require.NoError(t, err)
		half := k.rule(id, "dora", q.Hold, ticket.Split, ticket.RuleTerms{BillMS: 30 * 60_000, Rest: ticket.WriteOff})
		require.Equal(t, billing.Settled, half.Outcome, half.Says)
		require.Equal(t, "0.5", k.hoursLeft())
		require.Equal(t, "0.00", k.owed())
		k.proved()
		k.reopen(id)
		require.Equal(t, "1", k.hoursLeft())
		k.proved()
	})
	t.Run("refused where it makes no sense", func(t *testing.T) {
		k := newTill(t, hourly)
		id := k.ticket("project")
		q := k.close(id, 1, k.minutes("tom", 60)).Held[0]
		for _, terms := range []ticket.RuleTerms{
			{BillAmount: "150.00", Rest: ticket.Cover},
			{BillAmount: "0", Rest: ticket.Cover},
			{BillMS: 60 * 60_000, Rest: ticket.Cover},
			{BillAmount: "0.001", Rest: ticket.Cover},
			{BillMS: 1, BillAmount: "1.00", Rest: ticket.Cover},
			{BillMS: 1},
			{BillMS: -1, Rest: ticket.Cover},
		} {
			_, err := k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: q.Hold, Action: ticket.Split, Reason: "half", RuleTerms: terms})
			var p *ticket.Problem
			require.ErrorAs(t, err, &p, "%+v", terms)
		}
		signing := k.ticket("email")
		asked := k.close(signing, 1, k.minutes("tom", 240)).Held[0]
		for _, action := range []ticket.Ruling{ticket.Split, ticket.OtherContract, ticket.ToProject, ticket.Bill} {
			terms := map[ticket.Ruling]ticket.RuleTerms{
				ticket.Split: {BillMS: 1, Rest: ticket.Cover}, ticket.OtherContract: {Contract: "x"}, ticket.ToProject: {Project: "p", Budget: "1"},
			}[action]
			s := k.rule(signing, "dora", asked.Hold, action, terms)
			require.Equal(t, billing.Refused, s.Outcome, "the client has been asked")
			require.Contains(t, s.Says, "waits for the client's sign-off")
		}
		require.Equal(t, "0.00", k.owed())
		k.proved()
	})
}

func TestFourEyesAboveALimit(t *testing.T) {
	open := func(t *testing.T) (*till, ticket.ID, billing.HeldQuote) {
		k := newTill(t, hourly)
		require.NoError(t, k.PutPerson(t.Context(), postgres.Staffing{Person: ticket.Person{ID: "fay", Name: "Fay", Kind: ticket.Human, Roles: []string{"finance"}}}))
		require.NoError(t, k.PutPerson(t.Context(), postgres.Staffing{Person: ticket.Person{ID: "dan", Name: "Dan", Kind: ticket.Human, Roles: []string{"dispatcher"}}}))
		id := k.ticket("project")
		return k, id, k.close(id, 1, k.minutes("tom", 480)).Held[0] // 1,200.00
	}
	confirm := func(k *till, id ticket.ID, who string, hold int64, proposal string, agreed bool) billing.Settlement {
		k.t.Helper()
		s, err := k.Confirm(k.t.Context(), id, ticket.Confirm{Header: k.by(who), Hold: hold, Proposal: proposal, Agreed: agreed, Reason: "not again"})
		require.NoError(k.t, err)
		return s
	}

	t.Run("proposed, and confirmed by a second person", func(t *testing.T) {
		k, id, q := open(t)
		none := confirm(k, id, "olga", q.Hold, "x", true)
		require.Equal(t, billing.Refused, none.Outcome)
		require.Contains(t, none.Says, "nobody has proposed anything")

		p := k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
		require.Equal(t, billing.Proposed, p.Outcome, p.Says)
		require.Contains(t, p.Says, "Dora proposes write-off of 1200.00 USD, above the 1000.00 USD")
		require.Len(t, p.Held, 1)
		require.EqualValues(t, 0, k.count("select count(*) from charges"))
		require.EqualValues(t, 1, k.count("select count(*) from ticket_events where kind = 'co-rule' and effect"))
		k.proved()

		twice := k.rule(id, "dan", q.Hold, ticket.Cover, ticket.RuleTerms{})
		require.Equal(t, billing.Refused, twice.Outcome, "one proposal at a time")
		require.Equal(t, billing.Refused, confirm(k, id, "dora", q.Hold, p.Proposal, true).Outcome, "nobody confirms his own")
		require.Equal(t, billing.Refused, confirm(k, id, "dan", q.Hold, p.Proposal, true).Outcome, "his limit does not reach so far either")
		require.Equal(t, billing.Refused, confirm(k, id, "tom", q.Hold, p.Proposal, true).Outcome, "not a technician")
		require.Equal(t, billing.Stale, confirm(k, id, "olga", q.Hold, "another", true).Outcome)
		require.EqualValues(t, 0, k.count("select count(*) from charges"))

		done := confirm(k, id, "olga", q.Hold, p.Proposal, true)
		require.Equal(t, billing.Settled, done.Outcome, done.Says)
		require.Contains(t, done.Says, "write-off by Dora, confirmed by Olga")
		require.Equal(t, billing.Already, confirm(k, id, "olga", q.Hold, p.Proposal, true).Outcome)
		k.proved()
		k.reopen(id)
		k.proved()
	})
	t.Run("rejected, it waits as before", func(t *testing.T) {
		k, id, q := open(t)
		p := k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
		no := confirm(k, id, "olga", q.Hold, p.Proposal, false)
		require.Equal(t, billing.Rejected, no.Outcome)
		require.Len(t, no.Held, 1)
		require.Equal(t, billing.Refused, confirm(k, id, "olga", q.Hold, p.Proposal, true).Outcome, "it is gone")
		require.Equal(t, billing.Settled, k.rule(id, "dora", q.Hold, ticket.Bill, ticket.RuleTerms{}).Outcome, "billing it gives nothing away")
		require.Equal(t, "1200.00", k.owed())
		k.proved()
	})
	t.Run("a reminder leaves it standing, a reopening does not", func(t *testing.T) {
		k, id, q := open(t)
		p := k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
		k.pass(5 * time.Hour)
		_, err := k.Overdue(t.Context(), id, q.Hold, 0)
		require.NoError(t, err)
		k.reopen(id)
		require.Equal(t, billing.Superseded, confirm(k, id, "olga", q.Hold, p.Proposal, true).Outcome)
		k.proved()
	})
	t.Run("who resolved it goes no further than a dispatcher, and confirms nothing", func(t *testing.T) {
		k, _, _ := open(t)
		id := k.ticket("project")
		r, err := k.Close(t.Context(), id, 1, k.resolve("olga", k.minutes("tom", 480)))
		require.NoError(t, err)
		q := r.Held[0]
		own := k.rule(id, "olga", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
		require.Equal(t, billing.Refused, own.Outcome)
		require.Contains(t, own.Says, "olga resolved it himself")
		p := k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
		require.Equal(t, billing.Proposed, p.Outcome)
		require.Equal(t, billing.Refused, confirm(k, id, "olga", q.Hold, p.Proposal, true).Outcome)
		require.Equal(t, billing.Refused, confirm(k, id, "fay", q.Hold, p.Proposal, true).Outcome, "scope is no matter of finance")
		k.proved()
	})
	t.Run("a split is measured by what it gives away", func(t *testing.T) {
		k, id, q := open(t)
		s := k.rule(id, "dora", q.Hold, ticket.Split, ticket.RuleTerms{BillAmount: "200.00", Rest: ticket.WriteOff})
		require.Equal(t, billing.Settled, s.Outcome, s.Says)
		require.Equal(t, "200.00", k.owed())
		k.proved()
	})
	t.Run("a limit of writing off holds for what gives away by another name", func(t *testing.T) {
		k, id, q := open(t)
		set := func(action billing.Action, queue billing.Queue, amount string) {
			require.NoError(t, k.SetRulingLimit(t.Context(), postgres.RulingLimit{
				Role: "dispatcher", Action: action, Queue: queue, Currency: "USD", Amount: decimal.RequireFromString(amount), By: "olga",
			}))
		}
		half := ticket.RuleTerms{BillAmount: "700.00", Rest: ticket.WriteOff}
		set(billing.WriteOff, "", "499.99")
		p := k.rule(id, "dora", q.Hold, ticket.Split, half)
		require.Equal(t, billing.Proposed, p.Outcome, p.Says)
		require.Equal(t, billing.Rejected, confirm(k, id, "olga", q.Hold, p.Proposal, false).Outcome)
		require.Equal(t, billing.Proposed, k.rule(id, "dora", q.Hold, ticket.Cover, ticket.RuleTerms{}).Outcome)
		set(billing.Split, "", "500")
		set(billing.WriteOff, billing.QueueScope, "1")
		require.Equal(t, billing.Settled, k.rule(id, "dora", q.Hold, ticket.Split, half).Outcome, "its own limit counts first")
		require.Equal(t, "700.00", k.owed())
		k.proved()
	})
	t.Run("limits are set by role, ruling and queue", func(t *testing.T) {
		k, id, q := open(t)
		set := func(by, role string, queue billing.Queue, amount string) error {
			return k.SetRulingLimit(t.Context(), postgres.RulingLimit{
				Role: role, Action: billing.WriteOff, Queue: queue, Currency: "USD", Amount: decimal.RequireFromString(amount), By: by,
			})
		}
		require.Error(t, set("dora", "dispatcher", "", "5000"), "a dispatcher sets no limits")
		require.Error(t, set("olga", "technician", "", "5000"))
		require.Error(t, set("olga", "dispatcher", "nowhere", "5000"))
		require.NoError(t, set("olga", "dispatcher", "", "5000"))
		require.NoError(t, set("olga", "dispatcher", billing.QueueScope, "1100"))
		require.Equal(t, billing.Proposed, k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{}).Outcome, "the queue's own limit counts")
		require.NoError(t, set("olga", "dispatcher", billing.QueueScope, "1200"))
		require.NoError(t, set("olga", "owner", "", "10"))
		other := k.ticket("project")
		q2 := k.close(other, 1, k.minutes("tom", 480)).Held[0]
		require.Equal(t, billing.Proposed, k.rule(other, "olga", q2.Hold, ticket.WriteOff, ticket.RuleTerms{}).Outcome, "an owner, too, where one is set")
		limits, err := k.RulingLimits(t.Context())
		require.NoError(t, err)
		require.Len(t, limits, 3)
		k.proved()
	})
	t.Run("two at once have one effect", func(t *testing.T) {
		k, id, q := open(t)
		p := k.rule(id, "dora", q.Hold, ticket.WriteOff, ticket.RuleTerms{})
		outcomes := make([]billing.Outcome, 8)
		var all sync.WaitGroup
		for i := range outcomes {
			m := ticket.Confirm{Header: k.by("olga"), Hold: q.Hold, Proposal: p.Proposal, Agreed: i%2 == 0, Reason: "no"}
			all.Go(func() {
				if s, err := k.Confirm(t.Context(), id, m); err == nil {
					outcomes[i] = s.Outcome
				}
			})
		}
		all.Wait()
		effects := 0
		for _, o := range outcomes {
			if o == billing.Settled || o == billing.Rejected {
				effects++
			}
		}
		require.Equal(t, 1, effects, "%v", outcomes)
		require.EqualValues(t, 1, k.count("select count(*) from proposal_answers"))
		k.proved()
	})
}

func TestARulingNobodyMayGive(t *testing.T) {
	k := newTill(t, hourly)
	id, other := k.ticket("project"), k.ticket("project")
	q := k.close(id, 1, k.minutes("tom", 60)).Held[0]

	forged := ticket.Rule{Header: k.by("dora"), Hold: q.Hold, Action: ticket.Cover, Reason: "typed by hand"}
	forged.Via = ticket.ViaTemporal
	s, err := k.Rule(t.Context(), id, forged)
	require.NoError(t, err)
	require.Equal(t, billing.Refused, s.Outcome)
	require.Contains(t, s.Says, "nobody has proved that dora said so")
	require.EqualValues(t, 1, k.count("select count(*) from ticket_events where kind = 'rule' and not effect"), "on record")
	require.Equal(t, billing.Refused, k.rule(id, "tom", q.Hold, ticket.Cover, ticket.RuleTerms{}).Outcome)
	require.Equal(t, billing.Refused, k.rule(id, "ann", q.Hold, ticket.Cover, ticket.RuleTerms{}).Outcome)

	var p *ticket.Problem
	_, err = k.Rule(t.Context(), id, ticket.Rule{Header: k.by("dora"), Hold: 4711, Action: ticket.Cover, Reason: "nothing"})
	require.ErrorAs(t, err, &p)
	require.Equal(t, "is not known", p.Problem)
	_, err = k.Rule(t.Context(), other, ticket.Rule{Header: k.by("dora"), Hold: q.Hold, Action: ticket.Cover, Reason: "elsewhere"})
	require.ErrorAs(t, err, &p)
	require.Contains(t, err.Error(), "it is on "+string(id))

	outcomes := make([]billing.Outcome, 6)
	var all sync.WaitGroup
	for i := range outcomes {
		m := ticket.Rule{Header: k.by("dora"), Hold: q.Hold, Action: []ticket.Ruling{ticket.Bill, ticket.Cover}[i%2], Reason: "now"}
		all.Go(func() {
			if s, err := k.Rule(t.Context(), id, m); err == nil {
				outcomes[i] = s.Outcome
			}
		})
	}
	all.Wait()
	settled := 0
	for _, o := range outcomes {
		if o == billing.Settled {
			settled++
		}
	}
	require.Equal(t, 1, settled, "%v", outcomes)
	k.proved()
}

func TestAProposalFallsWithItsQuote(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	q := k.close(id, 1, k.minutes("tom", 480)).Held[0]
	p := k.rule(id, "dora", q.Hold, ticket.Cover, ticket.RuleTerms{})
	require.Equal(t, billing.Proposed, p.Outcome, p.Says)
	_, err := k.SignOff(t.Context(), id, ticket.SignOff{Header: k.by("ann"), Hold: q.Hold, Digest: q.Digest, Reason: "too much"})
	require.NoError(t, err)
	confirm := ticket.Confirm{Header: k.by("olga"), Hold: q.Hold, Proposal: p.Proposal, Agreed: true}
	stale, err := k.Confirm(t.Context(), id, confirm)
	require.NoError(t, err)
	require.Equal(t, billing.Stale, stale.Outcome)
	require.Contains(t, stale.Says, "fell with the old quote")
	again, err := k.Confirm(t.Context(), id, confirm)
	require.NoError(t, err)
	require.Equal(t, stale.Says, again.Says, "the same key answers the same")
	view, err := k.HoldByID(t.Context(), q.Hold)
	require.NoError(t, err)
	require.Empty(t, view.Proposal)

	fresh := k.rule(id, "dora", q.Hold, ticket.Cover, ticket.RuleTerms{})
	require.Equal(t, billing.Proposed, fresh.Outcome)
	view, err = k.HoldByID(t.Context(), q.Hold)
	require.NoError(t, err)
	require.Equal(t, fresh.Proposal, view.Proposal)
	require.Equal(t, billing.QueueMoney, view.Queue)
	require.Equal(t, "finance", view.Owner)
	confirm.Header, confirm.Proposal = k.by("olga"), fresh.Proposal
	done, err := k.Confirm(t.Context(), id, confirm)
	require.NoError(t, err)
	require.Equal(t, billing.Settled, done.Outcome)
	k.proved()
}

func TestFinanceIsAskedWhereTheQueueIsItsOwn(t *testing.T) {
	k := newTill(t, ordered)
	require.NoError(t, k.PutPerson(t.Context(), postgres.Staffing{Person: ticket.Person{ID: "fay", Name: "Fay", Kind: ticket.Human, Roles: []string{"finance"}}}))
	id := k.ticket("email")
	q := k.close(id, 1, k.minutes("tom", 180)).Held[0]
	require.Equal(t, billing.OrderUsedUp, q.Reason)
	mine, err := k.Exceptions(t.Context(), postgres.ExceptionFilter{Open: true, Roles: []string{"finance"}})
	require.NoError(t, err)
	require.Len(t, mine, 1)
	none, err := k.Exceptions(t.Context(), postgres.ExceptionFilter{Open: true, Roles: []string{"dispatcher"}})
	require.NoError(t, err)
	require.Empty(t, none)
	k.pass(5 * time.Hour)
	late, err := k.Overdue(t.Context(), id, q.Hold, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"dora", "fay"}, late.Approvers)
	require.Equal(t, billing.Settled, k.rule(id, "fay", q.Hold, ticket.WriteOff, ticket.RuleTerms{}).Outcome)
	k.proved()

	scope := k.ticket("email")
	q = k.close(scope, 1).Held[0]
	require.Equal(t, billing.NoTime, q.Reason)
	s := k.rule(scope, "fay", q.Hold, ticket.Cover, ticket.RuleTerms{})
	require.Equal(t, billing.Refused, s.Outcome)
	require.Equal(t, "fay may not rule in the queue time: it takes one of the roles dispatcher, owner", s.Says)
}
