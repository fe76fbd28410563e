-- Tickets, each for one voice call: hashes, never the tickets. `terms` says what the call may be, sealed.
-- A used one stays until it would have ended, so that a second use of it is noticed.
CREATE TABLE call_tickets (
    id TEXT PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    api_key TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    terms BYTEA NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT
);
CREATE INDEX call_tickets_by_account ON call_tickets (account);
