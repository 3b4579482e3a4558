package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
)

func TestProjectsAndLimitsFromTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	as := func(who, line string, more ...string) []string {
		return append(append(strings.Fields(line), more...), "--as", who)
	}
	const owner, dispatcher, technician = "felix.moreau", "mara.lindqvist", "tom.reyes"

	assert.Contains(t, s.ok("project", "list").err, "docket project add cedar-hill")
	assert.Contains(t, s.docket(as(dispatcher, "project add move --client redwood")...).err, "a project has a budget in money")
	assert.Contains(t, s.docket(as(technician, "project add move --client redwood --hours 40")...).err, "may not make or change projects")
	added := s.ok(as(dispatcher, "project add move --client redwood --budget 5000 --hours 40 --hourly 120 --key add-1")...).out
	assert.Contains(t, added, "made project move of redwood: 5000.00 USD and 40 h")
	assert.Equal(t, added, s.ok(as(dispatcher, "project add move --client redwood --budget 5000 --hours 40 --hourly 120 --key add-1")...).out, "once")
	assert.Contains(t, s.ok(as(dispatcher, "project budget move --budget 8000 --reason", "one floor more")...).out, "from 5000.00 USD and 40 h to 8000.00 USD and 40 h: one floor more")
	row := read[[]billing.ProjectView](s, "project", "list", "--client", "redwood")
	require.Len(t, row, 1)
	assert.Equal(t, "8000", row[0].Budget.String())
	shown := s.ok("project", "show", "move").out
	assert.Contains(t, shown, "120.00 USD an hour")
	assert.Contains(t, shown, "one floor more")
	assert.Contains(t, s.ok(as(owner, "project close move --reason done")...).out, "closed project move: done")
	assert.Empty(t, read[[]billing.ProjectView](s, "project", "list"))
	assert.Len(t, read[[]billing.ProjectView](s, "report", "projects"), 1, "closed ones earned, too")
	assert.Contains(t, s.docket(as(owner, "project close move --reason again")...).err, "is closed already")

	assert.Contains(t, s.ok("exception", "limit").err, "a dispatcher may give away 1000.00 on one ticket alone")
	assert.Equal(t, exitBadInput, s.docket(as(dispatcher, "exception limit dispatcher 5000 --currency USD")...).code, "not by a dispatcher")
	assert.Contains(t, s.ok(as(owner, "exception limit dispatcher 250 --currency USD --queue scope")...).out, "dispatcher may rule write-off up to 250.00 USD alone, in queue: scope")
	limits := read[[]postgres.RulingLimit](s, "exception", "limit")
	require.Len(t, limits, 1)
	assert.Equal(t, billing.QueueScope, limits[0].Queue)

	assert.Contains(t, s.ok("exception", "list", "--queue", "scope").err, "No exceptions")
	assert.Contains(t, s.docket("exception", "list", "--queue", "nowhere").err, "is no queue")
	assert.Contains(t, s.ok(as(dispatcher, "exception list --mine")...).err, "No exceptions")
	assert.Contains(t, s.docket(as(owner, "exception confirm H-7")...).err, "is not known")
}
