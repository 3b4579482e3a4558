package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const texas = `
schema: docket.tax/v1
tax: TX
name: Texas
standard: services
categories:
  - category: services
    code: S
    rates: [{parts: [{name: State, percent: 6.25}, {name: City, percent: 2}]}]
`

// mistake is a command line that is refused: stored nothing, exit 2, and says these words.
type mistake struct {
	args string
	in   string
	says []string
}

func refuses(t *testing.T, s *shell, mistakes map[string]mistake) {
	t.Helper()
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			s.in = m.in
			said := s.docket(strings.Fields(m.args)...)
			assert.Equal(t, exitBadInput, said.code, said.err)
			assert.Empty(t, said.out)
			for _, says := range m.says {
				assert.Contains(t, said.err, says)
			}
		})
	}
}

func TestTaxFromProfileToInvoice(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	store, err := postgres.Open(t.Context(), s.env["DATABASE_URL"], postgres.Options{Now: time.Now})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	closed(t, store, "Mail stops")

	s.in = texas
	assert.Equal(t, "TX is well formed: Texas, standard category services\n", s.ok("tax", "check", "-").out)
	assert.NotContains(t, s.ok("tax", "list").out, "TX", "check stores nothing")
	assert.Contains(t, s.ok("invoice", "show", "redwood").out, "No tax: neither its contracts nor its payer name a tax profile. docket client tax")

	s.in = texas
	assert.Contains(t, s.ok("tax", "apply", "-", "--as", "felix.moreau").out, "TX revision 1 is stored; next, whom it taxes: docket client tax CLIENT TX")
	s.in = texas
	assert.Equal(t, "TX revision 1 says this already; nothing changed\n", s.ok("tax", "apply", "-", "--as", "felix.moreau").out)
	assert.Contains(t, s.ok("tax", "list").out, "Texas")
	assert.Equal(t, `TX  Texas, revision 1

standard  services

CATEGORY  CODE  PERCENT  PART   FROM  WHY
services  S        6.25  State
services  S           2  City
`, s.ok("tax", "show", "TX").out)
	assert.Equal(t, "TX", read[postgres.TaxVersion](s, "tax", "show", "TX").Profile)

	assert.Equal(t, "redwood is taxed by TX from the next finalisation on\n", s.ok("client", "tax", "redwood", "TX", "--as", "felix.moreau").out)
	assert.Contains(t, s.ok("client", "show", "redwood").out, "tax profile  TX")
	shown := s.ok("invoice", "show", "redwood").out
	for _, row := range []string{
		"1 line\n", "net ", "262.50 USD", "tax S, 8.25 % of 262.50 USD", "21.66 USD", "of it State, 6.25 %", "16.41 USD", "of it City, 2 %", "5.25 USD", "284.16 USD",
	} {
		assert.Contains(t, shown, row)
	}
	assert.Equal(t, "284.16", read[billing.Invoice](s, "invoice", "show", "redwood").Taxes.TaxInclusive.StringFixed(2))

	final := s.ok("invoice", "finalize", "redwood", "--as", "felix.moreau", "--early").out
	assert.Contains(t, final, "284.16 USD")
	number, _, _ := strings.Cut(final, " ")
	assert.Equal(t, "redwood has no tax profile: what its contracts do not tax has no tax\n", s.ok("client", "tax", "redwood", "--none", "--as", "felix.moreau").out)
	kept := s.ok("invoice", "show", number).out
	assert.Contains(t, kept, "284.16 USD", "a finalised invoice keeps its tax")
	assert.Contains(t, kept, "owed     284.16 USD")

	refuses(t, s, map[string]mistake{
		"every mistake of a profile": {
			"tax check -", "schema: docket.tax/v1\ntax: T X\nname: X\ncategories:\n  - {category: Standard, code: Q}\n  - {category: free, code: E}\n  - {category: high, code: S, rates: [{percent: 210}]}\n",
			[]string{
				`line 2: tax "T X" is not an id`, "standard", `line 5: categories[0].category "Standard"`, "line 5: categories[0].code", "line 6: categories[1].reason",
				`line 7: categories[2].rates[0].percent "210" is no rate of a tax: give a percentage from 0 to 100`,
			},
		},
		"not a profile":             {"tax apply - --as felix.moreau", "schema: docket.contract/v1\n", []string{"line 1: schema", "is that of a contract, not of a tax profile"}},
		"nothing in the file":       {"tax check -", "", []string{"docs/taxes.md"}},
		"no such file":              {"tax apply nowhere.yaml --as felix.moreau", "", []string{"nowhere.yaml"}},
		"nobody applies it":         {"tax apply -", texas, []string{"--as PERSON"}},
		"he keeps no books":         {"tax apply - --as tom.reyes", strings.Replace(texas, "6.25", "6", 1), []string{"tom.reyes", "owner or finance"}},
		"no such profile":           {"tax show XX", "", []string{`tax "XX" is not known`, "docket tax list"}},
		"a client without one":      {"client tax redwood --as felix.moreau", "", []string{"--none"}},
		"both":                      {"client tax redwood TX --none --as felix.moreau", "", []string{"--none"}},
		"no client":                 {"client tax", "", []string{"CLIENT is missing"}},
		"nobody knows the client":   {"client tax nobody TX --as felix.moreau", "", []string{`client "nobody" is not known`}},
		"nobody knows the profile":  {"client tax redwood XX --as felix.moreau", "", []string{`tax "XX" is not known`, "docket tax apply"}},
		"a third word":              {"client tax redwood TX now --as felix.moreau", "", []string{`"now" is one argument too many`}},
		"he may not tax the client": {"client tax redwood TX --as tom.reyes", "", []string{"tom.reyes", "owner or finance"}},
	})
	assert.Len(t, read[[]postgres.TaxVersion](s, "tax", "list"), 4)
	assert.Empty(t, read[ticket.Client](s, "client", "show", "redwood").Tax)
}

func TestSeveralTaxesAndCertificatesShow(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	s.in = texas + "exemption: {certificate: C-77, valid_from: 2020-01-01, valid_to: 2099-01-01, reason: School}\n"
	s.ok("tax", "apply", "-", "--as", "felix.moreau")
	assert.Contains(t, s.ok("tax", "show", "TX").out, "exempt    certificate C-77 from 2020-01-01, until before 2099-01-01: School")
	s.ok("client", "tax", "redwood", "TX", "--as", "felix.moreau")
	store, err := postgres.Open(t.Context(), s.env["DATABASE_URL"], postgres.Options{Now: time.Now})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	closed(t, store, "Mail stops")
	shown := s.ok("invoice", "show", "redwood").out
	assert.Contains(t, shown, "tax E, 0 % of 262.50 USD: School, certificate C-77")
}
