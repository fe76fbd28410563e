-- A letter to a customer of the voice desk is sealed under that customer's key and goes with them. Codes that
-- wait from before are good for minutes alone and go now.

DELETE FROM outbox WHERE kind = 'caller-code';
ALTER TABLE outbox ADD COLUMN customer TEXT REFERENCES customers (id) ON DELETE CASCADE;
CREATE INDEX outbox_by_customer ON outbox (customer);
