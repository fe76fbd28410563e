-- The blind index: keyed hashes of words and prefixes.
CREATE TABLE search_terms (
    term BIGINT NOT NULL,
    message BIGINT NOT NULL REFERENCES messages (number) ON DELETE CASCADE,
    PRIMARY KEY (term, message)
);
CREATE INDEX search_terms_by_message ON search_terms (message);

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_is_never_truncated BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
