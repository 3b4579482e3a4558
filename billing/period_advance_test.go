package billing_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// onInvoices renders which invoice's period each charge names: "100 on its own", "100 on 2026-02-01 to 2026-02-28".
func onInvoices(d billing.PeriodDecision) string {
	var told []string
	for _, c := range d.Charges {
		on := "its own"
		if c.Bills != nil {
			on = c.Bills.String()
		}
		told = append(told, c.Amount.String()+" on "+on)
	}
	return strings.Join(told, ", ")
}

func TestFeesInAdvanceOnTheInvoiceBefore(t *testing.T) {
	const beside = "\nbilling: {advance_on: previous-invoice}\n"
	quarter := billing.Period{Start: "2026-02-15", End: "2026-05-15"}
	opening := func(p billing.Period, from, body string) billing.PeriodFacts {
		return run(billing.Opening, p, dated(t, 1, from, "", body))
	}
	for name, c := range map[string]struct {
		facts billing.PeriodFacts
		want  string
	}{
		"the default is its own":                      {opening(march, "2026-01-01", flat100), "100 on its own"},
		"its own, spelt out":                          {opening(march, "2026-01-01", flat100+"billing: {advance_on: own-invoice}\n"), "100 on its own"},
		"the month before":                            {opening(march, "2026-01-01", flat100+beside), "100 on 2026-02-01 to 2026-02-28"},
		"it begins with the period":                   {opening(march, "2026-03-01", flat100+beside), "100 on 2026-02-01 to 2026-02-28"},
		"it begins in mid-period: no invoice closes":  {opening(march, "2026-03-15", flat100+beside), "54.84 on its own"},
		"the quarter before, from its own anchor day": {opening(quarter, "2025-02-15", flat100+"billing: {period: quarterly, anchor: 15, first_month: 2, advance_on: previous-invoice}\n"), "100 on 2025-11-15 to 2026-02-14"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, onInvoices(reckon(t, c.facts)))
		})
	}

	t.Run("it says where it stands", func(t *testing.T) {
		d := reckon(t, opening(march, "2026-01-01", flat100+beside))
		require.Equal(t, `A-1 F (revision 1), "Managed service", bills every period in advance, on the invoice of the period before: this is March 2026.`, billing.Explain(d.Charges[0])[0])
		require.Equal(t, "2026-03-01", d.Charges[0].Date, "it is March's fee all the same, and counts towards March's minimum")
	})
	t.Run("two versions in one period", func(t *testing.T) {
		dearer := strings.Replace(flat100, "100.00", "131.00", 1)
		f := run(billing.Opening, march, dated(t, 1, "2026-01-01", "2026-03-11", flat100+beside), dated(t, 2, "2026-03-11", "", dearer+beside))
		require.Equal(t, "32.26 on 2026-02-01 to 2026-02-28, 88.74 on 2026-02-01 to 2026-02-28", onInvoices(reckon(t, f)))
	})
	t.Run("closing corrects on the period's own", func(t *testing.T) {
		dearer := strings.Replace(flat100, "100.00", "131.00", 1)
		f := run(billing.Closing, march, dated(t, 1, "2026-01-01", "2026-03-11", flat100+beside), dated(t, 2, "2026-03-11", "", dearer+beside))
		f.Posted = []billing.PeriodSum{posted(billing.Recurring, "F", "100")}
		require.Equal(t, "21 on its own", onInvoices(reckon(t, f)))
		f.Posted = nil
		require.Equal(t, "32.26 on its own, 88.74 on its own", onInvoices(reckon(t, f)), "an opening that never ran is made good there, too")
	})
}
