package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// contractRefers checks what the document names: its client, payer, calendar, tax profile and people,
// and that its bands can be cut by. A count's kind is not looked up: counting may begin later.
func (s *Store) contractRefers(ctx context.Context, c *billing.Contract, terms *billing.Terms) error {
	errs := []error{wellFormed("contract", c.ID), s.clientExists(ctx, c.Client)}
	if c.Payer != "" && c.Payer != c.Client {
		errs = append(errs, s.mustExist(ctx, "payer", "clients", c.Payer, "store the payer first; `docket client list` shows the clients"))
	}
	if c.Tax != "" {
		errs = append(errs, s.mustExist(ctx, "tax", "tax_profiles", c.Tax, "apply the profile first: docket tax apply FILE; `docket tax list` shows them"))
	}
	errs = append(errs, s.calendarsExist(ctx, c.SLA))
	bands, err := bandsOf(c.ID, terms)
	if err != nil {
		errs = append(errs, ticket.Invalid("bands", "", err.Error(), "correct the band"))
	}
	for i, b := range bands {
		if err := b.Validate(); err != nil {
			errs = append(errs, ticket.Invalid(fmt.Sprintf("bands[%d]", i), b.Name, err.Error(), "correct the band"))
		}
	}
	if c.Approval != nil {
		errs = append(errs, s.areOf(ctx, c.Client, "approval.approvers", c.Approval.Approvers))
	}
	if c.Callers != nil {
		errs = append(errs, s.areOf(ctx, c.Client, "callers.people", c.Callers.People))
	}
	if c.Listed != nil {
		errs = append(errs, s.areOf(ctx, c.Client, "listed.users", c.Listed.Users))
	}
	return errors.Join(errs...)
}

// calendarsExist checks the calendars of an SLA: its own, and those of its priorities.
func (s *Store) calendarsExist(ctx context.Context, of *billing.SLA) error {
	if of == nil {
		return nil
	}
	var errs []error
	exists := func(field, id string) {
		if id != "" && id != alwaysOpen {
			errs = append(errs, s.mustExist(ctx, field, "calendars", id, "store the calendar first: docket calendar apply FILE; or write 24x7"))
		}
	}
	exists("sla.calendar", of.Calendar)
	for priority := 1; priority <= 5; priority++ {
		exists(fmt.Sprintf("sla.targets.%d.calendar", priority), of.Targets[priority].Calendar)
	}
	return errors.Join(errs...)
}

// areOf checks that the ids are people of the client.
func (s *Store) areOf(ctx context.Context, client, list string, ids []string) error {
	var errs []error
	for i, id := range ids {
		field := fmt.Sprintf("%s[%d]", list, i)
		p, err := s.Person(ctx, id)
		switch {
		case len(ticket.Problems(err)) > 0:
			errs = append(errs, ticket.Invalid(field, id, "is not known", "store the person first; `docket client show "+client+"` shows its people"))
		case err != nil:
			errs = append(errs, err)
		case p.Client != client:
			errs = append(errs, ticket.Invalid(field, id, "is not one of "+client+"'s people", "name somebody of the client"))
		}
	}
	return errors.Join(errs...)
}
