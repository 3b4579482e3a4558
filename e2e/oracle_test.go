package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// oracle keeps one client's books as a clerk would who has read the contract and nothing of Docket's code: 120.00 an
// hour in quarters of an hour that have begun, an agent's time at 36.00 by the minute, a block of hours that pays for
// network work first, and the client's word above 200.00, or above what it agreed to before the work. Money is in
// cents, time in minutes. What a dispatcher rates under the other contract costs 60.00 an hour, by the minute.
type oracle struct {
	block   int // minutes granted
	tickets map[ticket.ID]*account
}

// account is one ticket.
type account struct {
	category string
	stage    ticket.Stage // resolution stands for every stage in which it is worked on
	round    int
	into     ticket.ID
	work     []*entry
	posted   []fee
	held     *question                // what its closing holds
	asked    map[int64]*fee           // questions before the work, by hold
	approved *int                     // cents, in this round
	merged   map[ticket.ID]([]*entry) // what merging took, by the child
}

// entry is work of one person.
type entry struct {
	id      int64
	at      time.Time
	agent   bool
	minutes int
	free    bool
	billed  bool // a closing that stands has rated it
}

// fee is money and minutes of the block.
type fee struct {
	cents int
	drawn int
}

type question struct {
	hold      int64
	fees      []fee
	work      []*entry // one for each of the fees
	exception bool     // waits for a dispatcher, not for the client
}

// cents is what it comes to.
func (q *question) cents() (sum int) {
	for _, f := range q.fees {
		sum += f.cents
	}
	return sum
}

func newOracle(block int) *oracle { return &oracle{block: block, tickets: map[ticket.ID]*account{}} }

func (o *oracle) open(id ticket.ID, category string) {
	o.tickets[id] = &account{category: category, stage: ticket.Resolution, round: 1, asked: map[int64]*fee{}, merged: map[ticket.ID][]*entry{}}
}

func (a *account) isOpen() bool { return a.stage == ticket.Resolution || a.stage == ticket.Waiting }

// left is what the block still has for others: what is held is reserved.
func (o *oracle) left() int {
	left := o.block
	for _, a := range o.tickets {
		for _, f := range a.posted {
			left -= f.drawn
		}
		if a.held != nil {
			for _, f := range a.held.fees {
				left -= f.drawn
			}
		}
	}
	return left
}

// close says what the closing comes to, and keeps it. The hold's number is Docket's to give.
func (o *oracle) close(a *account, code string) (holds bool) {
	var fees []fee
	var work []*entry
	total, costs, left, entries := 0, false, o.left(), 0
	for _, e := range a.work {
		if e.billed {
			continue
		}
		entries++
		e.billed = true
		f := fee{}
		switch {
		case e.free || code == ticket.Spam || code == ticket.Duplicate:
		default:
			minutes, rate := (e.minutes+14)/15*15, 200
			if e.agent {
				minutes, rate = e.minutes, 60
			}
			if a.category == "network" {
				f.drawn = min(minutes, left)
				left -= f.drawn
			}
			f.cents = (minutes - f.drawn) * rate
		}
		fees, work = append(fees, f), append(work, e)
		total += f.cents
		costs = costs || f.cents > 0 || f.drawn > 0
	}
	over := total > 200_00
	if a.approved != nil {
		over = total > *a.approved
	}
	a.asked = map[int64]*fee{} // the bill itself asks now
	switch {
	case costs && over:
		a.held = &question{fees: fees, work: work}
	case entries == 0 && code == ticket.Solved:
		a.held = &question{exception: true} // nobody closes without any time unasked
	default:
		a.posted = append(a.posted, fees...)
		a.stage = ticket.Posted
		return false
	}
	a.stage = ticket.Held
	return true
}

// settle is what becomes of what is held: billed as it stands, or for nothing.
func (a *account) settle(bills bool) {
	if bills {
		a.posted = append(a.posted, a.held.fees...)
	}
	a.held, a.stage = nil, ticket.Posted
}

// settleAs is what is held, and bills as something else.
func (a *account) settleAs(fees ...fee) {
	a.held.fees = fees
	a.settle(true)
}

// reopen undoes the round.
func (a *account) reopen() {
	a.posted, a.held, a.approved, a.asked = nil, nil, nil, map[int64]*fee{}
	for _, e := range a.work {
		e.billed = false
	}
	a.stage, a.round = ticket.Resolution, a.round+1
}

// take gives the unbilled work to another ticket, all of it or the named entry.
func (a *account) take(into *account, only int64) (taken []*entry) {
	a.work = slices.DeleteFunc(a.work, func(e *entry) bool {
		goes := !e.billed && (only == 0 || e.id == only)
		if goes {
			taken = append(taken, e)
		}
		return goes
	})
	into.work = append(into.work, taken...)
	into.sort()
	return taken
}

// sort puts work into the order in which it was done.
func (a *account) sort() {
	slices.SortFunc(a.work, func(x, y *entry) int { return x.at.Compare(y.at) })
}

// lives follows merges.
func (o *oracle) lives(id ticket.ID) ticket.ID {
	for o.tickets[id].into != "" {
		id = o.tickets[id].into
	}
	return id
}

// String tells the books as Docket's are told, to be compared line by line.
func (o *oracle) String() string {
	var told strings.Builder
	for _, id := range slices.SortedFunc(maps.Keys(o.tickets), func(x, y ticket.ID) int { return int(x.Number() - y.Number()) }) {
		a := o.tickets[id]
		cents := 0
		for _, f := range a.posted {
			cents += f.cents
		}
		_, _ = fmt.Fprintf(&told, "%s %s round %d, billed %d.%02d", id, a.stage, a.round, cents/100, cents%100)
		if a.held != nil {
			kind, held := billing.SignOff, a.held.cents()
			if a.held.exception {
				kind = billing.Exception
			}
			_, _ = fmt.Fprintf(&told, ", %s of %d.%02d", kind, held/100, held%100)
		}
		for _, hold := range slices.Sorted(maps.Keys(a.asked)) {
			_, _ = fmt.Fprintf(&told, ", asked for %d.%02d", a.asked[hold].cents/100, a.asked[hold].cents%100)
		}
		told.WriteString("\n")
	}
	_, _ = fmt.Fprintf(&told, "block: %d minutes", o.left())
	return told.String()
}
