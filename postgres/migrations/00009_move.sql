-- +goose Up
-- A ticket may turn out to be another client's. What it has and nobody has billed goes over with it, by
-- its own key; closures, holds and charges keep theirs, so that billed work cannot move.
ALTER TABLE work_entries DROP CONSTRAINT work_entries_ticket_client_id_fkey,
  ADD FOREIGN KEY (ticket, client_id) REFERENCES tickets (number, client_id) ON UPDATE CASCADE;
ALTER TABLE comments DROP CONSTRAINT comments_ticket_client_id_fkey,
  ADD FOREIGN KEY (ticket, client_id) REFERENCES tickets (number, client_id) ON UPDATE CASCADE;
ALTER TABLE ticket_items DROP CONSTRAINT ticket_items_ticket_client_id_fkey,
  ADD FOREIGN KEY (ticket, client_id) REFERENCES tickets (number, client_id) ON UPDATE CASCADE;

-- +goose Down
SELECT 'forward only';
