package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// letter is what every message has: its ticket, its key, its time.
type letter struct {
	key string
	at  instant
}

func (l *letter) flags(c *cobra.Command) {
	c.Flags().StringVar(&l.key, "key", "", "operation `key`: the same key twice has one effect; a fresh one by default")
	c.Flags().Var(&l.at, "at", "`instant` it happened, RFC 3339; now by default")
}

// deed builds a command that sends a message to a ticket. send does it and prints the answer.
func (a *app) deed(use, short string, send func(context.Context, *session, ticket.ID, ticket.Header) error) *cobra.Command {
	var l letter
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  exactly("TICKET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := ticket.ParseID(args[0])
			if err != nil {
				return err
			}
			h, err := a.header(cmd.Context(), l.key, l.at.Time)
			if err != nil {
				return err
			}
			return send(cmd.Context(), a.session, id, h)
		},
	}
	l.flags(c)
	return c
}

// recordWithin is how long a command waits to hear what became of a message without an answer.
const recordWithin = 5 * time.Second

// sent prints what became of a message that nobody answers: its record, as soon as the ticket has
// taken it, or that it is on its way.
func (a *app) sent(ctx context.Context) func(desk.Sent, error) error {
	return func(s desk.Sent, err error) error {
		if err != nil {
			return err
		}
		record, err := a.recorded(ctx, s)
		if err != nil {
			return err
		}
		if err := a.show(record, func() {
			if record.Recorded {
				_, _ = fmt.Fprintln(a.stdout, record.Says)
				return
			}
			_, _ = fmt.Fprintf(a.stdout, "%s is on its way to %s (key %s); docket ticket show %s tells when it has arrived\n",
				s.Message, s.Ticket, s.OperationKey, s.Ticket)
		}); err != nil {
			return err
		}
		if record.Recorded && !record.Effect {
			return errNoEffect
		}
		return nil
	}
}

// arrival is a sent message and what became of it.
type arrival struct {
	desk.Sent
	postgres.Record
}

func (a *app) recorded(ctx context.Context, s desk.Sent) (arrival, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(recordWithin)
	defer late.Stop()
	for {
		record, err := a.session.store.Recorded(ctx, s.Ticket, s.OperationKey)
		if err != nil || record.Recorded {
			return arrival{s, record}, err
		}
		select {
		case <-ctx.Done():
			return arrival{Sent: s}, ctx.Err()
		case <-late.C:
			return arrival{Sent: s}, nil
		case <-tick.C:
		}
	}
}

// answered prints what became of a message.
func (a *app) answered(answer ticket.Answer, err error) error {
	if err != nil {
		return err
	}
	if err := a.show(answer, func() { _, _ = fmt.Fprintln(a.stdout, answer.Says) }); err != nil {
		return err
	}
	if !answer.Effect {
		return errNoEffect
	}
	return nil
}

func newTicketClaim(a *app) *cobra.Command {
	return a.deed("claim TICKET", "Take the ticket", func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
		return a.answered(s.desk.Claim(ctx, id, ticket.Claim{Header: h}))
	})
}

func newTicketWait(a *app) *cobra.Command {
	var reason string
	c := a.deed("wait TICKET --reason TEXT", "Ask the customer, a vendor or for a part; the SLA clock pauses",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			return a.sent(ctx)(s.desk.Wait(ctx, id, ticket.Wait{Header: h, Reason: reason}))
		})
	c.Flags().StringVar(&reason, "reason", "customer", "what is waited for: customer, vendor, part, or a `text`")
	return c
}

func newTicketResume(a *app) *cobra.Command {
	return a.deed("resume TICKET", "End the wait; the SLA clock runs again",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			return a.sent(ctx)(s.desk.Resume(ctx, id, ticket.Resume{Header: h}))
		})
}

func newTicketPriority(a *app) *cobra.Command {
	var (
		l      letter
		reason string
	)
	c := &cobra.Command{
		Use:     "priority TICKET 1-5 --reason TEXT",
		Short:   "Give the ticket another priority; its SLA targets are reckoned anew from its opening, less its waits so far",
		Example: "  docket ticket priority T-1042 2 --reason 'the whole floor is down' --as dora.quinn",
		Args:    exactly("TICKET", "PRIORITY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := ticket.ParseID(args[0])
			if err != nil {
				return err
			}
			to, err := strconv.Atoi(args[1])
			if err != nil {
				return ticket.Invalid("priority", args[1], "is not a priority", "1 (most urgent) to 5")
			}
			h, err := a.header(cmd.Context(), l.key, l.at.Time)
			if err != nil {
				return err
			}
			return a.answered(a.session.desk.Prioritise(cmd.Context(), id, ticket.Prioritise{Header: h, Priority: to, Reason: reason}))
		},
	}
	l.flags(c)
	c.Flags().StringVar(&reason, "reason", "", "why, a `sentence`")
	return c
}

func newTicketEscalate(a *app) *cobra.Command {
	var to, reason string
	c := a.deed("escalate TICKET --reason TEXT", "Hand the ticket on, away from its assignee",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			return a.sent(ctx)(s.desk.Escalate(ctx, id, ticket.Escalate{Header: h, To: to, Reason: reason}))
		})
	c.Flags().StringVar(&to, "to", "", "`person` who takes it; routing finds one by default")
	c.Flags().StringVar(&reason, "reason", "", "why, one `sentence`")
	return c
}

func newTicketReply(a *app) *cobra.Command {
	var body string
	var internal bool
	c := a.deed("reply TICKET --body TEXT", "Add the customer's words to the conversation (or, with --internal, ours)",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			text, err := a.fromStdin(body, "body", ticket.MaxDescription)
			if err != nil {
				return err
			}
			if !internal {
				return a.sent(ctx)(s.desk.Reply(ctx, id, h, text))
			}
			row, err := s.desk.Note(ctx, id, h, text, false)
			if err != nil {
				return err
			}
			return a.show(map[string]int64{"comment": row}, func() { _, _ = fmt.Fprintf(a.stdout, "noted on %s, for us alone\n", id) })
		})
	c.Flags().StringVar(&body, "body", "", "the `text`; - reads it from standard input")
	c.Flags().BoolVar(&internal, "internal", false, "a note of ours that the client does not see")
	return c
}

func newTicketRequestApproval(a *app) *cobra.Command {
	var action, amount, currency string
	c := a.deed("request-approval TICKET --action TEXT --amount N --currency CODE", "Ask the client before an action that will cost",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			return a.sent(ctx)(s.desk.RequestApproval(ctx, id, ticket.RequestApproval{Header: h, Action: action, Amount: amount, Currency: currency}))
		})
	c.Flags().StringVar(&action, "action", "", "what is going to be done, one `sentence`")
	c.Flags().StringVar(&amount, "amount", "", "the estimate, a `decimal`")
	c.Flags().StringVar(&currency, "currency", "", "ISO 4217 `code`")
	return c
}

func newTicketReopen(a *app) *cobra.Command {
	var reason string
	c := a.deed("reopen TICKET --reason TEXT", "Start the ticket's next round: holds are voided, charges reversed",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			return a.answered(s.desk.Reopen(ctx, id, ticket.Reopen{Header: h, Reason: reason}))
		})
	c.Flags().StringVar(&reason, "reason", "", "why, one `sentence`")
	return c
}

func newTicketMerge(a *app) *cobra.Command {
	var into string
	c := a.deed("merge TICKET --into TICKET", "End this ticket; another carries on with its work",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			target, err := ticket.ParseID(into)
			if err != nil {
				return err
			}
			return a.answered(s.desk.Merge(ctx, id, ticket.Merge{Header: h, Into: target}))
		})
	c.Flags().StringVar(&into, "into", "", "the `ticket` that carries on")
	return c
}

func newTicketMove(a *app) *cobra.Command {
	var to, reason string
	c := a.deed("move TICKET --to CLIENT --reason TEXT", "Give the ticket to another client, with its work that nobody has billed",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			return a.answered(s.desk.Move(ctx, id, ticket.Move{Header: h, Client: to, Reason: reason}))
		})
	c.Flags().StringVar(&to, "to", "", "the `client` whose ticket it is")
	c.Flags().StringVar(&reason, "reason", "", "why, one `sentence`")
	return c
}

func newTicketSplit(a *app) *cobra.Command {
	var subject, category string
	var work, items []string
	c := a.deed("split TICKET --work W-3,W-4 --subject TEXT", "Move work and items that nobody has billed to a new ticket of the same client",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			m := ticket.SplitOff{Header: h, Subject: subject, Category: category}
			var err error
			if m.Work, err = numbersOf(work, ticket.ParseWorkID); err != nil {
				return err
			}
			if m.Items, err = numbersOf(items, ticket.ParseItemID); err != nil {
				return err
			}
			return a.answered(s.desk.Split(ctx, id, m))
		})
	c.Example = "  docket ticket split T-1042 --work W-3,W-4 --subject 'New printer for the second floor' --as dana.cole"
	c.Flags().StringSliceVar(&work, "work", nil, "the work `entries` to move; docket ticket show lists them")
	c.Flags().StringSliceVar(&items, "items", nil, "the `items` to move, such as I-2")
	c.Flags().StringVar(&subject, "subject", "", "what the new ticket is about, one `line`")
	c.Flags().StringVar(&category, "category", "", "the new ticket's `category`; triage finds it by default")
	return c
}

func numbersOf(names []string, parse func(string) (int64, error)) ([]int64, error) {
	var numbers []int64
	for _, name := range names {
		n, err := parse(name)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func newTicketUnmerge(a *app) *cobra.Command {
	var reason string
	c := a.deed("unmerge TICKET --reason TEXT", "Take a merge back: the ticket goes on with what the merge took from it",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			return a.answered(s.desk.Unmerge(ctx, id, ticket.Unmerge{Header: h, Reason: reason}))
		})
	c.Flags().StringVar(&reason, "reason", "", "why, one `sentence`")
	return c
}

func newTicketCancel(a *app) *cobra.Command {
	var reason string
	c := a.deed("cancel TICKET --reason TEXT", "End the ticket without a closure",
		func(ctx context.Context, s *session, id ticket.ID, h ticket.Header) error {
			return a.sent(ctx)(s.desk.Cancel(ctx, id, ticket.Cancel{Header: h, Reason: reason}))
		})
	c.Flags().StringVar(&reason, "reason", "", "why, one `sentence`")
	return c
}
