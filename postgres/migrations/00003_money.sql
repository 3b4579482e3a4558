-- +goose Up
-- Money and its identities. Everything a process might do twice has a unique key here.

-- One closure of one round; a second closer gets the first one's receipt.
CREATE TABLE closures (
  id          bigint PRIMARY KEY,
  ticket      bigint NOT NULL,
  client_id   text NOT NULL,
  round       int NOT NULL,
  closed_at   timestamptz NOT NULL, -- in event time
  resolved_by text NOT NULL,
  code        text NOT NULL,
  resolution  text NOT NULL,
  rules       int NOT NULL,
  facts       text NOT NULL, -- canonical JSON of billing.Facts
  decision    text NOT NULL, -- canonical JSON of billing.Decision
  digest      text NOT NULL, -- of the decision
  receipt     text NOT NULL, -- JSON of billing.Receipt, as it was answered
  recorded_at timestamptz NOT NULL,
  UNIQUE (ticket, round),
  FOREIGN KEY (ticket, client_id) REFERENCES tickets (number, client_id)
);
CREATE INDEX closures_client ON closures (client_id, closed_at);
-- Facts and decisions are a few kilobytes a closing: lz4 packs them at a fifth of pglz's cost,
-- on servers that are built with it.
-- +goose StatementBegin
DO $$
BEGIN
  ALTER TABLE closures ALTER facts SET COMPRESSION lz4, ALTER decision SET COMPRESSION lz4, ALTER receipt SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  RAISE NOTICE 'this server has no lz4: closures are packed by pglz';
END $$;
-- +goose StatementEnd
CREATE SEQUENCE closure_ids AS bigint;

-- What waits for a person. closure_id is null when an agent asked before acting.
CREATE TABLE holds (
  id         bigint PRIMARY KEY,
  closure_id bigint REFERENCES closures (id),
  ticket     bigint NOT NULL,
  client_id  text NOT NULL,
  round      int NOT NULL,
  key        text NOT NULL, -- unique within its closure: billing.Hold.Key
  kind       text NOT NULL CHECK (kind IN ('sign-off', 'exception')),
  reason     text NOT NULL,
  says       text NOT NULL,
  currency   text NOT NULL,
  amount     numeric NOT NULL,
  hold       text NOT NULL, -- canonical JSON of billing.Hold: the charges as they would post
  requested_by text NOT NULL, -- who resolved, or asked: he may not sign off himself
  opened_at  timestamptz NOT NULL,
  state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'settled', 'sent-back', 'void')),
  decided_at timestamptz,
  decided_by text,
  decision   text, -- approve, decline, bill, cover, write-off, rework, reopened
  decided_says text,
  UNIQUE (closure_id, key),
  FOREIGN KEY (ticket, client_id) REFERENCES tickets (number, client_id),
  CHECK ((state = 'open') = (decided_at IS NULL))
);
CREATE INDEX holds_open ON holds (ticket) WHERE state = 'open';
CREATE INDEX holds_ticket ON holds (ticket, id);
CREATE SEQUENCE hold_ids AS bigint;
-- +goose StatementBegin
CREATE FUNCTION hold_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'open' THEN
    RAISE EXCEPTION 'hold H-% is decided', OLD.id USING ERRCODE = 'DK002';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER decided_once BEFORE UPDATE ON holds FOR EACH ROW EXECUTE FUNCTION hold_decided_once();
CREATE TRIGGER keep BEFORE DELETE ON holds FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON holds FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- The quotes of a hold, one a step of its escalation. Only the last one can be signed.
CREATE TABLE quotes (
  hold_id    bigint NOT NULL REFERENCES holds (id),
  step       int NOT NULL CHECK (step >= 0),
  client_id  text NOT NULL,
  digest     text NOT NULL, -- binds hold, step and content
  asked      text[] NOT NULL, -- person ids who may decide at this step
  quoted_at  timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (hold_id, step)
);
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON quotes FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON quotes FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TABLE charges (
  id           bigint PRIMARY KEY,
  closure_id   bigint NOT NULL REFERENCES closures (id),
  ticket       bigint NOT NULL,
  client_id    text NOT NULL,
  round        int NOT NULL,
  key          text NOT NULL,
  kind         text NOT NULL,
  contract_id  text NOT NULL DEFAULT '',
  revision     int NOT NULL DEFAULT 0,
  clause       text NOT NULL DEFAULT '',
  currency     text NOT NULL,
  quantity     numeric NOT NULL,
  unit         text NOT NULL,
  rate         numeric NOT NULL,
  exact        numeric NOT NULL,
  amount       numeric NOT NULL,
  service_date date NOT NULL,
  hidden       boolean NOT NULL,
  hold_id      bigint REFERENCES holds (id), -- the hold it came out of
  reverses     bigint REFERENCES charges (id),
  body         text, -- canonical JSON of billing.Charge where the closure's decision has it not: settled and reversed ones
  posted_at    timestamptz NOT NULL,
  UNIQUE (closure_id, key),
  CHECK ((kind = 'reversal') = (reverses IS NOT NULL))
);
CREATE INDEX charges_ticket ON charges (ticket);
CREATE UNIQUE INDEX charges_reversed_once ON charges (reverses) WHERE reverses IS NOT NULL;
CREATE SEQUENCE charge_ids AS bigint;

-- Which milliseconds of which work a charge stands for. No millisecond twice in a generation.
CREATE TABLE charge_work (
  charge_id  bigint NOT NULL REFERENCES charges (id),
  work_id    bigint NOT NULL REFERENCES work_entries (id),
  generation int NOT NULL CHECK (generation > 0),
  span       int8range NOT NULL CHECK (lower(span) >= 0 AND lower_inc(span) AND NOT upper_inc(span)),
  EXCLUDE USING gist (work_id WITH =, generation WITH =, span WITH &&)
);
CREATE INDEX charge_work_charge ON charge_work (charge_id);
-- +goose StatementBegin
CREATE FUNCTION earlier_generation_reversed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM charge_work w LEFT JOIN charges r ON r.reverses = w.charge_id
    WHERE w.work_id = NEW.work_id AND w.generation = NEW.generation - 1 AND r.id IS NULL)
  THEN
    RAISE EXCEPTION 'work % is charged in generation % and not reversed', NEW.work_id, NEW.generation - 1
      USING ERRCODE = 'DK003';
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER reversed_before AFTER INSERT ON charge_work FOR EACH ROW WHEN (NEW.generation > 1)
  EXECUTE FUNCTION earlier_generation_reversed();

-- Blocks of hours. remaining is a cache of granted − Σ moves; the audit compares them.
CREATE TABLE blocks (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  contract_id   text NOT NULL,
  client_id     text NOT NULL,
  operation_key text NOT NULL UNIQUE,
  granted_ms    bigint NOT NULL CHECK (granted_ms > 0),
  remaining_ms  bigint NOT NULL,
  priority      int NOT NULL DEFAULT 0,
  granted_at    timestamptz NOT NULL,
  expires_at    timestamptz CHECK (expires_at > granted_at),
  price         numeric NOT NULL DEFAULT 0 CHECK (price >= 0),
  currency      text NOT NULL,
  CHECK (remaining_ms BETWEEN 0 AND granted_ms),
  FOREIGN KEY (contract_id, client_id) REFERENCES contracts (id, client_id)
) WITH (fillfactor = 50);
CREATE INDEX blocks_contract ON blocks (contract_id, id);

CREATE TABLE block_moves (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  block_id  bigint NOT NULL REFERENCES blocks (id),
  client_id text NOT NULL,
  kind      text NOT NULL CHECK (kind IN ('draw', 'return', 'reserve', 'release')),
  ms        bigint NOT NULL CHECK (ms <> 0), -- positive takes from the block
  charge_id bigint REFERENCES charges (id),
  hold_id   bigint REFERENCES holds (id),
  key       text NOT NULL DEFAULT '',        -- the charge within the hold
  at        timestamptz NOT NULL,
  CHECK ((kind IN ('draw', 'return')) = (charge_id IS NOT NULL)),
  CHECK ((kind IN ('reserve', 'release')) = (hold_id IS NOT NULL)),
  CHECK ((ms > 0) = (kind IN ('draw', 'reserve')))
);
CREATE UNIQUE INDEX block_moves_charge ON block_moves (charge_id, block_id) WHERE charge_id IS NOT NULL;
CREATE UNIQUE INDEX block_moves_hold ON block_moves (hold_id, block_id, key, kind) WHERE hold_id IS NOT NULL;
CREATE INDEX block_moves_block ON block_moves (block_id);

-- Shared running quantities of a period. value is a cache of Σ moves.
CREATE TABLE counters (
  key       text PRIMARY KEY,
  client_id text NOT NULL REFERENCES clients (id),
  value     numeric NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE counter_moves (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  counter   text NOT NULL REFERENCES counters (key),
  client_id text NOT NULL,
  kind      text NOT NULL CHECK (kind IN ('count', 'return', 'reserve', 'release')),
  quantity  numeric NOT NULL CHECK (quantity <> 0),
  charge_id bigint REFERENCES charges (id),
  hold_id   bigint REFERENCES holds (id),
  key       text NOT NULL DEFAULT '',
  at        timestamptz NOT NULL,
  CHECK ((kind IN ('count', 'return')) = (charge_id IS NOT NULL)),
  CHECK ((kind IN ('reserve', 'release')) = (hold_id IS NOT NULL))
);
CREATE UNIQUE INDEX counter_moves_charge ON counter_moves (charge_id, counter) WHERE charge_id IS NOT NULL;
CREATE UNIQUE INDEX counter_moves_hold ON counter_moves (hold_id, counter, key, kind) WHERE hold_id IS NOT NULL;
CREATE INDEX counter_moves_counter ON counter_moves (counter);

-- One invoice a payer, currency and period. It has no running total: a row that every closing
-- wrote would queue all closings of a busy client. While open, its total is the sum of its lines.
CREATE TABLE invoices (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payer_id     text NOT NULL REFERENCES clients (id),
  currency     text NOT NULL,
  period_start date NOT NULL,
  period_end   date NOT NULL, -- exclusive
  state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'finalised')),
  number       text UNIQUE,
  total        numeric,
  line_count   int,
  finalised_at timestamptz,
  finalised_by text,
  UNIQUE (payer_id, currency, period_start),
  CHECK (period_end > period_start),
  CHECK ((state = 'open') = (number IS NULL)),
  CHECK ((state = 'open') = (total IS NULL)),
  CHECK ((state = 'open') = (finalised_at IS NULL))
);
-- +goose StatementBegin
CREATE FUNCTION finalised_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.state = 'finalised' THEN
    RAISE EXCEPTION 'invoice % is %: it never changes', coalesce(OLD.number, OLD.id::text), OLD.state
      USING ERRCODE = 'DK002', HINT = 'correct it with a line on the open invoice';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER finalised_stays BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION finalised_stays();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON invoices FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- A line is a charge on an invoice: L-n is charge n.
CREATE TABLE invoice_lines (
  charge_id    bigint PRIMARY KEY REFERENCES charges (id),
  invoice_id   bigint NOT NULL, -- line_on_open_invoice is its foreign key, and more
  client_id    text NOT NULL,
  payer_id     text NOT NULL,
  ticket       bigint NOT NULL,
  currency     text NOT NULL,
  amount       numeric NOT NULL,
  service_date date NOT NULL,
  text         text NOT NULL,
  posted_at    timestamptz NOT NULL
);
CREATE INDEX invoice_lines_invoice ON invoice_lines (invoice_id) INCLUDE (amount);
CREATE INDEX invoice_lines_ticket ON invoice_lines (ticket);

-- A foreign key would only take KEY SHARE, which finalising does not wait for. So a line shares
-- the invoice row itself, and is refused where the invoice is no longer open: the closing starts
-- again and finds the next one.
-- +goose StatementBegin
CREATE FUNCTION line_on_open_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM invoices WHERE id = NEW.invoice_id AND state = 'open' FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the invoice is not open' USING ERRCODE = 'DK001';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER on_open_invoice BEFORE INSERT ON invoice_lines FOR EACH ROW EXECUTE FUNCTION line_on_open_invoice();

CREATE TABLE number_series (
  series text PRIMARY KEY, -- e.g. INV-2026
  last   bigint NOT NULL DEFAULT 0
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['closures', 'charges', 'charge_work', 'block_moves', 'counter_moves', 'invoice_lines'] LOOP
    EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
    EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 'forward only';
