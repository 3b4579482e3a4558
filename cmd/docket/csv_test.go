package main

import (
	"bytes"
	"encoding/csv"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestRowsAsCSV(t *testing.T) {
	rate := decimal.RequireFromString("-12.50")
	type row struct {
		billing.PayerCredit
		Name   string           `json:"name"`
		Rate   *decimal.Decimal `json:"rate,omitempty"`
		None   *time.Time       `json:"none"`
		At     time.Time        `json:"at"`
		Lines  []int64          `json:"lines,omitempty"`
		Hidden string           `json:"-"`
		For    billing.Period   `json:"for"`
		Deep   *struct {
			Owed decimal.Decimal `json:"owed"`
			For  billing.Period  `json:"for"`
		} `json:"deep"`
	}
	rows := []row{
		{PayerCredit: billing.PayerCredit{Payer: "acme", Currency: "USD", Balance: decimal.NewFromInt(5)}, Name: `=HYPERLINK("http://evil")`, Rate: &rate, At: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Lines: []int64{1, 2}, For: billing.Period{Start: "2026-03-01"}},
		{Name: "+1, \"two\"\nlines"},
	}
	rows[1].Deep = &struct {
		Owed decimal.Decimal `json:"owed"`
		For  billing.Period  `json:"for"`
	}{rate, billing.Period{End: "2026-04-01"}}
	var out bytes.Buffer
	values := []reflect.Value{reflect.ValueOf(rows[0]), reflect.ValueOf(rows[1])}
	require.NoError(t, writeCSV(&out, reflect.TypeFor[row](), values))
	found, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	require.Equal(t, [][]string{
		{"payer", "currency", "balance", "name", "rate", "none", "at", "lines", "for.start", "for.end", "deep.owed", "deep.for"},
		{"acme", "USD", "5", `'=HYPERLINK("http://evil")`, "-12.5", "", "2026-03-01T00:00:00Z", "[1,2]", "2026-03-01", "", "", ""},
		{"", "", "0", "'+1, \"two\"\nlines", "", "", "0001-01-01T00:00:00Z", "", "", "", "-12.5", `{"start":"","end":"2026-04-01"}`},
	}, found)
}

// Every list and report is CSV with the columns of its JSON, also where it is empty; what is not rows says so before it does anything.
func TestListsAndReportsAsCSV(t *testing.T) {
	s := newShell(t)
	s.env["DATABASE_URL"] = shopDatabase(t)
	for _, command := range []string{
		"report sla", "report projects", // the others: reportCommands
		"invoice list", "client list", "dispute list", "credit list", "block list", "ticket list", "exception list", "period list",
	} {
		out := s.ok(append([]string{"-o", "csv"}, strings.Fields(command)...)...).out
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		require.NoError(t, err, command)
		require.NotEmpty(t, rows, command)
		require.Equal(t, strings.ToLower(rows[0][0]), rows[0][0], command)
		require.True(t, strings.HasPrefix(strings.TrimSpace(s.ok(append([]string{"-o", "json"}, strings.Fields(command)...)...).out), "["), command)
	}
	r := s.docket("-o", "csv", "invoice", "pay", "INV-2026-00001", "--amount", "5", "--as", "felix.moreau")
	require.Equal(t, exitBadInput, r.code)
	require.Contains(t, r.err, "-o csv is for lists and reports")
}
