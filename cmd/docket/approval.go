package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

func newApproval(a *app) *cobra.Command {
	return noun("approval", "What clients are asked to sign off",
		newApprovalList(a), newHoldShow(a), newApprove(a), newDecline(a), newApprovalRedeem(a))
}

func newApprovalList(a *app) *cobra.Command {
	var all bool
	var client string
	c := &cobra.Command{
		Use:   "list",
		Short: "List what waits for a client's sign-off",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			holds, err := s.store.Approvals(cmd.Context(), !all, client)
			if err != nil {
				return err
			}
			return a.holds(holds, "Nothing waits for a sign-off. A ticket whose bill is over its contract's threshold will: docket ticket resolve TICKET --took 9h …")
		},
	}
	c.Flags().BoolVar(&all, "all", false, "decided ones too")
	c.Flags().StringVar(&client, "client", "", "only of this `client`")
	return c
}

// holds prints holds as a table.
func (a *app) holds(holds []billing.HoldView, empty string) error {
	return list(a, holds, empty,
		text("HOLD", func(h billing.HoldView) string { return ticket.HoldID(h.Hold) }),
		text("TICKET", func(h billing.HoldView) string { return h.Ticket }),
		text("CLIENT", func(h billing.HoldView) string { return h.Client }),
		text("STATE", func(h billing.HoldView) string { return h.State }),
		text("REASON", func(h billing.HoldView) string { return string(h.Reason) }),
		number("AMOUNT", func(h billing.HoldView) string { return quoted(h.HeldQuote) }),
		text("UNTIL", func(h billing.HoldView) string { return a.until(h) }),
		text("ASKED", func(h billing.HoldView) string { return joined(h.Approvers) }),
		text("WHY", func(h billing.HoldView) string { return short(oneLine(h.Says), 70) }),
	)
}

// quoted is a quote's amount; where none could be found, that is said.
func quoted(q billing.HeldQuote) string {
	switch {
	case q.Currency == "" || q.Currency == billing.NoCurrency, q.Amount.IsZero() && q.Kind == billing.Exception:
		return "no amount yet"
	}
	return money(q.Amount, q.Currency)
}

func (a *app) until(h billing.HoldView) string {
	if h.Decided != nil {
		return "by " + h.By + " " + a.when(*h.Decided)
	}
	return a.when(h.ExpiresAt)
}

func newHoldShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show HOLD",
		Short: "Show one hold: the charges as they would post, why it waits, who may decide until when",
		Args:  exactly("HOLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := ticket.ParseHoldID(args[0])
			if err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			h, err := s.store.HoldByID(cmd.Context(), n)
			if err != nil {
				return err
			}
			uses, err := s.store.LinkUses(cmd.Context(), n)
			if err != nil {
				return err
			}
			return a.show(struct {
				billing.HoldView
				Links []ticket.LinkUse `json:"links,omitempty"`
			}{h, uses}, func() {
				a.hold(h)
				a.linkUses(uses)
			})
		},
	}
}

func (a *app) hold(h billing.HoldView) {
	_, _ = fmt.Fprintf(a.stdout, "%s  %s\n\n", ticket.HoldID(h.Hold), h.Says)
	fields(a.stdout,
		"ticket", h.Ticket+"  "+h.Subject, "client", h.Client, "state", h.State, "reason", string(h.Reason),
		"amount", quoted(h.HeldQuote), "asked", joined(h.Approvers), "until", a.until(h), "reminded", a.reminded(h), "digest", h.Digest,
		"queue", string(h.Queue), "owner", h.Owner, "rulings", rulings(h), "proposed", h.Proposed,
	)
	if len(h.Charges) == 0 {
		return
	}
	_, _ = fmt.Fprintln(a.stdout)
	var rows [][]string
	for _, c := range h.Charges {
		rows = append(rows, []string{string(c.Kind), c.Clause, c.Text, c.Quantity.String() + " " + c.Unit, money(c.Rate, c.Currency), money(c.Amount, c.Currency)})
	}
	align(a.stdout, rows, []bool{false, false, false, true, true, true})
}

// reminded tells how often the quote has reminded whom it asks, and when it does next.
func (a *app) reminded(h billing.HoldView) string {
	var parts []string
	if h.Reminded > 0 {
		parts = append(parts, count(h.Reminded, "time"))
	}
	if !h.RemindAt.IsZero() {
		parts = append(parts, "next "+a.when(h.RemindAt))
	}
	return joined(parts)
}

func newApprove(a *app) *cobra.Command { return newSignOff(a, "approve HOLD", true) }

func newDecline(a *app) *cobra.Command { return newSignOff(a, "decline HOLD --reason TEXT", false) }

func newSignOff(a *app, use string, approved bool) *cobra.Command {
	var l letter
	var reason, digest string
	c := &cobra.Command{
		Use:   use,
		Short: map[bool]string{true: "Agree to a quote: its lines post", false: "Decline a quote: a dispatcher rules on it"}[approved],
		Args:  exactly("HOLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := ticket.ParseHoldID(args[0])
			if err != nil {
				return err
			}
			h, err := a.header(cmd.Context(), l.key, l.at.Time)
			if err != nil {
				return err
			}
			view, err := a.session.store.HoldByID(cmd.Context(), n)
			if err != nil {
				return err
			}
			if digest == "" {
				digest = view.Digest
				a.say("%s of %s: %s, %s", ticket.HoldID(n), view.Ticket, strings.TrimSuffix(view.Says, "."), quoted(view.HeldQuote))
			}
			return a.settlement(a.session.desk.SignOff(cmd.Context(), ticket.ID(view.Ticket),
				ticket.SignOff{Header: h, Hold: n, Digest: digest, Approved: approved, Reason: reason}))
		},
	}
	l.flags(c)
	c.Flags().StringVar(&reason, "reason", "", "why, one `sentence`")
	c.Flags().StringVar(&digest, "digest", "", "`digest` of the quote that was read, from approval show: another quote is stale; the one that stands now by default")
	return c
}
