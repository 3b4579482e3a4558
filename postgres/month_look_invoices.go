package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// finalise looks at the invoices that are over, in the order in which they would be finalised, and then at those that stay
// open and get something.
func (l *monthLook) finalise(ctx context.Context) error {
	listed, err := Reads{q: l.q}.OverInvoices(ctx, l.asked, billing.OverInvoice{}, 0)
	if err != nil {
		return err
	}
	for n, i := range l.invoices {
		if i.State == "open" && len(i.more) > 0 && n.end <= l.asked.Until && l.wants(n.payer) &&
			!slices.ContainsFunc(listed, func(o billing.OverInvoice) bool { return o.Invoice == i.ID && i.ID != 0 }) {
			listed = append(listed, billing.OverInvoice{Invoice: i.ID, Payer: n.payer, Currency: n.currency, Start: n.start, End: n.end})
		}
	}
	slices.SortFunc(listed, func(a, b billing.OverInvoice) int {
		return cmp.Or(cmp.Compare(a.Payer, b.Payer), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.End, b.End))
	})
	rules, err := invoiceRules(ctx, l.q)
	if err != nil {
		return err
	}
	over := map[invoiceName]bool{}
	for _, o := range listed {
		n := invoiceName{o.Payer, o.Currency, o.Start, o.End}
		over[n] = true
		i, err := l.invoice(ctx, n)
		if err != nil {
			return err
		}
		ahead, err := l.ahead(ctx, i, o, rules.ReviewFirst)
		if err != nil {
			return err
		}
		l.tell(ahead)
		if ahead.Becomes != billing.AheadRefused {
			i.State = "finalised"
		}
	}
	for _, n := range slices.SortedFunc(maps.Keys(l.invoices), func(a, b invoiceName) int {
		return cmp.Or(cmp.Compare(a.payer, b.payer), cmp.Compare(a.start, b.start), cmp.Compare(a.currency, b.currency), cmp.Compare(a.end, b.end))
	}) {
		if i := l.invoices[n]; !over[n] && len(i.more) > 0 && l.wants(n.payer) {
			ahead := billing.InvoiceAhead{OverInvoice: billing.OverInvoice{Invoice: i.ID, Payer: n.payer, Currency: n.currency, Start: n.start, End: n.end}, Becomes: billing.AheadOpen}
			if _, err := l.sum(ctx, i, &ahead); err != nil { // how it is taxed matters when it is over
				return err
			}
			l.found.Invoices = append(l.found.Invoices, ahead)
		}
	}
	return nil
}

// wants says whether the payer's invoices are asked for.
func (l *monthLook) wants(payer string) bool { return l.asked.Payer == "" || l.asked.Payer == payer }

// tell adds an invoice that is over to what is found, and to the report.
func (l *monthLook) tell(i billing.InvoiceAhead) {
	l.found.Invoices = append(l.found.Invoices, i)
	if i.Becomes == billing.AheadRefused {
		billing.Tell(&l.found.Refused, &l.found.Untold, billing.Finalised{OverInvoice: i.OverInvoice, Refused: i.Refused})
		return
	}
	if i.End <= l.asked.Begins() {
		l.found.Older++ // the month's sums are those of the month
		return
	}
	at, found := slices.BinarySearchFunc(l.found.Finalised, i.Currency, func(f billing.FinalisedMonth, currency string) int { return strings.Compare(f.Currency, currency) })
	if !found {
		l.found.Finalised = slices.Insert(l.found.Finalised, at, billing.FinalisedMonth{Currency: i.Currency})
	}
	sum := &l.found.Finalised[at]
	sum.Invoices, sum.Total = sum.Invoices+1, sum.Total.Add(i.Total)
}

// ahead tells what would become of an invoice that is over, as the transaction that finalises it would.
func (l *monthLook) ahead(ctx context.Context, i *lookedInvoice, o billing.OverInvoice, reviewFirst bool) (billing.InvoiceAhead, error) {
	a := billing.InvoiceAhead{OverInvoice: o}
	refused := func(err error) (billing.InvoiceAhead, error) {
		var problem *ticket.Problem
		if !errors.As(err, &problem) {
			return a, err
		}
		a.Becomes, a.Refused = billing.AheadRefused, err.Error()
		return a, nil
	}
	lines, err := l.sum(ctx, i, &a)
	if err != nil {
		return a, err
	}
	today, err := l.today(ctx, o.Payer)
	if err != nil {
		return a, err
	}
	if today < o.End {
		return refused(ticket.Invalid("period", o.Start, "is not over until "+o.End, "it is "+today+" where "+o.Payer+" is: close the month again then"))
	}
	name := "the invoice of " + o.Payer + " from " + o.Start
	if o.Invoice != 0 {
		name = ticket.InvoiceID(o.Invoice)
	}
	totals, err := lines.totals(name, o.Currency, today)
	if err != nil {
		return refused(err)
	}
	if reviewFirst {
		last, err := lastReview(ctx, l.q, o.Invoice)
		if err != nil {
			return a, err
		}
		if err := unreviewed(name, last, ownLines{a.Net, a.Lines}, o.Currency); err != nil {
			return refused(err)
		}
	}
	a.Total, a.Becomes = totals.TaxInclusive, billing.AheadFinalised
	if a.Total.IsNegative() {
		return l.belowZero(ctx, i, a, lines)
	}
	return a, nil
}

// belowZero tells whether what comes to less than zero becomes a credit note, or goes on to the next period's invoice.
func (l *monthLook) belowZero(ctx context.Context, i *lookedInvoice, a billing.InvoiceAhead, lines invoiceTaxLines) (billing.InvoiceAhead, error) {
	var notes *bool
	if err := l.q.QueryRow(ctx, belowZeroNotes, i.ID).Scan(&notes); err != nil {
		return a, fmt.Errorf("read what the contracts of %s say of an invoice below zero: %w", a.Payer, err)
	}
	wanted := func(b *bool) bool { return b == nil || *b }
	if (notes != nil || i.notes != nil) && wanted(notes) && wanted(i.notes) {
		a.Becomes = billing.AheadCreditNote
		return a, nil
	}
	a.Becomes, a.Total = billing.AheadCarried, decimal.Zero
	this, err := billsIn(billing.Charge{Bills: &billing.Period{Start: a.Start, End: a.End}})
	if err != nil {
		return a, err
	}
	next, err := following(this)
	if err != nil {
		return a, err
	}
	to, err := l.place(ctx, a.Payer, billing.Charge{Currency: a.Currency, Bills: &billing.Period{Start: next.Start.String(), End: next.End.String()}})
	if err != nil {
		return a, err
	}
	for _, s := range lines.carried() {
		if !s.Amount.IsZero() {
			to.more = append(to.more, taxLine{Amount: s.Amount, Named: s.Tax, Category: s.TaxCategory})
		}
	}
	return a, nil
}

// sum reads the lines of an invoice, adds what is to come, and tells what it comes to before tax.
func (l *monthLook) sum(ctx context.Context, i *lookedInvoice, a *billing.InvoiceAhead) (invoiceTaxLines, error) {
	lines, err := taxLines(ctx, l.q, i.ID)
	if err != nil {
		return lines, err
	}
	for _, r := range lines.rows {
		a.Now = a.Now.Add(r.Amount)
	}
	a.Net, a.Lines = a.Now, len(lines.rows)+len(i.more)
	for _, r := range i.more {
		a.Net = a.Net.Add(r.Amount)
		if r.Profile, err = l.profile(ctx, &lines, a.Payer, r.Named); err != nil {
			return lines, err
		}
		lines.rows = append(lines.rows, r)
	}
	return lines, nil
}

// profile finds the tax profile of a line that is to come, and sees that it is among the invoice's.
func (l *monthLook) profile(ctx context.Context, lines *invoiceTaxLines, payer, named string) (string, error) {
	if named == "" {
		if err := l.q.QueryRow(ctx, "select tax_profile from clients where id = $1", payer).Scan(&named); err != nil {
			return "", fmt.Errorf("read the tax profile of %s: %w", payer, err)
		}
	}
	if named == "" || lines.profiles[named] != nil {
		return named, nil
	}
	if l.profiles[named] == nil {
		var document string
		err := l.q.QueryRow(ctx, "select document from tax_profiles where id = $1 order by revision desc limit 1", named).Scan(&document)
		if errors.Is(err, pgx.ErrNoRows) { // told when the invoice is summed
			return named, nil
		}
		if err == nil {
			l.profiles[named], err = billing.ReadTaxProfile([]byte(document))
		}
		if err != nil {
			return "", fmt.Errorf("read tax profile %s: %w", named, err)
		}
	}
	lines.profiles[named] = l.profiles[named]
	return named, nil
}

// today is the local date of the closing where a payer is.
func (l *monthLook) today(ctx context.Context, payer string) (string, error) {
	var name string
	if err := l.q.QueryRow(ctx, "select time_zone from clients where id = $1", payer).Scan(&name); err != nil {
		return "", fmt.Errorf("read the time zone of %s: %w", payer, err)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return "", fmt.Errorf("payer %s: %w", payer, err)
	}
	return l.at.In(zone).Format(time.DateOnly), nil
}
