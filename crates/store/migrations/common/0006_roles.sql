-- Who may do what and since when, who reviewed it, and who read whose chats on which ground.
-- Columns of type BYTEA are sealed.

-- A role of an organisation's own: rights by name, with commas between. The system's key seals what it is
-- called and what it is for.
CREATE TABLE custom_roles (
    id TEXT PRIMARY KEY,
    name BYTEA NOT NULL,
    about BYTEA NOT NULL,
    rights TEXT NOT NULL,
    created BIGINT NOT NULL
);

-- `role` is a built-in role's name, which stands in accounts.roles as well, or a custom role's identifier.
CREATE TABLE role_grants (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    granted BIGINT NOT NULL,
    ends BIGINT,
    last_used BIGINT,
    PRIMARY KEY (account, role)
);

-- What accounts held before grants were kept.
INSERT INTO role_grants (account, role, granted_by, granted)
    SELECT a.id, r.role, 'system:setup', a.created FROM accounts a
    JOIN (SELECT 'owner' AS role UNION SELECT 'user' UNION SELECT 'administrator' UNION SELECT 'security_officer'
          UNION SELECT 'auditor' UNION SELECT 'supervisor') r
    ON ',' || a.roles || ',' LIKE '%,' || r.role || ',%';

-- A review; `report` is its evidence once it is closed, and the audit log holds the hash of it.
CREATE TABLE reviews (
    id TEXT PRIMARY KEY,
    begun_by TEXT NOT NULL,
    begun BIGINT NOT NULL,
    due BIGINT NOT NULL,
    closed BIGINT,
    report TEXT
);

-- What is to be confirmed. It outlives the account, so that evidence stays whole; identifiers alone.
CREATE TABLE review_items (
    review TEXT NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    granted BIGINT NOT NULL,
    last_used BIGINT,
    unused SMALLINT NOT NULL,
    verdict TEXT,
    decided_by TEXT,
    decided BIGINT,
    PRIMARY KEY (review, account, kind, what)
);

-- A request to read somebody's chats. `words` is sealed with that person's key: they may always read it.
CREATE TABLE content_requests (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    requester TEXT NOT NULL,
    decider TEXT,
    words BYTEA NOT NULL,
    state TEXT NOT NULL,
    asked BIGINT NOT NULL,
    decided BIGINT,
    ends BIGINT
);
CREATE INDEX content_requests_by_subject ON content_requests (subject);

-- What was opened under it: a conversation, or an empty text for the list of them.
CREATE TABLE content_reads (
    request TEXT NOT NULL REFERENCES content_requests (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    conversation TEXT NOT NULL,
    PRIMARY KEY (request, at)
);
