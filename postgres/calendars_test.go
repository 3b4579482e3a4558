package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/sla"
)

const office247 = `schema: docket.calendar/v1
calendar: office
name: Berlin office
zone: Europe/Berlin
hours: {weekdays: ["08:00-18:00"]}
holidays:
  - {every: 12-25, name: Weihnachten}
`

func TestACalendarIsStoredWithWhoChangedItToWhat(t *testing.T) {
	k := newKit(t)
	first, err := k.ApplyCalendar(k.ctx, []byte(office247), "dora")
	require.NoError(t, err)
	require.True(t, first.Changed)
	require.Equal(t, 2, first.Revision, "the kit stored the first")
	again, err := k.ApplyCalendar(k.ctx, []byte(office247), "dora")
	require.NoError(t, err)
	require.False(t, again.Changed)
	require.Equal(t, 2, again.Revision)

	shown, err := k.Calendar(k.ctx, "office")
	require.NoError(t, err)
	require.Equal(t, []string{"northwind-all"}, shown.Contracts)
	require.Equal(t, "dora", shown.AppliedBy)
	require.Equal(t, "12-25", shown.Document.Recurring[0].Every)
	all, err := k.ListCalendars(k.ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	_, err = k.Calendar(k.ctx, "nowhere")
	require.Equal(t, "calendar", problem(t, err).Field)

	_, err = k.pool.Exec(k.ctx, "update calendar_revisions set name = 'x'")
	require.Error(t, err, "what was applied stays on record")
}

func TestACalendarInUseKeepsItsHours(t *testing.T) {
	k := newKit(t)
	_, err := k.ApplyCalendar(k.ctx, []byte(strings.Replace(office247, `{weekdays: ["08:00-18:00"]}`, "{}", 1)), "dora")
	require.Len(t, sla.Problems(err), 1)
	require.ErrorContains(t, err, "line 5: hours has none, so nothing would ever be due")
	shown, err := k.Calendar(k.ctx, "office")
	require.NoError(t, err)
	require.Equal(t, 1, shown.Revision, "nothing was stored")

	_, err = k.pool.Exec(k.ctx, `update calendars set document = jsonb_set(document, '{hours}', '{}') where id = 'office'`)
	var refused *pgconn.PgError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "calendars_have_hours", refused.ConstraintName)
}

func TestATicketKeepsTheCalendarItWasPromisedBy(t *testing.T) {
	k := newKit(t)
	id := k.priority3()
	due := k.brief(id).Deadlines.Resolution
	_, err := k.ApplyCalendar(k.ctx, []byte(office247), "dora")
	require.NoError(t, err)
	require.Equal(t, due, k.brief(id).Deadlines.Resolution)
	require.Equal(t, due.Add(-time.Hour), k.brief(k.priority3()).Deadlines.Resolution, "a new one counts the hour more of Friday")
}

func TestAContractNamesCalendarsThatExist(t *testing.T) {
	k := newKit(t)
	_, err := k.ApplyContract(k.ctx, []byte(strings.Replace(promising, "calendar: 24x7", "calendar: around-the-clock", 1)), "dora", true)
	require.Equal(t, "sla.targets.1.calendar", problem(t, err).Field)
}
