-- +goose Up
-- How much had left a block for good before each of its moves: a running total in the moves themselves, since what a draw is
-- worth hangs on it, and summing all that came before takes the longer the longer the block lives. Whoever moves hours has locked the
-- block, so its moves come one after the other. The audit sums them again.
ALTER TABLE block_moves ADD COLUMN gone_ms bigint;

ALTER TABLE block_moves DISABLE TRIGGER keep;
ALTER TABLE block_moves NO FORCE ROW LEVEL SECURITY; -- an owner that is no superuser would see no row
UPDATE block_moves m SET gone_ms = s.gone FROM (
  SELECT id, coalesce(sum(ms) FILTER (WHERE kind NOT IN ('reserve', 'release'))
    OVER (PARTITION BY block_id ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS gone
  FROM block_moves
) s WHERE s.id = m.id;
ALTER TABLE block_moves FORCE ROW LEVEL SECURITY;
ALTER TABLE block_moves ENABLE TRIGGER keep;

ALTER TABLE block_moves ALTER COLUMN gone_ms SET NOT NULL;
CREATE INDEX block_moves_last ON block_moves (block_id, id);
DROP INDEX block_moves_block;

-- +goose StatementBegin
CREATE FUNCTION block_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT gone_ms + CASE WHEN kind IN ('reserve', 'release') THEN 0 ELSE ms END INTO NEW.gone_ms
  FROM block_moves WHERE block_id = NEW.block_id ORDER BY id DESC LIMIT 1;
  NEW.gone_ms := coalesce(NEW.gone_ms, 0);
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER gone BEFORE INSERT ON block_moves FOR EACH ROW EXECUTE FUNCTION block_gone();

CREATE OR REPLACE VIEW journal_moves WITH (security_invoker = true) AS
SELECT 'move' AS kind, m.id AS source, v.account, v.unit, v.amount,
  coalesce(k.service_date, (m.at AT TIME ZONE c.time_zone)::date) AS booked_on,
  c.payer_id, m.client_id, NULL::bigint AS invoice_id, m.block_id, m.at
FROM block_moves m
JOIN blocks b ON b.id = m.block_id
JOIN clients c ON c.id = m.client_id
LEFT JOIN charges k ON k.id = m.charge_id
CROSS JOIN LATERAL (
  SELECT CASE WHEN b.price = 0 OR m.kind IN ('reserve', 'release') THEN 0
    ELSE block_worth(b.price, m.gone_ms + m.ms, b.granted_ms, minor_units(b.currency)) - block_worth(b.price, m.gone_ms, b.granted_ms, minor_units(b.currency))
  END AS worth
) w
CROSS JOIN LATERAL (VALUES
  ('block-minutes', 'ms', -m.ms::numeric),
  (CASE
    WHEN m.kind IN ('reserve', 'release') THEN 'minutes-reserved'
    WHEN m.kind IN ('forfeit', 'restore') THEN 'minutes-expired'
    WHEN m.kind IN ('roll', 'unroll') THEN 'minutes-rolled'
    WHEN m.kind = 'cancel' THEN 'minutes-granted'
    ELSE 'minutes-used'
  END, 'ms', m.ms::numeric),
  ('deferred', b.currency, w.worth),
  (CASE
    WHEN m.kind IN ('forfeit', 'restore') THEN 'breakage'
    WHEN m.kind = 'cancel' THEN 'block-sales'
    ELSE 'block-revenue'
  END, b.currency, -w.worth)
) v (account, unit, amount)
WHERE v.amount <> 0;

-- +goose Down
SELECT 'forward only';
