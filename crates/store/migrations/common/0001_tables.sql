-- Everything both engines spell alike. Times are microseconds since 1970 (UTC), flags 0 or 1,
-- identifiers 36 characters; columns of type BYTEA are sealed, but for keyed hashes (lookup, token, hash, prev, mac, terms).

CREATE TABLE deks (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX deks_by_subject ON deks (subject);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    lookup BYTEA NOT NULL UNIQUE,
    name BYTEA NOT NULL,
    roles TEXT NOT NULL,
    active SMALLINT NOT NULL,
    settings BYTEA NOT NULL,
    created BIGINT NOT NULL
);

-- `told` of the newest says that its person was mailed when it must be changed.
CREATE TABLE passwords (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    ordinal BIGINT NOT NULL,
    verifier BYTEA NOT NULL,
    changed BIGINT NOT NULL,
    told SMALLINT NOT NULL DEFAULT 0,
    PRIMARY KEY (account, ordinal)
);

CREATE TABLE totp (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    secret BYTEA NOT NULL,
    last_step BIGINT NOT NULL,
    confirmed SMALLINT NOT NULL
);

CREATE TABLE recovery_codes (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    hash BYTEA NOT NULL,
    PRIMARY KEY (account, hash)
);

-- `lookup` stands for a name somebody typed, whether anybody is called so or not; rows end after a day.
CREATE TABLE sign_in_failures (
    lookup BYTEA PRIMARY KEY,
    count BIGINT NOT NULL,
    latest BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_by_weight ON sign_in_failures (count, latest);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token BYTEA NOT NULL UNIQUE,
    device BYTEA NOT NULL,
    created BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    hash BYTEA NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    label BYTEA NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT
);
CREATE INDEX api_keys_by_account ON api_keys (account);

CREATE TABLE folders (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name BYTEA NOT NULL
);
CREATE INDEX folders_by_owner ON folders (owner);

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    title BYTEA NOT NULL,
    folder TEXT REFERENCES folders (id) ON DELETE SET NULL,
    pinned SMALLINT NOT NULL,
    archived SMALLINT NOT NULL,
    head TEXT,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE INDEX conversations_by_owner ON conversations (owner, archived, updated);
CREATE INDEX conversations_by_folder ON conversations (folder);

-- `number` counts messages up over the whole store: it orders search results and keeps the index narrow.
CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    number BIGINT NOT NULL UNIQUE,
    parent TEXT,
    author TEXT NOT NULL,
    body BYTEA NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX messages_by_conversation ON messages (conversation);

-- Terms of new messages, packed, until there is time to sort them into search_terms; `moved` counts those that are.
CREATE TABLE search_pending (
    message BIGINT PRIMARY KEY REFERENCES messages (number) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    terms BYTEA NOT NULL,
    moved BIGINT NOT NULL
);
CREATE INDEX search_pending_by_owner ON search_pending (owner, message);

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE findings (
    control TEXT NOT NULL,
    at BIGINT NOT NULL,
    finding TEXT NOT NULL,
    PRIMARY KEY (control, at)
);

-- The audit log: content-free, chained by hash, guarded by triggers against change.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    target TEXT NOT NULL,
    count BIGINT NOT NULL,
    request TEXT NOT NULL,
    prev BYTEA NOT NULL,
    hash BYTEA NOT NULL
);

-- The last entry, under a keyed hash: a log cut short or made anew without the keyring shows.
CREATE TABLE audit_head (
    one SMALLINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    mac BYTEA NOT NULL
);
