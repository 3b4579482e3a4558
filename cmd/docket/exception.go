package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newException(a *app) *cobra.Command {
	return noun("exception", "What somebody of ours must rule on",
		newExceptionList(a), newHoldShow(a), newRule(a), newConfirm(a), newExceptionLimit(a))
}

func newExceptionList(a *app) *cobra.Command {
	var all, mine bool
	f := postgres.ExceptionFilter{}
	c := &cobra.Command{
		Use:   "list",
		Short: "List what waits for a ruling: where, for how long, whose it is, and what can be decided",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Open = !all
			if mine {
				who, err := a.person(cmd.Context())
				if err != nil {
					return err
				}
				f.Roles = append([]string{}, who.Roles...)
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			holds, err := s.store.Exceptions(cmd.Context(), f)
			if err != nil {
				return err
			}
			for i := range holds {
				if holds[i].Decided == nil {
					holds[i].AgeMS = a.now().Sub(holds[i].OpenedAt).Milliseconds()
				}
			}
			disputes, err := a.questioned(cmd.Context(), f, all)
			if err != nil {
				return err
			}
			return a.exceptions(holds, disputes)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "decided ones too")
	c.Flags().BoolVar(&mine, "mine", false, "only queues that the roles of the person who acts look after")
	c.Flags().StringVar(&f.Client, "client", "", "only of this `client`")
	c.Flags().StringVar((*string)(&f.Queue), "queue", "", "only in this `queue`: scope, money, time, contract, project, pattern, order or block")
	return c
}

// questioned gives the lines in question, which wait for finance beside the holds of its queue.
func (a *app) questioned(ctx context.Context, f postgres.ExceptionFilter, all bool) (list []billing.Dispute, err error) {
	owner := slices.Contains(f.Roles, "finance") || slices.Contains(f.Roles, "owner")
	if (f.Queue != "" && f.Queue != billing.QueueMoney) || (f.Roles != nil && !owner) {
		return nil, nil
	}
	state := "open"
	if all {
		state = ""
	}
	found, err := a.session.store.Disputes(ctx, postgres.DisputeFilter{State: state})
	for _, d := range found {
		if f.Client == "" || f.Client == d.Client || f.Client == d.Payer {
			list = append(list, d)
		}
	}
	return list, err
}

// exception is one row of the queues: a hold, or a line in question.
type exception struct {
	billing.HoldView
	dispute *billing.Dispute
}

// MarshalJSON writes whichever it is.
func (e exception) MarshalJSON() ([]byte, error) {
	if e.dispute != nil {
		return json.Marshal(e.dispute)
	}
	return json.Marshal(e.HoldView)
}

// queued is a dispute as a row of the queues.
func (a *app) queued(d *billing.Dispute) exception {
	e := exception{dispute: d, HoldView: billing.HoldView{
		HeldQuote: billing.HeldQuote{Amount: d.Left, Currency: d.Currency, Says: "in question: " + d.Reason},
		Ticket:    d.Invoice + " " + ticket.LineID(d.Line), Client: d.Client, Queue: billing.QueueMoney, Owner: "finance",
		OpenedAt: d.OpenedAt, AgeMS: a.now().Sub(d.OpenedAt).Milliseconds(),
	}}
	if d.State != "open" {
		e.State, e.By, e.Decided = d.State, d.SettledBy, cmp.Or(d.SettledAt, &d.OpenedAt)
	}
	return e
}

func (e exception) id() string {
	if e.dispute != nil {
		return ticket.DisputeID(e.dispute.ID)
	}
	return ticket.HoldID(e.Hold)
}

func (e exception) rulings() string {
	if e.dispute != nil && e.Decided == nil {
		return "docket dispute settle " + e.id()
	}
	return rulings(e.HoldView)
}

// exceptions prints what waits for a ruling of ours as a table.
func (a *app) exceptions(holds []billing.HoldView, disputes []billing.Dispute) error {
	rows := make([]exception, 0, len(holds)+len(disputes))
	for _, h := range holds {
		rows = append(rows, exception{HoldView: h})
	}
	for i := range disputes {
		rows = append(rows, a.queued(&disputes[i]))
	}
	return list(a, rows, "No exceptions. Work that no contract speaks of becomes one: docket ticket open --client northwind --category purchase --subject 'Buy 20 laptops'",
		text("ID", exception.id),
		text("QUEUE", func(e exception) string { return string(e.Queue) }),
		text("OWNER", func(e exception) string { return e.Owner }),
		text("ABOUT", func(e exception) string { return e.Ticket }),
		text("CLIENT", func(e exception) string { return e.Client }),
		text("WAITS", func(e exception) string { return a.waits(e.HoldView) }),
		number("AMOUNT", func(e exception) string { return quoted(e.HeldQuote) }),
		text("RULINGS", exception.rulings),
		text("WHY", func(e exception) string { return short(oneLine(e.Says), 70) }),
	)
}

// waits tells how long an exception has waited, and whether for a second person; of a decided one, who decided.
func (a *app) waits(h billing.HoldView) string {
	switch {
	case h.Decided != nil:
		return a.until(h)
	case h.Proposed != "":
		return lasting(h.AgeMS) + ", for a second person"
	}
	return lasting(h.AgeMS)
}

func rulings(h billing.HoldView) string {
	if h.Decided != nil || h.Queue == "" {
		return ""
	}
	names := make([]string, 0, len(h.Rulings)+1)
	for _, r := range h.Rulings {
		names = append(names, string(r))
	}
	return joined(append(names, string(ticket.Rework)))
}

func newRule(a *app) *cobra.Command {
	var (
		l       letter
		m       ticket.Rule
		minutes int64
	)
	c := &cobra.Command{
		Use:   "rule HOLD --action ACTION --reason TEXT",
		Short: "Decide: bill it, cover it, write it off, split it, bill it to a project, rate it under another contract, or send the ticket back",
		Long: `Decide what waits. docket exception show HOLD tells what is possible here.

  bill        post it as quoted (--hourly where no price could be found)
  cover       post it at zero: the contract covers it after all
  write-off   post it at zero: we bear it
  split       bill a part (--bill-minutes or --bill-amount); --rest says what becomes of the rest
  project     bill it to a project's budget; the ticket belongs to it from now on. With --budget or --hours the project is made
  contract    rate it under another contract of the client (--contract), which may ask for a sign-off of its own
  rework      send the ticket back to resolution

What gives away more than you may alone is proposed, and somebody else confirms it: docket exception confirm.`,
		Example: `  docket exception rule H-12 --action split --bill-minutes 60 --rest write-off --reason 'Half of it was ours'
  docket exception rule H-12 --action project --project cedar-hill --budget 5000 --hourly 120 --reason 'Quoted as a project'
  docket exception rule H-12 --action contract --contract acme-block --reason 'They prepaid for this'`,
		Args: exactly("HOLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := ticket.ParseHoldID(args[0])
			if err != nil {
				return err
			}
			if m.Header, err = a.header(cmd.Context(), l.key, l.at.Time); err != nil {
				return err
			}
			view, err := a.session.store.HoldByID(cmd.Context(), n)
			if err != nil {
				return err
			}
			if most := int64(ticket.MaxWork / time.Minute.Milliseconds()); cmd.Flags().Changed("bill-minutes") && (minutes < 1 || minutes > most) {
				return ticket.Invalid("bill_minutes", minutes, "is no time that could bill", fmt.Sprintf("give minutes, from 1 to %d", most))
			}
			m.Hold, m.BillMS = n, minutes*time.Minute.Milliseconds()
			return a.settlement(a.session.desk.Rule(cmd.Context(), ticket.ID(view.Ticket), m))
		},
	}
	l.flags(c)
	flags := c.Flags()
	flags.StringVar((*string)(&m.Action), "action", "", "bill, cover, write-off, split, project, contract or rework (`action`)")
	flags.StringVar(&m.Reason, "reason", "", "why, one `sentence`")
	flags.StringVar(&m.Hourly, "hourly", "", "with bill or project on a hold that found no rate: the hourly `rate` to use")
	flags.StringVar(&m.Contract, "contract", "", "with contract: the `contract` that rates it")
	flags.StringVar(&m.Project, "project", "", "with project: the `project` it bills to")
	flags.StringVar(&m.Name, "name", "", "of a project that is made: what it is called (`text`); the ticket's subject by default")
	flags.StringVar(&m.Budget, "budget", "", "of a project that is made: its `amount` of money")
	flags.StringVar(&m.Hours, "hours", "", "of a project that is made: its `hours`")
	flags.StringVar(&m.Currency, "currency", "", "of a project that is made: ISO 4217 `code`; the hold's by default")
	flags.Int64Var(&minutes, "bill-minutes", 0, "with split: how many billable `minutes` bill")
	flags.StringVar(&m.BillAmount, "bill-amount", "", "with split: which `amount` bills, instead of minutes")
	flags.StringVar((*string)(&m.Rest), "rest", "", "with split: cover or write-off (`ruling`), of what does not bill")
	return c
}

func newConfirm(a *app) *cobra.Command {
	var (
		l      letter
		m      ticket.Confirm
		reject bool
	)
	c := &cobra.Command{
		Use:   "confirm HOLD",
		Short: "Confirm what somebody else proposed above his limit, or reject it (--reject --reason TEXT)",
		Args:  exactly("HOLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := ticket.ParseHoldID(args[0])
			if err != nil {
				return err
			}
			if m.Header, err = a.header(cmd.Context(), l.key, l.at.Time); err != nil {
				return err
			}
			view, err := a.session.store.HoldByID(cmd.Context(), n)
			if err != nil {
				return err
			}
			if m.Proposal == "" {
				if view.Proposal == "" {
					return ticket.Invalid("hold", ticket.HoldID(n), "has nothing to confirm", "nobody has proposed a ruling that stands; `docket exception show "+ticket.HoldID(n)+"` tells where it stands")
				}
				m.Proposal = view.Proposal
				a.say("%s", view.Proposed)
			}
			m.Hold, m.Agreed = n, !reject
			return a.settlement(a.session.desk.Confirm(cmd.Context(), ticket.ID(view.Ticket), m))
		},
	}
	l.flags(c)
	c.Flags().BoolVar(&reject, "reject", false, "do not agree: it waits for a ruling as before")
	c.Flags().StringVar(&m.Reason, "reason", "", "why, one `sentence`; needed to reject")
	c.Flags().StringVar(&m.Proposal, "proposal", "", "`digest` of what was read, from exception show -o json; what stands now by default")
	return c
}

func newExceptionLimit(a *app) *cobra.Command {
	l := postgres.RulingLimit{Action: billing.WriteOff}
	c := &cobra.Command{
		Use:   "limit [ROLE AMOUNT --currency CODE]",
		Short: "Show or set how far a role may rule alone; above it a second person confirms",
		Long: `Show or set how far a role may rule alone. What cover, write-off, split and contract give away is measured; bill and project,
where a limit is set for them, by what they bill. Cover, split and contract go by the limit of write-off where they have
none of their own. Where nothing is set, a dispatcher may give away 1000.00 on one ticket, and
finance and owners any amount. Nobody goes further than a dispatcher on work that he resolved himself.`,
		Args: cobra.MatchAll(cobra.MaximumNArgs(2), func(_ *cobra.Command, args []string) error { return both(args) }),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				s, err := a.open(cmd.Context())
				if err != nil {
					return err
				}
				limits, err := s.store.RulingLimits(cmd.Context())
				if err != nil {
					return err
				}
				return list(a, limits, "No limits are set: a dispatcher may give away 1000.00 on one ticket alone. Set one: docket exception limit dispatcher 250.00 --currency USD --as PERSON",
					text("ROLE", func(l postgres.RulingLimit) string { return l.Role }),
					text("RULING", func(l postgres.RulingLimit) string { return string(l.Action) }),
					text("QUEUE", func(l postgres.RulingLimit) string { return orEvery(string(l.Queue)) }),
					number("ALONE", func(l postgres.RulingLimit) string { return money(l.Amount, l.Currency) }),
					text("SET BY", func(l postgres.RulingLimit) string { return l.By }),
				)
			}
			amount, known := decimalOf(args[1])
			if !known {
				return ticket.Invalid("amount", args[1], "is not a number", "write it like 100.00")
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			l.Role, l.Amount, l.By = args[0], amount, who.ID
			if err := a.session.store.SetRulingLimit(cmd.Context(), l); err != nil {
				return err
			}
			return a.told(l, fmt.Sprintf("%s may rule %s up to %s alone, in queue: %s", l.Role, l.Action, money(l.Amount, l.Currency), orEvery(string(l.Queue))))
		},
	}
	c.Flags().StringVar(&l.Currency, "currency", "", "ISO 4217 `code`")
	c.Flags().StringVar((*string)(&l.Action), "action", string(billing.WriteOff), "which `ruling` the limit is of")
	c.Flags().StringVar((*string)(&l.Queue), "queue", "", "only in this `queue`; in every one by default")
	return c
}

func orEvery(queue string) string {
	if queue == "" {
		return "every"
	}
	return queue
}
