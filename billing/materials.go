package billing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// chargeMaterial is the charge of the line that a row of materials stands for.
const chargeMaterial = "material"

// material is one compiled row of materials.
type material struct {
	*MaterialTerms
	line *line // what its charges stand under
}

func compileMaterials(c *Contract) []material {
	rows := make([]material, len(c.Materials))
	for i := range c.Materials {
		m := &c.Materials[i]
		rows[i] = material{MaterialTerms: m, line: &line{Line: &Line{
			Clause: m.Clause, Name: m.Name, Charge: chargeMaterial, TaxCategory: m.TaxCategory, Accounting: m.Accounting,
		}}}
	}
	return rows
}

// material finds the first row that speaks of the kind; nil where none does.
func (t *Terms) material(kind string) *material {
	for i := range t.materials {
		if among(t.materials[i].Kinds, kind) {
			return &t.materials[i]
		}
	}
	return nil
}

// noRow is the line of a material that no row of the contract speaks of.
var noRow = &line{Line: &Line{Name: "Material", Charge: chargeMaterial}}

// chargeMaterials charges the parts, licences and expenses of the ticket, each by itself, under the
// contract that governs the ticket at its resolution; one whose materials speak of the kind comes
// before one that has no price for it.
func (d *decider) chargeMaterials() {
	items := slices.Clone(d.facts.Items)
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	for i := range items {
		d.chargeMaterial(&items[i])
	}
}

func (d *decider) chargeMaterial(item *Item) {
	k := slotKey{kind: Material, version: -1, of: "item-" + strconv.FormatInt(item.ID, 10)}
	p := d.governs(func(t *Terms) bool { return t.material(item.Kind) != nil })
	unrated, rivals := false, ""
	switch {
	case d.undone():
		k.kind = NotBillable
	case p.version < 0:
		k.reason = NoContract
		unrated = item.Price == nil || item.Currency != d.currency
	case p.tie >= 0:
		k.reason, unrated, rivals = Tie, true, d.rivals(p)
	default:
		k.version, k.clause = p.version, noRow
		v := &d.facts.Contracts[p.version]
		row := v.Terms.material(item.Kind)
		if row != nil {
			k.clause = row.line
		}
		switch {
		case row != nil && row.Covered:
		case item.Currency != v.Terms.contract.Currency:
			k.reason, unrated = WrongCurrency, true
		case row == nil && item.Price == nil:
			k.reason, unrated = NoRate, true
		}
	}
	s := d.onTicket(k, item.Date)
	s.item, s.rivals, s.charge.Item, s.charge.Unrated = item, rivals, k.of, unrated
	s.charge.Hidden = k.kind == NotBillable
}

// priceMaterial prices an item: what somebody with the right to it has set, or else its cost and the
// markup of its row.
func (d *decider) priceMaterial(s *slot) {
	c, item := &s.charge, s.item
	c.Quantity = item.Quantity
	args := []Arg{
		{"kind", item.Kind}, {"quantity", item.Quantity.String()}, {"cost", item.UnitCost.String()}, {"currency", item.Currency},
	}
	rounding, places := HalfUp, int32(0)
	var row *material
	if s.version >= 0 {
		v := &d.facts.Contracts[s.version]
		rounding, places, row = v.Terms.rounding, v.Terms.places, v.Terms.material(item.Kind)
		args = append(args, Arg{"contract", v.Contract}, Arg{"clause", c.Clause})
	} else {
		places, _ = MinorUnits(c.Currency)
	}
	how := item.Quantity.String()
	switch {
	case s.kind == NotBillable:
		s.step(ruleFree, Arg{"why", d.facts.Ticket.Code})
		how += ", not billable"
	case c.Unrated:
		s.step(ruleMaterial, args...)
	case row != nil && row.Covered:
		s.step(ruleMaterial, append(args, Arg{"covered", "true"})...)
		how += ", covered"
	default:
		if item.Price != nil {
			c.Rate = *item.Price
		} else {
			c.Rate = item.UnitCost.Mul(hundred.Add(row.MarkupPercent)).Shift(-2)
			args = append(args, Arg{"markup_percent", row.MarkupPercent.String()})
		}
		s.step(ruleMaterial, append(args, Arg{"price", c.Rate.String()})...)
		exact := c.Quantity.Mul(c.Rate)
		c.Exact, c.Amount = exact.Round(exactPlaces), rounding.round(exact, one, places)
		s.step(ruleRound, Arg{"exact", c.Exact.String()}, Arg{"amount", c.Amount.String()}, Arg{"places", strconv.Itoa(int(places))})
		how += " × " + moneyExactly(c.Rate, c.Currency)
	}
	c.Text = item.name() + " · " + d.facts.Ticket.ID + textSep + how
}

// name is what the item is called; its kind where nobody named it.
func (i *Item) name() string {
	if name := strings.TrimSpace(i.Text); name != "" {
		return name
	}
	return i.Kind
}
