-- +goose Up
-- The MSP's own world: clients, people, sites, devices, calendars, contracts.

CREATE EXTENSION IF NOT EXISTS btree_gist; -- spans of one work entry must not overlap

-- +goose StatementBegin
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op
    USING ERRCODE = 'DK002', HINT = 'correct it with a new, linked row';
END $$;
-- +goose StatementEnd

CREATE TABLE clients (
  id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name       text NOT NULL,
  time_zone  text NOT NULL,
  currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  payer_id   text NOT NULL REFERENCES clients (id), -- who gets the invoice; usually itself
  created_at timestamptz NOT NULL
);

CREATE TABLE sites (
  client_id text NOT NULL REFERENCES clients (id),
  id        text NOT NULL,
  name      text NOT NULL,
  PRIMARY KEY (client_id, id)
);

CREATE TABLE device_counts (
  client_id  text NOT NULL REFERENCES clients (id),
  kind       text NOT NULL, -- workstation, server, seat, …
  counted_on date NOT NULL,
  devices    int  NOT NULL CHECK (devices >= 0),
  PRIMARY KEY (client_id, kind, counted_on)
);

CREATE TABLE people (
  id           text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9.-]{0,62}$'),
  name         text NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('human', 'ai', 'system')),
  client_id    text REFERENCES clients (id), -- null: one of ours
  roles        text[] NOT NULL DEFAULT '{}', -- technician, dispatcher, owner, finance, approver, contact, agent
  work_role    text NOT NULL DEFAULT '',     -- the rate card's role, e.g. engineer
  email        text NOT NULL DEFAULT '',
  board        text NOT NULL DEFAULT '',
  skills       text[] NOT NULL DEFAULT '{}',
  capacity     int NOT NULL DEFAULT 0 CHECK (capacity >= 0), -- open tickets at a time
  hourly_cost  numeric NOT NULL DEFAULT 0 CHECK (hourly_cost >= 0),
  token_cost   numeric NOT NULL DEFAULT 0 CHECK (token_cost >= 0), -- of a thousand model tokens
  cost_currency text NOT NULL DEFAULT 'USD',
  policy       jsonb,                        -- of an AI agent: categories, highest priority, lowest confidence
  delegate_id  text REFERENCES people (id),  -- who acts when this person is away or may not
  absent_until timestamptz,
  active       boolean NOT NULL DEFAULT true
);
CREATE INDEX people_client ON people (client_id) WHERE client_id IS NOT NULL;

CREATE TABLE calendars (
  id       text PRIMARY KEY,
  document jsonb NOT NULL -- sla.Calendar
);

CREATE TABLE contracts (
  id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  client_id  text NOT NULL REFERENCES clients (id),
  name       text NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (id, client_id)
);
CREATE INDEX contracts_client ON contracts (client_id);

-- Immutable. A version is in force from effective_from until the next version's; among
-- versions of the same date the highest revision counts. Decisions name (contract,
-- revision, digest) and no foreign key is needed towards rows that can never go away.
CREATE TABLE contract_versions (
  contract_id    text NOT NULL,
  client_id      text NOT NULL,
  revision       int  NOT NULL CHECK (revision > 0),
  effective_from date NOT NULL,
  effective_to   date CHECK (effective_to > effective_from),
  document       text NOT NULL, -- canonical JSON of billing.Contract
  digest         text NOT NULL,
  applied_by     text NOT NULL,
  applied_at     timestamptz NOT NULL,
  PRIMARY KEY (contract_id, revision),
  FOREIGN KEY (contract_id, client_id) REFERENCES contracts (id, client_id)
);
CREATE INDEX contract_versions_client ON contract_versions (client_id, contract_id, effective_from, revision);
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON contract_versions FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON contract_versions FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- +goose Down
SELECT 'forward only';
