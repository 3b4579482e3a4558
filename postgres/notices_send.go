package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// freshNotice is how old a notice may be to go out as it is. What waited longer is sent only if it is still true.
const freshNotice = time.Minute

// noticeColumns are those of ticket.Notice, of notices n.
const noticeColumns = `n.id, n.tells, n.channel, n.recipient, n.state, n.urgent, n.attempts, n.last_error, coalesce(n.ticket, 0),
coalesce((select number from invoices where id = n.invoice_id), ''), coalesce((select number from credit_notes where id = n.note_id), ''), n.client_id, n.says, n.at, n.created_at, n.due_at, n.sent_at, n.quote`

func scanNotice(n *ticket.Notice, number *int64, quote *[]byte) []any {
	return []any{
		&n.ID, &n.Tells, &n.Channel, &n.Recipient, &n.State, &n.Urgent, &n.Tries, &n.LastError, number,
		&n.Invoice, &n.CreditNote, &n.Client, &n.Says, &n.At, &n.CreatedAt, &n.DueAt, &n.SentAt, quote,
	}
}

func finishNotice(n *ticket.Notice, number int64, quote []byte) error {
	if number != 0 {
		n.Ticket = ticket.NewID(number)
	}
	if quote == nil {
		return nil
	}
	if err := json.Unmarshal(quote, &n.Quote); err != nil {
		return fmt.Errorf("read the quote of notice %d: %w", n.ID, err)
	}
	return nil
}

// claimNotices gives one try the notices that are due, for a while. Rows that another try has are passed over, and those
// whose try did not end in time, because its process died, are given out again. A try counts as it begins, so that a
// notice that kills its sender is not tried for ever.
const claimNotices = `
with due as (
  select id from notices
  where state = 'waiting' and channel = $1 and due_at <= $2 and (leased_until is null or leased_until <= $2)
  order by due_at, id limit $3 for update skip locked),
n as (
  update notices set lease = $4, leased_until = $5, tried_at = $2, attempts = attempts + 1 from due where notices.id = due.id returning notices.*)
select ` + noticeColumns + `, coalesce(t.subject, ''), c.name, c.time_zone,
  case when n.to_address then coalesce(c.party ->> 'name', c.name) else coalesce(p.name, '') end,
  case when n.to_address then n.recipient else coalesce(p.email, '') end, n.to_address or p.client_id is not null, coalesce(n.invoice_id, 0),
  coalesce(n.note_id, 0), coalesce(x.id, ''), coalesce(x.url, ''), coalesce(x.secret, ''), coalesce(x.private, false),
  case
    when n.channel = 'webhook' then case when x.active then '' else n.recipient || ' was removed' end
    when not p.active then n.recipient || ' has left'
    when n.created_at > $6 then ''
    when t.client_id <> n.client_id and n.tells <> 'changed' then 'the ticket belongs to ' || t.client_id || ' now'
    when n.tells = 'assigned' and t.claimed_at is not null then 'somebody has claimed the ticket'
    when n.tells not in ('asked', 'reminder', 'overdue', 'exception', 'declined', 'proposed', 'rejected') or h.id is null then ''
    when h.state <> 'open' then 'H-' || h.id || ' is decided: ' || coalesce(h.decision, h.state)
    when h.kind <> n.quote ->> 'kind' then 'H-' || h.id || ' waits for a ruling now'
    when q.step > (n.quote ->> 'step')::int then 'H-' || h.id || ' was quoted afresh'
    else '' end,
  u.zone, u.begins, u.ends, u.weekend
from n join clients c on c.id = n.client_id
left join tickets t on t.number = n.ticket
left join holds h on h.id = n.hold and n.hold <> 0
left join lateral (select max(step) as step from quotes where hold_id = h.id) q on true
left join people p on n.channel = 'mail' and not n.to_address and p.id = n.recipient
left join notice_endpoints x on n.channel = 'webhook' and x.id = n.recipient
left join lateral (
  select * from quiet_hours u where u.person = p.id or u.person is null order by u.person nulls last limit 1) u on n.channel = 'mail'
order by n.due_at, n.id`

// ClaimNotices takes up to limit notices of the channel that are due, under a lease that names this try.
func (s *Store) ClaimNotices(ctx context.Context, channel, lease string, keep time.Duration, limit int) ([]ticket.Claimed, error) {
	now := s.now()
	rows, err := s.pool.Query(ctx, claimNotices, channel, now, limit, lease, now.Add(keep), now.Add(-freshNotice))
	if err != nil {
		return nil, fmt.Errorf("claim notices: %w", err)
	}
	taken, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (claimed, error) {
		var (
			c            = claimed{Claimed: ticket.Claimed{Lease: lease}}
			number       int64
			quote        []byte
			zone         *string
			begins, ends *int
			weekend      *bool
		)
		if err := row.Scan(append(scanNotice(&c.Notice, &number, &quote), &c.Subject, &c.ClientName, &c.Zone, &c.Name, &c.Email, &c.Outside, &c.invoice, &c.note,
			&c.Endpoint.ID, &c.Endpoint.URL, &c.Endpoint.Secret, &c.Endpoint.Private, &c.Moot, &zone, &begins, &ends, &weekend)...); err != nil {
			return c, err
		}
		if zone != nil {
			c.Quiet = &ticket.Quiet{Zone: *zone, Begins: *begins, Ends: *ends, Weekend: *weekend}
		}
		return c, finishNotice(&c.Notice, number, quote)
	})
	if err != nil {
		return nil, fmt.Errorf("claim notices: %w", err)
	}
	list := make([]ticket.Claimed, len(taken))
	for i, c := range taken {
		if c.invoice != 0 && c.Channel == ticket.ByMail {
			attach := s.bill
			if c.note != 0 {
				attach = s.giveBack
			}
			if err := attach(ctx, &c); err != nil {
				return nil, err
			}
		}
		list[i] = c.Claimed
	}
	return list, nil
}

// claimed is a notice with the invoice that it is about, or the credit note.
type claimed struct {
	ticket.Claimed
	invoice, note int64
}

// bill reads the invoice that a notice takes to its payer, with its files, as it stands now: by then it may be void, or paid.
func (s *Store) bill(ctx context.Context, c *claimed) error {
	var (
		b      ticket.Billed
		void   bool
		seller billing.Party
	)
	batch := &pgx.Batch{}
	batch.Queue(`
select coalesce(i.gross, i.total), s.owed - s.disputed, i.currency, coalesce(i.due_on::text, ''), s.void
from invoices i join invoice_standing s on s.invoice_id = i.id where i.id = $1`, c.invoice).QueryRow(func(row pgx.Row) error {
		return row.Scan(&b.Payable, &b.Owed, &b.Currency, &b.DueOn, &void)
	})
	queueMailed(batch, "invoice_documents where invoice_id = $1", c.invoice, c.Invoice, &seller, &b.Files)
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("read %s for notice %d: %w", c.Invoice, c.ID, err)
	}
	b.Seller, b.Answers, b.IBAN = seller.Name, seller.Email, seller.IBAN
	c.Billed = &b
	switch {
	case c.Moot != "":
	case void:
		c.Moot = c.Invoice + " is void"
	case c.Tells == ticket.TellsPayment && !b.Owed.IsPositive():
		c.Moot = "nothing of " + c.Invoice + " is to be collected any more"
	}
	return nil
}

// giveBack reads the credit note that a notice takes to its payer, with its files. Nothing that comes later changes it.
func (s *Store) giveBack(ctx context.Context, c *claimed) error {
	var (
		b      = ticket.Billed{GivesBack: &ticket.GivesBack{Number: c.CreditNote}}
		seller billing.Party
	)
	batch := &pgx.Batch{}
	batch.Queue(`
select n.amount, n.currency, n.reduces, n.amount - n.reduces, e.reason
from credit_notes n join invoice_events e on e.id = n.event_id where n.id = $1`, c.note).QueryRow(func(row pgx.Row) error {
		return row.Scan(&b.Payable, &b.Currency, &b.GivesBack.Reduces, &b.GivesBack.ToCredit, &b.GivesBack.Reason)
	})
	queueMailed(batch, "credit_note_documents where note_id = $1", c.note, c.CreditNote, &seller, &b.Files)
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("read %s for notice %d: %w", c.CreditNote, c.ID, err)
	}
	b.Seller, b.Answers = seller.Name, seller.Email
	c.Billed = &b
	return nil
}

// queueMailed reads who sells, and the files of a document that go with a mail, under its number.
func queueMailed(b *pgx.Batch, from string, id int64, number string, seller *billing.Party, files *[]ticket.File) {
	b.Queue("select coalesce((select party from company), '{}')").QueryRow(func(row pgx.Row) error { return row.Scan(seller) })
	b.Queue("select $2 || case kind when 'ubl' then '.xml' else '.pdf' end, media_type, content from "+from+" and kind in ('pdf', 'ubl') order by kind", id, number).
		Query(func(rows pgx.Rows) (err error) {
			*files, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.File])
			return err
		})
}

// EndNotice notes what became of a try. One that lost its lease meanwhile changes nothing: whoever has the notice now says
// what becomes of it.
func (s *Store) EndNotice(ctx context.Context, n ticket.Claimed, end ticket.NoticeEnd) error {
	var sent *time.Time
	if end.State == ticket.NoticeSent {
		sent = new(s.now())
	}
	_, err := s.pool.Exec(ctx, `
update notices set lease = '', leased_until = null, state = $3, last_error = $4, due_at = coalesce($5, due_at), sent_at = $6,
  attempts = case when $7 then attempts else attempts - 1 end
where id = $1 and lease = $2 and state = 'waiting' `,
		n.ID, n.Lease, string(end.State), cut(end.Why, 500), atOrNull(end.Again), sent, end.Tried)
	if err != nil {
		return fmt.Errorf("note what became of notice %d: %w", n.ID, err)
	}
	return nil
}

func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// NoticeFilter narrows a list; an empty field does not.
type NoticeFilter struct {
	State   ticket.NoticeState
	For     string // person or endpoint
	Ticket  ticket.ID
	Invoice int64 // those of its credit notes, too
	Note    int64 // credit note
	After   int64 // ids greater than this
	Limit   int   // 0: 50
}

// Notices lists what was to be told, the newest first, or with After from there on.
func (s *Store) Notices(ctx context.Context, f NoticeFilter) ([]ticket.Notice, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	rows, err := s.pool.Query(ctx, "select "+noticeColumns+` from notices n
where ($1 = '' or n.state = $1) and ($2 = '' or n.recipient = $2) and ($3 = 0 or n.ticket = $3) and n.id > $4 and ($6 = 0 or n.invoice_id = $6)
  and ($7 = 0 or n.note_id = $7)
order by case when $4 > 0 then n.id else -n.id end limit $5`, string(f.State), f.For, f.Ticket.Number(), f.After, f.Limit, f.Invoice, f.Note)
	if err != nil {
		return nil, fmt.Errorf("list notices: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n ticket.Notice, err error) {
		var (
			number int64
			quote  []byte
		)
		if err := row.Scan(scanNotice(&n, &number, &quote)...); err != nil {
			return n, err
		}
		return n, finishNotice(&n, number, quote)
	})
	if err != nil {
		return nil, fmt.Errorf("list notices: %w", err)
	}
	return list, nil
}

// RetryNotices lets dead and undeliverable notices be tried again from now on: the one, or with 0 all of them. It gives how
// many. What has no recipient stays: there is nobody to tell.
func (s *Store) RetryNotices(ctx context.Context, id int64) (int64, error) {
	tag, err := s.pool.Exec(ctx, `
update notices set state = 'waiting', due_at = $2, attempts = 0, lease = '', leased_until = null
where ($1 = 0 or id = $1) and state in ('dead', 'undeliverable') and recipient <> ''`, id, s.now())
	if err != nil {
		return 0, fmt.Errorf("let notices be tried again: %w", err)
	}
	if id == 0 || tag.RowsAffected() > 0 {
		return tag.RowsAffected(), nil
	}
	return 0, ticket.Invalid("notice", id, "is neither dead nor undeliverable, or has nobody to go to", "`docket notify list` shows the state of each")
}
