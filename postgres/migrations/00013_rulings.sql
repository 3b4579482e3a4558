-- +goose Up
-- Rulings that need a second person, or that rate anew; projects, and the work that bills to them.

-- A project is the client's, with a budget in money, in hours, or both. What bills to it is counted under its
-- counters, as a purchase order is. Its terms change by events alone.
CREATE TABLE projects (
  id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  client_id  text NOT NULL REFERENCES clients (id),
  name       text NOT NULL,
  currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  budget     numeric CHECK (budget > 0),
  budget_ms  bigint NOT NULL DEFAULT 0 CHECK (budget_ms >= 0), -- 0: no hours were set
  hourly     numeric CHECK (hourly >= 0),                      -- of people's work that a contract would have covered; null: the rate card's
  state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
  created_at timestamptz NOT NULL,
  UNIQUE (id, client_id),
  CHECK (budget IS NOT NULL OR budget_ms > 0)
);
CREATE INDEX projects_client ON projects (client_id);

CREATE TABLE project_events (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project_id    text NOT NULL REFERENCES projects (id),
  client_id     text NOT NULL,
  kind          text NOT NULL CHECK (kind IN ('added', 'budget', 'closed', 'opened')),
  actor         text NOT NULL,
  at            timestamptz NOT NULL,
  says          text NOT NULL,
  operation_key text NOT NULL UNIQUE,
  input_digest  text NOT NULL,
  answer        jsonb NOT NULL
);
CREATE INDEX project_events_project ON project_events (project_id, id);

ALTER TABLE tickets ADD COLUMN project_id text;
ALTER TABLE tickets ADD FOREIGN KEY (project_id, client_id) REFERENCES projects (id, client_id);
CREATE INDEX tickets_project ON tickets (project_id) WHERE project_id IS NOT NULL;
ALTER TABLE charges ADD COLUMN project_id text REFERENCES projects (id);
CREATE INDEX charges_project ON charges (project_id) WHERE project_id IS NOT NULL;

-- How far a person may rule alone, by role, ruling and queue ('' is every queue). Above it, a second one confirms.
CREATE TABLE ruling_limits (
  role     text NOT NULL,
  action   text NOT NULL,
  queue    text NOT NULL,
  currency text NOT NULL,
  amount   numeric NOT NULL CHECK (amount >= 0),
  set_by   text NOT NULL REFERENCES people (id),
  set_at   timestamptz NOT NULL,
  PRIMARY KEY (role, action, queue, currency)
);

-- A ruling above its sender's limit: it waits for a second person and has no effect on money. It stands for one
-- content of the hold; where that changes, it falls.
CREATE TABLE proposals (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hold_id      bigint NOT NULL REFERENCES holds (id),
  client_id    text NOT NULL,
  content      text NOT NULL, -- digest of the hold's content
  digest       text NOT NULL, -- binds hold, content and ruling: a second person's word names it
  ruling       text NOT NULL, -- JSON of ticket.Rule
  amount       numeric NOT NULL, -- what it is measured by
  currency     text NOT NULL,
  proposed_by  text NOT NULL REFERENCES people (id),
  proposed_at  timestamptz NOT NULL,
  says         text NOT NULL
);
CREATE INDEX proposals_hold ON proposals (hold_id, id);

-- What became of a proposal, once.
CREATE TABLE proposal_answers (
  proposal_id bigint PRIMARY KEY REFERENCES proposals (id),
  client_id   text NOT NULL,
  confirmed   boolean NOT NULL,
  by_person   text NOT NULL,
  at          timestamptz NOT NULL,
  reason      text NOT NULL DEFAULT ''
);

-- What a ruling rated under another contract: facts, decision and digest, as a closure has them. The decision's
-- charges and holds belong to the closure of the hold.
CREATE TABLE reratings (
  hold_id     bigint PRIMARY KEY REFERENCES holds (id),
  closure_id  bigint NOT NULL REFERENCES closures (id),
  client_id   text NOT NULL,
  facts       text NOT NULL,
  decision    text NOT NULL,
  digest      text NOT NULL,
  recorded_at timestamptz NOT NULL
);
CREATE INDEX reratings_closure ON reratings (closure_id);

GRANT SELECT ON projects, project_events, ruling_limits, proposals, proposal_answers, reratings TO docket_staff;
GRANT INSERT, UPDATE ON projects, ruling_limits TO docket_staff;
GRANT INSERT ON project_events, proposals, proposal_answers, reratings TO docket_staff;
-- A client sees its projects and their budgets; not who of the desk did what, nor what was proposed.
GRANT SELECT ON projects TO docket_client;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['projects', 'project_events', 'ruling_limits', 'proposals', 'proposal_answers', 'reratings'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['project_events', 'proposals', 'proposal_answers', 'reratings'] LOOP
    EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
    EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
  END LOOP;
END $$;
-- +goose StatementEnd
CREATE POLICY client ON projects FOR SELECT TO docket_client USING (client_id = current_setting('docket.client', true));

-- +goose Down
SELECT 'forward only';
