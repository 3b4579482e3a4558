package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// stage is where random stories happen: a database, and hands through which its people act.
type stage struct {
	*postgres.Store
	t     *testing.T
	admin *pgxpool.Pool
	hands hands
	now   func() time.Time
	pass  func(time.Duration) // nil: time passes by itself
	casts atomic.Int64

	most   int64 // stories; 0: as many as rapid likes
	failed atomic.Bool
}

// hands carry a message out, and wait until nothing of it is under way any more.
type hands interface {
	open(ctx context.Context, o ticket.Opening) (ticket.ID, error)
	do(ctx context.Context, id ticket.ID, m ticket.Message) (told, error)
}

// told is what became of a message.
type told struct {
	effect bool
	says   string
	split  ticket.ID
}

// TestRandomStoriesEqualTheOracle plays random stories of one client against the store, and compares Docket's books
// with a clerk's after each step: stages, rounds, what is billed to the cent, what waits, the block's minutes. A story
// that fails is told in lines: who did what, and what was answered.
func TestRandomStoriesEqualTheOracle(t *testing.T) {
	t.Parallel()
	url := testenv.Template(t, "house", func(url string) error {
		_, err := postgres.Migrate(context.Background(), url, "", "")
		return err
	})
	var clock atomic.Int64
	clock.Store(time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC).UnixNano())
	now := func() time.Time { return time.Unix(0, clock.Load()).UTC() }
	store, err := postgres.Open(t.Context(), url, postgres.Options{Now: now, MaxConns: 8})
	require.NoError(t, err)
	t.Cleanup(store.Disconnect)
	st := newStage(t, store, url, &byStore{store})
	st.now, st.pass = now, func(d time.Duration) { clock.Add(int64(d)) }
	rapid.Check(t, func(rt *rapid.T) { st.play(rt) })
	st.tellHowFar()
}

// The same stories through the tickets' workflows, on a real Temporal server: fewer, as each step is a round trip
// through it.
func TestE2ERandomStoriesThroughWorkflows(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.relay()
	h.work()
	st := newStage(t, h.Store, h.url, &byDesk{h})
	st.most = 4
	rapid.Check(t, func(rt *rapid.T) { st.play(rt) })
}

func newStage(t *testing.T, store *postgres.Store, url string, h hands) *stage {
	t.Helper()
	admin, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(admin.Close)
	return &stage{Store: store, t: t, admin: admin, hands: h, now: time.Now}
}

// tellHowFar logs how many of the stories came to what only a person ends.
func (st *stage) tellHowFar() {
	var held, settled int
	require.NoError(st.t, st.admin.QueryRow(st.t.Context(), `
select count(distinct client_id), count(distinct client_id) filter (where state = 'settled') from holds where closure_id is not null`).Scan(&held, &settled))
	st.t.Logf("of %d stories %d held something at a closing, and %d settled it", st.casts.Load(), held, settled)
}

// play is one story, with a client of its own.
func (st *stage) play(rt *rapid.T) {
	if st.most > 0 && st.casts.Load() >= st.most && !st.failed.Load() {
		return // one that failed is played again and again, to be told as shortly as it can be
	}
	p := st.cast(rt)
	rt.Cleanup(func() {
		if rt.Failed() {
			rt.Logf("The story:\n%s", strings.Join(p.lines, "\n"))
			if !st.failed.Swap(true) { // through workflows it may have been a race, which is not played again
				st.t.Logf("The story as it failed first:\n%s\nThe clerk's books:\n%s", strings.Join(p.lines, "\n"), p.books)
			}
		}
	})
	for range 2 { // the desk is open: a story of empty hands shows nothing
		p.open(rt)
	}
	rt.Repeat(map[string]func(*rapid.T){
		"":                 p.compare,
		"open":             p.open,
		"claim":            p.claim,
		"work":             p.work,
		"wait":             p.wait,
		"resume":           p.resume,
		"resolve":          p.resolve,
		"request-approval": p.requestApproval,
		"sign-off":         p.signOff,
		"rule":             p.rule,
		"rule in parts":    p.ruleInParts,
		"rule otherwise":   p.ruleOtherwise,
		"decide":           p.decide,
		"finish":           p.finish,
		"prioritise":       p.prioritise,
		"reopen":           p.reopen,
		"reply":            p.reply,
		"merge":            p.merge,
		"unmerge":          p.unmerge,
		"split":            p.split,
		"cancel":           p.cancel,
		"again":            p.again,
		"time":             p.timePasses,
	})
	p.ends()
}

// play is a story under way.
type play struct {
	*stage
	t      *rapid.T
	ctx    context.Context
	client string
	books  *oracle
	lines  []string
	keys   int
	entry  int64 // work entries so far: each is of a day before the last one's
	ids    []ticket.ID
	said   []saying
	merges map[ticket.ID]mergeOf
	quotes map[int64]billing.HeldQuote // what stands, by hold
}

// saying is a message that was sent, and what was answered.
type saying struct {
	id     ticket.ID
	m      ticket.Message
	answer told
	err    string
}

type mergeOf struct {
	into ticket.ID
	took []*entry
}

const mixed = `
schema: docket.contract/v1
contract: %[1]s-mixed
client: %[1]s
name: Hours and a block
effective_from: "2015-01-01"
currency: USD
time_zone: UTC
priority: 10
time: {increment: 15m}
rates:
  - {clause: "3.1", work_role: engineer, hourly: "120.00"}
  - {clause: "3.2", actor: ai, hourly: "36.00"}
lines:
  - {clause: "4.1", name: Block hours, charge: block, match: {categories: [network]}}
  - {clause: "2.1", name: Support, charge: time, match: {categories: [email]}}
approval: {clause: "5.1", amount_over: "200.00", approvers: [%[1]s.ann], expires: 720h}
`

// flat is there beside it, for what somebody rules to rate under it.
const flat = `
schema: docket.contract/v1
contract: %[1]s-flat
client: %[1]s
name: By the minute
effective_from: "2015-01-01"
currency: USD
time_zone: UTC
rates: [{clause: "3.1", hourly: "60.00"}, {clause: "3.2", actor: ai, hourly: "60.00"}]
lines: [{clause: "2.1", name: Minutes, charge: time}]
`

const blockHours = 3

// cast gives the story its client, people, contract and block.
func (st *stage) cast(rt *rapid.T) *play {
	p := &play{
		stage: st, t: rt, ctx: rt.Context(), client: fmt.Sprintf("c%d", st.casts.Add(1)), books: newOracle(blockHours * 60),
		merges: map[ticket.ID]mergeOf{}, quotes: map[int64]billing.HeldQuote{},
	}
	require.NoError(rt, st.PutClient(p.ctx, ticket.Client{ID: p.client, Name: strings.ToUpper(p.client), TimeZone: "UTC", Currency: "USD"}))
	for _, who := range []ticket.Person{
		{ID: p.who("tom"), Name: "Tom", Kind: ticket.Human, Roles: []string{"technician"}, WorkRole: "engineer"},
		{ID: p.who("dora"), Name: "Dora", Kind: ticket.Human, Roles: []string{"dispatcher"}, WorkRole: "engineer"},
		{ID: p.who("bot"), Name: "Agent", Kind: ticket.AI, Roles: []string{"agent"}, WorkRole: "agent"},
		{ID: p.who("ann"), Name: "Ann", Kind: ticket.Human, Client: p.client, Roles: []string{"approver", "contact"}},
		{ID: p.who("carl"), Name: "Carl", Kind: ticket.Human, Client: p.client, Roles: []string{"contact"}},
	} {
		require.NoError(rt, st.PutPerson(p.ctx, postgres.Staffing{Person: who}))
	}
	for _, contract := range []string{mixed, flat} {
		_, err := st.ApplyContract(p.ctx, fmt.Appendf(nil, contract, p.client), p.who("dora"), true)
		require.NoError(rt, err)
	}
	_, err := st.GrantBlock(p.ctx, postgres.BlockGrant{
		OperationKey: p.client + "-block", Contract: p.client + "-mixed", Hours: decimal.NewFromInt(blockHours), GrantedAt: time.Date(2015, 1, 2, 0, 0, 0, 0, time.UTC), Currency: "USD",
	})
	require.NoError(rt, err)
	return p
}

func (p *play) who(name string) string { return p.client + "." + name }

func (p *play) by(name string) ticket.Header {
	p.keys++
	return ticket.Header{OperationKey: fmt.Sprintf("%s-%d", p.client, p.keys), Who: p.who(name), Via: ticket.ViaCLI, At: p.now()}
}

// any gives one of the tickets; the story skips the step where there is none.
func (p *play) any(rt *rapid.T, label string) (ticket.ID, *account) {
	if len(p.ids) == 0 {
		rt.Skip("no ticket yet")
	}
	id := rapid.SampledFrom(p.ids).Draw(rt, label)
	if _, follows := p.hands.(*byDesk); follows { // whoever writes to a merged ticket reaches the one that carries on
		id = p.books.lives(id)
	}
	return id, p.books.tickets[id]
}

// one gives who does it: mostly who may, now and then one of the client's people, who may not.
func (p *play) one(rt *rapid.T, may string) string {
	return rapid.SampledFrom([]string{may, may, may, may, "carl"}).Draw(rt, "who")
}

// send carries the message out and tells the story.
func (p *play) send(rt *rapid.T, id ticket.ID, m ticket.Message, what string, args ...any) told {
	answer, err := p.hands.do(p.ctx, id, m)
	s := saying{id: id, m: m, answer: answer}
	switch {
	case err != nil && len(ticket.Problems(err)) == 0:
		require.NoError(rt, err)
	case err != nil:
		s.err = err.Error()
		answer.says = "refused: " + s.err
	}
	p.said = append(p.said, s)
	p.tells("%s %s on %s → %s", strings.TrimPrefix(m.Head().Who, p.client+"."), fmt.Sprintf(what, args...), id, oneLine(answer))
	return answer
}

func oneLine(a told) string {
	effect := ""
	if !a.effect {
		effect = "(no effect) "
	}
	return effect + strings.ReplaceAll(a.says, "\n", "; ")
}

func (p *play) tells(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf("%3d. ", len(p.lines)+1)+fmt.Sprintf(format, args...))
}

// expect compares whether the message took effect with what the oracle says.
func (p *play) expect(rt *rapid.T, want bool, got told) {
	require.Equal(rt, want, got.effect, "does it take effect? %s", got.says)
}

func (p *play) open(rt *rapid.T) {
	if len(p.ids) >= 5 {
		rt.Skip("enough tickets")
	}
	category := rapid.SampledFrom([]string{"network", "email"}).Draw(rt, "category")
	key := p.by("ann").OperationKey
	id, err := p.hands.open(p.ctx, ticket.Opening{
		Client: p.client, Subject: "Something with " + category, Source: "story", ExternalID: key, EventID: key, Category: category, OpenedAt: p.now(),
	})
	require.NoError(rt, err)
	p.tells("Ann opens %s, about %s", id, category)
	p.ids = append(p.ids, id)
	p.books.open(id, category)
}

func (p *play) claim(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	who := rapid.SampledFrom([]string{"tom", "dora", "bot", "carl"}).Draw(rt, "who")
	got := p.send(rt, id, ticket.Claim{Header: p.by(who)}, "claims")
	if who == "carl" || !a.isOpen() {
		p.expect(rt, false, got)
	}
}

// measured is work on a day of its own, so that nobody works twice at a time.
func (p *play) measured(rt *rapid.T) (ticket.WorkEntry, *entry) {
	p.entry++
	e := &entry{
		id: p.entry, at: p.now().AddDate(0, 0, -int(p.entry)).Truncate(24 * time.Hour).Add(9 * time.Hour), agent: rapid.IntRange(0, 3).Draw(rt, "agent") == 0,
		minutes: rapid.SampledFrom([]int{1, 14, 15, 16, 30, 45, 60, 90, 120}).Draw(rt, "minutes"), free: rapid.IntRange(0, 9).Draw(rt, "free") == 0,
	}
	actor := rapid.SampledFrom([]string{"tom", "dora"}).Draw(rt, "actor")
	if e.agent {
		actor = "bot"
	}
	return ticket.WorkEntry{
		OperationKey: fmt.Sprintf("%s-work-%d", p.client, p.entry), Actor: p.who(actor), WorkType: "remote", StartedAt: e.at,
		MS: int64(e.minutes) * 60_000, NonBillable: e.free,
	}, e
}

func (p *play) work(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	w, e := p.measured(rt)
	sender := "dora"
	if e.agent {
		sender = "bot"
	}
	got := p.send(rt, id, ticket.Work{Header: p.by(sender), Entry: w}, "logs %d minutes of %s%s", e.minutes, strings.TrimPrefix(w.Actor, p.client+"."), map[bool]string{true: ", free of charge"}[e.free])
	p.expect(rt, a.isOpen(), got)
	if a.isOpen() {
		a.work = append(a.work, e)
		a.sort()
	}
}

func (p *play) wait(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	got := p.send(rt, id, ticket.Wait{Header: p.by("tom"), Reason: "customer"}, "waits for the customer")
	p.expect(rt, a.stage == ticket.Resolution, got)
	if got.effect {
		a.stage = ticket.Waiting
	}
}

func (p *play) resume(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	got := p.send(rt, id, ticket.Resume{Header: p.by("tom")}, "resumes")
	p.expect(rt, a.stage == ticket.Waiting, got)
	if got.effect {
		a.stage = ticket.Resolution
	}
}

func (p *play) resolve(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	code := rapid.SampledFrom([]string{ticket.Solved, ticket.Solved, ticket.Solved, ticket.Silent, ticket.Duplicate, ticket.Spam}).Draw(rt, "code")
	who := p.one(rt, "tom")
	m := ticket.Resolve{Header: p.by(who), Resolution: "Done", Code: code}
	var e *entry
	if rapid.Bool().Draw(rt, "with work") {
		var w ticket.WorkEntry
		if w, e = p.measured(rt); e.agent {
			e.agent, w.Actor = false, p.who("tom")
		}
		m.Work = []ticket.WorkEntry{w}
	}
	with := ""
	if e != nil {
		with = fmt.Sprintf(" with %d minutes", e.minutes)
	}
	was := a.stage
	got := p.send(rt, id, m, "resolves as %s%s", code, with)
	if was != ticket.Resolution && was != ticket.Waiting {
		return // the books show whether it had an effect
	}
	p.expect(rt, who == "tom", got)
	if who != "tom" {
		return
	}
	if e != nil {
		a.work = append(a.work, e)
		a.sort()
	}
	if p.books.close(a, code) {
		a.held.hold = p.holdOf(rt, id)
	}
}

// holdOf is what the ticket's closing holds: one thing.
func (p *play) holdOf(rt *rapid.T, id ticket.ID) int64 {
	held, err := p.Held(p.ctx, id)
	require.NoError(rt, err)
	require.Len(rt, held, 1, "%+v", held)
	return held[0].Hold
}

func (p *play) requestApproval(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	cents := rapid.SampledFrom([]int{50_00, 200_00, 250_00, 900_00}).Draw(rt, "cents")
	m := ticket.RequestApproval{Header: p.by("tom"), Action: "Replace it", Amount: decimal.New(int64(cents), -2).StringFixed(2), Currency: "USD"}
	got := p.send(rt, id, m, "asks for %s before the work", m.Amount)
	p.expect(rt, a.isOpen(), got)
	if got.effect {
		held, err := p.Held(p.ctx, id)
		require.NoError(rt, err)
		a.asked[held[len(held)-1].Hold] = &fee{cents: cents}
	}
}

// signOff is of anything that waits on the ticket, or of what does not; sometimes by somebody who may not, sometimes
// of another quote.
func (p *play) signOff(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	held, err := p.Held(p.ctx, id)
	require.NoError(rt, err)
	if len(held) == 0 {
		rt.Skip("nothing waits")
	}
	q := rapid.SampledFrom(held).Draw(rt, "hold")
	m := ticket.SignOff{
		Header: p.by(rapid.SampledFrom([]string{"ann", "ann", "ann", "ann", "carl", "tom", "dora"}).Draw(rt, "who")), Hold: q.Hold, Digest: q.Digest,
		Approved: rapid.IntRange(0, 2).Draw(rt, "approved") > 0, Reason: "because",
	}
	if rapid.IntRange(0, 5).Draw(rt, "stale") == 0 {
		m.Digest = "of another quote"
	}
	verb := map[bool]string{true: "approves", false: "declines"}[m.Approved]
	if m.Digest != q.Digest {
		verb += " another quote of"
	}
	got := p.send(rt, id, m, "%s %s", verb, ticket.HoldID(m.Hold))
	before := a.asked[q.Hold]
	counts := m.Who == p.who("ann") && m.Digest == q.Digest && q.Kind == billing.SignOff
	p.expect(rt, counts, got)
	switch {
	case !counts:
	case before != nil:
		delete(a.asked, q.Hold)
		if m.Approved {
			a.approved = &before.cents
		}
	case m.Approved:
		a.settle(true)
	default:
		a.held.exception = true
	}
}

func (p *play) rule(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	if a.held == nil {
		rt.Skip("nothing waits")
	}
	m := ticket.Rule{
		Header: p.by(rapid.SampledFrom([]string{"dora", "dora", "dora", "tom", "ann"}).Draw(rt, "who")), Hold: a.held.hold,
		Action: rapid.SampledFrom([]ticket.Ruling{ticket.Bill, ticket.Cover, ticket.WriteOff, ticket.Rework}).Draw(rt, "action"), Reason: "because",
	}
	got := p.send(rt, id, m, "rules %s on %s", m.Action, ticket.HoldID(m.Hold))
	counts := m.Who == p.who("dora") && (a.held.exception || m.Action != ticket.Bill)
	p.expect(rt, counts, got)
	switch {
	case !counts:
	case m.Action == ticket.Rework:
		a.reopen()
	default:
		a.settle(m.Action == ticket.Bill)
	}
}

func (p *play) reopen(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	who := rapid.SampledFrom([]string{"ann", "carl", "dora"}).Draw(rt, "who")
	counts := !a.isOpen() && a.stage != ticket.Merged
	got := p.send(rt, id, ticket.Reopen{Header: p.by(who), Reason: "It is back"}, "reopens")
	p.expect(rt, counts, got)
	if counts {
		a.reopen()
	}
}

func (p *play) reply(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	words := rapid.SampledFrom([]string{"Thanks!", "It is still slow"}).Draw(rt, "words")
	m := reply{Header: p.by("ann"), words: words}
	if a.stage == ticket.Merged {
		rt.Skip("the words would go to the ticket that carries on")
	}
	got := p.send(rt, id, m, "replies %q", words)
	switch {
	case a.stage == ticket.Waiting:
		p.expect(rt, true, got)
		a.stage = ticket.Resolution
	case a.isOpen() || words == "Thanks!":
		p.expect(rt, false, got)
	default:
		p.expect(rt, true, got)
		a.reopen()
	}
}

// reply is a Reply whose words are not written yet.
type reply struct {
	ticket.Header
	words string
}

func (m reply) Validate() error { return m.Header.Validate() }

func (p *play) merge(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	into, other := p.any(rt, "into")
	who := p.one(rt, "dora")
	got := p.send(rt, id, ticket.Merge{Header: p.by(who), Into: into}, "merges it into %s", into)
	counts := who == "dora" && id != into && a.isOpen() && other.isOpen() && len(a.asked) == 0 && len(other.asked) == 0
	p.expect(rt, counts, got)
	if counts {
		p.merges[id] = mergeOf{into: into, took: a.take(other, 0)}
		a.stage, a.into = ticket.Merged, into
	}
}

func (p *play) unmerge(rt *rapid.T) {
	if len(p.ids) == 0 {
		rt.Skip("no ticket yet")
	}
	id := rapid.SampledFrom(p.ids).Draw(rt, "ticket")
	a := p.books.tickets[id]
	who := p.one(rt, "dora")
	got := p.send(rt, id, ticket.Unmerge{Header: p.by(who), Reason: "They are two"}, "takes its merge back")
	if a.stage != ticket.Merged || who != "dora" {
		p.expect(rt, false, got)
		return
	}
	m := p.merges[id]
	carries := p.books.tickets[m.into]
	counts := carries.stage != ticket.Merged
	for _, e := range m.took {
		counts = counts && !e.billed && has(carries, e)
	}
	p.expect(rt, counts, got)
	if counts {
		for _, e := range m.took {
			carries.take(a, e.id)
		}
		a.stage, a.into, a.round, a.approved = ticket.Resolution, "", a.round+1, nil
	}
}

func has(a *account, e *entry) bool {
	for _, w := range a.work {
		if w == e {
			return true
		}
	}
	return false
}

func (p *play) split(rt *rapid.T) {
	id, a := p.any(rt, "ticket")
	if len(a.work) == 0 || len(p.ids) >= 8 {
		rt.Skip("nothing to split off")
	}
	e := rapid.SampledFrom(a.work).Draw(rt, "entry")
	var row int64
	require.NoError(rt, p.admin.QueryRow(p.ctx, "select id from work_entries where operation_key = $1", fmt.Sprintf("%s-work-%d", p.client, e.id)).Scan(&row))
	who := p.one(rt, "dora")
	m := ticket.SplitOff{Header: p.by(who), Subject: "Something else", Category: a.category, Work: []int64{row}}
	got := p.send(rt, id, m, "splits off %d minutes", e.minutes)
	counts := who == "dora" && a.isOpen() && !e.billed
	p.expect(rt, counts, got)
	if counts {
		p.books.open(got.split, a.category)
		p.ids = append(p.ids, got.split)
		a.take(p.books.tickets[got.split], e.id)
	}
}

func (p *play) cancel(rt *rapid.T) {
	if rapid.IntRange(0, 2).Draw(rt, "really") > 0 {
		rt.Skip("most tickets are not cancelled")
	}
	id, a := p.any(rt, "ticket")
	got := p.send(rt, id, ticket.Cancel{Header: p.by(rapid.SampledFrom([]string{"ann", "dora"}).Draw(rt, "who")), Reason: "It works"}, "cancels")
	counts := a.isOpen() && len(a.work) == 0
	p.expect(rt, counts, got)
	if counts {
		a.stage, a.asked = ticket.Cancelled, map[int64]*fee{}
	}
}

// again sends an earlier message once more: it is answered as before, and has had its effect.
func (p *play) again(rt *rapid.T) {
	if len(p.said) == 0 {
		rt.Skip("nothing was said yet")
	}
	s := p.said[rapid.IntRange(0, len(p.said)-1).Draw(rt, "message")]
	if _, asks := s.m.(ticket.RequestApproval); s.err != "" || (asks && !s.answer.effect) {
		rt.Skip("what was refused is not remembered: put right, it may be sent again")
	}
	answer, err := p.hands.do(p.ctx, s.id, s.m)
	if err != nil {
		require.NotEmpty(rt, ticket.Problems(err), "%v", err)
	}
	p.tells("%s again: %T on %s → %s", strings.TrimPrefix(s.m.Head().Who, p.client+"."), s.m, s.id, oneLine(answer))
	if s.answer.effect {
		require.Equal(rt, s.answer, answer, "a repeated message is answered as before")
	}
}

// timePasses until every quote has run out, and each is asked for again.
func (p *play) timePasses(rt *rapid.T) {
	if p.pass == nil {
		rt.Skip("time passes by itself")
	}
	p.pass(24 * 100 * time.Hour)
	p.tells("100 days pass")
	for _, id := range p.ids {
		held, err := p.Held(p.ctx, id)
		require.NoError(rt, err)
		for _, q := range held {
			fresh, err := p.Overdue(p.ctx, id, q.Hold, q.Step)
			require.NoError(rt, err)
			require.NotEqual(rt, q.Digest, fresh.Digest)
		}
	}
}

// compare tells Docket's books as the oracle tells its own.
func (p *play) compare(rt *rapid.T) {
	require.Equal(rt, p.books.String(), p.docket(rt))
}

func (p *play) docket(rt *rapid.T) string {
	rows, err := p.admin.Query(p.ctx, `
select 'T-' || t.number || ' ' || case when t.stage in ('merged', 'held', 'posted', 'cancelled') then t.stage when t.waiting_for <> '' then 'waiting' else 'resolution' end
  || ' round ' || t.round || ', billed ' || (select coalesce(sum(l.amount), 0) from invoice_lines l where l.ticket = t.number)::numeric(12, 2)
  || coalesce((select string_agg(', ' || h.kind || ' of ' || h.amount::numeric(12, 2), '' order by h.id) from holds h where h.ticket = t.number and h.state = 'open' and h.closure_id is not null), '')
  || coalesce((select string_agg(', asked for ' || h.amount::numeric(12, 2), '' order by h.id) from holds h where h.ticket = t.number and h.state = 'open' and h.closure_id is null), '')
from tickets t where t.client_id = $1 order by t.number`, p.client)
	require.NoError(rt, err)
	var lines []string
	for rows.Next() {
		var line string
		require.NoError(rt, rows.Scan(&line))
		lines = append(lines, line)
	}
	require.NoError(rt, rows.Err())
	var minutes int64
	require.NoError(rt, p.admin.QueryRow(p.ctx, "select remaining_ms / 60000 from blocks where client_id = $1", p.client).Scan(&minutes))
	return strings.Join(append(lines, fmt.Sprintf("block: %d minutes", minutes)), "\n")
}

// ends proves what must hold of every story: the audit finds nothing, and what is closed has its closure.
func (p *play) ends() {
	rt := p.t
	audit, err := p.Audit(p.ctx, nil)
	require.NoError(rt, err)
	require.Truef(rt, audit.Clean(), "%+v", audit)
	var without int
	require.NoError(rt, p.admin.QueryRow(p.ctx, `
select count(*) from tickets t where t.client_id = $1 and t.stage in ('held', 'posted')
  and not exists (select from closures c where c.ticket = t.number and c.round = t.round)`, p.client).Scan(&without))
	require.Zero(rt, without, "no ticket ends without a decision")
}
