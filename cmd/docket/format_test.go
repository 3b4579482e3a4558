package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

func TestMoneyAlwaysHasItsCurrency(t *testing.T) {
	for _, c := range []struct{ amount, currency, want string }{
		{"187.5", "USD", "187.50 USD"},
		{"1200", "JPY", "1200 JPY"},
		{"3.25", "KWD", "3.250 KWD"},
		{"0.0125", "EUR", "0.0125 EUR"},
		{"-40", "USD", "-40.00 USD"},
	} {
		assert.Equal(t, c.want, money(decimal.RequireFromString(c.amount), c.currency))
	}
}

func TestLasting(t *testing.T) {
	for ms, want := range map[int64]string{
		0: "0 ms", 999: "999 ms", 1900: "1.9 s", 60_000: "1 min", 90_000: "1 min 30 s", 2_520_000: "42 min", 3_600_000: "1 h", 4_500_000: "1 h 15 min",
	} {
		assert.Equal(t, want, lasting(ms))
	}
}

func TestTimesAreShortAndLocal(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	a := &app{now: func() time.Time { return time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC) }, zone: zone}
	assert.Equal(t, "09:30:00", a.when(time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)))
	assert.Equal(t, "22 Nov 21:00", a.when(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)), "yesterday there, today in UTC")
	assert.Equal(t, "2025-11-23 09:30", a.when(time.Date(2025, 11, 23, 14, 30, 0, 0, time.UTC)))
	assert.Empty(t, a.when(time.Time{}))
}

type fruit struct {
	Name  string `json:"name"`
	Price string `json:"price"`
}

func printed(t *testing.T, output string, items []fruit) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, output: output}
	require.NoError(t, list(a, items, "No fruit yet. Pick some: pick",
		text("NAME", func(f fruit) string { return f.Name }), number("PRICE", func(f fruit) string { return f.Price })))
	return out.String(), errs.String()
}

func TestListInEveryFormat(t *testing.T) {
	items := []fruit{{"Äpfel", "1.00 EUR"}, {"pears\nand plums", "12.00 EUR"}}
	table, _ := printed(t, "table", items)
	assert.Equal(t, strings.Join([]string{
		"NAME                 PRICE",
		"Äpfel             1.00 EUR",
		"pears and plums  12.00 EUR", "",
	}, "\n"), table, "aligned, money to the right")
	asJSON, _ := printed(t, "json", items[:1])
	assert.JSONEq(t, `[{"name":"Äpfel","price":"1.00 EUR"}]`, asJSON)
	lines, _ := printed(t, "jsonl", items)
	assert.Len(t, strings.Split(strings.TrimSpace(lines), "\n"), 2)
}

func TestEmptyListSaysWhatToDo(t *testing.T) {
	stdout, stderr := printed(t, "table", nil)
	assert.Empty(t, stdout, "data goes to stdout, and there is none")
	assert.Equal(t, "No fruit yet. Pick some: pick\n", stderr)
	asJSON, _ := printed(t, "json", nil)
	assert.JSONEq(t, "[]", asJSON)
	lines, _ := printed(t, "jsonl", nil)
	assert.Empty(t, lines)
}

func line(kind billing.ChargeKind, quantity, unit, rate, amount, clause string) billing.InvoiceLine {
	d := decimal.RequireFromString
	return billing.InvoiceLine{Kind: kind, Quantity: d(quantity), Unit: unit, Rate: d(rate), Amount: d(amount), Currency: "USD", Clause: clause}
}

func TestAClosedTicketInPlainWords(t *testing.T) {
	for name, c := range map[string]struct {
		lines []billing.InvoiceLine
		want  string
		total string
	}{
		"covered":               {[]billing.InvoiceLine{line(billing.Covered, "1", "h", "0", "0", "§2.1")}, "covered by §2.1", "0.00 USD"},
		"entries of one rate":   {[]billing.InvoiceLine{line(billing.Time, "1.75", "h", "175", "306.25", "A1"), line(billing.Time, "1.25", "h", "175", "218.75", "A1")}, "3 h at 175.00 USD by A1", "525.00 USD"},
		"block and overage":     {[]billing.InvoiceLine{line(billing.BlockDraw, "0.583333333", "h", "0", "0", "B1"), line(billing.Overage, "0.25", "h", "142", "35.5", "B1")}, "0.58 h from the block of hours by B1, 0.25 h beyond the block by B1", "35.50 USD"},
		"an included ticket":    {[]billing.InvoiceLine{line(billing.PerTicket, "1", "ticket", "0", "0", "T2")}, "an included ticket by T2", "0.00 USD"},
		"after hours":           {[]billing.InvoiceLine{line(billing.Time, "1", "h", "195", "195", "C6"), line(billing.CallOut, "1", "piece", "85", "85", "C8")}, "1 h at 195.00 USD by C6, called out by C8", "280.00 USD"},
		"parts":                 {[]billing.InvoiceLine{line(billing.Material, "2", "piece", "159.85", "319.7", "M1")}, "2 × 159.85 USD of material by M1", "319.70 USD"},
		"late":                  {[]billing.InvoiceLine{line(billing.Covered, "1", "h", "0", "0", "C5"), line(billing.Credit, "1", "piece", "-24", "-24", "S1")}, "covered by C5, credit of 24.00 USD by S1", "-24.00 USD"},
		"beyond what is agreed": {[]billing.InvoiceLine{line(billing.Time, "5.5", "h", "130", "715", "C4"), line(billing.Discount, "1", "piece", "-115", "-115", "G2")}, "5.5 h at 130.00 USD by C4, 115.00 USD taken off by G2", "600.00 USD"},
		"from a retainer":       {[]billing.InvoiceLine{line(billing.Time, "2.25", "h", "165", "371.25", "K2"), line(billing.FromRetainer, "1", "piece", "-300", "-300", "K2")}, "2.25 h at 165.00 USD by K2, 300.00 USD paid from the retainer by K2", "71.25 USD"},
		"use, twice":            {[]billing.InvoiceLine{line(billing.Usage, "1", "piece", "4", "4", "K4"), line(billing.Usage, "1", "piece", "4", "4", "K4")}, "use at 8.00 USD by K4", "8.00 USD"},
		"a device added":        {[]billing.InvoiceLine{line(billing.Recurring, "1", "piece", "12", "12", "M2")}, "a fee of 12.00 USD by M2", "12.00 USD"},
		"nothing on an invoice": {nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, covers(c.lines))
			assert.Equal(t, c.total, totals(c.lines))
		})
	}
}

func TestWhatWasReversedIsNotTold(t *testing.T) {
	first := line(billing.Time, "1", "h", "100", "100", "A1")
	first.Line = 7
	undo := line(billing.Reversal, "-1", "h", "100", "-100", "A1")
	undo.Line, undo.Reverses = 8, 7
	again := line(billing.Time, "2", "h", "100", "200", "A1")
	again.Line = 9
	lines := []billing.InvoiceLine{first, undo, again}
	assert.Equal(t, "2 h at 100.00 USD by A1", covers(lines))
	assert.Equal(t, "200.00 USD", totals(lines))
}

func TestWhatPeopleReadObeysNoStranger(t *testing.T) {
	var out, raw bytes.Buffer
	a := &app{stdout: &out, output: "table"}
	evil := "\x1b[31mred\x1b]0;own\a \u202etxt.exe\u200b\u009b2J\x00"
	require.NoError(t, a.show(nil, func() { _, _ = fmt.Fprintf(a.stdout, "T-1\t%s\nnext é 日本\n", evil) }))
	require.Equal(t, "T-1\t[31mred]0;own txt.exe2J\nnext é 日本\n", out.String())
	out.Reset()
	require.NoError(t, list(a, []string{evil}, "", text("SUBJECT", func(s string) string { return s })))
	require.Equal(t, "SUBJECT\n[31mred]0;own txt.exe2J\n", out.String())
	require.Same(t, &out, a.stdout, "files go out as they are")

	a = &app{stdout: &raw, output: "jsonl"}
	require.NoError(t, list(a, []string{evil}, "", text("SUBJECT", func(s string) string { return s })))
	var back string
	require.NoError(t, json.Unmarshal(raw.Bytes(), &back))
	require.Equal(t, evil, back, "a program gets what was written")
}

func TestColumnsStandBelowEachOther(t *testing.T) {
	var b strings.Builder
	align(&b, [][]string{{"WHAT", "AMOUNT"}, {"月額", "1"}, {"e\u0301te\u0301", "20"}, {"four", "300"}}, []bool{false, true})
	assert.Equal(t, "WHAT  AMOUNT\n月額       1\ne\u0301te\u0301       20\nfour     300\n", b.String())
}
