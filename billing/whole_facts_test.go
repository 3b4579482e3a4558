package billing_test

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
)

// wholeWork are the types of work that a whole contract has clauses for, and one that it has not.
var wholeWork = []string{
	"remote", "onsite", "monitoring", "migration", "cloud", "advice", "request", "project", "travel", "internal", "furniture", "else",
}

// drawnWhole gives a closure of any shape under a whole contract: work of people and agents in and out of
// bands, over the edges of days and periods, with everything that can belong to a ticket. Blocks and counters are
// left to who stores them.
func drawnWhole(t *rapid.T, v billing.Version) billing.Facts {
	day := noon.AddDate(0, 0, rapid.IntRange(0, 24).Draw(t, "day"))
	var entries []billing.Work
	for n := range rapid.IntRange(0, 5).Draw(t, "entries") {
		entries = append(entries, drawnEntry(t, int64(n+1), day))
	}
	f := facts([]billing.Version{v}, entries...)
	k := &f.Ticket
	k.ResolvedAt = day.Add(15 * time.Hour)
	k.ResolvedOn = k.ResolvedAt.Format(time.DateOnly)
	k.OpenedAt = day.Add(-time.Hour)
	k.Code = rapid.SampledFrom([]string{"solved", "solved", "solved", "solved", "silent", "spam"}).Draw(t, "code")
	k.ResolvedKind = rapid.SampledFrom([]string{"human", "ai"}).Draw(t, "resolved by")
	k.Category = rapid.SampledFrom([]string{"Email", "Password"}).Draw(t, "category")
	k.Device = rapid.SampledFrom([]string{"", "PC-1", "PC-1", "PC-9"}).Draw(t, "device")
	k.Contact = rapid.SampledFrom([]string{"P-1", "P-1", "P-7", ""}).Draw(t, "contact")
	if rapid.IntRange(0, 9).Draw(t, "rework") == 0 {
		k.Rework = &billing.Rework{Of: "T-0", ResolvedAt: day.Add(-time.Duration(rapid.IntRange(1, 6).Draw(t, "days ago")) * 24 * time.Hour)}
	}
	if rapid.Bool().Draw(t, "sla") {
		k.SLA = &billing.SLAOutcome{
			ResponseMissed: rapid.Bool().Draw(t, "response"), ResolutionMissed: rapid.Bool().Draw(t, "resolution"),
			SpentMS: rapid.Int64Range(0, 9*hour).Draw(t, "spent"),
		}
	}
	if rapid.IntRange(0, 7).Draw(t, "approved") == 0 {
		k.Approved, k.ApprovedCurrency = decimal.NewFromInt(500), "EUR"
	}
	number := rapid.Int64Range(1, 40)
	for n := range rapid.IntRange(0, 3).Draw(t, "items") {
		i := item(int64(n+1), decimal.New(number.Draw(t, "quantity"), -1).String(), decimal.New(number.Draw(t, "cost"), -2).String())
		i.Kind = rapid.SampledFrom([]string{"part", "licence", "expense"}).Draw(t, "kind")
		i.Currency, i.Date = rapid.SampledFrom([]string{"EUR", "EUR", "USD"}).Draw(t, "currency"), k.ResolvedOn
		if rapid.Bool().Draw(t, "priced") {
			price := decimal.New(number.Draw(t, "price"), -1)
			i.Price = &price
		}
		f.Items = append(f.Items, i)
	}
	for n := range rapid.IntRange(0, 4).Draw(t, "events") {
		e := event(int64(n+1), rapid.SampledFrom([]string{"action", "device-added", "payment", "storage", "resold", "reboot"}).Draw(t, "event"),
			decimal.New(number.Draw(t, "used"), 0).String())
		e.Date = k.ResolvedOn
		f.Events = append(f.Events, e)
	}
	return f
}

// drawnEntry is work of a day, cut where its evening and its night begin and where its date ends.
func drawnEntry(t *rapid.T, id int64, day time.Time) billing.Work {
	start := day.Add(time.Duration(rapid.Int64Range(0, 10*hour).Draw(t, "start")) * time.Millisecond)
	length := rapid.OneOf(rapid.Int64Range(1, 5*hour), rapid.SampledFrom([]int64{15 * minute, 30 * minute, hour, 90 * minute}), rapid.Int64Range(1, minute)).Draw(t, "length")
	w := work(id, start, length)
	w.WorkType = rapid.SampledFrom(wholeWork).Draw(t, "type")
	if rapid.IntRange(0, 3).Draw(t, "ai") == 0 {
		w = aiWork(id, start, rapid.OneOf(rapid.Int64Range(1, 10*second), rapid.Int64Range(1, 3*hour)).Draw(t, "run"))
		if rapid.IntRange(0, 2).Draw(t, "typed") == 0 {
			w.WorkType = rapid.SampledFrom(wholeWork).Draw(t, "type of AI work")
		}
	} else {
		w.Actor = rapid.SampledFrom([]string{"anna", "ben", "cleo"}).Draw(t, "actor")
		w.WorkRole = rapid.SampledFrom([]string{"engineer", "architect"}).Draw(t, "role")
	}
	w.Failed = rapid.IntRange(0, 9).Draw(t, "failed") == 0
	w.NoBill = rapid.IntRange(0, 19).Draw(t, "marked") == 0
	w.Unstarted = rapid.IntRange(0, 19).Draw(t, "unstarted") == 0
	if rapid.IntRange(0, 14).Draw(t, "own rate") == 0 {
		own := decimal.New(rapid.Int64Range(0, 30_000).Draw(t, "rate"), -2)
		w.Hourly = &own
	}
	w.Segments = segmentsOf(w)
	return w
}

// segmentsOf cuts an entry as the store does: at midnight, and where a band begins or ends. Weekends have none.
func segmentsOf(w billing.Work) []billing.Segment {
	var segments []billing.Segment
	for at := int64(0); at < w.MS; {
		now := w.StartedAt.Add(time.Duration(at) * time.Millisecond)
		midnight := now.Truncate(24 * time.Hour)
		var names []string
		edge := midnight.Add(24 * time.Hour)
		for _, b := range []struct {
			name string
			from time.Duration
		}{{"ALL-1/evening", 17 * time.Hour}, {"ALL-1/night", 20 * time.Hour}} {
			if begins := midnight.Add(b.from); now.Before(begins) {
				edge = begins
				break
			}
			names = append(names, b.name)
		}
		if day := now.Weekday(); day == time.Saturday || day == time.Sunday {
			names = nil
		}
		to := min(w.MS, edge.Sub(w.StartedAt).Milliseconds())
		segments = append(segments, billing.Segment{From: at, To: to, Date: now.Format(time.DateOnly), Bands: slices.Clone(names)})
		at = to
	}
	return segments
}

// onSomeBooks gives the closure counters that stand anywhere, and blocks with some hours.
func onSomeBooks(t *rapid.T, f billing.Facts) billing.Facts {
	v := f.Contracts[0]
	for n := range rapid.IntRange(0, 3).Draw(t, "blocks") {
		k := block(int64(n+1), rapid.Int64Range(0, 3*hour).Draw(t, "left"))
		k.Contract, k.GrantedAt = "ALL-1", f.Ticket.OpenedAt.Add(-time.Duration(rapid.IntRange(-3, 99).Draw(t, "granted"))*time.Hour)
		if rapid.Bool().Draw(t, "expires") {
			k.ExpiresAt = k.GrantedAt.Add(time.Duration(rapid.IntRange(1, 120).Draw(t, "life")) * time.Hour)
		}
		k.Unpaid, k.Priority = rapid.Bool().Draw(t, "unpaid"), rapid.IntRange(0, 2).Draw(t, "priority")
		f.Blocks = append(f.Blocks, k)
	}
	for n, clause := range []string{"K1", "K2"} {
		k := allowanceOf(int64(10+n), rapid.Int64Range(0, 4*hour).Draw(t, "left of "+clause))
		k.Contract, k.Clause, k.GrantedMS = "ALL-1", clause, 10*hour
		k.Period = v.Terms.PeriodOf(f.Ticket.ResolvedOn).Start
		f.Blocks = append(f.Blocks, k)
	}
	f.Counters = nil
	for _, key := range billing.Want(f).Counters {
		f.Counters = append(f.Counters, billing.Counter{Key: key, Value: decimal.New(rapid.Int64Range(0, 99).Draw(t, "counted"), 0)})
	}
	return f
}
