package billing

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// blockRule is how the blocks of hours of a line behave, in milliseconds.
type blockRule struct {
	holdUnpaid bool          // what a block that is not paid would pay for waits
	earlier    bool          // a block also pays for work of its period done before it was bought
	grace      time.Duration // after an expiry, in which work done before it may still draw
	graced     bool          // grace is limited
	overdraw   int64         // that may be used ahead of the next block
	reorder    int64         // left, at which somebody is told
	renewal    *renewal
}

// renewal is the block that is bought when the last one is used up.
type renewal struct {
	ms    int64
	price decimal.Decimal
	life  time.Duration // 0: it never expires
}

// day is how long a day of an expiry counts. It is an elapsed one: a stored decision must not change with the clocks.
const day = 24 * time.Hour

func compileBlock(b *BlockTerms) blockRule {
	if b == nil {
		return blockRule{}
	}
	r := blockRule{
		holdUnpaid: b.Unpaid == "hold", earlier: b.EarlierWork,
		overdraw: length(b.Overdraw).Milliseconds(), reorder: length(b.ReorderAt).Milliseconds(),
	}
	if b.GraceDays != nil {
		r.grace, r.graced = time.Duration(*b.GraceDays)*day, true
	}
	if b.Renewal != nil {
		r.renewal = &renewal{ms: length(b.Renewal.Hours).Milliseconds(), price: b.Renewal.Price, life: time.Duration(b.Renewal.ExpiresDays) * day}
	}
	return r
}

// EarliestOf gives the instant from which a block that was bought at an instant may pay for work: that, or the beginning
// of its billing period where a line of the terms lets blocks pay for earlier work.
func (t *Terms) EarliestOf(bought time.Time) (time.Time, error) {
	for i := range t.lines {
		if !t.lines[i].blocks.earlier {
			continue
		}
		zone, err := time.LoadLocation(t.contract.TimeZone)
		if err != nil {
			return bought, err
		}
		return midnight(t.PeriodOf(bought.In(zone).Format(time.DateOnly)).Start, zone), nil
	}
	return bought, nil
}

// ReorderAt gives how many milliseconds of bought hours are left when somebody is told to order more; 0: nobody is.
func (t *Terms) ReorderAt() int64 {
	var most int64
	for i := range t.lines {
		most = max(most, t.lines[i].blocks.reorder)
	}
	return most
}

// DrawsBlocks says whether a line of the terms draws bought hours.
func (t *Terms) DrawsBlocks() bool {
	return slices.ContainsFunc(t.contract.Lines, func(l Line) bool { return l.Charge == chargeBlock })
}
