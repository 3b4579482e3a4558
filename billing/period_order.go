package billing

import (
	"slices"

	"github.com/shopspring/decimal"
)

// countOrders counts the period's charges against the purchase order of their contract, as a closure's are. Where an order
// that holds does not reach, all of the run waits for a person; what adjusts a closed period only says so, as it corrects
// what has posted already.
func (p *reckoner) countOrders() {
	standing := slices.Clone(p.facts.Counters)
	for i := range p.charges {
		c := &p.charges[i]
		order := p.order(c.Revision)
		if order == nil {
			continue
		}
		c.PurchaseOrder = order.Number
		if c.Amount.IsZero() {
			continue
		}
		key := orderCounter(c.Contract, order.Number)
		before := valueOf(standing, key)
		after := c.countOn(order, before)
		standing = setValue(standing, key, after)
		if order.UsedUp == usedUpHold && p.facts.Run != Adjusting && after.GreaterThan(order.Limit) && c.Amount.IsPositive() {
			p.note(OrderShort, "", "Purchase order "+order.Number+" of "+c.Contract+" reaches to "+money(order.Limit, c.Currency)+", of which "+
				money(before, c.Currency)+" are billed: "+c.Text+", "+money(c.Amount, c.Currency)+", goes beyond it.")
		}
	}
}

// order is the purchase order of a revision; nil where it has none.
func (p *reckoner) order(revision int) *PurchaseOrder {
	for i := range p.facts.Versions {
		if v := &p.facts.Versions[i]; v.Revision == revision {
			return v.Terms.contract.PurchaseOrder
		}
	}
	return nil
}

// OrderCounters names the counters of the purchase orders that a contract's versions bill against.
func OrderCounters(contract string, versions []DatedVersion) []string {
	var keys []string
	for i := range versions {
		if order := versions[i].Terms.contract.PurchaseOrder; order != nil {
			keys = append(keys, orderCounter(contract, order.Number))
		}
	}
	return sorted(keys)
}

func valueOf(counters []Counter, key string) decimal.Decimal {
	i := slices.IndexFunc(counters, func(c Counter) bool { return c.Key == key })
	if i < 0 {
		return decimal.Zero
	}
	return counters[i].Value
}

func setValue(counters []Counter, key string, value decimal.Decimal) []Counter {
	i := slices.IndexFunc(counters, func(c Counter) bool { return c.Key == key })
	if i < 0 {
		return append(counters, Counter{Key: key, Value: value})
	}
	counters[i].Value = value
	return counters
}
