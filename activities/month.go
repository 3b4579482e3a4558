package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"github.com/docket-psa/docket/billing"
)

// Months is where months are closed. Each deed is one transaction, single by what it changes: an invoice is finalised
// once, and its files are rendered once.
type Months interface {
	// BeginMonth says whether the person has asked, whether he may, and whether it is over.
	BeginMonth(ctx context.Context, m billing.MonthClose) error
	// OverInvoices lists open invoices whose period is over: at most so many after one of them, in an order of their own.
	OverInvoices(ctx context.Context, m billing.MonthClose, after billing.OverInvoice, most int) ([]billing.OverInvoice, error)
	// FinaliseOver finalises one of them, or tells why it cannot be. It is kept for good once Flush has returned.
	FinaliseOver(ctx context.Context, o billing.OverInvoice, by string) (billing.Finalised, error)
	// Flush waits until all that was done before is on the disk.
	Flush(ctx context.Context) error
	// Unrendered lists finalised invoices without files: at most so many after one of them.
	Unrendered(ctx context.Context, m billing.MonthClose, after int64, most int) ([]int64, error)
	// Unsent lists the month's invoices that go to their payers and did not yet.
	Unsent(ctx context.Context, m billing.MonthClose) ([]int64, error)
	// SendOver mails one of them, once.
	SendOver(ctx context.Context, invoice int64, by string) error
	// UnrenderedNotes and UnsentNotes list credit notes in the same way, and SendNoteOver mails one of them, once.
	UnrenderedNotes(ctx context.Context, m billing.MonthClose, after int64, most int) ([]int64, error)
	UnsentNotes(ctx context.Context, m billing.MonthClose) ([]int64, error)
	SendNoteOver(ctx context.Context, note int64, by string) error
	// MonthStands reads what the month came to.
	MonthStands(ctx context.Context, m billing.MonthClose) (billing.MonthReport, error)
}

// Renderer makes the files of a finalised invoice, or of a credit note, once, and keeps them.
type Renderer func(ctx context.Context, id int64) error

// MonthActivities are the deeds of the workflow that closes a month.
type MonthActivities struct {
	months     Months
	render     Renderer
	renderNote Renderer
}

// NewMonths gives the activities over the store.
func NewMonths(m Months, render, renderNote Renderer) *MonthActivities {
	return &MonthActivities{months: m, render: render, renderNote: renderNote}
}

// MonthBegins refuses a month that is not over, and a person who may not close it or has not asked.
func (a *MonthActivities) MonthBegins(ctx context.Context, m billing.MonthClose) error {
	return translate(a.months.BeginMonth(ctx, m))
}

// ListOver lists open invoices whose period is over, a page of them.
func (a *MonthActivities) ListOver(ctx context.Context, m billing.MonthClose, after billing.OverInvoice, most int) ([]billing.OverInvoice, error) {
	found, err := a.months.OverInvoices(ctx, m, after, most)
	return found, translate(err)
}

// FinaliseBatch finalises some invoices, one transaction each. It tells how far it is; what was done before a crash is
// answered as it was done.
func (a *MonthActivities) FinaliseBatch(ctx context.Context, batch []billing.OverInvoice, by string) ([]billing.Finalised, error) {
	done := make([]billing.Finalised, 0, len(batch))
	for i, o := range batch {
		f, err := a.months.FinaliseOver(ctx, o, by)
		if err != nil {
			return nil, translate(err)
		}
		done = append(done, f)
		activity.RecordHeartbeat(ctx, i+1)
	}
	if err := a.months.Flush(ctx); err != nil {
		return nil, translate(err)
	}
	return done, nil
}

// ListUnrendered lists finalised invoices without files, a page of them.
func (a *MonthActivities) ListUnrendered(ctx context.Context, m billing.MonthClose, after int64, most int) ([]int64, error) {
	found, err := a.months.Unrendered(ctx, m, after, most)
	return found, translate(err)
}

// RenderBatch renders some invoices. One that lacks something (an address) is told, and keeps back no other.
func (a *MonthActivities) RenderBatch(ctx context.Context, batch []int64) (refused []string, err error) {
	return each(ctx, batch, func(invoice int64) error { return a.render(ctx, invoice) })
}

// ListUnrenderedNotes lists credit notes without files, a page of them.
func (a *MonthActivities) ListUnrenderedNotes(ctx context.Context, m billing.MonthClose, after int64, most int) ([]int64, error) {
	found, err := a.months.UnrenderedNotes(ctx, m, after, most)
	return found, translate(err)
}

// RenderNotes renders some credit notes as RenderBatch does invoices.
func (a *MonthActivities) RenderNotes(ctx context.Context, batch []int64) (refused []string, err error) {
	return each(ctx, batch, func(note int64) error { return a.renderNote(ctx, note) })
}

// ListUnsent lists the month's invoices that go to their payers and did not yet.
func (a *MonthActivities) ListUnsent(ctx context.Context, m billing.MonthClose) ([]int64, error) {
	found, err := a.months.Unsent(ctx, m)
	return found, translate(err)
}

// SendBatch mails some invoices to their payers. One that cannot be (an address that is none) is told, and keeps back no other.
func (a *MonthActivities) SendBatch(ctx context.Context, batch []int64, by string) (refused []string, err error) {
	return each(ctx, batch, func(invoice int64) error { return a.months.SendOver(ctx, invoice, by) })
}

// ListUnsentNotes lists the month's credit notes that go to their payers and did not yet.
func (a *MonthActivities) ListUnsentNotes(ctx context.Context, m billing.MonthClose) ([]int64, error) {
	found, err := a.months.UnsentNotes(ctx, m)
	return found, translate(err)
}

// SendNotes mails some credit notes as SendBatch does invoices.
func (a *MonthActivities) SendNotes(ctx context.Context, batch []int64, by string) (refused []string, err error) {
	return each(ctx, batch, func(note int64) error { return a.months.SendNoteOver(ctx, note, by) })
}

// each does one after the other, and tells how far it is. It gives what was refused; an error may heal.
func each(ctx context.Context, batch []int64, do func(id int64) error) (refused []string, err error) {
	refused = []string{}
	for i, id := range batch {
		switch err := translate(do(id)); {
		case err == nil:
		case Refusal(err) != nil:
			refused = append(refused, Refusal(err).Message())
		default:
			return nil, err
		}
		activity.RecordHeartbeat(ctx, i+1)
	}
	return refused, nil
}

// MonthCame reads what the month came to.
func (a *MonthActivities) MonthCame(ctx context.Context, m billing.MonthClose) (billing.MonthReport, error) {
	report, err := a.months.MonthStands(ctx, m)
	return report, translate(err)
}
