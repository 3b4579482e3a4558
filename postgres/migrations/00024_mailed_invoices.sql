-- +goose Up
-- Invoices go to their payers by the outbox of notices, with the files that are kept of them.

ALTER TABLE notices
  ADD COLUMN invoice_id bigint REFERENCES invoices (id),        -- the invoice it is about; its files go with it
  ADD COLUMN to_address boolean NOT NULL DEFAULT false;         -- the recipient is a mail address, of nobody whom the desk knows
ALTER TABLE notices ADD CHECK (NOT to_address OR channel = 'mail');
CREATE INDEX notices_invoice ON notices (invoice_id, id) WHERE invoice_id IS NOT NULL;

-- Reminders of what is overdue go to the payer, too, unless the house keeps them to its own finance.
ALTER TABLE invoice_rules ADD COLUMN remind_in_house boolean NOT NULL DEFAULT false;

-- +goose Down
SELECT 'forward only';
