-- People: addresses, links that are good once, invitations, groups, what was used, e-mail that waits.
-- Columns of type BYTEA are sealed, but for keyed or plain hashes (lookup, token).

-- Confirmed addresses alone; one that waits to be confirmed stands in its link.
CREATE TABLE emails (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    lookup BYTEA NOT NULL UNIQUE,
    address BYTEA NOT NULL,
    confirmed BIGINT NOT NULL
);

-- A mailed link of an account, good once: to confirm an address, or to choose a new password.
CREATE TABLE mail_links (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    token BYTEA NOT NULL UNIQUE,
    address BYTEA,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (account, purpose)
);

CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    token BYTEA NOT NULL UNIQUE,
    address BYTEA,
    roles TEXT NOT NULL,
    inviter TEXT REFERENCES accounts (id) ON DELETE SET NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX invitations_by_inviter ON invitations (inviter);

-- What holds for the people in it stands in `bounds`, as JSON: rules, nothing about anybody.
CREATE TABLE account_groups (
    id TEXT PRIMARY KEY,
    lookup BYTEA NOT NULL UNIQUE,
    name BYTEA NOT NULL,
    bounds TEXT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE group_members (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    member_of TEXT NOT NULL REFERENCES account_groups (id) ON DELETE CASCADE,
    added BIGINT NOT NULL,
    PRIMARY KEY (account, member_of)
);
CREATE INDEX group_members_by_group ON group_members (member_of);

-- Counted for people with a quota alone, a row a day (UTC), without content.
CREATE TABLE usage_days (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    voice_seconds BIGINT NOT NULL,
    PRIMARY KEY (account, day)
);

-- `account` seals `mail` where there is one, else the system does. Once sent or given up, `mail` is empty.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    account TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    mail BYTEA NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    created BIGINT NOT NULL,
    due BIGINT NOT NULL,
    problem TEXT NOT NULL
);
CREATE INDEX outbox_by_due ON outbox (state, due);
CREATE INDEX outbox_by_account ON outbox (account);
