package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"

	"github.com/docket-psa/docket/billing"
)

// byKeys makes the transaction find the rows of a page by their keys, whatever the statistics are. Left to itself the
// planner plans for the first pages, whose many ids it sees, to read whole tables: so a page costs as much as there is
// history.
const byKeys = `
set local plan_cache_mode = force_generic_plan; set local enable_seqscan = off; set local enable_hashjoin = off;
set local enable_mergejoin = off`

// byStatistics ends byKeys, for statements that do read whole tables.
const byStatistics = `
set local plan_cache_mode = default; set local enable_seqscan = default; set local enable_hashjoin = default;
set local enable_mergejoin = default`

// textRow is a row as PostgreSQL writes it, to be read column by column; null is "".
type textRow struct {
	columns []string
	at      int
	err     error
}

func (r *textRow) text() string {
	r.at++
	return r.columns[r.at-1]
}

// number gives 0 for null.
func (r *textRow) number() int64 {
	s := r.text()
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && r.err == nil {
		r.err = err
	}
	return n
}

func (r *textRow) flag() bool { return r.text() == "t" }

// readRows hands each row of a statement to one. The columns of a row share one piece of memory: to scan each into a
// place of its own, by its type, takes several times as long, and there are millions.
func readRows(ctx context.Context, q querier, what, sql string, one func(*textRow), args ...any) error {
	rows, err := q.Query(ctx, sql, append([]any{pgx.QueryResultFormats{pgtype.TextFormatCode}}, args...)...)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	defer rows.Close()
	var r textRow
	for rows.Next() {
		values, length := rows.RawValues(), 0
		for _, v := range values {
			length += len(v)
		}
		var b strings.Builder
		b.Grow(length)
		for _, v := range values {
			b.Write(v)
		}
		row := b.String()
		r.at, r.columns = 0, r.columns[:0]
		for _, v := range values {
			r.columns, row = append(r.columns, row[:len(v)]), row[len(v):]
		}
		if one(&r); r.err != nil {
			return fmt.Errorf("read %s: %w", what, r.err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// runs names sorted ids by the ranges that they come in, which an index gives at once. A gap of a few, of another
// page's rows, costs less than to look again.
func runs(ids []int64) (lows, highs []int64) {
	const gap = 8
	for _, id := range ids {
		if n := len(highs); n > 0 && id-highs[n-1] <= gap {
			highs[n-1] = id
			continue
		}
		lows, highs = append(lows, id), append(highs, id)
	}
	return lows, highs
}

// inRuns is the table of runs.
const inRuns = ` from unnest($1::bigint[], $2::bigint[]) as run (low, high) `

// chargeRow is a charge as its columns, its work, its moves, its item and its line tell it.
type chargeRow struct {
	ID       int64
	Owner    int64 // closure or posting
	Key      string
	Kind     billing.ChargeKind
	Contract string
	Revision int64
	Clause   string
	Currency string
	Quantity numeric
	Unit     string
	Rate     numeric
	Exact    numeric
	Amount   numeric
	Date     string
	Hidden   bool
	Hold     int64
	Reverses int64
	Adjusts  int64
	Body     string  // empty: its decision tells what it was posted as
	Undone   numeric // the amount of the charge that it reverses; empty: none
	Project  string
	line     *lineRow
	items    []int64
	spans    []billing.Span
	draws    []billing.Draw
	counts   []countRow
}

// lineRow is a charge's invoice line.
type lineRow struct {
	Payer         string
	Amount        numeric
	Currency      string
	Date          string
	Text          string
	Tax           string
	TaxCategory   string
	PurchaseOrder string
	Accounting    billing.Accounting
}

// numeric is a number as PostgreSQL writes it. It nearly always is what was decided, letter by
// letter: a decimal is made of it only where it is not.
type numeric string

func (n numeric) is(d decimal.Decimal) bool {
	var room [48]byte
	if string(n) == string(billing.AppendDecimal(room[:0], d)) {
		return true
	}
	parsed, err := decimal.NewFromString(string(n))
	return err == nil && parsed.Equal(d)
}

// readCharges reads the charges of the sorted owners, which column of charges names, with every row that came of them,
// by one statement a table. They come in the order of their owners, and of their own ids.
func readCharges(ctx context.Context, q querier, column string, owners []int64) ([]chargeRow, error) {
	charges := make([]chargeRow, 0, 2*len(owners))
	lows, highs := runs(owners)
	err := readRows(ctx, q, "charges", `
		select c.id, c.`+column+`, c.key, c.kind, c.contract_id, c.revision, c.clause, c.currency, c.quantity, c.unit, c.rate, c.exact, c.amount,
			c.service_date, c.hidden, c.hold_id, c.reverses, c.adjusts, c.body,
			case when c.reverses is not null then (select o.amount from charges o where o.id = c.reverses) end, c.project_id
		`+inRuns+` join charges c on c.`+column+` between run.low and run.high`, func(r *textRow) {
		charges = append(charges, chargeRow{
			ID: r.number(), Owner: r.number(), Key: r.text(), Kind: billing.ChargeKind(r.text()), Contract: r.text(), Revision: r.number(), Clause: r.text(),
			Currency: r.text(), Quantity: numeric(r.text()), Unit: r.text(), Rate: numeric(r.text()), Exact: numeric(r.text()), Amount: numeric(r.text()),
			Date: r.text(), Hidden: r.flag(), Hold: r.number(), Reverses: r.number(), Adjusts: r.number(), Body: r.text(), Undone: numeric(r.text()), Project: r.text(),
		})
	}, lows, highs)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(charges, func(a, b chargeRow) int { return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.ID, b.ID)) })
	return charges, readEffects(ctx, q, charges, column == "closure_id")
}

// forOwners cuts charges, which are in the order of their owners, by them.
func forOwners(charges []chargeRow, each func(owner int64, of []chargeRow)) {
	for len(charges) > 0 {
		owner, n := charges[0].Owner, 1
		for n < len(charges) && charges[n].Owner == owner {
			n++
		}
		each(owner, charges[:n:n])
		charges = charges[n:]
	}
}

// readEffects reads what came of the charges: their lines, the items and the work that they stand for, and what they
// took from blocks and counters.
func readEffects(ctx context.Context, q querier, charges []chargeRow, ofClosures bool) error {
	byID, ids := make(map[int64]*chargeRow, len(charges)), make([]int64, 0, len(charges))
	for i := range charges {
		byID[charges[i].ID], ids = &charges[i], append(ids, charges[i].ID)
	}
	slices.Sort(ids)
	lows, highs := runs(ids)
	for _, effect := range []struct {
		what, columns, from string
		one                 func(*chargeRow, *textRow)
	}{
		{
			"invoice lines", "payer_id, amount, currency, service_date, text, tax_profile, tax_category, purchase_order, account, item_code, deferral",
			"invoice_lines m " + inCharges,
			func(c *chargeRow, r *textRow) {
				c.line = &lineRow{
					Payer: r.text(), Amount: numeric(r.text()), Currency: r.text(), Date: r.text(), Text: r.text(), Tax: r.text(), TaxCategory: r.text(),
					PurchaseOrder: r.text(), Accounting: billing.Accounting{Account: r.text(), Item: r.text(), Defer: r.text()},
				}
			},
		},
		{"charged items", "item_id", "charge_items m " + inCharges, func(c *chargeRow, r *textRow) { c.items = append(c.items, r.number()) }},
		{"charged work", "work_id, lower(span), upper(span)", "charge_work m " + inCharges, func(c *chargeRow, r *textRow) {
			c.spans = append(c.spans, billing.Span{Work: r.number(), From: r.number(), To: r.number()})
		}},
		{
			"draws", "m.block_id, m.ms, b.closure_id, b.provisional",
			"block_moves m " + inCharges + " left join blocks b on b.id = m.block_id and b.closure_id is not null",
			func(c *chargeRow, r *textRow) {
				d := drawRow{Block: r.number(), MS: r.number(), BoughtBy: r.number(), Provisional: r.number()}
				if !ofClosures {
					d.BoughtBy = 0
				}
				c.draws = append(c.draws, d.of(c.Owner))
			},
		},
		{"counts", "counter, quantity", "counter_moves m " + inCharges, func(c *chargeRow, r *textRow) {
			c.counts = append(c.counts, countRow{r.text(), numeric(r.text())})
		}},
	} {
		err := readRows(ctx, q, effect.what, "select m.charge_id, "+effect.columns+inRuns+"join "+effect.from, func(r *textRow) {
			if c := byID[r.number()]; c != nil {
				effect.one(c, r)
			}
		}, lows, highs)
		if err != nil {
			return err
		}
	}
	return nil
}

const inCharges = "on m.charge_id between run.low and run.high"

// countRow is a move of a counter for a charge.
type countRow struct {
	Key      string
	Quantity numeric
}
