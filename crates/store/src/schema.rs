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
        9,
        "sessions after a confirmation",
        include_str!("../migrations/common/0009_step_up.sql"),
        include_str!("../migrations/common/0009_step_up.sql"),
    ),
    (
        12,
        "tickets for voice calls",
        include_str!("../migrations/common/0012_call_tickets.sql"),
        include_str!("../migrations/common/0012_call_tickets.sql"),
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
    (
        15,
        "the ledger of consent and its guards",
        include_str!("../migrations/sqlite/0015_consents.sql"),
        include_str!("../migrations/postgres/0015_consents.sql"),
    ),
    (
        17,
        "how calls of the voice desk ended",
        include_str!("../migrations/common/0017_desk_calls.sql"),
        include_str!("../migrations/common/0017_desk_calls.sql"),
    ),
];

/// What becomes of tables that are not as this version has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tables {
    /// They are brought up to date, or made.
    BroughtUpToDate,
    /// They stay as they are, and the store is not opened.
    LeftAlone,
}

/// Brings the tables up to date, or refuses to go on where nothing may be changed.
pub(crate) async fn ready(
    connection: &mut AnyConnection,
    engine: Engine,
    tables: Tables,
) -> Result<(), Error> {
    match tables {
        Tables::BroughtUpToDate => migrate(connection, engine).await,
        Tables::LeftAlone => match applied(connection, &migrations(engine)).await {
            Applied::All => Ok(()),
            Applied::More => Err(Error::newer()),
            Applied::Fewer => Err(Error::older()),
        },
    }
}

async fn migrate(connection: &mut AnyConnection, engine: Engine) -> Result<(), Error> {
    let migrations = migrations(engine);
    // Looked at first: the account a server runs under need not be allowed to make tables.
    if engine == Engine::Postgres && applied(connection, &migrations).await == Applied::All {
        enforced!(ACC07);
        return Ok(());
    }
    Migrator::with_migrations(migrations).run(connection).await?;
    Ok(())
}

fn migrations(engine: Engine) -> Vec<Migration> {
    let migrations = MIGRATIONS.iter().map(|(version, name, sqlite, postgres)| {
        let sql: &'static str = match engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        };
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
    });
    migrations.collect()
}

/// Which migrations have been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Applied {
    /// Exactly these.
    All,
    /// These, and some of a later version.
    More,
    /// Not all of them, or others. What cannot be told is this as well.
    Fewer,
}

async fn applied(connection: &mut AnyConnection, migrations: &[Migration]) -> Applied {
    let applied =
        sqlx::query("SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(connection)
            .await
            .unwrap_or_default();
    let same = |(row, migration): (&sqlx::any::AnyRow, &Migration)| {
        row.try_get::<i64, _>("version").is_ok_and(|version| version == migration.version)
            && row.try_get::<Vec<u8>, _>("checksum").is_ok_and(|sum| sum == *migration.checksum)
    };
    if applied.len() < migrations.len() || !applied.iter().zip(migrations).all(same) {
        return Applied::Fewer;
    }
    if applied.len() == migrations.len() { Applied::All } else { Applied::More }
}
