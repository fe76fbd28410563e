//! The one seam between the two engines: how to connect, how to begin writing, how to tidy up.
//!
//! `store`, `tx` and the two engines' files use it; every other file is the same for both. Invariants:
//! one writing connection per process, handed out in order; statements are never logged, because
//! SQLCipher's key is a statement.

use std::{str::FromStr, time::Duration};

use domain::Secret;
use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection, Row, Transaction,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use crate::{Error, leaving};

/// Which database keeps the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite with SQLCipher, in this process.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl Engine {
    /// The engine as people and reports call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite with SQLCipher",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Connections that may read at once. Each costs a thread and a page cache on SQLite.
const READERS: u32 = 4;
/// Longest wait for a connection before the caller hears that the store is too busy.
const WAIT: Duration = Duration::from_secs(30);
/// Readers beyond the first go after this long without work, and their memory with them.
const IDLE: Duration = Duration::from_secs(60);
/// How long a SQLite connection waits for a lock of another, 10 s.
pub(crate) const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 10000";
/// The advisory lock writers take on PostgreSQL, so that they are serial across processes: "troth" in ASCII.
const WRITER_LOCK: i64 = 0x74_72_6f_74_68;

/// How to reach a database.
pub(crate) struct Target {
    pub(crate) engine: Engine,
    pub(crate) url: Secret<String>,
    /// What each connection runs before anything else.
    pub(crate) first: Secret<String>,
}

impl Target {
    /// One connection outside the pools: its errors arrive at once and unchanged.
    pub(crate) async fn connect(&self) -> Result<AnyConnection, Error> {
        sqlx::any::install_default_drivers();
        if self.engine == Engine::Sqlite {
            leaving::wait_for_connections();
        }
        let mut connection = self.options()?.connect().await?;
        match prepare(&mut connection, &self.first).await {
            Ok(()) => Ok(connection),
            Err(error) => Self::end(connection, Err(error.into())).await,
        }
    }

    /// Closes a connection, whatever came of it, and hands on what came of it. A connection that is only
    /// dropped closes some time later, with the file still open behind our back.
    pub(crate) async fn end<T>(connection: AnyConnection, outcome: Result<T, Error>) -> Result<T, Error> {
        let closed = connection.close().await;
        let value = outcome?;
        closed?;
        Ok(value)
    }

    /// Opens the pools. A connection outside them has been tried before.
    pub(crate) fn pools(&self) -> Result<Db, Error> {
        let options = self.options()?;
        let readers = self.pool(READERS).connect_lazy_with(options.clone());
        let writer = self.pool(1).idle_timeout(None).max_lifetime(None).connect_lazy_with(options);
        Ok(Db { engine: self.engine, readers, writer })
    }

    fn options(&self) -> Result<AnyConnectOptions, Error> {
        let options = AnyConnectOptions::from_str(self.url.expose()).map_err(|_| Error::Insecure {
            why: "it is not a database URL like postgres://user:password@host/name",
        })?;
        Ok(options.disable_statement_logging())
    }

    fn pool(&self, connections: u32) -> AnyPoolOptions {
        let first = self.first.clone();
        AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(WAIT)
            .idle_timeout(IDLE)
            // A connection into this process does not break; one over a socket may.
            .test_before_acquire(self.engine == Engine::Postgres)
            .after_connect(move |connection, _| {
                let first = first.clone();
                Box::pin(async move { prepare(connection, &first).await })
            })
    }
}

async fn prepare(connection: &mut AnyConnection, first: &Secret<String>) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(first.expose().clone())).execute(connection).await?;
    Ok(())
}

/// The open pools.
pub(crate) struct Db {
    pub(crate) engine: Engine,
    pub(crate) readers: AnyPool,
    writer: AnyPool,
}

impl Db {
    /// Begins a transaction that writes, when its turn comes. No other writer is active until it ends,
    /// in this process (one connection, first come first served) or another (a lock of the engine).
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, Error> {
        match self.engine {
            Engine::Sqlite => Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?),
            Engine::Postgres => {
                let mut tx = self.writer.begin().await?;
                // The cast is for sqlx: its `Any` driver has no type for void.
                sqlx::query("SELECT CAST(pg_advisory_xact_lock($1) AS TEXT)")
                    .bind(WRITER_LOCK)
                    .execute(&mut *tx)
                    .await?;
                Ok(tx)
            }
        }
    }

    /// After a deletion: takes what was deleted out of SQLite's write-ahead log as well. Says whether it is
    /// done; while readers are in the way it is not, and nobody waits for them on the one writing connection.
    pub(crate) async fn forget_deleted(&self) -> Result<bool, Error> {
        if self.engine != Engine::Sqlite {
            return Ok(true);
        }
        let mut writer = self.writer.acquire().await?;
        sqlx::raw_sql("PRAGMA busy_timeout = 0").execute(&mut *writer).await?;
        let cut = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *writer).await;
        sqlx::raw_sql(BUSY_TIMEOUT).execute(&mut *writer).await?;
        // The first column is 1 when somebody was in the way.
        Ok(cut?.try_get::<i64, _>(0)? == 0)
    }

    /// Moves what is in SQLite's write-ahead log into the file, without keeping a reader or a writer waiting. Says
    /// whether all of it was; what is written or read meanwhile stays in the log.
    pub(crate) async fn move_log(&self) -> Result<bool, Error> {
        let mut reader = self.readers.acquire().await?;
        let moved = sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(&mut *reader).await?;
        // Whether somebody was in the way, the pages in the log, and those of them that were moved.
        Ok(moved.try_get::<i64, _>(0)? == 0 && moved.try_get::<i64, _>(1)? == moved.try_get::<i64, _>(2)?)
    }

    /// Ends all connections; waits for running transactions.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
