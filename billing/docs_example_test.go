package billing_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
)

// example is one worked example of docs/contracts.md: what is known of a ticket or of a period, a line each, and
// after => what posts or waits. "why" and "says" are sentences of the explanation and of the answer to the closing.
type example struct {
	t       testing.TB
	version billing.Version
	zone    *time.Location
	facts   billing.Facts
	start   time.Time // of the next work
	counted []string  // KEY=VALUE: of counters whose key begins so
	period  *billing.PeriodFacts
	want    []string
	why     []string
	says    []string
}

// decideExample decides one example under the contract version.
func decideExample(t *testing.T, v billing.Version, text string) {
	zone, err := time.LoadLocation(v.Terms.Zone())
	require.NoError(t, err)
	e := example{t: t, version: v, zone: zone, facts: facts([]billing.Version{v}), start: noon}
	for line := range strings.Lines(text) {
		e.read(strings.Fields(line))
	}
	if e.period != nil {
		e.decidePeriod()
		return
	}
	for _, key := range billing.Want(e.facts).Counters {
		e.facts.Counters = append(e.facts.Counters, billing.Counter{Key: key, Value: dec(e.standing(key))})
	}
	d := decide(t, e.facts)
	got := asWritten(d.Charges)
	for _, h := range d.Holds {
		held := []string{"waits", string(h.Reason), h.Clause, h.Amount.StringFixed(2), h.Currency}
		got = append(got, strings.Join(slices.DeleteFunc(held, func(word string) bool { return word == "" }), " "))
	}
	require.Equal(t, e.want, got)
	e.explained(every(d))
	answer := billing.Say(e.facts, d)
	for _, h := range d.Holds {
		answer += " " + h.Says
	}
	for _, sentence := range e.says {
		require.Contains(t, answer, sentence)
	}
}

// asWritten renders charges as examples write them: "time A2 1.25 h 187.50 EUR".
func asWritten(charges []billing.Charge) []string {
	var got []string
	for _, c := range charges {
		if c.Hidden && (c.Quantity.IsZero() || (c.Unit != billing.UnitHour && c.Unit != billing.UnitSecond)) {
			continue // a companion that carries a count alone
		}
		got = append(got, strings.Join([]string{string(c.Kind), c.Clause, c.Quantity.String(), c.Unit, c.Amount.StringFixed(2), c.Currency}, " "))
	}
	return got
}

func (e *example) explained(charges []billing.Charge) {
	said := ""
	for _, c := range charges {
		said += explainedLines(c) + "\n"
	}
	for _, sentence := range e.why {
		require.Contains(e.t, said, sentence)
	}
}

// standing is where a counter stands; nothing was counted where the example does not say.
func (e *example) standing(key string) string {
	for _, c := range e.counted {
		prefix, value, _ := strings.Cut(c, "=")
		if strings.HasPrefix(key, prefix+"/") {
			return value
		}
	}
	return "0"
}

func (e *example) read(words []string) {
	f := &e.facts
	switch words[0] {
	case "ticket":
		e.ticket(words[1:])
	case "work":
		e.work(words)
	case "block", "bucket", "rolled":
		e.hours(words)
	case "item":
		item := billing.Item{
			ID: int64(len(f.Items) + 1), Kind: words[1], Text: words[1], Quantity: dec("1"), UnitCost: dec(words[2]),
			Currency: e.version.Terms.Currency(), Date: f.Ticket.ResolvedOn,
		}
		for _, word := range words[3:] {
			quantity, ok := strings.CutPrefix(word, "quantity=")
			require.True(e.t, ok, word)
			item.Quantity = dec(quantity)
		}
		f.Items = append(f.Items, item)
	case "event":
		f.Events = append(f.Events, billing.Event{ID: int64(len(f.Events) + 1), Name: words[1], Quantity: dec(words[2]), Date: f.Ticket.ResolvedOn})
	case "counted":
		e.counted = append(e.counted, words[1:]...)
	case "period":
		e.readPeriod(words)
	case "=>":
		e.want = append(e.want, strings.Join(words[1:], " "))
	case "why":
		e.why = append(e.why, strings.Join(words[1:], " "))
	case "says":
		e.says = append(e.says, strings.Join(words[1:], " "))
	default:
		e.t.Fatalf("an example cannot say %q", words)
	}
}

// ticket reads "category=Project", "sla=resolution", "rework=10" (days after the earlier ticket was solved), …
func (e *example) ticket(words []string) {
	k := &e.facts.Ticket
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "category":
			k.Category = value
		case "type":
			k.Type = value
		case "site":
			k.Site = value
		case "device":
			k.Device = value
		case "contact":
			k.Contact = value
		case "resolved":
			k.ResolvedKind = value
		case "priority":
			k.Priority = e.number(value)
		case "sla":
			k.SLA = &billing.SLAOutcome{ResponseMissed: value != "resolution", ResolutionMissed: value != "response", SpentMS: hour}
		case "rework":
			k.Rework = &billing.Rework{Of: "T-0", ResolvedAt: k.OpenedAt.AddDate(0, 0, -e.number(value))}
		default:
			e.t.Fatalf("an example cannot say %q", word)
		}
	}
}

// work reads "work human remote engineer 42m", and when it was done by the contract's wall clock: "on=2026-03-14 at=17:30".
// One entry follows the other where it does not say.
func (e *example) work(words []string) {
	for _, word := range words[5:] {
		name, value, _ := strings.Cut(word, "=")
		local := e.start.In(e.zone)
		layout, at := time.DateOnly, value+local.Format(" 15:04")
		if name == "at" {
			layout, at = time.DateOnly, local.Format(time.DateOnly)+" "+value
		}
		start, err := time.ParseInLocation(layout+" 15:04", at, e.zone)
		require.NoError(e.t, err, "an example cannot say %q", word)
		e.start = start.UTC()
	}
	w := typed(work(int64(len(e.facts.Work)+1), e.start, e.length(words[4])), words[2])
	w.Kind, w.WorkRole = words[1], words[3]
	w.Segments = e.segments(w)
	e.facts.Work = append(e.facts.Work, w)
	e.start = e.start.Add(time.Duration(w.MS) * time.Millisecond)
	if k := &e.facts.Ticket; k.ResolvedAt.Before(e.start) {
		k.ResolvedAt, k.ResolvedOn = e.start, e.start.In(e.zone).Format(time.DateOnly)
	}
}

// segments cuts an entry, minute by minute, where its day or its bands change.
func (e *example) segments(w billing.Work) []billing.Segment {
	var cut []billing.Segment
	for at := int64(0); at < w.MS; at += minute {
		now := w.StartedAt.Add(time.Duration(at) * time.Millisecond)
		to, date, bands := min(at+minute, w.MS), now.In(e.zone).Format(time.DateOnly), e.bandsAt(now)
		if last := len(cut) - 1; last >= 0 && cut[last].Date == date && slices.Equal(cut[last].Bands, bands) {
			cut[last].To = to
			continue
		}
		cut = append(cut, billing.Segment{From: at, To: to, Date: date, Bands: bands})
	}
	return cut
}

func (e *example) bandsAt(now time.Time) []string {
	var in []string
	for _, b := range e.version.Terms.Bands() {
		zone, err := time.LoadLocation(b.Zone)
		require.NoError(e.t, err)
		local := now.In(zone)
		date, clock, day := local.Format(time.DateOnly), local.Format("15:04"), strings.ToLower(local.Weekday().String())
		week := "weekdays"
		if day == "saturday" || day == "sunday" {
			week = "weekend"
		}
		within := len(b.Hours) == 0
		for _, hours := range b.Hours {
			from, to, _ := strings.Cut(hours, "-")
			within = within || (from <= clock && clock < to)
		}
		within = within && (slices.Contains(b.Days, day) || slices.Contains(b.Days, week))
		if (within || slices.Contains(b.Dates, date)) && !slices.Contains(b.Except, date) {
			in = append(in, e.version.Contract+"/"+b.Name)
		}
	}
	slices.Sort(in)
	return in
}

// hours reads what there is to draw from: "block 10h expires=2026-03-01 unpaid", "bucket K1 10h", "rolled K1 2h".
func (e *example) hours(words []string) {
	b := billing.Block{ID: int64(len(e.facts.Blocks) + 1), Contract: e.version.Contract, GrantedAt: e.version.From}
	more := words[2:]
	if words[0] == "block" {
		b.LeftMS = e.length(words[1])
	} else {
		period := e.version.Terms.PeriodOf(noon.Format(time.DateOnly))
		b.Clause, b.LeftMS, more = words[1], e.length(words[2]), nil
		b.Period, b.GrantedAt, b.ExpiresAt, b.Priority = period.Start, e.midnight(period.Start), e.midnight(period.End), 2
		if words[0] == "rolled" {
			b.RolledFrom, b.Priority = 99, 3
		}
	}
	for _, word := range more {
		if date, ok := strings.CutPrefix(word, "expires="); ok {
			b.ExpiresAt = e.midnight(date)
			continue
		}
		require.Equal(e.t, "unpaid", word)
		b.Unpaid = true
	}
	b.GrantedMS = b.LeftMS
	e.facts.Blocks = append(e.facts.Blocks, b)
}

// readPeriod reads "period 2026-03 closing seat=20 seat@2026-03-16=24 billed=200.00": a run of the period that the month
// begins, with the counts at its start or on a day, and what work billed in it.
func (e *example) readPeriod(words []string) {
	c := e.version.Terms.Contract()
	period := e.version.Terms.PeriodOf(words[1] + "-01")
	e.period = &billing.PeriodFacts{
		Rules: billing.Rules, Run: billing.PeriodRun(words[2]), N: 1, Contract: c.ID, Client: c.Client, Period: period,
		Versions: []billing.DatedVersion{{Revision: 1, Digest: e.version.Digest, From: c.EffectiveFrom, Until: c.EffectiveTo, Terms: e.version.Terms}},
	}
	for _, word := range words[3:] {
		name, value, _ := strings.Cut(word, "=")
		if name == "billed" {
			e.period.Billed = []billing.CurrencySum{{Currency: c.Currency, Amount: dec(value)}}
			continue
		}
		kind, date, dated := strings.Cut(name, "@")
		if !dated {
			date = period.Start
		}
		e.period.Devices = append(e.period.Devices, billing.DeviceCount{Kind: kind, Date: date, Count: e.number(value)})
	}
	slices.SortFunc(e.period.Devices, func(a, b billing.DeviceCount) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Date, b.Date))
	})
}

// decidePeriod makes the run; a closing follows the opening of its period, which knew the counts at its start.
func (e *example) decidePeriod() {
	f := *e.period
	if f.Run == billing.Closing {
		opening := f
		opening.Run, opening.Billed = billing.Opening, nil
		opening.Devices = slices.DeleteFunc(slices.Clone(f.Devices), func(c billing.DeviceCount) bool { return c.Date > f.Period.Start })
		before := reckon(e.t, opening)
		f.Counted = before.Counted
		billed := dec("0")
		for _, c := range before.Charges {
			f.Posted = append(f.Posted, billing.PeriodSum{
				Kind: c.Kind, Clause: c.Clause, Exact: c.Exact, CurrencySum: billing.CurrencySum{Currency: c.Currency, Amount: c.Amount},
			})
			billed = billed.Add(c.Amount)
		}
		for _, b := range f.Billed {
			billed = billed.Add(b.Amount)
		}
		f.Billed = []billing.CurrencySum{{Currency: e.version.Terms.Currency(), Amount: billed}}
	}
	d := reckon(e.t, f)
	got := asWritten(d.Charges)
	for _, n := range d.Notes {
		got = append(got, fmt.Sprintf("note %s %s", n.Reason, n.Clause))
	}
	require.Equal(e.t, e.want, got)
	e.explained(d.Charges)
}

func (e *example) midnight(date string) time.Time {
	at, err := time.ParseInLocation(time.DateOnly, date, e.zone)
	require.NoError(e.t, err)
	return at.UTC()
}

func (e *example) length(text string) int64 {
	length, err := time.ParseDuration(text)
	require.NoError(e.t, err)
	return length.Milliseconds()
}

func (e *example) number(text string) int {
	n, err := strconv.Atoi(text)
	require.NoError(e.t, err)
	return n
}
