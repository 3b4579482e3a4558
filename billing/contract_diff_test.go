package billing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestDiff(t *testing.T) {
	was := contract("C-1", `effective_to: 2027-01-01
term: {months: 12, notice_days: 30}
bands: [{name: night, days: [weekdays], multiplier: 1.5}]
rates:
  - {hourly: 100}
  - {work_role: architect, actor: ai, hourly: 50}
  - {clause: R3, work_type: onsite, hourly: 120}
lines:
  - {clause: A1, name: Support, match: {categories: [Email, Printer]}, charge: covered}
  - {clause: A2, name: Work, charge: time, time: {}, cap: 0}
sla: {calendar: 24x7, targets: {1: {response: 1h, resolution: 4h}}}
`)
	is := contract("C-1", `term: {months: 24, notice_days: 30}
bands: [{name: night, days: [weekdays], hours: ["00:00-06:00"], multiplier: 1.5}]
rates:
  - {hourly: 0}
  - {clause: R3, work_type: onsite, hourly: 120.00}
  - {clause: R3, work_type: travel, hourly: 60}
lines:
  - {clause: A0, name: Onboarding, match: {types: [onboarding]}, charge: not-billable}
  - {clause: A1, name: Support, match: {categories: [Email]}, charge: covered, hidden: true}
  - {clause: A2, name: Work, charge: time}
sla: {calendar: 24x7, targets: {1: {response: 30m, resolution: 4h}, 2: {response: 1h, resolution: 8h}}}
`)
	read := func(document string) *billing.Contract {
		c, err := billing.ParseContract([]byte(document))
		require.NoError(t, err)
		return c
	}
	told := func(changes []billing.Change) string {
		var lines []string
		for _, c := range changes {
			lines = append(lines, c.Field+": "+c.Was+" → "+c.Is)
		}
		return strings.Join(lines, "\n")
	}
	require.Equal(t, strings.TrimSpace(`
effective_to: 2027-01-01 → 
term.months: 12 → 24
bands[night].hours:  → 00:00-06:00
rates[any].hourly: 100 → 0
rates[architect ai].work_role: architect → 
rates[architect ai].actor: ai → 
rates[architect ai].hourly: 50 → 
rates[R3#2].clause:  → R3
rates[R3#2].work_type:  → travel
rates[R3#2].hourly:  → 60
lines[A0].clause:  → A0
lines[A0].name:  → Onboarding
lines[A0].match.types:  → onboarding
lines[A0].charge:  → not-billable
lines[A1].match.categories: Email, Printer → Email
lines[A1].hidden:  → true
lines[A2].time: {} → 
lines[A2].cap: 0 → 
sla.targets.1.response: 1h → 30m
sla.targets.2.response:  → 1h
sla.targets.2.resolution:  → 8h`), told(billing.Diff(read(was), read(is))))
	require.Empty(t, billing.Diff(read(was), read(was)))
	for _, document := range written(t) {
		require.Empty(t, billing.Diff(read(document), read(document)))
		require.NotEmpty(t, billing.Diff(read(was), read(document)))
	}
}
