-- What an organisation's directory says about people, and the tokens it speaks with.

-- An account as a sign-in service knows it: found by a keyed hash of issuer and subject.
-- `given` holds the roles that came from its claims and from nowhere else.
CREATE TABLE directory_links (
    lookup BYTEA PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    connection TEXT NOT NULL,
    given TEXT NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL
);
CREATE INDEX directory_links_by_account ON directory_links (account);

-- An account that provisioning made. `external` is a keyed hash of the directory's own identifier.
-- `gone`: the directory has deleted it; the account is closed and its name may come back.
CREATE TABLE directory_people (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    external BYTEA UNIQUE,
    record BYTEA NOT NULL,
    gone SMALLINT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);

-- Bearer tokens of the directory: hashes, never the tokens.
CREATE TABLE directory_tokens (
    id TEXT PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    last_used BIGINT
);

-- A group that provisioning made. `external` is a keyed hash, `record` is sealed under the system's key.
CREATE TABLE directory_groups (
    id TEXT PRIMARY KEY REFERENCES account_groups (id) ON DELETE CASCADE,
    external BYTEA UNIQUE,
    record BYTEA NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
