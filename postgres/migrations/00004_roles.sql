-- +goose Up
-- Who may see and do what. The owner of these tables never connects at run time.
--   docket_staff  the desk and its workers: every row, but nothing append-only may change
--   docket_client a client's session: its own rows, and none at all until
--                 SET LOCAL docket.client says which client it is
-- Both exist cluster-wide; migrating two databases of one cluster must not collide.

-- +goose StatementBegin
DO $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('docket roles'));
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'docket_staff') THEN
    CREATE ROLE docket_staff NOLOGIN NOSUPERUSER NOBYPASSRLS;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'docket_client') THEN
    CREATE ROLE docket_client NOLOGIN NOSUPERUSER NOBYPASSRLS;
  END IF;
  GRANT docket_client TO docket_staff; -- so that a pool of staff connections can serve a client's session
  -- A member of a role need not inherit it: a client's rights are taken on by SET LOCAL ROLE only.
END $$;
-- +goose StatementEnd

GRANT USAGE ON SCHEMA public TO docket_staff, docket_client;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO docket_staff;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO docket_staff;
GRANT INSERT, UPDATE ON clients, sites, device_counts, people, calendars, contracts, tickets, counters, blocks,
  number_series, holds, invoices TO docket_staff;
GRANT INSERT ON contract_versions, deliveries, ticket_events, closures, quotes, charges, charge_work,
  block_moves, counter_moves, invoice_lines TO docket_staff;
GRANT INSERT, UPDATE, DELETE ON outbox TO docket_staff;
GRANT INSERT, UPDATE (ticket, rated_in, generation) ON work_entries TO docket_staff;
GRANT INSERT, UPDATE (ticket) ON comments TO docket_staff; -- a merge moves the conversation

GRANT SELECT ON clients, sites, contracts, contract_versions, tickets, comments, holds, quotes, charges, blocks,
  block_moves, invoices, invoice_lines TO docket_client;

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%' LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['sites', 'contracts', 'contract_versions', 'tickets', 'holds', 'quotes', 'charges', 'blocks',
    'block_moves'] LOOP
    EXECUTE format($p$CREATE POLICY client ON %I FOR SELECT TO docket_client
      USING (client_id = current_setting('docket.client', true))$p$, t);
  END LOOP;
END $$;
-- +goose StatementEnd
CREATE POLICY client ON clients FOR SELECT TO docket_client USING (id = current_setting('docket.client', true));
CREATE POLICY client ON comments FOR SELECT TO docket_client
  USING (public AND client_id = current_setting('docket.client', true));
-- The payer sees the invoice, the client its own lines on it.
CREATE POLICY client ON invoices FOR SELECT TO docket_client USING (payer_id = current_setting('docket.client', true));
CREATE POLICY client ON invoice_lines FOR SELECT TO docket_client
  USING (client_id = current_setting('docket.client', true) OR payer_id = current_setting('docket.client', true));

-- +goose Down
SELECT 'forward only';
