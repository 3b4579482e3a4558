-- +goose Up
-- The life of blocks of hours: allowances that each period grants, what rolls over and what is forfeited at an end, hours
-- that are used ahead of the next block, blocks that buy the next one, and blocks that nobody has paid for yet.

ALTER TABLE blocks DROP CONSTRAINT blocks_granted_ms_check;
ALTER TABLE blocks
  ADD CHECK (granted_ms >= 0),
  ADD COLUMN clause       text NOT NULL DEFAULT '', -- of the line whose bucket granted it; empty: bought
  ADD COLUMN revision     int NOT NULL DEFAULT 0,   -- the version that governs the grant
  ADD COLUMN period       date,                     -- first day of the billing period that it is for
  ADD COLUMN rolled_from  bigint UNIQUE REFERENCES blocks (id), -- its hours were left over from that one's period
  ADD COLUMN rollover_ms  bigint NOT NULL DEFAULT 0 CHECK (rollover_ms >= 0), -- most that rolls over at its end
  ADD COLUMN ended_at     timestamptz,              -- when its end was put on record: nothing is left in it since
  ADD COLUMN forfeited_ms bigint NOT NULL DEFAULT 0 CHECK (forfeited_ms >= 0),  -- a cache of its moves, as remaining_ms is
  ADD COLUMN rolled_ms    bigint NOT NULL DEFAULT 0 CHECK (rolled_ms >= 0),     -- likewise
  ADD COLUMN sold_unpaid  boolean NOT NULL DEFAULT false,
  ADD COLUMN paid_at      timestamptz,
  ADD COLUMN paid_by      text REFERENCES people (id),
  ADD COLUMN cancelled_at timestamptz,
  ADD COLUMN cancelled_by text REFERENCES people (id),
  ADD COLUMN cancelled_why text NOT NULL DEFAULT '',
  -- Of a block that a closing bought: the closing, and what its decision calls the block.
  ADD COLUMN closure_id   bigint REFERENCES closures (id) DEFERRABLE INITIALLY DEFERRED,
  ADD COLUMN provisional  bigint,
  ADD CHECK ((clause = '') = (period IS NULL)),
  ADD CHECK ((closure_id IS NULL) = (provisional IS NULL)),
  ADD CHECK (rolled_ms <= rollover_ms),
  ADD CHECK (ended_at IS NULL OR remaining_ms = 0),
  ADD CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL)),
  ADD CHECK ((paid_at IS NULL) = (paid_by IS NULL));
CREATE INDEX blocks_period ON blocks (contract_id, clause, period) WHERE clause <> '';
CREATE INDEX blocks_closure ON blocks (closure_id) WHERE closure_id IS NOT NULL;
CREATE INDEX blocks_to_end ON blocks (expires_at) WHERE ended_at IS NULL;

-- Hours that come into a period's allowance: its grant, what a later version of the contract adds, what rolls over from
-- the period before and, negative, what of that goes back. granted_ms of such a block is a cache of them.
CREATE TABLE block_grants (
  operation_key text PRIMARY KEY,
  block_id      bigint NOT NULL REFERENCES blocks (id),
  client_id     text NOT NULL,
  ms            bigint NOT NULL CHECK (ms <> 0),
  revision      int NOT NULL,                    -- the version that grants it
  from_block    bigint REFERENCES blocks (id),   -- what rolled over: from whose period
  at            timestamptz NOT NULL
);
CREATE INDEX block_grants_block ON block_grants (block_id);

-- What ends a block, and what undoes that for work that was done in time and logged late, has a key of its own:
--   forfeit, restore  unused hours expire; they come back
--   roll, unroll      they go into the next period's allowance (into_block); they come back
--   repay             hours that were used ahead of the block; negative: given back to it
--   cancel            an unused block is taken back
ALTER TABLE block_moves
  DROP CONSTRAINT block_moves_kind_check,
  DROP CONSTRAINT block_moves_check2;
ALTER TABLE block_moves
  ADD COLUMN operation_key text,
  ADD COLUMN into_block bigint REFERENCES blocks (id),
  ADD COLUMN undoes     bigint REFERENCES block_moves (id),
  ADD CONSTRAINT block_moves_kind_check CHECK (kind IN
    ('draw', 'return', 'reserve', 'release', 'forfeit', 'restore', 'roll', 'unroll', 'repay', 'cancel')),
  ADD CONSTRAINT block_moves_sign_check CHECK (kind = 'repay' OR (ms > 0) = (kind IN ('draw', 'reserve', 'forfeit', 'roll', 'cancel'))),
  ADD CHECK ((operation_key IS NULL) = (kind IN ('draw', 'return', 'reserve', 'release'))),
  ADD CHECK ((into_block IS NOT NULL) = (kind IN ('roll', 'unroll'))),
  ADD CHECK ((undoes IS NOT NULL) = (kind IN ('restore', 'unroll')));
CREATE UNIQUE INDEX block_moves_operation ON block_moves (operation_key) WHERE operation_key IS NOT NULL;

-- A block pays back what was used ahead of it.
ALTER TABLE counter_moves DROP CONSTRAINT counter_moves_kind_check;
ALTER TABLE counter_moves
  ADD COLUMN block_id bigint REFERENCES blocks (id),
  ADD CONSTRAINT counter_moves_kind_check CHECK (kind IN ('count', 'return', 'reserve', 'release', 'repay')),
  ADD CHECK ((kind = 'repay') = (block_id IS NOT NULL));

GRANT SELECT, INSERT ON block_grants TO docket_staff;
GRANT SELECT ON block_grants TO docket_client;
ALTER TABLE block_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE block_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON block_grants TO docket_staff USING (true) WITH CHECK (true);
CREATE POLICY client ON block_grants FOR SELECT TO docket_client USING (client_id = current_setting('docket.client', true));
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON block_grants FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON block_grants FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- +goose Down
SELECT 'forward only';
