package notify_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/notify"
	"github.com/docket-psa/docket/ticket"
)

func TestQuietHoursFollowTheWallClock(t *testing.T) {
	night := ticket.Quiet{Zone: "Europe/Berlin", Begins: 22 * 60, Ends: 7 * 60}
	small := ticket.Quiet{Zone: "Europe/Berlin", Begins: 0, Ends: 2*60 + 30}
	for _, c := range []struct {
		name       string
		quiet      ticket.Quiet
		now, until string
	}{
		{"in the day", night, "2026-03-18T12:00:00Z", "2026-03-18T12:00:00Z"},
		{"in the evening", night, "2026-03-18T21:00:00Z", "2026-03-19T06:00:00Z"},
		{"its last minute", night, "2026-03-19T05:59:59Z", "2026-03-19T06:00:00Z"},
		{"its end", night, "2026-03-19T06:00:00Z", "2026-03-19T06:00:00Z"},
		{"the night that is an hour shorter", night, "2026-03-28T21:30:00Z", "2026-03-29T05:00:00Z"},
		{"the night that is an hour longer", night, "2026-10-24T20:30:00Z", "2026-10-25T06:00:00Z"},
		{"an end in the gap: the first instant after it", small, "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
		{"an end in the hour that comes twice: the first time", small, "2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z"},
		{"a weekend", ticket.Quiet{Zone: "America/New_York", Begins: 20 * 60, Ends: 8 * 60, Weekend: true}, "2026-03-07T01:30:00Z", "2026-03-09T12:00:00Z"},
		{"29 February", night, "2028-02-28T23:00:00Z", "2028-02-29T06:00:00Z"},
		{"half an hour off", ticket.Quiet{Zone: "Australia/Lord_Howe", Begins: 1 * 60, Ends: 3 * 60}, "2026-10-03T14:45:00Z", "2026-10-03T16:00:00Z"},
		{"until midnight", ticket.Quiet{Zone: "UTC", Begins: 18 * 60, Ends: 0}, "2026-03-18T19:00:00Z", "2026-03-19T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, c.now)
			require.NoError(t, err)
			until, err := notify.QuietUntil(c.quiet, now)
			require.NoError(t, err)
			require.Equal(t, c.until, until.UTC().Format(time.RFC3339))
		})
	}
}
