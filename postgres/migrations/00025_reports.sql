-- +goose Up
-- Reports and metrics over a long past. What is decided on a ticket is counted by an index alone.
CREATE INDEX tickets_posted ON tickets (stage) WHERE stage = 'posted';
-- A report over a period reads its pages of the past and no others: rows come nearly in the order of their dates, and such an
-- index costs a closing next to nothing.
CREATE INDEX journal_booked ON journal USING brin (booked_on);
CREATE INDEX invoice_lines_service ON invoice_lines USING brin (service_date);
CREATE INDEX work_entries_started ON work_entries USING brin (started_at);
CREATE INDEX closures_closed ON closures USING brin (closed_at);

-- +goose Down
SELECT 'forward only';
