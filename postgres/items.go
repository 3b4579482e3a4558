package postgres

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// AddItem writes a part, a licence or an expense that the ticket took, under a share lock of the
// ticket, as Log does: none slips in behind a closing. One that comes after it is kept on record and
// has no effect until somebody reopens the ticket and adds it again. What it is sold for is the
// contract's business; to set a price by hand takes the right that a rate of one's own takes.
func (s *Store) AddItem(ctx context.Context, id ticket.ID, m ticket.Material) (ticket.Answer, error) {
	if err := m.Validate(); err != nil {
		return ticket.Answer{}, err
	}
	var home clientHome
	asks := m
	asks.Header = ticket.Header{}
	deed := message{
		id: id, name: deedItem, head: m.Header, asks: asks, share: true, late: true,
		read: func(b *pgx.Batch) { queueHome(b, id, &home) },
	}
	return s.act(ctx, deed, func(sc *scene, b *pgx.Batch) (verdict, error) {
		item, err := home.item(sc, m)
		if err != nil {
			return verdict{}, err
		}
		says := item.says()
		if !sc.Stage.Open() {
			return verdict{says: fmt.Sprintf("%s came too late: %s", says, sc.over("add it"))}, nil
		}
		b.Queue(insertItem, sc.Number, sc.Client, sc.Round, m.OperationKey, item.Kind, item.Text, item.Quantity, item.UnitCost, item.Price,
			item.Currency, item.Date, m.Who, s.now(), cmp.Or(m.Via, ticket.ViaTemporal))
		return verdict{effect: true, says: fmt.Sprintf("%s added %s.", sc.name(m.Who), says)}, nil
	})
}

const insertItem = `
insert into ticket_items (ticket, client_id, round, operation_key, kind, text, quantity, unit_cost, price, currency, service_date, logged_by, logged_at, via)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text::date, $12, $13, $14)`

// clientHome is what a deed needs to know of the ticket's client: in which zone its dates are, and its currency.
type clientHome struct {
	TimeZone string
	Currency string
}

func queueHome(b *pgx.Batch, id ticket.ID, into *clientHome) {
	b.Queue("select c.time_zone, c.currency from tickets t join clients c on c.id = t.client_id where t.number = $1", id.Number()).
		Query(func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&into.TimeZone, &into.Currency}, func() error { return nil })
			return err
		})
}

// item checks what the message says against the clock, the client and the sender's rights.
func (home clientHome) item(sc *scene, m ticket.Material) (itemRow, error) {
	zone, err := sla.Zone(home.TimeZone)
	if err != nil {
		return itemRow{}, fmt.Errorf("client %s: %w", sc.Client, err)
	}
	item := itemRow{Item: billing.Item{
		Kind: m.Kind, Text: m.Text, Currency: cmp.Or(m.Currency, home.Currency), Date: cmp.Or(m.On, sla.DateAt(sc.at, zone).String()),
	}}
	var known bool
	if item.Quantity, known = figure(cmp.Or(m.Quantity, "1")); !known || item.Quantity.IsZero() {
		return item, ticket.Invalid("quantity", m.Quantity, "is not a quantity", "give more than 0, such as 1 or 2.5")
	}
	if item.UnitCost, known = figure(m.Cost); !known {
		return item, ticket.Invalid("cost", m.Cost, "is not an amount", "give what one cost us, such as 80.00")
	}
	if m.Price != "" {
		price, known := figure(m.Price)
		if !known {
			return item, ticket.Invalid("price", m.Price, "is not an amount", "give the price of one, such as 99.00")
		}
		if err := sc.who.maySetPrices("price", m.Price); err != nil {
			return item, err
		}
		item.Price = &price
	}
	if _, known := billing.MinorUnits(item.Currency); !known {
		return item, ticket.Invalid("currency", item.Currency, "is not an ISO 4217 currency", "give a code such as USD")
	}
	if m.On != "" {
		if on, err := time.ParseInLocation(time.DateOnly, m.On, zone); err != nil {
			return item, ticket.Invalid("on", m.On, "is not a date", "write it like 2026-03-01")
		} else if err := plausible("on", on, sc.at); err != nil {
			return item, err
		}
	}
	return item, nil
}

// itemRow is an item with how often it has been given to rating.
type itemRow struct {
	billing.Item
	Generation int
}

func (i itemRow) says() string {
	says := fmt.Sprintf("%s × %s (%s)", i.Quantity, i.Text, i.Kind)
	if i.Price != nil {
		says += " at " + money(*i.Price, i.Currency)
	}
	return says
}

// queueItems reads the ticket's items that no closure rates yet.
func queueItems(b *pgx.Batch, number int64, into *[]itemRow) {
	b.Queue(`
select id, kind, text, quantity, unit_cost, currency, price, service_date::text, generation
from ticket_items where ticket = $1 and rated_in is null order by id`, number).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[itemRow])
		return err
	})
}

// itemOf gives the item that a charge is the charge of. What only lowers a charge stands for no item of its own.
func itemOf(c billing.Charge) (int64, bool) {
	switch c.Kind {
	case billing.Reversal, billing.Discount, billing.FromRetainer, billing.Credit:
		return 0, false
	default:
	}
	number, is := strings.CutPrefix(c.Item, "item-")
	id, err := strconv.ParseInt(number, 10, 64)
	return id, is && err == nil
}

// maySetPrices says whether the person may set a rate or a price by hand: nil, or a Problem.
func (a actor) maySetPrices(field, value string) error {
	for _, role := range a.Roles {
		if a.Client == "" && (role == "dispatcher" || role == "owner" || role == "finance") {
			return nil
		}
	}
	return ticket.Invalid(field, value, "may not be set by "+a.ID, "leave it to the contract, or let somebody with the role dispatcher, owner or finance set it")
}
