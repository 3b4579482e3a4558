package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
)

// LeakWatch counts where the desk stands for who asks again and again, as metrics do. Each time it looks at the tickets on which
// something happened since, at a page of all the others in turn, and at those that leaked: so that one look costs the same however long the
// past is, a leak that a deed makes is seen at the next look, and one that somebody makes behind Docket's back by the time that
// every page has had its turn. It is safe for concurrent use.
type LeakWatch struct {
	store *Store
	page  int // tickets of the past a look, and events at most

	mu      sync.Mutex
	begun   bool
	seen    int64 // the last event that was looked at
	turn    int64 // the last ticket of the last page
	leaking map[int64]bool
}

// LeakPage is a good page: it is looked at in some tens of milliseconds, and a million tickets have had their turn in two hours of looks
// every 15 seconds.
const LeakPage = 2_000

// Ids of events are drawn before they commit: so many of them are looked at once more, in case one came late. One that came later
// still waits for its page.
const lateEvents = 200

// WatchLeaks begins with the newest events, and with the oldest page of so many tickets.
func (s *Store) WatchLeaks(page int) *LeakWatch {
	return &LeakWatch{store: s, page: page, leaking: map[int64]bool{}}
}

// Standing counts where the desk stands. Leaked are the tickets that leaked when they were last looked at.
func (w *LeakWatch) Standing(ctx context.Context) (s billing.Standing, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.begun {
		if err := w.store.pool.QueryRow(ctx, "select coalesce(max(id), 0) - $1 from ticket_events", w.page).Scan(&w.seen); err != nil {
			return s, fmt.Errorf("look for leaks: %w", err)
		}
		w.begun = true
	}
	var (
		happened []int64
		paged    []int64
		seen     int64
	)
	b := &pgx.Batch{}
	b.Queue(countStages).QueryRow(func(row pgx.Row) error {
		return row.Scan(&s.Open, &s.Closed, &s.Posted, &s.Waiting, &s.Exceptions)
	})
	b.Queue(changedTickets, w.seen-lateEvents, w.page+lateEvents).QueryRow(func(row pgx.Row) error { return row.Scan(&happened, &seen) })
	b.Queue(nextTickets, w.turn, w.page).QueryRow(func(row pgx.Row) error { return row.Scan(&paged) })
	if err := w.store.pool.SendBatch(ctx, b).Close(); err != nil {
		return s, fmt.Errorf("count where the desk stands: %w", err)
	}
	looked := slices.Concat(happened, paged, slices.Collect(maps.Keys(w.leaking)))
	leaking, err := w.store.leaking(ctx, looked)
	if err != nil {
		return s, err
	}
	for _, n := range looked {
		delete(w.leaking, n)
	}
	for _, n := range leaking {
		w.leaking[n] = true
	}
	w.seen, w.turn = max(w.seen, seen), 0
	if len(paged) == w.page {
		w.turn = paged[len(paged)-1]
	}
	s.Leaked = len(w.leaking)
	return s, nil
}

const (
	changedTickets = `
select coalesce(array_agg(distinct ticket), '{}'), coalesce(max(id), 0) from (select id, ticket from ticket_events where id > $1 order by id limit $2) e`

	nextTickets = `
select coalesce(array_agg(number order by number), '{}') from (select number from tickets where number > $1 order by number limit $2) t`
)

// leaking tells which of some tickets leak.
func (r Reads) leaking(ctx context.Context, some []int64) ([]int64, error) {
	rows, err := r.q.Query(ctx, accounted(true)+" select ticket from leaking order by 1", some)
	if err != nil {
		return nil, fmt.Errorf("look for leaks: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("look for leaks: %w", err)
	}
	return found, nil
}
