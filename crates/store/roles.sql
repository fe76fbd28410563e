-- Two accounts for PostgreSQL, each with the least it needs:
--
--   troth_owner    makes and alters the tables. Used for the first start and after an upgrade, not in between.
--   troth_runtime  what a server runs under. It reads and writes rows; it can make no table, drop none, and can
--                  neither change nor delete what stands in the audit log and in the ledger of consent.
--
-- Run it in Troth's database as an administrator of the server, before the first start and again after every
-- upgrade (new tables are closed to troth_runtime until then). It may be run any number of times. Passwords are
-- yours to set: ALTER ROLE troth_runtime PASSWORD '…'.

DO $$
DECLARE
    tables TEXT;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'troth_owner') THEN
        CREATE ROLE troth_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'troth_runtime') THEN
        CREATE ROLE troth_runtime LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;

    -- Nobody else comes in, and nobody but the owner makes anything.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO troth_owner, troth_runtime', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE, CREATE ON SCHEMA public TO troth_owner;
    GRANT USAGE ON SCHEMA public TO troth_runtime;

    FOR tables IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE public.%s OWNER TO troth_owner', tables);
        EXECUTE format('REVOKE ALL ON public.%s FROM PUBLIC, troth_runtime', tables);
        IF tables IN ('audit', 'consents') THEN
            EXECUTE format('GRANT SELECT, INSERT ON public.%s TO troth_runtime', tables);
        ELSIF tables = '_sqlx_migrations' THEN
            EXECUTE format('GRANT SELECT ON public.%s TO troth_runtime', tables);
        ELSIF tables = 'audit_head' THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE ON public.%s TO troth_runtime', tables);
        ELSE
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%s TO troth_runtime', tables);
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_proc WHERE proname = 'refuse_audit_change' AND pronamespace = 'public'::regnamespace) THEN
        ALTER FUNCTION public.refuse_audit_change() OWNER TO troth_owner;
    END IF;
    IF EXISTS (SELECT FROM pg_proc WHERE proname = 'refuse_consent_change' AND pronamespace = 'public'::regnamespace) THEN
        ALTER FUNCTION public.refuse_consent_change() OWNER TO troth_owner;
    END IF;
END
$$;
