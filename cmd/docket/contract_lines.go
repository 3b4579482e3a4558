package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// longestMatch is how much of a line's match still reads well in a column.
const longestMatch = 40

// lines prints the clauses, each with its terms below it.
func (t contractText) lines() {
	rows := make([][]string, 0, len(t.c.Lines))
	details := make([][]string, 0, len(t.c.Lines))
	for i := range t.c.Lines {
		l := &t.c.Lines[i]
		match, terms := t.speaksOf(l), t.terms(l)
		var below []string
		if utf8.RuneCountInString(match) > longestMatch {
			below, match = append(below, match), "as below"
		}
		if terms != "" {
			below = append(below, terms)
		}
		rows, details = append(rows, []string{l.Clause, l.Name, l.Charge, t.money(l.Price), match}), append(details, below)
	}
	var table strings.Builder
	t.tableTo(&table, []string{"CLAUSE", "WHAT", "CHARGE", "PRICE", "MATCHES"}, rows)
	heads, body, _ := strings.Cut(table.String(), "\n")
	_, _ = fmt.Fprintf(t.stdout, "\n%s\n", heads)
	for i, line := range strings.Split(strings.TrimSuffix(body, "\n"), "\n") {
		_, _ = fmt.Fprintln(t.stdout, line)
		for _, detail := range details[i] {
			_, _ = fmt.Fprintln(t.stdout, "          "+detail)
		}
	}
}

const allWork = "all work"

// speaksOf says which work a line is for; nothing where it is for none.
func (t contractText) speaksOf(l *billing.Line) string {
	said := matches(l.Match)
	switch l.Charge {
	case "flat", "per-device", "per-seat":
		return ""
	case "usage":
		if said = l.Usage.Event; matches(l.Match) != allWork {
			said = words(l.Usage.Event, matches(l.Match))
		}
	}
	if l.Except != nil {
		said += "; except " + matches(*l.Except)
	}
	return said
}

// terms says all else about a line, in the order of the document.
func (t contractText) terms(l *billing.Line) string {
	parts := []string{yes(l.Hidden, "hidden")}
	if l.Time != nil {
		pairs := t.time(l.Time)
		for i := 0; i < len(pairs); i += 2 {
			parts = append(parts, prefixed(pairs[i]+" ", pairs[i+1]))
		}
	}
	parts = append(parts, prefixed("overage ", t.overage(l.Overage)))
	if l.Included > 0 {
		parts = append(parts, "first "+count(l.Included, "ticket")+" free")
	}
	parts = append(parts, t.block(l.Block), t.bucket(l.Bucket), prefixed("pays for work up to ", t.money(l.Retainer)), t.usage(l.Usage), t.count(l.Count),
		prefixed("in ", l.When), prefixed("prorated: ", l.Prorate), t.discount(l.Discount), prefixed("at most ", t.money(l.Cap)),
		prefixed("tax ", l.TaxCategory), t.accounting(l.Accounting))
	return words(parts...)
}

// time gives the terms of billable time as names and values.
func (t contractText) time(m *billing.TimeTerms) []string {
	return []string{
		"minimum", words(m.Minimum, prefixed("per ", m.Scope)), "increment", words(m.Increment, prefixed("per ", m.IncrementScope)), "rounded", m.Round, "grace", m.Grace,
		"without a start", m.Unstarted, "failed attempts", m.Failed, "AI minimum", m.AIMinimum, "AI increment", m.AIIncrement, "AI adds up by", m.AIAccumulate,
	}
}

// overage is a word, or the price of an hour.
func (t contractText) overage(said string) string {
	price, err := decimal.NewFromString(said)
	if err != nil {
		return said
	}
	return money(price, t.c.Currency) + " an hour"
}

func (t contractText) block(b *billing.BlockTerms) string {
	if b == nil {
		return ""
	}
	renewal := ""
	if r := b.Renewal; r != nil {
		renewal = "renewed by " + r.Hours + " for " + money(r.Price, t.c.Currency)
		if r.ExpiresDays > 0 {
			renewal += ", good for " + count(r.ExpiresDays, "day")
		}
	}
	grace := ""
	if b.GraceDays != nil {
		grace = count(*b.GraceDays, "day") + " of grace"
	}
	return words(prefixed("unpaid: ", b.Unpaid), yes(b.EarlierWork, "pays for earlier work of its period"), grace, prefixed("overdrawn by up to ", b.Overdraw), renewal,
		prefixed("reorder at ", b.ReorderAt))
}

func (t contractText) bucket(b *billing.Bucket) string {
	if b == nil {
		return ""
	}
	return words(b.Included+" a period", prefixed("rolls over up to ", b.Rollover), prefixed("first ", b.First), yes(b.Prorate, "granted by days"))
}

func (t contractText) usage(u *billing.UsageTerms) string {
	if u == nil {
		return ""
	}
	parts := []string{u.Model}
	if u.Price != nil {
		of := "a unit"
		if u.Size != nil {
			of = "for " + u.Size.String()
		}
		parts = append(parts, money(*u.Price, t.c.Currency)+" "+of)
	}
	parts = append(parts, t.tiers(u.Tiers))
	if p := u.Percentage; p != nil {
		parts = append(parts, p.Percent.String()+" %")
		if !p.Fixed.IsZero() {
			parts = append(parts, "plus "+money(p.Fixed, t.c.Currency))
		}
		parts = append(parts, prefixed("at least ", t.money(p.Min)), prefixed("at most ", t.money(p.Max)))
		if p.FreeEvents > 0 {
			parts = append(parts, "first "+count(p.FreeEvents, "event")+" free")
		}
		if p.FreeValue != nil {
			parts = append(parts, "first "+money(*p.FreeValue, t.c.Currency)+" free")
		}
	}
	if u.Free != nil {
		parts = append(parts, "first "+u.Free.String()+" free")
	}
	if u.DivideBy != nil {
		parts = append(parts, "in units of "+u.DivideBy.String())
	}
	parts = append(parts, prefixed("rounded ", u.Round))
	if u.Included != nil {
		parts = append(parts, u.Included.String()+" included")
	}
	if u.Minimum != nil {
		parts = append(parts, "at least "+u.Minimum.String()+" units")
	}
	return words(append(parts, yes(u.ZeroFlat, "flat fee without use too"))...)
}

// tiers says "to 10: 5.00 EUR; beyond: 4.00 EUR + 10.00 EUR".
func (t contractText) tiers(tiers []billing.Tier) string {
	said := make([]string, 0, len(tiers))
	for _, tier := range tiers {
		reach := "beyond: "
		if tier.UpTo != nil {
			reach = "to " + tier.UpTo.String() + ": "
		}
		var price []string
		switch {
		case !tier.Percent.IsZero():
			price = append(price, tier.Percent.String()+" %")
		case !tier.Unit.IsZero() || tier.Flat.IsZero():
			each := money(tier.Unit, t.c.Currency)
			if tier.Size != nil {
				each += " for " + tier.Size.String()
			}
			price = append(price, each)
		}
		if !tier.Flat.IsZero() {
			price = append(price, money(tier.Flat, t.c.Currency)+" once")
		}
		said = append(said, reach+strings.Join(price, " + "))
	}
	return strings.Join(said, "; ")
}

func (t contractText) count(n *billing.CountTerms) string {
	if n == nil {
		return ""
	}
	var parts []string
	if n.Fixed > 0 {
		parts = append(parts, "always "+number0(n.Fixed))
	}
	parts = append(parts, prefixed("counts ", n.Of), prefixed("by ", n.Take), prefixed("at least ", number0(n.Floor)))
	if n.Included > 0 {
		parts = append(parts, number0(n.Included)+" included")
	}
	return words(append(parts, prefixed("fewer: ", n.Fewer), n.Model, t.tiers(n.Tiers))...)
}

func (t contractText) discount(d *billing.DiscountTerms) string {
	if d == nil {
		return ""
	}
	percent := ""
	if d.Percent != nil {
		percent = "less " + d.Percent.String() + " %"
	}
	said := words(percent, prefixed("less ", t.money(d.Amount)))
	if d.Until != "" {
		said += " until " + d.Until
	}
	return said
}

// matches says which work a line speaks of.
func matches(m billing.Match) string {
	var parts []string
	for _, f := range [][]string{m.Categories, m.Subcategories, m.Types, m.WorkTypes, m.Channels, m.Sites, m.Devices, m.Actors} {
		if len(f) > 0 {
			parts = append(parts, joined(f))
		}
	}
	if len(m.Bands) > 0 {
		parts = append(parts, "in "+strings.Join(m.Bands, ", "))
	}
	for _, p := range m.Priorities {
		parts = append(parts, priority(p))
	}
	if len(parts) == 0 {
		return allWork
	}
	return joined(parts)
}
