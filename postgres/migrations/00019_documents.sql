-- +goose Up
-- What leaves the house as paper.

-- Who sells: the MSP itself. One row.
CREATE TABLE company (
  one      boolean PRIMARY KEY DEFAULT true CHECK (one),
  party    jsonb NOT NULL, -- billing.Party
  set_by   text NOT NULL REFERENCES people (id),
  set_at   timestamptz NOT NULL
);
-- Where a client's paper goes, and who it is by law. Its name is the client's where this has none.
ALTER TABLE clients ADD COLUMN party jsonb NOT NULL DEFAULT '{}';

-- Due by the shortest term of the contracts on it; kept when the invoice is finalised.
ALTER TABLE invoices ADD COLUMN due_on date;

-- Rendered once, and never again: what was sent is what is here.
CREATE TABLE invoice_documents (
  invoice_id  bigint NOT NULL REFERENCES invoices (id),
  kind        text NOT NULL CHECK (kind IN ('pdf', 'ubl', 'json')),
  payer_id    text NOT NULL,
  media_type  text NOT NULL,
  sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  content     bytea NOT NULL,
  rendered_at timestamptz NOT NULL,
  PRIMARY KEY (invoice_id, kind),
  CHECK (encode(sha256(content), 'hex') = sha256)
);

-- Rows that went to an accounting program. A line goes to each program once, in one batch.
CREATE TABLE exports (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  format        text NOT NULL,
  operation_key text NOT NULL UNIQUE,
  made_by       text NOT NULL REFERENCES people (id),
  made_at       timestamptz NOT NULL,
  invoices      int NOT NULL CHECK (invoices > 0),
  lines         int NOT NULL CHECK (lines > 0),
  sha256        text NOT NULL,
  content       bytea NOT NULL,
  CHECK (encode(sha256(content), 'hex') = sha256)
);
CREATE TABLE export_lines (
  format    text NOT NULL,
  charge_id bigint NOT NULL REFERENCES invoice_lines (charge_id),
  export_id bigint NOT NULL REFERENCES exports (id),
  PRIMARY KEY (format, charge_id)
);
CREATE INDEX export_lines_export ON export_lines (export_id);

GRANT SELECT, INSERT, UPDATE ON company TO docket_staff;
GRANT SELECT, INSERT ON invoice_documents, exports, export_lines TO docket_staff;
GRANT SELECT ON company, invoice_documents TO docket_client;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['company', 'invoice_documents', 'exports', 'export_lines'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
    IF t <> 'company' THEN
      EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
      EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END IF;
  END LOOP;
END $$;
-- +goose StatementEnd
CREATE POLICY client ON company FOR SELECT TO docket_client USING (true);
CREATE POLICY client ON invoice_documents FOR SELECT TO docket_client USING (payer_id = current_setting('docket.client', true));

-- +goose Down
SELECT 'forward only';
