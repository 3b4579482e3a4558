-- +goose Up
-- A client may ask why a line is what it is: the decision that a closure made, never its facts,
-- which name people and times beyond the line.
GRANT SELECT (id, ticket, client_id, round, closed_at, digest, decision) ON closures TO docket_client;
CREATE POLICY client ON closures FOR SELECT TO docket_client USING (client_id = current_setting('docket.client', true));

-- +goose Down
SELECT 'forward only';
