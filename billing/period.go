package billing

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// PeriodRun says what a run of a billing period does.
type PeriodRun string

// The runs of a period.
const (
	Opening   PeriodRun = "opening"   // bills fees in advance, when the period begins
	Closing   PeriodRun = "closing"   // bills fees in arrears, corrects those in advance, and bills what lacks to a minimum
	Adjusting PeriodRun = "adjusting" // after something posted late into a closed period: corrects what depends on its sums
)

// PeriodFacts are all that DecidePeriod may know about one run of one billing period of a contract. They are stored
// with it as canonical JSON.
type PeriodFacts struct {
	Rules    int            `json:"rules"`
	Run      PeriodRun      `json:"run"`
	N        int            `json:"n"` // 1; of a closed period, one more at each adjustment
	Contract string         `json:"contract"`
	Client   string         `json:"client"`
	Period   Period         `json:"period"`
	Versions []DatedVersion `json:"versions"`           // those of the contract that are in force on some day of the period and bill by it, by From
	Devices  []DeviceCount  `json:"devices,omitempty"`  // the client's counts of the period, and of each kind the last one before it, by kind and date
	Counted  []Counted      `json:"counted,omitempty"`  // what earlier runs billed: of this period, by clause
	Highest  []Counted      `json:"highest,omitempty"`  // the highest number billed since the term began, by clause, where the contract keeps it
	Posted   []PeriodSum    `json:"posted,omitempty"`   // what earlier runs of this period posted
	Billed   []CurrencySum  `json:"billed,omitempty"`   // net of the period under the contract, before credits and tax, without true-ups and termination fees
	Counters []Counter      `json:"counters,omitempty"` // of usage lines that bill a period without use, and of purchase orders
	Because  string         `json:"because,omitempty"`  // what posted late, "T-1042"
}

// DatedVersion names a contract version and the local dates between which it is in force.
type DatedVersion struct {
	Revision int    `json:"revision"`
	Digest   string `json:"digest"`
	From     string `json:"from"`            // inclusive
	Until    string `json:"until,omitempty"` // exclusive; empty: open-ended
	Terms    *Terms `json:"-"`               // the compiled document of that digest
}

// DeviceCount is how many devices or seats of a kind the client had from a local date on.
type DeviceCount struct {
	Kind  string `json:"kind"`
	Date  string `json:"date"`
	Count int    `json:"count"`
}

// Counted is the number of a kind that a clause was billed for: a fraction where it is an average.
type Counted struct {
	Clause string          `json:"clause"`
	Kind   string          `json:"kind"`
	Term   string          `json:"term,omitempty"` // first day of the term, where the contract keeps its highest number until the next
	Number decimal.Decimal `json:"number"`
}

// PeriodSum is what runs of a period have posted under a clause.
type PeriodSum struct {
	Kind   ChargeKind `json:"kind"`
	Clause string     `json:"clause"`
	CurrencySum
	Exact decimal.Decimal `json:"exact,omitzero"` // of fees: before rounding
}

// CurrencySum is an amount of money.
type CurrencySum struct {
	Currency string          `json:"currency"`
	Amount   decimal.Decimal `json:"amount"`
}

// PeriodDecision is what a run of a billing period does to money.
type PeriodDecision struct {
	Rules   int          `json:"rules"`
	Charges []Charge     `json:"charges"`
	Counted []Counted    `json:"counted,omitempty"`
	Notes   []PeriodNote `json:"notes,omitempty"` // what people must know of it
}

// PeriodNote tells what kept a run from posting, or from posting all.
type PeriodNote struct {
	Reason NoteReason `json:"reason"`
	Clause string     `json:"clause,omitempty"`
	Says   string     `json:"says"`
}

// NoteReason says what a note is about.
type NoteReason string

// The reasons.
const (
	NoCount    NoteReason = "no-count"      // nobody has counted what a line bills by: nothing posts until somebody does
	NotRenewed NoteReason = "not-renewed"   // all of the period lies after a term that does not renew by itself: nothing posts until a revision renews it
	TermEnded  NoteReason = "term-ended"    // some of it does: nothing recurring bills for those days
	FeesWaived NoteReason = "fees-waived"   // the contract was paused, and its fees with it
	Cancelled  NoteReason = "cancelled"     // the contract's last period: nothing posts until a person approves
	OrderShort NoteReason = "order-used-up" // the purchase order does not reach, and holds: nothing posts until a person approves
)

// Waits says why nothing of the decision can post yet; empty where it can.
func (d PeriodDecision) Waits() string { return d.says(NoCount, NotRenewed) }

// Draft says why a person must approve the charges before they post; empty where nobody must.
func (d PeriodDecision) Draft() string { return d.says(Cancelled, OrderShort) }

func (d PeriodDecision) says(reasons ...NoteReason) string {
	var said []string
	for _, n := range d.Notes {
		if slices.Contains(reasons, n.Reason) {
			said = append(said, n.Says)
		}
	}
	return strings.Join(said, " ")
}

// Digest is the SHA-256 of the decision's canonical JSON, in hexadecimal.
func (d PeriodDecision) Digest() string { return digest(d) }

// DecidePeriod turns the facts of one run of a billing period into charges without a ticket: recurring fees, the
// correction of those that were billed in advance, the flat fee of usage lines without use, and true-ups to a minimum.
//
// It bills by what is known when it runs. What earlier runs of the same period posted is in the facts, and only the
// difference to it posts: so no run bills twice what another has billed, however often the period is run.
//
// An error means that the facts are malformed: a defect of who built them.
func DecidePeriod(f PeriodFacts) (PeriodDecision, error) {
	p, err := beginPeriod(f)
	if err != nil {
		return PeriodDecision{}, fmt.Errorf("facts of %s of contract %s from %s: %w", f.Run, f.Contract, f.Period.Start, err)
	}
	if f.Run != Adjusting {
		p.noteIdle()
		p.chargeFees()
	}
	if f.Run != Opening {
		p.chargeNoUse()
		p.trueUp()
	}
	if f.Run == Closing {
		p.closeOut()
	}
	p.countOrders()
	d := PeriodDecision{Rules: f.Rules, Charges: p.charges, Counted: p.counted, Notes: p.notes}
	if d.Waits() != "" {
		d.Charges, d.Counted = []Charge{}, nil
	}
	return d, nil
}

// reckoner carries one call of DecidePeriod through its steps.
type reckoner struct {
	facts    PeriodFacts
	from, to epochDay // of the billing period
	spans    []termSpan
	charges  []Charge
	counted  []Counted
	notes    []PeriodNote
}

func beginPeriod(f PeriodFacts) (*reckoner, error) {
	if f.Rules < rulesFirst || f.Rules > Rules {
		return nil, fmt.Errorf("rules %d are not known, this program speaks %d to %d", f.Rules, rulesFirst, Rules)
	}
	switch f.Run {
	case Opening, Closing, Adjusting:
	default:
		return nil, fmt.Errorf("run %q is not known", f.Run)
	}
	p := &reckoner{facts: f, charges: []Charge{}}
	var ok, until bool
	p.from, ok = dayOf(f.Period.Start)
	p.to, until = dayOf(f.Period.End)
	if !ok || !until || p.from >= p.to || p.to-p.from > longestPeriod {
		return nil, fmt.Errorf("%s to %s is no billing period", f.Period.Start, f.Period.End)
	}
	if len(f.Versions) == 0 {
		return nil, errors.New("no version is in force in it")
	}
	last := p.from
	for i := range f.Versions {
		v := &f.Versions[i]
		if v.Terms == nil || v.Terms.digest != v.Digest {
			return nil, fmt.Errorf("revision %d comes without the terms of digest %s", v.Revision, v.Digest)
		}
		from, to, err := v.days(p.from, p.to)
		if err != nil {
			return nil, err
		}
		if from < last || from >= to {
			return nil, fmt.Errorf("revision %d is not in force in order", v.Revision)
		}
		last = to
		p.spans = append(p.spans, v.Terms.spans(i, from, to)...)
		if n := p.spans[len(p.spans)-1].renewals; n > mostRenewals && v.Terms.contract.Term.UpliftPercent != nil {
			return nil, fmt.Errorf("revision %d has renewed %d times with an uplift: its term began too long ago", v.Revision, n)
		}
	}
	for _, c := range f.Devices {
		if _, ok := dayOf(c.Date); !ok || c.Count < 0 {
			return nil, fmt.Errorf("%d of %s on %q is no count", c.Count, c.Kind, c.Date)
		}
	}
	if !slices.IsSortedFunc(f.Devices, byKindAndDate) {
		return nil, errors.New("its device counts are out of order")
	}
	return p, nil
}

const (
	longestPeriod = 400 // days: more than any billing period has
	mostRenewals  = 600 // with an uplift, which makes the price a number of ever more digits
)

// days gives the version's days in force within [from, to).
func (v *DatedVersion) days(from, to epochDay) (epochDay, epochDay, error) {
	first, ok := dayOf(v.From)
	if !ok {
		return 0, 0, fmt.Errorf("revision %d begins on %q", v.Revision, v.From)
	}
	if v.Until != "" {
		until, ok := dayOf(v.Until)
		if !ok {
			return 0, 0, fmt.Errorf("revision %d ends on %q", v.Revision, v.Until)
		}
		to = min(to, until)
	}
	return max(from, first), to, nil
}

// charge begins a charge under a version's terms.
func (p *reckoner) charge(version int, kind ChargeKind, key string, on epochDay) Charge {
	v := &p.facts.Versions[version]
	c := &v.Terms.contract
	return Charge{
		Key: key, Kind: kind, Contract: p.facts.Contract, Revision: v.Revision, Currency: c.Currency, Date: on.String(),
		Unit: UnitPeriod, Quantity: decimal.NewFromInt(1),
	}
}

// post adds the charge with its money: quantity × rate is exact, the amount is what bills. A charge of nothing is kept
// as the record of it, and shows on no invoice.
func (p *reckoner) post(c Charge) {
	c.Hidden = c.Amount.IsZero()
	p.charges = append(p.charges, c)
}

// posted is what earlier runs have posted under the clause.
func (p *reckoner) posted(kind ChargeKind, clause, currency string) (sum PeriodSum, ok bool) {
	for _, s := range p.facts.Posted {
		if s.Kind == kind && s.Clause == clause && s.Currency == currency {
			return s, true
		}
	}
	return sum, false
}

func (p *reckoner) note(reason NoteReason, clause, says string) {
	if !slices.ContainsFunc(p.notes, func(n PeriodNote) bool { return n.Reason == reason && n.Clause == clause }) {
		p.notes = append(p.notes, PeriodNote{Reason: reason, Clause: clause, Says: says})
	}
}
