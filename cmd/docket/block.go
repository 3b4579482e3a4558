package main

import (
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newBlock(a *app) *cobra.Command {
	return noun("block", "Blocks of hours that clients bought, and the allowances that contracts grant",
		newBlockAdd(a), newBlockList(a), newBlockPaid(a), newBlockCancel(a), newBlockExpire(a))
}

func newBlockAdd(a *app) *cobra.Command {
	var (
		g            postgres.BlockGrant
		hours, price string
		from, until  instant
	)
	c := &cobra.Command{
		Use:   "add CONTRACT --hours N --price N --currency CODE",
		Short: "Grant a contract a block of hours",
		Args:  exactly("CONTRACT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			g.Contract = args[0]
			if g.Hours, err = decimal.NewFromString(hours); err != nil {
				return ticket.Invalid("hours", hours, "is not a number", "write it like 20 or 7.5")
			}
			if g.Price, err = decimal.NewFromString(price); err != nil {
				return ticket.Invalid("price", price, "is not a number", "write it like 2500.00")
			}
			if g.OperationKey == "" {
				g.OperationKey = desk.NewKey()
			}
			g.GrantedAt, g.ExpiresAt = from.Time, until.Time
			if g.GrantedAt.IsZero() {
				g.GrantedAt = a.now().UTC()
			}
			person, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			g.By = person.ID
			block, err := a.session.store.GrantBlock(cmd.Context(), g)
			if err != nil {
				return err
			}
			return a.show(block, func() {
				_, _ = fmt.Fprintf(a.stdout, "%s has block %d of %s%s (key %s)\n", block.Contract, block.ID, lasting(block.GrantedMS), unpaid(block), g.OperationKey)
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&hours, "hours", "", "how many `hours`")
	flags.StringVar(&price, "price", "0", "what the client pays, a `decimal`: a line on the open invoice")
	flags.StringVar(&g.Currency, "currency", "", "ISO 4217 `code`")
	flags.IntVar(&g.Priority, "priority", 0, "lower draws first (`n`)")
	flags.Var(&from, "from", "`instant` from which it can be drawn, RFC 3339; now by default")
	flags.Var(&until, "until", "`instant` at which it expires, RFC 3339; never by default")
	flags.BoolVar(&g.Billed, "billed", false, "its price is on an invoice elsewhere: no line posts")
	flags.BoolVar(&g.Unpaid, "unpaid", false, "with --billed: the invoice elsewhere is not paid yet; docket block paid tells when it is")
	flags.StringVar(&g.OperationKey, "key", "", "operation `key`: the same key twice is one block")
	return c
}

func newBlockList(a *app) *cobra.Command {
	var contract string
	c := &cobra.Command{
		Use:   "list",
		Short: "List blocks of hours and allowances, with what is left",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := known(cmd.Context(), s.store, "", contract); err != nil {
				return err
			}
			blocks, err := s.store.Blocks(cmd.Context(), contract)
			if err != nil {
				return err
			}
			return list(a, blocks, "No blocks of hours. Grant one: docket block add CONTRACT --hours 20 --price 2500 --currency USD --as PERSON",
				number("BLOCK", func(b postgres.Block) string { return strconv.FormatInt(b.ID, 10) }),
				text("CONTRACT", func(b postgres.Block) string { return b.Contract }),
				text("CLIENT", func(b postgres.Block) string { return b.Client }),
				text("KIND", blockKind),
				number("GRANTED", func(b postgres.Block) string { return lasting(b.GrantedMS) }),
				number("LEFT", blockLeft),
				text("STATE", blockState),
				text("FROM", func(b postgres.Block) string { return a.when(b.GrantedAt) }),
				text("EXPIRES", func(b postgres.Block) string { return a.whenever(b.ExpiresAt) }),
				number("PRICE", blockPrice),
			)
		},
	}
	c.Flags().StringVar(&contract, "contract", "", "only of this `contract`")
	return c
}
