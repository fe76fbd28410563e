//! The tables, made or brought up to date at start. Released migrations are never edited.

use std::borrow::Cow;

use sqlx::{
    AnyConnection, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::{Error, db::Engine};

/// Version, what it does, and its text for SQLite and for PostgreSQL.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "tables",
        include_str!("../migrations/common/0001_tables.sql"),
        include_str!("../migrations/common/0001_tables.sql"),
    ),
    (
        2,
        "blind index and the guards of the audit log",
        include_str!("../migrations/sqlite/0002_engine.sql"),
        include_str!("../migrations/postgres/0002_engine.sql"),
    ),
    (
        3,
        "tokens of sessions, scopes of keys, notices, drafts",
        include_str!("../migrations/common/0003_sessions.sql"),
        include_str!("../migrations/common/0003_sessions.sql"),
    ),
    (
        5,
        "addresses, invitations, groups, e-mail",
        include_str!("../migrations/common/0005_people.sql"),
        include_str!("../migrations/common/0005_people.sql"),
    ),
];

/// Brings the tables up to date.
pub(crate) async fn migrate(connection: &mut AnyConnection, engine: Engine) -> Result<(), Error> {
    let migrations = MIGRATIONS.iter().map(|(version, name, sqlite, postgres)| {
        let sql: &'static str = match engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        };
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect()).run(connection).await?;
    Ok(())
}
