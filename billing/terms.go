package billing

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Terms is a contract document compiled for rating: durations in milliseconds, lines and
// rates sorted so that the first that matches is the one that counts. It never changes.
type Terms struct {
	contract  Contract
	digest    string
	begins    time.Time // first instant of EffectiveFrom in the contract's zone
	ends      time.Time // first instant of EffectiveTo; zero: open-ended
	places    int32     // of the currency's minor unit
	rounding  Rounding
	lines     []line // that speak of work: by fields set, most first, then as written
	others    []line // recurring ones and those of usage, as written
	rest      line   // what is true of work that no line speaks of
	rates     []rate // by fields set, most first, then as written
	weighs    bool   // some row weighs hours that are paid for
	threshold threshold
	patience  time.Duration
	targets   map[int]Target
	cycle     cycle
	bands     []band
	pauses    []Pause
	materials []material
	limit     *line // what a ticket's limit stands under; nil without one
	credits   *credits
	project   limits
	expected  limits
}

// Contract gives the document that was compiled. It must not be changed.
func (t *Terms) Contract() *Contract { return &t.contract }

// Digest is the SHA-256 of the document's canonical JSON: the name of exactly these terms.
func (t *Terms) Digest() string { return t.digest }

// EffectiveFrom is the first local date of the terms, YYYY-MM-DD.
func (t *Terms) EffectiveFrom() string { return t.contract.EffectiveFrom }

// EffectiveTo is the first local date after the terms; empty: open-ended.
func (t *Terms) EffectiveTo() string { return t.contract.EffectiveTo }

// Begins is the instant at which EffectiveFrom starts in the contract's zone.
func (t *Terms) Begins() time.Time { return t.begins }

// Ends is the instant at which EffectiveTo starts; zero: open-ended.
func (t *Terms) Ends() time.Time { return t.ends }

// Zone is the IANA name of the contract's time zone.
func (t *Terms) Zone() string { return t.contract.TimeZone }

// Currency is the ISO 4217 code of every amount under these terms.
func (t *Terms) Currency() string { return t.contract.Currency }

// Patience is how long an exception waits before it escalates.
func (t *Terms) Patience() time.Duration { return t.patience }

// The ways a line charges.
const (
	chargeCovered     = "covered"
	chargeTime        = "time"
	chargeBlock       = "block"
	chargePerTicket   = "per-ticket"
	chargeNotBillable = "not-billable"
	chargeOutOfScope  = "out-of-scope"
	chargeBucket      = "bucket"
	chargeRetainer    = "retainer"
	chargeUsage       = "usage"
	chargeFlat        = "flat"
	chargePerDevice   = "per-device"
	chargePerSeat     = "per-seat"
)

// What a block line does with time beyond the block, unless it names an hourly price.
const (
	overageRateCard = "rate-card"
	overageHold     = "hold"
)

// Who did the work.
const (
	kindHuman = "human"
	kindAI    = "ai"
)

// line is one compiled clause.
type line struct {
	*Line
	fields  int // how many fields of Match are set
	time    timeRule
	ownTime bool                // the line says how its time bills: its days count apart from the contract's
	overage decimal.NullDecimal // a fixed hourly price
	blocks  blockRule
	bucket  bucketRule
}

// rate is one compiled row of the rate card.
type rate struct {
	Rate
	fields int
}

// timeRule says how measured time becomes billable time, in milliseconds.
type timeRule struct {
	minimum     int64
	increment   int64
	grace       int64
	round       string // to a whole number of increments; empty: up
	aiMinimum   int64
	aiIncrement int64
	scope       string // of the minimum: entry, ticket, day
	incScope    string // of the increment, likewise
	aiAlone     bool   // AI time is rounded at each closure by itself
	failed      bool   // failed attempts bill
	elsewhere   string // a person's work while he was on another ticket: show or hold
}

const (
	defaultPatience = 4 * time.Hour
	defaultExpiry   = 72 * time.Hour
)

// Compile checks the document and gives its immutable form. The error joins one Problem
// for each thing that is wrong.
func (c *Contract) Compile() (*Terms, error) {
	ps := new(problems)
	check(ps, c)
	if err := ps.err(); err != nil {
		return nil, err
	}
	t := &Terms{contract: clone(*c), digest: digest(c), rounding: Rounding(c.Rounding), patience: defaultPatience}
	c = &t.contract
	t.places, _ = MinorUnits(c.Currency)
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return nil, err
	}
	t.begins, t.ends = midnight(c.EffectiveFrom, zone), midnight(c.EffectiveTo, zone)
	if c.Patience != "" {
		t.patience = length(c.Patience)
	}

	t.cycle, t.bands, t.pauses = compileCycle(c.Billing), compileBands(c), c.Pauses
	for i := range c.Lines {
		switch l := compileLine(c, &c.Lines[i]); l.Charge {
		case chargeUsage, chargeFlat, chargePerDevice, chargePerSeat:
			t.others = append(t.others, l)
		default:
			t.lines = append(t.lines, l)
		}
	}
	slices.SortStableFunc(t.lines, func(a, b line) int { return b.fields - a.fields })
	t.rest = compileLine(c, &Line{Name: "Work", Charge: chargeOutOfScope})
	t.rest.fields = -2
	if c.Unmatched == chargeTime {
		t.rest.Charge, t.rest.fields = chargeTime, -1
	}

	for _, r := range c.Rates {
		fields := set(r.WorkRole != "") + set(r.WorkType != "") + set(r.Actor != "") + set(r.Band != "")
		if r.Actor == "" {
			r.Actor = kindHuman
		}
		t.weighs = t.weighs || r.Weight != nil
		t.rates = append(t.rates, rate{Rate: r, fields: fields})
	}
	slices.SortStableFunc(t.rates, func(a, b rate) int { return b.fields - a.fields })

	t.threshold, t.project, t.expected = compileApproval(c.Approval), compileProject(c.Project), compileExpected(c.Expected)
	t.materials, t.limit, t.credits = compileMaterials(c), compileLimit(c), compileCredits(c)
	if c.SLA != nil {
		t.targets = make(map[int]Target, len(c.SLA.Targets))
		for priority, s := range c.SLA.Targets {
			t.targets[priority] = Target{Response: length(s.Response), Resolution: length(s.Resolution), Calendar: cmp.Or(s.Calendar, c.SLA.Calendar)}
		}
	}
	return t, nil
}

func compileLine(c *Contract, l *Line) line {
	m := l.Match
	out := line{Line: l, time: timeTerms(c.Time, l.Time), ownTime: l.Time != nil, blocks: compileBlock(l.Block), bucket: compileBucket(l.Bucket)}
	out.fields = set(len(m.Categories) > 0) + set(len(m.Subcategories) > 0) + set(len(m.Types) > 0) + set(len(m.WorkTypes) > 0) +
		set(len(m.Channels) > 0) + set(len(m.Sites) > 0) + set(len(m.Actors) > 0) + set(len(m.Priorities) > 0) +
		set(len(m.Devices) > 0) + set(len(m.Bands) > 0)
	if price, err := decimal.NewFromString(l.Overage); err == nil {
		out.overage = decimal.NewNullDecimal(price)
	}
	return out
}

// timeTerms reads each term from the line, or else from the contract.
func timeTerms(c TimeTerms, l *TimeTerms) timeRule {
	if l == nil {
		l = new(TimeTerms)
	}
	scope := cmp.Or(l.Scope, c.Scope, scopeEntry)
	return timeRule{
		minimum:     length(cmp.Or(l.Minimum, c.Minimum)).Milliseconds(),
		increment:   length(cmp.Or(l.Increment, c.Increment)).Milliseconds(),
		grace:       length(cmp.Or(l.Grace, c.Grace)).Milliseconds(),
		round:       cmp.Or(l.Round, c.Round, roundUpward),
		aiMinimum:   length(cmp.Or(l.AIMinimum, c.AIMinimum)).Milliseconds(),
		aiIncrement: length(cmp.Or(l.AIIncrement, c.AIIncrement)).Milliseconds(),
		scope:       scope,
		incScope:    cmp.Or(l.IncrementScope, c.IncrementScope, scope),
		aiAlone:     cmp.Or(l.AIAccumulate, c.AIAccumulate) == accumulateClosure,
		failed:      cmp.Or(l.Failed, c.Failed) == failedBill,
		elsewhere:   cmp.Or(l.Elsewhere, c.Elsewhere, elsewhereShow),
	}
}

// What a minimum and an increment apply to, and what AI time adds up over.
const (
	scopeEntry        = "entry"
	scopeTicket       = "ticket"
	scopeDay          = "day"
	roundUpward       = "up"
	roundNearest      = "nearest"
	roundDown         = "down"
	failedBill        = "bill"
	elsewhereShow     = "show"
	elsewhereHold     = "hold"
	accumulatePeriod  = "period"
	accumulateClosure = "closure"
)

// length reads a duration that check has accepted; an empty one is 0.
func length(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0
	}
	return d
}

// midnight gives the first instant of a local date that check has accepted; the zero time
// for none. Where clocks jump over midnight, it is the first instant after the gap.
func midnight(date string, zone *time.Location) time.Time {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}
	}
	at := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
	if at.Day() != day.Day() {
		// The gap swallowed midnight and time.Date chose the offset before it: the gap's end
		// is when the zone changes next.
		_, at = at.ZoneBounds()
	}
	return at.UTC()
}

func set(is bool) int {
	if is {
		return 1
	}
	return 0
}
