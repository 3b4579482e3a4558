-- +goose Up
-- Warnings before a target is missed, and how far a missed one has gone up the chain.
ALTER TABLE tickets
  ADD COLUMN response_warn_at     timestamptz, -- when the share of the target is used up by which somebody is warned
  ADD COLUMN response_warned_at   timestamptz,
  ADD COLUMN resolution_warn_at   timestamptz, -- null while the clock stands still, as resolution_due is
  ADD COLUMN resolution_warned_at timestamptz,
  ADD COLUMN escalation_step      int NOT NULL DEFAULT 0 CHECK (escalation_step >= 0),
  ADD COLUMN escalate_at          timestamptz; -- when the next step follows, unless the target is met

-- In a calendar without hours nothing would ever be due.
ALTER TABLE calendars
  ADD COLUMN name text NOT NULL DEFAULT '',
  ADD COLUMN revision int NOT NULL DEFAULT 0,
  ADD CONSTRAINT calendars_have_hours CHECK (document -> 'hours' <> '{}'::jsonb);

-- Who changed a calendar to what. A ticket keeps the calendar that it was promised by.
CREATE TABLE calendar_revisions (
  calendar_id text NOT NULL REFERENCES calendars (id),
  revision    int NOT NULL CHECK (revision > 0),
  name        text NOT NULL,
  document    jsonb NOT NULL,
  applied_by  text NOT NULL,
  applied_at  timestamptz NOT NULL,
  PRIMARY KEY (calendar_id, revision)
);
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON calendar_revisions FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON calendar_revisions FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE calendar_revisions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON calendar_revisions TO docket_staff USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON calendar_revisions TO docket_staff;

-- +goose Down
SELECT 'forward only';
