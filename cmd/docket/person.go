package main

import (
	"time"

	"github.com/shopspring/decimal"
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
	return noun("person", "Who acts: technicians, approvers, dispatchers, AI agents", c, newPersonAdd(a), newPersonEmail(a), newPersonAway(a), newPersonBack(a), newPersonLeft(a), newPersonQuiet(a))
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

func newPersonAdd(a *app) *cobra.Command {
	var p postgres.Staffing
	var kind, hourly string
	c := &cobra.Command{
		Use:   "add PERSON --name NAME --roles ROLE,…",
		Short: "Add somebody who acts: one of ours, or of a client",
		Args:  exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			p.ID, p.Kind = args[0], ticket.Kind(kind)
			if p.HourlyCost, err = decimal.NewFromString(hourly); err != nil {
				return ticket.Invalid("hourly-cost", hourly, "is not a number", "write it like 42.50")
			}
			if err := s.store.AddPerson(cmd.Context(), p, a.as); err != nil {
				return err
			}
			return a.told(p.Person, p.Name+" ("+p.ID+") is added")
		},
	}
	f := c.Flags()
	f.StringVar(&p.Name, "name", "", "their `name`")
	f.StringVar(&kind, "kind", string(ticket.Human), "human or ai")
	f.StringVar(&p.Client, "client", "", "the `client` they are of; one of ours by default")
	f.StringSliceVar(&p.Roles, "roles", nil, "`roles`: technician, dispatcher, owner, finance, agent; of a client approver, contact")
	f.StringVar(&p.WorkRole, "work-role", "", "`role` of the rate card, such as engineer")
	f.StringVar(&p.Email, "email", "", "`address` for notices")
	f.StringVar(&p.Board, "board", "", "`board` whose tickets they take")
	f.StringSliceVar(&p.Skills, "skills", nil, "categories they know, as `words`")
	f.IntVar(&p.Capacity, "capacity", 0, "open tickets at a `time`; 0 takes none by routing")
	f.StringVar(&hourly, "hourly-cost", "0", "what an hour costs us, an `amount`")
	f.StringVar(&p.CostCurrency, "cost-currency", "USD", "ISO 4217 `code` of it")
	f.StringVar(&p.Delegate, "delegate", "", "`person` who signs off in their place")
	return c
}

func newPersonEmail(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "email PERSON ADDRESS",
		Short: "Say where notices for somebody go",
		Args:  exactly("PERSON", "ADDRESS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := a.person(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.session.store.SetEmail(cmd.Context(), args[0], args[1], who.ID); err != nil {
				return err
			}
			return a.told(map[string]string{"person": args[0], "email": args[1]}, "Notices for "+args[0]+" go to "+args[1])
		},
	}
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
	if absence.Left {
		defer a.tellWhoseMonths(cmd.Context(), absence.Person)
	}
	return a.told(absence, absence.Says())
}
