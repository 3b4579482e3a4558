package notify_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/billing"
	"github.com/docket-psa/docket/internal/testenv"
	"github.com/docket-psa/docket/notify"
	"github.com/docket-psa/docket/postgres"
	"github.com/docket-psa/docket/ticket"
)

// noon is when these tests begin: 8 o'clock in New York, where acme is; a Wednesday.
var noon = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

const hourly = `
schema: docket.contract/v1
contract: acme-hourly
client: acme
name: Time and materials
effective_from: "2026-01-01"
currency: USD
time_zone: America/New_York
rates:
  - {clause: "3.1", work_role: engineer, hourly: "150.00"}
lines:
  - {clause: "2.1", name: Remote support, charge: time}
approval: {clause: "5.1", amount_over: "500.00", approvers: [ann], expires: 72h}
`

// house is a migrated database with one client, whose bills over 500 USD ask ann, and a clock that is moved by hand.
type house struct {
	*postgres.Store
	t     testing.TB
	url   string // the owner's
	admin *pgxpool.Pool
	clock atomic.Int64
	keys  atomic.Int64
}

var quietLog = slog.New(slog.DiscardHandler)

func openHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t}
	h.clock.Store(noon.UnixNano())
	url := testenv.Template(t, "notify", func(url string) error {
		ctx := context.Background()
		if _, err := postgres.Migrate(ctx, url, "", ""); err != nil {
			return err
		}
		s, err := postgres.Open(ctx, url, postgres.Options{Now: h.now})
		if err != nil {
			return err
		}
		defer s.Disconnect()
		if err := s.PutClient(ctx, ticket.Client{ID: "acme", Name: "Acme", TimeZone: "America/New_York", Currency: "USD", Payer: "acme"}); err != nil {
			return err
		}
		for _, p := range []ticket.Person{
			{ID: "tom", Name: "Tom", Roles: []string{"technician"}, WorkRole: "engineer", Email: "tom@desk.example"},
			{ID: "dora", Name: "Dora", Roles: []string{"dispatcher"}, Email: "dora@desk.example"},
			{ID: "olga", Name: "Olga", Roles: []string{"owner"}, Email: "olga@desk.example"},
			{ID: "ben", Name: "Ben", Client: "acme", Roles: []string{"approver"}, Email: "ben@acme.example"},
			{ID: "ann", Name: "Ann", Client: "acme", Roles: []string{"approver"}, Email: "ann@acme.example"},
		} {
			p.Kind = ticket.Human
			if err := s.PutPerson(ctx, postgres.Staffing{Person: p}); err != nil {
				return err
			}
		}
		_, err = s.ApplyContract(ctx, []byte(hourly), "olga", false)
		return err
	})
	h.url, h.Store = url, h.connect(url)
	var err error
	h.admin, err = pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(h.admin.Close)
	return h
}

func (h *house) connect(url string) *postgres.Store {
	s, err := postgres.Open(h.t.Context(), url, postgres.Options{Now: h.now, MaxConns: 10})
	require.NoError(h.t, err)
	h.t.Cleanup(s.Disconnect)
	return s
}

func (h *house) now() time.Time       { return time.Unix(0, h.clock.Load()).UTC() }
func (h *house) pass(d time.Duration) { h.clock.Add(int64(d)) }
func (h *house) at(t time.Time)       { h.clock.Store(t.UnixNano()) }

func (h *house) by(who string) ticket.Header {
	return ticket.Header{OperationKey: fmt.Sprintf("key-%d", h.keys.Add(1)), Who: who, Via: ticket.ViaCLI, At: h.now()}
}

// held closes a ticket of that subject with four hours of work, which asks ann.
func (h *house) held(subject string) (ticket.ID, billing.HeldQuote) {
	h.t.Helper()
	id, receipt := h.work(subject, 4*time.Hour)
	require.Len(h.t, receipt.Held, 1)
	return id, receipt.Held[0]
}

// work closes a ticket of that subject with so much work.
func (h *house) work(subject string, took time.Duration) (ticket.ID, billing.Receipt) {
	h.t.Helper()
	ctx, key := h.t.Context(), fmt.Sprintf("ticket-%d", h.keys.Add(1))
	opened, err := h.Open(ctx, ticket.Opening{Client: "acme", Subject: subject, Source: "test", ExternalID: key, EventID: key, OpenedAt: h.now().Add(-6 * time.Hour)})
	require.NoError(h.t, err)
	_, err = h.Begin(ctx, opened.Ticket, 1)
	require.NoError(h.t, err)
	_, err = h.Triage(ctx, opened.Ticket, 1)
	require.NoError(h.t, err)
	receipt, err := h.Close(ctx, opened.Ticket, 1, ticket.Resolve{Header: h.by("tom"), Resolution: "Solved it", Work: []ticket.WorkEntry{{
		OperationKey: key, Actor: "tom", WorkType: "remote", StartedAt: h.now().Add(-took - time.Hour), MS: took.Milliseconds(),
	}}})
	require.NoError(h.t, err)
	return opened.Ticket, receipt
}

// state is where the notices stand: "asked ann sent 1".
func (h *house) state() []string {
	h.t.Helper()
	list, err := h.Notices(h.t.Context(), postgres.NoticeFilter{After: -1, Limit: 1000})
	require.NoError(h.t, err)
	var says []string
	for i := range list {
		n := list[len(list)-1-i]
		says = append(says, fmt.Sprintf("%s %s %s %d", n.Tells, n.Recipient, n.State, n.Tries))
	}
	return says
}

func (h *house) words() notify.Words {
	h.t.Helper()
	key, err := h.LinkKey(h.t.Context())
	require.NoError(h.t, err)
	words, err := notify.NewWords("https://desk.example.com", key)
	require.NoError(h.t, err)
	return words
}

func (h *house) mail(server string) *notify.Mail {
	h.t.Helper()
	m, err := notify.NewMail(server, "Docket <docket@desk.example>", h.words(), h.now)
	require.NoError(h.t, err)
	return m
}

func (h *house) courier(o notify.Outbox, senders ...notify.Sender) *notify.Courier {
	return &notify.Courier{Outbox: o, Senders: senders, Now: h.now, Log: quietLog}
}

// round delivers once what is due.
func (h *house) round(s notify.Sender) int {
	h.t.Helper()
	n, err := h.courier(h.Store, s).Round(h.t.Context(), s)
	require.NoError(h.t, err)
	return n
}

var (
	noticesSent    = postgres.NoticeFilter{State: ticket.NoticeSent}
	noticesWaiting = postgres.NoticeFilter{State: ticket.NoticeWaiting, For: "sly"}
)
