-- +goose Up
-- What one deed did another may undo, by a deed of its own that names the first. Each is undone once at most.
ALTER TABLE ticket_events ADD COLUMN undoes bigint REFERENCES ticket_events (id);
CREATE UNIQUE INDEX ticket_events_undone_once ON ticket_events (undoes) WHERE undoes IS NOT NULL;

-- A ticket that was split off another one.
ALTER TABLE tickets ADD COLUMN split_from bigint REFERENCES tickets (number);

-- +goose Down
SELECT 'forward only';
