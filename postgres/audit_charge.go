package postgres

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// body is what the charge says it was posted as, where no decision does; says tells why it cannot be read.
func (r *chargeRow) body() (posted billing.Charge, says string) {
	if r.Body == "" {
		return posted, fmt.Sprintf("charge %s does not say what it was posted as", r.Key)
	}
	if err := json.Unmarshal([]byte(r.Body), &posted); err != nil {
		return posted, fmt.Sprintf("charge %s cannot be read: %v", r.Key, err)
	}
	return posted, ""
}

// differences gathers in which ways a row is not what was decided.
type differences []string

func (d *differences) say(format string, args ...any) { *d = append(*d, fmt.Sprintf(format, args...)) }

func (d *differences) text(what, is, should string) {
	if is != should {
		d.say("%s is %q, decided was %q", what, is, should)
	}
}

func (d *differences) number(what string, is numeric, should decimal.Decimal) {
	if !is.is(should) {
		d.say("%s is %s, decided was %s", what, is, should)
	}
}

// differs says in which ways the rows are not the charge.
func (r *chargeRow) differs(c *billing.Charge) []string {
	var d differences
	d.text("kind", string(r.Kind), string(c.Kind))
	d.text("contract", r.Contract, c.Contract)
	d.text("clause", r.Clause, c.Clause)
	d.text("currency", r.Currency, c.Currency)
	d.text("unit", r.Unit, c.Unit)
	d.text("service date", r.Date, c.Date)
	d.text("project", r.Project, c.Project)
	d.number("quantity", r.Quantity, c.Quantity)
	d.number("rate", r.Rate, c.Rate)
	d.number("exact amount", r.Exact, c.Exact)
	d.number("amount", r.Amount, c.Amount)
	if r.Revision != int64(c.Revision) {
		d.text("revision", strconv.FormatInt(r.Revision, 10), strconv.Itoa(c.Revision))
	}
	if r.Adjusts != c.Adjusts {
		d.say("it adjusts %s, and should adjust %s", ticket.LineID(r.Adjusts), ticket.LineID(c.Adjusts))
	}
	if r.Hidden != c.Hidden {
		d.say("hidden is %t, decided was %t", r.Hidden, c.Hidden)
	}
	if r.Undone != "" && len(c.Counts) == 0 {
		d.number("amount undone", r.Undone, c.Amount.Neg())
	}
	if !sameWork(r.spans, c.Spans) {
		d.say("it stands for other work than was decided")
	}
	if item, is := itemOf(*c); !is && len(r.items) > 0 || is && !slices.Equal(r.items, []int64{item}) {
		d.say("it stands for %s, decided was %s", itemsSaid(r.items), itemsSaid(itemsOf(item, is)))
	}
	if !r.sameMoves(c) {
		d.say("it draws or counts something else than was decided")
	}
	r.lineDiffers(c, &d)
	return d
}

func itemsOf(item int64, is bool) []int64 {
	if is {
		return []int64{item}
	}
	return nil
}

func itemsSaid(items []int64) string {
	if len(items) == 0 {
		return "no item"
	}
	return fmt.Sprintf("item %d", items[0])
}

// lineDiffers compares the charge's line. Whom no contract names as the payer is the client's payer of that day, of
// which the decision does not tell; that the line and its invoice name the same is compared for all (wrongInvoices).
func (r *chargeRow) lineDiffers(c *billing.Charge, d *differences) {
	l := r.line
	switch {
	case l == nil && c.Hidden:
		return
	case l == nil:
		d.say("%s %s has no invoice line", c.Amount, c.Currency)
		return
	case c.Hidden:
		d.say("it is hidden and has an invoice line")
		return
	}
	if !l.Amount.is(c.Amount) || l.Currency != c.Currency || l.Date != c.Date || l.Text != c.Text {
		d.say("its line says %s %s on %s, %q; the charge is %s %s on %s, %q", l.Amount, l.Currency, l.Date, l.Text, c.Amount, c.Currency, c.Date, c.Text)
	}
	var booked billing.Accounting
	if c.Accounting != nil {
		booked = *c.Accounting
	}
	d.text("its line's payer", l.Payer, cmp.Or(c.Payer, l.Payer))
	d.text("its line's tax profile", l.Tax, c.Tax)
	d.text("its line's tax category", l.TaxCategory, c.TaxCategory)
	d.text("its line's purchase order", l.PurchaseOrder, c.PurchaseOrder)
	d.text("its line's account", l.Accounting.Account, booked.Account)
	d.text("its line's item code", l.Accounting.Item, booked.Item)
	d.text("its line's deferral", l.Accounting.Defer, booked.Defer)
}

func sameWork(rows, decided []billing.Span) bool {
	return slices.Equal(rows, decided) || slices.Equal(sortedSpans(rows), sortedSpans(decided))
}

// sortedSpans leaves out spans of nothing, which have no row.
func sortedSpans(spans []billing.Span) []billing.Span {
	kept := slices.DeleteFunc(slices.Clone(spans), func(s billing.Span) bool { return s.From == s.To })
	slices.SortFunc(kept, func(a, b billing.Span) int { return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.From, b.From)) })
	return kept
}

// sameMoves compares what the charge took from blocks and counters: block by block and counter by counter.
func (r *chargeRow) sameMoves(c *billing.Charge) bool {
	byBlock := func(of []billing.Draw, block int64) (ms int64) {
		for _, d := range of {
			if d.Block == block {
				ms += d.MS
			}
		}
		return ms
	}
	for _, of := range [][]billing.Draw{r.draws, c.Draws} {
		for _, d := range of {
			if byBlock(r.draws, d.Block) != byBlock(c.Draws, d.Block) {
				return false
			}
		}
	}
	if len(r.counts) == 1 && len(c.Counts) == 1 {
		return r.counts[0].Key == c.Counts[0].Key && r.counts[0].Quantity.is(c.Counts[0].Quantity)
	}
	byKey := map[string]decimal.Decimal{}
	for _, n := range r.counts {
		quantity, err := decimal.NewFromString(string(n.Quantity))
		if err != nil {
			return false
		}
		byKey[n.Key] = byKey[n.Key].Add(quantity)
	}
	for _, n := range c.Counts {
		byKey[n.Key] = byKey[n.Key].Sub(n.Quantity)
	}
	for _, q := range byKey {
		if !q.IsZero() {
			return false
		}
	}
	return true
}
