package worker_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/docket-psa/docket/activities"
	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/document"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
	"github.com/docket-psa/docket/workflows"
)

const (
	march = "2026-04-01" // until when it is over
	fees  = `
schema: docket.contract/v1
contract: %[1]s-managed
client: %[1]s
name: Managed services
effective_from: 2026-02-01
currency: USD
time_zone: America/New_York
%[2]s
lines:
  - {clause: F, name: Managed service, charge: flat, price: "500.00", when: arrears}
`
)

// taxedLater is a profile that has no rate yet.
const taxedLater = `
schema: docket.tax/v1
tax: later
name: Sales tax
standard: standard
categories: [{category: standard, code: S, rates: [{valid_from: 2027-01-01, percent: 6}]}]
`

// house is a database with three clients whose March is over: one that is billed, one whose tax has no rate yet, one without
// an address.
type house struct {
	*postgres.Store
	url   string
	mu    sync.Mutex
	calls int
	die   int  // the call after which the process dies; 0: none
	late  bool // it dies when the call has had its effect
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return openHouse(t, "march", func(context.Context, string) error { return nil })
}

// newCreditedHouse is the same after acme's February was finalised, and a part of it given back in March.
func newCreditedHouse(t *testing.T) *house {
	t.Helper()
	return openHouse(t, "credited march", func(ctx context.Context, url string) error {
		s, err := postgres.Open(ctx, url, postgres.Options{Now: func() time.Time { return time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC) }})
		if err != nil {
			return err
		}
		defer s.Disconnect()
		due, err := s.PeriodsDue(ctx, billing.DueFilter{Client: "acme", Until: "2026-03-01"})
		if err != nil {
			return err
		}
		for _, run := range due {
			if _, err := s.RunPeriod(ctx, run, ""); err != nil {
				return err
			}
		}
		february, err := s.Finalise(ctx, postgres.Finalisation{Payer: "acme", Currency: "USD", Period: "2026-02-01", By: "olga"})
		if err != nil {
			return err
		}
		_, err = s.Credit(ctx, postgres.CreditNoteDraft{
			InvoiceDeed: postgres.InvoiceDeed{Invoice: february.ID, By: "olga", OperationKey: "credit"}, Amount: "100.00", Reason: "Two days of outage",
		})
		return err
	})
}

func openHouse(t *testing.T, name string, more func(ctx context.Context, url string) error) *house {
	t.Helper()
	ctx := context.Background()
	h := &house{}
	h.url = testenv.Template(t, name, func(url string) error {
		if _, err := postgres.Migrate(ctx, url, "", ""); err != nil {
			return err
		}
		s, err := postgres.Open(ctx, url, postgres.Options{Now: func() time.Time { return time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC) }})
		if err != nil {
			return err
		}
		defer s.Disconnect()
		if err := s.PutPerson(ctx, postgres.Staffing{Person: ticket.Person{ID: "olga", Name: "Olga", Kind: ticket.Human, Roles: []string{"owner"}}}); err != nil {
			return err
		}
		if err := s.SetCompany(ctx, billing.Party{Name: "Harbor IT", Country: "US"}, "olga"); err != nil {
			return err
		}
		if _, err := s.ApplyTax(ctx, []byte(taxedLater), "olga"); err != nil {
			return err
		}
		for client, terms := range map[string]string{"acme": "", "beta": "tax: later", "carl": ""} {
			if err := s.PutClient(ctx, ticket.Client{ID: client, Name: client, TimeZone: "America/New_York", Currency: "USD"}); err != nil {
				return err
			}
			if client == "acme" {
				if err := s.SetClientParty(ctx, client, billing.Party{Country: "US", Email: "ap@acme.example"}, "olga"); err != nil {
					return err
				}
			}
			if _, err := s.ApplyContract(ctx, fmt.Appendf(nil, fees, client, terms), "olga", true); err != nil {
				return err
			}
		}
		return more(ctx, url)
	})
	s, err := postgres.Open(t.Context(), h.url, postgres.Options{Now: func() time.Time { return time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC) }})
	require.NoError(t, err)
	t.Cleanup(s.Disconnect)
	h.Store = s
	return h
}

// died is what a workflow sees of a process that dies and never comes back.
var died = temporal.NewNonRetryableApplicationError("the process died", "Died", nil)

// step counts a call, and dies before it or after it.
func step[A any](h *house, call func() (A, error)) (A, error) {
	h.mu.Lock()
	h.calls++
	dies := h.calls == h.die
	h.mu.Unlock()
	var none A
	if dies && !h.late {
		return none, died
	}
	a, err := call()
	if dies {
		return none, died
	}
	return a, err
}

func (h *house) PeriodsDue(ctx context.Context, f billing.DueFilter) ([]billing.DueRun, error) {
	return step(h, func() ([]billing.DueRun, error) { return h.Store.PeriodsDue(ctx, f) })
}

func (h *house) RunPeriodAhead(ctx context.Context, run billing.DueRun) (billing.PeriodReceipt, error) {
	return step(h, func() (billing.PeriodReceipt, error) { return h.Store.RunPeriodAhead(ctx, run) })
}

func (h *house) Flush(ctx context.Context) error {
	_, err := step(h, func() (none struct{}, err error) { return none, h.Store.Flush(ctx) })
	return err
}

func (h *house) OverInvoices(ctx context.Context, m billing.MonthClose, after billing.OverInvoice, most int) ([]billing.OverInvoice, error) {
	return step(h, func() ([]billing.OverInvoice, error) { return h.Store.OverInvoices(ctx, m, after, most) })
}

func (h *house) FinaliseOver(ctx context.Context, o billing.OverInvoice, by string) (billing.Finalised, error) {
	return step(h, func() (billing.Finalised, error) { return h.Store.FinaliseOver(ctx, o, by) })
}

func (h *house) Unrendered(ctx context.Context, m billing.MonthClose, after int64, most int) ([]int64, error) {
	return step(h, func() ([]int64, error) { return h.Store.Unrendered(ctx, m, after, most) })
}

func (h *house) Unsent(ctx context.Context, m billing.MonthClose) ([]int64, error) {
	return step(h, func() ([]int64, error) { return h.Store.Unsent(ctx, m) })
}

func (h *house) SendOver(ctx context.Context, invoice int64, by string) error {
	_, err := step(h, func() (struct{}, error) { return struct{}{}, h.Store.SendOver(ctx, invoice, by) })
	return err
}

func (h *house) MonthStands(ctx context.Context, m billing.MonthClose) (billing.MonthReport, error) {
	return step(h, func() (billing.MonthReport, error) { return h.Store.MonthStands(ctx, m) })
}

func (h *house) UnrenderedNotes(ctx context.Context, m billing.MonthClose, after int64, most int) ([]int64, error) {
	return step(h, func() ([]int64, error) { return h.Store.UnrenderedNotes(ctx, m, after, most) })
}

func (h *house) UnsentNotes(ctx context.Context, m billing.MonthClose) ([]int64, error) {
	return step(h, func() ([]int64, error) { return h.Store.UnsentNotes(ctx, m) })
}

func (h *house) SendNoteOver(ctx context.Context, note int64, by string) error {
	_, err := step(h, func() (struct{}, error) { return struct{}{}, h.Store.SendNoteOver(ctx, note, by) })
	return err
}

func (h *house) renderNote(ctx context.Context, note int64) error {
	_, err := step(h, func() (struct{}, error) {
		_, err := document.KeepNote(ctx, h.Store, note)
		return struct{}{}, err
	})
	return err
}

func (h *house) render(ctx context.Context, invoice int64) error {
	_, err := step(h, func() (struct{}, error) {
		_, err := document.Keep(ctx, h.Store, invoice)
		return struct{}{}, err
	})
	return err
}

// close closes a month that the desk was asked to close.
func (h *house) close(t *testing.T, m billing.MonthClose, so ...any) (report billing.MonthReport, err error) {
	t.Helper()
	m, err = h.ProveMonth(t.Context(), m)
	require.NoError(t, err)
	return h.begun(t, m, so...)
}

// begun runs the workflow by its input as it stands.
func (h *house) begun(t *testing.T, m billing.MonthClose, so ...any) (report billing.MonthReport, err error) {
	t.Helper()
	h.calls = 0
	var s testsuite.WorkflowTestSuite
	s.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := s.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	env.RegisterWorkflowWithOptions(workflows.Month, workflow.RegisterOptions{Name: workflows.MonthType})
	env.RegisterActivity(activities.NewPeriods(h))
	env.RegisterActivity(activities.NewMonths(h, h.render, h.renderNote))
	env.ExecuteWorkflow(workflows.MonthType, append([]any{m}, so...)...)
	require.True(t, env.IsWorkflowCompleted())
	if err := env.GetWorkflowError(); err != nil {
		return report, err
	}
	return report, env.GetWorkflowResult(&report)
}

// books is all that a closing leaves, but for when and how often it was tried.
func (h *house) books(t *testing.T) (all []string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), h.url)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close(context.WithoutCancel(t.Context()))) }()
	rows, err := c.Query(t.Context(), `
select format('invoice %s %s %s %s %s %s', payer_id, period_start, state, number, gross, due_on) from invoices
union all select format('line %s %s %s', l.payer_id, l.service_date, l.amount) from invoice_lines l
union all select format('posting %s %s', key, state) from postings
union all select format('file %s %s', payer_id, kind) from invoice_documents
union all select format('file %s %s', n.number, d.kind) from credit_note_documents d join credit_notes n on n.id = d.note_id
union all select format('mail %s %s', tells, recipient) from notices
union all select format('series %s %s', series, last) from number_series
order by 1`)
	require.NoError(t, err)
	all, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

func TestAMonthCloses(t *testing.T) {
	h := newHouse(t)
	m := billing.MonthClose{Until: march, By: "olga", Send: true}
	report, err := h.close(t, m)
	require.NoError(t, err)
	require.Equal(t, 6, report.Posted, "February and March of three contracts")
	require.Len(t, report.Refused, 2, "two months of a client whose tax has no rate")
	require.Contains(t, report.Refused[0].Refused, "has no rate on 2026-04-02")
	require.Len(t, report.Finalised, 1)
	require.Equal(t, 2, report.Finalised[0].Invoices, "those of March")
	require.Equal(t, "1000", report.Finalised[0].Total.String())
	require.Equal(t, 2, report.Older, "those of February")
	require.Equal(t, 2, report.Rendered, "February and March of acme")
	require.Len(t, report.Failed, 2, "carl has no address")
	require.Contains(t, report.Failed[0], "docket client address")
	require.Equal(t, 1, report.Sent, "March of acme; who begins to mail does not mail the past")
	books := h.books(t)

	again, err := h.close(t, m)
	require.NoError(t, err)
	require.Equal(t, report.Finalised, again.Finalised, "closed twice, it tells what stands")
	require.Equal(t, 1, again.Sent)
	require.Zero(t, again.Posted+again.Rendered)
	require.Equal(t, books, h.books(t))

	_, err = h.close(t, billing.MonthClose{Until: "2026-06-01", By: "olga"})
	require.ErrorContains(t, err, "is not over anywhere")
	_, err = h.close(t, billing.MonthClose{Until: march, By: "nobody"})
	require.ErrorContains(t, err, `by "nobody" is not known`)
}

func TestAMonthClosesWithItsCreditNotes(t *testing.T) {
	h := newCreditedHouse(t)
	m := billing.MonthClose{Until: march, By: "olga", Send: true}
	report, err := h.close(t, m)
	require.NoError(t, err)
	require.Equal(t, 3, report.Rendered, "February, its credit note, and March of acme")
	require.Equal(t, []int{1, 1}, []int{report.Sent, report.SentNotes})
	books := h.books(t)
	require.Subset(t, books, []string{"file CN-2026-00001 pdf", "file CN-2026-00001 ubl", "file CN-2026-00001 json", "mail credit-note ap@acme.example", "mail invoice ap@acme.example"})
	again, err := h.close(t, m)
	require.NoError(t, err)
	require.Zero(t, again.Rendered)
	require.Equal(t, 1, again.SentNotes)
	require.Equal(t, books, h.books(t))

	early := newCreditedHouse(t)
	report, err = early.close(t, billing.MonthClose{Until: "2026-03-01", By: "olga", Send: true})
	require.NoError(t, err)
	require.Equal(t, 1, report.Rendered, "a note of March waits for March to close")
	require.Zero(t, report.SentNotes)
}

// Whoever may open the Temporal UI may start this workflow there, with any name in it.
func TestAMonthThatNobodyAskedForStaysOpen(t *testing.T) {
	h := newHouse(t)
	books := h.books(t)
	asked, err := h.ProveMonth(t.Context(), billing.MonthClose{Until: march, By: "olga", WithoutFiles: true})
	require.NoError(t, err)
	each, err := h.ProveMonth(t.Context(), billing.MonthClose{By: "olga", Each: true})
	require.NoError(t, err)
	more, other, once := asked, asked, each
	more.WithoutFiles, more.Send = false, true
	other.By = "fay"
	once.Each, once.Until = false, march
	for name, m := range map[string]billing.MonthClose{
		"typed":                           {Until: march, By: "olga"},
		"typed, of no month":              {By: "olga"},
		"with more than was asked for":    more,
		"in another's name":               other,
		"each month's, for one by itself": once,
		"with a proof of nothing":         {Until: march, By: "olga", Proof: "AAAA"},
	} {
		_, err := h.begun(t, m)
		require.ErrorContains(t, err, "has not asked for this", name)
		_, err = h.begun(t, m, workflows.MonthSoFar{At: workflows.MonthClosing{Stage: "invoices"}})
		require.ErrorContains(t, err, "has not asked for this", "%s, as if it had begun", name)
	}
	require.Equal(t, books, h.books(t))
	_, err = h.begun(t, asked)
	require.NoError(t, err)
	each.Until = "2026-03-01"
	_, err = h.begun(t, each)
	require.NoError(t, err, "what was asked for each month counts for one of them")
}

func TestAMonthThatDiesAnywhereClosesTheSame(t *testing.T) {
	undisturbed := newCreditedHouse(t)
	m := billing.MonthClose{Until: march, By: "olga", Send: true}
	_, err := undisturbed.close(t, m)
	require.NoError(t, err)
	steps, want := undisturbed.calls, undisturbed.books(t)
	require.Greater(t, steps, 15)
	for die := 1; die <= steps; die++ {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d of %d, late %v", die, steps, late), func(t *testing.T) {
				h := newCreditedHouse(t)
				h.die, h.late = die, late
				_, _ = h.close(t, m)
				h.die = 0
				_, err := h.close(t, m)
				require.NoError(t, err)
				require.Equal(t, withoutNumbers(want), withoutNumbers(h.books(t)))
				found, err := h.Audit(t.Context(), nil)
				require.NoError(t, err)
				require.True(t, found.Clean(), "%+v", found)
			})
		}
	}
}

// withoutNumbers leaves out which of the invoices got which number: that is a matter of order, and they have no gaps.
func withoutNumbers(books []string) (rest []string) {
	for _, b := range books {
		var payer, start, state, number, gross, due string
		if n, _ := fmt.Sscanf(b, "invoice %s %s %s %s %s %s", &payer, &start, &state, &number, &gross, &due); n == 6 {
			b = fmt.Sprint("invoice ", payer, start, state, gross, due)
		}
		rest = append(rest, b)
	}
	return rest
}

// A page that is full is followed by the next one, and what was refused on it is not tried twice.
func TestAMonthIsReadByPages(t *testing.T) {
	h := newHouse(t)
	m := billing.MonthClose{Until: march, By: "olga", WithoutFiles: true}
	due, err := h.Store.PeriodsDue(t.Context(), billing.DueFilter{Most: 1})
	require.NoError(t, err)
	require.Len(t, due, 2, "a page ends with a contract: February and March of acme")
	rest, err := h.Store.PeriodsDue(t.Context(), billing.DueFilter{Most: 3, After: due[1].Contract})
	require.NoError(t, err)
	require.Len(t, rest, 4, "of beta and carl")
	all, err := h.Store.PeriodsDue(t.Context(), billing.DueFilter{})
	require.NoError(t, err)
	require.Equal(t, all, append(due, rest...))

	for _, run := range all {
		_, err := h.RunPeriod(t.Context(), run, "")
		require.NoError(t, err)
	}
	over, err := h.Store.OverInvoices(t.Context(), m, billing.OverInvoice{}, 0)
	require.NoError(t, err)
	require.Len(t, over, 6)
	var (
		paged []billing.OverInvoice
		after billing.OverInvoice
	)
	for {
		page, err := h.Store.OverInvoices(t.Context(), m, after, 4)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		require.LessOrEqual(t, len(page), 4)
		paged, after = append(paged, page...), page[len(page)-1]
	}
	require.Equal(t, over, paged)

	report, err := h.close(t, m)
	require.NoError(t, err)
	require.Zero(t, report.Rendered)
	bare, err := h.Store.Unrendered(t.Context(), m, 0, 3)
	require.NoError(t, err)
	require.Len(t, bare, 3)
	bare, err = h.Store.Unrendered(t.Context(), m, bare[2], 3)
	require.NoError(t, err)
	require.Len(t, bare, 1, "four of six were finalised")
}

// What is refused beyond what a report lists is counted.
func TestAReportTellsSoMany(t *testing.T) {
	var (
		list   []int
		untold int
	)
	billing.Tell(&list, &untold, make([]int, billing.MostTold-1)...)
	billing.Tell(&list, &untold, 1, 2, 3)
	billing.Tell(&list, &untold, 4)
	require.Len(t, list, billing.MostTold)
	require.Equal(t, 3, untold)
}

// A closing whose history has grown long continues as another run, from the page after.
func TestAMonthContinuesWhereItWas(t *testing.T) {
	h := newHouse(t)
	m := billing.MonthClose{Until: march, By: "olga", WithoutFiles: true}
	so := workflows.MonthSoFar{At: workflows.MonthClosing{Stage: "periods", Due: 2, Periods: 2}, Swept: workflows.PeriodsSwept{Posted: 2}, Contract: "acme-managed"}
	report, err := h.close(t, m, so)
	require.NoError(t, err)
	require.Equal(t, 6, report.Posted, "two before, and those of beta and carl")
	left, err := h.Store.PeriodsDue(t.Context(), billing.DueFilter{})
	require.NoError(t, err)
	require.Len(t, left, 2, "those of acme, which the run before is said to have made")
}
