//! A throw-away PostgreSQL: one cluster per test process, on a Unix socket nobody else can reach.
//!
//! The cluster is copied from a template that `initdb` made once, runs without syncing to disk, and is
//! watched by a shell that holds the other end of a pipe: when this process ends, however it ends, the
//! shell stops the cluster and removes its files.

mod tls;

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, postgres::PgConnection};

pub use tls::TlsDatabase;

/// Longest wait for a cluster; on a busy machine it takes a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// An empty database of one test's own.
pub struct Database {
    url: String,
}

impl Database {
    /// Makes an empty database, starting the cluster of this process when it is the first.
    pub async fn fresh() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        let cluster = CLUSTER.get_or_init(|| match Cluster::start() {
            Ok(cluster) => cluster,
            Err(why) => {
                panic!("these tests need PostgreSQL: {why}. `cargo xtask test --install` installs it")
            }
        });
        let admin = cluster.url("postgres");
        let mut connection = connect(&admin).await;
        let made = MADE.fetch_add(1, Ordering::SeqCst);
        if made == 0 {
            // The cluster's own empty database serves the first test, which is mostly the only one.
            return Self { url: admin };
        }
        let name = format!("troth_{made}");
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0")))
            .execute(&mut connection)
            .await
            .expect("a database");
        Self { url: cluster.url(&name) }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same address for another account.
    #[must_use]
    pub fn url_of(&self, account: &str) -> String {
        self.url.replacen("//troth@", &format!("//{account}@"), 1)
    }

    /// Runs statements as the owner of everything, past the store; says how many rows they changed.
    ///
    /// # Panics
    /// When they do not run.
    pub async fn spoil(&self, sql: &str) -> u64 {
        let mut raw = self.connect().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut raw).await;
        raw.close().await.expect("the connection closes");
        done.expect("the statements run").rows_affected()
    }

    /// A connection past the store, for tests that look at or spoil the raw rows.
    pub async fn connect(&self) -> PgConnection {
        connect(&self.url).await
    }
}

/// Connects as soon as the cluster takes connections.
async fn connect(url: &str) -> PgConnection {
    let begun = Instant::now();
    loop {
        match PgConnection::connect(url).await {
            Ok(connection) => return connection,
            Err(error) if begun.elapsed() > PATIENCE => panic!("PostgreSQL does not start: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// A running cluster.
struct Cluster {
    folder: PathBuf,
    /// The watching shell; its standard input closes with this process.
    _watch: Child,
}

impl Cluster {
    fn start() -> io::Result<Self> {
        Self::start_with(&["listen_addresses=".to_owned()], |_| Ok(()))
    }

    /// Starts one with more `settings`, when its data folder has been made ready.
    fn start_with(settings: &[String], ready: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<Self> {
        let programs = programs()?;
        let template = template(&programs)?;
        // In memory where there is such a place: a cluster is a thousand small files.
        let mut builder = tempfile::Builder::new();
        let folder = builder.prefix("troth-pg-");
        let folder = folder.tempdir_in("/dev/shm").or_else(|_| folder.tempdir())?.keep();
        let data = folder.join("data");
        command("cp").args(["-a", "--reflink=auto"]).arg(&template).arg(&data).checked()?;
        give(&folder)?;
        ready(&data)?;
        let script = "\"$@\" & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; rm -rf \"$0\"";
        let mut watch = Command::new("sh");
        watch.arg("-c").arg(script).arg(&folder);
        watch
            .args(as_ordinary_user())
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder);
        for setting in [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "shared_buffers=16MB",
            "max_connections=50",
            "autovacuum=off",
            "log_min_messages=fatal",
        ] {
            watch.args(["-c", setting]);
        }
        for setting in settings {
            watch.args(["-c", setting]);
        }
        // A group of its own, so that a test runner which kills the test's group leaves the watch to clean up.
        watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok(Self { folder, _watch: watch.spawn()? })
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://troth@localhost/{database}?host={}", self.folder.display())
    }
}

/// The folder of PostgreSQL's programs: the newest of Debian's, or wherever the path leads.
fn programs() -> io::Result<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .collect();
    found.sort_by_key(|bin| bin.parent().and_then(Path::file_name)?.to_str()?.parse::<u32>().ok());
    if let Some(newest) = found.pop() {
        return Ok(newest);
    }
    let which = Command::new("sh").args(["-c", "readlink -f \"$(command -v initdb)\""]).output()?;
    let path = PathBuf::from(String::from_utf8_lossy(&which.stdout).trim());
    match path.parent() {
        Some(bin) if bin.join("postgres").exists() => Ok(bin.to_owned()),
        _ => Err(io::Error::other("its programs initdb and postgres are not on this machine")),
    }
}

/// A data folder that `initdb` made, kept beside the build for the next test.
fn template(programs: &Path) -> io::Result<PathBuf> {
    let version = command(programs.join("postgres")).arg("--version").checked()?;
    let label: String = version.chars().filter(char::is_ascii_alphanumeric).collect();
    let home = kept_folder();
    fs::create_dir_all(&home)?;
    let kept = home.join(format!("pg-{label}"));
    // One process makes it, the others wait here.
    let lock = File::create(home.join("pg.lock"))?;
    lock.lock()?;
    if kept.exists() {
        return Ok(kept);
    }
    let draft = tempfile::Builder::new().prefix("troth-initdb-").tempdir()?;
    give(draft.path())?;
    let data = draft.path().join("data");
    let mut initdb = as_ordinary_user();
    initdb.push(programs.join("initdb").display().to_string());
    initdb.extend(
        ["-U", "troth", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1", "-D"]
            .map(String::from),
    );
    command(&initdb[0]).args(&initdb[1..]).arg(&data).checked()?;
    let beside = home.join("pg-draft");
    let _ = fs::remove_dir_all(&beside);
    command("cp").arg("-a").arg(&data).arg(&beside).checked()?;
    fs::rename(&beside, &kept)?;
    Ok(kept)
}

/// `target/testkit`, found from where the test itself lies.
fn kept_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "target"));
    target.map_or_else(std::env::temp_dir, Path::to_owned).join("testkit")
}

/// What to put before a command, because PostgreSQL refuses to run as root.
fn as_ordinary_user() -> Vec<String> {
    match ordinary_user() {
        Some((user, group)) => {
            vec![
                "setpriv".to_owned(),
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".to_owned(),
            ]
        }
        None => vec!["env".to_owned()],
    }
}

/// Hands a folder to whom the cluster runs as.
fn give(folder: &Path) -> io::Result<()> {
    match ordinary_user() {
        Some((user, group)) => std::os::unix::fs::chown(folder, Some(user), Some(group)),
        None => Ok(()),
    }
}

/// The user and group `postgres`, or `nobody`, when this process is root.
fn ordinary_user() -> Option<(u32, u32)> {
    let root = fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        let mut fields = known.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    root.then(|| find("postgres").or_else(|| find("nobody")).unwrap_or((65534, 65534)))
}

fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// Runs a command and reads what it says, or tells why it failed.
trait Checked {
    fn checked(&mut self) -> io::Result<String>;
}

impl Checked for Command {
    fn checked(&mut self) -> io::Result<String> {
        let done = self.stdin(Stdio::null()).output()?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        Err(io::Error::other(format!("{} failed: {said}", self.get_program().display())))
    }
}
