package postgres

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

func TestClocksTellWhatIsLeftAndWhatStoodStill(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	id := k.priority3() // Friday 11:00 in Berlin: an hour, and eight
	k.at(friday.Add(30 * time.Minute))
	clocks, err := k.Clocks(k.ctx, id)
	require.NoError(t, err)
	require.Len(t, clocks, 2)
	require.Equal(t, (30 * time.Minute).Milliseconds(), clocks[0].LeftMS)
	require.Equal(t, (7*time.Hour + 30*time.Minute).Milliseconds(), clocks[1].LeftMS)
	require.Equal(t, "Europe/Berlin", clocks[1].Zone)

	k.at(friday.Add(2 * time.Hour))
	_, err = k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "customer"})
	require.NoError(t, err)
	k.at(friday.AddDate(0, 0, 3)) // Monday 11:00
	clocks, err = k.Clocks(k.ctx, id)
	require.NoError(t, err)
	require.Nil(t, clocks[1].Due, "nobody knows while it stands still")
	require.Equal(t, "customer", clocks[1].Reason)
	require.Equal(t, (6 * time.Hour).Milliseconds(), clocks[1].LeftMS)
	require.Equal(t, (7 * time.Hour).Milliseconds(), clocks[1].PausedMS, "Friday 13 to 17, Monday 8 to 11")
	require.NotNil(t, clocks[0].Missed, "asking came an hour late")
	require.Equal(t, -time.Hour.Milliseconds(), clocks[0].LeftMS)

	none, err := k.Clocks(k.ctx, k.open("contoso"))
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestReportSLACountsWhatWasKeptAndWhatIsOpen(t *testing.T) {
	k := newKit(t)
	k.promises(promising)
	close := func(id ticket.ID, after time.Duration) {
		k.at(friday.Add(after))
		_, err := k.Close(k.ctx, id, 1, ticket.Resolve{Header: k.by("ada"), Resolution: "cleared", Work: []ticket.WorkEntry{k.work()}})
		require.NoError(t, err)
	}
	inTime, inWarning, waited, late, paused, warned := k.priority3(), k.priority3(), k.priority3(), k.priority3(), k.priority3(), k.priority3()
	for _, id := range []ticket.ID{waited, paused} {
		_, err := k.Wait(k.ctx, id, ticket.Wait{Header: k.by("ada"), Reason: "customer"})
		require.NoError(t, err)
	}
	close(inTime, time.Hour)
	_, err := k.Resume(k.ctx, waited, ticket.Resume{Header: k.by("ada")})
	require.NoError(t, err)
	close(waited, 2*time.Hour)
	close(inWarning, 5*time.Hour) // half of eight hours is four
	k.at(friday.Add(5 * time.Hour))
	_, err = k.Claim(k.ctx, warned, ticket.Claim{Header: k.by("bob")}) // which came late
	require.NoError(t, err)
	close(late, 4*24*time.Hour)
	rows, err := k.ReportSLA(k.ctx, ReportFilter{})
	require.NoError(t, err)
	require.Equal(t, []Attainment{{
		Client: "northwind", Priority: 3, Tickets: 4, ResponseMet: 2, ResponseMissed: 2, ResolutionMet: 3, ResolutionMissed: 1, ResolvedInWarning: 1,
		PausedMS: time.Hour.Milliseconds(), TicketsThatWaited: 1, AttainmentPerMille: 625, Open: 2, OpenMissed: 1, OpenPaused: 1,
	}}, rows)
	none, err := k.ReportSLA(k.ctx, ReportFilter{From: sla.LocalDate{Year: 2026, Month: 4, Day: 1}})
	require.NoError(t, err)
	require.Len(t, none, 1, "what is open is open in any period")
	require.Zero(t, none[0].Tickets)
}
