package e2e_test

import (
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/ticket"
)

// ruleInParts bills some of what is held, and the rest to nobody. What a block pays for is not parted here: which
// minutes bill then is more than the clerk's small books can hold.
func (p *play) ruleInParts(rt *rapid.T) {
	id, a := p.refused(rt)
	if !a.held.parts() {
		rt.Skip("nothing waits that could be parted")
	}
	cents := rapid.IntRange(1, a.held.cents()-1).Draw(rt, "cents")
	m := ticket.Rule{
		Header: p.by(rapid.SampledFrom([]string{"dora", "dora", "dora", "tom", "ann"}).Draw(rt, "who")), Hold: a.held.hold, Action: ticket.Split, Reason: "half of it",
		RuleTerms: ticket.RuleTerms{
			BillAmount: decimal.New(int64(cents), -2).StringFixed(2), Rest: rapid.SampledFrom([]ticket.Ruling{ticket.Cover, ticket.WriteOff}).Draw(rt, "rest"),
		},
	}
	got := p.send(rt, id, m, "rules to bill %s of %s, and to %s the rest", m.BillAmount, ticket.HoldID(m.Hold), m.Rest)
	counts := m.Who == p.who("dora") && a.held.exception
	p.expect(rt, counts, got)
	if counts {
		a.settleAs(fee{cents: cents})
	}
}

// refused gives a ticket whose work waits, mostly after the client's no: what a story comes to seldom by itself. The story
// skips the step where there is none.
func (p *play) refused(rt *rapid.T) (ticket.ID, *account) {
	var waiting []ticket.ID
	for _, id := range p.ids {
		if a := p.books.tickets[id]; a.held != nil && len(a.held.fees) > 0 {
			waiting = append(waiting, id)
		}
	}
	if len(waiting) == 0 {
		rt.Skip("no work waits")
	}
	id := rapid.SampledFrom(waiting).Draw(rt, "ticket")
	a := p.books.tickets[id]
	if !a.held.exception && rapid.IntRange(0, 3).Draw(rt, "refused") > 0 {
		held, err := p.Held(p.ctx, id)
		require.NoError(rt, err)
		require.Len(rt, held, 1)
		m := ticket.SignOff{Header: p.by("ann"), Hold: held[0].Hold, Digest: held[0].Digest, Reason: "too much"}
		p.expect(rt, true, p.send(rt, id, m, "declines %s", ticket.HoldID(m.Hold)))
		a.held.exception = true
	}
	return id, a
}

// parts says whether it can be parted by amount: an agent's time is priced by what its month has counted.
func (q *question) parts() bool {
	for i, f := range q.fees {
		if f.drawn > 0 || (f.cents > 0 && q.work[i].agent) {
			return false
		}
	}
	return q.cents() > 1
}

// ruleOtherwise rates what is held under the other contract, which asks nobody.
func (p *play) ruleOtherwise(rt *rapid.T) {
	id, a := p.refused(rt)
	m := ticket.Rule{
		Header: p.by(rapid.SampledFrom([]string{"dora", "dora", "dora", "tom", "ann"}).Draw(rt, "who")), Hold: a.held.hold, Action: ticket.OtherContract,
		Reason: "it is of the other one", RuleTerms: ticket.RuleTerms{Contract: p.client + "-flat"},
	}
	got := p.send(rt, id, m, "rules that %s falls under the other contract", ticket.HoldID(m.Hold))
	counts := m.Who == p.who("dora") && a.held.exception
	p.expect(rt, counts, got)
	if counts {
		var fees []fee
		for _, e := range a.held.work {
			f := fee{}
			if !e.free {
				f.cents = e.minutes * 100
			}
			fees = append(fees, f)
		}
		a.settleAs(fees...)
	}
}

// prioritise changes what is due when, and no money.
func (p *play) prioritise(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	before, err := p.Ticket(p.ctx, id)
	require.NoError(rt, err)
	who := p.one(rt, "dora")
	m := ticket.Prioritise{Header: p.by(who), Priority: rapid.IntRange(1, 5).Draw(rt, "priority"), Reason: "because"}
	got := p.send(rt, id, m, "makes it priority %d", m.Priority)
	p.expect(rt, who == "dora" && a.isOpen() && m.Priority != before.Priority, got)
}

// decide ends what waits, as a desk that does its work does: the client agrees, or a dispatcher rules. A story comes to it
// seldom by itself, where each word is about any ticket and half of them of somebody who may not.
func (p *play) decide(rt *rapid.T) {
	var waiting []ticket.ID
	for _, id := range p.ids {
		if p.books.tickets[id].held != nil {
			waiting = append(waiting, id)
		}
	}
	if len(waiting) == 0 {
		rt.Skip("nothing waits")
	}
	id := rapid.SampledFrom(waiting).Draw(rt, "ticket")
	a := p.books.tickets[id]
	if !a.held.exception {
		held, err := p.Held(p.ctx, id)
		require.NoError(rt, err)
		m := ticket.SignOff{Header: p.by("ann"), Hold: held[0].Hold, Digest: held[0].Digest, Approved: true}
		p.expect(rt, true, p.send(rt, id, m, "approves %s", ticket.HoldID(m.Hold)))
		a.settle(true)
		return
	}
	m := ticket.Rule{Header: p.by("dora"), Hold: a.held.hold, Action: rapid.SampledFrom([]ticket.Ruling{ticket.Bill, ticket.Cover, ticket.WriteOff}).Draw(rt, "action"), Reason: "because"}
	p.expect(rt, true, p.send(rt, id, m, "rules %s on %s", m.Action, ticket.HoldID(m.Hold)))
	a.settle(m.Action == ticket.Bill)
}

// finish resolves a ticket with two hours of work, which ask the client unless its block pays or he has agreed before;
// what waits then is mostly decided soon.
func (p *play) finish(rt *rapid.T) {
	var open []ticket.ID
	for _, id := range p.ids {
		if p.books.tickets[id].isOpen() {
			open = append(open, id)
		}
	}
	if len(open) == 0 {
		rt.Skip("no ticket is open")
	}
	id := rapid.SampledFrom(open).Draw(rt, "ticket")
	a := p.books.tickets[id]
	w, e := p.measured(rt)
	e.agent, e.free, e.minutes = false, false, 120
	w.Actor, w.NonBillable, w.MS = p.who("tom"), false, 120*60_000
	got := p.send(rt, id, ticket.Resolve{Header: p.by("tom"), Resolution: "Done", Code: ticket.Solved, Work: []ticket.WorkEntry{w}}, "resolves with two hours")
	p.expect(rt, true, got)
	a.work = append(a.work, e)
	a.sort()
	if p.books.close(a, ticket.Solved) {
		a.held.hold = p.holdOf(rt, id)
		if rapid.IntRange(0, 2).Draw(rt, "at once") > 0 {
			p.compare(rt)
			p.decide(rt)
		}
	}
}
