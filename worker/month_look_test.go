package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// everyRun has, client by client, what a closing may meet: fees in advance and in arrears, taxed and not; a minimum; a number
// that nobody has counted; a tax without a rate; a last period that a person must approve; hours that a period grants; a block.
var everyRun = map[string]string{
	"acme": `
tax: vat
lines:
  - {clause: F, name: Managed service, charge: flat, price: "500.00"}
  - {clause: G, name: Backup, charge: flat, price: "33.33", when: arrears}
`,
	"beta": `
tax: later
lines:
  - {clause: F, name: Managed service, charge: flat, price: "500.00", when: arrears}
`,
	"carl": `
commitment: {clause: M, name: The agreed minimum, amount: "750.00"}
lines:
  - {clause: F, name: Managed service, charge: flat, price: "500.00", when: arrears}
`,
	"dora": `
lines:
  - {clause: S, name: Seats, charge: per-seat, price: "9.00", count: {of: user, take: snapshot}}
`,
	"emil": `
effective_to: 2026-04-01
term: {months: 12, renews: "no", notice_days: 10, cancelled_on: 2026-03-01, termination_fee: 900.00}
lines:
  - {clause: F, name: Managed service, charge: flat, price: "500.00", when: arrears}
`,
	"fred": `
rates: [{hourly: "150.00"}]
lines:
  - {clause: H, name: Hours of the month, charge: bucket, price: "700.00", match: {types: [request]}, bucket: {included: 10h, rollover: 4h}}
`,
	"gina": `
rates: [{hourly: "150.00"}]
lines:
  - {clause: B, name: Block hours, charge: block, overage: rate-card, match: {types: [incident]}}
`,
}

// beforeTheClosing opens the house in the middle of March, when what was due of February has posted.
func beforeTheClosing(t *testing.T, now *time.Time) *house {
	t.Helper()
	ctx := context.Background()
	at := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 12, 0, 0, 0, time.UTC) }
	h := &house{}
	h.url = testenv.Template(t, "every run", func(url string) error {
		if _, err := postgres.Migrate(ctx, url, "", ""); err != nil {
			return err
		}
		s, err := postgres.Open(ctx, url, postgres.Options{Now: func() time.Time { return at(2, 1) }})
		if err != nil {
			return err
		}
		defer s.Disconnect()
		if err := s.PutPerson(ctx, postgres.Staffing{Person: ticket.Person{ID: "olga", Name: "Olga", Kind: ticket.Human, Roles: []string{"owner"}}}); err != nil {
			return err
		}
		for _, tax := range []string{taxedLater, strings.NewReplacer("tax: later", "tax: vat", "valid_from: 2027-01-01, percent: 6", "percent: 19").Replace(taxedLater)} {
			if _, err := s.ApplyTax(ctx, []byte(tax), "olga"); err != nil {
				return err
			}
		}
		for client, terms := range everyRun {
			if err := s.PutClient(ctx, ticket.Client{ID: client, Name: client, TimeZone: "America/New_York", Currency: "USD"}); err != nil {
				return err
			}
			doc := fmt.Sprintf("schema: docket.contract/v1\ncontract: %[1]s-managed\nclient: %[1]s\nname: Managed services\neffective_from: 2026-02-01\ncurrency: USD\ntime_zone: America/New_York\n%[2]s", client, terms)
			if _, err := s.ApplyContract(ctx, []byte(doc), "olga", true); err != nil {
				return fmt.Errorf("%s: %w", client, err)
			}
		}
		for _, expires := range []time.Time{at(3, 20), at(9, 1)} {
			if _, err := s.GrantBlock(ctx, postgres.BlockGrant{
				OperationKey: expires.String(), Contract: "gina-managed", Hours: decimal.NewFromInt(5), Priority: 1, GrantedAt: at(2, 1), ExpiresAt: expires,
				Price: decimal.NewFromInt(600), Currency: "USD", By: "olga",
			}); err != nil {
				return err
			}
		}
		return nil
	})
	s, err := postgres.Open(t.Context(), h.url, postgres.Options{Now: func() time.Time { return *now }})
	require.NoError(t, err)
	t.Cleanup(s.Disconnect)
	h.Store = s
	*now = at(3, 15)
	h.sweep(t)
	return h
}

// sweep makes what is due, as the schedule does each hour.
func (h *house) sweep(t *testing.T) {
	t.Helper()
	due, err := h.Store.PeriodsDue(t.Context(), billing.DueFilter{})
	require.NoError(t, err)
	stopped := ""
	for _, run := range due {
		if run.Contract == stopped {
			continue
		}
		r, err := h.RunPeriod(t.Context(), run, "")
		require.NoError(t, err)
		if r.State == billing.PostingWaiting {
			stopped = run.Contract
		}
	}
	_, err = h.ExpireBlocks(t.Context())
	require.NoError(t, err)
}

// told is what a refusal names besides its reason: the invoice, and the day of its finalisation.
var told = regexp.MustCompile(`"draft-\d+" |"the invoice of \w+ from [\d-]+" |on 2026-04-0\d`)

// comparable is a report without what a look does not tell: numbers, the time, the names of invoices that a run opens, the tax date, and files.
func comparable(t *testing.T, r billing.MonthReport) string {
	t.Helper()
	r.At, r.Rendered, r.Failed = time.Time{}, 0, nil
	for i := range r.Finalised {
		r.Finalised[i].First, r.Finalised[i].Last = "", ""
	}
	for i := range r.Refused {
		r.Refused[i].Invoice = 0
		r.Refused[i].Refused = told.ReplaceAllString(r.Refused[i].Refused, "")
	}
	said, err := json.MarshalIndent(r, "", " ")
	require.NoError(t, err)
	return string(said)
}

func TestAMonthIsToldBeforeItIsClosed(t *testing.T) {
	var now time.Time
	h := beforeTheClosing(t, &now)
	m := billing.MonthClose{Until: march, By: "olga", WithoutFiles: true}

	early, err := h.LookAtMonth(t.Context(), m)
	require.NoError(t, err)
	require.True(t, early.Early)

	now = time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC)
	books := h.books(t)
	look, err := h.LookAtMonth(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, books, h.books(t), "nothing is written")
	require.False(t, look.Early)
	require.Equal(t, comparable(t, early.MonthReport), comparable(t, look.MonthReport), "a look ahead tells the same, where nothing happens meanwhile")

	report, err := h.close(t, m)
	require.NoError(t, err)
	require.Equal(t, comparable(t, report), comparable(t, look.MonthReport), "what it told is what the closing reports")
	require.NotZero(t, report.Posted)
	require.Equal(t, 1, report.Drafts)
	require.Equal(t, 1, report.Expired)
	require.NotEmpty(t, report.Refused)
	require.NotEmpty(t, report.Waiting)

	// Run by run and invoice by invoice, too.
	for _, r := range look.Runs {
		if r.State == billing.PostingWaiting {
			continue
		}
		made, err := h.RunPeriod(t.Context(), r.DueRun, "")
		require.NoError(t, err)
		require.Equal(t, r.Says, made.Says)
		require.Equal(t, r.Digest, made.Digest, "%s: to the byte", r.DueRun)
		require.Equal(t, r.State, made.State)
	}
	ahead := map[string]string{}
	for _, i := range look.Invoices {
		switch i.Becomes {
		case billing.AheadFinalised:
			ahead[i.Payer+" "+i.Start] = fmt.Sprintf("%d lines, %s net, %s with tax", i.Lines, i.Net.StringFixed(2), i.Total.StringFixed(2))
		case billing.AheadOpen:
			ahead[i.Payer+" "+i.Start] = fmt.Sprintf("%d lines, %s open", i.Lines, i.Net.StringFixed(2))
		}
	}
	stand := map[string]string{}
	invoices, err := h.Invoices(t.Context(), postgres.InvoiceFilter{})
	require.NoError(t, err)
	for _, i := range invoices {
		switch {
		case i.Receivable != nil && i.FinalisedAt.After(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)):
			stand[i.Payer+" "+i.PeriodStart] = fmt.Sprintf("%d lines, %s net, %s with tax", i.LineCount, i.Total.StringFixed(2), i.Receivable.Payable.StringFixed(2))
		case i.PeriodEnd > march:
			stand[i.Payer+" "+i.PeriodStart] = fmt.Sprintf("%d lines, %s open", i.LineCount, i.Total.StringFixed(2))
		}
	}
	require.Equal(t, stand, ahead)
	require.Equal(t, "2 lines, 533.33 net, 634.66 with tax", ahead["acme 2026-03-01"])
	require.Equal(t, "1 lines, 700.00 open", ahead["fred 2026-04-01"])

	again, err := h.LookAtMonth(t.Context(), m)
	require.NoError(t, err)
	closed, err := h.close(t, m)
	require.NoError(t, err)
	require.Equal(t, comparable(t, closed), comparable(t, again.MonthReport), "of a month that is closed, too")
}

func TestHowFarAMonthMayLieAhead(t *testing.T) {
	var now time.Time
	h := beforeTheClosing(t, &now)
	_, err := h.LookAtMonth(t.Context(), billing.MonthClose{Until: "2027-04-01"})
	require.NoError(t, err)
	_, err = h.LookAtMonth(t.Context(), billing.MonthClose{Until: "2027-05-01"})
	require.ErrorContains(t, err, `month "2027-04" lies more than a year ahead: a closing can be looked at for months until 2027-03`)
	_, err = h.LookAtMonth(t.Context(), billing.MonthClose{Until: "9999-12-01"})
	require.ErrorContains(t, err, `month "9999-11" lies more than a year ahead`)
	_, err = h.Store.PeriodsDue(t.Context(), billing.DueFilter{Until: "9999-12-31"})
	require.ErrorContains(t, err, `until "9999-12-31" lies more than a year ahead: what is due can be told until 2027-03-15`)
	_, err = h.LookAtMonth(t.Context(), billing.MonthClose{Until: march, Payer: "nobody"})
	require.ErrorContains(t, err, `client "nobody" is not known`)
}
