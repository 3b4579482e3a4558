-- +goose Up
-- The rest of an invoice's life: who read it before it went out, where it was sent, which of its lines are in question, when its
-- payer was reminded, and which payments came back. Nothing is edited: its state is derived, as before.

ALTER TABLE invoice_events DROP CONSTRAINT invoice_events_kind_check;
ALTER TABLE invoice_events ADD CONSTRAINT invoice_events_kind_check CHECK (kind IN (
  'payment', 'credit-note', 'credit-applied', 'void', 'write-down',
  'review', 'sent', 'question', 'answer', 'payment-returned'));

-- How the house treats its invoices. One row, or none: then no review is asked for, and reminders go out after 3, 10 and 21 days.
CREATE TABLE invoice_rules (
  one          boolean PRIMARY KEY DEFAULT true CHECK (one),
  review_first boolean NOT NULL,  -- nothing is finalised that nobody has reviewed as it is
  remind_after int[] NOT NULL CHECK (0 < ALL (remind_after)), -- days after the date on which it is due; empty: never
  set_by       text NOT NULL REFERENCES people (id),
  set_at       timestamptz NOT NULL
);

-- What an open invoice came to when somebody reviewed it.
CREATE TABLE invoice_reviews (
  event_id   bigint PRIMARY KEY REFERENCES invoice_events (id),
  invoice_id bigint NOT NULL REFERENCES invoices (id),
  payer_id   text NOT NULL,
  total      numeric NOT NULL,
  line_count int NOT NULL CHECK (line_count > 0)
);
CREATE INDEX invoice_reviews_invoice ON invoice_reviews (invoice_id);

-- Where a kept file of an invoice went: to nobody twice.
CREATE TABLE invoice_sendings (
  event_id   bigint PRIMARY KEY REFERENCES invoice_events (id),
  invoice_id bigint NOT NULL REFERENCES invoices (id),
  payer_id   text NOT NULL,
  recipient  text NOT NULL,
  sha256     text NOT NULL,
  UNIQUE (invoice_id, recipient, sha256)
);

-- A line in question: what is owed for it is not collected until somebody of finance has settled it.
CREATE SEQUENCE dispute_ids AS bigint;
CREATE TABLE disputes (
  id         bigint PRIMARY KEY,
  event_id   bigint NOT NULL UNIQUE REFERENCES invoice_events (id),
  invoice_id bigint NOT NULL REFERENCES invoices (id),
  charge_id  bigint NOT NULL REFERENCES invoice_lines (charge_id),
  time       int NOT NULL CHECK (time > 0), -- how often the line has been in question, with this one
  lines      bigint[] NOT NULL,             -- the line, and those that write it down
  payer_id   text NOT NULL,
  client_id  text NOT NULL,
  currency   text NOT NULL,
  amount     numeric NOT NULL CHECK (amount > 0), -- with its tax
  opened_by  text NOT NULL REFERENCES people (id),
  opened_at  timestamptz NOT NULL,
  reason     text NOT NULL,
  UNIQUE (charge_id, time)
);
CREATE INDEX disputes_invoice ON disputes (invoice_id);

CREATE TABLE dispute_settlements (
  dispute_id bigint PRIMARY KEY REFERENCES disputes (id),
  event_id   bigint NOT NULL UNIQUE REFERENCES invoice_events (id),
  payer_id   text NOT NULL,
  outcome    text NOT NULL CHECK (outcome IN ('stands', 'credited')),
  settled_by text NOT NULL REFERENCES people (id),
  settled_at timestamptz NOT NULL,
  reason     text NOT NULL
);

-- One reminder a step.
CREATE TABLE invoice_reminders (
  invoice_id bigint NOT NULL REFERENCES invoices (id),
  after_days int NOT NULL CHECK (after_days > 0),
  payer_id   text NOT NULL,
  currency   text NOT NULL,
  asked      numeric NOT NULL CHECK (asked > 0), -- what is owed and not in question
  at         timestamptz NOT NULL,
  says       text NOT NULL,
  PRIMARY KEY (invoice_id, after_days)
);

-- A payment that came back: what it had paid is owed again, and what of it was the payer's credit is so no more.
CREATE TABLE payment_returns (
  payment_id bigint PRIMARY KEY REFERENCES payments (event_id),
  event_id   bigint NOT NULL UNIQUE REFERENCES invoice_events (id),
  invoice_id bigint NOT NULL REFERENCES invoices (id),
  payer_id   text NOT NULL,
  currency   text NOT NULL,
  amount     numeric NOT NULL CHECK (amount >= 0),   -- owed again on its invoice
  uncredited numeric NOT NULL CHECK (uncredited >= 0) -- taken out of the payer's credit
);
CREATE INDEX payment_returns_invoice ON payment_returns (invoice_id);

-- Where every dispute stands: what is left of it is what no credit note has given back since.
CREATE VIEW dispute_standing WITH (security_invoker = true) AS
SELECT s.*,
  CASE
    WHEN s.outcome IS NOT NULL THEN s.outcome
    WHEN s.void THEN 'void'
    WHEN s."left" <= 0 THEN 'credited'
    ELSE 'open'
  END AS state
FROM (
  SELECT d.id, d.event_id, d.invoice_id, d.charge_id, d.payer_id, d.client_id, d.currency, d.amount, d.opened_at, d.reason,
    a.outcome, a.settled_at, a.reason AS answer,
    EXISTS (SELECT FROM invoice_events e WHERE e.invoice_id = d.invoice_id AND e.kind = 'void') AS void,
    d.amount - coalesce((SELECT sum(l.amount) FROM credit_note_lines l JOIN credit_notes n ON n.id = l.note_id
        WHERE l.charge_id = ANY (d.lines) AND n.event_id > d.event_id), 0)
      - coalesce((SELECT sum(l.amount) FROM credit_note_shares l JOIN credit_notes n ON n.id = l.note_id
        WHERE l.charge_id = ANY (d.lines) AND n.event_id > d.event_id), 0) AS "left"
  FROM disputes d LEFT JOIN dispute_settlements a ON a.dispute_id = d.id
) s;

-- disputed is what of the owed amount nobody collects meanwhile.
CREATE OR REPLACE VIEW invoice_standing WITH (security_invoker = true) AS
SELECT s.invoice_id, s.payable, s.paid, s.credited, s.reduced, s.applied, s.void, s.owed,
  CASE
    WHEN s.payable IS NULL AND EXISTS (SELECT FROM invoice_reviews r WHERE r.invoice_id = s.invoice_id) THEN 'review'
    WHEN s.payable IS NULL THEN 'open'
    WHEN s.void THEN 'void'
    WHEN s.payable < 0 THEN 'credit-note'
    WHEN s.credited > 0 AND s.credited = s.payable AND s.owed = 0 THEN 'credited'
    WHEN s.owed = 0 THEN 'paid'
    WHEN s.paid + s.applied > 0 THEN 'partly-paid'
    WHEN EXISTS (SELECT FROM invoice_sendings x WHERE x.invoice_id = s.invoice_id) THEN 'sent'
    ELSE 'finalised'
  END AS state,
  CASE WHEN s.owed > 0 THEN least(s.owed, coalesce((
    SELECT sum(d."left") FROM dispute_standing d WHERE d.invoice_id = s.invoice_id AND d.state = 'open'), 0)) ELSE 0 END AS disputed
FROM (
  SELECT b.*, CASE WHEN b.void OR b.payable < 0 THEN 0 ELSE b.payable - b.paid - b.reduced - b.applied END AS owed
  FROM (
    SELECT i.id AS invoice_id, coalesce(i.gross, i.total) AS payable,
      coalesce((SELECT sum(p.amount) FROM payments p WHERE p.invoice_id = i.id), 0)
        - coalesce((SELECT sum(p.amount) FROM payment_returns p WHERE p.invoice_id = i.id), 0) AS paid,
      coalesce((SELECT sum(n.amount) FROM credit_notes n WHERE n.invoice_id = i.id), 0) AS credited,
      coalesce((SELECT sum(n.reduces) FROM credit_notes n WHERE n.invoice_id = i.id), 0) AS reduced,
      coalesce((SELECT sum(a.amount) FROM credit_applications a WHERE a.invoice_id = i.id), 0) AS applied,
      EXISTS (SELECT FROM invoice_events e WHERE e.invoice_id = i.id AND e.kind = 'void') AS void
    FROM invoices i
  ) b
) s;

-- What is left of each part of the payer's credit.
CREATE VIEW credit_left WITH (security_invoker = true) AS
SELECT c.id, c.payer_id, c.currency,
  c.amount - coalesce((SELECT sum(a.amount) FROM credit_applications a WHERE a.credit_id = c.id), 0)
    - coalesce((SELECT r.uncredited FROM payment_returns r WHERE r.payment_id = c.event_id), 0) AS "left"
FROM credits c;

GRANT USAGE ON SEQUENCE dispute_ids TO docket_staff;
GRANT SELECT, INSERT, UPDATE ON invoice_rules TO docket_staff;
GRANT SELECT, INSERT ON invoice_reviews, invoice_sendings, disputes, dispute_settlements, invoice_reminders, payment_returns TO docket_staff;
GRANT SELECT ON dispute_standing, credit_left TO docket_staff;
-- A payer sees what became of its invoices, never who of the desk did it.
GRANT SELECT ON invoice_reviews, invoice_sendings, invoice_reminders, payment_returns, credit_left TO docket_client;
GRANT SELECT ON dispute_standing TO docket_client;
GRANT SELECT (id, event_id, invoice_id, charge_id, time, lines, payer_id, client_id, currency, amount, opened_at, reason) ON disputes TO docket_client;
GRANT SELECT (dispute_id, event_id, payer_id, outcome, settled_at, reason) ON dispute_settlements TO docket_client;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['invoice_rules', 'invoice_reviews', 'invoice_sendings', 'disputes', 'dispute_settlements', 'invoice_reminders',
    'payment_returns'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
    IF t <> 'invoice_rules' THEN
      EXECUTE format($p$CREATE POLICY client ON %I FOR SELECT TO docket_client
        USING (payer_id = current_setting('docket.client', true))$p$, t);
      EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
      EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END IF;
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 'forward only';
