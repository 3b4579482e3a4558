package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// check proves one closure: its decision from its facts, then everything that it says against
// the rows. An error means that the database could not be read.
func (p *closurePage) check(ctx context.Context, r *rerater) (mismatched, lines []string, err error) {
	name := fmt.Sprintf("%s round %d", ticket.NewID(p.Ticket), p.Round)
	decided, says, err := r.rerate(ctx, &p.closureRow)
	if err != nil {
		return nil, nil, err
	}
	if says != "" {
		mismatched = append(mismatched, name+": "+says)
		if err := json.Unmarshal([]byte(p.Decision), &decided); err != nil {
			return append(mismatched, fmt.Sprintf("%s: its decision cannot be read: %v", name, err)), nil, nil
		}
	}
	for _, says := range p.compareHolds(decided) {
		mismatched = append(mismatched, name+": "+says)
	}
	for _, says := range p.compareGrants(decided) {
		mismatched = append(mismatched, name+": "+says)
	}
	for _, says := range p.compareCharges(decided) {
		lines = append(lines, name+": "+says)
	}
	return mismatched, lines, nil
}

// rerater decides again what was decided; one for each goroutine.
type rerater struct {
	store   *Store
	scratch []byte // for canonical JSON
}

// rerate decides again from the stored facts. Where nothing differs it gives the decision, and ""; else
// it says what differs.
func (r *rerater) rerate(ctx context.Context, c *closureRow) (again billing.Decision, says string, err error) {
	facts, err := billing.ParseFacts(c.Facts)
	if err != nil {
		return again, fmt.Sprintf("its facts cannot be read: %v", err), nil // what cannot be read is the finding
	}
	for i := range facts.Contracts {
		v := &facts.Contracts[i]
		terms, err := r.store.terms.load(ctx, r.store.pool, v.Contract, v.Revision, v.Digest)
		if err != nil {
			if ctx.Err() != nil {
				return again, "", err
			}
			return again, fmt.Sprintf("its terms cannot be found: %v", err), nil
		}
		v.Terms = terms
	}
	again, err = billing.Decide(facts)
	if err != nil {
		return again, fmt.Sprintf("it cannot be decided again: %v", err), nil // as above
	}
	if r.scratch, err = billing.AppendCanonical(r.scratch[:0], again); err != nil {
		return again, "", err
	}
	switch digest := billing.DigestOf(r.scratch); {
	case digest != c.Digest:
		return billing.Decision{}, fmt.Sprintf("decided again its digest is %.12s…, the stored one is %.12s…", digest, c.Digest), nil
	case string(r.scratch) != c.Decision:
		return billing.Decision{}, "decided again its bytes are not the stored decision, whose digest was left as it was", nil
	}
	return again, "", nil
}

// compareHolds checks that each hold of the decision is stored as it was decided. A declined one
// keeps its charges and changes who decides.
func (p *closurePage) compareHolds(decided billing.Decision) []string {
	var says []string
	for _, h := range decided.Holds {
		i := slices.IndexFunc(p.holds, func(row heldContent) bool { return row.Key == h.Key })
		if i < 0 {
			says = append(says, fmt.Sprintf("hold %s is not stored", h.Key))
			continue
		}
		row := p.holds[i]
		same, err := row.same(h)
		if err != nil {
			says = append(says, fmt.Sprintf("%s cannot be read: %v", ticket.HoldID(row.ID), err))
			continue
		}
		if !same || !row.Amount.Equal(h.Amount) || row.Currency != h.Currency {
			says = append(says, fmt.Sprintf("%s is not the hold that was decided", ticket.HoldID(row.ID)))
		}
	}
	for _, row := range p.holds {
		if !slices.ContainsFunc(decided.Holds, func(h billing.Hold) bool { return h.Key == row.Key }) {
			says = append(says, fmt.Sprintf("%s was never decided", ticket.HoldID(row.ID)))
		}
	}
	return says
}

// same says whether the row holds what was decided.
func (row *heldContent) same(decided billing.Hold) (bool, error) {
	if row.Reason != billing.Declined {
		canonical, err := billing.Canonical(decided)
		return string(canonical) == row.Content, err
	}
	var stored billing.Hold
	if err := json.Unmarshal([]byte(row.Content), &stored); err != nil {
		return false, err
	}
	return sameJSON(stored.Charges, decided.Charges) && stored.Amount.Equal(decided.Amount), nil
}

// compareCharges checks that what was decided and what was settled is posted, once, and nothing else.
func (p *closurePage) compareCharges(decided billing.Decision) []string {
	var says []string
	seen := make(map[string]bool, len(p.charges))
	for _, row := range p.charges {
		name := ticket.LineID(row.ID)
		var expected billing.Charge
		if row.Hold == 0 && row.Reverses == 0 && row.Adjusts == 0 {
			i := slices.IndexFunc(decided.Charges, func(c billing.Charge) bool { return c.Key == row.Key })
			if i < 0 {
				says = append(says, fmt.Sprintf("%s: charge %s was never decided", name, row.Key))
				continue
			}
			expected, seen[row.Key] = decided.Charges[i], true
		} else {
			var differs string
			if expected, differs = row.body(); differs != "" {
				says = append(says, name+": "+differs)
				continue
			}
		}
		for _, differs := range row.differs(expected) {
			says = append(says, name+": "+differs)
		}
		if row.Hold != 0 {
			if differs := p.resettle(row, expected); differs != "" {
				says = append(says, name+": "+differs)
			}
		}
	}
	for _, c := range decided.Charges {
		if !seen[c.Key] {
			says = append(says, fmt.Sprintf("charge %s of %s %s was decided and is not posted", c.Key, c.Amount, c.Currency))
		}
	}
	return append(says, p.unsettled()...)
}

// body is what the charge says it was posted as, where no decision does; says tells why it cannot be read.
func (r *chargeRow) body() (posted billing.Charge, says string) {
	if r.Body == nil {
		return posted, fmt.Sprintf("charge %s does not say what it was posted as", r.Key)
	}
	if err := json.Unmarshal([]byte(*r.Body), &posted); err != nil {
		return posted, fmt.Sprintf("charge %s cannot be read: %v", r.Key, err)
	}
	return posted, ""
}

// differs says in which ways the rows are not the charge.
func (r *chargeRow) differs(c billing.Charge) []string {
	var says []string
	text := func(what, is, should string) {
		if is != should {
			says = append(says, fmt.Sprintf("%s is %q, decided was %q", what, is, should))
		}
	}
	number := func(what string, is numeric, should decimal.Decimal) {
		if !is.is(should) {
			says = append(says, fmt.Sprintf("%s is %s, decided was %s", what, is, should))
		}
	}
	text("kind", string(r.Kind), string(c.Kind))
	text("contract", r.Contract, c.Contract)
	text("revision", strconv.Itoa(r.Revision), strconv.Itoa(c.Revision))
	text("clause", r.Clause, c.Clause)
	text("currency", r.Currency, c.Currency)
	text("unit", r.Unit, c.Unit)
	text("service date", r.Date, c.Date)
	number("quantity", r.Quantity, c.Quantity)
	number("rate", r.Rate, c.Rate)
	number("exact amount", r.Exact, c.Exact)
	number("amount", r.Amount, c.Amount)
	if r.Adjusts != c.Adjusts {
		says = append(says, fmt.Sprintf("it adjusts %s, and should adjust %s", ticket.LineID(r.Adjusts), ticket.LineID(c.Adjusts)))
	}
	if r.Hidden != c.Hidden {
		says = append(says, fmt.Sprintf("hidden is %t, decided was %t", r.Hidden, c.Hidden))
	}
	if r.Undone != nil && len(c.Counts) == 0 {
		number("amount undone", *r.Undone, c.Amount.Neg())
	}
	if !sameWork(r.spans, c.Spans) {
		says = append(says, "it stands for other work than was decided")
	}
	if !sameMoves(r.draws, r.counts, c) {
		says = append(says, "it draws or counts something else than was decided")
	}
	return append(says, r.lineDiffers(c)...)
}

func (r *chargeRow) lineDiffers(c billing.Charge) []string {
	switch {
	case r.LineAmount == nil && c.Hidden:
		return nil
	case r.LineAmount == nil:
		return []string{fmt.Sprintf("%s %s has no invoice line", c.Amount, c.Currency)}
	case c.Hidden:
		return []string{"it is hidden and has an invoice line"}
	}
	if !r.LineAmount.is(c.Amount) || *r.LineCurrency != c.Currency || *r.LineDate != c.Date || *r.LineText != c.Text {
		return []string{fmt.Sprintf("its line says %s %s on %s, %q; the charge is %s %s on %s, %q",
			*r.LineAmount, *r.LineCurrency, *r.LineDate, *r.LineText, c.Amount, c.Currency, c.Date, c.Text)}
	}
	return nil
}

// resettle settles the hold again by the ruling that the charge names: it must give the same charge.
func (p *closurePage) resettle(row *chargeRow, posted billing.Charge) string {
	i := slices.IndexFunc(p.holds, func(h heldContent) bool { return h.ID == row.Hold })
	if i < 0 {
		return fmt.Sprintf("it comes from %s, which is not this closure's", ticket.HoldID(row.Hold))
	}
	var hold billing.Hold
	if err := json.Unmarshal([]byte(p.holds[i].Content), &hold); err != nil {
		return fmt.Sprintf("%s cannot be read: %v", ticket.HoldID(row.Hold), err)
	}
	again, err := billing.Settle(hold, rulingOf(posted))
	if err != nil {
		return fmt.Sprintf("%s cannot be settled again: %v", ticket.HoldID(row.Hold), err)
	}
	if !slices.ContainsFunc(again, func(c billing.Charge) bool { return sameJSON(c, posted) }) {
		return fmt.Sprintf("%s settled again gives something else", ticket.HoldID(row.Hold))
	}
	return ""
}

// rulingOf reads from a settled charge by whose word it was settled.
func rulingOf(c billing.Charge) billing.Ruling {
	var r billing.Ruling
	for _, step := range c.Steps {
		if step.Rule != "ruling" {
			continue
		}
		for _, a := range step.Args {
			switch a.Name {
			case "action":
				r.Action = billing.Action(a.Value)
			case "by":
				r.By = a.Value
			case "reason":
				r.Reason = a.Value
			case "hourly":
				if hourly, err := decimal.NewFromString(a.Value); err == nil {
					r.Hourly = &hourly
				}
			}
		}
	}
	return r
}

// unsettled finds charges of settled holds that never posted.
func (p *closurePage) unsettled() []string {
	var says []string
	for _, h := range p.holds {
		if h.State != "settled" {
			continue
		}
		var hold billing.Hold
		if err := json.Unmarshal([]byte(h.Content), &hold); err != nil {
			continue // told already
		}
		for _, c := range hold.Charges {
			if !slices.ContainsFunc(p.charges, func(row *chargeRow) bool { return row.Hold == h.ID && row.Key == c.Key }) {
				says = append(says, fmt.Sprintf("charge %s of %s is settled (%s) and not posted", c.Key, ticket.HoldID(h.ID), h.Decision))
			}
		}
	}
	return says
}

func sameWork(rows, decided []billing.Span) bool {
	return slices.Equal(sortedSpans(rows), sortedSpans(decided))
}

// sortedSpans leaves out spans of nothing, which have no row.
func sortedSpans(spans []billing.Span) []billing.Span {
	kept := slices.DeleteFunc(slices.Clone(spans), func(s billing.Span) bool { return s.From == s.To })
	slices.SortFunc(kept, func(a, b billing.Span) int { return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.From, b.From)) })
	return kept
}

func sameMoves(draws []billing.Draw, counts []billing.Count, c billing.Charge) bool {
	byBlock := map[int64]int64{}
	for _, d := range draws {
		byBlock[d.Block] += d.MS
	}
	for _, d := range c.Draws {
		byBlock[d.Block] -= d.MS
	}
	for _, ms := range byBlock {
		if ms != 0 {
			return false
		}
	}
	byKey := map[string]decimal.Decimal{}
	for _, n := range counts {
		byKey[n.Key] = byKey[n.Key].Add(n.Quantity)
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

// sameJSON compares by canonical JSON, as digests do.
func sameJSON(a, b any) bool {
	x, errX := billing.Canonical(a)
	y, errY := billing.Canonical(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
