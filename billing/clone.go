package billing

import (
	"maps"
	"slices"

	"github.com/shopspring/decimal"
)

// clone copies the document with all that it refers to, so that compiled terms stay as
// they are whatever happens to the original. Decimals are immutable.
func clone(c Contract) Contract {
	c.Rates = slices.Clone(c.Rates)
	c.Lines = slices.Clone(c.Lines)
	for i := range c.Lines {
		l := &c.Lines[i]
		m := &l.Match
		for _, list := range []*[]string{&m.Categories, &m.Subcategories, &m.Types, &m.WorkTypes, &m.Channels, &m.Sites, &m.Actors} {
			*list = slices.Clone(*list)
		}
		m.Priorities = slices.Clone(m.Priorities)
		l.Time, l.Price = copyOf(l.Time), copyOf(l.Price)
	}
	if c.Approval = copyOf(c.Approval); c.Approval != nil {
		c.Approval.Approvers = slices.Clone(c.Approval.Approvers)
		c.Approval.AmountOver = copyOf(c.Approval.AmountOver)
	}
	if c.SLA = copyOf(c.SLA); c.SLA != nil {
		c.SLA.Targets = maps.Clone(c.SLA.Targets)
	}
	return c
}

func copyOf[T TimeTerms | decimal.Decimal | Approval | SLA](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
