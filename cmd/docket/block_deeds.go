package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newBlockPaid(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "paid BLOCK",
		Short: "Say that a block which was sold elsewhere is paid",
		Long:  "Say that a block which was sold elsewhere is paid. One that an invoice of Docket's sold is paid with that invoice:\ndocket invoice pay. What waited for it bills by itself then, while a relay runs.",
		Args:  exactly("BLOCK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, by, err := a.blockAnd(cmd, args[0])
			if err != nil {
				return err
			}
			block, err := a.session.store.PayBlock(cmd.Context(), id, by)
			if err != nil {
				return err
			}
			return a.show(block, func() {
				_, _ = fmt.Fprintf(a.stdout, "Block %d of %s is paid; what waited for it bills now, while a relay runs (docket exception list shows it)\n", block.ID, block.Contract)
			})
		},
	}
}

func newBlockCancel(a *app) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "cancel BLOCK --reason TEXT",
		Short: "Take back a block of which nothing is used",
		Args:  exactly("BLOCK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, by, err := a.blockAnd(cmd, args[0])
			if err != nil {
				return err
			}
			block, err := a.session.store.CancelBlock(cmd.Context(), id, by, reason)
			if err != nil {
				return err
			}
			return a.show(block, func() {
				_, _ = fmt.Fprintf(a.stdout, "Block %d of %s is cancelled: %s are taken back\n", block.ID, block.Contract, lasting(block.GrantedMS))
			})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, one `sentence`")
	return c
}

func newBlockExpire(a *app) *cobra.Command {
	var contract string
	c := &cobra.Command{
		Use:   "expire",
		Short: "Put on record the end of blocks that have expired: what rolls over, and what is forfeited",
		Long: "Put on record the end of blocks that have expired: what rolls over, and what is forfeited. The run of each billing period\n" +
			"does the same, and the first closing of a period does it for that period's allowance. Each block ends once.",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := a.person(cmd.Context()); err != nil {
				return err
			}
			ended, err := a.session.store.EndBlocks(cmd.Context(), contract, a.now().UTC())
			if err != nil {
				return err
			}
			return list(a, ended, "No block has expired that was not on record.",
				number("BLOCK", func(b postgres.Block) string { return strconv.FormatInt(b.ID, 10) }),
				text("CONTRACT", func(b postgres.Block) string { return b.Contract }),
				text("KIND", blockKind),
				number("FORFEITED", func(b postgres.Block) string { return lasting(b.ForfeitedMS) }),
				number("ROLLED OVER", func(b postgres.Block) string { return lasting(b.RolledMS) }),
			)
		},
	}
	c.Flags().StringVar(&contract, "contract", "", "only of this `contract`")
	return c
}

// blockAnd reads a block's number and who acts on it.
func (a *app) blockAnd(cmd *cobra.Command, number string) (id int64, by string, err error) {
	id, err = strconv.ParseInt(number, 10, 64)
	if err != nil || id < 1 {
		return 0, "", ticket.Invalid("block", number, "is not the number of a block", "docket block list shows them")
	}
	person, err := a.person(cmd.Context())
	return id, person.ID, err
}

// blockKind tells a bought block from an allowance, and from what rolled over into one.
func blockKind(b postgres.Block) string {
	switch {
	case b.Clause == "":
		return "bought"
	case b.RolledFrom != 0:
		return "rolled into " + b.Period + " (" + b.Clause + ")"
	}
	return "of " + b.Period + " (" + b.Clause + ")"
}

func blockLeft(b postgres.Block) string {
	if b.RemainingMS == 0 {
		return "nothing"
	}
	return lasting(b.RemainingMS)
}

// blockPrice is what was paid for it; what a period grants, its fee pays for.
func blockPrice(b postgres.Block) string {
	if b.Clause != "" {
		return ""
	}
	return money(b.Price, b.Currency)
}

// blockState tells what somebody should know of a block.
func blockState(b postgres.Block) string {
	var is []string
	for _, s := range []struct {
		so   bool
		says string
	}{
		{b.Low && b.RemainingMS > 0, "low"},
		{b.Low && b.RemainingMS == 0, "used up"},
		{b.Unpaid, "unpaid"},
		{b.CancelledAt != nil, "cancelled"},
		{b.ForfeitedMS > 0, lasting(b.ForfeitedMS) + " forfeited"},
		{b.RolledMS > 0, lasting(b.RolledMS) + " rolled over"},
	} {
		if s.so {
			is = append(is, s.says)
		}
	}
	return strings.Join(is, ", ")
}

func unpaid(b postgres.Block) string {
	if b.Unpaid {
		return ", not paid yet"
	}
	return ""
}
