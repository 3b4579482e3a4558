package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-psa/docket/postgres"
)

// deskMetrics reads where the desk stands when it is scraped, so that it is never stale.
type deskMetrics struct {
	store *postgres.Store
	leaks *postgres.LeakWatch
	now   func() time.Time
	// months says what Temporal is to close by itself.
	months func(ctx context.Context, now time.Time) (scheduledMonths, error)
}

func newDeskMetrics(s *session, now func() time.Time) deskMetrics {
	return deskMetrics{store: s.store, leaks: s.store.WatchLeaks(postgres.LeakPage), now: now, months: s.scheduledMonths}
}

// What is told. deploy/prometheus/docket.rules.yml says what of it deserves an alarm.
var (
	ticketsOpen   = gauge("docket_tickets_open", "Tickets that can still be worked on.")
	ticketsClosed = gauge("docket_tickets_closed", "Tickets that are closed, held ones included.")
	ticketsPosted = gauge("docket_tickets_posted", "Tickets on which everything is decided.")
	ticketsLeaked = gauge("docket_tickets_leaked", "Closed tickets whose work is not wholly accounted for. Alert above 0.")

	ticketsBreached   = gauge("docket_tickets_breached", "Tickets that are not resolved, and whose SLA target passed unmet.")
	ticketsUnassigned = gauge("docket_tickets_unassigned", "Tickets in resolution that nobody has.")

	holdsOpen   = gauge("docket_holds_open", "Holds that wait for a person: a client's sign-off, or an exception's ruling.", "kind", "reason")
	holdsPast   = gauge("docket_holds_past_patience", "Of them, those that nobody decided in time: they were quoted afresh, further up the chain.", "kind", "reason")
	holdsOldest = gauge("docket_holds_oldest_seconds", "How long the oldest of them has waited.", "kind", "reason")

	proposalsOpen   = gauge("docket_proposals_open", "Rulings above their senders' limits, which wait for a second person. Their holds are counted in docket_holds_open, too.")
	proposalsOldest = gauge("docket_proposals_oldest_seconds", "How long the oldest of them has waited.")

	outboxPending = gauge("docket_outbox_pending", "Tickets that are accepted, and whose workflow has not begun.")
	outboxOldest  = gauge("docket_outbox_oldest_seconds", "How long the oldest of them has waited.")

	noticesDue    = gauge("docket_notices_due", "Notices that are due and not sent.")
	noticesOldest = gauge("docket_notices_oldest_seconds", "How long ago the oldest of them was to be told.")
	noticesLost   = gauge("docket_notices_lost", "Notices of the last 14 days that were given up, or have no address.")

	monthsFailing = gauge("docket_month_schedule_failing", "1 where the schedule that closes months closes none: its person may not any more, or its last run failed and invoices are open. None is scheduled, or Temporal does not answer: absent.")
)

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

func (m deskMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		ticketsOpen, ticketsClosed, ticketsPosted, ticketsLeaked, ticketsBreached, ticketsUnassigned,
		holdsOpen, holdsPast, holdsOldest, proposalsOpen, proposalsOldest, outboxPending, outboxOldest, noticesDue, noticesOldest, noticesLost, monthsFailing,
	} {
		ch <- d
	}
}

func (m deskMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWithin)
	defer cancel()
	tell := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	if standing, err := m.leaks.Standing(ctx); err != nil {
		ch <- prometheus.NewInvalidMetric(ticketsOpen, err)
	} else {
		tell(ticketsOpen, float64(standing.Open))
		tell(ticketsClosed, float64(standing.Closed))
		tell(ticketsPosted, float64(standing.Posted))
		tell(ticketsLeaked, float64(standing.Leaked))
	}
	waits, err := m.store.Waits(ctx, m.now())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(holdsOpen, err)
		return
	}
	for _, h := range waits.Holds {
		kind, reason := string(h.Kind), string(h.Reason)
		tell(holdsOpen, float64(h.Open), kind, reason)
		tell(holdsPast, float64(h.Past), kind, reason)
		tell(holdsOldest, h.Oldest.Seconds(), kind, reason)
	}
	tell(proposalsOpen, float64(waits.Proposals))
	tell(proposalsOldest, waits.ProposalsOldest.Seconds())
	tell(ticketsBreached, float64(waits.Breached))
	tell(ticketsUnassigned, float64(waits.Unassigned))
	tell(outboxPending, float64(waits.Outbox))
	tell(outboxOldest, waits.OutboxOldest.Seconds())
	tell(noticesDue, float64(waits.Notices))
	tell(noticesOldest, waits.NoticesOldest.Seconds())
	tell(noticesLost, float64(waits.NoticesLost))
	// Last, and with what is left of the time: a Temporal that does not answer must not hide the rest.
	if months, err := m.months(ctx, m.now()); err == nil && months.Scheduled {
		failing := 0.0
		if months.failing() {
			failing = 1
		}
		tell(monthsFailing, failing)
	}
}
