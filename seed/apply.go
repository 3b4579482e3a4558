package seed

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/triage"
)

// Store is where the demo's MSP goes.
type Store interface {
	Calendars(ctx context.Context) ([]string, error)
	Clients(ctx context.Context) ([]ticket.Client, error)
	People(ctx context.Context, client string) ([]ticket.Person, error)
	Contracts(ctx context.Context, client string) ([]postgres.ContractVersion, error)

	PutCalendar(ctx context.Context, id string, c sla.Calendar) error
	PutClient(ctx context.Context, c ticket.Client) error
	PutSite(ctx context.Context, client, id, name string) error
	CountDevices(ctx context.Context, client, kind string, on sla.LocalDate, devices int) error
	PutPerson(ctx context.Context, p postgres.Staffing) error
	ApplyContract(ctx context.Context, doc []byte, by string, backdated bool) (postgres.Applied, error)
	TaxProfiles(ctx context.Context) ([]postgres.TaxVersion, error)
	CostVersions(ctx context.Context) ([]postgres.CostVersion, error)
	ApplyTax(ctx context.Context, doc []byte, by string) (postgres.TaxVersion, error)
	TaxClient(ctx context.Context, client, profile, by string) error
	ApplyCosts(ctx context.Context, doc []byte, by string) (postgres.CostVersion, error)
	Company(ctx context.Context) (billing.Party, error)
	SetCompany(ctx context.Context, p billing.Party, by string) error
	ClientParty(ctx context.Context, client string) (billing.Party, error)
	SetClientParty(ctx context.Context, client string, p billing.Party, by string) error
	GrantBlock(ctx context.Context, g postgres.BlockGrant) (postgres.Block, error)
}

// By is who applied the demo's contracts, taxes and costs.
const By = "nadia.osei"

// countedOn is the date of the demo's device counts.
var countedOn = sla.LocalDate{Year: 2015, Month: 1, Day: 1}

// Stored counts what Apply had to store.
type Stored struct {
	Clients   int `json:"clients"`
	People    int `json:"people"`
	Contracts int `json:"contracts"` // revisions
}

// Apply stores what is missing of the demo's MSP. What is there already stays as it is, changed
// by hand or not; so a second start changes nothing, and one that was broken off is completed.
func Apply(ctx context.Context, s Store) (Stored, error) {
	var m msp
	if err := read("msp.yaml", &m); err != nil {
		return Stored{}, err
	}
	a := applier{store: s, msp: &m}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"calendars", a.calendars},
		{"clients", a.clients},
		{"people", a.people},
		{"addresses", a.addresses},
		{"costs", a.costs},
		{"taxes", a.taxes},
		{"contracts", a.contracts},
		{"blocks of hours", a.blocks},
	} {
		if err := step.do(ctx); err != nil {
			return a.stored, fmt.Errorf("seed %s: %w", step.what, err)
		}
	}
	return a.stored, nil
}

type applier struct {
	store  Store
	msp    *msp
	stored Stored
}

func (a *applier) calendars(ctx context.Context) error {
	have, err := a.store.Calendars(ctx)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(a.msp.Calendars)) {
		if slices.Contains(have, id) {
			continue
		}
		if err := a.store.PutCalendar(ctx, id, a.msp.Calendars[id]); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) clients(ctx context.Context) error {
	have, err := a.store.Clients(ctx)
	if err != nil {
		return err
	}
	for _, c := range a.msp.Clients {
		i := slices.IndexFunc(have, func(h ticket.Client) bool { return h.ID == c.ID })
		found := ticket.Client{ID: c.ID, Name: c.Name, TimeZone: c.TimeZone, Currency: c.Currency, Payer: c.Payer}
		if i >= 0 {
			found = have[i]
		} else {
			if err := a.store.PutClient(ctx, found); err != nil {
				return err
			}
			a.stored.Clients++
		}
		for _, id := range slices.Sorted(maps.Keys(c.Sites)) {
			if slices.Contains(found.Sites, id) {
				continue
			}
			if err := a.store.PutSite(ctx, c.ID, id, c.Sites[id]); err != nil {
				return err
			}
		}
		for _, kind := range slices.Sorted(maps.Keys(c.Devices)) {
			if _, counted := found.Devices[kind]; counted {
				continue
			}
			if err := a.store.CountDevices(ctx, c.ID, kind, countedOn, c.Devices[kind]); err != nil {
				return err
			}
		}
	}
	return nil
}

// addresses say who sells and who pays, on invoices.
func (a *applier) addresses(ctx context.Context) error {
	have, err := a.store.Company(ctx)
	if err != nil {
		return err
	}
	if have.Name == "" {
		if err := a.store.SetCompany(ctx, a.msp.Company, By); err != nil {
			return err
		}
	}
	for _, c := range a.msp.Clients {
		have, err := a.store.ClientParty(ctx, c.ID)
		if err != nil {
			return err
		}
		if have.Country != "" || c.Party.Country == "" {
			continue
		}
		if err := a.store.SetClientParty(ctx, c.ID, c.Party, By); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) people(ctx context.Context) error {
	have, err := a.store.People(ctx, "")
	if err != nil {
		return err
	}
	put := func(client string, people []person) error {
		for _, p := range people {
			if slices.ContainsFunc(have, func(h ticket.Person) bool { return h.ID == p.ID }) {
				continue
			}
			if err := a.store.PutPerson(ctx, p.staffing(client)); err != nil {
				return err
			}
			a.stored.People++
		}
		return nil
	}
	if err := put("", a.msp.People); err != nil {
		return err
	}
	for _, c := range a.msp.Clients {
		if err := put(c.ID, c.People); err != nil {
			return err
		}
	}
	return nil
}

func (p person) staffing(client string) postgres.Staffing {
	s := postgres.Staffing{
		Person: ticket.Person{
			ID: p.ID, Name: p.Name, Kind: cmp.Or(p.Kind, ticket.Human), Client: client, Roles: p.Roles, WorkRole: p.WorkRole,
			Email: p.Email, Board: p.Board, Skills: p.Skills,
		},
		Capacity: p.Capacity, HourlyCost: p.HourlyCost, TokenCost: p.TokenCost, CostCurrency: "USD", Delegate: p.Delegate,
	}
	if p.Policy != nil {
		s.Policy = &triage.Policy{MaxPriority: p.Policy.MaxPriority, MinConfidence: p.Policy.MinConfidence}
		for _, c := range p.Policy.Categories {
			s.Policy.Categories = append(s.Policy.Categories, triage.Category(c))
		}
	}
	return s
}

func (a *applier) costs(ctx context.Context) error {
	have, err := a.store.CostVersions(ctx)
	if err != nil || len(have) > 0 {
		return err
	}
	text, err := files.ReadFile("costs.yaml")
	if err != nil {
		return fmt.Errorf("read costs.yaml: %w", err)
	}
	_, err = a.store.ApplyCosts(ctx, text, By)
	return err
}

// taxes stores the profiles that are missing, and says by which one a client is taxed. Contracts
// are stored after it: whoever has one has been through it, and may have been told otherwise since.
func (a *applier) taxes(ctx context.Context) error {
	have, err := a.store.TaxProfiles(ctx)
	if err != nil {
		return err
	}
	names, err := fs.Glob(files, "taxes/*.yaml")
	if err != nil {
		return fmt.Errorf("list tax profiles: %w", err)
	}
	for _, name := range names {
		id := strings.TrimSuffix(strings.TrimPrefix(name, "taxes/"), ".yaml")
		if slices.ContainsFunc(have, func(v postgres.TaxVersion) bool { return v.Profile == id }) {
			continue
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if _, err := a.store.ApplyTax(ctx, text, By); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	for _, c := range a.msp.Clients {
		if c.Tax == "" {
			continue
		}
		contracts, err := a.store.Contracts(ctx, c.ID)
		if err != nil {
			return err
		}
		if len(contracts) > 0 {
			continue
		}
		if err := a.store.TaxClient(ctx, c.ID, c.Tax, By); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) contracts(ctx context.Context) error {
	have, err := a.store.Contracts(ctx, "")
	if err != nil {
		return err
	}
	all, err := documents()
	if err != nil {
		return err
	}
	for _, d := range all {
		// Somebody may have applied revisions of his own since: they stay on top.
		if slices.ContainsFunc(have, func(v postgres.ContractVersion) bool { return v.Contract == d.contract && v.Revision >= d.revision }) {
			continue
		}
		if _, err := a.store.ApplyContract(ctx, d.text, By, false); err != nil {
			return fmt.Errorf("%s revision %d: %w", d.contract, d.revision, err)
		}
		a.stored.Contracts++
	}
	return nil
}

func (a *applier) blocks(ctx context.Context) error {
	for _, b := range a.msp.Blocks {
		if _, err := a.store.GrantBlock(ctx, postgres.BlockGrant{
			OperationKey: b.Key, Contract: b.Contract, Hours: b.Hours, Priority: b.Priority, GrantedAt: b.GrantedAt, ExpiresAt: b.ExpiresAt,
			Price: b.Price, Currency: b.Currency, Billed: true, // long before these books begin
		}); err != nil {
			return fmt.Errorf("%s: %w", b.Key, err)
		}
	}
	return nil
}
