-- +goose Up
-- Lines come several at once: the four fees of a period, the entries of a ticket. So their invoices are shared, and they are booked, once a
-- statement and not once a line.

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION line_on_open_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE invoice bigint;
BEGIN
  FOR invoice IN SELECT DISTINCT invoice_id FROM posted ORDER BY invoice_id LOOP
    PERFORM FROM invoices WHERE id = invoice AND state = 'open' FOR SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the invoice is not open' USING ERRCODE = 'DK001';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

CREATE FUNCTION journalise_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- OFFSET 0: line by line through the keys. A plan for all of them together would read tables that were small when it was made.
  INSERT INTO journal SELECT j.* FROM posted p CROSS JOIN LATERAL (SELECT * FROM journal_lines WHERE source = p.charge_id OFFSET 0) j;
  RETURN NULL;
END $$;
-- +goose StatementEnd

DROP TRIGGER on_open_invoice ON invoice_lines;
CREATE TRIGGER on_open_invoice AFTER INSERT ON invoice_lines REFERENCING NEW TABLE AS posted
  FOR EACH STATEMENT EXECUTE FUNCTION line_on_open_invoice();
DROP TRIGGER journalise ON invoice_lines;
CREATE TRIGGER journalise AFTER INSERT ON invoice_lines REFERENCING NEW TABLE AS posted
  FOR EACH STATEMENT EXECUTE FUNCTION journalise_lines();

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION journalise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CASE TG_TABLE_NAME
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

-- +goose Down
SELECT 'forward only';
