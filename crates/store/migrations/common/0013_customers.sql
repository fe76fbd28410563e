-- Customers of the voice desk. Each is a data subject with a key of its own ("customer:" and the id in `deks`);
-- columns of type BYTEA are sealed under it, one column a class, but for keyed hashes (hash, lookup, who).
-- `opened` counts how often the record was opened; the audit log has an entry for each.

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    internal BYTEA NOT NULL,
    confidential BYTEA NOT NULL,
    restricted BYTEA,
    sample BIGINT NOT NULL,
    opened BIGINT NOT NULL,
    created BIGINT NOT NULL,
    touched BIGINT NOT NULL
);
CREATE INDEX customers_by_creation ON customers (created, id);

-- The ways a customer is found: by number, telephone, e-mail address.
CREATE TABLE customer_lookups (
    kind TEXT NOT NULL,
    hash BYTEA NOT NULL,
    customer TEXT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, hash)
);
CREATE INDEX customer_lookups_by_customer ON customer_lookups (customer);

CREATE TABLE customer_orders (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    lookup BYTEA NOT NULL UNIQUE,
    record BYTEA NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX customer_orders_by_customer ON customer_orders (customer);

CREATE TABLE appointments (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    number BIGINT NOT NULL UNIQUE,
    record BYTEA NOT NULL,
    created BIGINT NOT NULL
);
CREATE INDEX appointments_by_customer ON appointments (customer);

-- A quarter of an hour is somebody's or nobody's.
CREATE TABLE appointment_slots (
    slot BIGINT PRIMARY KEY,
    appointment TEXT NOT NULL REFERENCES appointments (id) ON DELETE CASCADE
);
CREATE INDEX appointment_slots_by_appointment ON appointment_slots (appointment);

-- How often callers failed to be somebody, over all calls. `who` is a keyed hash of the customer, or of what was
-- said when there is no such customer.
CREATE TABLE customer_tries (
    who BYTEA PRIMARY KEY,
    since BIGINT NOT NULL,
    tries BIGINT NOT NULL
);
