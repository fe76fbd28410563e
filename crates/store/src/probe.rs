//! Questions about the store itself, for the checks of the policy: what lies on disk, and how.
//!
//! `assure` calls this. Invariant: answers are counts and shapes; no row's content leaves the room.

mod access;
mod consents;
mod sealed;

use std::{
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::PathBuf,
};

use domain::{Action, Ctx, Permit, Timestamp, access::Role};
use sqlx::Row;

use crate::{Engine, Error, Store, cell::Cell, deks, row};

pub use access::{Glass, Grants, Privileges, glass, grants, privileges};
pub use consents::{Ledger, ledger};
pub use sealed::{Sealed, sealed_values};

/// How many of the newest values of a column are looked at.
const LOOKED_AT: i64 = 200;
/// A place no row has; the round trip seals for it and stores nothing.
const NOWHERE: Cell = Cell::new("probe", "value");
const ELSEWHERE: Cell = Cell::new("probe", "other");

/// The start of the database file and of its log, as the disk has them.
///
/// `None` when there is no file, as with a PostgreSQL server.
///
/// # Errors
/// [`Error::Denied`]; [`Error::Io`] when a file cannot be read.
pub fn raw_files(store: &Store, permit: &Permit, bytes: usize) -> Result<Option<Vec<Vec<u8>>>, Error> {
    permit.instance(Action::ReadInstance)?;
    let Some(file) = store.file() else { return Ok(None) };
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    // The log begins with a header of 32 bytes and each page in it with one of 24; both are no content.
    let (log, log_header) = (PathBuf::from(log), 32 + 24);
    let mut found = Vec::new();
    for (path, skipped) in [(file, 0), (log, log_header)] {
        // Closing a file drops the advisory locks SQLite holds on it in this process. That is harmless only
        // because the folder's own lock keeps every other process away from it.
        let mut start = vec![0; bytes];
        let read = std::fs::File::open(&path).and_then(|mut open| {
            open.seek(SeekFrom::Start(skipped))?;
            open.by_ref().take(bytes as u64).read(&mut start)
        });
        match read {
            Ok(length) if length > 0 => found.push(start[..length].to_vec()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("read", &path)(error)),
        }
    }
    Ok(Some(found))
}

/// Whether a value sealed now opens in its own place and in no other. Nothing is stored.
///
/// # Errors
/// [`Error::Denied`]; [`Error::Keys`] when nothing can be sealed at all.
pub fn opens_only_in_place(store: &Store, permit: &Permit, ctx: &Ctx) -> Result<bool, Error> {
    permit.instance(Action::ReadInstance)?;
    let (key, plain) = (store.system_dek(), ctx.random::<32>());
    let sealed = NOWHERE.seal(key, "one", &plain, ctx.entropy())?;
    let opened = NOWHERE.open(key, "one", &sealed).is_ok_and(|opened| opened.as_slice() == plain);
    let strayed = NOWHERE.open(key, "two", &sealed).is_ok() || ELSEWHERE.open(key, "one", &sealed).is_ok();
    Ok(opened && !strayed)
}

/// How many data keys there are, and how many of them do not open under the root key.
///
/// # Errors
/// [`Error::Denied`]; otherwise when the database cannot be read.
pub async fn wrapped_keys(store: &Store, permit: &Permit) -> Result<Sealed, Error> {
    permit.instance(Action::ReadInstance)?;
    let mut keys = Sealed::default();
    let mut connection = store.readers().acquire().await?;
    let subjects = sqlx::query("SELECT subject FROM deks ORDER BY created DESC LIMIT $1")
        .bind(LOOKED_AT)
        .fetch_all(&mut *connection)
        .await?;
    for found in subjects {
        let subject: String = found.try_get("subject")?;
        keys.looked_at += 1;
        match deks::load(&mut connection, store.keyring(), &subject).await {
            Ok(_) => {}
            Err(Error::Keys(keys::Error::Unsealed)) => keys.bare += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(keys)
}

/// When the keys that sign tokens were made, newest first.
///
/// # Errors
/// [`Error::Denied`]; otherwise when the database cannot be read.
pub async fn token_keys(store: &Store, permit: &Permit) -> Result<Vec<Timestamp>, Error> {
    permit.instance(Action::ReadInstance)?;
    let found = sqlx::query("SELECT created FROM token_keys ORDER BY created DESC LIMIT $1")
        .bind(LOOKED_AT)
        .fetch_all(store.readers())
        .await?;
    found.iter().map(|found| row::time(found, "created")).collect()
}

/// When a session that is kept was last given a token, if there is one. A confirmation puts a generation in force
/// whose tokens are made when the browser asks next, so until it showed them none need be there.
///
/// # Errors
/// [`Error::Denied`]; otherwise when the database cannot be read.
pub async fn last_token(store: &Store, permit: &Permit) -> Result<Option<Timestamp>, Error> {
    permit.instance(Action::ReadInstance)?;
    let given = "SELECT MAX(rotated) AS last FROM sessions WHERE stepped < generation OR used >= generation";
    let found = sqlx::query(given).fetch_one(store.readers()).await?;
    Ok(found.try_get::<Option<i64>, _>("last")?.map(Timestamp))
}

/// What a look at the API keys found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApiKeys {
    /// Keys there are.
    pub looked_at: u64,
    /// Those with no end, or one too long after their beginning.
    pub endless: u64,
    /// Those without a scope, or with more than a key can carry.
    pub unbounded: u64,
    /// Those that go on for too long beside their successor.
    pub overlapping: u64,
}

/// Looks at every API key: whether it ends within `longest_s`, what it may do, and whether it ends within
/// `overlap_s` once it has a successor.
///
/// # Errors
/// [`Error::Denied`]; otherwise when the database cannot be read.
pub async fn api_keys(
    store: &Store,
    permit: &Permit,
    longest_s: i64,
    overlap_s: i64,
) -> Result<ApiKeys, Error> {
    permit.instance(Action::ReadInstance)?;
    let found = sqlx::query(
        "SELECT k.scopes, k.created, k.expires, s.created AS followed FROM api_keys k \
         LEFT JOIN api_keys s ON s.id = k.successor",
    )
    .fetch_all(store.readers())
    .await?;
    let carried = Role::User.rights().with(Action::HoldDesk);
    let mut keys = ApiKeys::default();
    for found in &found {
        let (created, expires) = (row::time(found, "created")?, row::time(found, "expires")?);
        let followed = found.try_get::<Option<i64>, _>("followed")?.map(Timestamp);
        let scopes: String = found.try_get("scopes")?;
        let fits = |word: &str| Action::named(word).is_some_and(|action| carried.has(action));
        keys.looked_at += 1;
        keys.endless += u64::from(expires <= created || expires > created.plus_seconds(longest_s));
        keys.unbounded += u64::from(!scopes.split(',').all(fits));
        keys.overlapping += u64::from(followed.is_some_and(|at| expires > at.plus_seconds(overlap_s)));
    }
    Ok(keys)
}

/// Whether this very connection to the database crosses a network, and if so inside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// There is no network: the database is in this process, or on this machine.
    Local,
    /// Over a network, inside TLS.
    Encrypted,
    /// Over a network, in the clear.
    Clear,
}

/// Asks the database how it is reached.
///
/// # Errors
/// [`Error::Denied`]; otherwise when the database cannot be asked.
pub async fn link(store: &Store, permit: &Permit) -> Result<Link, Error> {
    permit.instance(Action::ReadInstance)?;
    if store.engine() == Engine::Sqlite {
        return Ok(Link::Local);
    }
    let found = sqlx::query(
        "SELECT CASE WHEN s.ssl THEN 1 ELSE 0 END AS tls, \
         CASE WHEN inet_client_addr() IS NULL OR inet_client_addr() << '127.0.0.0/8'::inet \
         OR inet_client_addr() = '::1'::inet THEN 1 ELSE 0 END AS local \
         FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()",
    )
    .fetch_one(store.readers())
    .await?;
    let flag = |column| -> Result<bool, Error> { Ok(found.try_get::<i32, _>(column)? != 0) };
    Ok(match (flag("local")?, flag("tls")?) {
        (true, _) => Link::Local,
        (false, true) => Link::Encrypted,
        (false, false) => Link::Clear,
    })
}

/// The number of the last audit entry.
///
/// # Errors
/// [`Error::Denied`]; otherwise when the database cannot be read.
pub async fn last_audit_entry(store: &Store, permit: &Permit) -> Result<i64, Error> {
    permit.instance(Action::ReadInstance)?;
    let found = sqlx::query("SELECT seq FROM audit_head WHERE one = 1").fetch_one(store.readers()).await?;
    Ok(found.try_get("seq")?)
}
