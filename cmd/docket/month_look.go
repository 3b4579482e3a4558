package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
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
	if err := addressed(ctx, s, m, &look); err != nil {
		return err
	}
	return a.show(look, func() { a.monthLook(m, look) })
}

// addressed adds for whom no files could be made, for want of an address, and whom nothing could be mailed.
func addressed(ctx context.Context, s *session, m billing.MonthClose, look *billing.MonthLook) error {
	seller, err := s.store.Company(ctx)
	if err != nil {
		return err
	}
	var payers []string
	for _, i := range look.Invoices {
		if i.Becomes != billing.AheadRefused && i.Becomes != billing.AheadOpen {
			payers = append(payers, i.Payer)
		}
	}
	bare, err := s.store.Unrendered(ctx, m, 0, billing.MostTold) // of what is finalised already
	if err != nil {
		return err
	}
	for _, id := range bare {
		i, err := s.store.Invoice(ctx, ticket.InvoiceID(id))
		if err != nil {
			return err
		}
		payers = append(payers, i.Payer)
	}
	slices.Sort(payers)
	for _, payer := range slices.Compact(payers) {
		buyer, err := s.store.ClientParty(ctx, payer)
		if err != nil {
			return err
		}
		if err := document.Addressed(seller, buyer, payer); err != nil && !m.WithoutFiles {
			billing.Tell(&look.Failed, &look.Untold, "the files of "+payer+": "+strings.Join(problemLines(err), "; "))
		}
		if m.Send && buyer.Email == "" && !slices.Contains(look.Homeless, payer) {
			look.Homeless = append(look.Homeless, payer)
		}
	}
	return nil
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
	for _, b := range l.Ending {
		p("Would end: block %d of %s: %s", b.Block, b.Contract, becomeOf(b))
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
	for _, f := range l.Failed {
		p("Would fail: %s", f)
	}
	for _, payer := range l.Homeless {
		p("Would not be mailed: %s has no mail address: docket client address %s --email ADDRESS", payer, payer)
	}
	for _, h := range l.Held {
		p("Would stay held: %s of %s (%s, %s), %s", count(h.Holds, "line"), h.Payer, h.Kind, h.Reason, money(h.Amount, h.Currency))
	}
	for _, past := range l.Past {
		p("Would not be billed: %s; where nobody else has: %s", &past, past.Command())
	}
	for _, f := range l.Done {
		p("Finalised already: %s", finalisedMonth(f))
	}
	if len(l.Runs)+len(l.Ending)+len(l.Invoices) == 0 {
		p("Nothing is left to close.")
	} else {
		p("In all: %s, %s; %s refused, %s waiting", count(l.Posted, "run"), count(l.Drafts, "draft"), count(len(l.Refused), "invoice"), count(len(l.Waiting), "period"))
		for _, f := range l.Finalised {
			p("The month's invoices then: %d, %s with tax", f.Invoices, money(f.Total, f.Currency))
		}
		if l.Older > 0 {
			p("Besides: %s of earlier months, which no closing mails: docket invoice send INVOICE", count(l.Older, "invoice"))
		}
	}
	if l.Early {
		p("The month is not over: this is by what is known now, and it can be closed from %s on.", m.Until)
	}
}

// becomeOf says what becomes of the hours that a block has left.
func becomeOf(b billing.EndingBlock) string {
	switch {
	case b.LeftMS == 0:
		return "nothing is left"
	case b.RollsMS == 0:
		return lasting(b.ExpiresMS) + " expire"
	case b.ExpiresMS == 0:
		return lasting(b.RollsMS) + " roll over"
	}
	return lasting(b.RollsMS) + " roll over, " + lasting(b.ExpiresMS) + " expire"
}
