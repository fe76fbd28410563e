-- What people agreed to and took back: a row for each time, sealed, with what holds since. `number` counts a
-- person's rows without a gap. Rows are only added; they go with their account and never by themselves.
CREATE TABLE consents (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    consent BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account, number)
);

CREATE FUNCTION refuse_consent_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- When an account is deleted its rows follow; then it is not there any more.
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT 1 FROM accounts WHERE id = OLD.account) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the ledger of consent is append-only';
END
$$;
CREATE TRIGGER consents_are_never_changed BEFORE UPDATE OR DELETE ON consents
    FOR EACH ROW EXECUTE FUNCTION refuse_consent_change();
CREATE TRIGGER consents_are_never_truncated BEFORE TRUNCATE ON consents
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_consent_change();
