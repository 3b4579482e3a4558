-- +goose Up
-- What becomes of an invoice once it is finalised. Its row never changes: payments, credit notes,
-- credit that is applied and the void are rows of their own, and its state is derived from them.

-- One row a deed, whoever sends it how often. A later kind of deed is one more value of kind.
CREATE TABLE invoice_events (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  invoice_id    bigint REFERENCES invoices (id), -- null: about the payer's credit as a whole
  payer_id      text NOT NULL REFERENCES clients (id),
  currency      text NOT NULL,
  kind          text NOT NULL CHECK (kind IN ('payment', 'credit-note', 'credit-applied', 'void', 'write-down')),
  amount        numeric NOT NULL CHECK (amount >= 0), -- received, credited, applied, voided, written off
  actor         text NOT NULL REFERENCES people (id),
  at            timestamptz NOT NULL,
  reason        text NOT NULL DEFAULT '',
  says          text NOT NULL,
  operation_key text NOT NULL UNIQUE,
  input_digest  text NOT NULL,
  answer        text NOT NULL, -- JSON, as it was answered
  CHECK (invoice_id IS NOT NULL OR kind = 'credit-applied')
);
CREATE INDEX invoice_events_invoice ON invoice_events (invoice_id, id);
CREATE UNIQUE INDEX invoice_voided_once ON invoice_events (invoice_id) WHERE kind = 'void';

CREATE TABLE payments (
  event_id   bigint PRIMARY KEY REFERENCES invoice_events (id),
  invoice_id bigint NOT NULL REFERENCES invoices (id),
  payer_id   text NOT NULL,
  currency   text NOT NULL,
  received   numeric NOT NULL CHECK (received > 0),
  amount     numeric NOT NULL CHECK (amount BETWEEN 0 AND received), -- what it pays of the invoice; the rest is the payer's credit
  paid_on    date NOT NULL,
  method     text NOT NULL DEFAULT ''
);
CREATE INDEX payments_invoice ON payments (invoice_id);

-- Credit notes have a series of numbers of their own, without gaps.
CREATE TABLE credit_notes (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number     text NOT NULL UNIQUE,
  event_id   bigint NOT NULL UNIQUE REFERENCES invoice_events (id),
  invoice_id bigint NOT NULL REFERENCES invoices (id),
  payer_id   text NOT NULL,
  currency   text NOT NULL,
  amount     numeric NOT NULL CHECK (amount > 0),                      -- with tax, where the invoice has tax
  reduces    numeric NOT NULL CHECK (reduces BETWEEN 0 AND amount),    -- of what was owed; the rest is the payer's credit
  issued_at  timestamptz NOT NULL
);
CREATE INDEX credit_notes_invoice ON credit_notes (invoice_id);

-- The lines that a credit note gives back, each once and whole. A note of an amount has none.
CREATE TABLE credit_note_lines (
  charge_id bigint PRIMARY KEY REFERENCES invoice_lines (charge_id),
  note_id   bigint NOT NULL REFERENCES credit_notes (id),
  payer_id  text NOT NULL,
  net       numeric NOT NULL, -- as the line has it
  amount    numeric NOT NULL  -- with its tax
);
CREATE INDEX credit_note_lines_note ON credit_note_lines (note_id);

-- The payer's credit: where it comes from, and which invoices it pays. What is taken back when an
-- invoice is voided is a negative row that names the one it undoes.
CREATE TABLE credits (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payer_id   text NOT NULL REFERENCES clients (id),
  currency   text NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('credit-note', 'overpayment')),
  amount     numeric NOT NULL CHECK (amount > 0),
  invoice_id bigint NOT NULL REFERENCES invoices (id), -- whose credit note or payment it is the rest of, or which is a credit note itself
  event_id   bigint UNIQUE REFERENCES invoice_events (id), -- null: of an invoice that was finalised as a credit note
  at         timestamptz NOT NULL,
  CHECK (event_id IS NOT NULL OR kind = 'credit-note')
);
CREATE INDEX credits_payer ON credits (payer_id, currency, id);
CREATE UNIQUE INDEX credits_finalised_once ON credits (invoice_id) WHERE event_id IS NULL;

CREATE TABLE credit_applications (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  credit_id  bigint NOT NULL REFERENCES credits (id),
  payer_id   text NOT NULL,
  currency   text NOT NULL,
  invoice_id bigint NOT NULL REFERENCES invoices (id),
  amount     numeric NOT NULL CHECK (amount <> 0),
  reverses   bigint UNIQUE REFERENCES credit_applications (id),
  event_id   bigint REFERENCES invoice_events (id), -- null: applied as the invoice was finalised
  at         timestamptz NOT NULL,
  CHECK ((amount < 0) = (reverses IS NOT NULL))
);
CREATE INDEX credit_applications_credit ON credit_applications (credit_id);
CREATE INDEX credit_applications_invoice ON credit_applications (invoice_id);

-- What is left of a payer's credit: a cache of Σ credits − Σ applications, and the row that all who
-- give or take it lock. The audit compares.
CREATE TABLE credit_balances (
  payer_id text NOT NULL REFERENCES clients (id),
  currency text NOT NULL,
  balance  numeric NOT NULL CHECK (balance >= 0),
  PRIMARY KEY (payer_id, currency)
) WITH (fillfactor = 50);

-- How far a role may bring a line down; owner and finance have no limit.
CREATE TABLE write_down_limits (
  role     text NOT NULL,
  currency text NOT NULL,
  amount   numeric NOT NULL CHECK (amount >= 0),
  set_by   text NOT NULL REFERENCES people (id),
  set_at   timestamptz NOT NULL,
  PRIMARY KEY (role, currency)
);

-- An adjustment is linked to the charge whose line it moves.
ALTER TABLE charges ADD COLUMN adjusts bigint REFERENCES charges (id);
ALTER TABLE charges ADD CHECK (kind NOT IN ('rebilled', 'credited') OR adjusts IS NOT NULL);
CREATE INDEX charges_adjusts ON charges (adjusts) WHERE adjusts IS NOT NULL;
CREATE UNIQUE INDEX charges_adjusted_once ON charges (adjusts, kind) WHERE kind IN ('rebilled', 'credited');

-- Where every invoice stands. payable and owed are null while it is open. A negative one is a credit
-- note: nothing is owed on it.
CREATE VIEW invoice_standing WITH (security_invoker = true) AS
SELECT s.*,
  CASE
    WHEN s.payable IS NULL THEN 'open'
    WHEN s.void THEN 'void'
    WHEN s.payable < 0 THEN 'credit-note'
    WHEN s.credited > 0 AND s.credited = s.payable THEN 'credited'
    WHEN s.owed = 0 THEN 'paid'
    WHEN s.paid + s.applied > 0 THEN 'partly-paid'
    ELSE 'finalised'
  END AS state
FROM (
  SELECT b.*, CASE WHEN b.void OR b.payable < 0 THEN 0 ELSE b.payable - b.paid - b.reduced - b.applied END AS owed
  FROM (
    SELECT i.id AS invoice_id, coalesce(i.gross, i.total) AS payable,
      coalesce((SELECT sum(p.amount) FROM payments p WHERE p.invoice_id = i.id), 0) AS paid,
      coalesce((SELECT sum(n.amount) FROM credit_notes n WHERE n.invoice_id = i.id), 0) AS credited,
      coalesce((SELECT sum(n.reduces) FROM credit_notes n WHERE n.invoice_id = i.id), 0) AS reduced,
      coalesce((SELECT sum(a.amount) FROM credit_applications a WHERE a.invoice_id = i.id), 0) AS applied,
      EXISTS (SELECT FROM invoice_events e WHERE e.invoice_id = i.id AND e.kind = 'void') AS void
    FROM invoices i
  ) b
) s;

-- The lines that count: a void invoice's are billed again by lines of their own.
CREATE VIEW billed_lines WITH (security_invoker = true) AS
SELECT l.charge_id, l.invoice_id, l.client_id, l.payer_id, l.ticket, l.currency, l.amount, l.service_date
FROM invoice_lines l
WHERE NOT EXISTS (SELECT FROM invoice_events e WHERE e.invoice_id = l.invoice_id AND e.kind = 'void');

GRANT SELECT ON invoice_events, payments, credit_notes, credit_note_lines, credits, credit_applications, credit_balances,
  write_down_limits, invoice_standing, billed_lines TO docket_staff;
GRANT INSERT ON invoice_events, payments, credit_notes, credit_note_lines, credits, credit_applications TO docket_staff;
GRANT INSERT, UPDATE ON credit_balances, write_down_limits TO docket_staff;
-- A payer sees what became of its invoices, never who of the desk did it, nor what he answered.
GRANT SELECT (id, invoice_id, payer_id, currency, kind, amount, at, reason) ON invoice_events TO docket_client;
GRANT SELECT ON payments, credit_notes, credit_note_lines, credits, credit_applications, credit_balances, invoice_standing,
  billed_lines TO docket_client;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['invoice_events', 'payments', 'credit_notes', 'credit_note_lines', 'credits', 'credit_applications',
    'credit_balances', 'write_down_limits'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
    IF t <> 'write_down_limits' THEN
      EXECUTE format($p$CREATE POLICY client ON %I FOR SELECT TO docket_client
        USING (payer_id = current_setting('docket.client', true))$p$, t);
    END IF;
    IF t NOT IN ('credit_balances', 'write_down_limits') THEN
      EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
      EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END IF;
  END LOOP;
END $$;
-- +goose StatementEnd
-- A client whose invoices another pays must know which of its lines are void.
CREATE POLICY client_void ON invoice_events FOR SELECT TO docket_client USING (kind = 'void' AND EXISTS (
  SELECT FROM invoice_lines l WHERE l.invoice_id = invoice_events.invoice_id AND l.client_id = current_setting('docket.client', true)));

-- +goose Down
SELECT 'forward only';
