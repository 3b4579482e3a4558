package main

import (
	"context"
	"fmt"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// monthPreview tells what a closing would do now.
func (a *app) monthPreview(ctx context.Context, m billing.MonthClose) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	look, err := s.store.LookAtMonth(ctx, m)
	if err != nil {
		return err
	}
	return a.show(look, func() { a.monthLook(m, look) })
}

// wouldRun says what a run would do, by the state it would leave its period in.
var wouldRun = map[billing.PostingState]string{billing.PostingPosted: "Would run", billing.PostingDraft: "Would draft", billing.PostingWaiting: "Would wait"}

// monthLook tells what the closing of a month would do: all runs, or, where one client's month was asked for, only how many they are.
func (a *app) monthLook(m billing.MonthClose, l billing.MonthLook) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(a.stdout, format+"\n", args...) }
	if m.Payer != "" && len(l.Runs) > 0 {
		p("Would run: %s of all clients; the invoices are those of %s", count(len(l.Runs), "billing period"), m.Payer)
	}
	for _, r := range l.Runs {
		if m.Payer != "" {
			break
		}
		p("%s: %s: %s", wouldRun[r.State], r.DueRun, r.Says)
		for _, line := range r.Posted {
			p("  %s  %s", oneLine(line.Text), money(line.Amount, line.Currency))
		}
	}
	for _, f := range l.Failed {
		p("Would fail: %s", f)
	}
	for _, b := range l.Ending {
		p("Would end: block %d of %s with %s left: %s roll over, %s expire", b.Block, b.Contract, lasting(b.LeftMS), lasting(b.RollsMS), lasting(b.ExpiresMS))
	}
	for _, i := range l.Invoices {
		name := "a new invoice"
		if i.Invoice != 0 {
			name = ticket.InvoiceID(i.Invoice)
		}
		name += " of " + i.Payer + ", " + i.Start + " … " + i.End
		sums := count(i.Lines, "line") + ", " + money(i.Net, i.Currency) + " net"
		if !i.Now.Equal(i.Net) {
			sums += " (" + money(i.Now, i.Currency) + " now)"
		}
		switch i.Becomes {
		case billing.AheadRefused:
			p("Would refuse: %s, %s: %s", name, sums, i.Refused)
		case billing.AheadOpen:
			p("Stays open: %s, %s", name, sums)
		case billing.AheadCarried:
			p("Would finalise at nothing: %s, %s: carried forward to the next one", name, sums)
		case billing.AheadCreditNote:
			p("Would finalise as a credit note: %s, %s, %s with tax", name, sums, money(i.Total, i.Currency))
		default:
			p("Would finalise: %s, %s, %s with tax", name, sums, money(i.Total, i.Currency))
		}
	}
	for _, h := range l.Held {
		p("Would stay held: %s of %s (%s, %s), %s", count(h.Holds, "line"), h.Payer, h.Kind, h.Reason, money(h.Amount, h.Currency))
	}
	for _, f := range l.Done {
		p("Finalised already: %s, %s to %s, %s with tax", count(f.Invoices, "invoice"), f.First, f.Last, money(f.Total, f.Currency))
	}
	if len(l.Runs)+len(l.Ending)+len(l.Invoices) == 0 {
		p("Nothing is left to close.")
	} else {
		p("In all: %s, %s; %s refused, %s waiting", count(l.Posted, "run"), count(l.Drafts, "draft"), count(len(l.Refused), "invoice"), count(len(l.Waiting), "period"))
		for _, f := range l.Finalised {
			p("The month's invoices then: %d, %s with tax", f.Invoices, money(f.Total, f.Currency))
		}
	}
	if l.Early {
		p("The month is not over: this is by what is known now, and it can be closed from %s on.", m.Until)
	}
}
