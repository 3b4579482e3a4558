package billing

import (
	"strings"

	"github.com/shopspring/decimal"
)

// band is one compiled band of the contract.
type band struct {
	*Band
	full       string              // CONTRACT/name, as segments of work carry it
	multiplier decimal.NullDecimal // invalid: it weighs nothing by itself
	callOut    *line               // what its fee is charged by; nil: none
}

// How premiums weigh.
const (
	premiumHighest = "highest"
	premiumAdd     = "add"
	onRate         = "rate"
	onMinutes      = "minutes"
)

// standardBand names the time outside all bands.
const standardBand = "standard"

// chargeCallOut is the charge of the line that a band's call-out fee stands for.
const chargeCallOut = "call-out"

func compileBands(c *Contract) []band {
	bands := make([]band, len(c.Bands))
	for i := range c.Bands {
		b := &c.Bands[i]
		bands[i] = band{Band: b, full: c.ID + "/" + b.Name}
		if b.Multiplier != nil {
			bands[i].multiplier = decimal.NewNullDecimal(*b.Multiplier)
		}
		if b.CallOut != nil {
			bands[i].callOut = &line{Line: &Line{Clause: b.Clause, Name: "Call-out " + b.Name, Charge: chargeCallOut, Price: b.CallOut}}
		}
	}
	return bands
}

// Bands are the parts of the week that the terms price apart, with the zone whose wall clock
// each follows. Segments of work carry them as CONTRACT/name.
func (t *Terms) Bands() []Band {
	bands := make([]Band, len(t.bands))
	for i, b := range t.bands {
		bands[i] = *b.Band
		if bands[i].Zone == "" {
			bands[i].Zone = t.contract.TimeZone
		}
	}
	return bands
}

// within names the terms' own bands among those of a segment, joined by +; empty is standard time.
// An entry of which nobody knows when it was done is in the band that the terms declare for it.
func (t *Terms) within(segment []string, unstarted bool) string {
	if len(t.bands) == 0 {
		return ""
	}
	if unstarted {
		if declared := t.contract.Time.Unstarted; declared != standardBand {
			return declared
		}
		return ""
	}
	joined := ""
	for i := range t.bands {
		for _, name := range segment {
			if name != t.bands[i].full {
				continue
			}
			if joined != "" {
				joined += "+"
			}
			joined += t.bands[i].Name
		}
	}
	return joined
}

// inBand says whether a piece's joined bands hold the name; standard is none of them.
func inBand(joined, name string) bool {
	if joined == "" || strings.EqualFold(name, standardBand) {
		return joined == "" && strings.EqualFold(name, standardBand)
	}
	for one := range strings.SplitSeq(joined, "+") {
		if strings.EqualFold(one, name) {
			return true
		}
	}
	return false
}

// weight is what an hour in the bands counts, and which of them make it so. Several premiums never
// compound: the highest wins, or they add what each adds to one.
func (t *Terms) weight(joined, kind string) (decimal.Decimal, string) {
	one := decimal.NewFromInt(1)
	if joined == "" || (kind == kindAI && (t.contract.Premium == nil || !t.contract.Premium.AI)) {
		return one, ""
	}
	add := t.contract.Premium != nil && t.contract.Premium.Several == premiumAdd
	total, by := one, ""
	for i := range t.bands {
		b := &t.bands[i]
		if !b.multiplier.Valid || !inBand(joined, b.Name) {
			continue
		}
		m := b.multiplier.Decimal
		switch {
		case by == "":
			total, by = m, b.Name
		case add:
			total, by = total.Add(m).Sub(one), by+"+"+b.Name
		case m.GreaterThan(total):
			total, by = m, b.Name
		}
	}
	return total, by
}

func (t *Terms) weighsMinutes() bool {
	return t.contract.Premium != nil && t.contract.Premium.On == onMinutes
}

// chargeCallOuts adds the fee for a person's billable work in a band, once a contract and round: of
// several bands the highest.
func (d *decider) chargeCallOuts() {
	type fee struct {
		line  *line
		piece *piece
	}
	highest := map[int]fee{}
	var order []int
	for i := range d.pieces {
		p := &d.pieces[i]
		if p.version < 0 || p.bands == "" || p.bill == 0 || d.facts.Work[p.work].Kind != kindHuman {
			continue
		}
		t := d.facts.Contracts[p.version].Terms
		for j := range t.bands {
			b := &t.bands[j]
			if b.callOut == nil || !inBand(p.bands, b.Name) {
				continue
			}
			have, ok := highest[p.version]
			if !ok {
				order = append(order, p.version)
			}
			if !ok || b.CallOut.GreaterThan(*have.line.Price) {
				highest[p.version] = fee{line: b.callOut, piece: p}
			}
		}
	}
	for _, version := range order {
		f := highest[version]
		s := d.open(slotKey{kind: CallOut, version: version, clause: f.line, month: d.periodKey(version, f.piece.date), work: -1}, f.piece)
		s.charge.Unit = UnitPiece
	}
}
