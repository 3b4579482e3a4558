package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

const everything = "../../billing/testdata/contracts/everything.yaml"

func TestContractShowsAllThatADocumentSays(t *testing.T) {
	s := newShell(t)
	shown := s.ok("contract", "show", everything).out
	for _, says := range []string{
		"ALL-1  Everything that a contract can say",
		"quarterly, from day 15, years from month 2, due in 30 days, below zero: credit-note",
		"36 months, since 2024-02-01, renews: ask, by 12 months, 60 days' notice, uplift 3.5 %, termination fee 1500.00 EUR",
		"PO-4711, up to 20000.00 EUR, used up: hold",
		"at least 1000.00 EUR a period, C1 Minimum",
		"2026-07-27   2026-08-17  bill  time",
		"H1      evening  weekdays, 00:00-08:00, 17:00-24:00 Europe/Berlin",
		"several: add, on minutes, for AI work too",
		"R2      senior-engineer  onsite     human  evening  210.00 EUR",
		"A5      Hours of the month           bucket        900.00 EUR  Printer\n          increment per entry, 10h a period, rolls over up to 5h, first rolled, granted by days",
		"overage 140.00 EUR an hour, renewed by 10h for 1200.00 EUR, good for 365 days",
		"graduated, to 10: 10.00 EUR + 2.00 EUR once; beyond: 5.00 EUR",
		"percentage, 2.99 %, plus 1.00 EUR, at least 1.75 EUR, at most 12.00 EUR, first 3 events free, first 100.00 EUR free",
		"counts workstation, by peak, at least 5, 2 included, volume, to 50: 9.50 EUR; beyond: 40.00 EUR for 5, in arrears",
		"in standard, evening, P1, P2; except Warehouse, SRV-9",
		"less 10 %, less 5.00 EUR until 2026-07-01, at most 2500.00 EUR",
		"60.00 EUR  ×0.5",
		"M1      Parts                  part       cost + 15 %",
		"over 250.00 EUR, over 8h, an hour over 200.00 EUR, categories Purchase, work by ai, signed by P-1, expires after 48h",
		"devices SRV-1, SRV-9, users P-1, P-2, others: add, by F4",
		"over 20 tickets of a category in a period",
		"P1          15m       4h          24x7      2h", "at 80 % of a target", "customer, part", "after 30m, away from its assignee",
		"response 2 %, resolution 5 %, both: both",
	} {
		assert.Contains(t, shown, says)
	}
	assert.Equal(t, "ALL-1", read[billing.Contract](s, "contract", "show", everything).ID)
	assert.Contains(t, s.ok("contract", "check", everything).out, "ALL-1 is well formed: 17 lines, 3 rates, from 2026-02-01")
}

func TestContractDiffOfTwoFiles(t *testing.T) {
	s := newShell(t)
	old, err := os.ReadFile(everything)
	require.NoError(t, err)
	draft := filepath.Join(t.TempDir(), "draft.yaml")
	text := strings.NewReplacer("multiplier: 1.5", "multiplier: 1.75", "rollover: 5h, ", "", "patience: 2h", "patience: 3h").Replace(string(old))
	text = strings.Replace(text, ", first: rolled", "", 1)
	require.NoError(t, os.WriteFile(draft, []byte(text), 0o600))

	assert.Equal(t, everything+" → "+draft+`
  bands[evening].multiplier  1.5     →  1.75
  lines[A5].bucket.rollover  5h      →  (gone)
  lines[A5].bucket.first     rolled  →  (gone)
  patience                   2h      →  3h
`, s.ok("contract", "diff", everything, draft).out)
	s.in = text
	assert.Contains(t, s.ok("contract", "diff", draft, "-").out, "say the same")
	changes := read[struct{ Changes []billing.Change }](s, "contract", "diff", draft, everything).Changes
	assert.Equal(t, billing.Change{Field: "patience", Was: "3h", Is: "2h"}, changes[len(changes)-1])

	for args, says := range map[string]string{
		"diff":                              "FILE is missing",
		"diff a.yaml b.yaml c.yaml":         "one argument too many",
		"diff nowhere.yaml " + draft:        "nowhere.yaml",
		"diff " + draft + " redwood-tm@new": "redwood-tm@2",
		"show nowhere.yaml":                 "nowhere.yaml",
	} {
		said := s.docket(append([]string{"contract"}, strings.Fields(args)...)...)
		assert.Equal(t, exitBadInput, said.code, args)
		assert.Contains(t, said.err, says, args)
	}
}

func TestContractDiffWithTheRevisionInForce(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	stored, err := os.ReadFile("../../seed/contracts/redwood-tm.2.yaml")
	require.NoError(t, err)
	s.in = string(stored)
	assert.Equal(t, "redwood-tm revision 2 and - say the same\n", s.ok("contract", "diff", "-").out)

	// One that begins far ahead is stored last, and not in force.
	later := strings.Replace(string(stored), "patience: ", "patience: 1", 1)
	if later == string(stored) {
		later += "patience: 5h\n"
	}
	c, err := billing.ParseContract([]byte(later))
	require.NoError(t, err)
	s.in = strings.Replace(later, "effective_from: "+c.EffectiveFrom, "effective_from: 2999-01-01", 1)
	s.ok("contract", "apply", "-", "--as", "felix.moreau")
	assert.Contains(t, s.ok("contract", "diff", "redwood-tm", "redwood-tm@3").out, "redwood-tm revision 2 → redwood-tm revision 3\n  effective_from")
	assert.Contains(t, s.ok("contract", "diff", "redwood-tm@1", "redwood-tm@2").out, "rates[")
	assert.Contains(t, s.ok("contract", "history", "redwood-tm").out, "revision 2 → 3\n  effective_from")
	shown := s.ok("contract", "show", "redwood-tm", "--revision", "2").out
	assert.Contains(t, shown, "revision   2")

	s.in = strings.Replace(string(stored), "contract: redwood-tm", "contract: redwood-new", 1)
	said := s.docket("contract", "diff", "-")
	assert.Equal(t, exitBadInput, said.code)
	assert.Contains(t, said.err, `"redwood-new" is not known`)
}
