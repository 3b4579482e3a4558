-- +goose Up
-- Credit notes as documents: what they give back line by line, their files, and where those went.

-- What a credit note gives back of each line, with the tax in it, and which line of its invoice that is (from 1). Where prices include
-- tax, it is a share of what the line and what writes it down come to together, reckoned like block_worth: so all of them give back all of it.
CREATE FUNCTION note_lines(note bigint) RETURNS TABLE (charge_id bigint, nth int, gross numeric, tax numeric) LANGUAGE sql STABLE AS $$
  WITH RECURSIVE given AS NOT MATERIALIZED ( -- of one note, or of one line: by an index
    SELECT w.note_id, w.charge_id, w.net, w.amount FROM credit_note_lines w UNION ALL SELECT s.note_id, s.charge_id, s.net, s.amount FROM credit_note_shares s
  ), lines AS (
    SELECT l.charge_id, l.amount, row_number() OVER (ORDER BY l.charge_id)::int AS nth
    FROM invoice_lines l WHERE l.invoice_id = (SELECT c.invoice_id FROM credit_notes c WHERE c.id = note)
  ), up AS ( -- from a line to what it writes down, or bills again
    SELECT l.charge_id AS line, l.charge_id AS id, (SELECT c.adjusts FROM charges c WHERE c.id = l.charge_id) AS adjusts FROM lines l
    UNION ALL
    SELECT up.line, up.adjusts, (SELECT c.adjusts FROM charges c WHERE c.id = up.adjusts) FROM up WHERE up.adjusts IS NOT NULL
  ), included AS ( -- where prices include tax
    SELECT l.charge_id, up.id AS base, t.net, t.tax, sum(t.tax) OVER b AS taxes, sum(l.amount) OVER b AS amounts
    FROM (
      SELECT x.n::int AS nth, (x.line ->> 'net')::numeric AS net, (x.line ->> 'tax')::numeric AS tax
      FROM credit_notes c JOIN invoices i ON i.id = c.invoice_id
      CROSS JOIN LATERAL jsonb_array_elements(i.taxes::jsonb -> 'lines') WITH ORDINALITY AS x (line, n)
      WHERE c.id = note AND i.total + i.tax <> i.gross
    ) t JOIN lines l ON l.nth = t.nth JOIN up ON up.line = l.charge_id AND up.adjusts IS NULL
    WINDOW b AS (PARTITION BY up.id)
  ), mine AS (
    SELECT g.charge_id, l.nth, l.amount AS was, g.net, g.amount, minor_units(n.currency) AS places, i.base, i.net AS net_was, i.tax, i.taxes, i.amounts,
      sum(g.amount) OVER b AS now, sum(i.tax) OVER b - i.tax AS others, row_number() OVER (PARTITION BY i.base ORDER BY g.charge_id) AS place
    FROM given g JOIN credit_notes n ON n.id = g.note_id JOIN lines l ON l.charge_id = g.charge_id LEFT JOIN included i ON i.charge_id = g.charge_id
    WHERE g.note_id = note
    WINDOW b AS (PARTITION BY i.base)
  )
  SELECT m.charge_id, m.nth, m.amount, CASE
    WHEN m.net_was IS NULL OR m.net_was = m.was THEN m.amount - m.net
    WHEN m.place > 1 THEN m.tax
    WHEN m.amounts = 0 THEN m.taxes - m.others
    ELSE (
      SELECT round(m.taxes * (b.before + m.now) / m.amounts, m.places) - round(m.taxes * b.before / m.amounts, m.places) - m.others
      FROM (
        SELECT coalesce(sum(e.amount), 0) AS before FROM included o JOIN given e ON e.charge_id = o.charge_id WHERE o.base = m.base AND e.note_id < note
      ) b
    ) END
  FROM mine m
$$;
-- The journal books the sum of them: a credit note's paper and its entry cannot differ.
CREATE OR REPLACE FUNCTION note_tax(note bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(l.tax), 0) FROM note_lines(note) l
$$;

-- Rendered once, and never again, as an invoice's.
CREATE TABLE credit_note_documents (
  note_id     bigint NOT NULL REFERENCES credit_notes (id),
  kind        text NOT NULL CHECK (kind IN ('pdf', 'ubl', 'json')),
  payer_id    text NOT NULL,
  media_type  text NOT NULL,
  sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  content     bytea NOT NULL,
  rendered_at timestamptz NOT NULL,
  PRIMARY KEY (note_id, kind),
  CHECK (encode(sha256(content), 'hex') = sha256)
);

ALTER TABLE invoice_events DROP CONSTRAINT invoice_events_kind_check;
ALTER TABLE invoice_events ADD CONSTRAINT invoice_events_kind_check CHECK (kind IN (
  'payment', 'credit-note', 'credit-applied', 'void', 'write-down',
  'review', 'sent', 'question', 'answer', 'payment-returned', 'credit-note-sent'));

-- Where a kept file of a credit note went: to nobody twice.
CREATE TABLE credit_note_sendings (
  event_id  bigint PRIMARY KEY REFERENCES invoice_events (id),
  note_id   bigint NOT NULL REFERENCES credit_notes (id),
  payer_id  text NOT NULL,
  recipient text NOT NULL,
  sha256    text NOT NULL,
  UNIQUE (note_id, recipient, sha256)
);

-- The credit note that a notice takes to its payer; invoice_id is then the invoice that it corrects.
ALTER TABLE notices ADD COLUMN note_id bigint REFERENCES credit_notes (id) CHECK (note_id IS NULL OR invoice_id IS NOT NULL);
CREATE INDEX notices_note ON notices (note_id, id) WHERE note_id IS NOT NULL;

GRANT SELECT, INSERT ON credit_note_documents, credit_note_sendings TO docket_staff;
GRANT SELECT ON credit_note_documents, credit_note_sendings TO docket_client;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['credit_note_documents', 'credit_note_sendings'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
    EXECUTE format($p$CREATE POLICY client ON %I FOR SELECT TO docket_client
      USING (payer_id = current_setting('docket.client', true))$p$, t);
    EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
    EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 'forward only';
