//! A store for one test, with people in it.

use std::{path::Path, str::FromStr, sync::Arc};

use domain::{
    Action, Actor, Ctx, Job, Permit, Resource, Secret, Timestamp,
    access::{Role, Roles, Standing},
    audit::{Act, Entry},
    authorize,
    id::{SessionId, UserId},
};
use keys::{Keyring, Protector};
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions, Connection, any::AnyConnectOptions};
use store::{FolderLock, Location, Store, accounts};

use crate::{Clockwork, postgres::Database};

/// Long after every test: what a test's person has shown stays fresh.
const FAR: Timestamp = Timestamp(i64::MAX);

/// The script that is shipped for PostgreSQL.
const ROLES: &str = include_str!("../../store/roles.sql");

/// A store of one test's own. Everything goes when it is dropped.
pub struct Home {
    /// The store.
    pub store: Store,
    /// Its keyring.
    pub keyring: Arc<Keyring>,
    /// The clock of all [`Ctx`]s made here.
    pub clockwork: Clockwork,
    location: Location,
    folder: tempfile::TempDir,
    database: Option<Database>,
}

/// A quick embedded store.
pub async fn store() -> Home {
    Home::sqlite().await
}

impl Home {
    /// A store in a file.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let location = Location::Embedded { folder: folder.path().join("data") };
        Self::open(folder, location, None).await
    }

    /// A store in a PostgreSQL of its own, used under the account that may do the least.
    pub async fn postgres() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = Database::fresh().await;
        let location = Location::Postgres { url: Secret::new(database.url().to_owned()) };
        // As an operator would: the tables are made by their owner, then the server runs under another account.
        let made = Self::open(folder, location, Some(database)).await.shut().await;
        made.under_the_runtime_role().await.open().await
    }

    async fn open(folder: tempfile::TempDir, location: Location, database: Option<Database>) -> Self {
        let clockwork = Clockwork::new();
        let ctx = clockwork.ctx(Actor::System(Job::Setup));
        let protector = Protector::KeyFile(folder.path().join("root.key"));
        let keyring = Keyring::create(&folder.path().join("keyring.json"), &protector, ctx.entropy());
        let keyring = Arc::new(keyring.expect("a keyring"));
        let store = Store::open(&location, keyring.clone(), &ctx).await.expect("a store");
        Self { store, keyring, clockwork, location, folder, database }
    }

    /// A store in a file below `folder`, as on a disk of its own.
    pub async fn at(folder: &Path) -> Self {
        let location = Location::Embedded { folder: folder.join("data") };
        Self::open(tempfile::tempdir().expect("a temporary folder"), location, None).await
    }

    /// Closes the store and opens it again, as a restart would.
    pub async fn reopen(self) -> Self {
        self.shut().await.open().await
    }

    /// Closes the store and lets go of its folder.
    pub async fn shut(self) -> Shut {
        let Self { store, keyring, clockwork, location, folder, database } = self;
        store.close().await;
        Shut { keyring, clockwork, location, folder, database }
    }

    /// Where the store is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The temporary folder: `keyring.json`, `root.key` and, embedded, `data/`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The PostgreSQL database, when that is what keeps the rows.
    #[must_use]
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// A connection past the store, with its key, for tests that look at or spoil the rows themselves.
    pub async fn raw(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        match &self.location {
            Location::Embedded { folder } => {
                let url = format!("sqlite://{}?mode=rw", folder.join("troth.db").display());
                let options = AnyConnectOptions::from_str(&url).expect("a URL").disable_statement_logging();
                let mut connection = options.connect().await.expect("a connection");
                let key = self.keyring.derive("embedded-store-file");
                let key: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
                let pragma = format!("PRAGMA key = \"x'{key}'\"; PRAGMA busy_timeout = 10000;");
                sqlx::raw_sql(AssertSqlSafe(pragma)).execute(&mut connection).await.expect("the key");
                connection
            }
            Location::Postgres { url } => {
                let url = self.database.as_ref().map_or(url.expose().as_str(), Database::url);
                AnyConnection::connect(url).await.expect("a connection")
            }
        }
    }

    /// Runs statements past the store.
    pub async fn spoil(&self, sql: &str) -> u64 {
        let mut raw = self.raw().await;
        let done =
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut raw).await.expect("the statements run");
        raw.close().await.expect("the connection closes");
        done.rows_affected()
    }

    /// Circumstances of `actor` under this home's clock.
    #[must_use]
    pub fn ctx(&self, actor: Actor) -> Ctx {
        self.clockwork.ctx(actor)
    }

    /// A permit of the system's `job` on the instance as a whole.
    #[must_use]
    pub fn instance(&self, job: Job, action: Action) -> Permit {
        authorize(&self.ctx(Actor::System(job)), action, Resource::Instance).expect("the job may do this")
    }

    /// Makes an account with the role `user`.
    pub async fn person(&self, name: &str) -> Person {
        self.person_with(name, Roles::NONE.with(Role::User)).await
    }

    /// Makes an account with the roles `owner` and `user`.
    pub async fn owner(&self, name: &str) -> Person {
        self.person_with(name, Roles::NONE.with(Role::Owner).with(Role::User)).await
    }

    /// Makes an account with `roles`, whose person has shown all there is to show.
    pub async fn person_with(&self, name: &str, roles: Roles) -> Person {
        let setup = self.ctx(Actor::System(Job::Setup));
        let id = UserId::fresh(&setup);
        let permit =
            authorize(&setup, Action::WriteAccount, Resource::Of(id)).expect("setup may make accounts");
        let mut tx = self.store.begin(&setup).await.expect("a transaction");
        accounts::create(&mut tx, &permit, id, name, roles).await.expect("an account");
        tx.commit(Entry::new(Act::AccountCreated, id)).await.expect("a commit");
        let standing = Standing::of(roles).proven(FAR);
        let ctx = setup.acting_as(Actor::Person { user: id, session: SessionId::fresh(&setup), standing });
        Person { id, ctx }
    }
}

/// A [`Home`] while its store is closed.
pub struct Shut {
    /// Its keyring.
    pub keyring: Arc<Keyring>,
    /// Its clock.
    pub clockwork: Clockwork,
    location: Location,
    folder: tempfile::TempDir,
    database: Option<Database>,
}

impl Shut {
    /// The same store under the runtime role of the shipped script, which is run here.
    async fn under_the_runtime_role(mut self) -> Self {
        let database = self.database.as_ref().expect("a PostgreSQL database");
        let mut administrator = database.connect().await;
        sqlx::raw_sql(ROLES).execute(&mut administrator).await.expect("the script of roles runs");
        administrator.close().await.expect("the connection closes");
        self.location = Location::Postgres { url: Secret::new(database.url_of("troth_runtime")) };
        self
    }

    /// Opens the store again.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn open(self) -> Home {
        let store = self.try_open().await.expect("the store opens again");
        let Self { keyring, clockwork, location, folder, database } = self;
        Home { store, keyring, clockwork, location, folder, database }
    }

    /// Tries to open the store, for tests of what stands in its way.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn try_open(&self) -> Result<Store, store::Error> {
        self.try_open_with(self.keyring.clone()).await
    }

    /// Tries to open the store with some keyring.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn try_open_with(&self, keyring: Arc<Keyring>) -> Result<Store, store::Error> {
        Store::open(&self.location, keyring, &self.clockwork.ctx(Actor::System(Job::Setup))).await
    }

    /// Tries to open the store and to leave it as it is.
    ///
    /// # Errors
    /// As [`Store::open_as_it_is`].
    ///
    /// # Panics
    /// When another store holds the folder.
    pub async fn try_look(&self) -> Result<Store, store::Error> {
        let folder = match &self.location {
            Location::Embedded { folder } => folder.clone(),
            Location::Postgres { .. } => self.folder.path().join("data"),
        };
        let lock = FolderLock::take(&folder).expect("the folder's lock");
        let ctx = self.clockwork.ctx(Actor::System(Job::Setup));
        Store::open_as_it_is(&self.location, lock, self.keyring.clone(), &ctx).await
    }

    /// The temporary folder: `keyring.json`, `root.key` and, embedded, `data/`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// Circumstances in which this person acts.
    pub ctx: Ctx,
}

impl Person {
    /// This person's permit for `action` on what is theirs.
    #[must_use]
    pub fn permit(&self, action: Action) -> Permit {
        authorize(&self.ctx, action, Resource::Of(self.id)).expect("people may do this to what is theirs")
    }
}
