-- +goose Up
-- A payment that came back, in the journal: what it had paid is owed again, and what of it was the payer's credit is so no
-- more. What that credit had paid comes back by entries of its own, as applications of credit do.
CREATE VIEW journal_returns WITH (security_invoker = true) AS
SELECT 'return' AS kind, r.event_id AS source, v.account, r.currency AS unit, v.amount, (e.at AT TIME ZONE c.time_zone)::date AS booked_on,
  r.payer_id, NULL::text AS client_id, r.invoice_id, NULL::bigint AS block_id, e.at
FROM payment_returns r JOIN invoice_events e ON e.id = r.event_id JOIN clients c ON c.id = r.payer_id
CROSS JOIN LATERAL (VALUES ('cash', -r.amount - r.uncredited), ('receivable', r.amount), ('client-credit', r.uncredited)) v (account, amount)
WHERE v.amount <> 0;

CREATE OR REPLACE VIEW journal_due WITH (security_invoker = true) AS
SELECT * FROM journal_lines UNION ALL SELECT * FROM journal_invoices UNION ALL SELECT * FROM journal_voids
UNION ALL SELECT * FROM journal_payments UNION ALL SELECT * FROM journal_notes UNION ALL SELECT * FROM journal_credits
UNION ALL SELECT * FROM journal_blocks UNION ALL SELECT * FROM journal_grants UNION ALL SELECT * FROM journal_moves
UNION ALL SELECT * FROM journal_returns;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION journalise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'invoice_lines' THEN INSERT INTO journal SELECT * FROM journal_lines WHERE source = NEW.charge_id;
    WHEN 'block_moves' THEN INSERT INTO journal SELECT * FROM journal_moves WHERE source = NEW.id;
    WHEN 'invoices' THEN INSERT INTO journal SELECT * FROM journal_invoices WHERE source = NEW.id;
    WHEN 'invoice_events' THEN INSERT INTO journal SELECT * FROM journal_voids WHERE source = NEW.id;
    WHEN 'payments' THEN INSERT INTO journal SELECT * FROM journal_payments WHERE source = NEW.event_id;
    WHEN 'credit_notes' THEN INSERT INTO journal SELECT * FROM journal_notes WHERE source = NEW.id;
    WHEN 'credit_applications' THEN INSERT INTO journal SELECT * FROM journal_credits WHERE source = NEW.id;
    WHEN 'blocks' THEN INSERT INTO journal SELECT * FROM journal_blocks WHERE source = NEW.id;
    WHEN 'block_grants' THEN INSERT INTO journal SELECT * FROM journal_grants WHERE source = NEW.id;
    WHEN 'payment_returns' THEN INSERT INTO journal SELECT * FROM journal_returns WHERE source = NEW.event_id;
  END CASE;
  RETURN NULL;
END $$;
-- +goose StatementEnd
INSERT INTO journal SELECT * FROM journal_returns;
CREATE TRIGGER journalise AFTER INSERT ON payment_returns FOR EACH ROW EXECUTE FUNCTION journalise();
GRANT SELECT ON journal_returns TO docket_staff;

-- +goose Down
SELECT 'forward only';
