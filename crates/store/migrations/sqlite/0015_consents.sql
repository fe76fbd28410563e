-- What people agreed to and took back: a row for each time, sealed, with what holds since. `number` counts a
-- person's rows without a gap. Rows are only added; they go with their account and never by themselves.
CREATE TABLE consents (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    consent BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account, number)
);

CREATE TRIGGER consents_are_never_changed BEFORE UPDATE ON consents
BEGIN
    SELECT RAISE(ABORT, 'the ledger of consent is append-only');
END;
CREATE TRIGGER consents_go_with_their_account BEFORE DELETE ON consents
WHEN EXISTS (SELECT 1 FROM accounts WHERE id = OLD.account)
BEGIN
    SELECT RAISE(ABORT, 'the ledger of consent is append-only');
END;
