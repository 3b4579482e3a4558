package activities

import (
	"context"

	"github.com/docket-psa/docket/billing"
)

// Reminders is where payers are reminded of what is overdue, each once a step of the house.
type Reminders interface {
	RemindOverdue(ctx context.Context, limit int) (billing.RemindersSwept, error)
}

// ReminderActivities are the deeds of the scheduled reminders, by the names under which Temporal knows them.
type ReminderActivities struct{ reminders Reminders }

// NewReminders gives the activities over the store.
func NewReminders(r Reminders) *ReminderActivities { return &ReminderActivities{reminders: r} }

// RemindOverdue reminds of at most so many overdue invoices, and says whether there may be more.
func (a *ReminderActivities) RemindOverdue(ctx context.Context, limit int) (billing.RemindersSwept, error) {
	swept, err := a.reminders.RemindOverdue(ctx, limit)
	return swept, translate(err)
}
