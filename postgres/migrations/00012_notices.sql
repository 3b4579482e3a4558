-- +goose Up
-- Who hears of what: one row a message that somebody is to get, written with the event that causes it.

-- Where programs of the MSP hear of notices. Removing one keeps its row: notices name it.
CREATE TABLE notice_endpoints (
  id       text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  url      text NOT NULL,
  secret   text NOT NULL,                 -- whsec_…, of Standard Webhooks; staff only
  tells    text[] NOT NULL DEFAULT '{}',  -- which notices; empty: all
  private  boolean NOT NULL DEFAULT false, -- may lie in a private network
  active   boolean NOT NULL DEFAULT true,
  set_by   text NOT NULL REFERENCES people (id),
  set_at   timestamptz NOT NULL
);

-- The outbox. A row is written once, with its event; only how far it got ever changes.
CREATE TABLE notices (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cause      text NOT NULL,             -- 'event 17', or another key of what it tells
  event      bigint,                    -- of ticket_events, whose rows never go away: no foreign key is needed
  ticket     bigint REFERENCES tickets (number),
  client_id  text NOT NULL REFERENCES clients (id), -- whose matter it is
  hold       bigint NOT NULL DEFAULT 0, -- the hold it is about; 0: none
  quote      jsonb,                     -- billing.HeldQuote as it stood then
  tells      text NOT NULL,             -- which template: asked, reminder, breach, …
  urgent     boolean NOT NULL,          -- goes out in quiet hours, too
  channel    text NOT NULL CHECK (channel IN ('mail', 'webhook')),
  recipient  text NOT NULL,             -- person id or endpoint id; empty: nobody was there to hear
  says       text NOT NULL,
  at         timestamptz NOT NULL,      -- when what it tells happened
  created_at timestamptz NOT NULL,
  -- From here on, what became of it.
  state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dead', 'undeliverable', 'moot')),
  due_at     timestamptz NOT NULL,      -- not tried before
  attempts   int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  lease      text NOT NULL DEFAULT '',  -- which try has it now
  leased_until timestamptz,
  tried_at   timestamptz,
  sent_at    timestamptz,
  last_error text NOT NULL DEFAULT '',
  UNIQUE (cause, hold, recipient, channel), -- nobody hears twice of one thing
  CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CHECK (recipient <> '' OR state = 'undeliverable')
) WITH (fillfactor = 80);
CREATE INDEX notices_due ON notices (due_at, id) WHERE state = 'waiting';
CREATE INDEX notices_stuck ON notices (state, id) WHERE state IN ('dead', 'undeliverable');
CREATE INDEX notices_ticket ON notices (ticket, id);
-- +goose StatementBegin
CREATE FUNCTION notice_sent_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'notice % is sent', OLD.id USING ERRCODE = 'DK002';
END $$;
-- +goose StatementEnd
CREATE TRIGGER sent_once BEFORE UPDATE ON notices FOR EACH ROW WHEN (OLD.state = 'sent') EXECUTE FUNCTION notice_sent_once();
CREATE TRIGGER keep BEFORE DELETE ON notices FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON notices FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- When nobody wants to be disturbed: of one person, or (without one) of the whole house.
CREATE TABLE quiet_hours (
  person    text UNIQUE REFERENCES people (id),
  zone      text NOT NULL,
  begins    int NOT NULL CHECK (begins BETWEEN 0 AND 1439), -- minute of the day, by the wall clock of the zone
  ends      int NOT NULL CHECK (ends BETWEEN 0 AND 1439),   -- before begins: on the next day
  weekend   boolean NOT NULL,  -- all of Saturday and Sunday, too
  set_by    text NOT NULL REFERENCES people (id),
  set_at    timestamptz NOT NULL,
  CHECK (begins <> ends)
);
CREATE UNIQUE INDEX quiet_house ON quiet_hours ((true)) WHERE person IS NULL;

-- What signs the links of approval mails, where the operator gives no key of his own. Whoever reads it may approve in
-- anybody's name: the desk alone does.
CREATE TABLE link_keys (
  id  int PRIMARY KEY CHECK (id = 1),
  key bytea NOT NULL CHECK (length(key) >= 32)
);
INSERT INTO link_keys (id, key) VALUES (1, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- Every use of a link, whatever became of it.
CREATE TABLE link_uses (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL,
  person  text NOT NULL DEFAULT '', -- empty: the link proves nothing
  hold    bigint NOT NULL DEFAULT 0,
  outcome text NOT NULL,            -- shown, settled, expired, forged, …
  says    text NOT NULL
);

-- What the mail catcher of `docket up` took, instead of a mail server.
CREATE TABLE caught_mails (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL,
  sender     text NOT NULL,
  recipients text[] NOT NULL,
  message_id text NOT NULL,
  subject    text NOT NULL,
  raw        bytea NOT NULL
);

GRANT SELECT ON notice_endpoints, notices, quiet_hours, link_keys, link_uses, caught_mails TO docket_staff;
GRANT INSERT, UPDATE ON notice_endpoints TO docket_staff;
GRANT INSERT, UPDATE (state, due_at, attempts, lease, leased_until, tried_at, sent_at, last_error) ON notices TO docket_staff;
GRANT INSERT, UPDATE, DELETE ON quiet_hours TO docket_staff;
GRANT INSERT ON link_uses, caught_mails TO docket_staff;
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['notice_endpoints', 'notices', 'quiet_hours', 'link_keys', 'link_uses', 'caught_mails'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
    IF t IN ('link_keys', 'link_uses', 'caught_mails') THEN
      EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
      EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END IF;
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 'forward only';
