-- +goose Up
-- What accounting programs get beside invoices, so that their books stay ours: credit notes, what takes a void invoice back
-- where they have it, payments, and payments that came back. A batch has a file for each import of the program.

ALTER TABLE exports
  ADD COLUMN credits  int NOT NULL DEFAULT 0 CHECK (credits >= 0),  -- credit notes, and void invoices that are taken back
  ADD COLUMN payments int NOT NULL DEFAULT 0 CHECK (payments >= 0), -- with those that came back
  ADD COLUMN left_out text NOT NULL DEFAULT '[]',                   -- JSON: the payers that lacked something, as it was answered
  DROP CONSTRAINT exports_invoices_check,
  DROP CONSTRAINT exports_lines_check,
  ADD CHECK (invoices >= 0 AND lines >= invoices),
  ADD CHECK (invoices + credits + payments > 0),
  ALTER COLUMN content SET DEFAULT '', -- the release before has its one file here
  ALTER COLUMN sha256 SET DEFAULT encode(sha256(''), 'hex');

CREATE TABLE export_files (
  export_id bigint NOT NULL REFERENCES exports (id),
  name      text NOT NULL CHECK (name IN ('invoices', 'credits', 'payments')),
  lines     int NOT NULL CHECK (lines > 0), -- without its header
  sha256    text NOT NULL,
  content   bytea NOT NULL,
  PRIMARY KEY (export_id, name),
  CHECK (encode(sha256(content), 'hex') = sha256)
);

-- A credit note, a void, a payment or its return goes to each program once, in one batch; the lines of invoices do by export_lines.
CREATE TABLE export_events (
  format    text NOT NULL,
  event_id  bigint NOT NULL REFERENCES invoice_events (id),
  export_id bigint NOT NULL REFERENCES exports (id),
  PRIMARY KEY (format, event_id)
);
CREATE INDEX export_events_export ON export_events (export_id);

-- Batches from before, and those that the release before still makes.
INSERT INTO export_files SELECT id, 'invoices', lines, sha256, content FROM exports;
-- +goose StatementBegin
CREATE FUNCTION one_file_export() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO export_files VALUES (NEW.id, 'invoices', NEW.lines, NEW.sha256, NEW.content);
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER one_file AFTER INSERT ON exports FOR EACH ROW WHEN (NEW.content <> '') EXECUTE FUNCTION one_file_export();

GRANT SELECT, INSERT ON export_files, export_events TO docket_staff;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['export_files', 'export_events'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
    EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
    EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 'forward only';
