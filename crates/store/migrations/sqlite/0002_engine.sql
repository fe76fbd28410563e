-- The blind index: keyed hashes of words and prefixes. WITHOUT ROWID halves it.
CREATE TABLE search_terms (
    term BIGINT NOT NULL,
    message BIGINT NOT NULL REFERENCES messages (number) ON DELETE CASCADE,
    PRIMARY KEY (term, message)
) WITHOUT ROWID;
CREATE INDEX search_terms_by_message ON search_terms (message);

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
