package main

import (
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/desk"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

func newUsage(a *app) *cobra.Command {
	return noun("usage", "What happens outside tickets and a contract prices", newUsageRecord(a), newUsageList(a))
}

func newUsageRecord(a *app) *cobra.Command {
	var (
		e        postgres.UsageEvent
		quantity string
	)
	c := &cobra.Command{
		Use:   "record --client CLIENT --event NAME --on DATE",
		Short: "Record an event, such as device-added: the usage line that speaks of it prices it at once",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if e.Quantity, err = decimal.NewFromString(quantity); err != nil {
				return ticket.Invalid("quantity", quantity, "is not a number", "write it like 3 or 2.5")
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			e.Who, e.Via = who.ID, a.via
			if e.OperationKey == "" {
				e.OperationKey = desk.NewKey()
			}
			receipt, err := a.session.store.RecordUsage(cmd.Context(), e)
			if err != nil {
				return err
			}
			return a.show(receipt, func() { a.usage(receipt) })
		},
	}
	c.Flags().StringVar(&e.Client, "client", "", "whose it is (`client`)")
	c.Flags().StringVar(&e.Event, "event", "", "`name` by which a usage line speaks of it")
	c.Flags().StringVar(&quantity, "quantity", "1", "`number` of units; the value, where a percentage prices it")
	c.Flags().StringVar(&e.On, "on", "", "`date` on which it happened")
	c.Flags().StringVar(&e.OperationKey, "key", "", "operation `key`: the same key twice has one effect; a fresh one by default")
	return c
}

func (a *app) usage(r postgres.UsageReceipt) {
	_, _ = fmt.Fprintln(a.stdout, r.Says)
	for _, l := range r.Posted {
		if l.Line != 0 {
			_, _ = fmt.Fprintf(a.stdout, "  %s  %s  %s\n", ticket.LineID(l.Line), l.Text, money(l.Amount, l.Currency))
		}
	}
}

func newUsageList(a *app) *cobra.Command {
	var f postgres.UsageFilter
	c := &cobra.Command{
		Use:   "list",
		Short: "List what was recorded outside tickets, the latest day first",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, d := range []struct{ field, value string }{{"from", f.From}, {"to", f.To}} {
				if _, err := sla.ParseDate(d.value); d.value != "" && err != nil {
					return ticket.Invalid(d.field, d.value, "is not a date", "write it like 2026-03-31")
				}
			}
			if err := positive("limit", f.Limit); err != nil {
				return err
			}
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := known(cmd.Context(), s.store, f.Client, ""); err != nil {
				return err
			}
			events, err := s.store.UsageEvents(cmd.Context(), f)
			if err != nil {
				return err
			}
			return list(a, events, "Nothing yet. Record it: docket usage record --client CLIENT --event device-added --on DATE",
				text("DATE", func(r postgres.UsageReceipt) string { return r.On }),
				text("CLIENT", func(r postgres.UsageReceipt) string { return r.Client }),
				text("EVENT", func(r postgres.UsageReceipt) string { return r.Event }),
				number("QUANTITY", func(r postgres.UsageReceipt) string { return r.Quantity.String() }),
				text("LINES", func(r postgres.UsageReceipt) string {
					var lines []string
					for _, l := range r.Posted {
						if l.Line != 0 {
							lines = append(lines, ticket.LineID(l.Line)+" "+money(l.Amount, l.Currency))
						}
					}
					return joined(lines)
				}),
				text("BY", func(r postgres.UsageReceipt) string { return r.Who }),
				text("KEY", func(r postgres.UsageReceipt) string { return short(r.OperationKey, 40) }),
			)
		},
	}
	c.Flags().StringVar(&f.Client, "client", "", "only of this `client`")
	c.Flags().StringVar(&f.Event, "event", "", "only of this `name`")
	c.Flags().StringVar(&f.From, "from", "", "first `date`")
	c.Flags().StringVar(&f.To, "to", "", "`date` after the last one")
	c.Flags().IntVar(&f.Limit, "limit", 50, "at most this `number`")
	return c
}

func newClientCount(a *app) *cobra.Command {
	var (
		d  postgres.DeviceCounting
		on string
	)
	c := &cobra.Command{
		Use:   "count NUMBER --client CLIENT --kind KIND --on DATE",
		Short: "Note how many devices or seats of a kind a client has from a date on",
		Long: `Notes how many devices or seats of a kind a client has from a date on: what contracts bill per device and per seat.

Where a contract prices the event KIND-added or device-added, a higher count than that of the last earlier day bills the
added ones at once. The same count again adds nothing.`,
		Args: exactly("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if d.Devices, err = strconv.Atoi(args[0]); err != nil {
				return ticket.Invalid("devices", args[0], "is not a whole number", "write it like 42")
			}
			if d.On, err = sla.ParseDate(on); err != nil {
				return ticket.Invalid("on", on, "is not a date", "write it like 2026-03-31")
			}
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			d.Who, d.Via = who.ID, a.via
			counted, err := a.session.store.RecordCount(cmd.Context(), d)
			if err != nil {
				return err
			}
			return a.show(counted, func() {
				_, _ = fmt.Fprintf(a.stdout, "%s has %d × %s from %s on; it had %d before\n", d.Client, d.Devices, d.Kind, d.On, counted.Before)
				if counted.Added != nil {
					a.usage(*counted.Added)
				}
			})
		},
	}
	c.Flags().StringVar(&d.Client, "client", "", "whose they are (`client`)")
	c.Flags().StringVar(&d.Kind, "kind", "", "`kind` that a contract counts, such as workstation, server or seat")
	c.Flags().StringVar(&on, "on", "", "`date` from which it is true")
	return c
}
