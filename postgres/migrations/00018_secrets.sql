-- +goose Up
-- Keys that Docket's processes share and nobody types. Whoever reads this table may speak for anybody: the desk and its
-- workers alone do. Drawn by the server's strong random source, 244 bits of it.
CREATE TABLE secrets (
  name  text PRIMARY KEY,
  value bytea NOT NULL CHECK (length(value) >= 32)
);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON secrets TO docket_staff USING (true);
CREATE POLICY owner ON secrets TO CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT ON secrets TO docket_staff;
INSERT INTO secrets (name, value) VALUES ('proof', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

-- +goose Down
SELECT 'forward only';
