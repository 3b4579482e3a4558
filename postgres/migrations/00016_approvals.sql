-- +goose Up
-- Who agreed before the work is asked again where it grows beyond what he agreed to.
ALTER TABLE tickets ADD COLUMN approved_by text REFERENCES people (id);

-- Each quote reminds whom it asks, a few times, further and further apart.
CREATE TABLE quote_reminders (
  hold_id   bigint NOT NULL,
  step      int NOT NULL,
  n         int NOT NULL CHECK (n > 0),
  client_id text NOT NULL,
  at        timestamptz NOT NULL,
  PRIMARY KEY (hold_id, step, n),
  FOREIGN KEY (hold_id, step) REFERENCES quotes (hold_id, step)
);
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON quote_reminders FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON quote_reminders FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE quote_reminders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON quote_reminders TO docket_staff USING (true) WITH CHECK (true);
CREATE POLICY client ON quote_reminders FOR SELECT TO docket_client USING (client_id = current_setting('docket.client', true));
GRANT SELECT, INSERT ON quote_reminders TO docket_staff;
GRANT SELECT ON quote_reminders TO docket_client;

-- +goose Down
SELECT 'forward only';
