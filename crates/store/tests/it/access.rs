//! What the database lets the account do that a server runs under.

use domain::{Action, Job, verifies};
use sqlx::{Connection, postgres::PgConnection};
use store::probe::{self, Privileges};
use testkit::both_engines;

both_engines!(a_server_runs_under_an_account_that_may_do_little, |home| {
    let _proof = home.database().map(|_| verifies!(ACC07));
    let ada = home.person("Ada").await;
    // A start with tables that are current makes none.
    let home = home.reopen().await;
    let permit = home.instance(Job::Checks, Action::ReadInstance);
    let privileges = probe::privileges(&home.store, &permit).await.unwrap();
    let Some(database) = home.database() else {
        assert_eq!(privileges, None);
        return;
    };
    assert_eq!(privileges, Some(Privileges::default()));
    let mut server = PgConnection::connect(&database.url_of("troth_runtime")).await.unwrap();
    for refused in [
        "CREATE TABLE mine (id TEXT)",
        "DROP TABLE messages",
        "ALTER TABLE audit DISABLE TRIGGER audit_is_never_changed",
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "UPDATE consents SET at = 0",
        "DELETE FROM consents",
        "TRUNCATE consents",
        "TRUNCATE audit",
        "DELETE FROM audit_head",
        "TRUNCATE messages",
        "UPDATE _sqlx_migrations SET version = 0",
        "CREATE FUNCTION public.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TEMPORARY TABLE mine (id TEXT)",
        "GRANT troth_owner TO troth_runtime",
        "SET ROLE troth_owner",
        "SELECT pg_read_file('/etc/passwd')",
    ] {
        let answer = sqlx::raw_sql(refused).execute(&mut server).await;
        let code =
            answer.err().and_then(|e| e.as_database_error().and_then(|e| e.code().map(|c| c.into_owned())));
        assert_eq!(code.as_deref(), Some("42501"), "{refused}");
    }
    server.close().await.unwrap();
    drop(ada);
});
