package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// journalKinds are the rows that are booked.
var journalKinds = []string{"line", "invoice", "void", "payment", "return", "note", "credit", "block", "grant", "move"}

// JournalFilter narrows what JournalPostings lists. Zero values do not narrow.
type JournalFilter struct {
	Account string        // also of its sub-accounts
	Payer   string        // client id
	From    sla.LocalDate // booked on that date or later
	To      sla.LocalDate // booked before
	Limit   int           // the newest so many entries; 0: all
}

const selectJournal = `
select j.kind, j.source, j.account, j.unit, j.amount, j.booked_on::text, j.payer_id, coalesce(j.client_id, ''), coalesce(j.invoice_id, 0), coalesce(j.block_id, 0), j.at
from journal j`

// In debit first, as books are written.
const orderJournal = " order by j.at, j.kind, j.source, j.unit, j.amount < 0, j.account"

// JournalPostings lists whole entries that touch what the filter names, the oldest first.
func (r Reads) JournalPostings(ctx context.Context, f JournalFilter) ([]billing.JournalPosting, error) {
	if _, ok := billing.AccountOf(f.Account); f.Account != "" && !ok {
		return nil, ticket.Invalid("account", f.Account, "is not an account", "`docket journal accounts` lists them")
	}
	if err := inOrder(f.From, f.To); err != nil {
		return nil, err
	}
	from, to := bounds(f.From, f.To)
	return r.journal(ctx, ` where (j.kind, j.source) in (
  select f.kind, f.source from journal f
  where ($1 = '' or f.account = $1 or starts_with(f.account, $1 || '/')) and ($2 = '' or f.payer_id = $2)
    and ($3 = '' or f.booked_on >= $3::date) and ($4 = '' or f.booked_on < $4::date)
  group by f.kind, f.source order by max(f.at) desc, f.kind, f.source desc limit nullif($5, 0)::bigint)`, f.Account, f.Payer, from, to, f.Limit)
}

// JournalOf gives the entries about what people name: a line (L-88123), an entry (payment/33), all of a block (block/3) with its moves,
// all of an invoice but the lines on it (INV-2026-00017), a payment (P-12) or a credit note (CN-2026-00003).
func (r Reads) JournalOf(ctx context.Context, ref string) ([]billing.JournalPosting, error) {
	ref = strings.TrimSpace(ref)
	kind, number, named := strings.Cut(ref, "/")
	if line, ok := strings.CutPrefix(strings.ToUpper(ref), "L-"); ok {
		kind, number, named = "line", line, true
	} else if payment, ok := strings.CutPrefix(strings.ToUpper(ref), "P-"); ok {
		kind, number, named = "payment", payment, true
	}
	if named {
		id, err := strconv.ParseInt(number, 10, 64)
		if err != nil || !slices.Contains(journalKinds, kind) {
			return nil, ticket.Invalid("entry", ref, "is not an entry of the journal",
				"name a line like L-88123, a payment like P-12, an invoice like INV-2026-00017, a credit note like CN-2026-00003, or an entry: "+strings.Join(journalKinds, "/3, ")+"/3")
		}
		if kind == "block" {
			return r.journal(ctx, " where j.block_id = $1", id)
		}
		return r.journal(ctx, " where j.kind = $1 and j.source = $2", kind, id)
	}
	invoice, err := r.Invoice(ctx, ref)
	if err != nil {
		return nil, err
	}
	if note := strings.ToUpper(ref); strings.HasPrefix(note, "CN-") && note != invoice.Number {
		return r.journal(ctx, " where j.kind = 'note' and j.source = (select id from credit_notes where number = $1)", note)
	}
	return r.journal(ctx, " where j.invoice_id = $1 and j.kind <> 'line'", invoice.ID)
}

func (r Reads) journal(ctx context.Context, where string, args ...any) ([]billing.JournalPosting, error) {
	return collect[billing.JournalPosting](ctx, r.q, "the journal", selectJournal+where+orderJournal, args...)
}
