-- +goose Up
-- What rating may know beside measured time: parts, licences and expenses, an entry's own rate, whose
-- work a ticket mends; who pays and for which period; tax profiles and what work costs us.

ALTER TABLE tickets ADD COLUMN rework_of bigint REFERENCES tickets (number);
ALTER TABLE work_entries
  ADD COLUMN hourly numeric CHECK (hourly >= 0),          -- the entry's own rate, by somebody with the right to it
  ADD COLUMN unstarted boolean NOT NULL DEFAULT false,    -- nobody knows when: started_at is where its local date begins
  ADD COLUMN cost_revision int;                           -- of the cost document that it was priced by; null: by the person's own costs

-- Parts, licences and expenses. As with work only ticket (by a merge), rated_in and generation ever change.
CREATE TABLE ticket_items (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ticket        bigint NOT NULL,
  client_id     text NOT NULL,
  round         int NOT NULL,
  operation_key text NOT NULL UNIQUE,
  kind          text NOT NULL CHECK (kind IN ('part', 'licence', 'expense')),
  text          text NOT NULL,
  quantity      numeric NOT NULL CHECK (quantity > 0),
  unit_cost     numeric NOT NULL CHECK (unit_cost >= 0), -- what one cost us
  price         numeric CHECK (price >= 0),              -- of one, by somebody with the right to it; null: cost and markup
  currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  service_date  date NOT NULL,
  logged_by     text NOT NULL REFERENCES people (id),
  logged_at     timestamptz NOT NULL,
  via           text NOT NULL,
  rated_in      bigint,
  generation    int NOT NULL DEFAULT 1,
  FOREIGN KEY (ticket, client_id) REFERENCES tickets (number, client_id)
) WITH (fillfactor = 80);
CREATE INDEX ticket_items_ticket ON ticket_items (ticket, id);

-- Which item a charge stands for. No item twice in a generation.
CREATE TABLE charge_items (
  charge_id  bigint PRIMARY KEY REFERENCES charges (id),
  item_id    bigint NOT NULL REFERENCES ticket_items (id),
  generation int NOT NULL CHECK (generation > 0),
  UNIQUE (item_id, generation)
);
-- +goose StatementBegin
CREATE FUNCTION earlier_item_reversed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM charge_items i LEFT JOIN charges r ON r.reverses = i.charge_id
    WHERE i.item_id = NEW.item_id AND i.generation = NEW.generation - 1 AND r.id IS NULL)
  THEN
    RAISE EXCEPTION 'item % is charged in generation % and not reversed', NEW.item_id, NEW.generation - 1
      USING ERRCODE = 'DK003';
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER reversed_before AFTER INSERT ON charge_items FOR EACH ROW WHEN (NEW.generation > 1)
  EXECUTE FUNCTION earlier_item_reversed();

-- A contract may be invoiced by other periods than the calendar month: two periods of a payer may begin on one day.
ALTER TABLE invoices DROP CONSTRAINT invoices_payer_id_currency_period_start_key;
ALTER TABLE invoices ADD UNIQUE (payer_id, currency, period_start, period_end);

-- What a document and the books say of a line; empty where the contract says nothing.
ALTER TABLE invoice_lines
  ADD COLUMN tax_profile    text NOT NULL DEFAULT '', -- empty: the payer's
  ADD COLUMN tax_category   text NOT NULL DEFAULT '', -- empty: the profile's standard one
  ADD COLUMN purchase_order text NOT NULL DEFAULT '',
  ADD COLUMN account        text NOT NULL DEFAULT '', -- revenue account
  ADD COLUMN item_code      text NOT NULL DEFAULT '',
  ADD COLUMN deferral       text NOT NULL DEFAULT '';

-- Rules of tax, immutable; the last revision counts. What changes on a date (a rate, a certificate) carries it in the document.
CREATE TABLE tax_profiles (
  id         text NOT NULL CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  revision   int NOT NULL CHECK (revision > 0),
  document   text NOT NULL, -- canonical JSON of billing.TaxProfile
  digest     text NOT NULL,
  applied_by text NOT NULL,
  applied_at timestamptz NOT NULL,
  PRIMARY KEY (id, revision)
);
ALTER TABLE clients ADD COLUMN tax_profile text NOT NULL DEFAULT ''; -- id; empty: no tax is reckoned
-- What a finalised invoice said of tax. total stays the sum of its lines, which is net, unless a profile's prices include tax.
ALTER TABLE invoices
  ADD COLUMN tax      numeric,
  ADD COLUMN gross    numeric,
  ADD COLUMN tax_date date,
  ADD COLUMN taxes    text; -- canonical JSON of billing.DocumentTotals, its lines in the order of their numbers

-- What work costs us, immutable, in one series for the whole house.
CREATE TABLE cost_versions (
  revision       int PRIMARY KEY CHECK (revision > 0),
  effective_from date NOT NULL,
  begins         timestamptz NOT NULL, -- of effective_from, in the document's zone
  document       text NOT NULL,        -- canonical JSON of billing.CostRates
  digest         text NOT NULL,
  applied_by     text NOT NULL,
  applied_at     timestamptz NOT NULL
);

GRANT SELECT ON ticket_items, charge_items, tax_profiles, cost_versions TO docket_staff;
GRANT INSERT, UPDATE (ticket, rated_in, generation) ON ticket_items TO docket_staff;
GRANT INSERT ON charge_items, tax_profiles, cost_versions TO docket_staff;
GRANT SELECT (id, revision, document) ON tax_profiles TO docket_client; -- a payer sees the tax of its open invoice
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['ticket_items', 'charge_items', 'tax_profiles', 'cost_versions'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY staff ON %I TO docket_staff USING (true) WITH CHECK (true)', t);
  END LOOP;
  CREATE POLICY client ON tax_profiles FOR SELECT TO docket_client USING (
    EXISTS (SELECT FROM clients c WHERE c.id = current_setting('docket.client', true) AND c.tax_profile = tax_profiles.id)
    OR EXISTS (SELECT FROM invoice_lines l WHERE l.payer_id = current_setting('docket.client', true) AND l.tax_profile = tax_profiles.id));
  FOREACH t IN ARRAY ARRAY['charge_items', 'tax_profiles', 'cost_versions'] LOOP
    EXECUTE format('CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
    EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
  END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT 'forward only';
