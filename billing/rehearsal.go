package billing

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Draft is a contract version that is not in force, as it would be.
type Draft struct {
	Version             // From and Until as they would be
	InsteadOf string    // the contract whose versions it replaces from its first instant on: its own id where it revises one; empty: none, it is added beside the others
	Later     []Version // of its own contract: those that follow it, with their terms
}

// Under gives the facts of a closure as they would be, had the draft been in force: its version
// among those of the other contracts. Blocks and counters are left out, since they would stand
// otherwise. The segments of work are those of before: where either contract has bands of its own,
// they must be cut anew.
func (d Draft) Under(f Facts) Facts {
	f.Blocks, f.Counters = nil, nil
	from, to := f.times()
	versions := make([]Version, 0, len(f.Contracts)+2)
	add := func(v Version) {
		if v.reaches(from, to) {
			versions = append(versions, v)
		}
	}
	for _, v := range f.Contracts {
		if v.Contract == d.InsteadOf {
			if !v.From.Before(d.From) {
				continue
			}
			if v.Until.IsZero() || v.Until.After(d.From) {
				v.Until = d.From
			}
		}
		add(v)
	}
	add(d.Version)
	for _, v := range d.Later {
		add(v)
	}
	slices.SortFunc(versions, func(a, b Version) int {
		return cmp.Or(cmp.Compare(a.Contract, b.Contract), a.From.Compare(b.From))
	})
	f.Contracts = versions
	return f
}

// reaches says whether the version governs some instant of [from, to].
func (v Version) reaches(from, to time.Time) bool {
	return !v.From.After(to) && (v.Until.IsZero() || v.Until.After(from))
}

// times gives the first and the last instant that the facts speak of.
func (f *Facts) times() (from, to time.Time) {
	from, to = f.Ticket.ResolvedAt, f.Ticket.ResolvedAt
	for i := range f.Work {
		w := &f.Work[i]
		if w.StartedAt.Before(from) {
			from = w.StartedAt
		}
		if end := w.end(); end.After(to) {
			to = end
		}
	}
	return from, to
}

// Rehearsal closes tickets, settles their holds and reopens them in memory, with counters and
// blocks of its own: what the books would say, had they been kept under other terms. It begins
// where the real ones stood at an instant, and is not for use by several goroutines.
type Rehearsal struct {
	counters map[string]decimal.Decimal
	shelf    rehearsedShelf
}

// NewRehearsal knows no counters and no blocks yet. It must be told of those that a closure wants
// before it is closed, as Sketch hears of them: by Counter, Bought and Bucket.
func NewRehearsal() *Rehearsal {
	return &Rehearsal{
		counters: map[string]decimal.Decimal{},
		shelf:    rehearsedShelf{byID: map[int64]*stock{}, bought: map[string][]*stock{}, buckets: map[bucket]*allotment{}},
	}
}

// Counter tells where a counter stands.
func (r *Rehearsal) Counter(c Counter) { r.counters[c.Key] = c.Value }

// Stands gives where a counter stands now; false where the rehearsal was never told of it.
func (r *Rehearsal) Stands(key string) (decimal.Decimal, bool) {
	value, ok := r.counters[key]
	return value, ok
}

// Move moves counters and blocks by what happened to them beside the rehearsed closures, such as the
// reversal of an earlier one. What the rehearsal does not know is not moved.
func (r *Rehearsal) Move(counts []Count, draws []Draw) {
	for _, n := range counts {
		if value, ok := r.counters[n.Key]; ok {
			r.counters[n.Key] = value.Add(n.Quantity)
			r.unlend(n.Key)
		}
	}
	for _, d := range draws {
		if h := r.shelf.byID[d.Block]; h != nil {
			h.TakenMS += d.MS
		}
	}
}

// Untold says that a decision asked for counters that the rehearsal was not told of.
type Untold struct{ Counters []string }

func (u *Untold) Error() string {
	return "the rehearsal was not told of " + strings.Join(u.Counters, ", ")
}

// Close decides the facts by where the counters and blocks stand at the closing, and moves them: by what posts,
// and by what is held, which reserves.
//
// Returns *Untold, and moves nothing, where the decision asks for other counters than Sketch heard of: tell of those, and close
// again.
func (r *Rehearsal) Close(f Facts, w Wants, at time.Time) (Decision, error) {
	f.Counters = nil
	f.Blocks = r.blocks(&f, w, at)
	decider, err := begin(f)
	if err != nil {
		return Decision{}, err
	}
	var untold []string
	decider.stands = func(key string) decimal.Decimal {
		value, told := r.counters[key]
		if !told {
			untold = append(untold, key)
		}
		// What really happened beside the rehearsed closures may give back more than they have taken.
		return decimal.Max(value, decimal.Zero)
	}
	d, err := decider.decide()
	if len(untold) > 0 {
		return Decision{}, &Untold{Counters: sorted(untold)}
	}
	if err != nil {
		return d, err
	}
	bought := r.buy(&d)
	r.take(d.Charges)
	for i := range d.Holds {
		r.take(d.Holds[i].Charges)
	}
	for _, h := range bought {
		r.payBack(h)
	}
	return d, nil
}

func (r *Rehearsal) take(charges []Charge) {
	for i := range charges {
		r.Move(charges[i].Counts, charges[i].Draws)
	}
}

// giveBack undoes take.
func (r *Rehearsal) giveBack(charges []Charge) {
	for i := range charges {
		for _, n := range charges[i].Counts {
			r.Move([]Count{{Key: n.Key, Quantity: n.Quantity.Neg()}}, nil)
		}
		for _, d := range charges[i].Draws {
			r.Move(nil, []Draw{{Block: d.Block, MS: -d.MS}})
		}
	}
}

// ErrAskedAgain says that a person's word about a hold does not speak of what would be held.
var ErrAskedAgain = errors.New("a person would have to be asked again")

// Settle gives the charges that would post by a person's word about a hold of a closure with these facts. What was
// approved counts up to its amount: the client would be asked about more. ErrAskedAgain where the word does
// not decide the hold.
func (r *Rehearsal) Settle(f *Facts, h Hold, w Word) ([]Charge, error) {
	if w.Ruling.Action == Approve && (h.Currency != w.Currency || h.Amount.GreaterThan(w.Amount)) {
		return nil, ErrAskedAgain
	}
	if w.Ruling.Action == Bill && h.Kind == SignOff {
		h = Decline(h, w.Ruling.By, w.Ruling.Reason, defaultPatience) // it was declined before it was billed
	}
	charges, err := Settle(h, w.Ruling)
	if err != nil {
		return nil, errors.Join(ErrAskedAgain, err)
	}
	corrections, err := r.undo(h.Charges).Release("", f.Rules, h, charges, termsAmong(f.Contracts))
	if err != nil {
		return nil, err
	}
	charges = append(charges, corrections...)
	r.giveBack(h.Charges)
	r.take(charges)
	return charges, nil
}

// undo begins to undo charges on the counters of the rehearsal.
func (r *Rehearsal) undo(charges []Charge) *Undoing {
	var counters []Counter
	for i := range charges {
		for _, n := range charges[i].Counts {
			if !slices.ContainsFunc(counters, func(have Counter) bool { return have.Key == n.Key }) {
				counters = append(counters, Counter{Key: n.Key, Value: r.counters[n.Key]})
			}
		}
	}
	return Undo(counters)
}

// termsAmong finds the terms of a contract's revision; nil where the versions have it not.
func termsAmong(versions []Version) func(contract string, revision int) (*Terms, error) {
	return func(contract string, revision int) (*Terms, error) {
		for i := range versions {
			if versions[i].Contract == contract && versions[i].Revision == revision {
				return versions[i].Terms, nil
			}
		}
		return nil, nil
	}
}

// Word is what a person really decided about a hold.
type Word struct {
	Hold     string // its key within the closure
	Reason   HoldReason
	Ruling   Ruling
	Currency string
	Amount   decimal.Decimal // that the hold asked for
}

// Speaks finds the word about a hold: of the same key, or the only one of the same reason where the
// contract has another name.
func Speaks(words []Word, h *Hold) (Word, bool) {
	found := Word{}
	n := 0
	for _, w := range words {
		if w.Hold == h.Key {
			return w, true
		}
		if w.Reason == h.Reason {
			found = w
			n++
		}
	}
	return found, n == 1
}

// Reopen undoes what posted of a closure with these facts, in the order in which it did, and gives back what its
// holds reserve. Contracts may keep what they charged, but for credits: the next closing measures the
// ticket anew. It gives the reversals, and what sets right what others were charged meanwhile.
func (r *Rehearsal) Reopen(f *Facts, posted []Charge, held []Hold, keeps func(contract string) bool) ([]Charge, error) {
	undone := make([]Charge, 0, len(posted))
	all := slices.Clone(posted)
	for i := range held {
		all = append(all, held[i].Charges...)
	}
	undoing, terms := r.undo(all), termsAmong(f.Contracts)
	for i := range posted {
		c := &posted[i]
		if c.Kind == Correction || c.BuysBlock() || (c.Kind != Credit && keeps(c.Contract)) {
			continue // what was set right, and a block that was bought, stay so
		}
		own, err := terms(c.Contract, c.Revision)
		if err != nil {
			return nil, err
		}
		reversal, err := undoing.Reverse(0, *c, own)
		if err != nil {
			return nil, err
		}
		reversal.Key = string(Reversal) + "/" + c.Key // no charge here has an id
		undone = append(undone, reversal)
	}
	for i := range held {
		corrections, err := undoing.Release("", f.Rules, held[i], nil, terms)
		if err != nil {
			return nil, err
		}
		undone = append(undone, corrections...)
		r.giveBack(held[i].Charges)
	}
	r.take(undone)
	return undone, nil
}
