//! The store as one encrypted file in the data folder.
//!
//! Called by `Store::open`. Invariants: one server per folder; a file that is there is never made anew,
//! whatever is wrong with it; a new file takes its name only when it is whole and on disk.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use domain::{Ctx, Secret, enforced};
use keys::Keyring;
use sqlx::{AnyConnection, Row};

use crate::{
    Error,
    db::{BUSY_TIMEOUT, Engine, Target},
    lock::private,
    schema::{self, Tables},
    store,
};

const FILE: &str = "troth.db";
const DRAFT: &str = "troth.db.draft";
/// SQLCipher's page size; a whole file is a multiple of it.
const PAGE: u64 = 4096;
/// Files up to this size have every page checked at start (about 0.1 s).
const CHECKED_AT_START: u64 = 16 * 1024 * 1024;

/// The database file in a data folder.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Opens the file, or makes it when the folder holds none and `tables` may be made. What is returned has been
/// tried. The caller holds the folder's lock.
pub(crate) async fn open(
    folder: &Path,
    keyring: &Keyring,
    tables: Tables,
    ctx: &Ctx,
) -> Result<Target, Error> {
    let file = file(folder);
    let place = file.display().to_string();
    let opened = async {
        let logged = has_log(&file);
        match fs::metadata(&file) {
            Ok(_) => check(&file, keyring).await?,
            Err(error) if error.kind() == ErrorKind::NotFound && tables == Tables::LeftAlone => {
                return Err(Error::older());
            }
            Err(error) if error.kind() == ErrorKind::NotFound => create(folder, keyring, ctx).await?,
            Err(error) => return Err(Error::io("look at", &file)(error)),
        }
        let target = target(&file, "rw", keyring);
        let mut connection = target.connect().await?;
        let ready = make_ready(&mut connection, logged, tables).await;
        Target::end(connection, ready).await?;
        if logged && !has_log(&file) {
            // The log has now been played back.
            check(&file, keyring).await?;
        }
        Ok(target)
    };
    Box::pin(opened).await.map_err(|error| error.at(&place))
}

/// Plays back the log of a crash and brings the tables up to date, if they may be.
async fn make_ready(connection: &mut AnyConnection, logged: bool, tables: Tables) -> Result<(), Error> {
    if logged {
        match sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut *connection)
            .await
            .map_err(Error::from)
        {
            // On a full disk the log stays for another day; what it holds is read from there.
            Ok(_) | Err(Error::Full) => {}
            Err(error) => return Err(error),
        }
    }
    schema::ready(connection, Engine::Sqlite, tables).await
}

/// Makes a new file under another name, fills it, and gives it its name when it is on disk.
async fn create(folder: &Path, keyring: &Keyring, ctx: &Ctx) -> Result<(), Error> {
    let file = file(folder);
    if beside(&file, "-wal").exists() {
        return Err(Error::damaged("its log is here, but the file itself is gone"));
    }
    // A draft left by a crash never held anything that was acknowledged.
    let draft = folder.join(DRAFT);
    for leftover in
        [draft.clone(), beside(&draft, "-wal"), beside(&draft, "-shm"), beside(&draft, "-journal")]
    {
        match fs::remove_file(&leftover) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::io("remove", &leftover)(error));
            }
            _ => {}
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    options.open(&draft).map_err(Error::io("create", &draft))?;
    let mut connection = target(&draft, "rw", keyring).connect().await?;
    let filled = fill(&mut connection, keyring, ctx).await;
    Target::end(connection, filled).await?;
    let placed = || -> io::Result<()> {
        File::open(&draft)?.sync_all()?;
        fs::rename(&draft, &file)?;
        File::open(folder)?.sync_all()
    };
    placed().map_err(Error::io("write", &file))
}

/// Makes the tables and the first rows.
async fn fill(connection: &mut AnyConnection, keyring: &Keyring, ctx: &Ctx) -> Result<(), Error> {
    schema::ready(connection, Engine::Sqlite, Tables::BroughtUpToDate).await?;
    store::first_rows(connection, keyring, ctx).await
}

/// Looks at an existing file without changing a byte of it: whole, and of this keyring?
async fn check(file: &Path, keyring: &Keyring) -> Result<(), Error> {
    let length = fs::metadata(file).map_err(Error::io("look at", file))?.len();
    if length < PAGE {
        return Err(Error::damaged(format!("the file is cut short; only {length} bytes are left")));
    }
    if has_log(file) {
        // After a crash the file alone may rightly be half of a checkpoint; it is judged when the log,
        // which carries checksums of its own, has been played back.
        return Ok(());
    }
    if length % PAGE != 0 {
        return Err(Error::damaged("the file is cut short"));
    }
    let mut probe = target(file, "ro&immutable=1", keyring).connect().await?;
    let looked = look(&mut probe, length).await;
    Target::end(probe, looked).await
}

/// Reads the first page, which needs the key, and all the others while they are few.
async fn look(probe: &mut AnyConnection, length: u64) -> Result<(), Error> {
    let tables: i64 =
        sqlx::query("SELECT COUNT(*) FROM sqlite_master").fetch_one(&mut *probe).await?.try_get(0)?;
    if tables == 0 {
        return Err(Error::damaged("it holds no tables"));
    }
    if length > CHECKED_AT_START {
        return Ok(());
    }
    if !sqlx::raw_sql("PRAGMA cipher_integrity_check").fetch_all(&mut *probe).await?.is_empty() {
        return Err(Error::damaged("pages were changed outside this program"));
    }
    // A page of zeros, as a hole in the file reads, has no authentication code; the tree it is missing from tells.
    let verdict: String = sqlx::query("PRAGMA quick_check(1)").fetch_one(probe).await?.try_get(0)?;
    if verdict == "ok" { Ok(()) } else { Err(Error::damaged("pages are missing")) }
}

/// How to open `file` with the key that belongs to it.
fn target(file: &Path, mode: &str, keyring: &Keyring) -> Target {
    enforced!(CRY02);
    let key = keyring.derive("embedded-store-file");
    let url = format!("sqlite://{}?mode={mode}", encode(file));
    let mut first = format!("PRAGMA key = \"x'{}'\";", hex::encode(key.expose()));
    first.push_str("PRAGMA cipher_log_level = NONE; PRAGMA temp_store = MEMORY; ");
    first.push_str(BUSY_TIMEOUT);
    first.push(';');
    first.push_str("PRAGMA cache_size = -4096; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;");
    if mode == "rw" {
        // FULL: an acknowledged commit has been synced. secure_delete: freed pages are overwritten.
        first.push_str("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;");
        first.push_str("PRAGMA journal_size_limit = 16777216;");
        // A task moves the log (see `checkpoint`); a commit does it only where that task has fallen far behind.
        first.push_str("PRAGMA wal_autocheckpoint = 16000;");
    }
    Target { engine: Engine::Sqlite, url: Secret::new(url), first: Secret::new(first) }
}

/// A path as it stands in a URL: everything but the plainest characters as %XX.
fn encode(path: &Path) -> String {
    let mut url = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            url.push(char::from(*byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

/// Whether SQLite's write-ahead log waits to be played back, as it does after a crash.
fn has_log(file: &Path) -> bool {
    fs::metadata(beside(file, "-wal")).is_ok_and(|log| log.len() > 0)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
