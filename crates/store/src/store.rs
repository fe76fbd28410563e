//! The open store: where it lies, who may write, and the first rows of a new one.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use domain::{Ctx, Secret, audit::Act, id::DekId};
use keys::{Dek, Keyring};
use sqlx::{AnyConnection, AnyPool, Row};
use tokio::sync::{Notify, watch};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    ChainReport, Engine, Error, Tx, audit, checkpoint,
    db::Db,
    deks::{self, Cache},
    embedded,
    lock::FolderLock,
    postgres,
    schema::Tables,
    search,
};

/// Where the rows are.
#[derive(Clone, Debug)]
pub enum Location {
    /// One encrypted file in the data folder.
    Embedded {
        /// The data folder; made (0700) when absent.
        folder: PathBuf,
    },
    /// A PostgreSQL server.
    Postgres {
        /// `postgres://…`; loopback or a Unix socket, or `sslmode=verify-full`.
        url: Secret<String>,
    },
}

/// The open store. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

/// What all clones of a [`Store`] share.
pub(crate) struct Inner {
    db: Db,
    keyring: Arc<Keyring>,
    system: Arc<Dek>,
    cache: Cache,
    /// How errors call the store.
    place: String,
    /// Tells the sorting task that a commit added to the index.
    pub(crate) written: Arc<Notify>,
    /// Tells the task that moves the log that something was committed.
    changed: Arc<Notify>,
    /// Tells whatever stays open that somebody's access may have ended.
    endings: watch::Sender<()>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Stops the tasks when the last clone of the store is dropped.
    _stop_at_last: DropGuard,
    /// Whether deleted rows may still lie in SQLite's log.
    to_forget: AtomicBool,
    /// The database file, when there is one.
    file: Option<PathBuf>,
    /// Held as long as the store is open.
    _lock: Option<FolderLock>,
}

impl Inner {
    pub(crate) const fn changed(&self) -> &Arc<Notify> {
        &self.changed
    }

    pub(crate) async fn move_log(&self) -> Result<bool, Error> {
        self.db.move_log().await
    }
}

impl Store {
    /// Opens the store at `location`, makes it when there is none, and brings its tables up to date.
    /// An embedded store takes its folder's [`FolderLock`] itself.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::WrongKey`], [`Error::Damaged`], [`Error::Newer`], [`Error::Full`],
    /// [`Error::Unavailable`], [`Error::Insecure`]: each says what to do, and nothing was overwritten.
    pub async fn open(location: &Location, keyring: Arc<Keyring>, ctx: &Ctx) -> Result<Self, Error> {
        let lock = match location {
            Location::Embedded { folder } => Some(FolderLock::take(folder)?),
            Location::Postgres { .. } => None,
        };
        Self::open_with(location, lock, keyring, Tables::BroughtUpToDate, ctx).await
    }

    /// As [`Store::open`], under the lock of a data folder the caller has taken before; the store holds it
    /// until it is closed. An embedded store lies in that very folder.
    ///
    /// # Errors
    /// As [`Store::open`]; [`Error::InUse`] when the lock is that of another folder than an embedded store's.
    pub async fn open_locked(
        location: &Location,
        lock: FolderLock,
        keyring: Arc<Keyring>,
        ctx: &Ctx,
    ) -> Result<Self, Error> {
        fits(location, &lock)?;
        Self::open_with(location, Some(lock), keyring, Tables::BroughtUpToDate, ctx).await
    }

    /// As [`Store::open_locked`], and leaves its tables as they are: for a look at a store whose server is not
    /// running, which may be of another version.
    ///
    /// # Errors
    /// As [`Store::open_locked`]; [`Error::Older`] when the tables are not those of this version, or there are none.
    pub async fn open_as_it_is(
        location: &Location,
        lock: FolderLock,
        keyring: Arc<Keyring>,
        ctx: &Ctx,
    ) -> Result<Self, Error> {
        fits(location, &lock)?;
        Self::open_with(location, Some(lock), keyring, Tables::LeftAlone, ctx).await
    }

    async fn open_with(
        location: &Location,
        lock: Option<FolderLock>,
        keyring: Arc<Keyring>,
        tables: Tables,
        ctx: &Ctx,
    ) -> Result<Self, Error> {
        let (target, file) = match location {
            Location::Embedded { folder } => {
                (embedded::open(folder, &keyring, tables, ctx).await?, Some(embedded::file(folder)))
            }
            Location::Postgres { url } => (postgres::open(url, &keyring, tables, ctx).await?, None),
        };
        let place =
            file.as_ref().map_or_else(|| postgres::PLACE.to_owned(), |file| file.display().to_string());
        let db = target.pools()?;
        let system = deks::load(&mut *db.readers.acquire().await?, &keyring, deks::SYSTEM).await;
        let system = match system {
            Ok(dek) => Arc::new(dek),
            Err(Error::Keys(keys::Error::Unsealed)) => return Err(Error::WrongKey { place }),
            Err(Error::NotFound) => {
                return Err(Error::Damaged { place, why: "the system's key is gone".to_owned() });
            }
            Err(error) => return Err(error.at(&place)),
        };
        let stop = CancellationToken::new();
        let inner = Arc::new(Inner {
            db,
            keyring,
            system,
            cache: Cache::default(),
            place,
            written: Arc::new(Notify::new()),
            changed: Arc::new(Notify::new()),
            endings: watch::Sender::new(()),
            tasks: TaskTracker::new(),
            stop: stop.clone(),
            _stop_at_last: stop.clone().drop_guard(),
            to_forget: AtomicBool::new(false),
            file,
            _lock: lock,
        });
        if inner.db.engine == Engine::Sqlite {
            inner.tasks.spawn(checkpoint::keep_moving(Arc::downgrade(&inner), stop.clone()));
        }
        inner.tasks.spawn(search::pending::keep_settled(Arc::downgrade(&inner), ctx.clone(), stop));
        // What a crash left unsorted.
        inner.written.notify_one();
        Ok(Self(inner))
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    pub(crate) fn note_commit(&self) {
        self.0.changed.notify_one();
    }

    pub(crate) fn note_ending(&self) {
        self.0.endings.send_replace(());
    }

    /// Changes after each write of this process that may have ended somebody's access. Other replicas' writes are
    /// not told of.
    #[must_use]
    pub fn endings(&self) -> watch::Receiver<()> {
        self.0.endings.subscribe()
    }

    pub(crate) fn note_written(&self) {
        self.0.written.notify_one();
    }

    /// Takes what was deleted out of SQLite's log as well. In a task of its own: a caller that leaves in the
    /// midst of it changes nothing. While readers are in the way, the sorting task tries again.
    pub(crate) async fn forget_deleted(&self) {
        self.0.to_forget.store(true, Ordering::Relaxed);
        let store = self.clone();
        // It says itself what went wrong.
        let _ = self.0.tasks.spawn(async move { store.forget_now().await }).await;
    }

    /// Cuts SQLite's log if a deletion asked for it; wakes the sorting task when it must be done again.
    pub(crate) async fn forget_now(&self) {
        if !self.0.to_forget.swap(false, Ordering::Relaxed) {
            return;
        }
        match self.0.db.forget_deleted().await {
            Ok(true) => {}
            Ok(false) => {
                self.0.to_forget.store(true, Ordering::Relaxed);
                self.note_written();
            }
            // The deletion itself is durable; the next one or the ordinary checkpoint tidies the log.
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be cut after a deletion"),
        }
    }

    /// Sorts the search index now, as the store's own task does when writing pauses; says how many terms.
    ///
    /// # Errors
    /// As [`Tx::commit`].
    pub async fn settle_index(&self, ctx: &Ctx) -> Result<u64, Error> {
        search::pending::settle(self, ctx).await
    }

    /// Begins a write. Writers wait their turn; until this one ends, nobody else writes.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the turn does not come within 30 seconds.
    pub async fn begin(&self, ctx: &Ctx) -> Result<Tx, Error> {
        let db = self.0.db.begin().await.map_err(|error| error.at(&self.0.place))?;
        Ok(Tx::new(self.clone(), db, ctx))
    }

    /// HMAC-SHA256 of `data` under the keyring's key for `purpose`: peppers, lookups.
    #[must_use]
    pub fn mac(&self, purpose: &'static str, data: &[u8]) -> [u8; 32] {
        self.0.keyring.mac(purpose, data)
    }

    /// Which database this is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.db.engine
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is none.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(self.readers()).await?;
        Ok(())
    }

    /// Recomputes the audit chain from its first entry, in batches.
    ///
    /// # Errors
    /// Only when it cannot be read; a broken chain is a report, not an error.
    pub async fn verify_chain(&self) -> Result<ChainReport, Error> {
        audit::verify(self).await
    }

    /// Ends all connections after running transactions, and lets go of the data folder.
    pub async fn close(self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.db.close().await;
    }

    /// How errors call the store.
    pub(crate) fn place(&self) -> &str {
        &self.0.place
    }

    /// The database file, when there is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.0.file.clone()
    }

    pub(crate) fn readers(&self) -> &AnyPool {
        &self.0.db.readers
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    pub(crate) fn system_dek(&self) -> &Dek {
        &self.0.system
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.engine().name())
    }
}

/// Whether a lock is that of the folder an embedded store lies in.
fn fits(location: &Location, lock: &FolderLock) -> Result<(), Error> {
    match location {
        Location::Embedded { folder } if lock.folder() != folder => {
            Err(Error::InUse { folder: folder.clone() })
        }
        _ => Ok(()),
    }
}

/// What a new store begins with: the system's key and the first audit entry.
pub(crate) async fn first_rows(
    connection: &mut AnyConnection,
    keyring: &Keyring,
    ctx: &Ctx,
) -> Result<(), Error> {
    deks::create(connection, keyring, DekId::fresh(ctx), deks::SYSTEM, ctx.now(), ctx.entropy()).await?;
    let entry = domain::audit::Entry::new(Act::InstanceCreated, "");
    audit::begin(connection, keyring, &audit::Stamp::of(ctx), &entry).await
}

/// Reads one number from the first column of a row.
pub(crate) fn number(row: &sqlx::any::AnyRow) -> Result<i64, Error> {
    Ok(row.try_get(0)?)
}
