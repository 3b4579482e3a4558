package main

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const whatIfLong = `Rates the closures of a period again as if a draft had been in force, exactly, entry by entry, and shows
the difference by ticket, by clause and in total. It only reads, from one snapshot.

A draft whose contract id is in use stands in for that contract's versions from its effective_from on, as if it
were applied; a new id is added beside the client's other contracts, or in place of one by --instead-of. Its
block hours are then those that the client has bought for that contract. A draft that begins after the period is taken to
begin with it: so next year's contract is tried on last quarter's tickets.

As posted is what really posted for the closures of the period, less what reversals took back, and what still
waits for a person (held). What if is a rehearsal in the order of closing, with counters, tiers, caps, blocks and
allowances that begin where the real ones stood at --from and then go their own way:
  reopened   a round that was undone since is undone on both sides, when it really was, and what was kept is kept on
             both; the next round counts by itself
  blocks     a block of hours is there from when it came on the books, as its sale tells, whenever it counts from; one that
             was not sold on an invoice is taken to have come on the books when it counts from
  held       a hold that somebody decided is decided by the same word where it would have been asked, and a sign-off up to
             the amount that was signed; anything else waits, and counts as held
  recurring  fees, minimums and true-ups of the billing periods that begin in the period, of the draft and of the
             contract that it replaces; a run that is due and not made counts as held
  order      closings go by their times; where two closed within the same moment, the books may have let the other one
             draw first, and each may have the other's share of a counter or a block
  as it was  device counts, SLA outcomes, usage outside tickets, and every other contract; what was adjusted on
             invoices afterwards, such as a write-down, is on neither side`

type whatIfOptions struct {
	contract, client, insteadOf, why, begins string
	period                                   span
	tickets                                  int
}

func newWhatIf(a *app) *cobra.Command {
	var o whatIfOptions
	c := &cobra.Command{
		Use:   "whatif --contract DRAFT",
		Short: "Show what past closures would have come to under a draft of a contract",
		Long:  whatIfLong,
		Example: `  docket whatif --contract draft.yaml --from 2026-01-01 --to 2026-04-01
  docket whatif --contract draft.yaml --instead-of NW-2026 --why T-1042
  docket whatif --contract draft.yaml -o jsonl`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.contract == "" {
				return usage(errors.New("--contract is missing: name the file of the draft; - is standard input"))
			}
			if err := positive("tickets", o.tickets); err != nil {
				return err
			}
			q := postgres.WhatIfQuestion{Client: o.client, InsteadOf: o.insteadOf}
			var err error
			if q.From, q.To, err = o.period.dates(); err != nil {
				return err
			}
			if o.why != "" {
				if q.Detail, err = ticket.ParseID(o.why); err != nil {
					return err
				}
			}
			raw, err := a.document(o.contract)
			if err != nil {
				return err
			}
			var note string
			if q.Document, note, err = a.tried(raw, o.begins, q.From, q.To); err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer bulk()()
			shown := whatIfShown{app: a, most: o.tickets, why: q.Detail}
			found, err := s.store.WhatIf(cmd.Context(), q, shown.ticket)
			if err != nil {
				return err
			}
			if note != "" {
				found.Notes = append([]string{note}, found.Notes...)
			}
			return shown.end(found)
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.contract, "contract", "", "`file` of the draft; - is standard input")
	flags.StringVar(&o.client, "client", "", "`client` whose closures; the draft's own")
	flags.StringVar(&o.insteadOf, "instead-of", "", "another `contract` of the client that the draft replaces")
	flags.StringVar(&o.period.from, "from", "", "first `date` of the closings, in the client's zone; the draft's effective_from by default")
	flags.StringVar(&o.period.to, "to", "", "first `date` after them; until now by default")
	flags.StringVar(&o.begins, "begins", "", "`date` on which the draft is taken to begin: its own by default, or --from where its own is after the period")
	flags.IntVar(&o.tickets, "tickets", 20, "show this `many` tickets, those that change most; json and jsonl have all")
	flags.StringVar(&o.why, "why", "", "tell both sides of one `ticket`, charge by charge")
	return c
}

// bulk lets memory grow to some dozen megabytes before it is collected: work that goes through all of
// history makes much and keeps little. What it gives undoes it.
func bulk() func() {
	before := debug.SetGCPercent(400)
	return func() { debug.SetGCPercent(before) }
}

// whatIfShown prints an answer as it comes.
type whatIfShown struct {
	*app
	most int
	why  ticket.ID
	kept []billing.WhatIfTicket // in a table: those that change most; in JSON: all
	more int                    // that change, and are not kept
}

func (s *whatIfShown) ticket(t billing.WhatIfTicket) error {
	switch {
	case s.why != "" && t.Detail == nil:
		return nil
	case s.output == "jsonl":
		return s.encode(t)
	case s.why != "" || s.output == "json":
		s.kept = append(s.kept, t)
		return nil
	case t.Failed == "" && !changes(t):
		return nil
	}
	i, _ := slices.BinarySearchFunc(s.kept, t, func(a, b billing.WhatIfTicket) int {
		return cmp.Or(set(b.Failed != "")-set(a.Failed != ""), most(b).Cmp(most(a)), cmp.Compare(a.ClosedAt.UnixNano(), b.ClosedAt.UnixNano()))
	})
	s.kept = slices.Insert(s.kept, i, t)
	if len(s.kept) > s.most {
		s.kept = s.kept[:s.most]
		s.more++
	}
	return nil
}

func set(is bool) int {
	if is {
		return 1
	}
	return 0
}

func changes(t billing.WhatIfTicket) bool { return !most(t).IsZero() }

// most is the greatest difference of any currency, whatever its sign.
func most(t billing.WhatIfTicket) decimal.Decimal {
	var greatest decimal.Decimal
	for _, d := range t.Totals {
		greatest = decimal.Max(greatest, d.By.Abs())
	}
	return greatest
}

func (s *whatIfShown) end(found billing.WhatIf) error {
	if s.why != "" {
		return s.bothSides(found)
	}
	switch s.output {
	case "json":
		found.Tickets = s.kept
		return s.encode(found)
	case "jsonl":
		return s.encode(found)
	}
	s.table(found)
	return nil
}

func (s *whatIfShown) table(f billing.WhatIf) {
	draft := fmt.Sprintf("%s, as revision %d", f.Contract, f.Revision)
	if f.InsteadOf != "" && f.InsteadOf != f.Contract {
		draft += " in place of " + f.InsteadOf
	}
	_, _ = fmt.Fprintf(s.stdout, "What if %s, had been in force for %s: %s from %s to before %s, %d would come to something else\n",
		draft, f.Client, count(f.Closures, "closure"), f.From, f.To, f.Changed)
	if len(s.kept) > 0 {
		_, _ = fmt.Fprintln(s.stdout)
		rows := [][]string{{"TICKET", "CLOSED", "WHAT", "AS POSTED", "WHAT IF", "DIFFERENCE", "CLAUSES"}}
		for _, t := range s.kept {
			rows = append(rows, s.rows(t)...)
		}
		align(s.stdout, rows, []bool{false, false, false, true, true, true, false})
		if s.more > 0 {
			_, _ = fmt.Fprintf(s.stdout, "… and %d more; --tickets shows more of them, -o jsonl all\n", s.more)
		}
	}
	if len(f.Periods) > 0 {
		_, _ = fmt.Fprintln(s.stdout)
		rows := [][]string{{"PERIOD", "CLAUSE", "AS POSTED", "WHAT IF", "DIFFERENCE"}}
		for _, p := range f.Periods {
			for _, c := range p.Clauses {
				rows = append(rows, []string{p.String(), clause(c), side(c.Posted, c.Held, c.Currency), side(c.WouldPost, c.WouldHold, c.Currency), signed(c.By, c.Currency)})
			}
		}
		align(s.stdout, rows, []bool{false, false, true, true, true})
	}
	_, _ = fmt.Fprintln(s.stdout)
	rows := [][]string{{"CLAUSE", "AS POSTED", "WHAT IF", "DIFFERENCE"}}
	for _, c := range f.Clauses {
		rows = append(rows, []string{clause(c), side(c.Posted, c.Held, c.Currency), side(c.WouldPost, c.WouldHold, c.Currency), signed(c.By, c.Currency)})
	}
	for _, d := range f.Totals {
		rows = append(rows, []string{"in all", side(d.Posted, d.Held, d.Currency), side(d.WouldPost, d.WouldHold, d.Currency), signed(d.By, d.Currency)})
	}
	align(s.stdout, rows, []bool{false, true, true, true})
	for _, note := range f.Notes {
		_, _ = fmt.Fprintf(s.stdout, "\n%s\n", note)
	}
	if f.Failed > 0 {
		_, _ = fmt.Fprintf(s.stdout, "\n%s could not be rated under the draft, and are on neither side of the sums.\n", count(f.Failed, "closure"))
	}
}

// rows are one a currency.
func (s *whatIfShown) rows(t billing.WhatIfTicket) [][]string {
	name := t.Ticket
	if t.Round > 1 {
		name += fmt.Sprintf(" round %d", t.Round)
	}
	if t.Reopened {
		name += ", reopened"
	}
	head := []string{name, s.when(t.ClosedAt), short(strings.ReplaceAll(t.Subject, "\n", " "), 40)}
	if t.Failed != "" {
		return [][]string{append(head, "", "", "", "cannot be rated: "+t.Failed)}
	}
	var rows [][]string
	for _, d := range t.Totals {
		var changed []string
		for _, c := range t.Clauses {
			if c.Currency == d.Currency && !c.By.IsZero() {
				changed = append(changed, clause(c))
			}
		}
		rows = append(rows, append(slices.Clone(head), side(d.Posted, d.Held, d.Currency), side(d.WouldPost, d.WouldHold, d.Currency), signed(d.By, d.Currency), joined(changed)))
	}
	return rows
}

// clause names a clause as people do: "NW-2026 2.1".
func clause(c billing.ClauseDifference) string {
	return or(strings.TrimSpace(c.Contract+" "+c.Clause), "no contract")
}

// side is what posted and what waits: "112.50 USD", "150.00 USD, all held", "762.50 USD, 150.00 held".
func side(posted, held decimal.Decimal, currency string) string {
	all := money(posted.Add(held), currency)
	switch {
	case held.IsZero():
		return all
	case posted.IsZero():
		return all + ", held"
	}
	amount, _, _ := strings.Cut(money(held, currency), " ")
	return all + ", " + amount + " held"
}

func signed(d decimal.Decimal, currency string) string {
	if d.IsPositive() {
		return "+" + money(d, currency)
	}
	return money(d, currency)
}

// bothSides tells of the one ticket that was asked about.
func (s *whatIfShown) bothSides(f billing.WhatIf) error {
	if len(s.kept) == 0 && s.output != "jsonl" {
		return ticket.Invalid("why", s.why, "has no closure of "+f.Client+" from "+f.From+" to before "+f.To, "widen the period, or name another ticket")
	}
	switch s.output {
	case "json":
		return s.encode(s.kept)
	case "jsonl":
		return nil
	}
	for _, t := range s.kept {
		_, _ = fmt.Fprintf(s.stdout, "%s round %d, closed %s: %s\n", t.Ticket, t.Round, s.when(t.ClosedAt), t.Subject)
		if t.Failed != "" {
			_, _ = fmt.Fprintf(s.stdout, "It cannot be rated under the draft: %s\n", t.Failed)
		}
		s.oneSide("As posted", t.Detail.Was, t.Detail.Waits)
		s.oneSide("What if", t.Detail.Would, t.Detail.WouldWait)
		for _, d := range t.Totals {
			_, _ = fmt.Fprintf(s.stdout, "Difference: %s\n", signed(d.By, d.Currency))
		}
		_, _ = fmt.Fprintln(s.stdout)
	}
	return nil
}

func (s *whatIfShown) oneSide(title string, posted []billing.Charge, waits []billing.Hold) {
	_, _ = fmt.Fprintf(s.stdout, "\n%s\n", title)
	tell := func(c billing.Charge) {
		_, _ = fmt.Fprintf(s.stdout, "  %s  %s\n", c.Text, money(c.Amount, c.Currency))
		for _, sentence := range billing.Explain(c) {
			_, _ = fmt.Fprintf(s.stdout, "    %s\n", sentence)
		}
	}
	for _, c := range posted {
		tell(c)
	}
	for _, h := range waits {
		_, _ = fmt.Fprintf(s.stdout, "  held (%s): %s\n", h.Reason, h.Says)
		for _, c := range h.Charges {
			tell(c)
		}
	}
	if len(posted)+len(waits) == 0 {
		_, _ = fmt.Fprintln(s.stdout, "  nothing")
	}
	_, _ = fmt.Fprintln(s.stdout)
}
