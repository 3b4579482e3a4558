package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

func newPerson(a *app) *cobra.Command {
	var client string
	c := &cobra.Command{
		Use:   "list",
		Short: "List people: ours, the clients', AI agents",
		Args:  exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			people, err := s.store.People(cmd.Context(), client)
			if err != nil {
				return err
			}
			return a.people(people)
		},
	}
	c.Flags().StringVar(&client, "client", "", "only of this `client`; - for our own")
	return noun("person", "Who acts: technicians, approvers, dispatchers, AI agents", c, newPersonAway(a), newPersonBack(a), newPersonLeft(a), newPersonQuiet(a))
}

func (a *app) people(people []ticket.Person) error {
	return list(a, people, "Nobody yet. `docket up` seeds a company with technicians, approvers and a dispatcher.",
		text("PERSON", func(p ticket.Person) string { return p.ID }),
		text("NAME", func(p ticket.Person) string { return p.Name }),
		text("KIND", func(p ticket.Person) string { return string(p.Kind) }),
		text("OF", func(p ticket.Person) string { return p.Client }),
		text("ROLES", func(p ticket.Person) string { return joined(p.Roles) }),
		text("WORK ROLE", func(p ticket.Person) string { return p.WorkRole }),
		text("BOARD", func(p ticket.Person) string { return p.Board }),
	)
}

func newPersonAway(a *app) *cobra.Command {
	var until, delegate string
	c := &cobra.Command{
		Use:   "away PERSON --until DATE",
		Short: "Note that somebody is away: his delegate signs off for him, and routing gives him nothing",
		Args:  exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := time.Parse(time.RFC3339, until)
			if err != nil {
				if at, err = time.ParseInLocation(time.DateOnly, until, a.zone); err != nil {
					return ticket.Invalid("until", until, "is not a date", "write it like 2026-12-24, or 2026-12-24T09:00:00Z")
				}
			}
			return a.absence(cmd, postgres.Absence{Person: args[0], Until: at, Delegate: delegate})
		},
	}
	c.Flags().StringVar(&until, "until", "", "the `date` (or RFC 3339 instant) on which he is back")
	c.Flags().StringVar(&delegate, "delegate", "", "`person` who acts for him; whoever did so before, by default")
	return c
}

func newPersonBack(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "back PERSON",
		Short: "Note that somebody is here again",
		Args:  exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.absence(cmd, postgres.Absence{Person: args[0]})
		},
	}
}

func newPersonLeft(a *app) *cobra.Command {
	var delegate string
	c := &cobra.Command{
		Use:   "left PERSON",
		Short: "Note that somebody has left: he acts no more, and his delegate signs off what he was asked",
		Args:  exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.absence(cmd, postgres.Absence{Person: args[0], Left: true, Delegate: delegate})
		},
	}
	c.Flags().StringVar(&delegate, "delegate", "", "`person` who signs off what he was asked")
	return c
}

func (a *app) absence(cmd *cobra.Command, absence postgres.Absence) error {
	who, err := a.person(cmd.Context())
	if err != nil {
		return err
	}
	absence.By = who.ID
	if err := a.session.store.SetAbsence(cmd.Context(), absence); err != nil {
		return err
	}
	return a.told(absence, absence.Says())
}
