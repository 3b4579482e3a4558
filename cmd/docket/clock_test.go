package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const warsaw = `schema: docket.calendar/v1
calendar: warsaw
name: Office in Warsaw
zone: Europe/Warsaw
hours:
  weekdays: ["08:00-16:00"]
holidays:
  - {every: 11-11, name: Święto Niepodległości}
  - {date: 2027-01-04, name: Inventory, windows: ["12:00-16:00"]}
`

func TestCalendarsFromTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	s.in = warsaw
	assert.Contains(t, s.ok("calendar", "check", "-").out, "warsaw is well formed: Office in Warsaw, 40 h a week")
	s.in = "schema: docket.calendar/v1\ncalendar: warsaw\nname: x\nzone: Warsaw\nhours: {}\n"
	for _, deed := range [][]string{{"check", "-"}, {"apply", "-", "--as", "felix.moreau"}} {
		said := s.docket(append([]string{"calendar"}, deed...)...)
		assert.Equal(t, exitBadInput, said.code)
		assert.Contains(t, said.err, `line 4: zone "Warsaw" is not a time zone`)
		assert.Contains(t, said.err, "line 5: hours has none, so nothing would ever be due")
	}
	s.in = warsaw
	assert.Contains(t, s.ok("calendar", "apply", "-", "--as", "felix.moreau").out, "warsaw revision 1 is stored")
	assert.Contains(t, s.ok("calendar", "apply", "-", "--as", "felix.moreau").out, "says this already; nothing changed")
	assert.Contains(t, s.ok("calendar", "list").out, "Europe/Warsaw")
	shown := s.ok("calendar", "show", "warsaw").out
	for _, says := range []string{"Office in Warsaw, revision 1", "08:00-16:00", "every 11-11", "Święto Niepodległości", "2027-01-04", "12:00-16:00", "felix.moreau"} {
		assert.Contains(t, shown, says)
	}
	assert.Contains(t, s.docket("calendar", "show", "prague").err, "docket calendar list")
}

func TestClocksFromTheCommandLine(t *testing.T) {
	s := openShop(t)
	opened := read[ticket.Opened](s, "ticket", "open", "--client", "northwind", "--subject", "Printer on the loading dock jams")
	id := string(opened.Ticket)
	s.eventually(opened.Ticket, ticket.Resolution)
	shown := s.ok("ticket", "show", id).out
	assert.Contains(t, shown, "response due")
	assert.Contains(t, shown, "of business time left")

	to := "1"
	if read[struct{ Ticket ticket.Summary }](s, "ticket", "show", id).Ticket.Priority == 1 {
		to = "2"
	}
	said := s.docket("ticket", "priority", id, to, "--as", "pavel.novak")
	assert.Equal(t, exitBadInput, said.code)
	assert.Contains(t, said.err, "reason")
	assert.Equal(t, exitBadInput, s.docket("ticket", "priority", id, "high", "--reason", "x", "--as", "pavel.novak").code)
	assert.Contains(t, s.ok("ticket", "priority", id, to, "--reason", "the dock stands still", "--as", "pavel.novak").out, "changed the priority of "+id)
	assert.Equal(t, exitNoEffect, s.docket("ticket", "priority", id, to, "--reason", "again", "--as", "pavel.novak").code)

	s.ok("ticket", "wait", id, "--reason", "customer", "--as", "pavel.novak")
	assert.Contains(t, s.ok("ticket", "show", id).out, "for customer")
	rows := read[[]postgres.Attainment](s, "report", "sla")
	require.Len(t, rows, 1)
	assert.Equal(t, 1, rows[0].Open)
	assert.Equal(t, 1, rows[0].OpenPaused)
	assert.Contains(t, s.ok("report", "sla").out, "northwind")
}
