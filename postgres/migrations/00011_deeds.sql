-- +goose Up
-- What deeds on invoices mean for what the invoice sold and for what it was ordered under, and what of its lines a credit note
-- of an amount gives back.

-- When a block was paid, and when that was taken back: by the invoice that sold it, or by a person's word for one that was
-- sold elsewhere. blocks.paid_at is a cache of the last row.
CREATE TABLE block_payments (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  operation_key text NOT NULL UNIQUE, -- paid/BLOCK/EVENT, unpaid/BLOCK/EVENT, …
  block_id      bigint NOT NULL REFERENCES blocks (id),
  client_id     text NOT NULL REFERENCES clients (id),
  paid          boolean NOT NULL,                         -- false: what had paid it was taken back
  paid_on       date NOT NULL,                            -- local, of the payment; of what took it back
  invoice_id    bigint REFERENCES invoices (id),          -- null: somebody said so
  event_id      bigint REFERENCES invoice_events (id),    -- null: somebody said so, or the payer's credit paid it as the invoice was finalised
  made_by       text NOT NULL REFERENCES people (id),
  at            timestamptz NOT NULL
);
CREATE INDEX block_payments_block ON block_payments (block_id, id);
CREATE INDEX block_payments_invoice ON block_payments (invoice_id) WHERE invoice_id IS NOT NULL;
INSERT INTO block_payments (operation_key, block_id, client_id, paid, paid_on, made_by, at)
SELECT 'paid/' || id, id, client_id, true, paid_at::date, paid_by, paid_at FROM blocks WHERE paid_at IS NOT NULL;
-- Each payment asks which blocks its invoice sold: those that are not paid are few.
CREATE INDEX blocks_unpaid ON blocks (id) WHERE sold_unpaid AND paid_at IS NULL AND cancelled_at IS NULL;
-- What waits for a block to be paid is asked for every second.
CREATE INDEX holds_for_blocks ON holds (id) WHERE state = 'open' AND reason = 'block-unpaid';

-- What a credit note of an amount gives back of each line: a line that is undone later gives back the rest.
CREATE TABLE credit_note_shares (
  note_id   bigint NOT NULL REFERENCES credit_notes (id),
  charge_id bigint NOT NULL REFERENCES invoice_lines (charge_id),
  payer_id  text NOT NULL,
  net       numeric NOT NULL,
  amount    numeric NOT NULL CHECK (amount > 0), -- with its tax
  PRIMARY KEY (note_id, charge_id)
);
CREATE INDEX credit_note_shares_charge ON credit_note_shares (charge_id);

-- A credit note gives back to the purchase order what it takes off lines that were billed under it.
ALTER TABLE counter_moves DROP CONSTRAINT counter_moves_kind_check;
ALTER TABLE counter_moves
  ADD COLUMN note_id bigint REFERENCES credit_notes (id),
  ADD CONSTRAINT counter_moves_kind_check CHECK (kind IN ('count', 'return', 'reserve', 'release', 'repay', 'credit')),
  ADD CHECK ((kind = 'credit') = (note_id IS NOT NULL));
CREATE UNIQUE INDEX counter_moves_note ON counter_moves (note_id, counter) WHERE note_id IS NOT NULL;

-- What each line earned: the lines that count, and what credit notes took off them.
CREATE VIEW earned_lines WITH (security_invoker = true) AS
SELECT charge_id, client_id, payer_id, ticket, currency, amount, service_date FROM billed_lines
UNION ALL
SELECT l.charge_id, l.client_id, l.payer_id, l.ticket, l.currency, -c.net, l.service_date
FROM (SELECT charge_id, net FROM credit_note_lines UNION ALL SELECT charge_id, net FROM credit_note_shares) c
JOIN invoice_lines l ON l.charge_id = c.charge_id;

-- A row that no new round has written: the ticket became another client's, and its run must read it again.
ALTER TABLE outbox ADD COLUMN moved boolean NOT NULL DEFAULT false;

GRANT SELECT, INSERT ON block_payments, credit_note_shares TO docket_staff;
GRANT SELECT ON earned_lines TO docket_staff, docket_client;
GRANT SELECT (id, block_id, client_id, paid, paid_on, invoice_id, at) ON block_payments TO docket_client; -- never who of the desk
GRANT SELECT ON credit_note_shares TO docket_client;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['block_payments', 'credit_note_shares'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
    EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
    EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
  END LOOP;
END $$;
-- +goose StatementEnd
CREATE POLICY client ON block_payments FOR SELECT TO docket_client USING (client_id = current_setting('docket.client', true));
CREATE POLICY client ON credit_note_shares FOR SELECT TO docket_client USING (payer_id = current_setting('docket.client', true));

-- +goose Down
SELECT 'forward only';
