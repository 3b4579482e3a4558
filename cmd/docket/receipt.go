package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// receipt prints what a closing did: what posted, what waits and for whom.
func (a *app) receipt(r billing.Receipt) {
	_, _ = fmt.Fprintln(a.stdout, r.Says)
	a.posted(r.Posted)
	a.held(r.Held)
}

func (a *app) posted(lines []billing.PostedLine) {
	var rows [][]string
	for _, l := range lines {
		id := ""
		if l.Line != 0 {
			id = ticket.LineID(l.Line)
		}
		rows = append(rows, []string{"  posted", id, l.Clause, short(oneLine(l.Text), 80), money(l.Amount, l.Currency)})
	}
	align(a.stdout, rows, []bool{false, false, false, false, true})
}

func (a *app) held(quotes []billing.HeldQuote) {
	for _, q := range quotes {
		_, _ = fmt.Fprintf(a.stdout, "  waits  %s %s · %s, until %s\n", ticket.HoldID(q.Hold), q.Says, quoted(q), a.when(q.ExpiresAt))
		if q.Kind == billing.SignOff {
			_, _ = fmt.Fprintf(a.stdout, "         decide: docket approval approve %s --as %s\n", ticket.HoldID(q.Hold), first(q.Approvers, "PERSON"))
		} else {
			_, _ = fmt.Fprintf(a.stdout, "         decide: docket exception rule %s --action bill --reason TEXT --as PERSON\n", ticket.HoldID(q.Hold))
		}
	}
}

// settlement prints what a person's word did to a hold.
func (a *app) settlement(s billing.Settlement, err error) error {
	if err != nil {
		return err
	}
	err = a.show(s, func() {
		_, _ = fmt.Fprintln(a.stdout, s.Says)
		a.posted(s.Posted)
		a.held(s.Held)
	})
	if err != nil {
		return err
	}
	switch s.Outcome {
	case billing.Settled, billing.Passed, billing.SentBack, billing.Proposed, billing.Rejected:
		return nil
	case billing.Superseded, billing.Already, billing.Stale, billing.Refused:
	}
	return errNoEffect
}

// amount reads a decimal that a row carries as text.
func amount(value, currency string) string {
	d, err := decimal.NewFromString(value)
	if err != nil {
		return value + " " + currency
	}
	return money(d, currency)
}

func first(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return list[0]
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func pathEscape(s string) string { return url.PathEscape(s) }

// fromStdin gives the flag's value, or what stands on standard input where it is "-". It reads no
// more than can be accepted.
func (a *app) fromStdin(value, field string, most int64) (string, error) {
	if value != "-" {
		return value, nil
	}
	raw, err := io.ReadAll(io.LimitReader(a.stdin, most+(4<<20)))
	if err != nil {
		return "", fmt.Errorf("read the %s from standard input: %w", field, err)
	}
	return string(raw), nil
}
