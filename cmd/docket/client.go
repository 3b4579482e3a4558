package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/ticket"
)

func newClient(a *app) *cobra.Command {
	return noun("client", "The clients of the MSP", newClientList(a), newClientShow(a), newClientAdd(a), newClientCount(a), newClientTax(a), newClientAddress(a))
}

func newClientList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the clients",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			clients, err := s.store.Clients(cmd.Context())
			if err != nil {
				return err
			}
			return list(a, clients, "No clients yet. Add one: docket client add acme --name 'Acme Ltd' --time-zone Europe/Berlin --currency EUR --as PERSON",
				text("CLIENT", func(c ticket.Client) string { return c.ID }),
				text("NAME", func(c ticket.Client) string { return c.Name }),
				text("TIME ZONE", func(c ticket.Client) string { return c.TimeZone }),
				text("CURRENCY", func(c ticket.Client) string { return c.Currency }),
				text("PAYER", func(c ticket.Client) string { return c.Payer }),
				text("SITES", func(c ticket.Client) string { return joined(c.Sites) }),
				text("DEVICES", devices),
			)
		},
	}
}

func devices(c ticket.Client) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(c.Devices)) {
		parts = append(parts, count(c.Devices[kind], kind))
	}
	return strings.Join(parts, ", ")
}

func newClientShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show CLIENT",
		Short: "Show a client with its people and contracts",
		Args:  exactly("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			client, err := s.store.Client(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			people, err := s.store.People(cmd.Context(), client.ID)
			if err != nil {
				return err
			}
			contracts, err := s.store.Contracts(cmd.Context(), client.ID)
			if err != nil {
				return err
			}
			whole := struct {
				ticket.Client
				People    []ticket.Person `json:"people"`
				Contracts []string        `json:"contracts"`
			}{Client: client, People: people}
			for _, c := range contracts {
				whole.Contracts = append(whole.Contracts, c.Contract)
			}
			return a.show(whole, func() {
				_, _ = fmt.Fprintf(a.stdout, "%s  %s\n\n", client.ID, client.Name)
				fields(a.stdout, "time zone", client.TimeZone, "currency", client.Currency, "payer", client.Payer, "sites", joined(client.Sites),
					"devices", devices(client), "tax profile", client.Tax, "contracts", joined(whole.Contracts))
				_, _ = fmt.Fprintln(a.stdout)
				_ = a.people(people)
			})
		},
	}
}

func newClientAdd(a *app) *cobra.Command {
	var c ticket.Client
	cmd := &cobra.Command{
		Use:     "add CLIENT --name NAME --time-zone ZONE --currency CODE",
		Short:   "Add a client, or bring what is stored up to date",
		Example: "  docket client add acme --name 'Acme Ltd' --time-zone Europe/Berlin --currency EUR --as nadia.osei",
		Args:    exactly("CLIENT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.ID = args[0]
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.session.store.AddClient(cmd.Context(), c, who.ID); err != nil {
				return err
			}
			return a.show(c, func() {
				_, _ = fmt.Fprintf(a.stdout, "%s stored; next, its contract: docket contract apply FILE\n", c.ID)
			})
		},
	}
	cmd.Flags().StringVar(&c.Name, "name", "", "its `name`")
	cmd.Flags().StringVar(&c.TimeZone, "time-zone", "", "IANA `name`, such as Europe/Berlin")
	cmd.Flags().StringVar(&c.Currency, "currency", "", "ISO 4217 `code` of its invoices")
	cmd.Flags().StringVar(&c.Payer, "payer", "", "`client` that gets the invoice; itself by default")
	return cmd
}

func joined(list []string) string { return strings.Join(list, ", ") }
