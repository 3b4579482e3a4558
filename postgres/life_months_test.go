package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// A minute costs two dollars where no block pays for it.
const lifeContract = `
schema: docket.contract/v1
contract: acme-block
client: acme
name: Work, and blocks of hours
effective_from: "2025-01-01"
currency: USD
time_zone: America/New_York
billing: {payment_days: 14, negative: %s}
rates:
  - {clause: "3.1", work_role: engineer, hourly: "120.00"}
lines:
  - {clause: "2.1", name: Remote support, charge: time, match: {categories: [email]}}
  - {clause: "4.1", name: Block hours, charge: block, match: {categories: [network]}}
`

// months are random months at acme's, in Docket and in the clerk's books.
type months struct {
	*till
	*clerk
	rt    *rapid.T
	zone  *time.Location
	jobs  []*lifeJob
	story []string
}

type lifeJob struct {
	id      ticket.ID
	on      string // its category
	round   int
	minutes int64 // of all rounds
	works   []done
	open    bool
	month   int
	lines   []*entry // that stand
	took    []drawn
}

type done struct {
	at      time.Time
	minutes int64
}

func newMonths(t *testing.T, rt *rapid.T) *months {
	t.Helper()
	c := &clerk{bills: map[int]*bill{}, series: map[string]int{}}
	negative := "carry"
	if c.notes = rapid.Bool().Draw(rt, "notes"); c.notes {
		negative = "credit-note"
	}
	k := newTill(t, fmt.Sprintf(lifeContract, negative))
	k.named()
	m := &months{till: k, clerk: c, rt: rt}
	var err error
	m.zone, err = time.LoadLocation("America/New_York")
	require.NoError(t, err)
	c.years = func() int { return k.now().In(m.zone).Year() }
	switch rapid.IntRange(0, 2).Draw(rt, "taxed") {
	case 1:
		c.rate, c.byLine = 7, true
		k.tax("schema: docket.tax/v1\ntax: T\nname: T\nper: line\nstandard: s\ncategories: [{category: s, code: S, rates: [{percent: 7}]}]\n")
		require.NoError(t, k.TaxClient(t.Context(), "acme", "T", "olga"))
	case 2:
		c.rate = 7
		k.tax("schema: docket.tax/v1\ntax: T\nname: T\nstandard: s\ncategories: [{category: s, code: S, rates: [{percent: 7}]}]\n")
		require.NoError(t, k.TaxClient(t.Context(), "acme", "T", "olga"))
	}
	k.on("2026-01-03")
	m.say("negative invoices: %s, tax %d %%, by line: %t", negative, c.rate, c.byLine)
	return m
}

func (m *months) say(format string, args ...any) {
	m.story = append(m.story, m.now().Format("2006-01-02 15:04 ")+fmt.Sprintf(format, args...))
}

// did takes note of a deed and of what Docket said to it, and checks that it was refused where the clerk refuses it.
func (m *months) did(may bool, says string, err error, format string, args ...any) bool {
	m.t.Helper()
	what := fmt.Sprintf(format, args...)
	if err != nil {
		m.say("%s: refused: %v", what, err)
		require.NotEmpty(m.rt, ticket.Problems(err), "%v", err)
	} else {
		m.say("%s: %s", what, says)
	}
	require.Equal(m.rt, may, err == nil, "%s: the clerk differs", what)
	return err == nil
}

func cases[V any](m *months, from []V, name string) (v V, ok bool) {
	if len(from) == 0 {
		return v, false
	}
	return rapid.SampledFrom(from).Draw(m.rt, name), true
}

func (m *months) opens() {
	on := rapid.SampledFrom([]string{"email", "email", "network"}).Draw(m.rt, "category")
	j := &lifeJob{id: m.opened(on), on: on}
	m.jobs = append(m.jobs, j)
	m.closes(j)
}

// closes a ticket with some work; work on mail may be logged months late.
func (m *months) closes(j *lifeJob) {
	j.round++
	m.begin(j.id, j.round)
	n := rapid.IntRange(1, 240).Draw(m.rt, "minutes")
	work := m.minutes("tom", n)
	if j.minutes == 0 {
		if j.on == "email" && rapid.IntRange(0, 3).Draw(m.rt, "late") == 0 {
			work.StartedAt = work.StartedAt.AddDate(0, -rapid.IntRange(1, 3).Draw(m.rt, "months late"), 0)
		}
		j.month = monthOf(work.StartedAt.In(m.zone))
	}
	fresh := monthOf(work.StartedAt.In(m.zone))
	j.minutes, j.open, j.works = j.minutes+int64(n), false, append(j.works, done{work.StartedAt, int64(n)})
	r, err := m.Close(m.t.Context(), j.id, j.round, m.resolve("tom", work))
	require.NoError(m.rt, err)
	require.Empty(m.rt, r.Held)
	m.say("%s closes, %s, %d minutes in all, served %s: %s", j.id, j.on, j.minutes, monthName(j.month), r.Says)
	cost := j.minutes
	if j.took = nil; j.on == "network" {
		for _, w := range j.works { // of earlier rounds, too
			j.took = append(j.took, m.draws(w.minutes, w.at)...)
		}
		for _, d := range j.took {
			cost -= d.minutes
		}
	}
	j.lines = nil
	of, sum := fmt.Sprintf("%s/%d", j.id, j.round), int64(0)
	for _, p := range r.Posted {
		month := fresh
		if on := m.lineMonth(p.Line); on != 0 {
			month = on
		}
		j.lines = append(j.lines, m.post(&entry{line: p.Line, what: "work", net: cents(p.Amount), month: month, of: of}))
		sum += cents(p.Amount)
	}
	require.Equal(m.rt, dollars(200*cost), dollars(sum), "%s", j.id)
}

// lineMonth is the month in which a line says that its service was done: a round that bills work of several months has lines for each.
func (m *months) lineMonth(line int64) int {
	var on time.Time
	require.NoError(m.t, m.admin.QueryRow(m.t.Context(), "select service_date from invoice_lines where charge_id = $1", line).Scan(&on))
	return monthOf(on)
}

// over says whether a block has ended that reached work of the ticket. What becomes of its hours then is another story: edge case 33.
func (m *months) over(j *lifeJob) bool {
	return j.on == "network" && slices.ContainsFunc(m.blocks, func(h *hours) bool {
		return h.ended && slices.ContainsFunc(j.works, func(w done) bool { return h.reaches(w.at) })
	})
}

func (m *months) reopens() {
	j, ok := cases(m, slices.DeleteFunc(slices.Clone(m.jobs), func(j *lifeJob) bool { return j.open || m.over(j) }), "reopened")
	if !ok {
		return
	}
	ask := ticket.Reopen{Header: m.by("ann"), Reason: "Still broken"}
	deed := func() (string, error) { a, err := m.Reopen(m.t.Context(), j.id, ask); return a.Says, err }
	if says, err := m.twice(deed); m.did(true, says, err, "%s is reopened", j.id) {
		m.undoes(j.lines)
		for _, d := range j.took {
			d.from.left += d.minutes
		}
		j.open = true
		m.pass(5 * time.Hour) // its next work overlaps no earlier one
	}
}

func (m *months) again() {
	if j, ok := cases(m, slices.DeleteFunc(slices.Clone(m.jobs), func(j *lifeJob) bool { return !j.open || m.over(j) }), "closed again"); ok {
		m.closes(j)
	}
}

// twice does a deed, and sometimes once more under its key: the answer is the same, and the clerk hears of one.
func (m *months) twice(deed func() (string, error)) (string, error) {
	m.t.Helper()
	says, err := deed()
	if err == nil && rapid.IntRange(0, 3).Draw(m.rt, "twice") == 0 {
		again, err := deed()
		require.NoError(m.rt, err)
		require.Equal(m.rt, says, again, "one key, one answer")
	}
	return says, err
}

func (m *months) sells() {
	hoursOf, price := rapid.Int64Range(1, 5).Draw(m.rt, "hours"), rapid.Int64Range(1, 900).Draw(m.rt, "price")
	ends := time.Date(m.now().Year(), m.now().Month()+time.Month(rapid.IntRange(0, 3).Draw(m.rt, "ends")), 28, 0, 0, 0, 0, time.UTC)
	if rapid.Bool().Draw(m.rt, "with the month") { // which is over in UTC while its last evening lasts where the client is
		ends = time.Date(ends.Year(), ends.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	}
	g := postgres.BlockGrant{
		OperationKey: m.key(), Contract: "acme-block", Hours: decimal.NewFromInt(hoursOf), GrantedAt: m.now().Add(-8 * time.Hour), ExpiresAt: ends,
		Price: decimal.NewFromInt(price), Currency: "USD", By: "olga",
	}
	var id int64
	says, err := m.twice(func() (string, error) {
		b, err := m.GrantBlock(m.t.Context(), g)
		id = b.ID
		return fmt.Sprint(b.ID), err
	})
	m.did(true, says, err, "a block of %d h for %d.00, until %s", hoursOf, price, ends.Format(time.DateOnly))
	sale := m.post(&entry{what: "sale", net: 100 * price, month: monthOf(g.GrantedAt.In(m.zone)), of: fmt.Sprintf("block %d", id)})
	m.blocks = append(m.blocks, &hours{id: id, price: 100 * price, granted: 60 * hoursOf, left: 60 * hoursOf, since: g.GrantedAt, expires: ends, sale: sale})
}

func (m *months) expires() {
	ended, err := m.EndBlocks(m.t.Context(), "", m.now())
	require.NoError(m.rt, err)
	n := 0
	for _, h := range m.blocks {
		if !h.ended && !h.cancelled && !m.now().Before(h.expires) {
			h.ended, n = true, n+1
		}
	}
	m.say("%d blocks end", n)
	require.Len(m.rt, ended, n)
}

// takesBack cancels a block of which nothing is used, while its sale is on an open invoice.
func (m *months) takesBack() {
	h, ok := cases(m, slices.DeleteFunc(slices.Clone(m.blocks), func(h *hours) bool {
		return h.ended || h.cancelled || h.sale.on.finalised || h.sale.from != nil
	}), "block")
	if !ok {
		return
	}
	_, err := m.CancelBlock(m.t.Context(), h.id, "olga", "Sold by mistake")
	if m.did(h.left == h.granted && m.now().Before(h.expires), "done", err, "block %d is taken back", h.id) {
		h.cancelled = true
		m.undoes([]*entry{h.sale})
	}
}

func (m *months) writesDown() {
	var lines []*entry
	for _, b := range m.openBills() {
		for _, l := range b.lines {
			if l.line != 0 && l.original().what == "work" && l.net > 0 {
				lines = append(lines, l)
			}
		}
	}
	l, ok := cases(m, lines, "written down")
	if !ok {
		return
	}
	to := rapid.Int64Range(0, l.net).Draw(m.rt, "to")
	w := postgres.LineWriteDown{Line: l.line, To: dollars(to), Reason: "Too long", By: "olga", OperationKey: m.key()}
	var down billing.WrittenDown
	says, err := m.twice(func() (_ string, err error) { down, err = m.WriteDown(m.t.Context(), w); return down.Says, err })
	if m.did(l.base.undone == nil && to < l.now(), says, err, "%s is written down to %s", ticket.LineID(l.line), dollars(to)) {
		off := m.post(&entry{line: down.By, what: "write-down", net: to - l.now(), month: l.month, of: l.of, base: l.base})
		require.Same(m.rt, l.on, off.on)
		for _, j := range m.jobs {
			if slices.Contains(j.lines, l.base) {
				j.lines = append(j.lines, off)
			}
		}
	}
}

func (m *months) openBills() []*bill {
	var open []*bill
	for month := range 12 * 3000 {
		if b := m.bills[month]; b != nil && !b.finalised && len(b.lines) > 0 {
			open = append(open, b)
		}
	}
	return open
}

// same compares Docket's books with the clerk's.
func (m *months) same() {
	ctx := m.t.Context()
	list, err := m.Invoices(ctx, postgres.InvoiceFilter{Payer: "acme", Limit: 1000})
	require.NoError(m.rt, err)
	slices.SortFunc(list, func(a, b billing.Invoice) int { return strings.Compare(a.PeriodStart, b.PeriodStart) })
	var told strings.Builder
	for _, i := range list {
		if i.LineCount == 0 {
			continue
		}
		r := i.Receivable
		if r == nil {
			fmt.Fprintf(&told, "%s %s %s, %d lines\n", i.PeriodStart[:7], i.State, i.Total.StringFixed(2), i.LineCount)
			continue
		}
		fmt.Fprintf(&told, "%s %s %s: %s of %s owed, %s paid, %s applied, %s credited, %s in question, %d lines\n", i.PeriodStart[:7], i.Number, i.State,
			r.Owed.StringFixed(2), r.Payable.StringFixed(2), r.Paid.StringFixed(2), r.Applied.StringFixed(2), r.Credited.StringFixed(2), r.Disputed.StringFixed(2), i.LineCount)
	}
	fmt.Fprintf(&told, "credit %s\n", m.till.inCredit())
	require.Equal(m.rt, m.tells(), told.String(), "what the clerk's books say, and Docket's")
}

// breakage is what expired by month, as the journal has it.
func (m *months) breakage() map[string]string {
	m.t.Helper()
	rows, err := m.admin.Query(m.t.Context(), "select to_char(booked_on, 'YYYY-MM'), (-sum(amount))::text from journal where account = 'breakage' group by 1")
	require.NoError(m.rt, err)
	found := map[string]string{}
	var month, amount string
	_, err = pgx.ForEachRow(rows, []any{&month, &amount}, func() error { found[month] = amount; return nil })
	require.NoError(m.rt, err)
	return found
}

// ends compares what needs no look after each deed: what is owed by age, what blocks are worth, and the journal.
func (m *months) ends() {
	ctx := m.t.Context()
	local := m.now().In(m.zone)
	rows, err := m.ReportReceivables(ctx, postgres.Balance{})
	require.NoError(m.rt, err)
	aged := "0.00 0.00 0.00 0.00 0.00"
	for _, r := range rows {
		aged = strings.Join([]string{r.NotDue.StringFixed(2), r.To30.StringFixed(2), r.To60.StringFixed(2), r.To90.StringFixed(2), r.Over90.StringFixed(2)}, " ")
		require.Equal(m.rt, dollars(m.clerk.inCredit()), r.Credit.StringFixed(2))
	}
	require.Equal(m.rt, m.aged(time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)), aged, "what is owed, by the days since it was due")
	require.Equal(m.rt, dollars(-m.deferred()), dollars(m.one("select coalesce(sum(amount), 0) from journal where account = 'deferred'")), "deferred revenue is what unused hours are worth")
	require.Equal(m.rt, m.expired(m.zone), m.breakage(), "and what expired is revenue of its last month, whenever it was swept")
	var wip, owed, tax int64
	for _, b := range m.bills {
		for _, l := range b.lines {
			switch {
			case !b.finalised:
				wip += l.net
			case b.void: // its copies are the work in progress, and its own lines have left it
			default:
				tax += l.tax
			}
		}
		if b.finalised {
			owed += b.owed()
		}
	}
	for _, b := range m.order {
		if b.void {
			continue
		}
		for _, l := range b.lines {
			if l.backAll != 0 {
				tax -= l.backAll - l.backNet
			}
		}
	}
	of := func(account string) string {
		return dollars(m.one("select coalesce(sum(amount), 0) from journal where account = $1", account))
	}
	require.Equal(m.rt, dollars(owed), of("receivable"))
	require.Equal(m.rt, dollars(wip), of("wip"))
	require.Equal(m.rt, dollars(-tax), of("tax"))
	require.Equal(m.rt, dollars(-m.clerk.inCredit()), of("client-credit"))
	require.Zero(m.rt, m.count("select count(*) from (select from journal group by kind, source, unit having sum(amount) <> 0) x"), "every entry balances")
	m.accountingAgrees()
	found, err := m.Audit(ctx, nil)
	require.NoError(m.rt, err)
	require.True(m.rt, found.Clean(), "%+v", found)
}

// TestRandomLivesOfInvoices plays random months at a client, and compares after each deed what every invoice owes, where it stands, and what is
// in credit with the books of a clerk who works by hand. A story that fails is told.
func TestRandomLivesOfInvoices(t *testing.T) {
	few(t, 12)
	rapid.Check(t, func(rt *rapid.T) {
		m := newMonths(t, rt)
		rt.Cleanup(func() {
			m.Disconnect() // thousands of checks have no thousands of connections
			m.admin.Close()
			if rt.Failed() || t.Failed() {
				rt.Logf("The story:\n%s", strings.Join(m.story, "\n"))
			}
		})
		deeds := []func(){
			m.opens, m.opens, m.opens, m.opens, m.reopens, m.reopens, m.again, m.sells, m.expires, m.takesBack, m.writesDown, m.writesDown, m.finalises, m.finalises,
			m.finalises, m.reviews, m.paysSome, m.paysSome, m.bouncesOne, m.creditsSome, m.creditsSome, m.voidsOne, m.usesCredit, m.questions, m.settles, m.sends, m.reminds, m.exports, m.exports,
		}
		for n := range rapid.IntRange(10, 50).Draw(rt, "deeds") {
			deeds[rapid.IntRange(0, len(deeds)-1).Draw(rt, fmt.Sprintf("deed %d", n))]()
			m.pass(20 * time.Minute)
			m.same()
		}
		m.ends()
	})
}
