//! What can go wrong in the store, each with what to do about it. No content, no values, no URLs.

use std::path::{Path, PathBuf};

use domain::Denied;

/// The store could not do what was asked. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such record, or it is not the permit's person's.
    #[error("there is no such record")]
    NotFound,
    /// The permit is for something else.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A record with this identifier or name is there already.
    #[error("a record like this exists already")]
    Conflict,
    /// A limit of the system was reached.
    #[error("no more than {limit} {what} fit here; start a new one")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many fit.
        limit: usize,
    },
    /// Another server uses the data folder.
    #[error("another server is using {folder}; stop it first, or give this one its own data folder")]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// The store does not open with this keyring.
    #[error(
        "the store at {place} does not open with this keyring; put back the keyring that belongs to it, or, if its \
         first page is damaged, restore it from a backup. Nothing was changed"
    )]
    WrongKey {
        /// The file, or `the PostgreSQL database`.
        place: String,
    },
    /// The stored data is damaged.
    #[error("the store at {place} is damaged: {why}. Nothing was changed; restore it from a backup")]
    Damaged {
        /// The file, or `the PostgreSQL database`.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// A newer version of the program wrote this store.
    #[error("the store at {place} was written by a newer version; start that version instead")]
    Newer {
        /// The file, or `the PostgreSQL database`.
        place: String,
    },
    /// An earlier version of the program wrote this store, or there is none, and nothing was to be changed.
    #[error(
        "the store at {place} is not as this version has it; run `troth serve` once, which brings it up to date"
    )]
    Older {
        /// The file, or `the PostgreSQL database`.
        place: String,
    },
    /// No space is left.
    #[error("the disk of the store is full; make room and try again. What was acknowledged is safe")]
    Full,
    /// The database cannot be reached or does not answer in time.
    #[error(
        "the database cannot be reached ({why}); check that it runs and that its address and password are right"
    )]
    Unavailable {
        /// A word or two, without address or credentials.
        why: &'static str,
    },
    /// The database's address would put data on the network in the clear.
    #[error("the database address was refused: {why}")]
    Insecure {
        /// What is missing and how to add it.
        why: &'static str,
    },
    /// A key could not be used.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// The database refused a statement.
    #[error("the database refused a statement (code {code}); see the database's own log")]
    Database {
        /// SQLite's extended result code or PostgreSQL's SQLSTATE.
        code: String,
    },
    /// The file system refused.
    #[error("cannot {doing} {path}; check that the folder exists, belongs to this account and is writable")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl Error {
    /// Names a failure of the file system; a full disk has its own variant.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Io { doing, path, source },
        }
    }

    /// The same error, naming `place` where it speaks of the store as a whole.
    pub(crate) fn at(self, place: &str) -> Self {
        match self {
            Self::WrongKey { .. } => Self::WrongKey { place: place.to_owned() },
            Self::Damaged { why, .. } => Self::Damaged { place: place.to_owned(), why },
            Self::Newer { .. } => Self::Newer { place: place.to_owned() },
            Self::Older { .. } => Self::Older { place: place.to_owned() },
            other => other,
        }
    }

    /// A store with tables of a later version.
    pub(crate) fn newer() -> Self {
        Self::Newer { place: HERE.to_owned() }
    }

    /// A store that is to be left as it is, and is not as this version has it.
    pub(crate) fn older() -> Self {
        Self::Older { place: HERE.to_owned() }
    }

    /// A sealed value or a row that cannot be what this program wrote.
    pub(crate) fn damaged(why: impl Into<String>) -> Self {
        Self::Damaged { place: HERE.to_owned(), why: why.into() }
    }
}

/// How an error calls the store when only the caller knows where it is.
const HERE: &str = "its place";

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind;
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::PoolTimedOut => Self::Unavailable { why: "all connections were busy for too long" },
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Unavailable { why: "the store is closed" }
            }
            sqlx::Error::Tls(_) => Self::Unavailable { why: "no trusted TLS connection" },
            // So rustls calls a certificate of another authority, or for another name.
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Self::Unavailable { why: "no trusted TLS connection" }
            }
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => {
                Self::Unavailable { why: "the connection broke" }
            }
            sqlx::Error::Database(refusal) if refusal.kind() == ErrorKind::UniqueViolation => Self::Conflict,
            sqlx::Error::Database(refusal) if refusal.kind() == ErrorKind::ForeignKeyViolation => {
                Self::NotFound
            }
            sqlx::Error::Database(refusal) => Self::from_code(refusal.code().as_deref().unwrap_or("unknown")),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::damaged("a row has the wrong shape")
            }
            _ => Self::Database { code: "none".to_owned() },
        }
    }
}

impl Error {
    /// Names a refusal: SQLite's extended result codes are numbers, PostgreSQL's SQLSTATEs five characters.
    fn from_code(code: &str) -> Self {
        if code.len() == 5 {
            return match &code[..2] {
                "28" => Self::Unavailable { why: "it refused the user or password" },
                "08" | "57" => Self::Unavailable { why: "it is shutting down or starting" },
                "3D" => Self::Unavailable { why: "there is no such database" },
                "XX" => Self::damaged("PostgreSQL reports corrupted data"),
                _ if code == "53100" => Self::Full,
                _ if code == "53300" => Self::Unavailable { why: "it has no free connection" },
                _ => Self::Database { code: code.to_owned() },
            };
        }
        // The low byte is the primary code: https://sqlite.org/rescode.html
        match code.parse::<i32>().map(|code| (code & 0xff, code)) {
            Ok((13, _)) => Self::Full,
            Ok((26, _)) => Self::WrongKey { place: HERE.to_owned() },
            Ok((11, _)) => Self::damaged("pages are missing or changed"),
            Ok((10, 522)) => Self::damaged("the file is cut short"),
            Ok((10, _)) => Self::Unavailable { why: "the disk reports an error" },
            Ok((5 | 6, _)) => Self::Unavailable { why: "another program holds the file" },
            Ok((8, _)) => Self::Unavailable { why: "the file is read-only" },
            Ok((14, _)) => Self::Unavailable { why: "the file cannot be opened" },
            _ => Self::Database { code: code.to_owned() },
        }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as M;
        match error {
            M::Execute(error) | M::ExecuteMigration(error, _) => error.into(),
            M::VersionMissing(_) | M::VersionTooNew(..) => Self::Newer { place: HERE.to_owned() },
            _ => Self::damaged("its tables are not those of any released version"),
        }
    }
}
