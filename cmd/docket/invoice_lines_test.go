package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// What only some contracts say of a line has a column only where one says it.
func TestInvoiceLinesShowWhatTheBooksTake(t *testing.T) {
	shown := func(lines ...billing.InvoiceLine) string {
		var out bytes.Buffer
		(&app{stdout: &out}).lines(lines)
		return out.String()
	}
	plain := billing.InvoiceLine{Line: 1, Ticket: "T-1042", Client: "acme", Text: "Remote support", Unit: "h", Currency: "USD", Date: "2026-03-18"}
	require.NotContains(t, shown(plain), "ORDER")
	require.NotContains(t, shown(plain), "BOOKED")

	said := plain
	said.Line, said.PurchaseOrder, said.TaxCategory = 2, "PO-77", "reduced"
	said.Accounting = &billing.Accounting{Account: "8010", Item: "MSP", Defer: "straight-line"}
	rows := strings.Split(shown(plain, said), "\n")
	require.Regexp(t, `AMOUNT +ORDER +TAX +BOOKED$`, rows[0])
	require.Regexp(t, `0\.00 USD$`, rows[1])
	require.Regexp(t, `0\.00 USD +PO-77 +reduced +8010 MSP, straight-line$`, rows[2])
}

func TestBooked(t *testing.T) {
	for want, a := range map[string]*billing.Accounting{
		"":                    nil,
		"8010":                {Account: "8010"},
		"SUP":                 {Item: "SUP"},
		"monthly":             {Defer: "monthly"},
		"8010, monthly":       {Account: "8010", Defer: "monthly"},
		"8010 SUP, on-demand": {Account: "8010", Item: "SUP", Defer: "on-demand"},
	} {
		require.Equal(t, want, booked(billing.InvoiceLine{Accounting: a}))
	}
}
