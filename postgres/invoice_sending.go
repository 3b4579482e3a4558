package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/ticket"
)

// InvoiceDispatch says that the kept files of an invoice go to somebody.
type InvoiceDispatch struct {
	InvoiceDeed
	To string // mail address; empty: the payer's
}

// SendInvoice mails the kept files of a finalised invoice to a recipient, by a notice of the outbox, and puts on record which PDF
// went, by its SHA-256. The same file goes to nobody twice: asked again, it answers when it went. A void invoice is sent to nobody.
func (s *Store) SendInvoice(ctx context.Context, m InvoiceDispatch) (billing.InvoiceSending, error) {
	d := &invoiceDeed{kind: "sent", head: m.InvoiceDeed}
	return onInvoice(ctx, s, d, []any{m.To}, func(t *tx, d *invoiceDeed) (sent billing.InvoiceSending, err error) {
		if d.stands.State == billing.InvoiceVoid {
			return sent, ticket.Invalid("invoice", d.name(), "is void: nothing is owed on it", "send the invoice that bills its lines now: `docket invoice list --payer "+d.found.Payer+"`")
		}
		sent = billing.InvoiceSending{Invoice: d.found.Number, At: d.at}
		var address string
		err = t.conn.QueryRow(ctx, `
select coalesce(c.party ->> 'email', ''), coalesce((select sha256 from invoice_documents where invoice_id = $2 and kind = 'pdf'), '')
from clients c where c.id = $1`, d.found.Payer, d.found.ID).Scan(&address, &sent.SHA256)
		if err != nil {
			return sent, fmt.Errorf("read where %s goes: %w", d.name(), err)
		}
		if sent.Recipient, err = recipientOf(cmp.Or(strings.TrimSpace(m.To), address), d.found.Payer); err != nil {
			return sent, err
		}
		if sent.SHA256 == "" {
			return sent, ticket.Invalid("invoice", d.name(), "has no PDF yet", "render it first: docket invoice file "+d.name())
		}
		var before time.Time
		err = t.conn.QueryRow(ctx, `
select e.at, e.says from invoice_sendings x join invoice_events e on e.id = x.event_id where x.invoice_id = $1 and x.recipient = $2 and x.sha256 = $3`,
			d.found.ID, sent.Recipient, sent.SHA256).Scan(&before, &sent.Says)
		switch {
		case err == nil:
			d.none, sent.At = true, before.UTC()
			return sent, nil
		case !errors.Is(err, pgx.ErrNoRows):
			return sent, fmt.Errorf("look where %s went: %w", d.name(), err)
		}
		sent.Says = fmt.Sprintf("%s goes to %s with its PDF, SHA-256 %s…; %s owed", d.name(), sent.Recipient, sent.SHA256[:12], d.money(d.stands.Owed))
		mail := &pgx.Batch{}
		if err := queueNotice(mail, fmt.Sprintf("sending %s %s", d.name(), sent.SHA256), event{
			Kind: "invoice-sent", Client: d.found.Payer, Actor: d.head.By, Says: sent.Says, At: d.at, Invoice: d.found.ID, Address: sent.Recipient,
		}); err != nil {
			return sent, err
		}
		d.event.Amount, d.event.Says = d.stands.Owed, sent.Says
		d.rows = func(b *pgx.Batch, event int64) {
			b.Queue("insert into invoice_sendings (event_id, invoice_id, payer_id, recipient, sha256) values ($1, $2, $3, $4, $5)",
				event, d.found.ID, d.found.Payer, sent.Recipient, sent.SHA256)
			b.QueuedQueries = append(b.QueuedQueries, mail.QueuedQueries...)
		}
		return sent, nil
	})
}

// recipientOf is a mail address, in small letters: one person is one recipient.
func recipientOf(to, payer string) (string, error) {
	if to == "" {
		return "", ticket.Invalid("to", to, "is missing: "+payer+" has no mail address", "give one by --to, or set it: docket client address "+payer+" --email …")
	}
	if a, err := mail.ParseAddress(to); err != nil || a.Address != to || len(to) > ticket.MaxKey {
		return "", ticket.Invalid("to", to, "is not a mail address", "write it like ap@client.example")
	}
	return strings.ToLower(to), nil
}
