package billing

import "time"

// The settings of blocks and buckets.
const (
	unpaidUsable = "usable"
	unpaidHold   = "hold"
	firstBase    = "base"
	firstRolled  = "rolled"
)

// block checks how blocks of hours behave.
func (ck checker) block(field string, b *BlockTerms) {
	if b == nil {
		return
	}
	ck.oneOf(field+".unpaid", b.Unpaid, "", unpaidUsable, unpaidHold)
	if b.GraceDays != nil {
		ck.whole(field+".grace_days", *b.GraceDays, 0, 366)
	}
	ck.length(field+".overdraw", b.Overdraw, time.Minute, longestHours)
	ck.length(field+".reorder_at", b.ReorderAt, time.Minute, longestHours)
	r := b.Renewal
	if r == nil {
		return
	}
	if b.Overdraw != "" {
		ck.add(field+".overdraw", b.Overdraw, "means nothing beside renewal", "keep one of the two: a block that is renewed is never overdrawn")
	}
	ck.mustHave(field+".renewal.hours", r.Hours != "", "give the hours of the block that is bought, like 10h")
	ck.length(field+".renewal.hours", r.Hours, time.Minute, longestHours)
	ck.price(field+".renewal.price", r.Price)
	if ck.problems.lines != nil && !ck.given(field+".renewal.price") {
		ck.need(field+".renewal.price", "", "", "give the price of the block that is bought, like 1200.00")
	}
	ck.whole(field+".renewal.expires_days", r.ExpiresDays, 0, 3660)
}

// bucket checks the hours that each period grants.
func (ck checker) bucket(field string, b *Bucket) {
	if b == nil {
		return
	}
	ck.mustHave(field+".included", b.Included != "", "give the hours of a period, like 10h")
	ck.length(field+".included", b.Included, time.Minute, longestHours)
	ck.length(field+".rollover", b.Rollover, time.Minute, longestHours)
	ck.oneOf(field+".first", b.First, "", firstBase, firstRolled)
	if b.First != "" && b.Rollover == "" && !ck.reported(field) {
		ck.add(field+".first", b.First, "means nothing without rollover", "set rollover, or leave first out")
	}
}
