package sla_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/sla"
)

const newYork = "America/New_York"

func start(t require.TestingT, target time.Duration, from string) sla.Clock {
	c, err := sla.Start(office(t, newYork), target, at(t, from))
	require.NoError(t, err)
	return c
}

func paused(t require.TestingT, c sla.Clock, from string) sla.Clock {
	c, err := c.Pause(at(t, from), "waiting for the customer")
	require.NoError(t, err)
	return c
}

func resumed(t require.TestingT, c sla.Clock, to string) sla.Clock {
	c, err := c.Resume(at(t, to))
	require.NoError(t, err)
	return c
}

func requireDue(t require.TestingT, want string, c sla.Clock) {
	due, running, err := c.Due()
	require.NoError(t, err)
	require.True(t, running)
	require.Equal(t, at(t, want), due)
}

func TestEdge57PausedOverWeekendCountsOnlyBusinessMinutes(t *testing.T) {
	friday := start(t, 4*time.Hour, "2026-07-10T18:00:00Z") // 14:00 in New York; 17:00 closes
	waiting := paused(t, friday, "2026-07-10T20:00:00Z")    // 16:00: two hours used, one left of the day
	_, running, err := waiting.Due()
	require.NoError(t, err)
	require.False(t, running, "a paused clock has no deadline")

	again := resumed(t, waiting, "2026-07-13T14:00:00Z") // Monday 10:00
	took, err := again.Paused(at(t, "2026-07-13T14:00:00Z"))
	require.NoError(t, err)
	require.Equal(t, 2*time.Hour, took, "Friday 16–17 and Monday 9–10, no minute of the weekend")
	requireDue(t, "2026-07-13T16:00:00Z", again)
}

func TestEdge57PausedForMonthsAcrossClockChanges(t *testing.T) {
	for _, c := range []struct{ name, zone, start, pause, resume, due string }{
		{"New York, over both changes", newYork, "2026-02-27T20:00:00Z", "2026-02-27T21:00:00Z", "2026-11-02T14:30:00Z", "2026-11-02T17:30:00Z"},
		{"Berlin, over 29 February and spring", "Europe/Berlin", "2028-02-28T08:00:00Z", "2028-02-28T09:00:00Z", "2028-04-03T07:00:00Z", "2028-04-03T10:00:00Z"},
		{"Lord Howe, half an hour", "Australia/Lord_Howe", "2026-04-02T22:00:00Z", "2026-04-02T23:00:00Z", "2026-04-05T22:30:00Z", "2026-04-06T01:30:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock, err := sla.Start(office(t, c.zone), 4*time.Hour, at(t, c.start))
			require.NoError(t, err)
			requireDue(t, c.due, resumed(t, paused(t, clock, c.pause), c.resume))
		})
	}
}

func TestEdge58PriorityChangesWhilePausedAndThePauseSoFarIsKept(t *testing.T) {
	clock := start(t, 8*time.Hour, "2026-07-06T13:00:00Z") // Monday 9:00
	clock = paused(t, clock, "2026-07-06T14:00:00Z")
	urgent, err := clock.Retarget(2*time.Hour, clock.Calendar) // still paused
	require.NoError(t, err)
	urgent = resumed(t, urgent, "2026-07-06T17:00:00Z")
	requireDue(t, "2026-07-06T18:00:00Z", urgent)
	requireDue(t, "2026-07-07T16:00:00Z", resumed(t, clock, "2026-07-06T17:00:00Z"))
}

func TestEdge58ANewPriorityMayHaveAnotherCalendar(t *testing.T) {
	clock := resumed(t, paused(t, start(t, 8*time.Hour, "2026-07-10T20:00:00Z"), "2026-07-10T20:30:00Z"), "2026-07-11T00:30:00Z")
	aroundTheClock, err := clock.Retarget(2*time.Hour, sla.AlwaysOpen(newYork))
	require.NoError(t, err)
	requireDue(t, "2026-07-11T02:00:00Z", aroundTheClock)
	_, err = clock.Retarget(-time.Hour, sla.Calendar{})
	require.ErrorContains(t, err, "whole number of milliseconds")
	require.ErrorContains(t, err, "has none, so nothing would ever be due")
}

func TestAPauseAfterTheDeadlineUndoesNoBreach(t *testing.T) {
	late := paused(t, start(t, 2*time.Hour, "2026-07-06T13:00:00Z"), "2026-07-06T16:00:00Z")
	requireDue(t, "2026-07-06T15:00:00Z", late)
	requireDue(t, "2026-07-06T15:00:00Z", resumed(t, late, "2026-07-06T19:00:00Z"))
	breached, err := late.Breached(at(t, "2026-07-06T16:00:00Z"))
	require.NoError(t, err)
	require.True(t, breached)
	left, err := late.Remaining(at(t, "2026-07-06T20:00:00Z"))
	require.NoError(t, err)
	require.Equal(t, -time.Hour, left, "late by what ran before the pause")

	longer, err := resumed(t, late, "2026-07-06T19:00:00Z").Retarget(4*time.Hour, late.Calendar)
	require.NoError(t, err)
	requireDue(t, "2026-07-06T20:00:00Z", longer)
}

func TestTheVeryInstantOfTheDeadlineIsInTime(t *testing.T) {
	clock := start(t, 2*time.Hour, "2026-07-06T13:00:00Z")
	due := at(t, "2026-07-06T15:00:00Z")
	for instant, want := range map[time.Time]bool{due: false, due.Add(1): true} {
		breached, err := clock.Breached(instant)
		require.NoError(t, err)
		require.Equal(t, want, breached)
	}
	_, running, err := paused(t, clock, "2026-07-06T15:00:00Z").Due()
	require.NoError(t, err)
	require.False(t, running)
}

func TestWarningBeforeTheDeadline(t *testing.T) {
	warn, running, err := start(t, 10*time.Hour, "2026-07-06T13:00:00Z").WarnAt(80)
	require.NoError(t, err)
	require.True(t, running)
	require.Equal(t, at(t, "2026-07-06T21:00:00Z"), warn)
	_, _, err = start(t, time.Hour, "2026-07-06T13:00:00Z").WarnAt(101)
	require.Error(t, err)
}

func TestRepeatedMessagesChangeNothingAndLateOnesAreAnswered(t *testing.T) {
	clock := start(t, 2*time.Hour, "2026-07-06T13:00:00Z")
	require.Equal(t, clock, resumed(t, clock, "2026-07-06T13:30:00Z"))
	waiting := paused(t, clock, "2026-07-06T14:00:00Z")
	require.Equal(t, waiting, paused(t, waiting, "2026-07-06T14:30:00Z"))
	_, err := waiting.Resume(at(t, "2026-07-06T13:59:59Z"))
	require.ErrorContains(t, err, "the clock is known up to 2026-07-06T14:00:00Z")
	_, err = clock.Pause(at(t, "2026-07-06T12:00:00Z"), "")
	require.ErrorContains(t, err, "the clock is known up to 2026-07-06T13:00:00Z")
	require.Nil(t, clock.PausedAt, "the first clock is as it was")
}

func TestClockSurvivesJSON(t *testing.T) {
	clock := paused(t, resumed(t, paused(t, start(t, 90*time.Minute, "2026-07-06T13:00:00Z"), "2026-07-06T13:10:00Z"), "2026-07-06T13:20:00Z"), "2026-07-06T13:30:00Z")
	data, err := json.Marshal(clock)
	require.NoError(t, err)
	require.Contains(t, string(data), `"target_ms":5400000,"started_at":"2026-07-06T13:00:00Z"`)
	var read sla.Clock
	require.NoError(t, json.Unmarshal(data, &read))
	require.Equal(t, clock, read)

	for _, bad := range []string{
		`{}`, `{"calendar":{"zone":"UTC","hours":{"monday":["08:00-09:00"]}},"target_ms":-1,"started_at":"2026-07-06T13:00:00Z"}`,
		`{"calendar":{"zone":"UTC","hours":{"monday":["08:00-09:00"]}},"target_ms":9223372036854775807,"started_at":"2026-07-06T13:00:00Z"}`,
		`{"calendar":{"zone":"UTC","hours":{"monday":["08:00-09:00"]}},"target_ms":1,"started_at":"2026-07-06T13:00:00Z","paused_at":"2026-07-05T13:00:00Z"}`,
	} {
		require.Error(t, json.Unmarshal([]byte(bad), &read), bad)
	}
}

func TestClockProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := drawInstant(t, "start")
		target := time.Duration(rapid.Int64Range(0, 10*60*60*1000).Draw(t, "target ms")) * time.Millisecond
		clock, err := sla.Start(office(t, rapid.SampledFrom(zoneNames).Draw(t, "zone")), target, now)
		require.NoError(t, err)
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 3*24*60*60*1000).Draw(t, "ms")) * time.Millisecond)
			if rapid.Bool().Draw(t, "pause") {
				clock, err = clock.Pause(now, "waiting")
			} else {
				clock, err = clock.Resume(now)
			}
			require.NoError(t, err)
		}
		due, running, err := clock.Due()
		require.NoError(t, err)
		if !running {
			left, err := clock.Remaining(now)
			require.NoError(t, err)
			require.GreaterOrEqual(t, left, time.Duration(0), "no clock is held beyond its target")
			return
		}
		elapsed, err := clock.Elapsed(due)
		require.NoError(t, err)
		require.Equal(t, target, elapsed, "the deadline is where the target is used up")
		data, err := json.Marshal(clock)
		require.NoError(t, err)
		var read sla.Clock
		require.NoError(t, json.Unmarshal(data, &read))
		require.Equal(t, clock, read)
	})
}
