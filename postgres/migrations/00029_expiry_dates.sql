-- +goose Up
-- What becomes of a block's hours at its end is booked on its last day, however late a sweep puts the end on record; what its
-- beginning gives or pays back, on its first. A block knows both as local dates: of the zone of the contract version that grants
-- it, or of its client where it was sold by hand, as the line is that sells it.
ALTER TABLE blocks
  ADD COLUMN first_day date, -- on which it is valid
  ADD COLUMN last_day  date, -- on which it is; null: it never expires
  ADD CHECK (last_day >= first_day);

-- +goose StatementBegin
CREATE FUNCTION block_days() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE zone text;
BEGIN
  SELECT coalesce(v.document::json ->> 'time_zone', c.time_zone) INTO zone
  FROM clients c LEFT JOIN contract_versions v ON v.contract_id = NEW.contract_id AND v.revision = NEW.revision
  WHERE c.id = NEW.client_id;
  NEW.first_day := (NEW.granted_at AT TIME ZONE zone)::date;
  NEW.last_day := ((NEW.expires_at - interval '1 microsecond') AT TIME ZONE zone)::date; -- expires_at is exclusive
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER days BEFORE INSERT ON blocks FOR EACH ROW EXECUTE FUNCTION block_days();

CREATE OR REPLACE VIEW journal_blocks WITH (security_invoker = true) AS
SELECT 'block' AS kind, b.id AS source, v.account, v.unit, v.amount, b.first_day AS booked_on,
  c.payer_id, b.client_id, NULL::bigint AS invoice_id, b.id AS block_id, b.granted_at AS at
FROM blocks b JOIN clients c ON c.id = b.client_id
CROSS JOIN LATERAL (SELECT round(b.price, minor_units(b.currency)) AS price) p
CROSS JOIN LATERAL (VALUES
  ('block-minutes', 'ms', b.granted_ms::numeric), ('minutes-granted', 'ms', -b.granted_ms::numeric),
  ('block-sales', b.currency, p.price), ('deferred', b.currency, -p.price)
) v (account, unit, amount)
WHERE b.clause = '' AND v.amount <> 0;

-- A period's hours are there from its first day, whoever needed them first. What rolled over came on the day it left.
CREATE OR REPLACE VIEW journal_grants WITH (security_invoker = true) AS
SELECT 'grant' AS kind, g.id AS source, v.account, 'ms' AS unit, v.amount, coalesce(f.last_day, b.first_day) AS booked_on,
  c.payer_id, g.client_id, NULL::bigint AS invoice_id, g.block_id, g.at
FROM block_grants g JOIN blocks b ON b.id = g.block_id JOIN clients c ON c.id = g.client_id LEFT JOIN blocks f ON f.id = g.from_block
CROSS JOIN LATERAL (VALUES
  ('block-minutes', g.ms::numeric), (CASE WHEN g.from_block IS NULL THEN 'minutes-granted' ELSE 'minutes-rolled' END, -g.ms::numeric)
) v (account, amount);

-- All that becomes of a block lies between its days. Hours that it pays for although they were worked before the first are earned
-- on that: there was no price to earn. Work of its last evening in another zone is work of its last day.
CREATE OR REPLACE VIEW journal_moves WITH (security_invoker = true) AS
SELECT 'move' AS kind, m.id AS source, v.account, v.unit, v.amount,
  CASE
    WHEN m.kind IN ('forfeit', 'restore', 'roll', 'unroll') THEN b.last_day
    ELSE least(greatest(coalesce(k.service_date, (m.at AT TIME ZONE c.time_zone)::date), b.first_day), b.last_day)
  END AS booked_on,
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

-- What was booked before moves to its day; no amount changes. An owner that is no superuser would see no row.
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['clients', 'contract_versions', 'blocks', 'block_moves', 'block_grants', 'charges', 'journal'] LOOP
    EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', t);
  END LOOP;
  ALTER TABLE journal DISABLE TRIGGER keep;

  UPDATE blocks b SET first_day = (b.granted_at AT TIME ZONE z.zone)::date,
    last_day = ((b.expires_at - interval '1 microsecond') AT TIME ZONE z.zone)::date
  FROM (
    SELECT b.id, coalesce(v.document::json ->> 'time_zone', c.time_zone) AS zone
    FROM blocks b JOIN clients c ON c.id = b.client_id LEFT JOIN contract_versions v ON v.contract_id = b.contract_id AND v.revision = b.revision
  ) z WHERE z.id = b.id;

  UPDATE journal j SET booked_on = d.booked_on
  FROM (SELECT * FROM journal_blocks UNION ALL SELECT * FROM journal_grants UNION ALL SELECT * FROM journal_moves) d
  JOIN blocks b ON b.id = d.block_id LEFT JOIN block_moves m ON d.kind = 'move' AND m.id = d.source
  WHERE (j.kind, j.source, j.account, j.unit) = (d.kind, d.source, d.account, d.unit) AND j.booked_on <> d.booked_on
    -- Where a client's zone has changed since, another date of a deed is no reason to book it again.
    AND (m.id IS NULL OR m.kind IN ('forfeit', 'restore', 'roll', 'unroll')
      OR j.booked_on < b.first_day OR j.booked_on > b.last_day);

  ALTER TABLE journal ENABLE TRIGGER keep;
  FOREACH t IN ARRAY ARRAY['clients', 'contract_versions', 'blocks', 'block_moves', 'block_grants', 'charges', 'journal'] LOOP
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
  END LOOP;
END $$;
-- +goose StatementEnd
ALTER TABLE blocks ALTER COLUMN first_day SET NOT NULL;

-- +goose Down
SELECT 'forward only';
