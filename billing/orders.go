package billing

import (
	"slices"

	"github.com/shopspring/decimal"
)

// orderCounter names what has been billed against a purchase order, over its life.
func orderCounter(contract, number string) string {
	return countsOrder + "/" + contract + "/" + number
}

// OrderKey names the counter of the purchase order that the charge bills against; empty without one.
// Undoing or settling the charge may move it although the charge has not counted yet.
func (c Charge) OrderKey() string {
	if c.PurchaseOrder == "" {
		return ""
	}
	return orderCounter(c.Contract, c.PurchaseOrder)
}

// countOrders counts what posts and what waits against the purchase order of its contract. Where
// the order does not reach, the contract says whether it is told, or waits for a dispatcher. What
// waits for that reason takes nothing from the order until somebody rules to bill it.
func (d *decider) countOrders() {
	for i := range d.facts.Contracts {
		v := &d.facts.Contracts[i]
		order := v.Terms.contract.PurchaseOrder
		first := func(w Version) bool {
			return w.Contract == v.Contract && w.Terms.contract.PurchaseOrder != nil && w.Terms.contract.PurchaseOrder.Number == order.Number
		}
		if order == nil || slices.ContainsFunc(d.facts.Contracts[:i], first) {
			continue
		}
		d.countOrder(v.Contract, order)
	}
}

func (d *decider) countOrder(contract string, order *PurchaseOrder) {
	var money, rest []*slot
	sum := decimal.Zero
	for _, s := range d.under(contract) {
		own := d.facts.Contracts[s.version].Terms.contract.PurchaseOrder
		if own == nil || own.Number != order.Number {
			continue
		}
		s.charge.PurchaseOrder = order.Number
		if s.reason == "" && (s.costs() || s.kind == Credit) {
			money, sum = append(money, s), sum.Add(s.charge.Amount)
		} else {
			rest = append(rest, s)
		}
	}
	if len(money)+len(rest) == 0 {
		return
	}
	key := orderCounter(contract, order.Number)
	before := d.counter(key)
	left := order.Limit.Sub(before)
	if order.UsedUp == usedUpHold && sum.IsPositive() && sum.GreaterThan(left) {
		// Together or not at all: a discount must not post without what it lowers.
		for _, s := range money {
			if s.kind == Credit {
				rest = append(rest, s)
				continue
			}
			s.waits(OrderUsedUp, "")
			s.step(ruleOrder, Arg{"order", order.Number}, Arg{"limit", order.Limit.String()}, Arg{"before", before.String()}, Arg{"needs", sum.String()})
		}
		money = nil
	}
	for _, s := range slices.Concat(money, rest) {
		d.charged(s, key, order)
	}
}

// charged counts one charge against the order, and notes where that leaves it.
func (d *decider) charged(s *slot, key string, order *PurchaseOrder) {
	if s.charge.Unrated || s.charge.Amount.IsZero() {
		return
	}
	before := d.counter(key)
	d.count(s, key, s.charge.Amount)
	after := before.Add(s.charge.Amount)
	rule := ruleOrder
	if after.GreaterThan(order.Limit) && s.charge.Amount.IsPositive() {
		rule = ruleOrderWarn
	}
	s.step(rule, Arg{"order", order.Number}, Arg{"limit", order.Limit.String()}, Arg{"before", before.String()}, Arg{"after", after.String()})
}

// beyondOrder says whether a price goes beyond a purchase order that holds what it does not reach to.
func (d *decider) beyondOrder(v *Version, price decimal.Decimal) bool {
	order := v.Terms.contract.PurchaseOrder
	if order == nil || order.UsedUp != usedUpHold || !price.IsPositive() || d.facts.Rules < rulesSoldOnOrder {
		return false
	}
	return d.counter(orderCounter(v.Contract, order.Number)).Add(price).GreaterThan(order.Limit)
}

// countOn counts a charge that nothing can hold against the order, of which so much is billed, and notes where that leaves it.
func (c *Charge) countOn(order *PurchaseOrder, before decimal.Decimal) (after decimal.Decimal) {
	after = before.Add(c.Amount)
	c.Counts = append(c.Counts, Count{Key: orderCounter(c.Contract, order.Number), Quantity: c.Amount})
	rule := ruleOrder
	if after.GreaterThan(order.Limit) && c.Amount.IsPositive() {
		rule = ruleOrderWarn
	}
	c.Steps = append(c.Steps, Step{Rule: rule, Args: []Arg{
		{"order", order.Number}, {"limit", order.Limit.String()}, {"before", before.String()}, {"after", after.String()},
	}})
	return after
}

// OnOrder counts an adjustment against the purchase order that the line which it adjusts has counted against; an
// empty counter is none. What a write-down takes off, the order has back.
func (c Charge) OnOrder(counter string) Charge {
	if counter != "" && !c.Amount.IsZero() {
		c.Counts = []Count{{Key: counter, Quantity: c.Amount}}
	}
	return c
}

// CountsOrders begins the key of every purchase order's counter.
const CountsOrders = countsOrder + "/"

// counted counts a charge that has got its amount by a ruling against the order and the project that it names.
func (c Charge) counted() Charge {
	add := func(key string, quantity decimal.Decimal) {
		onKey := func(n Count) bool { return n.Key == key }
		if key != "" && !quantity.IsZero() && !slices.ContainsFunc(c.Counts, onKey) {
			c.Counts = append(slices.Clone(c.Counts), Count{Key: key, Quantity: quantity})
		}
	}
	add(c.OrderKey(), c.Amount)
	money, hours := c.projectKeys()
	add(money, c.Amount)
	add(hours, decimal.NewFromInt(c.worked()))
	return c
}
