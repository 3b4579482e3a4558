package postgres_test

import (
	"context"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// What is billed from now on goes by these, so a client's person, who may be the one that pays, has none of it.
func TestWhoMaySayWhatIsAgreed(t *testing.T) {
	const office = "schema: docket.calendar/v1\ncalendar: office\nname: Office\nzone: America/New_York\nhours:\n  weekdays: [\"09:00-17:00\"]\n"
	k := newTill(t, blocks)
	on := day(t, "2026-03-10")
	require.NoError(t, k.PutPerson(t.Context(), postgres.Staffing{Person: ticket.Person{ID: "fay", Name: "Fay", Kind: ticket.Human, Roles: []string{"finance"}}}))
	require.NoError(t, k.PutPerson(t.Context(), postgres.Staffing{Person: ticket.Person{ID: "old", Name: "Old", Kind: ticket.Human, Roles: []string{"owner"}}}))
	require.NoError(t, k.SetAbsence(t.Context(), postgres.Absence{Person: "old", Left: true, By: "olga"}))
	deeds := map[string]struct {
		may  []string
		does func(ctx context.Context, who string) error
	}{
		"a contract": {[]string{"dora", "olga", "fay"}, func(ctx context.Context, who string) error {
			_, err := k.ApplyContract(ctx, []byte(blocks), who, false)
			return err
		}},
		"a client": {[]string{"dora", "olga", "fay"}, func(ctx context.Context, who string) error {
			return k.AddClient(ctx, ticket.Client{ID: "zenith", Name: "Zenith", TimeZone: "UTC", Currency: "USD", Payer: "acme"}, who)
		}},
		"a calendar": {[]string{"dora", "olga", "fay"}, func(ctx context.Context, who string) error {
			_, err := k.ApplyCalendar(ctx, []byte(office), who)
			return err
		}},
		"a count": {[]string{"tom", "bot", "dora", "olga", "fay"}, func(ctx context.Context, who string) error {
			_, err := k.RecordCount(ctx, postgres.DeviceCounting{Client: "acme", Kind: "seat", On: on, Devices: 5, Who: who, Via: "cli"})
			return err
		}},
		"a block": {[]string{"olga", "fay"}, func(ctx context.Context, who string) error {
			_, err := k.GrantBlock(ctx, postgres.BlockGrant{
				OperationKey: k.key(), Contract: "acme-block", Hours: decimal.NewFromInt(1), GrantedAt: k.now(), Currency: "USD", By: who,
			})
			return err
		}},
	}
	for name, d := range deeds {
		for _, who := range []string{"tom", "bot", "dora", "olga", "fay", "ben", "ann", "zoe", "old", "docket", "operator", "nobody", "olga' or true --"} {
			err := d.does(t.Context(), who)
			may := false
			for _, m := range d.may {
				may = may || m == who
			}
			if may {
				require.NoError(t, err, "%s by %s", name, who)
				continue
			}
			require.NotEmpty(t, ticket.Problems(err), "%s by %s: %v", name, who, err)
		}
	}
}
