package billing

import (
	"errors"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// The vectors' contract: one clause under V-1, in force all of 2026, in US dollars by UTC.
const (
	vectorContract = "V-1"
	vectorClause   = "A1"
	vectorMonth    = "2026-03"
)

// vectorNoon is when the vectors' work begins.
var vectorNoon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// minorPlaces is the number of decimals of the contract's currency.
const minorPlaces = 2

func fromMinor(d decimal.Decimal) decimal.Decimal { return d.Shift(-minorPlaces) }

func toMinor(d decimal.Decimal) decimal.Decimal { return d.Shift(minorPlaces) }

// vectorTerms compiles a contract of one line. A contract that is refused cannot be said.
func vectorTerms(l Line, also ...func(*Contract)) (*Terms, error) {
	l.Clause, l.Name = vectorClause, "Vector"
	c := Contract{
		Schema: SchemaV1, ID: vectorContract, Client: "C-1", Name: "Vector", EffectiveFrom: "2026-01-01",
		Currency: "USD", TimeZone: "UTC", Lines: []Line{l},
	}
	for _, change := range also {
		change(&c)
	}
	t, err := c.Compile()
	if ps := Problems(err); len(ps) > 0 {
		return nil, notApplicable("a contract here refuses it: " + ps[0].Field + " " + ps[0].Problem)
	}
	return t, err
}

func vectorVersion(t *Terms) Version {
	return Version{Contract: vectorContract, Revision: 1, Digest: t.Digest(), From: t.Begins(), Terms: t}
}

// vectorFacts are those of a closure without work.
func vectorFacts(t *Terms) Facts {
	return Facts{
		Rules: Rules,
		Ticket: Ticket{
			ID: "T-1", Round: 1, Client: "C-1", Category: "Email", Priority: 3, OpenedAt: vectorNoon.Add(-time.Hour),
			ResolvedAt: vectorNoon, ResolvedOn: vectorNoon.Format(time.DateOnly), ResolvedBy: "anna", ResolvedKind: kindHuman, Code: codeSolved,
		},
		Contracts: []Version{vectorVersion(t)},
	}
}

// vectorWork is a person's entry of so many minutes.
func vectorWork(minutes decimal.Decimal) (Work, error) {
	ms, err := inMS(minutes)
	return Work{
		ID: 1, Actor: "anna", Kind: kindHuman, WorkType: "remote", WorkRole: "engineer", StartedAt: vectorNoon, MS: ms,
		Segments: []Segment{{From: 0, To: ms, Date: vectorNoon.Format(time.DateOnly)}},
	}, err
}

const msPerMinute = 60_000

func inMS(minutes decimal.Decimal) (int64, error) {
	ms := minutes.Mul(decimal.NewFromInt(msPerMinute))
	if !ms.IsInteger() {
		return 0, notApplicable("time here is measured in whole milliseconds")
	}
	return ms.IntPart(), nil
}

func inMinutes(ms int64) decimal.Decimal {
	return decimal.NewFromInt(ms).DivRound(decimal.NewFromInt(msPerMinute), exactPlaces)
}

// duration writes minutes as a contract does.
func duration(minutes decimal.Decimal) (string, error) {
	ms, err := inMS(minutes)
	return (time.Duration(ms) * time.Millisecond).String(), err
}

// decideAll gives the charges of a closure, those that wait as well.
func decideAll(f Facts) ([]Charge, error) {
	d, err := Decide(f)
	charges := d.Charges
	for _, h := range d.Holds {
		charges = append(charges, h.Charges...)
	}
	for _, c := range charges {
		if c.Unrated {
			err = errors.Join(err, errors.New(c.Key+" has no rate"))
		}
	}
	return charges, err
}

// usagePrice prices use under a line of its own.
type usagePrice struct{ terms *Terms }

func priceOf(u UsageTerms, also ...func(*Line)) (usagePrice, error) {
	u.Event = "used"
	l := Line{Charge: chargeUsage, Usage: &u}
	for _, change := range also {
		change(&l)
	}
	t, err := vectorTerms(l)
	return usagePrice{t}, err
}

// costs gives what a use comes to in a period that has had so much use before, exactly. Less
// use is a use that is undone.
func (p usagePrice) costs(before, quantity decimal.Decimal) (decimal.Decimal, error) {
	counter := Counter{Key: usageCounter(countsUsage, vectorContract, vectorClause, vectorMonth), Value: before}
	switch quantity.Sign() {
	case 0:
		return decimal.Zero, nil
	case -1:
		undone := Charge{Kind: Usage, Clause: vectorClause, Counts: []Count{{Key: counter.Key, Quantity: quantity.Neg()}}}
		r, err := Reverse(1, undone, p.terms, []Counter{counter})
		return r.Exact, err
	}
	f := vectorFacts(p.terms)
	f.Events = []Event{{ID: 1, Name: "used", Quantity: quantity, Date: vectorNoon.Format(time.DateOnly)}}
	f.Counters = []Counter{counter}
	return exactSum(decideAll(f))
}

// unused gives what the period's end bills where nothing was used at all.
func (p usagePrice) unused() (decimal.Decimal, error) {
	month := Period{vectorMonth + "-01", "2026-04-01"}
	return billedSum(runPeriod(p.terms, Closing, month, month.Start, month.End, decimal.Zero))
}

// runPeriod gives the charges of a run of a billing period, on whose days from … until the terms
// are in force, where so much was billed under the contract before.
func runPeriod(t *Terms, run PeriodRun, p Period, from, until string, billed decimal.Decimal) ([]Charge, error) {
	d, err := DecidePeriod(PeriodFacts{
		Rules: Rules, Run: run, N: 1, Contract: vectorContract, Client: "C-1", Period: p,
		Versions: []DatedVersion{{Revision: 1, Digest: t.Digest(), From: from, Until: until, Terms: t}},
		Billed:   []CurrencySum{{Currency: t.Currency(), Amount: billed}},
	})
	return d.Charges, err
}

// exactSum sums what charges come to before they are rounded.
func exactSum(charges []Charge, err error) (decimal.Decimal, error) {
	sum := decimal.Zero
	for _, c := range charges {
		sum = sum.Add(c.Exact)
	}
	return sum, err
}

// billedSum sums what charges bill.
func billedSum(charges []Charge, err error) (decimal.Decimal, error) {
	sum := decimal.Zero
	for _, c := range charges {
		sum = sum.Add(c.Amount)
	}
	return sum, err
}

// says looks for words of a vector's convention.
func (v *vector) says(words string) bool {
	return strings.Contains(strings.ToLower(v.Convention), words)
}
