-- +goose Up
-- What posts without a ticket: the runs of billing periods, and usage outside tickets.

-- One row a deed that posts by itself, single by its key. As a closure it keeps its facts and its decision, so that it
-- can be decided again. A draft waits for a person, and only then has charges.
CREATE TABLE postings (
  id           bigint PRIMARY KEY,
  key          text NOT NULL UNIQUE, -- opening/CONTRACT/START/END, closing/CONTRACT/START/END/N, usage/OPERATION-KEY, …
  kind         text NOT NULL,        -- opening, closing, adjusting, usage, …
  client_id    text NOT NULL REFERENCES clients (id),
  contract_id  text NOT NULL DEFAULT '',
  period_start date,
  period_end   date, -- exclusive
  n            int NOT NULL DEFAULT 1 CHECK (n > 0),
  rules        int NOT NULL,
  facts        text NOT NULL, -- canonical JSON of what was known
  decision     text NOT NULL, -- canonical JSON of what was decided
  digest       text NOT NULL, -- of the decision
  says         text NOT NULL,
  state        text NOT NULL CHECK (state IN ('posted', 'draft', 'void')),
  made_by      text NOT NULL,
  at           timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL,
  decided_at   timestamptz, -- of a draft
  decided_by   text,
  decided_says text,
  CHECK ((period_start IS NULL) = (period_end IS NULL)),
  CHECK (period_end > period_start),
  CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
  CHECK (state <> 'draft' OR decided_at IS NULL),
  CHECK (state <> 'void' OR decided_at IS NOT NULL)
);
CREATE INDEX postings_client ON postings (client_id, at);
-- A period opens once and closes once, however many processes run it; a declined draft gives way to the next one.
CREATE UNIQUE INDEX postings_period ON postings (contract_id, period_start, period_end, kind)
  WHERE kind IN ('opening', 'closing') AND state <> 'void';
CREATE INDEX postings_runs ON postings (contract_id, period_start) WHERE period_start IS NOT NULL;
CREATE SEQUENCE posting_ids AS bigint;
-- +goose StatementBegin
DO $$
BEGIN
  ALTER TABLE postings ALTER facts SET COMPRESSION lz4, ALTER decision SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  RAISE NOTICE 'this server has no lz4: postings are packed by pglz';
END $$;
-- +goose StatementEnd

-- A draft is decided once, and what was decided stays as it is.
-- +goose StatementBegin
CREATE FUNCTION draft_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'draft' OR (NEW.key, NEW.facts, NEW.decision, NEW.digest) IS DISTINCT FROM (OLD.key, OLD.facts, OLD.decision, OLD.digest) THEN
    RAISE EXCEPTION 'posting % is %: it never changes', OLD.key, OLD.state
      USING ERRCODE = 'DK002', HINT = 'correct it with a new posting';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER decided_once BEFORE UPDATE ON postings FOR EACH ROW EXECUTE FUNCTION draft_decided_once();
CREATE TRIGGER keep BEFORE DELETE ON postings FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON postings FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- What happened outside tickets and a usage line prices.
CREATE TABLE usage_events (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  operation_key text NOT NULL UNIQUE,
  input_digest  text NOT NULL,
  client_id     text NOT NULL REFERENCES clients (id),
  event         text NOT NULL,
  quantity      numeric NOT NULL CHECK (quantity > 0),
  happened_on   date NOT NULL,
  posting_id    bigint NOT NULL UNIQUE REFERENCES postings (id),
  recorded_by   text NOT NULL REFERENCES people (id),
  via           text NOT NULL,
  recorded_at   timestamptz NOT NULL
);
CREATE INDEX usage_events_client ON usage_events (client_id, happened_on, id);
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON usage_events FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON usage_events FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- A charge comes of a closure of a ticket, or of a posting without one.
ALTER TABLE charges
  ALTER closure_id DROP NOT NULL,
  ALTER ticket DROP NOT NULL,
  ADD COLUMN posting_id bigint REFERENCES postings (id),
  ADD CONSTRAINT charges_one_origin CHECK ((closure_id IS NULL) <> (posting_id IS NULL) AND (ticket IS NULL) = (closure_id IS NULL)),
  ADD UNIQUE (posting_id, key);
CREATE INDEX charges_contract ON charges (contract_id, service_date); -- what a period has billed towards its minimum
ALTER TABLE invoice_lines ALTER ticket DROP NOT NULL;

GRANT USAGE ON SEQUENCE posting_ids TO docket_staff;
GRANT SELECT, INSERT, UPDATE (state, decided_at, decided_by, decided_says) ON postings TO docket_staff;
GRANT SELECT, INSERT ON usage_events TO docket_staff;
-- As with closures: a client may ask what was decided, never by which facts.
GRANT SELECT (id, key, kind, client_id, contract_id, period_start, period_end, n, decision, digest, says, state, at) ON postings TO docket_client;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['postings', 'usage_events'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
-- +goose StatementEnd
CREATE POLICY client ON postings FOR SELECT TO docket_client
  USING (state = 'posted' AND client_id = current_setting('docket.client', true));

-- +goose Down
SELECT 'forward only';
