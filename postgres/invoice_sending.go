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

// CreditNoteDispatch says that the kept files of a credit note go to somebody.
type CreditNoteDispatch struct {
	Note         int64
	To           string // mail address; empty: the payer's
	By           string
	OperationKey string
}

// SendInvoice mails the kept files of a finalised invoice to a recipient, by a notice of the outbox, and puts on record which PDF
// went, by its SHA-256. The same file goes to nobody twice: asked again, it answers when it went. A void invoice is sent to nobody.
func (s *Store) SendInvoice(ctx context.Context, m InvoiceDispatch) (billing.InvoiceSending, error) {
	d := &invoiceDeed{kind: "sent", head: m.InvoiceDeed}
	return onInvoice(ctx, s, d, []any{m.To}, func(t *tx, d *invoiceDeed) (billing.InvoiceSending, error) {
		if d.stands.State == billing.InvoiceVoid {
			return billing.InvoiceSending{}, ticket.Invalid("invoice", d.name(), "is void: nothing is owed on it",
				"send the invoice that bills its lines now: `docket invoice list --payer "+d.found.Payer+"`")
		}
		d.event.Amount = d.stands.Owed
		return d.mail(ctx, t, mailed{
			noun: "invoice", name: d.name(), id: d.found.ID, files: "invoice_documents", sendings: "invoice_sendings", of: "invoice_id",
			to: m.To, says: d.money(d.stands.Owed) + " owed", notice: event{Kind: "invoice-sent"},
		})
	})
}

// SendCreditNote mails the kept files of a credit note in the same way, to the payer of its invoice.
//
// Locks: the invoice, as every deed on it.
func (s *Store) SendCreditNote(ctx context.Context, m CreditNoteDispatch) (billing.InvoiceSending, error) {
	found, err := s.creditNotes(ctx, " where n.id = $1 and n.invoice <> ''", m.Note)
	if err != nil {
		return billing.InvoiceSending{}, err
	}
	if len(found) == 0 {
		return billing.InvoiceSending{}, ticket.Invalid("credit note", m.Note, "is not known", "`docket credit-note list` shows them")
	}
	n := found[0] // it never changes
	d := &invoiceDeed{kind: "credit-note-sent", head: InvoiceDeed{Invoice: n.InvoiceID, By: m.By, OperationKey: m.OperationKey}}
	return onInvoice(ctx, s, d, []any{m.Note, m.To}, func(t *tx, d *invoiceDeed) (billing.InvoiceSending, error) {
		d.event.Amount = n.Amount
		return d.mail(ctx, t, mailed{
			noun: "credit-note", name: n.Number, id: n.ID, files: "credit_note_documents", sendings: "credit_note_sendings", of: "note_id",
			to: m.To, says: d.money(n.Amount) + " of " + n.Invoice, notice: event{Kind: "credit-note-sent", Note: n.ID},
		})
	})
}

// mailed is a document that goes to somebody.
type mailed struct {
	noun, name string
	id         int64

	files, sendings, of string // the tables of its files and of where they went, and the column of its id in both
	to                  string // mail address; empty: the payer's
	says                string // what it comes to
	notice              event  // what tells of it
}

// mail puts the document's notice into the outbox, and where it goes on record; where the same file went there before, it tells when.
func (d *invoiceDeed) mail(ctx context.Context, t *tx, m mailed) (sent billing.InvoiceSending, err error) {
	sent = billing.InvoiceSending{Invoice: d.found.Number, At: d.at}
	if m.name != sent.Invoice {
		sent.CreditNote = m.name
	}
	var address string
	err = t.conn.QueryRow(ctx, `
select coalesce(c.party ->> 'email', ''), coalesce((select sha256 from `+m.files+` where `+m.of+` = $2 and kind = 'pdf'), '')
from clients c where c.id = $1`, d.found.Payer, m.id).Scan(&address, &sent.SHA256)
	if err != nil {
		return sent, fmt.Errorf("read where %s goes: %w", m.name, err)
	}
	if sent.Recipient, err = recipientOf(cmp.Or(strings.TrimSpace(m.to), address), d.found.Payer); err != nil {
		return sent, err
	}
	if sent.SHA256 == "" {
		return sent, ticket.Invalid(m.noun, m.name, "has no PDF yet", "render it first: docket "+m.noun+" file "+m.name)
	}
	var before time.Time
	err = t.conn.QueryRow(ctx, `
select e.at, e.says from `+m.sendings+` x join invoice_events e on e.id = x.event_id where x.`+m.of+` = $1 and x.recipient = $2 and x.sha256 = $3`,
		m.id, sent.Recipient, sent.SHA256).Scan(&before, &sent.Says)
	switch {
	case err == nil:
		d.none, sent.At = true, before.UTC()
		return sent, nil
	case !errors.Is(err, pgx.ErrNoRows):
		return sent, fmt.Errorf("look where %s went: %w", m.name, err)
	}
	sent.Says = fmt.Sprintf("%s goes to %s with its PDF, SHA-256 %s…; %s", m.name, sent.Recipient, sent.SHA256[:12], m.says)
	notice, queued := m.notice, &pgx.Batch{}
	notice.Client, notice.Actor, notice.Says, notice.At, notice.Invoice, notice.Address = d.found.Payer, d.head.By, sent.Says, d.at, d.found.ID, sent.Recipient
	if err := queueNotice(queued, fmt.Sprintf("sending %s %s", m.name, sent.SHA256), notice); err != nil {
		return sent, err
	}
	d.event.Says = sent.Says
	d.rows = func(b *pgx.Batch, event int64) {
		b.Queue("insert into "+m.sendings+" (event_id, "+m.of+", payer_id, recipient, sha256) values ($1, $2, $3, $4, $5)",
			event, m.id, d.found.Payer, sent.Recipient, sent.SHA256)
		b.QueuedQueries = append(b.QueuedQueries, queued.QueuedQueries...)
	}
	return sent, nil
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
