-- +goose Up
-- What guardrails look at when a ticket closes: whether its people were on other tickets meanwhile, and what the
-- client's tickets of its category came to before.
CREATE INDEX work_entries_person ON work_entries (actor, started_at) WHERE kind = 'human' AND NOT unstarted AND NOT non_billable;
CREATE INDEX tickets_past ON tickets (client_id, category, closed_at) WHERE closed_at IS NOT NULL;

-- +goose Down
SELECT 'forward only';
