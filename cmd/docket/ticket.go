package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/ticket"
)

func newTicket(a *app) *cobra.Command {
	return noun("ticket", "Open, work on, resolve and look at tickets",
		newTicketOpen(a), newTicketList(a), newTicketShow(a),
		newTicketClaim(a), newTicketWork(a), newTicketTrip(a), newTicketItem(a), newTicketWait(a), newTicketResume(a), newTicketEscalate(a), newTicketPriority(a), newTicketReply(a),
		newTicketResolve(a), newTicketRequestApproval(a), newTicketReopen(a), newTicketMerge(a), newTicketUnmerge(a), newTicketSplit(a), newTicketMove(a), newTicketCancel(a),
	)
}

func newTicketList(a *app) *cobra.Command {
	var (
		f     ticket.Filter
		stage string
		after string
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "List tickets",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := positive("limit", f.Limit); err != nil {
				return err
			}
			if stage != "" {
				var err error
				if f.Stage, err = ticket.ParseStage(stage); err != nil {
					return err
				}
			}
			if after != "" {
				id, err := ticket.ParseID(after)
				if err != nil {
					return err
				}
				f.After = id.Number()
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			tickets, err := s.desk.ListTickets(cmd.Context(), f)
			if err != nil {
				return err
			}
			if f.Limit > 0 && len(tickets) == f.Limit {
				a.say("There may be more: docket ticket list --after %s", tickets[len(tickets)-1].Ticket)
			}
			return list(a, tickets, "No tickets here yet. Open one: docket ticket open --client northwind --subject 'Printer jams'",
				text("TICKET", func(t ticket.Summary) string { return string(t.Ticket) }),
				text("CLIENT", func(t ticket.Summary) string { return t.Client }),
				text("STAGE", func(t ticket.Summary) string { return stageOf(t) }),
				text("PRIO", func(t ticket.Summary) string { return priority(t.Priority) }),
				text("CATEGORY", func(t ticket.Summary) string { return t.Category }),
				text("ASSIGNEE", func(t ticket.Summary) string { return assignee(t) }),
				text("OPENED", func(t ticket.Summary) string { return a.when(t.OpenedAt) }),
				text("SUBJECT", func(t ticket.Summary) string { return short(t.Subject, 60) }),
			)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.Client, "client", "", "only of this `client`")
	flags.StringVar(&stage, "stage", "", "only in this `stage`: new, triage, routing, resolution, waiting, closing, held, posted, merged, cancelled")
	flags.StringVar(&f.Assignee, "assignee", "", "only of this `person`")
	flags.BoolVar(&f.Open, "open", false, "only those that can still be worked on")
	flags.StringVar(&after, "after", "", "only numbers after this `ticket`: the next page")
	flags.IntVar(&f.Limit, "limit", 50, "at most this `number`")
	return c
}

func positive(field string, n int) error {
	if n < 1 {
		return ticket.Invalid(field, n, "is not a number of rows", "give 1 or more")
	}
	return nil
}

func stageOf(t ticket.Summary) string {
	s := string(t.Stage)
	if t.Round > 1 {
		s += fmt.Sprintf(" (round %d)", t.Round)
	}
	if t.MergedInto != "" {
		s += " into " + string(t.MergedInto)
	}
	return s
}

func priority(p int) string {
	if p == 0 {
		return ""
	}
	return fmt.Sprintf("P%d", p)
}

func assignee(t ticket.Summary) string {
	switch {
	case t.Assignee == "" && t.Board != "":
		return "(" + t.Board + ")"
	case t.Assignee != "" && t.ClaimedAt == nil:
		return t.Assignee + "?"
	}
	return t.Assignee
}

func newTicketShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show TICKET",
		Short: "Show one ticket: where it stands, and everything that happened to it",
		Args:  exactly("TICKET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := ticket.ParseID(args[0])
			if err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			shown, err := s.desk.Show(cmd.Context(), id)
			if err != nil {
				return err
			}
			return a.show(shown, func() { a.timeline(shown, s.places) })
		},
	}
}

// timeline prints a ticket as one story.
func (a *app) timeline(s desk.Shown, p places) {
	t := s.Ticket
	_, _ = fmt.Fprintf(a.stdout, "%s  %s\n\n", t.Ticket, t.Subject)
	pairs := []string{
		"client", t.Client, "project", t.Project, "stage", stageOf(t), "category", t.Category, "priority", priority(t.Priority),
		"assignee", assignee(t), "opened", a.when(t.OpenedAt), "closed", a.whenever(t.ClosedAt),
	}
	for _, c := range s.Clocks {
		pairs = append(pairs, string(c.Target)+" due", a.clock(c))
	}
	if live := s.Live; live != nil {
		next := live.DueWhat
		if next != "" {
			next += " " + a.when(live.DueAt)
		}
		pairs = append(pairs, "waits for", live.Awaited, "next", next, "refused", live.Refused)
		for _, h := range live.Holds {
			pairs = append(pairs, "held", h)
		}
	}
	if p.ui != "" {
		pairs = append(pairs, "in Temporal", workflowLink(p, t.Ticket))
	}
	fields(a.stdout, pairs...)
	_, _ = fmt.Fprintln(a.stdout)
	if s.Silent != "" {
		a.say("The workflow did not answer, the rows below say what stands: %s", s.Silent)
	}
	rows := make([][]string, 0, len(s.Timeline))
	for _, m := range s.Timeline {
		if m.Effect && (m.Kind == string(ticket.MsgWork) && m.MS == 0 || m.Kind == "item" && m.Amount == "") {
			continue // the work, or the item, itself is a row of its own
		}
		rows = append(rows, a.moment(m))
	}
	align(a.stdout, rows, []bool{false, false, false, false, true})
}

// moment is one row of the timeline: when, what, who, words, amount or duration.
func (a *app) moment(m ticket.Moment) []string {
	kind, says, figure := m.Kind, m.Says, ""
	switch {
	case m.Amount != "":
		figure = amount(m.Amount, m.Currency)
	case m.MS > 0:
		figure = lasting(m.MS)
	}
	switch {
	case m.Line != 0:
		kind = "line " + ticket.LineID(m.Line)
	case m.Hold != 0:
		kind = "hold " + ticket.HoldID(m.Hold)
	case m.Work != 0:
		kind = "work " + ticket.WorkID(m.Work)
	case m.Item != 0:
		kind = "item " + ticket.ItemID(m.Item)
	}
	if !m.Effect {
		says = "(no effect) " + says
	}
	return []string{a.when(m.At), kind, m.Actor, short(oneLine(says), 120), figure}
}

func newTicketOpen(a *app) *cobra.Command {
	var o ticket.Opening
	var at instant
	var mends string
	c := &cobra.Command{
		Use:   "open --client CLIENT --subject TEXT",
		Short: "Open a ticket",
		Example: `  docket ticket open --client northwind --subject 'Printer jams' --description 'Tray 2, since Monday'
  some-report | docket ticket open --client northwind --subject 'Nightly report failed' --description -`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Description, err = a.fromStdin(o.Description, "description", ticket.MaxDescription); err != nil {
				return err
			}
			if o.ExternalID == "" {
				o.ExternalID = desk.NewKey()
			}
			o.OpenedAt = at.Time
			if mends != "" {
				if o.ReworkOf, err = ticket.ParseID(mends); err != nil {
					return err
				}
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			opened, err := s.desk.Open(cmd.Context(), o)
			if err != nil {
				return err
			}
			if !opened.Started && !opened.Duplicate {
				a.say("Temporal did not answer: the ticket is stored and its workflow starts by itself, as soon as `docket serve` or `docket up` reaches it.")
			}
			return a.show(opened, func() {
				if opened.Duplicate {
					_, _ = fmt.Fprintf(a.stdout, "%s was opened by this external id before; nothing changed\n", opened.Ticket)
					return
				}
				_, _ = fmt.Fprintf(a.stdout, "%s opened\n", opened.Ticket)
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&o.Client, "client", "", "whose it is: `id` of the client")
	flags.StringVar(&o.Subject, "subject", "", "one `line`")
	flags.StringVar(&o.Description, "description", "", "the whole `text`; - reads it from standard input")
	flags.StringVar(&o.Contact, "contact", "", "`person` who asks")
	flags.StringVar(&o.Site, "site", "", "`site` of the client")
	flags.StringVar(&o.Device, "device", "", "`device` it is about")
	flags.StringVar(&o.Channel, "channel", "", "how it came: phone, mail, portal, chat, monitoring (`channel`)")
	flags.StringVar(&o.Source, "source", "cli", "which `source` delivers it")
	flags.StringVar(&o.ExternalID, "external-id", "", "the source's `id` of it: the same id twice is one ticket")
	flags.StringVar(&o.EventID, "event-id", "", "the source's `id` of this delivery")
	flags.StringVar(&o.Category, "category", "", "`category`, where the source knows it")
	flags.StringVar(&o.Subcategory, "subcategory", "", "`subcategory`, where the source knows it")
	flags.IntVar(&o.Impact, "impact", 0, "1 high … 3 low (`n`)")
	flags.IntVar(&o.Urgency, "urgency", 0, "1 high … 3 low (`n`)")
	flags.StringVar(&o.Project, "project", "", "`project` of the client that its work bills to")
	flags.StringVar(&mends, "rework-of", "", "closed `ticket` whose work this one mends; a contract's warranty goes by it")
	flags.Var(&at, "at", "`instant` it was opened, RFC 3339; now by default")
	return c
}

func workflowLink(p places, id ticket.ID) string {
	return fmt.Sprintf("%s/namespaces/%s/workflows/%s", p.ui, p.temporal.Namespace, pathEscape(id.WorkflowID()))
}

// instant is a flag that takes RFC 3339.
type instant struct{ time.Time }

func (i *instant) Set(s string) error {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("%q is not an instant: write it like 2026-03-01T09:00:00Z", s)
	}
	i.Time = t.UTC()
	return nil
}

func (i *instant) Type() string { return "instant" }

func (i *instant) String() string {
	if i.IsZero() {
		return ""
	}
	return i.Format(time.RFC3339)
}
