//! The open store: where it lies, who may write, and the first rows of a new one.

use std::{path::PathBuf, sync::Arc};

use domain::{Ctx, Secret, audit::Act, id::DekId};
use keys::{Dek, Keyring};
use sqlx::{AnyConnection, AnyPool, Row};
use tokio::sync::Notify;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    ChainReport, Engine, Error, Tx, audit,
    db::Db,
    deks::{self, Cache},
    embedded::{self, Folder},
    postgres, search,
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
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Stops the tasks when the last clone of the store is dropped.
    _stop_at_last: DropGuard,
    /// Held as long as the store is open.
    folder: Option<Folder>,
}

impl Store {
    /// Opens the store at `location`, makes it when there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::WrongKey`], [`Error::Damaged`], [`Error::Newer`], [`Error::Full`],
    /// [`Error::Unavailable`], [`Error::Insecure`]: each says what to do, and nothing was overwritten.
    pub async fn open(location: &Location, keyring: Arc<Keyring>, ctx: &Ctx) -> Result<Self, Error> {
        let (target, folder, place) = match location {
            Location::Embedded { folder } => {
                let folder = Folder::take(folder)?;
                let target = embedded::open(&folder, &keyring, ctx).await?;
                let place = folder.file().display().to_string();
                (target, Some(folder), place)
            }
            Location::Postgres { url } => {
                (postgres::open(url, &keyring, ctx).await?, None, postgres::PLACE.to_owned())
            }
        };
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
            tasks: TaskTracker::new(),
            stop: stop.clone(),
            _stop_at_last: stop.clone().drop_guard(),
            folder,
        });
        inner.tasks.spawn(search::pending::keep_settled(Arc::downgrade(&inner), ctx.clone(), stop));
        // What a crash left unsorted.
        inner.written.notify_one();
        Ok(Self(inner))
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    pub(crate) fn note_written(&self) {
        self.0.written.notify_one();
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

    /// The database file, when there is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.0.folder.as_ref().map(Folder::file)
    }

    pub(crate) fn readers(&self) -> &AnyPool {
        &self.0.db.readers
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
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

/// What a new store begins with: the system's key and the first audit entry.
pub(crate) async fn first_rows(
    connection: &mut AnyConnection,
    keyring: &Keyring,
    ctx: &Ctx,
) -> Result<(), Error> {
    deks::create(connection, keyring, DekId::fresh(ctx), deks::SYSTEM, ctx.now(), ctx.entropy()).await?;
    let entry = domain::audit::Entry::new(Act::InstanceCreated, "");
    audit::append(connection, keyring, &audit::Stamp::of(ctx), &entry).await
}

/// Reads one number from the first column of a row.
pub(crate) fn number(row: &sqlx::any::AnyRow) -> Result<i64, Error> {
    Ok(row.try_get(0)?)
}
