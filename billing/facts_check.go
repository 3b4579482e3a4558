package billing

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// longest is the most milliseconds of one entry that Decide will reckon with: 31 days. More
// is an exception. What is beyond tooLong (285 years) does not even fit an instant.
const (
	longest = int64(31 * 24 * time.Hour / time.Millisecond)
	tooLong = int64(9e12)
	maxWork = 50_000 // entries of one ticket

	maxExtras = 10_000 // materials, and events, of one ticket
)

// maxDayWorth is that of milliseconds × rate: of a rate, a premium and a discount of 9 decimals each, so it is finer too.
var (
	maxCounter  = decimal.New(1, 18)
	maxDayWorth = decimal.New(1, 24)
)

// check refuses facts that no store may build: such an error is a defect, never a
// question for a person.
func (f *Facts) check() error {
	if f.Rules < rulesFirst || f.Rules > Rules {
		return fmt.Errorf("facts of ticket %s: rules %d are not known, this program speaks %d to %d", f.Ticket.ID, f.Rules, rulesFirst, Rules)
	}
	if len(f.Work) > maxWork {
		return fmt.Errorf("facts of ticket %s: %d work entries are more than %d", f.Ticket.ID, len(f.Work), maxWork)
	}
	if !isMonth(f.Ticket.ResolvedOn) {
		return fmt.Errorf("facts of ticket %s: resolved_on %q is not a date", f.Ticket.ID, f.Ticket.ResolvedOn)
	}
	switch f.Ticket.Code {
	case "", codeSolved, codeSilent, codeDuplicate, codeSpam:
	default:
		return fmt.Errorf("facts of ticket %s: resolution code %q is not known", f.Ticket.ID, f.Ticket.Code)
	}
	if f.Ticket.ResolvedKind != kindHuman && f.Ticket.ResolvedKind != kindAI {
		return fmt.Errorf("facts of ticket %s: resolved_kind %q is neither human nor ai", f.Ticket.ID, f.Ticket.ResolvedKind)
	}
	seen := make(map[[2]int64]struct{}, len(f.Work))
	for i := range f.Work {
		w := &f.Work[i]
		part := [2]int64{w.ID, w.Offset}
		if _, twice := seen[part]; twice {
			return fmt.Errorf("facts of ticket %s: work %d is there twice", f.Ticket.ID, w.ID)
		}
		seen[part] = struct{}{}
		if err := w.check(); err != nil {
			return fmt.Errorf("facts of ticket %s: work %d: %w", f.Ticket.ID, w.ID, err)
		}
	}
	for i := range f.Contracts {
		v := &f.Contracts[i]
		if v.Terms == nil {
			return fmt.Errorf("facts of ticket %s: contract %s revision %d comes without its terms", f.Ticket.ID, v.Contract, v.Revision)
		}
		if v.Terms.digest != v.Digest {
			return fmt.Errorf("facts of ticket %s: contract %s revision %d has terms %s, not %s", f.Ticket.ID, v.Contract, v.Revision, v.Terms.digest, v.Digest)
		}
		for j := range f.Contracts[:i] {
			if w := &f.Contracts[j]; w.Contract == v.Contract && w.overlaps(v) {
				return fmt.Errorf("facts of ticket %s: contract %s has revisions %d and %d in force at once", f.Ticket.ID, v.Contract, w.Revision, v.Revision)
			}
		}
	}
	if err := f.checkExtras(); err != nil {
		return fmt.Errorf("facts of ticket %s: %w", f.Ticket.ID, err)
	}
	for _, b := range f.Blocks {
		if min(b.LeftMS, b.ForfeitedMS, b.RolledMS) < 0 || max(b.LeftMS, b.ForfeitedMS, b.RolledMS) > tooLong {
			return fmt.Errorf("facts of ticket %s: block %d has %d ms left, %d forfeited and %d rolled over", f.Ticket.ID, b.ID, b.LeftMS, b.ForfeitedMS, b.RolledMS)
		}
		if b.ID < 0 {
			return fmt.Errorf("facts of ticket %s: block %d is a decision's own", f.Ticket.ID, b.ID)
		}
	}
	for _, c := range f.Counters {
		// The exponent first: comparing 1e10000 would write out its zeros.
		// Credits may bring an order or a project below zero; nothing else gives more than was taken.
		negative := c.Value.IsNegative() && !strings.HasPrefix(c.Key, countsOrder+"/") && !strings.HasPrefix(c.Key, countsProject+"/")
		most, finest := maxCounter, int32(-18)
		if strings.HasPrefix(c.Key, countsDayWorth+"/") {
			most, finest = maxDayWorth, -40
		}
		if c.Value.Exponent() > 18 || c.Value.Exponent() < finest || negative || c.Value.Abs().GreaterThan(most) {
			return fmt.Errorf("facts of ticket %s: counter %s is out of bounds", f.Ticket.ID, c.Key)
		}
	}
	return nil
}

// checkExtras refuses materials and events that cannot be.
func (f *Facts) checkExtras() error {
	if len(f.Items) > maxExtras || len(f.Events) > maxExtras {
		return fmt.Errorf("%d materials and %d events: of each at most %d", len(f.Items), len(f.Events), maxExtras)
	}
	if s := f.Ticket.SLA; s != nil && (s.SpentMS < 0 || s.SpentMS > tooLong) {
		return fmt.Errorf("%d ms are no time to a resolution", s.SpentMS)
	}
	seen := make(map[int64]struct{}, len(f.Items))
	for i := range f.Items {
		item := &f.Items[i]
		if _, twice := seen[item.ID]; twice {
			return fmt.Errorf("material %d is there twice", item.ID)
		}
		seen[item.ID] = struct{}{}
		switch {
		case !plausible(item.Quantity) || item.Quantity.IsZero():
			return fmt.Errorf("material %d: its quantity is out of bounds", item.ID)
		case !plausible(item.UnitCost) || (item.Price != nil && !plausible(*item.Price)):
			return fmt.Errorf("material %d: its cost or its price is out of bounds", item.ID)
		case !isMonth(item.Date):
			return fmt.Errorf("material %d: %q is not a date", item.ID, item.Date)
		}
	}
	clear(seen)
	for i := range f.Events {
		e := &f.Events[i]
		if _, twice := seen[e.ID]; twice {
			return fmt.Errorf("event %d is there twice", e.ID)
		}
		seen[e.ID] = struct{}{}
		switch {
		case e.Name == "" || strings.EqualFold(e.Name, EventClosure):
			return fmt.Errorf("event %d: %q is not the name of an event that can be recorded", e.ID, e.Name)
		case !plausible(e.Quantity):
			return fmt.Errorf("event %d: its quantity is out of bounds", e.ID)
		case !isMonth(e.Date):
			return fmt.Errorf("event %d: %q is not a date", e.ID, e.Date)
		}
	}
	return nil
}

// plausible says whether a quantity or an amount of the facts is one: 0 to 1,000,000,000 with at most
// 9 decimals. The exponent comes first: comparing 1e10000 would write out its zeros.
func plausible(d decimal.Decimal) bool {
	return d.Exponent() >= -9 && d.Exponent() <= 9 && !d.IsNegative() && !d.GreaterThan(maxPrice)
}

func (w *Work) check() error {
	if w.MS < 0 || w.MS > tooLong || w.Offset < 0 || w.Offset > tooLong {
		return fmt.Errorf("%d ms is no length of work", w.MS)
	}
	if w.Kind != kindHuman && w.Kind != kindAI {
		return fmt.Errorf("kind %q is neither human nor ai", w.Kind)
	}
	at := int64(0)
	for _, s := range w.Segments {
		if s.From != at || s.To < s.From {
			return fmt.Errorf("segment %d–%d ms does not follow on %d ms", s.From, s.To, at)
		}
		if !isMonth(s.Date) {
			return fmt.Errorf("segment at %d ms: %q is not a date", s.From, s.Date)
		}
		at = s.To
	}
	if at != w.MS {
		return fmt.Errorf("segments end at %d ms of %d", at, w.MS)
	}
	return nil
}

func (v *Version) overlaps(w *Version) bool {
	return (v.Until.IsZero() || w.From.Before(v.Until)) && (w.Until.IsZero() || v.From.Before(w.Until))
}

// isMonth says whether a date is YYYY-MM-DD in shape, which is all that rating reads of it.
func isMonth(date string) bool {
	if len(date) != len(time.DateOnly) {
		return false
	}
	for i := range len(date) {
		switch c := date[i]; {
		case i == 4 || i == 7:
			if c != '-' {
				return false
			}
		case c < '0' || c > '9':
			return false
		}
	}
	return true
}

func monthOf(date string) string { return date[:len("2006-01")] }
