-- Passkeys, and the way back for those who lost their factors. Of columns of type BYTEA, `credential` and
-- `code` are keyed hashes, the others sealed under their person's key.

CREATE TABLE passkeys (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    credential BYTEA NOT NULL UNIQUE,
    party TEXT NOT NULL,
    name BYTEA NOT NULL,
    passkey BYTEA NOT NULL,
    counter BIGINT NOT NULL,
    suspended SMALLINT NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT
);
CREATE INDEX passkeys_by_account ON passkeys (account);

-- `agreed` is when enough people had agreed; 0 before. One request for each account at a time.
CREATE TABLE recoveries (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL UNIQUE REFERENCES accounts (id) ON DELETE CASCADE,
    code BYTEA NOT NULL,
    asked BIGINT NOT NULL,
    agreed BIGINT NOT NULL,
    operator SMALLINT NOT NULL
);

CREATE TABLE recovery_approvals (
    recovery TEXT NOT NULL REFERENCES recoveries (id) ON DELETE CASCADE,
    approver TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    PRIMARY KEY (recovery, approver)
);
