package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

func newPeriod(a *app) *cobra.Command {
	return noun("period", "Billing periods: fees, minimums, what waits for a person",
		newPeriodList(a), newPeriodRun(a), newPeriodShow(a), newPeriodApprove(a), newPeriodDecline(a))
}

// periodRow is a run of a period in a list: made, or due.
type periodRow struct {
	billing.DueRun
	State billing.PostingState `json:"state"` // due where it can be made now
	Says  string               `json:"says"`
	By    string               `json:"by,omitempty"`
	At    time.Time            `json:"at,omitzero"`
}

// The states of runs that are not made: what can be made now, and what nobody makes unless it is asked for.
const (
	stateDue  billing.PostingState = "due"
	statePast billing.PostingState = "past"
)

func newPeriodList(a *app) *cobra.Command {
	var (
		f     postgres.PostingFilter
		state string
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "List what is due, what waits and what was posted, the newest first",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch f.State = billing.PostingState(state); f.State {
			case "", stateDue, statePast, billing.PostingWaiting, billing.PostingDraft, billing.PostingPosted, billing.PostingVoid:
			default:
				return ticket.Invalid("state", state, "is not a state of a period", "due, waiting, draft, posted, void or past")
			}
			if err := positive("limit", f.Limit); err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := known(cmd.Context(), s.store, f.Client, f.Contract); err != nil {
				return err
			}
			rows, err := periodRows(cmd.Context(), s.store, f)
			if err != nil {
				return err
			}
			return list(a, rows, "No period is due, and none has posted. Fees, device counts and minimums of contracts make them: docket contract list",
				text("PERIOD", func(r periodRow) string { return r.Period.Tell() }),
				text("RUN", func(r periodRow) string { return string(r.Run) }),
				text("CONTRACT", func(r periodRow) string { return r.Contract }),
				text("CLIENT", func(r periodRow) string { return r.Client }),
				text("STATE", func(r periodRow) string { return string(r.State) }),
				text("AT", func(r periodRow) string { return a.when(r.At) }),
				text("WHAT", func(r periodRow) string { return oneLine(r.Says) }),
			)
		},
	}
	c.Flags().StringVar(&f.Client, "client", "", "only of this `client`")
	c.Flags().StringVar(&f.Contract, "contract", "", "only of this `contract`")
	c.Flags().StringVar(&state, "state", "", "due, waiting, draft, posted or void (`state`); past: over when the contract was applied, and billed by nobody here")
	c.Flags().IntVar(&f.Limit, "limit", 50, "at most this `number` of those that were made")
	return c
}

func periodRows(ctx context.Context, store *postgres.Store, f postgres.PostingFilter) ([]periodRow, error) {
	var rows []periodRow
	if f.State == statePast {
		past, err := store.PastPeriods(ctx, billing.DueFilter{Client: f.Client, Contract: f.Contract})
		if err != nil {
			return nil, err
		}
		looks, err := store.LookAtPeriods(ctx, past)
		for _, r := range looks {
			rows = append(rows, periodRow{DueRun: r.DueRun, State: statePast, Says: r.Says})
		}
		return rows, err
	}
	if f.State == "" || f.State == stateDue || f.State == billing.PostingWaiting {
		due, err := store.PeriodsDue(ctx, billing.DueFilter{Client: f.Client, Contract: f.Contract})
		if err != nil {
			return nil, err
		}
		looks, err := store.LookAtPeriods(ctx, due)
		if err != nil {
			return nil, err
		}
		for _, r := range looks {
			row := periodRow{DueRun: r.DueRun, State: stateDue, Says: r.Says}
			if r.State == billing.PostingWaiting {
				row.State = r.State
			}
			if f.State == "" || f.State == row.State {
				rows = append(rows, row)
			}
		}
	}
	if f.State == stateDue || f.State == billing.PostingWaiting {
		return rows, nil
	}
	f.Periods = true
	made, err := store.Postings(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, p := range made {
		run := billing.DueRun{Contract: p.Contract, Client: p.Client, Run: billing.PeriodRun(p.Kind), Period: p.Period}
		rows = append(rows, periodRow{DueRun: run, State: p.State, Says: p.Says, By: p.By, At: p.At})
	}
	return rows, nil
}

func newPeriodRun(a *app) *cobra.Command {
	var (
		f   billing.DueFilter
		dry bool
	)
	c := &cobra.Command{
		Use:   "run",
		Short: "Open and close the periods that are due, as the schedule does every hour",
		Long: `Posts what is due: fees in advance of periods that have begun; fees in arrears, corrections and minimums of those that are
over. Each run posts once, whoever makes it, and however often.

Periods that had ended when the contract was first applied were billed elsewhere, and are left out; --from takes them in.
With --dry-run nothing is posted, and --until may lie in the future.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, d := range []struct{ field, value string }{{"from", f.From}, {"until", f.Until}} {
				if _, err := sla.ParseDate(d.value); d.value != "" && err != nil {
					return ticket.Invalid(d.field, d.value, "is not a date", "write it like 2026-03-31")
				}
			}
			who := ticket.Person{}
			if !dry && a.as != "" {
				var err error
				if who, err = a.person(cmd.Context()); err != nil {
					return err
				}
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := known(cmd.Context(), s.store, f.Client, f.Contract); err != nil {
				return err
			}
			due, err := s.store.PeriodsDue(cmd.Context(), f)
			if err != nil {
				return err
			}
			if dry {
				receipts, err := s.store.LookAtPeriods(cmd.Context(), due)
				if err != nil {
					return err
				}
				return a.periodReceipts(receipts, true)
			}
			receipts, failed := runPeriods(cmd.Context(), s.store, due, who.ID)
			return errors.Join(a.periodReceipts(receipts, false), failed)
		},
	}
	c.Flags().StringVar(&f.Client, "client", "", "only of this `client`")
	c.Flags().StringVar(&f.Contract, "contract", "", "only of this `contract`")
	c.Flags().StringVar(&f.From, "from", "", "`date`: also periods that had ended when the contract was applied")
	c.Flags().StringVar(&f.Until, "until", "", "`date`: only what is due by then; today by default")
	c.Flags().BoolVar(&dry, "dry-run", false, "tell what would post, and post nothing")
	return c
}

// runPeriods makes the runs in order. One that waits, or fails, keeps back its contract alone.
func runPeriods(ctx context.Context, store *postgres.Store, due []billing.DueRun, who string) ([]billing.PeriodReceipt, error) {
	var (
		receipts []billing.PeriodReceipt
		failed   []error
		held     string // contract
	)
	for _, run := range due {
		if run.Contract == held {
			continue
		}
		r, err := store.RunPeriod(ctx, run, who)
		if err != nil {
			failed, held = append(failed, err), run.Contract
			continue
		}
		if r.State == billing.PostingWaiting {
			held = run.Contract
		}
		receipts = append(receipts, r)
	}
	return receipts, errors.Join(failed...)
}

func (a *app) periodReceipts(receipts []billing.PeriodReceipt, dry bool) error {
	empty := "Nothing is due."
	if dry {
		empty = "Nothing would post."
	}
	if err := list(a, receipts, empty,
		text("PERIOD", func(r billing.PeriodReceipt) string { return r.Period.Tell() }),
		text("RUN", func(r billing.PeriodReceipt) string { return string(r.Run) }),
		text("CONTRACT", func(r billing.PeriodReceipt) string { return r.Contract }),
		text("STATE", func(r billing.PeriodReceipt) string { return string(r.State) }),
		number("LINES", func(r billing.PeriodReceipt) string { return fmt.Sprint(len(r.Posted)) }),
		text("WHAT", func(r billing.PeriodReceipt) string { return oneLine(r.Says) }),
	); err != nil {
		return err
	}
	if dry && len(receipts) > 0 {
		a.say("Nothing was posted: docket period run does.")
	}
	return nil
}

func newPeriodShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show CONTRACT PERIOD",
		Short: "Show what a period posted, or waits to post, and why; PERIOD is its first day or its month",
		Args:  exactly("CONTRACT", "PERIOD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			found, err := s.store.Postings(cmd.Context(), postgres.PostingFilter{Contract: args[0], Period: args[1], Periods: true})
			if err != nil {
				return err
			}
			if len(found) == 0 {
				return a.unposted(cmd.Context(), s.store, args[0], args[1])
			}
			return a.show(found, func() {
				for i, p := range found {
					if i > 0 {
						_, _ = fmt.Fprintln(a.stdout)
					}
					_, _ = fmt.Fprintf(a.stdout, "%s of %s, %s\n\n", p.Kind, p.Period.Tell(), p.State)
					fields(a.stdout, "what", p.Says, "by", p.By, "at", a.when(p.At), "decided by", p.Decider, "digest", p.Digest)
					for _, c := range p.Charges {
						_, _ = fmt.Fprintf(a.stdout, "\n%s  %s\n", c.Text, money(c.Amount, c.Currency))
						for _, sentence := range billing.Explain(c) {
							_, _ = fmt.Fprintf(a.stdout, "  %s\n", sentence)
						}
					}
				}
			})
		},
	}
}

// unposted tells what a period that has posted nothing would post, or what it waits for.
func (a *app) unposted(ctx context.Context, store *postgres.Store, contract, period string) error {
	if err := known(ctx, store, "", contract); err != nil {
		return err
	}
	due, err := store.PeriodsDue(ctx, billing.DueFilter{Contract: contract})
	if err != nil {
		return err
	}
	due = slices.DeleteFunc(due, func(r billing.DueRun) bool {
		return r.Period.Start != period && !strings.HasPrefix(r.Period.Start, period+"-")
	})
	if len(due) == 0 {
		return ticket.Invalid("period", period, "has posted nothing under "+contract,
			"write a month like 2026-03, or a period's first day like 2026-03-15; `docket period list --contract "+contract+"` shows what there is")
	}
	looks, err := store.LookAtPeriods(ctx, due)
	if err != nil {
		return err
	}
	return a.periodReceipts(looks, true)
}

func newPeriodApprove(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "approve CONTRACT PERIOD",
		Short: "Post the draft of a cancelled contract's last period",
		Args:  exactly("CONTRACT", "PERIOD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rulePeriod(cmd.Context(), postgres.PeriodRuling{Contract: args[0], Period: args[1], Approve: true})
		},
	}
}

func newPeriodDecline(a *app) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "decline CONTRACT PERIOD --reason TEXT",
		Short: "Void the draft of a cancelled contract's last period; the next run drafts afresh",
		Args:  exactly("CONTRACT", "PERIOD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rulePeriod(cmd.Context(), postgres.PeriodRuling{Contract: args[0], Period: args[1], Reason: reason})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "`text`: why")
	return c
}

func (a *app) rulePeriod(ctx context.Context, r postgres.PeriodRuling) error {
	who, err := a.person(ctx)
	if err != nil {
		return err
	}
	r.By = who.ID
	receipt, err := a.session.store.RulePeriod(ctx, r)
	if err != nil {
		return err
	}
	if err := a.show(receipt, func() {
		_, _ = fmt.Fprintln(a.stdout, receipt.Says)
		for _, l := range receipt.Posted {
			_, _ = fmt.Fprintf(a.stdout, "  %s  %s  %s\n", ticket.LineID(l.Line), l.Text, money(l.Amount, l.Currency))
		}
	}); err != nil {
		return err
	}
	if !receipt.Effect {
		return errNoEffect
	}
	return nil
}
