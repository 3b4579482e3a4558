package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
)

// numbers hands out ids of a sequence that it takes in stocks, so that a closing knows the ids
// of its rows before it writes them, all in one batch. A process that ends leaves a gap: only
// invoice numbers must have none, and they come from number_series.
type numbers struct {
	sequence string
	mu       sync.Mutex
	stock    []int64
}

const stockSize = 64

func newNumbers(sequence string) *numbers { return &numbers{sequence: sequence} }

// take gives n ids in rising order.
func (n *numbers) take(ctx context.Context, conn *pgx.Conn, count int) ([]int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.stock) < count {
		rows, err := conn.Query(ctx, "select nextval($1::text::regclass) from generate_series(1, $2)", n.sequence, max(stockSize, count))
		if err != nil {
			return nil, fmt.Errorf("take numbers of %s: %w", n.sequence, err)
		}
		fresh, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return nil, fmt.Errorf("take numbers of %s: %w", n.sequence, err)
		}
		n.stock = append(n.stock, fresh...)
	}
	taken := n.stock[:count:count]
	n.stock = n.stock[count:]
	return taken, nil
}

// The series of documents' numbers, one a year, each without gaps.
const (
	invoiceSeries = "INV-2006"
	noteSeries    = "CN-2006"
)

// drawNumber begins a statement that uses the next number of the series $1. It is the last lock of a transaction, and whoever
// else needs a number waits for its commit: so it is best drawn by what goes to the server together with the commit.
const drawNumber = `
with taken as (
  insert into number_series (series, last) values ($1, 1) on conflict (series) do update set last = number_series.last + 1 returning series, last::text
), drawn as (
  select series || '-' || lpad(last, greatest(5, length(last)), '0') as number from taken
)`

// queueNumber takes the next number of a series; the function it gives tells after the batch was
// sent: a number is only used up by who commits.
func queueNumber(b *pgx.Batch, series string) func() string {
	var number string
	b.Queue(drawNumber+" select number from drawn", series).QueryRow(func(r pgx.Row) error { return r.Scan(&number) })
	return func() string { return number }
}
