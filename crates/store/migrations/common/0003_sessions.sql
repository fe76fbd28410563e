-- Sessions carried by signed tokens, keys with scopes and an end, notices, drafts.
-- Columns of type BYTEA are sealed, but for keyed hashes (device of known_devices, rotated_from of sessions).

-- Everybody signs in anew after this: the tokens of before say nothing about these columns. No token and no
-- hash of one is kept: the refresh token of a generation is a keyed hash of the session and the generation.
-- `rotated_from` stands for the network the last one was asked for from; `given_again` says that it was given
-- a second time after the grace.
DROP TABLE sessions;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    rotated BIGINT NOT NULL,
    rotated_from BYTEA NOT NULL,
    given_again SMALLINT NOT NULL,
    used BIGINT NOT NULL,
    device BYTEA NOT NULL,
    begun_from BYTEA NOT NULL,
    seen_from BYTEA NOT NULL,
    second_factor SMALLINT NOT NULL,
    confirmed BIGINT NOT NULL,
    created BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account);

-- The keys that sign access tokens; the system seals their seeds.
CREATE TABLE token_keys (
    id TEXT PRIMARY KEY,
    seed BYTEA NOT NULL,
    created BIGINT NOT NULL
);

-- From where somebody signed in before: a kind of browser in a network, as a keyed hash.
CREATE TABLE known_devices (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    device BYTEA NOT NULL,
    seen BIGINT NOT NULL,
    PRIMARY KEY (account, device)
);

-- What a person is told at their next visit.
CREATE TABLE notices (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    notice BYTEA NOT NULL,
    PRIMARY KEY (account, at)
);

-- Messages that were not finished. `place` is the conversation, or empty for one that has not begun.
CREATE TABLE drafts (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    place TEXT NOT NULL,
    conversation TEXT REFERENCES conversations (id) ON DELETE CASCADE,
    draft BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account, place)
);
CREATE INDEX drafts_by_conversation ON drafts (conversation);

-- Keys from before may do what they could, for a year from when they were made.
ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT 'use_model,embed,read_instance';
ALTER TABLE api_keys ADD COLUMN expires BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN used_from BYTEA;
ALTER TABLE api_keys ADD COLUMN successor TEXT;
UPDATE api_keys SET expires = created + 31536000000000;
