package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/docket-psa/docket/billing"
)

func TestMonthsFromTheCommandLine(t *testing.T) {
	s := openShop(t)
	as := func(line string) []string { return append(strings.Fields(line), "--as", "felix.moreau") }
	last := time.Now().UTC().AddDate(0, -1, 1-time.Now().UTC().Day()).Format("2006-01")
	assert.Contains(t, s.docket(as("month close march")...).err, `month "march" is not a month: write it like 2026-03`)
	assert.Contains(t, s.docket(as("month close 2099-01")...).err, "is not over anywhere")
	assert.Contains(t, s.docket("month", "close", last, "--as", "tom.reyes").err, "may not close a month")
	assert.NotContains(t, s.ok("month", "close", last, "--dry-run").out, "is not over")
	running := time.Now().UTC().AddDate(0, 1, 0).Format("2006-01")
	assert.Contains(t, s.ok("month", "close", running, "--dry-run").out, "The month is not over")
	assert.Contains(t, s.docket("month", "close", last, "--dry-run", "--client", "nobody").err, `client "nobody"`)
	assert.Contains(t, s.docket("month", "close", "9998-12", "--dry-run").err, `month "9998-12" lies more than a year ahead: a closing can be looked at for months until`)
	assert.Contains(t, s.docket("month", "close", "9999-12", "--dry-run").err, `month "9999-12" lies too far ahead`)
	assert.Contains(t, s.docket("period", "run", "--dry-run", "--until", "9999-12-31").err, `until "9999-12-31" lies more than a year ahead`)

	look := read[billing.MonthLook](s, "month", "close", last, "--dry-run")
	report := read[billing.MonthReport](s, as("month close "+last)...)
	assert.Equal(t, []any{report.Posted, report.Drafts, report.Expired, report.Refused, report.Waiting}, []any{look.Posted, look.Drafts, look.Expired, look.Refused, look.Waiting})
	again := read[billing.MonthReport](s, as("month close "+last)...)
	assert.Equal(t, report.Finalised, again.Finalised)
	assert.Zero(t, again.Posted)
	assert.Contains(t, s.ok(as("month close "+last)...).out, "is closed: 0 runs posted")

	for line, says := range map[string]string{
		"month close 2026-01 --send --without-files": "--send and --without-files do not go together: give one of them",
		"month schedule --off --day 3":               "--off and --day do not go together: give one of them",
		"month schedule --send":                      "--send goes with --day",
	} {
		refused := s.docket(as(line)...)
		assert.Equal(t, exitBadInput, refused.code, line)
		assert.Contains(t, refused.err, says, line)
	}
	assert.Contains(t, s.docket(as("month schedule --day 31")...).err, "is not a day that every month has")
	assert.Contains(t, s.ok(as("month schedule --day 3")...).out, "closed on day 3 of the next one")
	assert.Contains(t, s.docket(as("month schedule --day 4")...).err, "docket month schedule --off first")
	assert.Contains(t, s.docket("month", "schedule", "--off", "--as", "dana.wolfe").err, "may not close a month")
	told := s.ok("month", "schedule").out
	assert.Contains(t, told, "felix.moreau")
	assert.Regexp(t, `next +03 \w+ 06:00`, told)
	assert.Contains(t, s.ok(as("month schedule --off")...).out, "Months are closed by hand")
	assert.Contains(t, s.ok(as("month schedule --off")...).out, "Months are closed by hand", "there was none, and there is none")
	assert.Contains(t, s.ok("month", "schedule").out, "Months are closed by hand")
}
