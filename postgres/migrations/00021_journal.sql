-- +goose Up
-- The journal: double entry beside the rows of money, written by them. Each row that moves money or block minutes is one
-- entry, named by its kind and its id; the views say what it books, the triggers book it in its own transaction, and the
-- audit reads the views again. Which accounts there are, and what they mean, is billing.Accounts.

CREATE TABLE journal (
  kind       text NOT NULL,    -- line, invoice, void, payment, note, credit, block, grant, move
  source     bigint NOT NULL,  -- the row that it comes of
  account    text NOT NULL CHECK (account ~ '^[a-z-]+(/.+)?$'), -- revenue/4400: where the contract books it
  unit       text NOT NULL CHECK (unit ~ '^[A-Z]{3}$' OR unit = 'ms'), -- a currency, or milliseconds of block hours
  amount     numeric NOT NULL CHECK (amount <> 0), -- positive: debit; negative: credit
  booked_on  date NOT NULL,    -- of service for what was done, else local date of the deed
  payer_id   text NOT NULL,
  client_id  text,             -- null: an invoice as a whole
  invoice_id bigint,
  block_id   bigint,
  at         timestamptz NOT NULL,
  PRIMARY KEY (kind, source, account, unit)
);
CREATE INDEX journal_invoice ON journal (invoice_id) WHERE account = 'receivable';
CREATE INDEX journal_block ON journal (block_id) WHERE block_id IS NOT NULL;

-- Decimals of a currency, as billing.MinorUnits has them.
CREATE FUNCTION minor_units(currency text) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
    WHEN currency IN ('CLF', 'UYW') THEN 4
    ELSE 2
  END
$$;

-- What ms of a block of granted ms, sold at a price, are worth: price · ms / granted, half up in minor units and exact, whatever
-- the division would leave. All of it is worth the price, so that differences of it lose nothing.
CREATE FUNCTION block_worth(price numeric, ms numeric, granted numeric, places int) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN granted = 0 THEN 0 ELSE round(div(2 * round(price, places) * 10::numeric ^ places * ms + granted, 2 * granted) / 10::numeric ^ places, places) END
$$;

-- The tax in what a credit note gives back. A line whose price includes its tax gives back a share of it, reckoned like block_worth.
CREATE FUNCTION note_tax(note bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  WITH given AS (
    SELECT note_id, charge_id, net, amount FROM credit_note_lines UNION ALL SELECT note_id, charge_id, net, amount FROM credit_note_shares
  )
  SELECT coalesce(sum(CASE
    WHEN i.taxes IS NULL OR i.total + i.tax = i.gross THEN g.amount - g.net
    ELSE (
      SELECT CASE WHEN t.net = il.amount OR il.amount = 0 THEN g.amount - g.net
        ELSE round(t.tax * (b.before + g.amount) / il.amount, minor_units(i.currency)) - round(t.tax * b.before / il.amount, minor_units(i.currency)) END
      FROM (
        SELECT (x.line ->> 'net')::numeric AS net, (x.line ->> 'tax')::numeric AS tax
        FROM jsonb_array_elements(i.taxes::jsonb -> 'lines') WITH ORDINALITY AS x (line, n)
        WHERE x.n = (SELECT count(*) FROM invoice_lines o WHERE o.invoice_id = i.id AND o.charge_id <= g.charge_id)
      ) t, (SELECT coalesce(sum(e.amount), 0) AS before FROM given e WHERE e.charge_id = g.charge_id AND e.note_id < g.note_id) b
    ) END), 0)
  FROM given g JOIN invoice_lines il ON il.charge_id = g.charge_id JOIN invoices i ON i.id = il.invoice_id
  WHERE g.note_id = note
$$;

-- A line is work that is not billed yet. A line that a void invoice billed is there again once the void is booked, and a pair
-- that carries an invoice forward comes to nothing: neither is an entry.
CREATE VIEW journal_lines WITH (security_invoker = true) AS
SELECT 'line' AS kind, l.charge_id AS source, v.account, l.currency AS unit, v.amount, l.service_date AS booked_on,
  l.payer_id, l.client_id, l.invoice_id, NULL::bigint AS block_id, l.posted_at AS at
FROM invoice_lines l
JOIN charges own ON own.id = l.charge_id
JOIN charges c ON c.id = coalesce(own.reverses, own.id)
LEFT JOIN postings p ON p.id = c.posting_id
CROSS JOIN LATERAL (VALUES
  ('wip', l.amount),
  (CASE
    WHEN c.kind = 'recurring' AND (p.kind = 'block-sale' OR c.key LIKE '%/renew/%') THEN 'block-sales'
    WHEN c.kind = 'discount' AND c.adjusts IS NOT NULL THEN 'write-downs'
    WHEN c.kind = 'discount' THEN 'discounts'
    WHEN c.kind = 'credit' THEN 'sla-credits'
    WHEN c.kind = 'credited' THEN 'credit-notes'
    WHEN l.account <> '' THEN 'revenue/' || l.account
    ELSE 'revenue'
  END, -l.amount)
) v (account, amount)
WHERE l.amount <> 0 AND own.kind NOT IN ('rebilled', 'carried');

-- A finalised invoice is owed, or is the payer's credit where it comes to less than nothing.
CREATE VIEW journal_invoices WITH (security_invoker = true) AS
SELECT 'invoice' AS kind, i.id AS source, v.account, i.currency AS unit, v.amount,
  coalesce(i.tax_date, (i.finalised_at AT TIME ZONE 'UTC')::date) AS booked_on,
  i.payer_id, NULL::text AS client_id, i.id AS invoice_id, NULL::bigint AS block_id, i.finalised_at AS at
FROM invoices i
CROSS JOIN LATERAL (SELECT coalesce(i.gross, i.total) AS gross, coalesce(i.tax, 0) AS tax) t
CROSS JOIN LATERAL (VALUES
  (CASE WHEN t.gross < 0 THEN 'client-credit' ELSE 'receivable' END, t.gross),
  ('wip', -i.total),
  ('tax', -t.tax),
  ('tax-in-prices', i.total + t.tax - t.gross)
) v (account, amount)
WHERE i.state = 'finalised' AND v.amount <> 0;

-- A void takes all of that back.
CREATE VIEW journal_voids WITH (security_invoker = true) AS
SELECT 'void' AS kind, e.id AS source, j.account, j.unit, -j.amount AS amount, (e.at AT TIME ZONE c.time_zone)::date AS booked_on,
  j.payer_id, j.client_id, j.invoice_id, j.block_id, e.at
FROM invoice_events e JOIN clients c ON c.id = e.payer_id JOIN journal_invoices j ON j.source = e.invoice_id
WHERE e.kind = 'void';

CREATE VIEW journal_payments WITH (security_invoker = true) AS
SELECT 'payment' AS kind, p.event_id AS source, v.account, p.currency AS unit, v.amount, p.paid_on AS booked_on,
  p.payer_id, NULL::text AS client_id, p.invoice_id, NULL::bigint AS block_id, e.at
FROM payments p JOIN invoice_events e ON e.id = p.event_id
CROSS JOIN LATERAL (VALUES ('cash', p.received), ('receivable', -p.amount), ('client-credit', p.amount - p.received)) v (account, amount)
WHERE v.amount <> 0;

CREATE VIEW journal_notes WITH (security_invoker = true) AS
SELECT 'note' AS kind, n.id AS source, v.account, n.currency AS unit, v.amount, (n.issued_at AT TIME ZONE c.time_zone)::date AS booked_on,
  n.payer_id, NULL::text AS client_id, n.invoice_id, NULL::bigint AS block_id, n.issued_at AS at
FROM credit_notes n JOIN clients c ON c.id = n.payer_id
CROSS JOIN LATERAL (SELECT note_tax(n.id) AS tax) t
CROSS JOIN LATERAL (VALUES
  ('credit-notes', n.amount - t.tax), ('tax', t.tax), ('receivable', -n.reduces), ('client-credit', n.reduces - n.amount)
) v (account, amount)
WHERE v.amount <> 0;

-- The payer's credit pays an invoice, or comes back from a void one.
CREATE VIEW journal_credits WITH (security_invoker = true) AS
SELECT 'credit' AS kind, a.id AS source, v.account, a.currency AS unit, v.amount, (a.at AT TIME ZONE c.time_zone)::date AS booked_on,
  a.payer_id, NULL::text AS client_id, a.invoice_id, NULL::bigint AS block_id, a.at
FROM credit_applications a JOIN clients c ON c.id = a.payer_id
CROSS JOIN LATERAL (VALUES ('client-credit', a.amount), ('receivable', -a.amount)) v (account, amount);

-- A bought block: its hours, and its price, which is earned as they are used. Block-sales is cleared by the line that sells it.
CREATE VIEW journal_blocks WITH (security_invoker = true) AS
SELECT 'block' AS kind, b.id AS source, v.account, v.unit, v.amount, (b.granted_at AT TIME ZONE c.time_zone)::date AS booked_on,
  c.payer_id, b.client_id, NULL::bigint AS invoice_id, b.id AS block_id, b.granted_at AS at
FROM blocks b JOIN clients c ON c.id = b.client_id
CROSS JOIN LATERAL (SELECT round(b.price, minor_units(b.currency)) AS price) p
CROSS JOIN LATERAL (VALUES
  ('block-minutes', 'ms', b.granted_ms::numeric), ('minutes-granted', 'ms', -b.granted_ms::numeric),
  ('block-sales', b.currency, p.price), ('deferred', b.currency, -p.price)
) v (account, unit, amount)
WHERE b.clause = '' AND v.amount <> 0;

-- Hours that a period grants, or that roll over into it. They have no price of their own: the fee is revenue.
ALTER TABLE block_grants ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE;
CREATE VIEW journal_grants WITH (security_invoker = true) AS
SELECT 'grant' AS kind, g.id AS source, v.account, 'ms' AS unit, v.amount, (g.at AT TIME ZONE c.time_zone)::date AS booked_on,
  c.payer_id, g.client_id, NULL::bigint AS invoice_id, g.block_id, g.at
FROM block_grants g JOIN clients c ON c.id = g.client_id
CROSS JOIN LATERAL (VALUES
  ('block-minutes', g.ms::numeric), (CASE WHEN g.from_block IS NULL THEN 'minutes-granted' ELSE 'minutes-rolled' END, -g.ms::numeric)
) v (account, amount);

-- What happens to hours. Money goes with them where they leave the block for good: the difference of what all that has left is worth.
CREATE VIEW journal_moves WITH (security_invoker = true) AS
SELECT 'move' AS kind, m.id AS source, v.account, v.unit, v.amount,
  coalesce(k.service_date, (m.at AT TIME ZONE c.time_zone)::date) AS booked_on,
  c.payer_id, m.client_id, NULL::bigint AS invoice_id, m.block_id, m.at
FROM block_moves m
JOIN blocks b ON b.id = m.block_id
JOIN clients c ON c.id = m.client_id
LEFT JOIN charges k ON k.id = m.charge_id
CROSS JOIN LATERAL (
  SELECT CASE WHEN b.price = 0 OR m.kind IN ('reserve', 'release') THEN 0 ELSE (
    SELECT block_worth(b.price, x.before + m.ms, b.granted_ms, minor_units(b.currency)) - block_worth(b.price, x.before, b.granted_ms, minor_units(b.currency))
    FROM (
      SELECT coalesce(sum(o.ms), 0) AS before FROM block_moves o
      WHERE o.block_id = m.block_id AND o.id < m.id AND o.kind NOT IN ('reserve', 'release')
    ) x
  ) END AS worth
) w
CROSS JOIN LATERAL (VALUES
  ('block-minutes', 'ms', -m.ms::numeric),
  (CASE
    WHEN m.kind IN ('reserve', 'release') THEN 'minutes-reserved'
    WHEN m.kind IN ('forfeit', 'restore') THEN 'minutes-expired'
    WHEN m.kind IN ('roll', 'unroll') THEN 'minutes-rolled'
    WHEN m.kind = 'cancel' THEN 'minutes-granted'
    ELSE 'minutes-used'
  END, 'ms', m.ms::numeric),
  ('deferred', b.currency, w.worth),
  (CASE
    WHEN m.kind IN ('forfeit', 'restore') THEN 'breakage'
    WHEN m.kind = 'cancel' THEN 'block-sales'
    ELSE 'block-revenue'
  END, b.currency, -w.worth)
) v (account, unit, amount)
WHERE v.amount <> 0;

-- All that the journal should say.
CREATE VIEW journal_due WITH (security_invoker = true) AS
SELECT * FROM journal_lines UNION ALL SELECT * FROM journal_invoices UNION ALL SELECT * FROM journal_voids
UNION ALL SELECT * FROM journal_payments UNION ALL SELECT * FROM journal_notes UNION ALL SELECT * FROM journal_credits
UNION ALL SELECT * FROM journal_blocks UNION ALL SELECT * FROM journal_grants UNION ALL SELECT * FROM journal_moves;

-- One branch runs for each table; the others are never planned.
-- +goose StatementBegin
CREATE FUNCTION journalise() RETURNS trigger LANGUAGE plpgsql AS $$
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
  END CASE;
  RETURN NULL;
END $$;

CREATE FUNCTION journal_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE off record;
BEGIN
  SELECT unit, sum(amount) AS amount INTO off FROM journal WHERE kind = NEW.kind AND source = NEW.source GROUP BY unit HAVING sum(amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'entry %/% does not balance: % % too much', NEW.kind, NEW.source, off.amount, off.unit USING ERRCODE = 'DK004';
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd

-- What happened before there was a journal.
INSERT INTO journal SELECT * FROM journal_due;

CREATE CONSTRAINT TRIGGER balances AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_balances();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON journal FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER journalise AFTER INSERT ON invoice_lines FOR EACH ROW WHEN (NEW.amount <> 0) EXECUTE FUNCTION journalise();
CREATE TRIGGER journalise AFTER INSERT ON block_moves FOR EACH ROW EXECUTE FUNCTION journalise();
CREATE TRIGGER journalise AFTER UPDATE ON invoices FOR EACH ROW WHEN (OLD.state = 'open' AND NEW.state = 'finalised') EXECUTE FUNCTION journalise();
CREATE TRIGGER journalise AFTER INSERT ON invoice_events FOR EACH ROW WHEN (NEW.kind = 'void') EXECUTE FUNCTION journalise();
CREATE TRIGGER journalise AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION journalise();
CREATE TRIGGER journalise AFTER INSERT ON credit_applications FOR EACH ROW EXECUTE FUNCTION journalise();
CREATE TRIGGER journalise AFTER INSERT ON blocks FOR EACH ROW WHEN (NEW.clause = '') EXECUTE FUNCTION journalise();
CREATE TRIGGER journalise AFTER INSERT ON block_grants FOR EACH ROW EXECUTE FUNCTION journalise();
-- A credit note's tax is in its lines, which follow it.
CREATE CONSTRAINT TRIGGER journalise AFTER INSERT ON credit_notes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journalise();

GRANT SELECT, INSERT ON journal TO docket_staff;
GRANT SELECT ON journal_lines, journal_invoices, journal_voids, journal_payments, journal_notes, journal_credits, journal_blocks,
  journal_grants, journal_moves, journal_due TO docket_staff;
ALTER TABLE journal ENABLE ROW LEVEL SECURITY;
ALTER TABLE journal FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON journal TO docket_staff USING (true) WITH CHECK (true);

-- +goose Down
SELECT 'forward only';
