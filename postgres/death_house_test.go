package postgres_test

import (
	"context"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// deadlyHouse are what the house knows: its people and clients, what they have, and by which documents it reckons.
var deadlyHouse = []deadly{
	{"a person", one(), func(*till) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error { return s.PutPerson(ctx, rita) }
	}},
	{"a person who is new", one(), func(*till) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error { return s.AddPerson(ctx, rita, "olga") }
	}},
	{"a mail address", one(), func(*till) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error {
			return s.SetEmail(ctx, "ann", "ann@acme.example", "ann")
		}
	}},
	{"somebody has left", one(), func(*till) func(context.Context, *postgres.Store) error {
		a := postgres.Absence{Person: "ann", Left: true, Delegate: "ben", By: "dora"}
		return func(ctx context.Context, s *postgres.Store) error { return s.SetAbsence(ctx, a) }
	}},
	{"quiet hours", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.askedByMail()
		require.NoError(k.t, k.SetQuiet(k.t.Context(), night))
		q := night
		q.Ends += 60
		return func(ctx context.Context, s *postgres.Store) error { return s.SetQuiet(ctx, q) }
	}},
	{"the end of quiet hours", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.askedByMail()
		require.NoError(k.t, k.SetQuiet(k.t.Context(), night))
		return func(ctx context.Context, s *postgres.Store) error { return s.EndQuiet(ctx, "ann", "ann") }
	}},
	{"the end of an endpoint", one(), func(k *till) func(context.Context, *postgres.Store) error {
		require.NoError(k.t, k.PutEndpoint(k.t.Context(), endpoint))
		return func(ctx context.Context, s *postgres.Store) error { return s.RemoveEndpoint(ctx, endpoint.ID, "olga") }
	}},
	{"notices go again", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		died := ended(ticket.NoticeEnd{State: ticket.NoticeDead, Tried: true, Why: "no such mailbox"})(k)
		require.NoError(k.t, died(k.t.Context(), k.Store))
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.RetryNotices(ctx, 0); return err }
	}},
	{"a project opens again", one(hourly), func(k *till) func(context.Context, *postgres.Store) error {
		k.addProject("cedar-hill", "5000.00", "")
		_, err := k.CloseProject(k.t.Context(), k.projectDeed("cedar-hill"))
		require.NoError(k.t, err)
		d := k.projectDeed("cedar-hill")
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.OpenProject(ctx, d); return err }
	}},
	{"a client", one(), func(*till) func(context.Context, *postgres.Store) error {
		c := ticket.Client{ID: "cedar", Name: "Cedar", TimeZone: "America/Chicago", Currency: "USD", Payer: "acme"}
		return func(ctx context.Context, s *postgres.Store) error { return s.PutClient(ctx, c) }
	}},
	{"a client, by a person", one(), func(*till) func(context.Context, *postgres.Store) error {
		c := ticket.Client{ID: "cedar", Name: "Cedar", TimeZone: "America/Chicago", Currency: "USD", Payer: "acme"}
		return func(ctx context.Context, s *postgres.Store) error { return s.AddClient(ctx, c, "olga") }
	}},
	{"a site", one(), func(*till) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error {
			return s.PutSite(ctx, "acme", "harbour", "Harbour office")
		}
	}},
	{"who the company is", one(), func(*till) func(context.Context, *postgres.Store) error {
		p := billing.Party{Name: "Docket Managed IT", City: "Boston", Country: "US"}
		return func(ctx context.Context, s *postgres.Store) error { return s.SetCompany(ctx, p, "olga") }
	}},
	{"where a client's invoices go", one(), func(*till) func(context.Context, *postgres.Store) error {
		p := billing.Party{Street: "1 Main St", City: "Springfield", Country: "US", Email: "ap@acme.example"}
		return func(ctx context.Context, s *postgres.Store) error { return s.SetClientParty(ctx, "acme", p, "olga") }
	}},
	{"a count of devices", one(), func(k *till) func(context.Context, *postgres.Store) error {
		on := day(k.t, "2026-03-10")
		return func(ctx context.Context, s *postgres.Store) error {
			return s.CountDevices(ctx, "acme", "workstation", on, 7)
		}
	}},
	// The count, then the usage that it comes to.
	{"a count that bills what was added", one(metered), func(k *till) func(context.Context, *postgres.Store) error {
		k.devices("workstation", "2026-02-01", 10)
		c := postgres.DeviceCounting{Client: "acme", Kind: "workstation", On: day(k.t, "2026-03-10"), Devices: 13, Who: "tom", Via: "cli"}
		return func(ctx context.Context, s *postgres.Store) error { _, err := s.RecordCount(ctx, c); return err }
	}},
	{"a contract", one(), func(*till) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.ApplyContract(ctx, []byte(hourly), "olga", false)
			return err
		}
	}},
	{"another revision of a contract", one(hourly), func(*till) func(context.Context, *postgres.Store) error {
		dearer := strings.NewReplacer(`"150.00"`, `"160.00"`, `"2026-01-01"`, `"2026-04-01"`).Replace(hourly)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.ApplyContract(ctx, []byte(dearer), "olga", false)
			return err
		}
	}},
	{"costs", one(), func(*till) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.ApplyCosts(ctx, []byte(costs), "olga")
			return err
		}
	}},
	{"a tax profile", one(), func(*till) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.ApplyTax(ctx, []byte(newYork), "olga")
			return err
		}
	}},
	{"the tax of a client", one(), func(k *till) func(context.Context, *postgres.Store) error {
		k.tax(newYork)
		return func(ctx context.Context, s *postgres.Store) error { return s.TaxClient(ctx, "acme", "NY", "olga") }
	}},
	{"a calendar", one(), func(*till) func(context.Context, *postgres.Store) error {
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.ApplyCalendar(ctx, []byte(berlin), "olga")
			return err
		}
	}},
	{"other hours of a calendar", one(), func(k *till) func(context.Context, *postgres.Store) error {
		_, err := k.ApplyCalendar(k.t.Context(), []byte(berlin), "olga")
		require.NoError(k.t, err)
		longer := strings.Replace(berlin, "18:00", "19:00", 1)
		return func(ctx context.Context, s *postgres.Store) error {
			_, err := s.ApplyCalendar(ctx, []byte(longer), "olga")
			return err
		}
	}},
	{"a calendar of the house's own making", one(), func(*till) func(context.Context, *postgres.Store) error {
		hours := []sla.Window{{From: 8 * 60, To: 17 * 60}}
		c := sla.Calendar{Zone: "Europe/Berlin", Hours: sla.Week{Monday: hours, Friday: hours}}
		return func(ctx context.Context, s *postgres.Store) error { return s.PutCalendar(ctx, "office", c) }
	}},
}

var (
	rita = postgres.Staffing{
		Person:   ticket.Person{ID: "rita", Name: "Rita", Kind: ticket.Human, Roles: []string{"technician"}, WorkRole: "engineer"},
		Capacity: 5, HourlyCost: decimal.NewFromInt(60), Delegate: "tom",
	}
	night = ticket.Quiet{Person: "ann", Zone: "America/New_York", Begins: 18 * 60, Ends: 9 * 60, By: "ann"}
)

const berlin = `schema: docket.calendar/v1
calendar: office
name: Berlin office
zone: Europe/Berlin
hours: {weekdays: ["08:00-18:00"]}
holidays:
  - {every: 12-25, name: Weihnachten}
`
