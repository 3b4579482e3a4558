package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/sla"
	"github.com/docket-psa/docket/ticket"
)

// ReportFilter narrows a report to a period of local dates, a client and a currency. Zero values do not narrow.
type ReportFilter struct {
	From     sla.LocalDate // inclusive
	To       sla.LocalDate // exclusive
	Client   string        // whose tickets, work and blocks; of what is in the journal: who pays
	Currency string
}

// Balance narrows a report of how the books stand at the end of a date; zero: by all that is booked.
type Balance struct {
	AsOf     sla.LocalDate
	Client   string
	Currency string
}

// in holds rows by a local date, $1 inclusive and $2 exclusive, and by their client, $3. An empty parameter does not narrow: it
// is folded away when the statement is planned, so that what is left can use an index.
func in(date, client string) string {
	return fmt.Sprintf("($1 = '' or %[1]s >= $1::date) and ($2 = '' or %[1]s < $2::date) and ($3 = '' or %[2]s = $3)", date, client)
}

// inAt is in for an instant by the local date of a zone. The instant by itself is held to within a day beside it, for its index.
func inAt(instant, zone, client string) string {
	return fmt.Sprintf("($1 = '' or %[1]s >= ($1::date - 1)::timestamp at time zone 'UTC') and ($2 = '' or %[1]s < ($2::date + 1)::timestamp at time zone 'UTC') and ", instant) +
		in("("+instant+" at time zone "+zone+")::date", client)
}

// args are $1 to $3 of in.
func (f ReportFilter) args() []any {
	from, to := bounds(f.From, f.To)
	return []any{from, to, f.Client}
}

func bounds(from, to sla.LocalDate) (string, string) {
	text := func(d sla.LocalDate) string {
		if d.IsZero() {
			return ""
		}
		return d.String()
	}
	return text(from), text(to)
}

func (f ReportFilter) check(ctx context.Context, r Reads) error {
	return errors.Join(inOrder(f.From, f.To), r.known(ctx, f.Client), isCurrency(f.Currency))
}

// inOrder refuses a period that ends before it begins.
func inOrder(from, to sla.LocalDate) error {
	if !from.IsZero() && !to.IsZero() && to.Compare(from) <= 0 {
		return ticket.Invalid("to", to, "is not after from", "give the first date after the period, later than "+from.String())
	}
	return nil
}

func (r Reads) known(ctx context.Context, client string) error {
	if client == "" {
		return nil
	}
	var exists bool
	if err := r.q.QueryRow(ctx, "select exists (select from clients where id = $1)", client).Scan(&exists); err != nil {
		return fmt.Errorf("look for client %q: %w", client, err)
	}
	if !exists {
		return ticket.Invalid("client", client, "is not known", "`docket client list` shows the clients")
	}
	return nil
}

func isCurrency(code string) error {
	if _, ok := billing.MinorUnits(code); code != "" && !ok {
		return ticket.Invalid("currency", code, "is not an ISO 4217 currency", "give a code such as USD")
	}
	return nil
}

// checkPayer is check for reports of the journal, which is kept by payer: a client that others pay for is not found there.
func (f ReportFilter) checkPayer(ctx context.Context, r Reads) error {
	if err := f.check(ctx, r); err != nil || f.Client == "" {
		return err
	}
	var (
		payer  string
		booked bool // also where others pay for it by now
	)
	if err := r.q.QueryRow(ctx, "select payer_id, exists (select from journal where payer_id = id) from clients where id = $1", f.Client).Scan(&payer, &booked); err != nil {
		return fmt.Errorf("look who pays for %q: %w", f.Client, err)
	}
	if payer != f.Client && !booked {
		return ticket.Invalid("client", f.Client, "is paid for by "+payer+", and the books are kept by payer", "ask for --client "+payer)
	}
	return nil
}
