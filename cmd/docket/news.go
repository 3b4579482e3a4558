package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

const (
	newsEvery = 250 * time.Millisecond
	newsPage  = 500
	countRest = 3 * time.Second // between standing counts where they are lines of their own
)

// news watches the desk and tells, in plain words, of each ticket that closes and of each that
// begins to wait for a person, whoever caused it.
type news struct {
	app     *app
	printer *printer
	began   time.Time
	stays   bool // after the demo

	before    int64              // highest ticket number before this start
	last      int64              // highest ticket number seen
	unsettled map[ticket.ID]told // what was told last of tickets that can still change
	clients   map[string]string  // names by id
	people    map[string]string
	posted    bool          // whether the first posted ticket was told
	ready     chan struct{} // closed when what stood before is known
	told      chan struct{} // closed when the demo is played and told
	leaks     *postgres.LeakWatch
	counted   billing.Standing
	countAt   time.Time
}

func newNews(a *app, p *printer, began time.Time, stays bool) *news {
	return &news{
		app: a, printer: p, began: began, stays: stays, unsettled: map[ticket.ID]told{}, clients: map[string]string{}, people: map[string]string{},
		leaks: a.session.store.WatchLeaks(postgres.LeakPage), ready: make(chan struct{}), told: make(chan struct{}),
	}
}

// tell sweeps until ctx ends. What stood before the start is not news.
func (n *news) tell(ctx context.Context, played <-chan struct{}) error {
	if err := n.catchUp(ctx); err != nil {
		return err
	}
	close(n.ready)
	tick := time.NewTicker(newsEvery)
	defer tick.Stop()
	silent := false
	for {
		over := false
		select {
		case <-ctx.Done():
			return nil
		case <-played:
			over = true
		case <-tick.C:
		}
		err := n.sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && unavailable(err):
			if !silent { // once, not at every look
				n.app.tel.Log.LogAttrs(ctx, slog.LevelWarn, "PostgreSQL does not answer, trying again", slog.Any("error", err))
			}
			silent = true
			continue
		case err != nil:
			return err
		}
		silent = false
		if over {
			played = nil
			n.idle(ctx, n.stays)
		}
	}
}

// catchUp passes over what is settled, and takes note of what is not.
func (n *news) catchUp(ctx context.Context) error {
	store := n.app.session.store
	clients, err := store.Clients(ctx)
	if err != nil {
		return err
	}
	for _, c := range clients {
		n.clients[c.ID] = c.Name
	}
	people, err := store.People(ctx, "")
	if err != nil {
		return err
	}
	for _, p := range people {
		n.people[p.ID] = p.Name
	}
	for {
		page, err := store.ListTickets(ctx, ticket.Filter{After: n.last, Limit: newsPage})
		if err != nil {
			return err
		}
		for _, t := range page {
			n.last = t.Ticket.Number()
			if !settled(t) {
				n.unsettled[t.Ticket] = toldOf(t)
			}
		}
		if len(page) < newsPage {
			n.before = n.last
			return n.count(ctx, true)
		}
	}
}

func settled(t ticket.Summary) bool {
	return t.Stage == ticket.Posted || t.Stage == ticket.Merged || t.Stage == ticket.Cancelled
}

// told is what was told of a ticket.
type told struct {
	stage ticket.Stage
	round int
}

func toldOf(t ticket.Summary) told { return told{t.Stage, t.Round} }

// sweep looks at what is new and at what was not settled.
func (n *news) sweep(ctx context.Context) error {
	store := n.app.session.store
	fresh, err := store.ListTickets(ctx, ticket.Filter{After: n.last, Limit: newsPage})
	if err != nil {
		return err
	}
	changed := len(fresh) > 0
	for _, t := range fresh {
		n.last = t.Ticket.Number()
		n.unsettled[t.Ticket] = told{round: 1}
	}
	ids := make([]ticket.ID, 0, len(n.unsettled))
	for id := range n.unsettled {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b ticket.ID) int { return int(a.Number() - b.Number()) })
	for _, id := range ids {
		t, err := store.Ticket(ctx, id)
		if err != nil {
			return err
		}
		before := n.unsettled[id]
		if before == toldOf(t) {
			continue
		}
		changed = true
		n.unsettled[id] = toldOf(t)
		if err := n.report(ctx, t, t.Round > before.round); err != nil {
			return err
		}
		if settled(t) {
			delete(n.unsettled, id)
		}
	}
	return n.count(ctx, changed)
}

// report tells of one ticket that changed; reopened, where it is in another round than when it
// was told last.
func (n *news) report(ctx context.Context, t ticket.Summary, reopened bool) error {
	switch t.Stage {
	case ticket.Posted, ticket.Held:
	case ticket.Merged:
		n.printer.line("%s · merged into %s", n.head(t), t.MergedInto)
		return nil
	case ticket.Cancelled:
		n.printer.line("%s · cancelled", n.head(t))
		return nil
	case ticket.Waiting:
		return n.waiting(ctx, t)
	default:
		if reopened {
			n.printer.line("%s · reopened: round %d, what the one before charged is reversed", n.head(t), t.Round)
		}
		return nil
	}
	store := n.app.session.store
	moments, err := store.Timeline(ctx, t.Ticket)
	if err != nil {
		return err
	}
	lines, err := store.LinesOf(ctx, t.Ticket)
	if err != nil {
		return err
	}
	holds, err := store.HoldsOf(ctx, t.Ticket)
	if err != nil {
		return err
	}
	parts := []string{n.head(t), n.who(t, moments)}
	if why := covers(lines); why != "" {
		parts = append(parts, why)
	}
	if total := totals(lines); total != "" {
		parts = append(parts, n.printer.style(green, total))
	}
	for _, h := range holds {
		if h.State == "open" {
			parts = append(parts, n.printer.style(yellow, n.waits(h)))
		}
	}
	if len(parts) == 2 {
		parts = append(parts, "nothing to pay")
	}
	n.printer.line("%s", strings.Join(parts, " · "))
	if t.Stage == ticket.Posted && !n.posted && t.Ticket.Number() > n.before {
		n.posted = true
		n.printer.line("%s", n.printer.style(dim, fmt.Sprintf("       the first ticket is posted, %.1f s after the start", n.app.now().Sub(n.began).Seconds())))
	}
	return nil
}

// waiting tells for whom a ticket waits, in the words of who asked.
func (n *news) waiting(ctx context.Context, t ticket.Summary) error {
	moments, err := n.app.session.store.Timeline(ctx, t.Ticket)
	if err != nil {
		return err
	}
	says := "waits; the SLA clock stands still"
	for _, m := range moments {
		if m.Kind == string(ticket.MsgWait) && m.Effect {
			says = oneLine(m.Says)
		}
	}
	n.printer.line("%s · %s", n.head(t), n.printer.style(yellow, says))
	return nil
}

func (n *news) head(t ticket.Summary) string {
	what := or(t.Category, t.Subject)
	return fmt.Sprintf("%s %s · %s", n.printer.style(bold, string(t.Ticket)), or(n.clients[t.Client], t.Client), strings.ReplaceAll(what, "-", " "))
}

// who says who worked and for how long, by what was logged in this round.
func (n *news) who(t ticket.Summary, moments []ticket.Moment) string {
	var order []string
	ms := map[string]int64{}
	for _, m := range moments {
		if m.Kind != "work" || m.MS == 0 || m.Round != t.Round {
			continue
		}
		if _, seen := ms[m.Actor]; !seen {
			order = append(order, m.Actor)
		}
		ms[m.Actor] += m.MS
	}
	if len(order) == 0 {
		return "no time logged"
	}
	for i, id := range order {
		order[i] = or(n.people[id], id) + ", " + lasting(ms[id])
	}
	return strings.Join(order, " and ")
}

// covers says why the lines cost what they cost. Lines of one clause and rate are told as one.
func covers(lines []billing.InvoiceLine) string {
	undone := map[int64]bool{}
	for _, l := range lines {
		if l.Reverses != 0 {
			undone[l.Reverses] = true
		}
	}
	var live []billing.InvoiceLine
	for _, l := range lines {
		if l.Kind == billing.Reversal || undone[l.Line] {
			continue
		}
		same := slices.IndexFunc(live, func(o billing.InvoiceLine) bool {
			return o.Kind == l.Kind && o.Clause == l.Clause && o.Unit == l.Unit && o.Rate.Equal(l.Rate) && o.Currency == l.Currency
		})
		if same < 0 {
			live = append(live, l)
			continue
		}
		live[same].Quantity = live[same].Quantity.Add(l.Quantity)
		live[same].Amount = live[same].Amount.Add(l.Amount)
	}
	said := make([]string, len(live))
	for i, l := range live {
		said[i] = reason(l)
	}
	return strings.Join(said, ", ")
}

func reason(l billing.InvoiceLine) string {
	by := ""
	if l.Clause != "" {
		by = " by " + l.Clause
	}
	quantity := l.Quantity.Round(2).String() + " " + l.Unit
	switch l.Kind {
	case billing.Covered:
		return "covered" + by
	case billing.BlockDraw:
		return quantity + " from the block of hours" + by
	case billing.BucketDraw:
		return quantity + " from the period's allowance" + by
	case billing.PerTicket:
		if l.Amount.IsZero() {
			return "an included ticket" + by
		}
		return "one ticket" + by
	case billing.Overage:
		return quantity + " beyond the block" + by
	case billing.CallOut:
		return "called out" + by
	case billing.Material:
		return l.Quantity.String() + " × " + money(l.Rate, l.Currency) + " of material" + by
	case billing.Usage:
		return "use at " + money(l.Amount, l.Currency) + by
	case billing.FromRetainer:
		return money(l.Amount.Neg(), l.Currency) + " paid from the retainer" + by
	case billing.Credit:
		return "credit of " + money(l.Amount.Neg(), l.Currency) + by
	case billing.Discount:
		return money(l.Amount.Neg(), l.Currency) + " taken off" + by
	case billing.Recurring:
		return "a fee of " + money(l.Amount, l.Currency) + by
	case billing.WrittenOff:
		return "written off"
	case billing.NotBillable:
		return "not billable"
	default:
	}
	if l.Amount.IsZero() && l.Rate.IsZero() {
		return "covered" + by
	}
	if l.Unit == "s" {
		return quantity + " at " + money(l.Rate, l.Currency) + " an hour" + by
	}
	return quantity + " at " + money(l.Rate, l.Currency) + by
}

func totals(lines []billing.InvoiceLine) string {
	var order []string
	sums := map[string]decimal.Decimal{}
	for _, l := range lines {
		if _, seen := sums[l.Currency]; !seen {
			order = append(order, l.Currency)
		}
		sums[l.Currency] = sums[l.Currency].Add(l.Amount)
	}
	for i, c := range order {
		order[i] = money(sums[c], c)
	}
	return strings.Join(order, " + ")
}

func (n *news) waits(h billing.HoldView) string {
	who := "a dispatcher"
	if h.Kind == billing.SignOff {
		names := make([]string, len(h.Approvers))
		for i, id := range h.Approvers {
			names[i] = or(n.people[id], id)
		}
		who = strings.Join(names, " or ")
	}
	return fmt.Sprintf("%s waits for %s, %s: %s", ticket.HoldID(h.Hold), who, quoted(h.HeldQuote), oneLine(h.Says))
}

// count shows where the desk stands, when that changed.
func (n *news) count(ctx context.Context, changed bool) error {
	if !changed && (n.printer.live || n.app.now().Sub(n.countAt) < countRest) {
		return nil
	}
	if !n.printer.live && n.app.now().Sub(n.countAt) < countRest {
		return nil
	}
	s, err := n.leaks.Standing(ctx)
	if err != nil {
		return err
	}
	n.countAt = n.app.now()
	if s == n.counted {
		return nil
	}
	n.counted = s
	n.printer.standing(standingLine(s))
	return nil
}

func standingLine(s billing.Standing) string {
	return fmt.Sprintf("closed %d · posted %d · waiting %d · exceptions %d · leaked %d", s.Closed, s.Posted, s.Waiting, s.Exceptions, s.Leaked)
}

// idle says what can be done now that the demo has been played.
func (n *news) idle(ctx context.Context, stays bool) {
	defer close(n.told)
	n.countAt = time.Time{}
	if stays {
		n.printer.line("")
		n.printer.line("The demo's tickets are played. It stays up; in another terminal:")
		for _, c := range []string{
			"docket ticket list", "docket approval list", "docket invoice show bayside", "docket why L-1", "docket period list", "docket report ai-vs-tech",
			"docket ticket open --client northwind --subject 'Printer jams'",
		} {
			n.printer.line("  %s", c)
		}
	}
	if err := n.count(ctx, true); err != nil {
		n.app.tel.Log.LogAttrs(ctx, slog.LevelWarn, "where the desk stands could not be counted", slog.Any("error", err))
	}
}
