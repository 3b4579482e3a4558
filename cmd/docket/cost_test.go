package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/docket-psa/docket/postgres"
)

const dearer = `
schema: docket.cost/v1
effective_from: 2026-01-01
time_zone: America/New_York
currency: USD
rates:
  - {work_role: engineer, hourly: "60.00"}
  - {person: tom.reyes, hourly: "75.00"}
  - {actor: ai, run: "0.05", tokens_in: "0.003"}
`

func TestCostsFromTheCommandLine(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	s.in = dearer
	assert.Equal(t, "The cost document is well formed: 3 rates, from 2026-01-01\n", s.ok("cost", "check", "-").out)
	s.in = dearer
	assert.Equal(t, "Revision 2 is stored, in force from 2026-01-01; what is logged keeps its cost\n", s.ok("cost", "apply", "-", "--as", "nadia.osei").out)
	s.in = dearer
	assert.Equal(t, "Revision 2 says this already; nothing changed\n", s.ok("cost", "apply", "-", "--as", "nadia.osei").out)
	s.in = dearer
	assert.False(t, read[postgres.CostVersion](s, "cost", "apply", "-", "--as", "nadia.osei").Changed)

	shown := s.ok("cost", "show").out
	assert.Contains(t, shown, `REVISION  FROM        PERSON       WORK ROLE        ACTOR     HOURLY       RUN  1000 TOKENS IN  1000 TOKENS OUT
       2  2026-01-01               engineer                60.00 USD
       2  2026-01-01  tom.reyes                            75.00 USD
       2  2026-01-01                                ai                0.05 USD       0.003 USD
       1  2015-01-01               technician              37.25 USD`)
	assert.Len(t, read[[]costRow](s, "cost", "show"), 8)

	refuses(t, s, map[string]mistake{
		"every mistake of a document": {
			"cost apply - --as nadia.osei",
			"schema: docket.cost/v1\neffective_from: soon\ntime_zone: Mars\ncurrency: EU\nrates:\n  - {work_role: engineer}\n  - {actor: robot, hourly: 3}\n  - {person: tom.reyes, hourly: -1}\n",
			[]string{
				`line 2: effective_from "soon"`, `line 3: time_zone "Mars"`, `line 4: currency "EU"`, "line 6: rates[0] says no cost: give hourly, run, tokens_in or tokens_out",
				`line 7: rates[1].actor "robot" is not known: use human, ai`, "line 8: rates[2].hourly",
			},
		},
		"a person nobody knows": {
			"cost apply - --as nadia.osei",
			"schema: docket.cost/v1\neffective_from: 2026-01-01\ntime_zone: UTC\ncurrency: USD\nrates: [{person: nobody, hourly: 3}]\n",
			[]string{"nobody", "is not known"},
		},
		"nothing in the file": {"cost check -", "", []string{"docs/costs.md"}},
		"he keeps no books":   {"cost apply - --as mara.lindqvist", dearer + "  - {work_role: intern, hourly: 10}\n", []string{"mara.lindqvist", "owner or finance"}},
	})
	assert.Len(t, read[[]costRow](s, "cost", "show"), 8, "nothing was stored")
}
