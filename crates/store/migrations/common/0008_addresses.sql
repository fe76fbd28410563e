-- Networks that are kept out or let in. Which one and why may tell of a person, so both are sealed.
-- Rows are never changed, only made and removed: their number and the newest one tell whether anything is new.

CREATE TABLE addresses (
    id TEXT PRIMARY KEY,
    verdict TEXT NOT NULL,
    network BYTEA NOT NULL,
    note BYTEA NOT NULL,
    created BIGINT NOT NULL,
    ends BIGINT
);
