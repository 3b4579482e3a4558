package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/docket-psa/docket/billing"
)

// RatingOptions of Rating.
type RatingOptions struct {
	Now      func() time.Time
	Phase    time.Duration // how long each side runs, a round
	Rounds   int           // how often the sides take turns
	Progress io.Writer
}

// RatingResult is what rating costs, each side round by round in nanoseconds a closure, with the medians of the ratios within
// a round. The yardstick is encoding/json, which reads and writes the same facts and decides nothing.
type RatingResult struct {
	PhaseMS     int64     `json:"phase_ms"`
	Plain       []float64 `json:"encoding_json_ns"`
	Decide      []float64 `json:"decide_ns"`
	Audit       []float64 `json:"audit_ns"`
	WhatIf      []float64 `json:"whatif_ns"`
	DecidePlain float64   `json:"decide_to_encoding_json"`
	AuditPlain  float64   `json:"audit_to_encoding_json"`
	WhatIfPlain float64   `json:"whatif_to_encoding_json"`
	Allocations float64   `json:"decide_allocations"`
	DecideEach  float64   `json:"decide_median_ns"`
	AuditAll    []float64 `json:"audit_on_all_cores_per_s"`
	WhatIfAll   []float64 `json:"whatif_on_all_cores_per_s"`
	AuditEach   float64   `json:"audit_closures_per_s"`  // median
	WhatIfEach  float64   `json:"whatif_closures_per_s"` // median
	// The same by the processor time that they used, as if nothing else ran: closures a second of one core, times the cores.
	AuditIdle  float64 `json:"audit_on_idle_cores_per_s"`
	WhatIfIdle float64 `json:"whatif_on_idle_cores_per_s"`
	Others     float64 `json:"others_cores"` // CPU that everything else on the machine used meanwhile: near 0 on a quiet one
}

// Rating measures what one closure costs to decide, to audit and to rehearse under a draft, without a database: three work
// entries under a compiled contract of twenty lines, that draw block hours, bill and count. An audit reads the stored facts,
// decides, writes the decision and compares its digest; a what-if reads them, puts the draft in force, and decides with
// counters and blocks in memory.
func Rating(ctx context.Context, o RatingOptions) (RatingResult, error) {
	r := RatingResult{PhaseMS: o.Phase.Milliseconds()}
	c, err := newRated()
	if err != nil {
		return r, err
	}
	if r.Allocations, err = c.allocations(); err != nil {
		return r, err
	}
	var auditIdle, whatIfIdle []float64
	sides := []struct {
		name string
		into *[]float64
		run  func(*scratch) error
		idle *[]float64 // of all cores; nil: it runs on one
	}{
		{"encoding/json", &r.Plain, c.plain, nil},
		{"decide", &r.Decide, c.decide, nil},
		{"audit", &r.Audit, c.audit, nil},
		{"what if", &r.WhatIf, c.whatIf, nil},
		{"audit, all cores", &r.AuditAll, c.audit, &auditIdle},
		{"what if, all cores", &r.WhatIfAll, c.whatIf, &whatIfIdle},
	}
	began, err := o.clocks()
	if err != nil {
		return r, err
	}
	for round := range o.Rounds {
		for _, side := range sides {
			workers := 1
			if side.idle != nil {
				workers = runtime.GOMAXPROCS(0)
			}
			before, err := o.clocks()
			if err != nil {
				return r, err
			}
			done, err := o.run(ctx, workers, side.run)
			if err != nil {
				return r, fmt.Errorf("%s: %w", side.name, err)
			}
			took, err := o.since(before)
			if err != nil {
				return r, err
			}
			perSecond := done / took.wall.Seconds()
			if side.idle == nil {
				*side.into = append(*side.into, 1e9/perSecond)
			} else {
				*side.into = append(*side.into, perSecond)
				*side.idle = append(*side.idle, done/took.own.Seconds()*float64(workers))
			}
			_, _ = fmt.Fprintf(o.Progress, "round %d of %d: %-20s %8.0f /s\n", round+1, o.Rounds, side.name, perSecond)
		}
	}
	r.DecidePlain, r.AuditPlain, r.WhatIfPlain = medianRatio(r.Decide, r.Plain), medianRatio(r.Audit, r.Plain), medianRatio(r.WhatIf, r.Plain)
	r.DecideEach, r.AuditEach, r.WhatIfEach = Median(r.Decide), Median(r.AuditAll), Median(r.WhatIfAll)
	r.AuditIdle, r.WhatIfIdle = Median(auditIdle), Median(whatIfIdle)
	all, err := o.since(began)
	if err != nil {
		return r, err
	}
	r.Others = (all.everything - all.own).Seconds() / all.wall.Seconds()
	return r, nil
}

// clocks are the wall's, and the CPU time of this process and of the whole machine.
type clocks struct {
	at                    time.Time
	wall, own, everything time.Duration
}

func (o RatingOptions) clocks() (c clocks, err error) {
	c.at = o.Now()
	if c.own, err = cpuOf(os.Getpid()); err != nil {
		return c, err
	}
	c.everything, err = busy()
	return c, err
}

func (o RatingOptions) since(before clocks) (clocks, error) {
	now, err := o.clocks()
	return clocks{wall: now.at.Sub(before.at), own: now.own - before.own, everything: now.everything - before.everything}, err
}

// run runs one side for a phase and gives how many closures it did.
func (o RatingOptions) run(ctx context.Context, workers int, one func(*scratch) error) (float64, error) {
	began := o.Now()
	done, errs := make([]int, workers), make([]error, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			s := scratch{rehearsal: billing.NewRehearsal()}
			for ctx.Err() == nil && (done[i] == 0 || o.Now().Sub(began) < o.Phase) { // on a busy machine a phase may be over before it begins
				const closures = 50
				for range closures {
					if errs[i] = one(&s); errs[i] != nil {
						return
					}
				}
				done[i] += closures
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range done {
		sum += n
	}
	return float64(sum), errors.Join(append(errs, ctx.Err())...)
}

// rated is the one closure that is measured, as the database keeps it.
type rated struct {
	facts  billing.Facts
	stored string
	digest string
	draft  billing.Draft
}

// scratch is what one worker keeps between closures.
type scratch struct {
	json      []byte
	rehearsal *billing.Rehearsal
	told      bool
}

const ratedDocument = `
schema: docket.contract/v1
contract: bench
client: bench
name: A contract of twenty lines
effective_from: 2026-01-01
currency: EUR
time_zone: Europe/Berlin
time: {minimum: 15m, increment: 15m}
rates: [{hourly: 150}, {work_role: architect, hourly: 200}, {actor: ai, hourly: 36}]
lines:
`

func newRated() (*rated, error) {
	document := strings.Builder{}
	document.WriteString(ratedDocument)
	for i := range 18 {
		_, _ = fmt.Fprintf(&document, "  - {clause: A%d, name: Service %d, match: {categories: [Category %d], work_types: [remote, onsite]}, charge: covered}\n", i, i, i)
	}
	document.WriteString("  - {clause: B1, name: Block hours, match: {work_types: [remote]}, charge: block}\n  - {clause: T1, name: Support, charge: time}\n")
	c, err := billing.ParseContract([]byte(document.String()))
	if err != nil {
		return nil, err
	}
	terms, err := c.Compile()
	if err != nil {
		return nil, err
	}
	in := billing.Version{Contract: c.ID, Revision: 1, Digest: terms.Digest(), From: terms.Begins(), Terms: terms}
	resolved := time.Date(2026, 3, 10, 18, 0, 0, 0, time.UTC)
	entry := func(id int64, kind, workType string, before, spent time.Duration) billing.Work {
		start := resolved.Add(-before)
		return billing.Work{
			ID: id, Actor: "anna", Kind: kind, WorkType: workType, WorkRole: "engineer", StartedAt: start, MS: spent.Milliseconds(),
			Segments: []billing.Segment{{To: spent.Milliseconds(), Date: start.Format(time.DateOnly)}},
		}
	}
	r := &rated{facts: billing.Facts{
		Rules: billing.Rules,
		Ticket: billing.Ticket{
			ID: "T-1042", Round: 1, Client: c.ID, Currency: c.Currency, Category: "email", Type: "incident", Channel: "mail", Priority: 3,
			OpenedAt: resolved.Add(-8 * time.Hour), ResolvedAt: resolved, ResolvedOn: resolved.Format(time.DateOnly), ResolvedBy: "anna", ResolvedKind: "human", Code: "solved",
		},
		Work: []billing.Work{
			entry(1, "human", "remote", 6*time.Hour, 42*time.Minute), entry(2, "human", "onsite", 5*time.Hour, 20*time.Minute),
			entry(3, "ai", "ai-resolution", 4*time.Hour, 2*time.Second),
		},
		Contracts: []billing.Version{in},
		Blocks:    []billing.Block{{ID: 7, Contract: c.ID, GrantedAt: terms.Begins(), LeftMS: (30 * time.Minute).Milliseconds()}},
	}}
	r.draft = billing.Draft{Version: in, InsteadOf: c.ID}
	r.draft.Revision = 2
	stored, err := billing.Canonical(r.facts)
	if err != nil {
		return nil, err
	}
	decision, err := billing.Decide(r.facts)
	if err != nil {
		return nil, err
	}
	r.stored, r.digest = string(stored), decision.Digest()
	return r, nil
}

// plain is the yardstick.
func (r *rated) plain(*scratch) error {
	var f billing.Facts
	if err := json.Unmarshal([]byte(r.stored), &f); err != nil {
		return err
	}
	_, err := json.Marshal(f)
	return err
}

func (r *rated) decide(*scratch) error {
	_, err := billing.Decide(r.facts)
	return err
}

func (r *rated) read() (billing.Facts, error) {
	f, err := billing.ParseFacts(r.stored)
	for i := range f.Contracts {
		f.Contracts[i].Terms = r.draft.Terms
	}
	return f, err
}

func (r *rated) audit(s *scratch) error {
	f, err := r.read()
	if err != nil {
		return err
	}
	d, err := billing.Decide(f)
	if err != nil {
		return err
	}
	if s.json, err = billing.AppendCanonical(s.json[:0], d); err != nil {
		return err
	}
	if digest := billing.DigestOf(s.json); digest != r.digest {
		return fmt.Errorf("decided again the digest is %s, and was %s", digest, r.digest)
	}
	return nil
}

func (r *rated) whatIf(s *scratch) error {
	f, err := r.read()
	if err != nil {
		return err
	}
	f = r.draft.Under(f)
	wants, _, err := billing.Sketch(f)
	if err != nil {
		return err
	}
	if !s.told {
		s.told = true
		for _, key := range wants.Counters {
			s.rehearsal.Counter(billing.Counter{Key: key})
		}
		block := r.facts.Blocks[0]
		block.GrantedMS = 1 << 42 // it does not run out in a phase
		s.rehearsal.Bought(r.draft.Contract, []billing.HeldHours{{Block: block}})
	}
	_, err = s.rehearsal.Close(f, wants, f.Ticket.ResolvedAt)
	if untold := (*billing.Untold)(nil); errors.As(err, &untold) {
		for _, key := range untold.Counters {
			s.rehearsal.Counter(billing.Counter{Key: key})
		}
		_, err = s.rehearsal.Close(f, wants, f.Ticket.ResolvedAt)
	}
	return err
}

// allocations counts those of one call of Decide.
func (r *rated) allocations() (float64, error) {
	const calls = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		if err := r.decide(nil); err != nil {
			return 0, err
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / calls, nil
}
