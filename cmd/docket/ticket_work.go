package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/ticket"
)

// measured is a work entry as flags give it.
type measured struct {
	kind    string
	role    string
	started instant
	took    time.Duration
	note    string
	hourly  string
	failed  bool
	free    bool
	unknown bool // when it began
	in, out int64
}

func (m *measured) flags(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&m.kind, "type", "remote", "work `type`: remote, onsite, travel, ai-resolution, …")
	flags.StringVar(&m.role, "role", "", "work `role` of the rate card; the person's own by default")
	flags.Var(&m.started, "started", "`instant` the work began, RFC 3339; by default it ended now, or before what you logged on this ticket already")
	flags.BoolVar(&m.unknown, "unstarted", false, "nobody knows when the work began, only the date, which is that of --at")
	flags.StringVar(&m.hourly, "hourly", "", "bill it at this `decimal` an hour, whatever the rate card says; it takes the role dispatcher, owner or finance")
	flags.DurationVar(&m.took, "took", 0, "how long it took, as it was measured: 25m, 1h30m, 1900ms (`duration`)")
	flags.StringVar(&m.note, "note", "", "what was done, a `sentence`")
	flags.BoolVar(&m.failed, "failed", false, "the attempt failed: it costs, and does not bill")
	flags.BoolVar(&m.free, "non-billable", false, "does not bill")
	flags.Int64Var(&m.in, "tokens-in", 0, "tokens the model read (`n`)")
	flags.Int64Var(&m.out, "tokens-out", 0, "tokens the model wrote (`n`)")
}

func (m *measured) entry(key string, ended time.Time) ticket.WorkEntry {
	e := ticket.WorkEntry{
		OperationKey: key, WorkType: m.kind, WorkRole: m.role, StartedAt: m.started.Time, MS: m.took.Milliseconds(),
		NonBillable: m.free, Note: m.note, Hourly: m.hourly, TokensIn: m.in, TokensOut: m.out,
	}
	if m.failed {
		e.Outcome = ticket.Failed
	}
	if e.StartedAt.IsZero() && !m.unknown {
		e.StartedAt = ended.UTC().Add(-max(m.took, 0))
	}
	return e
}

// ended is when work that is logged without --started ended: now, or before what the same
// person logged on this ticket already. Nobody does two things at a time.
func (a *app) ended(ctx context.Context, s *session, id ticket.ID, who string, took time.Duration) (time.Time, error) {
	moments, err := s.store.Timeline(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	end := a.now()
	for i := range moments { // the latest first
		m := moments[len(moments)-1-i]
		if m.Kind != string(ticket.MsgWork) || m.MS == 0 || m.Actor != who {
			continue
		}
		if m.At.Add(time.Duration(m.MS)*time.Millisecond).After(end.Add(-took)) && m.At.Before(end) {
			end = m.At
		}
	}
	return end, nil
}

func newTicketWork(a *app) *cobra.Command {
	var m measured
	c := a.deed("work TICKET --took DURATION", "Log work as it was measured",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			end, err := a.ended(ctx, s, id, h.Who, m.took)
			if err != nil {
				return err
			}
			return a.sent(ctx)(s.desk.Work(ctx, id, ticket.Work{Header: h, Entry: m.entry(h.OperationKey, end)}))
		})
	m.flags(c)
	return c
}

func newTicketResolve(a *app) *cobra.Command {
	var (
		m          measured
		resolution string
		code       string
		events     []string
	)
	c := a.deed("resolve TICKET --resolution TEXT [--took DURATION]", "The work is done: close, rate, and post or hold every part",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			fresh := h.OperationKey == "" // no repetition of an earlier one
			if h.At.IsZero() {
				h.At = a.now().UTC()
			}
			r := ticket.Resolve{Header: h, Resolution: resolution, Code: code, Events: usages(events)}
			if m.took != 0 || m.failed {
				end, err := a.ended(ctx, s, id, h.Who, m.took)
				if err != nil {
					return err
				}
				r.Work = []ticket.WorkEntry{m.entry(h.OperationKey, end)}
			}
			receipt, err := s.desk.Resolve(ctx, id, r)
			if err != nil {
				return err
			}
			if err := a.show(receipt, func() { a.receipt(receipt) }); err != nil {
				return err
			}
			if earlier := fresh && receipt.ClosedAt.Before(h.At.Truncate(time.Millisecond)); earlier {
				a.say("It was closed before, %s: this is what that closing did. To work on, reopen it: docket ticket reopen %s", a.when(receipt.ClosedAt), id)
				return errNoEffect
			}
			if receipt.Closure == 0 {
				return errNoEffect
			}
			return nil
		})
	m.flags(c)
	c.Flags().StringVar(&resolution, "resolution", "", "what was done, one `sentence` for the invoice")
	c.Flags().StringArrayVar(&events, "event", nil, "what else happened that the contract may price, as `name` or name=quantity: password-reset, mailbox-added=3; may be repeated")
	c.Flags().StringVar(&code, "code", "", "how it ended: solved, silent, duplicate or spam (`code`)")
	return c
}

// usages reads events as flags give them: password-reset, mailbox-added=3.
func usages(flags []string) []ticket.Usage {
	var events []ticket.Usage
	for _, f := range flags {
		name, quantity, _ := strings.Cut(f, "=")
		events = append(events, ticket.Usage{Name: name, Quantity: quantity})
	}
	return events
}

func newTicketItem(a *app) *cobra.Command {
	var m ticket.Material
	c := a.deed("item TICKET --kind KIND --text TEXT --cost N", "Add a part, a licence or an expense that the ticket took",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			m.Header = h
			return a.answered(s.desk.AddItem(ctx, id, m))
		})
	c.Example = "  docket ticket item T-1042 --kind part --text 'SSD 1 TB' --cost 80.00 --as tom.reyes"
	flags := c.Flags()
	flags.StringVar(&m.Kind, "kind", ticket.Part, "part, licence or expense (`kind`)")
	flags.StringVar(&m.Text, "text", "", "what it is, one `line` for the invoice")
	flags.StringVar(&m.Quantity, "quantity", "1", "how many (`decimal`)")
	flags.StringVar(&m.Cost, "cost", "", "what one cost us, a `decimal`")
	flags.StringVar(&m.Price, "price", "", "what one is sold for, a `decimal`; the contract's markup by default; it takes the role dispatcher, owner or finance")
	flags.StringVar(&m.Currency, "currency", "", "ISO 4217 `code` of cost and price; the client's by default")
	flags.StringVar(&m.On, "on", "", "service `date`, YYYY-MM-DD; the date of --at by default")
	return c
}
