package billing

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// Decide turns the facts of a closure into its effect on money: charges that post with
// it, and holds that wait for a person. It is the pipeline of one entry or ticket: which
// clause governs which part of the work, how much of it is billable time, what covers
// it, what the rest costs, and who must be asked.
//
// An error means that the facts are malformed (segments that do not tile, terms that
// are missing): a defect of who built them. Whatever a person can decide is a hold.
func Decide(f Facts) (Decision, error) {
	d, err := begin(f)
	if err != nil {
		return Decision{}, err
	}
	return d.decide()
}

func (d *decider) decide() (Decision, error) {
	d.survey()
	return d.rate()
}

// survey finds which clause governs which part of the work, and how much of it counts.
func (d *decider) survey() {
	d.doubtTime()
	d.cut()
	d.measure()
	d.weigh()
}

// rate prices what was surveyed.
func (d *decider) rate() (Decision, error) {
	for i := range d.pieces {
		d.charge(&d.pieces[i])
	}
	d.chargeTicket()
	d.chargeCallOuts()
	d.chargeMaterials()
	d.chargeEvents()
	for i := range d.slots {
		d.price(d.slots[i])
	}
	d.drawRetainers()
	d.capLines()
	d.roundTicket()
	d.limitTicket()
	d.creditTargets()
	d.guard()
	d.countOrders()
	d.countProject()
	d.explainRerating()
	out := d.decision()
	return out, d.err
}

// decider carries one call of Decide through its steps.
type decider struct {
	facts    Facts // its slices sorted, blocks and counters copied
	entries  []entry
	pieces   []piece
	slots    []*slot
	bySlot   map[slotKey]*slot
	currency string                           // of the client, where no contract says one
	grants   []Grant                          // blocks that the contract buys by itself
	sales    []*slot                          // their prices
	asked    *Wants                           // what Want hears of
	stands   func(key string) decimal.Decimal // where counters stand that the facts do not tell; nil: at nothing
	err      error                            // terms that do not price what they made: a defect
}

// entry is what rating knows of Facts.Work[i] beside the facts.
type entry struct {
	first, end int // its pieces
	free       bool
	doubt      doubt // why it cannot be believed
	timed      bool  // some part of it becomes billable time
	rule       timeRule
	whole      int64 // billable milliseconds of the whole entry
}

// piece is a part of an entry that one clause governs in one month.
type piece struct {
	pick
	work     int // index in Facts.Work
	from, to int64
	at       time.Time // instant of from
	date     string
	bill     int64 // its share of the entry's billable milliseconds, as its bands or its role weigh it
	plain    int64 // the same before it is weighed
	lapse    lapse // why its clause does not pay for it
	warranty bool  // it mends earlier work
	noStart  bool  // its bands are anybody's guess, and matter
	weight   decimal.Decimal
	by       string // the bands that make the weight; empty: it weighs 1
	role     *rate  // the row whose weight counts for hours that are paid for, instead of the bands'
}

func (p *piece) elapsed() int64 { return p.to - p.from }

// slotKey says which pieces add up to one charge.
type slotKey struct {
	kind    ChargeKind
	reason  HoldReason // why it waits; empty: it posts
	version int
	clause  *line
	month   string // of the service date; the billing period's first day where the contract has other periods
	work    int    // index in Facts.Work; −1: of all work
	bands   string // what its hours weigh: the bands that count, joined
	of      string // what else it stands for: a material, an event, what it lowers
}

// slot is a charge in the making.
type slot struct {
	slotKey
	charge  Charge
	elapsed int64
	bill    int64
	plain   int64               // bill before it was weighed
	weighed []weighing          // how, by what weighs it
	rate    *rate               // the row of the rate card, where one was used
	hourly  decimal.NullDecimal // invalid: unrated, or not a matter of time
	tie     int                 // with reason Tie: the other version
	signOff bool                // waits for the client's sign-off
	human   bool                // some of its work is a person's: told in hours, not in seconds
	with    *slot               // the charge that it lowers, and posts or waits with
	weight  decimal.Decimal     // of its bands, with by
	by      string
	item    *Item  // the material that it stands for
	event   *Event // with Usage
	rivals  string // with reason Tie, of what belongs to the ticket: the contracts that claim it
	guard   string // clause of what keeps it for a dispatcher, where that is not its own
	period  string // of a bucket line: the billing period, as it is told
	doing   doing  // the first of its work, or what the ticket is priced by
	within  string // time that its day had billed already
}

func begin(f Facts) (*decider, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.Ticket.Code == "" {
		f.Ticket.Code = codeSolved
	}
	d := &decider{facts: f, bySlot: make(map[slotKey]*slot, 2*len(f.Work)), currency: f.Ticket.Currency}
	if _, known := MinorUnits(d.currency); !known {
		d.currency = NoCurrency
	}
	byTime := func(a, b Work) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
	}
	if !slices.IsSortedFunc(f.Work, byTime) {
		d.facts.Work = slices.Clone(f.Work)
		slices.SortFunc(d.facts.Work, byTime)
	}
	d.facts.Blocks = slices.Clone(f.Blocks)
	slices.SortFunc(d.facts.Blocks, drawOrder)
	d.facts.Counters = slices.Clone(f.Counters)

	d.entries = make([]entry, len(f.Work))
	for i := range d.facts.Work {
		w := &d.facts.Work[i]
		d.entries[i].free = w.NoBill || f.Ticket.Code == codeDuplicate || f.Ticket.Code == codeSpam || (w.Failed && !d.billsFailed(w))
	}
	return d, nil
}

// billsFailed says whether the terms that govern a failed attempt bill it.
func (d *decider) billsFailed(w *Work) bool {
	p := d.choose(w.StartedAt, w.WorkType, w.Kind)
	return p.version >= 0 && p.tie < 0 && p.line.time.failed
}

// The resolution codes that matter to money.
const (
	codeSolved    = "solved"
	codeSilent    = "silent"
	codeDuplicate = "duplicate"
	codeSpam      = "spam"
)

func (w *Work) at(ms int64) time.Time { return w.StartedAt.Add(time.Duration(ms) * time.Millisecond) }

func (w *Work) end() time.Time { return w.at(w.MS) }

// cut parts each entry wherever the clause that governs it or the month changes.
func (d *decider) cut() {
	d.pieces = make([]piece, 0, len(d.facts.Work)+2)
	for i := range d.facts.Work {
		w := &d.facts.Work[i]
		d.entries[i].first = len(d.pieces)
		for _, s := range w.Segments {
			if s.From == s.To {
				continue
			}
			for from := s.From; from < s.To; {
				p := piece{work: i, from: from, at: w.at(from), date: s.Date, pick: pick{version: -1, tie: -1}}
				if !d.entries[i].free {
					p.pick = d.govern(p.at, w.WorkType, w.Kind, s.Bands, w.Unstarted)
				}
				if p.version >= 0 && p.tie < 0 {
					t := d.facts.Contracts[p.version].Terms
					p.noStart = w.Unstarted && len(t.bands) > 0 && t.contract.Time.Unstarted == ""
					if p.warranty = d.underWarranty(&p); !p.warranty && entitles(p.line.Charge) {
						p.lapse = t.lapsed(&d.facts.Ticket, p.date)
					}
					if p.lapse.reason == "" && !p.warranty && p.line.Charge == chargeCovered && d.facts.Ticket.Project != nil {
						p.lapse = lapse{reason: ProjectSize, instead: insteadBill}
					}
				}
				p.to = d.edge(w, &p, s.To)
				from = p.to
				if n := len(d.pieces); n > d.entries[i].first && d.joins(&d.pieces[n-1], &p) {
					d.pieces[n-1].to = p.to
				} else {
					d.pieces = append(d.pieces, p)
				}
			}
		}
		d.entries[i].end = len(d.pieces)
	}
}

// edge gives where the piece ends at the latest: where a contract version begins or ends,
// and, under a block line, where a block begins or expires.
func (d *decider) edge(w *Work, p *piece, to int64) int64 {
	nearer := func(at time.Time) {
		if at.IsZero() || !at.After(p.at) || !at.Before(w.at(to)) {
			return
		}
		// Rounded up: an edge within a millisecond is the millisecond after it.
		ms := (at.Sub(w.StartedAt) + time.Millisecond - 1) / time.Millisecond
		to = min(to, int64(ms))
	}
	for i := range d.facts.Contracts {
		nearer(d.facts.Contracts[i].From)
		nearer(d.facts.Contracts[i].Until)
	}
	if p.line != nil && p.line.Charge == chargeBlock {
		for i := range d.facts.Blocks {
			if b := &d.facts.Blocks[i]; b.Clause == "" && b.Contract == d.facts.Contracts[p.version].Contract {
				nearer(b.since(p.line))
				nearer(b.ExpiresAt)
			}
		}
	}
	return to
}

// joins says whether q, which follows p, is the same piece to money. Pieces under a block
// line stay apart: each draws what was there at its own time.
func (d *decider) joins(p, q *piece) bool {
	if p.pick != q.pick || p.lapse != q.lapse || p.warranty != q.warranty {
		return false
	}
	if p.version < 0 || p.line == nil {
		return monthOf(p.date) == monthOf(q.date)
	}
	if p.date != q.date && p.line.time.within(scopeDay, kindHuman) {
		return false
	}
	return d.periodKey(p.version, p.date) == d.periodKey(q.version, q.date) && p.line.Charge != chargeBlock
}

// open finds or begins the charge that the piece belongs to.
func (d *decider) open(k slotKey, p *piece) *slot {
	s, ok := d.bySlot[k]
	if !ok {
		s = &slot{slotKey: k, tie: p.tie}
		s.charge = Charge{Kind: k.kind, Currency: d.currency, Date: p.date, Unit: UnitHour}
		if k.version >= 0 {
			v := &d.facts.Contracts[k.version]
			s.charge.Contract, s.charge.Revision, s.charge.Currency = v.Contract, v.Revision, v.Terms.contract.Currency
			v.Terms.document(&s.charge, k.clause)
		}
		if k.clause != nil {
			s.charge.Clause = k.clause.Clause
		}
		s.charge.Key = d.key(k)
		if p.work >= 0 {
			w := &d.facts.Work[p.work]
			s.doing = doing{workType: w.WorkType, kind: w.Kind, bands: p.bands}
		}
		if k.clause != nil && k.clause.Charge == chargeBucket {
			s.period = d.facts.Contracts[k.version].Terms.tellPeriod(p.date)
		}
		d.bySlot[k] = s
		d.slots = append(d.slots, s)
	}
	return s
}

// document fills in what the invoice needs to know of a charge under these terms.
func (t *Terms) document(c *Charge, l *line) {
	c.Payer, c.Tax, c.Bills = t.contract.Payer, t.contract.Tax, t.bills(c.Date)
	c.Accounting = t.contract.Accounting
	if l != nil {
		c.TaxCategory = l.TaxCategory
		if l.Accounting != nil {
			c.Accounting = l.Accounting
		}
	}
}

// periodKey names the billing period of a date under a contract version; its month under none.
func (d *decider) periodKey(version int, date string) string {
	if version < 0 {
		return monthOf(date)
	}
	return d.facts.Contracts[version].Terms.periodKey(date)
}

// add puts a part of the piece's elapsed and billable time into the charge; plain is what is billable before it is weighed.
func (d *decider) add(s *slot, p *piece, from, to, bill, plain int64) {
	s.elapsed += to - from
	s.bill += bill
	s.plain += plain
	s.human = s.human || d.facts.Work[p.work].Kind == kindHuman
	if p.date < s.charge.Date {
		s.charge.Date = p.date
	}
	if from == to {
		return
	}
	w := &d.facts.Work[p.work]
	span := Span{Work: w.ID, From: w.Offset + from, To: w.Offset + to}
	if n := len(s.charge.Spans); n > 0 && s.charge.Spans[n-1].Work == span.Work && s.charge.Spans[n-1].To == span.From {
		s.charge.Spans[n-1].To = span.To
		return
	}
	s.charge.Spans = append(s.charge.Spans, span)
}

// key names the charge within the closure. It depends on the facts alone, so a retry
// gives the same one.
func (d *decider) key(k slotKey) string {
	key := d.facts.Rerating.prefix() + string(k.kind)
	switch {
	case k.version >= 0:
		v := &d.facts.Contracts[k.version]
		key += "/" + v.Contract + "@" + strconv.Itoa(v.Revision) + "/" + k.clause.Clause
	case k.reason == NoContract || k.reason == Tie:
		key += "/" + string(k.reason)
	}
	if k.month != "" {
		key += "/" + k.month
	}
	if k.work >= 0 {
		w := &d.facts.Work[k.work]
		key += "/work-" + strconv.FormatInt(w.ID, 10)
		if w.Offset > 0 {
			key += "+" + strconv.FormatInt(w.Offset, 10)
		}
	}
	if k.bands != "" {
		key += "/" + k.bands
	}
	if k.of != "" {
		key += "/" + k.of
	}
	if k.reason == Implausible && k.work < 0 {
		key += "/" + string(Implausible)
	}
	return key
}
