package billing

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// ParseFacts reads stored facts. What Canonical has written is read by hand, in a fifth of the
// time that encoding/json takes: an audit reads every closure there is. Anything else, such as
// a text with escapes or a field that is no longer known, is left to encoding/json, so the
// result is the same for every text.
//
// The facts share the memory of stored.
func ParseFacts(stored string) (Facts, error) {
	r := decoder{s: stored}
	var f Facts
	r.facts(&f)
	if r.whole() {
		return f, nil
	}
	f = Facts{}
	if err := json.Unmarshal([]byte(stored), &f); err != nil {
		return Facts{}, fmt.Errorf("read facts: %w", err)
	}
	return f, nil
}

// decoder reads canonical JSON: each field in its place, or it gives up.
type decoder struct {
	s     string
	at    int
	alien bool // something else than what encoder writes
}

func (r *decoder) whole() bool { return !r.alien && r.at == len(r.s) }

func (r *decoder) facts(f *Facts) {
	r.open()
	f.Rules = int(r.number("rules"))
	r.must("ticket")
	r.ticket(&f.Ticket)
	f.Work = readList(r, "work", 4, (*decoder).work)
	f.Contracts = readList(r, "contracts", 2, (*decoder).version)
	f.Blocks = readSome(r, "blocks", 2, (*decoder).block)
	f.Counters = readSome(r, "counters", 2, (*decoder).counter)
	f.Items = readSome(r, "items", 2, (*decoder).item)
	f.Events = readSome(r, "events", 2, (*decoder).event)
	if r.has("past") {
		f.Past = new(Past)
		r.past(f.Past)
	}
	if r.has("rerating") {
		r.open()
		f.Rerating = &Rerating{
			Hold: r.number("hold"), Contract: r.text("contract"), By: r.text("by"), ConfirmedBy: r.someText("confirmed_by"),
			Reason: r.text("reason"), Bought: int(r.someNumber("bought")),
		}
		r.close()
	}
	r.close()
}

func (r *decoder) ticket(t *Ticket) {
	r.open()
	t.ID = r.text("id")
	t.Round = int(r.number("round"))
	t.Client = r.text("client")
	t.Currency = r.someText("currency")
	t.Category = r.text("category")
	t.Subcategory = r.someText("subcategory")
	t.Type = r.someText("type")
	t.Channel = r.someText("channel")
	t.Site = r.someText("site")
	t.Device = r.someText("device")
	t.Priority = int(r.number("priority"))
	t.OpenedAt = r.instant("opened_at")
	t.ResolvedAt = r.instant("resolved_at")
	t.ResolvedOn = r.text("resolved_on")
	t.ResolvedBy = r.text("resolved_by")
	t.ResolvedKind = r.text("resolved_kind")
	t.Code = r.text("code")
	t.TicketBilled = r.someFlag("ticket_billed")
	if r.has("approved") {
		t.Approved = r.amount()
	}
	t.ApprovedCurrency = r.someText("approved_currency")
	t.ApprovedBy = r.someText("approved_by")
	t.Contact = r.someText("contact")
	if r.has("rework") {
		r.open()
		t.Rework = &Rework{Of: r.text("of"), ResolvedAt: r.instant("resolved_at")}
		r.close()
	}
	if r.has("sla") {
		r.open()
		t.SLA = &SLAOutcome{Contract: r.someText("contract"), ResponseMissed: r.someFlag("response_missed"), ResolutionMissed: r.someFlag("resolution_missed"), SpentMS: r.number("spent_ms")}
		r.close()
	}
	if r.has("project") {
		r.open()
		t.Project = &TicketProject{
			ID: r.text("id"), Currency: r.text("currency"), Budget: r.someDecimal("budget"), BudgetMS: r.someNumber("budget_ms"),
			Hourly: r.someDecimal("hourly"), Closed: r.someFlag("closed"),
		}
		r.close()
	}
	r.close()
}

func (r *decoder) past(p *Past) {
	r.open()
	p.Days = int(r.number("days"))
	p.Tickets = int(r.number("tickets"))
	p.MS = r.number("ms")
	p.Amounts = readSome(r, "amounts", 1, func(r *decoder, a *PastAmount) {
		r.open()
		a.Currency = r.text("currency")
		a.Amount = r.decimal("amount")
		r.close()
	})
	p.Span = int(r.number("span"))
	p.Week = int(r.number("week"))
	r.close()
}

func (r *decoder) work(w *Work) {
	r.open()
	w.ID = r.number("id")
	w.Actor = r.text("actor")
	w.Kind = r.text("kind")
	w.WorkType = r.text("work_type")
	w.WorkRole = r.text("work_role")
	w.StartedAt = r.instant("started_at")
	w.MS = r.number("ms")
	w.Failed = r.someFlag("failed")
	w.NoBill = r.someFlag("non_billable")
	w.Hourly = r.someDecimal("hourly")
	w.Unstarted = r.someFlag("unstarted")
	w.Offset = r.someNumber("offset_ms")
	if r.has("elsewhere") {
		r.open()
		w.Elsewhere = &Elsewhere{Ticket: r.text("ticket"), MS: r.number("ms")}
		r.close()
	}
	w.Segments = readList(r, "segments", 1, (*decoder).segment)
	r.close()
}

func (r *decoder) segment(s *Segment) {
	r.open()
	s.From = r.number("from")
	s.To = r.number("to")
	s.Date = r.text("date")
	s.Bands = readSome(r, "bands", 1, (*decoder).string)
	r.close()
}

func (r *decoder) version(v *Version) {
	r.open()
	v.Contract = r.text("contract")
	v.Revision = int(r.number("revision"))
	v.Digest = r.text("digest")
	v.From = r.instant("from")
	v.Until = r.someInstant("until")
	r.close()
}

func (r *decoder) block(b *Block) {
	r.open()
	b.ID = r.number("id")
	b.Contract = r.text("contract")
	b.Priority = int(r.number("priority"))
	b.GrantedAt = r.instant("granted_at")
	b.ExpiresAt = r.someInstant("expires_at")
	b.LeftMS = r.number("left_ms")
	b.Clause = r.someText("clause")
	b.Unpaid = r.someFlag("unpaid")
	b.ForfeitedMS = r.someNumber("forfeited_ms")
	b.RolledMS = r.someNumber("rolled_ms")
	b.RolledInto = r.someNumber("rolled_into")
	b.GrantedMS = r.someNumber("granted_ms")
	b.Period = r.someText("period")
	b.RolledFrom = r.someNumber("rolled_from")
	b.EarliestAt = r.someInstant("earliest_at")
	r.close()
}

func (r *decoder) counter(c *Counter) {
	r.open()
	c.Key = r.text("key")
	c.Value = r.decimal("value")
	r.close()
}

func (r *decoder) item(i *Item) {
	r.open()
	i.ID = r.number("id")
	i.Kind = r.text("kind")
	i.Text = r.text("text")
	i.Quantity = r.decimal("quantity")
	i.UnitCost = r.decimal("unit_cost")
	i.Currency = r.text("currency")
	i.Price = r.someDecimal("price")
	i.Date = r.text("date")
	r.close()
}

func (r *decoder) event(e *Event) {
	r.open()
	e.ID = r.number("id")
	e.Name = r.text("name")
	e.Quantity = r.decimal("quantity")
	e.Date = r.text("date")
	r.close()
}

// take reads the token where it stands next.
func (r *decoder) take(token string) bool {
	if r.alien || !strings.HasPrefix(r.s[r.at:], token) {
		return false
	}
	r.at += len(token)
	return true
}

func (r *decoder) expect(token string) {
	if !r.take(token) {
		r.alien = true
	}
}

func (r *decoder) open()  { r.expect("{") }
func (r *decoder) close() { r.expect("}") }

// has reads the name of a field where it is the next one.
func (r *decoder) has(name string) bool {
	rest := r.s[r.at:]
	if r.alien || rest == "" || r.at == 0 {
		return false
	}
	skip := 0
	if r.s[r.at-1] != '{' {
		if rest[0] != ',' {
			return false
		}
		skip = 1
	}
	end := skip + 1 + len(name)
	if len(rest) < end+2 || rest[skip] != '"' || rest[skip+1:end] != name || rest[end] != '"' || rest[end+1] != ':' {
		return false
	}
	r.at += end + 2
	return true
}

func (r *decoder) must(name string) {
	if !r.has(name) {
		r.alien = true
	}
}

func (r *decoder) text(name string) (s string) {
	r.must(name)
	r.string(&s)
	return s
}

func (r *decoder) number(name string) int64 {
	r.must(name)
	return r.integer()
}

func (r *decoder) decimal(name string) decimal.Decimal {
	r.must(name)
	return r.amount()
}

func (r *decoder) instant(name string) time.Time {
	r.must(name)
	return r.time()
}

// Fields that are left out where they are empty.

func (r *decoder) someText(name string) (s string) {
	if r.has(name) {
		r.string(&s)
	}
	return s
}

func (r *decoder) someNumber(name string) int64 {
	if r.has(name) {
		return r.integer()
	}
	return 0
}

func (r *decoder) someFlag(name string) bool {
	if r.has(name) {
		r.expect("true")
		return true
	}
	return false
}

func (r *decoder) someDecimal(name string) *decimal.Decimal {
	if r.has(name) {
		d := r.amount()
		return &d
	}
	return nil
}

func (r *decoder) someInstant(name string) (t time.Time) {
	if r.has(name) {
		return r.time()
	}
	return t
}

func readSome[T any](r *decoder, name string, room int, one func(*decoder, *T)) []T {
	if r.has(name) {
		return readItems(r, room, one)
	}
	return nil
}

func readList[T any](r *decoder, name string, room int, one func(*decoder, *T)) []T {
	r.must(name)
	return readItems(r, room, one)
}

// readItems reads a list, with room for as many items as are usual.
func readItems[T any](r *decoder, room int, one func(*decoder, *T)) []T {
	if r.take("null") {
		return nil
	}
	r.expect("[")
	if r.alien || r.take("]") {
		return []T{}
	}
	items := make([]T, 0, room)
	for !r.alien {
		items = append(items, *new(T))
		one(r, &items[len(items)-1])
		if !r.take(",") {
			r.expect("]")
			break
		}
	}
	return items
}

// string reads a text that nothing in is escaped.
func (r *decoder) string(s *string) {
	r.expect(`"`)
	if r.alien {
		return
	}
	rest, ascii := r.s[r.at:], true
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			*s = rest[:i]
			r.at += i + 1
			r.alien = !ascii && !utf8.ValidString(*s)
			return
		case c < ' ' || c == '\\':
			r.alien = true
			return
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	r.alien = true
}

// integer reads a whole number of at most 18 digits, without leading zeros.
func (r *decoder) integer() int64 {
	start := r.at
	r.take("-")
	first, n := r.at, int64(0)
	for !r.alien && r.at < len(r.s) && r.s[r.at]-'0' <= 9 {
		n = n*10 + int64(r.s[r.at]-'0')
		r.at++
		r.alien = r.at-first > mostDigits
	}
	digits := r.at - first
	if digits == 0 || (r.s[first] == '0' && r.at-start > 1) {
		r.alien = true
	}
	if first > start {
		return -n
	}
	return n
}

func (r *decoder) amount() decimal.Decimal {
	var s string
	r.string(&s)
	if r.alien {
		return decimal.Decimal{}
	}
	d, err := ParseDecimal(s)
	r.alien = err != nil
	return d
}

// ParseDecimal is decimal.NewFromString, without its detours where the number is short and written plainly.
func ParseDecimal(s string) (decimal.Decimal, error) {
	digits, point, n := 0, -1, int64(0)
	unsigned := strings.TrimPrefix(s, "-")
	for i := 0; i < len(unsigned); i++ {
		switch c := unsigned[i]; {
		case c-'0' <= 9:
			n = n*10 + int64(c-'0')
			digits++
		case c == '.' && point < 0:
			point = i
		default:
			return decimal.NewFromString(s)
		}
		if digits > mostDigits {
			return decimal.NewFromString(s)
		}
	}
	if digits == 0 || point == 0 || point == len(unsigned)-1 {
		return decimal.NewFromString(s)
	}
	if len(unsigned) < len(s) {
		n = -n
	}
	if point < 0 {
		return decimal.New(n, 0), nil
	}
	return decimal.New(n, int32(point+1-len(unsigned))), nil
}

func (r *decoder) time() (t time.Time) {
	var s string
	r.string(&s)
	if !r.alien {
		r.alien = t.UnmarshalText([]byte(s)) != nil
	}
	return t
}
