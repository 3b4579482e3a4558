package postgres

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/docket-psa/docket/ticket"
)

// asClient runs fn in a transaction with a client's rights; client "" leaves unsaid which client it is.
func (k *kit) asClient(client string, fn func(pgx.Tx)) {
	k.t.Helper()
	require.NoError(k.t, pgx.BeginFunc(k.ctx, k.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(k.ctx, "set local role docket_client")
		require.NoError(k.t, err)
		if client != "" {
			_, err = tx.Exec(k.ctx, "select set_config('docket.client', $1, true)", client)
			require.NoError(k.t, err)
		}
		fn(tx)
		return nil
	}))
}

func TestAClientSeesItsOwnRowsAndAnUnsetOneNone(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	k.open("contoso")
	for key, public := range map[string]bool{"said": true, "whispered": false} {
		_, err := k.AddComment(k.ctx, id, key, "ada", key, public, k.time())
		require.NoError(t, err)
	}
	count := func(tx pgx.Tx, table string) (n int) {
		require.NoError(t, tx.QueryRow(k.ctx, "select count(*) from "+table).Scan(&n))
		return n
	}
	k.asClient("northwind", func(tx pgx.Tx) {
		require.Equal(t, 1, count(tx, "tickets"))
		require.Equal(t, 1, count(tx, "clients"))
		require.Equal(t, 1, count(tx, "contracts"))
		require.Equal(t, 1, count(tx, "comments"), "what the desk says among itself stays there")
	})
	k.asClient("contoso", func(tx pgx.Tx) {
		require.Equal(t, 1, count(tx, "tickets"))
		require.Zero(t, count(tx, "comments"))
		require.Zero(t, count(tx, "contracts"))
	})
	k.asClient("", func(tx pgx.Tx) {
		for _, table := range []string{"tickets", "clients", "contracts", "comments", "holds", "charges", "invoices", "invoice_lines"} {
			require.Zero(t, count(tx, table), table)
		}
	})
}

func TestAClientReadsNothingOfTheDeskAndWritesNothing(t *testing.T) {
	k := newKit(t)
	k.open("northwind")
	for _, statement := range []string{
		"select from people", "select from work_entries", "select from ticket_events", "select from deliveries",
		"select from notices", "select from notice_endpoints", "select from link_keys", "select from link_uses", "select from caught_mails", "select from quiet_hours",
		"update tickets set subject = 'x'", "delete from tickets", "insert into comments (ticket) values (1001)",
	} {
		k.asClient("northwind", func(tx pgx.Tx) {
			requireDenied(t, tx, statement)
		})
	}
}

func TestStaffCannotRewriteTheRecord(t *testing.T) {
	k := newKit(t)
	id := k.open("northwind")
	_, err := k.Log(k.ctx, id, ticket.Work{Header: k.by("ada"), Entry: k.work()})
	require.NoError(t, err)
	for _, statement := range []string{
		"update ticket_events set says = 'x'", "delete from ticket_events", "truncate ticket_events",
		"update work_entries set ms = 1", "delete from work_entries", "delete from tickets", "update contract_versions set digest = 'x'",
		"update comments set body = 'x'", "update charges set amount = 0", "delete from invoice_lines",
		"update notices set says = 'x'", "delete from notices", "update link_uses set person = 'x'", "update link_keys set key = key", "delete from caught_mails",
	} {
		_, err := k.pool.Exec(k.ctx, statement)
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg, statement)
		require.Equal(t, "42501", pg.Code, statement)
	}
}

// The owner may do what it likes by right; the triggers stop what is done by mistake.
func TestTheOwnerIsStoppedByTriggers(t *testing.T) {
	k := newKit(t)
	k.open("northwind")
	owner, err := pgx.Connect(k.ctx, k.url)
	require.NoError(t, err)
	defer func() { _ = owner.Close(context.Background()) }()
	for _, statement := range []string{
		"update ticket_events set says = 'x'", "delete from ticket_events", "truncate ticket_events", "truncate ticket_events, tickets cascade",
		"update contract_versions set digest = 'x'", "truncate closures cascade", "truncate invoice_lines cascade",
	} {
		_, err := owner.Exec(k.ctx, statement)
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg, statement)
		require.Equal(t, "DK002", pg.Code, statement)
	}
}

func requireDenied(t *testing.T, tx pgx.Tx, statement string) {
	t.Helper()
	nested, err := tx.Begin(t.Context())
	require.NoError(t, err)
	_, err = nested.Exec(t.Context(), statement)
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg, statement)
	require.Equal(t, "42501", pg.Code, statement)
	require.NoError(t, nested.Rollback(t.Context()))
}
