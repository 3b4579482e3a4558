package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/ticket"
)

func newApprovalRedeem(a *app) *cobra.Command {
	var approve, decline bool
	var reason string
	c := &cobra.Command{
		Use:   "redeem LINK [--approve | --decline --reason TEXT]",
		Short: "Use the link of an approval mail: see its quote, agree to it, or decline it",
		Long: `The link of an approval mail stands for one person and one quote, until it expires. Without a decision the quote is shown. With
one, Docket acts as that person, as if he had signed off himself; a quote that was made afresh, decided or left meanwhile is
answered with what is true now, and the link has no effect. Every use is on record.`,
		Args: exactly("LINK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if approve && decline {
				return usage(errors.New("--approve and --decline exclude each other"))
			}
			ctx := cmd.Context()
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			key, err := a.linkKey(ctx, s)
			if err != nil {
				return err
			}
			if approve || decline {
				return a.settlement(s.desk.Redeem(ctx, key, args[0], desk.Decision{Approved: approve, Reason: reason}))
			}
			link, view, err := s.desk.OpenLink(ctx, key, args[0])
			if err != nil {
				return err
			}
			if err := a.show(view, func() { a.hold(view) }); err != nil {
				return err
			}
			switch {
			case view.Digest != link.Digest || view.Decided != nil:
				a.say("The link of %s is for another quote than the one that stands, or it is decided: it has no effect any more.", link.Person)
				return errNoEffect
			case a.now().After(link.Until()):
				a.say("The link of %s ran out %s.", link.Person, a.when(link.Until()))
				return errNoEffect
			}
			a.say("This link is %s's, until %s. Answer with --approve, or --decline --reason TEXT.", link.Person, a.when(link.Until()))
			return nil
		},
	}
	c.Flags().BoolVar(&approve, "approve", false, "agree to the quote")
	c.Flags().BoolVar(&decline, "decline", false, "decline it; say why with --reason")
	c.Flags().StringVar(&reason, "reason", "", "why, one `sentence`")
	return c
}

// linkUses tells who opened the links of a hold's mails, and what came of it.
func (a *app) linkUses(uses []ticket.LinkUse) {
	if len(uses) == 0 {
		return
	}
	rows := make([][]string, 0, len(uses))
	for _, u := range uses {
		rows = append(rows, []string{a.when(u.At), "link of " + u.Person, u.Outcome, short(oneLine(u.Says), 100)})
	}
	_, _ = fmt.Fprintln(a.stdout)
	align(a.stdout, rows, make([]bool, 4))
}
