//! The tables, made or brought up to date at start. Released migrations are never edited.

use std::borrow::Cow;

use domain::enforced;
use sqlx::{
    AnyConnection, Row, SqlSafeStr,
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
        4,
        "passkeys and recoveries",
        include_str!("../migrations/common/0004_factors.sql"),
        include_str!("../migrations/common/0004_factors.sql"),
    ),
    (
        5,
        "addresses, invitations, groups, e-mail",
        include_str!("../migrations/common/0005_people.sql"),
        include_str!("../migrations/common/0005_people.sql"),
    ),
    (
        6,
        "grants, reviews, requests to read content",
        include_str!("../migrations/common/0006_roles.sql"),
        include_str!("../migrations/common/0006_roles.sql"),
    ),
    (
        7,
        "directory",
        include_str!("../migrations/common/0007_directory.sql"),
        include_str!("../migrations/common/0007_directory.sql"),
    ),
    (
        8,
        "networks kept out or let in",
        include_str!("../migrations/common/0008_addresses.sql"),
        include_str!("../migrations/common/0008_addresses.sql"),
    ),
    (
        13,
        "customers of the voice desk",
        include_str!("../migrations/common/0013_customers.sql"),
        include_str!("../migrations/common/0013_customers.sql"),
    ),
    (
        14,
        "letters to customers",
        include_str!("../migrations/common/0014_customer_mail.sql"),
        include_str!("../migrations/common/0014_customer_mail.sql"),
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
    let migrations: Vec<Migration> = migrations.collect();
    // Looked at first: the account a server runs under need not be allowed to make tables.
    if engine == Engine::Postgres && is_current(connection, &migrations).await {
        enforced!(ACC07);
        return Ok(());
    }
    Migrator::with_migrations(migrations).run(connection).await?;
    Ok(())
}

/// Whether exactly these migrations have been applied. What cannot be told is not current.
async fn is_current(connection: &mut AnyConnection, migrations: &[Migration]) -> bool {
    let applied = sqlx::query("SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version")
        .fetch_all(connection)
        .await
        .unwrap_or_default();
    let same = |(row, migration): (&sqlx::any::AnyRow, &Migration)| {
        row.try_get::<i64, _>("version").is_ok_and(|version| version == migration.version)
            && row.try_get::<Vec<u8>, _>("checksum").is_ok_and(|sum| sum == *migration.checksum)
            && row.try_get::<bool, _>("success").unwrap_or(false)
    };
    applied.len() == migrations.len() && applied.iter().zip(migrations).all(same)
}
