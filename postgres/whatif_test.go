package postgres_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// march is the month in which these tests happen.
var march = postgres.WhatIfQuestion{From: sla.LocalDate{Year: 2026, Month: 3, Day: 1}, To: sla.LocalDate{Year: 2026, Month: 4, Day: 1}}

// whatIf asks, and gives the answer with its tickets.
func (k *till) whatIf(q postgres.WhatIfQuestion, draft string) billing.WhatIf {
	k.t.Helper()
	q.Document = []byte(draft)
	before := k.books()
	var rows []billing.WhatIfTicket
	found, err := k.WhatIf(k.t.Context(), q, func(t billing.WhatIfTicket) error { rows = append(rows, t); return nil })
	require.NoError(k.t, err)
	require.Zero(k.t, found.Failed, "%+v", rows)
	require.Equal(k.t, before, k.books(), "it only reads")
	require.Len(k.t, rows, found.Closures)
	found.Tickets = rows
	requireSums(k.t, found)
	return found
}

// books are all rows of money, and where counters and blocks stand.
func (k *till) books() string {
	k.t.Helper()
	var books string
	require.NoError(k.t, k.admin.QueryRow(k.t.Context(), `
		select concat_ws('/', (select count(*) from charges), (select count(*) from holds), (select count(*) from counter_moves), (select count(*) from block_moves),
			(select string_agg(key || '=' || value, ',' order by key) from counters), (select string_agg(id || '=' || remaining_ms, ',' order by id) from blocks),
			(select sum(amount) from invoice_lines), (select count(*) from contract_versions))`).Scan(&books))
	return books
}

// requireSums requires that tickets and billing periods, and clauses, add up to the totals.
func requireSums(t testing.TB, found billing.WhatIf) {
	t.Helper()
	var byTicket, byClause billing.Comparison
	for _, row := range found.Tickets {
		for _, d := range row.Totals {
			byTicket.Add("", "", d)
		}
	}
	for _, p := range found.Periods {
		for _, d := range p.Totals {
			byTicket.Add("", "", d)
		}
	}
	for _, c := range found.Clauses {
		byClause.Add("", "", c.Difference)
	}
	require.Len(t, found.Totals, len(byTicket))
	for i, d := range byTicket.Totals() {
		require.True(t, found.Totals[i].By.Equal(d.By) && found.Totals[i].Posted.Equal(d.Posted) && found.Totals[i].WouldHold.Equal(d.WouldHold), "%+v, tickets %+v", found.Totals[i], d)
		require.True(t, byClause.Totals()[i].By.Equal(d.By))
	}
}

// change is by how much a ticket's round would differ.
func change(t testing.TB, found billing.WhatIf, id ticket.ID, round int) string {
	t.Helper()
	sum := decimal.Zero
	for _, row := range found.Tickets {
		if row.Ticket == string(id) && row.Round == round {
			for _, d := range row.Totals {
				sum = sum.Add(d.By)
			}
		}
	}
	return sum.StringFixed(2)
}

func total(t testing.TB, found billing.WhatIf) billing.Difference {
	t.Helper()
	require.Len(t, found.Totals, 1)
	return found.Totals[0]
}

func TestWhatIfOfTheSameTermsIsNoDifference(t *testing.T) {
	l := live(t)
	// A waived hold, and one that was declined and then billed.
	for _, action := range []ticket.Ruling{ticket.WriteOff, ticket.Cover, ticket.Bill} {
		id := l.ticket("network")
		l.pass(time.Hour)
		h := l.close(id, 1, l.minutes("tom", 300)).Held[0]
		l.pass(time.Hour)
		if action == ticket.Bill {
			answer, err := l.SignOff(t.Context(), id, ticket.SignOff{Header: l.by("ann"), Hold: h.Hold, Digest: h.Digest, Reason: "Too much"})
			require.NoError(t, err)
			require.Equal(t, billing.Passed, answer.Outcome)
		}
		_, err := l.Rule(t.Context(), id, ticket.Rule{Header: l.by("dora"), Hold: h.Hold, Action: action, Reason: "So be it"})
		require.NoError(t, err)
	}
	found := l.whatIf(march, hourly)
	assert.Equal(t, int(l.count("select count(*) from closures")), found.Closures)
	assert.Zero(t, found.Changed, "%+v", found.Tickets)
	for _, row := range found.Tickets {
		for _, c := range row.Clauses {
			assert.True(t, c.Posted.Equal(c.WouldPost) && c.Held.Equal(c.WouldHold), "%s round %d %+v", row.Ticket, row.Round, c)
		}
	}
	assert.Equal(t, l.owed(), total(t, found).Posted.StringFixed(2), "what was is what the lines come to")
	assert.Equal(t, "750.00", total(t, found).WouldHold.StringFixed(2), "what waits does so on both sides")
}

func TestWhatIfRatesEachEntryAgain(t *testing.T) {
	l := live(t)
	found := l.whatIf(march, strings.Replace(hourly, `"150.00"`, `"180.00"`, 1))
	assert.Equal(t, "22.50", change(t, found, l.billed, 1), "45 minutes")
	assert.Equal(t, "0.00", change(t, found, l.reopened, 1), "undone on both sides")
	assert.Equal(t, "45.00", change(t, found, l.reopened, 2), "of both rounds' 90 minutes")
	assert.Equal(t, "150.00", change(t, found, l.waits, 1), "held on both sides")
	assert.Equal(t, "120.00", change(t, found, l.approved, 1))
	d := total(t, found)
	assert.Equal(t, "337.50", d.By.StringFixed(2))
	// What the client signed was 600.00: about 720.00 he would have to be asked again.
	assert.Equal(t, "1620.00", d.WouldHold.StringFixed(2))
	assert.Equal(t, 4, found.Changed)
}

func TestWhatIfCountersRunInMemory(t *testing.T) {
	l := live(t)
	// One onboarding was included and one cost 45.00. With two included, neither does; with none, both do.
	assert.Equal(t, "-45.00", total(t, l.whatIf(march, strings.Replace(hourly, "included: 1", "included: 2", 1))).By.StringFixed(2))
	assert.Equal(t, "45.00", total(t, l.whatIf(march, strings.Replace(hourly, ", included: 1", "", 1))).By.StringFixed(2))
	// A period that begins between the two takes the counter as it stood then.
	l.pass(24 * time.Hour)
	third := l.ticket("onboarding")
	l.close(third, 1, l.minutes("tom", 30))
	tomorrow := march
	tomorrow.From = sla.LocalDate{Year: 2026, Month: 3, Day: 19}
	found := l.whatIf(tomorrow, strings.Replace(hourly, "included: 1", "included: 3", 1))
	assert.Equal(t, 1, found.Closures)
	assert.Equal(t, "-45.00", change(t, found, third, 1), "it is the third of the month")
	found = l.whatIf(tomorrow, strings.Replace(hourly, "included: 1", "included: 2", 1))
	assert.Equal(t, "0.00", change(t, found, third, 1))
}

func TestWhatIfBesideAndInsteadOfOthers(t *testing.T) {
	l := live(t)
	other := strings.NewReplacer("acme-hourly", "acme-flat", `"150.00"`, `"100.00"`, "[ann]", "[ben]").Replace(hourly)
	t.Run("instead of another contract", func(t *testing.T) {
		q := march
		q.InsteadOf = "acme-hourly"
		found := l.whatIf(q, other)
		assert.Equal(t, "-562.50", total(t, found).By.StringFixed(2))
		assert.Equal(t, "acme-hourly", found.InsteadOf)
	})
	t.Run("beside it, the two tie", func(t *testing.T) {
		found := l.whatIf(march, other)
		assert.Empty(t, found.InsteadOf)
		for _, row := range found.Tickets {
			for _, d := range row.Totals {
				assert.True(t, d.WouldPost.IsZero(), "%+v", row)
			}
		}
	})
	t.Run("beside it, with a higher priority", func(t *testing.T) {
		found := l.whatIf(march, other+"priority: 1\n")
		assert.Equal(t, "-562.50", total(t, found).By.StringFixed(2))
	})
}

func TestWhatIfRefuses(t *testing.T) {
	l := live(t)
	for name, c := range map[string]struct {
		question postgres.WhatIfQuestion
		draft    string
		says     string
	}{
		"a draft that is none":       {march, "schema: docket.contract/v1\n", "contract is missing"},
		"another client":             {postgres.WhatIfQuestion{Client: "zenith"}, hourly, "the draft is acme's"},
		"an unknown client":          {march, strings.Replace(hourly, "client: acme", "client: nobody", 1), `client "nobody" is not known`},
		"an unknown contract":        {postgres.WhatIfQuestion{InsteadOf: "acme-gone"}, hourly, `instead_of "acme-gone" is not known`},
		"another client's contract":  {march, strings.Replace(hourly, "client: acme", "client: zenith", 1), "is acme's contract"},
		"a period that ends at once": {postgres.WhatIfQuestion{From: march.To, To: march.From}, hourly, "is not after --from 2026-04-01"},
	} {
		t.Run(name, func(t *testing.T) {
			c.question.Document = []byte(c.draft)
			_, err := l.WhatIf(t.Context(), c.question, func(billing.WhatIfTicket) error { return nil })
			require.ErrorContains(t, err, c.says)
			require.NotEmpty(t, append(ticket.Problems(err), problemsOf(err)...), "bad input, not a failure")
		})
	}
}

// problemsOf are those of a document, as if they were of a message.
func problemsOf(err error) []*ticket.Problem {
	var all []*ticket.Problem
	for range billing.Problems(err) {
		all = append(all, &ticket.Problem{})
	}
	return all
}

func TestWhatIfHoursRunInMemory(t *testing.T) {
	k := newTill(t, bucket)
	k.worked("2026-03-18", 180)
	k.on("2026-04-10")
	april, _ := k.worked("2026-04-09", 600)
	k.pass(12 * time.Hour)
	beyond, _ := k.worked("2026-04-10", 300) // 1 h beyond the ten of April and the four that rolled over
	require.Equal(t, "120.00", k.owed())
	two := postgres.WhatIfQuestion{From: march.From, To: sla.LocalDate{Year: 2026, Month: 5, Day: 1}}

	k.requireSame(k.whatIf(two, bucket))
	t.Run("without rollover", func(t *testing.T) {
		found := k.whatIf(two, replaced(bucket, ", rollover: 4h", ""))
		assert.Equal(t, "0.00", change(t, found, april, 1))
		assert.Equal(t, "480.00", change(t, found, beyond, 1), "five hours beyond ten")
	})
	t.Run("with fewer hours", func(t *testing.T) {
		// Eight hours: March leaves five, of which four roll over.
		assert.Equal(t, "240.00", total(t, k.whatIf(two, replaced(bucket, "included: 10h", "included: 8h"))).By.StringFixed(2))
	})
	t.Run("from April alone, March's hours are those of the books", func(t *testing.T) {
		q := two
		q.From = march.To
		assert.Equal(t, "240.00", total(t, k.whatIf(q, replaced(bucket, "included: 10h", "included: 8h"))).By.StringFixed(2))
	})
	t.Run("an hourly contract instead", func(t *testing.T) {
		q := two
		q.InsteadOf = "acme-bucket"
		found := k.whatIf(q, strings.Replace(hourly, `amount_over: "500.00"`, `amount_over: "5000.00"`, 1))
		assert.Equal(t, "2580.00", total(t, found).By.StringFixed(2), "18 h at 150.00 less 120.00")
	})
	t.Run("a bucket in place of the hours by the hour", func(t *testing.T) {
		k := newTill(t, hourly)
		k.worked("2026-03-18", 300)
		q := march
		q.InsteadOf = "acme-hourly"
		found := k.whatIf(q, bucket)
		assert.Equal(t, "-750.00", total(t, found).By.StringFixed(2), "they would be in the allowance")
	})
}

func TestEdge26ThePreviewIsWhatAReopenedTicketThenBills(t *testing.T) {
	l := live(t)
	draft := strings.NewReplacer(`"2026-01-01"`, `"2026-03-01"`, `"150.00"`, `"187.00"`, "increment: 15m", "increment: 1h").Replace(hourly)
	_, err := l.ApplyContract(t.Context(), []byte(draft), "olga", false)
	require.ErrorContains(t, err, "`docket whatif --contract FILE --from 2026-03-01`")

	found := l.whatIf(march, draft)
	i := slices.IndexFunc(found.Tickets, func(row billing.WhatIfTicket) bool { return row.Ticket == string(l.billed) })
	preview := found.Tickets[i].Totals[0]
	require.Equal(t, "112.50", preview.Posted.StringFixed(2))
	require.Equal(t, "187.00", preview.WouldPost.StringFixed(2), "an hour")
	require.Equal(t, 2, found.Revision)

	_, err = l.ApplyContract(t.Context(), []byte(draft), "olga", true)
	require.NoError(t, err)
	before := l.owed()
	l.reopen(l.billed)
	l.begin(l.billed, 2)
	again, err := l.Close(t.Context(), l.billed, 2, ticket.Resolve{Header: l.by("tom"), Resolution: "Solved it"})
	require.NoError(t, err)
	require.Len(t, again.Posted, 1)
	assert.Equal(t, preview.WouldPost.String(), again.Posted[0].Amount.String())
	assert.Equal(t, decimal.RequireFromString(before).Add(preview.By).StringFixed(2), l.owed())
	l.proved()
}

func TestWhatIfCutsWorkAgain(t *testing.T) {
	k := newTill(t, hourly)
	id := k.ticket("email")
	entry := k.minutes("tom", 120)
	entry.StartedAt = time.Date(2026, 3, 17, 20, 0, 0, 0, time.UTC) // 16:00 to 18:00 in New York
	k.close(id, 1, entry)
	evening := hourly + `bands: [{name: evening, days: [weekdays], hours: ["17:00-24:00"], multiplier: 2}]
`
	t.Run("at the edges of a draft's bands", func(t *testing.T) {
		assert.Equal(t, "150.00", change(t, k.whatIf(march, evening), id, 1), "an hour of it counts twice")
	})
	t.Run("where the draft begins", func(t *testing.T) {
		late := strings.NewReplacer(`"2026-01-01"`, `"2026-03-17"`, `"150.00"`, `"300.00"`).Replace(hourly)
		assert.Equal(t, "300.00", change(t, k.whatIf(march, late), id, 1))
		entry := k.minutes("tom", 120)
		entry.StartedAt = time.Date(2026, 3, 17, 3, 0, 0, 0, time.UTC) // 23:00 of the day before
		other := k.ticket("email")
		k.close(other, 1, entry)
		found := k.whatIf(march, late)
		assert.Equal(t, "150.00", change(t, found, other, 1), "an hour on each side")
		assert.Contains(t, found.Notes[0], "begins on 2026-03-17")
	})
	t.Run("where a later revision goes on", func(t *testing.T) {
		_, err := k.ApplyContract(t.Context(), []byte(strings.NewReplacer(`"2026-01-01"`, `"2026-03-17"`, `"150.00"`, `"200.00"`).Replace(hourly)), "olga", true)
		require.NoError(t, err)
		found := k.whatIf(march, strings.Replace(hourly, `"150.00"`, `"999.00"`, 1))
		assert.Equal(t, "100.00", change(t, found, id, 1), "the revision of 17 March governs, as it would")
		assert.Contains(t, found.Notes[0], "From 2026-03-17 revision 2 of acme-hourly governs")
	})
}

func TestWhatIfOfBillingPeriods(t *testing.T) {
	k := periods(t, managed)
	k.devices("workstation", "2026-01-01", 12)
	k.worked("2026-03-01", 60)
	k.on("2026-04-02")
	require.Contains(t, k.sweep(), "M 1280.00")
	q := march
	q.To = sla.LocalDate{Year: 2026, Month: 5, Day: 1}
	k.requireSame(k.whatIf(q, managed))

	found := k.whatIf(q, replaced(managed, `price: "500.00"`, `price: "700.00"`))
	require.Len(t, found.Periods, 2)
	assert.Equal(t, "0.00", found.Periods[0].Totals[0].By.StringFixed(2), "March comes to its minimum all the same")
	assert.Equal(t, "200.00", found.Periods[1].Totals[0].By.StringFixed(2), "April has only opened")

	found = k.whatIf(q, replaced(replaced(managed, `price: "10.00"`, `price: "200.00"`), `hourly: "100.00"`, `hourly: "150.00"`))
	assert.Equal(t, "50.00", found.Tickets[0].Totals[0].By.StringFixed(2))
	// March: 500 + 12 × 200 + 150 is above the minimum, so nothing lacks. It was 2000 with 100 of it by the ticket.
	assert.Equal(t, "1000.00", found.Periods[0].Totals[0].By.StringFixed(2))
	assert.Equal(t, "1050.00", total(t, found).By.StringFixed(2))

	t.Run("of a contract beside it", func(t *testing.T) {
		found := k.whatIf(q, strings.NewReplacer("acme-managed", "acme-more", "charge: time}", "charge: time, match: {categories: [none]}}").Replace(managed))
		assert.Equal(t, "2500.00", total(t, found).By.StringFixed(2), "a minimum for March, and April's fee")
	})
}

func TestWhatIfTellsBothSidesOfATicket(t *testing.T) {
	l := live(t)
	q := march
	q.Detail = l.reopened
	found := l.whatIf(q, strings.Replace(hourly, `"150.00"`, `"180.00"`, 1))
	var details []*billing.WhatIfDetail
	for _, row := range found.Tickets {
		if row.Detail != nil {
			require.Equal(t, string(l.reopened), row.Ticket)
			details = append(details, row.Detail)
		}
	}
	require.Len(t, details, 2, "one a round")
	require.Len(t, details[0].Was, 2)
	require.Len(t, details[0].Would, 2)
	assert.Equal(t, billing.Reversal, details[0].Would[1].Kind)
	assert.Contains(t, strings.Join(billing.Explain(details[1].Would[0]), " "), "The rate card asks 180 an hour")
	assert.Contains(t, strings.Join(billing.Explain(details[1].Was[0]), " "), "The rate card asks 150 an hour")

	q.Detail = l.waits
	found = l.whatIf(q, hourly)
	detail := found.Tickets[len(found.Tickets)-1].Detail
	require.Len(t, detail.Waits, 1)
	require.Len(t, detail.WouldWait, 1)
}
