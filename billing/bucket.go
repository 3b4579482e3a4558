package billing

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// bucketRule is what a line's bucket grants anew each period, in milliseconds.
type bucketRule struct {
	included    int64
	rollover    int64 // most that goes into the next period
	rolledFirst bool  // what rolled over is used before the period's own hours
	prorate     bool
}

func compileBucket(b *Bucket) bucketRule {
	if b == nil {
		return bucketRule{}
	}
	return bucketRule{
		included: length(b.Included).Milliseconds(), rollover: length(b.Rollover).Milliseconds(),
		rolledFirst: b.First == "rolled", prorate: b.Prorate,
	}
}

// The order in which the blocks of a bucket are drawn from, by Block.Priority. A period's own hours stand between.
const (
	rolledFirst = 1
	baseHours   = 2
	rolledLast  = 3
)

// Allowance is what the bucket of a clause grants for one billing period.
type Allowance struct {
	Contract   string
	Clause     string
	Revision   int // the version that governs the grant
	Latest     int // the last version that adds to it
	Currency   string
	Period     Period
	From       time.Time // the period's instants, in the contract's zone
	Until      time.Time
	MS         int64
	RolloverMS int64 // most of the unused that goes into the next period
	Base       int   // draw order of its hours
	Rolled     int   // draw order of those that roll over into it
}

// Key names the grant: one a contract, clause and period.
func (a Allowance) Key() string {
	return "bucket/" + a.Contract + "/" + a.Clause + "/" + a.Period.Start
}

// AddedKey names what the latest version adds to a grant that was made before it was applied.
func (a Allowance) AddedKey() string { return a.Key() + "/" + strconv.Itoa(a.Latest) }

// Allow says what the versions of one contract grant for a billing period; false where they grant nothing. The versions
// are all that there are of the contract, whatever instants they are cut to.
//
// The version in force when the period begins governs the grant (the first one in force, where the contract begins
// within it): its hours whole, or with bucket.prorate the share of the days on which the contract grants anything. A
// version with more hours that comes into force within the period adds the difference for the days that it is in force;
// one with fewer takes nothing away that was granted. Days of a pause grant nothing, and a period of nothing but pauses
// has no allowance.
func Allow(versions []Version, clause string, p Period) (Allowance, bool) {
	dated := byDate(versions)
	first, err := time.Parse(time.DateOnly, p.Start)
	if err != nil {
		return Allowance{}, false
	}
	zone := ""
	var governs *line
	a := Allowance{Period: p, Clause: clause}
	var days, granting, extra int64
	for on := first; ; on = on.AddDate(0, 0, 1) {
		date := on.Format(time.DateOnly)
		if date >= p.End {
			break
		}
		days++
		v := inForceOn(dated, date)
		if v == nil || v.Terms.pausedOn(date) {
			continue
		}
		l := v.Terms.line(clause)
		if l == nil || l.Charge != chargeBucket {
			continue
		}
		granting++
		if governs == nil {
			governs, a.Contract, a.Revision, a.Currency = l, v.Contract, v.Revision, v.Terms.contract.Currency
			zone = v.Terms.contract.TimeZone
		}
		if more := l.bucket.included - governs.bucket.included; more > 0 {
			extra += more
		}
		a.Latest = max(a.Latest, v.Revision)
	}
	if governs == nil {
		return Allowance{}, false
	}
	if !governs.bucket.prorate {
		granting = days
	}
	a.MS = (2*(governs.bucket.included*granting+extra) + days) / (2 * days) // half a millisecond up
	a.RolloverMS = governs.bucket.rollover
	a.Base, a.Rolled = baseHours, rolledLast
	if governs.bucket.rolledFirst {
		a.Rolled = rolledFirst
	}
	in, err := time.LoadLocation(zone)
	if err != nil {
		return Allowance{}, false
	}
	a.From, a.Until = midnight(p.Start, in), midnight(p.End, in)
	return a, a.MS > 0
}

// PeriodBefore gives the billing period that ends where p begins.
func PeriodBefore(versions []Version, p Period) Period {
	first, err := time.Parse(time.DateOnly, p.Start)
	if err != nil {
		return p
	}
	before := periodAt(byDate(versions), first.AddDate(0, 0, -1).Format(time.DateOnly))
	before.End = min(before.End, p.Start)
	return before
}

// PeriodAfter gives the billing period that begins where p ends.
func PeriodAfter(versions []Version, p Period) Period {
	return periodAt(byDate(versions), p.End)
}

// PeriodOn gives the billing period of a local date, by the version in force on it, else by the first one.
func PeriodOn(versions []Version, date string) Period { return periodAt(byDate(versions), date) }

// BucketClauses names the clauses of the versions that are buckets, sorted.
func BucketClauses(versions []Version) []string {
	var clauses []string
	for _, v := range versions {
		for i := range v.Terms.lines {
			if l := &v.Terms.lines[i]; l.Charge == chargeBucket {
				clauses = append(clauses, l.Clause)
			}
		}
	}
	return sorted(clauses)
}

// HasBuckets says whether a line of the terms grants hours by the period.
func (t *Terms) HasBuckets() bool {
	return slices.ContainsFunc(t.lines, func(l line) bool { return l.Charge == chargeBucket })
}

// byDate sorts versions by their first date, and of one date keeps the highest revision.
func byDate(versions []Version) []Version {
	dated := slices.Clone(versions)
	slices.SortFunc(dated, func(a, b Version) int {
		return cmp.Or(cmp.Compare(a.Terms.EffectiveFrom(), b.Terms.EffectiveFrom()), cmp.Compare(a.Revision, b.Revision))
	})
	counts := dated[:0]
	for i := range dated {
		if i+1 == len(dated) || dated[i+1].Terms.EffectiveFrom() != dated[i].Terms.EffectiveFrom() {
			counts = append(counts, dated[i])
		}
	}
	return counts
}

// inForceOn finds the version that governs a local date: a version ends where the next one begins.
func inForceOn(dated []Version, date string) *Version {
	for i := len(dated) - 1; i >= 0; i-- {
		t := dated[i].Terms
		if t.EffectiveFrom() <= date {
			if to := t.EffectiveTo(); to != "" && to <= date {
				return nil
			}
			return &dated[i]
		}
	}
	return nil
}

func periodAt(dated []Version, date string) Period {
	if len(dated) == 0 {
		return calendarMonths.period(date)
	}
	if v := inForceOn(dated, date); v != nil {
		return v.Terms.PeriodOf(date)
	}
	return dated[0].Terms.PeriodOf(date)
}

func (t *Terms) pausedOn(date string) bool {
	return slices.ContainsFunc(t.pauses, func(p Pause) bool { return p.From <= date && date < p.To })
}

// BucketWant names the allowance of a period that a decision may draw from.
type BucketWant struct {
	Contract string
	Clause   string
	Period   Period
}

// wantBucket notes that work under a bucket line may draw from its period's allowance.
func (d *decider) wantBucket(wants *Wants, p *piece) {
	v := &d.facts.Contracts[p.version]
	w := BucketWant{Contract: v.Contract, Clause: p.line.Clause, Period: v.Terms.PeriodOf(p.date)}
	if !slices.Contains(wants.Buckets, w) {
		wants.Buckets = append(wants.Buckets, w)
	}
}

func (w BucketWant) compare(v BucketWant) int {
	return cmp.Or(cmp.Compare(w.Contract, v.Contract), cmp.Compare(w.Clause, v.Clause), cmp.Compare(w.Period.Start, v.Period.Start))
}

// tellPeriod names a date's billing period to people: its month, where it is one.
func (t *Terms) tellPeriod(date string) string {
	if t.cycle == calendarMonths {
		return monthOf(date)
	}
	return t.cycle.period(date).String()
}
