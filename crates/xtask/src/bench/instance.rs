//! The server under measurement: started as people start it, set up as people set it up.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use tempfile::TempDir;
use testkit::Client;

use crate::upstream::{MODELS, Upstream};

/// How long the first start may take.
const START: Duration = Duration::from_secs(60);
/// What Linux counts time of processors in.
const TICKS_A_SECOND: f64 = 100.0;
/// A password that keeps the rules.
const PASSWORD: &str = "Measured-Twice-7-times";
/// How it is hashed, as [`settings`] says.
pub(crate) const HASHING: &str = "Argon2id, 19 MiB, 2 passes, 1 lane, 2 hashes at once";

/// A running server with one account.
pub(crate) struct Instance {
    pub(crate) base: String,
    pub(crate) authority: PathBuf,
    pub(crate) client: Client,
    pub(crate) key: String,
    /// Resident memory of the server before it answered anything, in bytes.
    pub(crate) idle_bytes: u64,
    child: Child,
    _folder: TempDir,
}

impl Instance {
    /// Starts `server` in a data folder of its own, with the upstream as its only endpoint.
    pub(crate) async fn start(server: &Path, upstream: &Upstream) -> anyhow::Result<Self> {
        let models = format!(
            "local.enabled = false\n[[models.endpoints]]\nname = \"bench\"\nbase_url = \"http://{}/v1\"\n\
             allow_plain_http_loopback = true\nmodels = {MODELS:?}\n",
            upstream.address
        );
        Self::with_models(server, &models).await
    }

    /// Starts `server` in a data folder of its own, with this in its `[models]`.
    pub(crate) async fn with_models(server: &Path, models: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        restrict(&data)?;
        let configuration = folder.path().join("troth.toml");
        fs::write(&configuration, settings(folder.path(), models))?;
        let mut child = Command::new(server)
            .args(["--data".as_ref(), data.as_os_str(), "--config".as_ref(), configuration.as_os_str()])
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("the server does not start")?;
        let said = welcome(&mut child)?;
        let (base, code) = said.setup.split_once("/setup#").context("no setup link in the welcome")?;
        // Let the first checks and the opening of the store come to rest.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let idle_bytes = resident(child.id())?;
        let mut client = Client::new(base, &said.authority);
        client.set_up(code, "bench", PASSWORD).await;
        let key = client.make_key("bench").await;
        let (base, authority) = (base.to_owned(), said.authority);
        Ok(Self { base, authority, client, key, idle_bytes, child, _folder: folder })
    }

    /// Resident memory of the server, in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        resident(self.child.id())
    }

    /// Time of processors the server has used so far, in seconds.
    pub(crate) fn processor_seconds(&self) -> anyhow::Result<f64> {
        let line = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in brackets, may hold spaces; user and system time are the 12th and 13th word behind it.
        let behind = line.rsplit_once(") ").context("no name in stat")?.1;
        let ticks = behind.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(ticks as f64 / TICKS_A_SECOND)
    }

    /// Ends it as a service manager would, and sees that it ends.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        for _ in 0..300 {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the server did not end within half a minute")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // After `stop` there is nobody left to kill, which is no news.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn restrict(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?)
}

fn settings(folder: &Path, models: &str) -> String {
    format!(
        "[keys]\nkey_file = {:?}\n[log]\nlevel = \"warn\"\n[web]\nstreams = 2000\nconnections = 4000\n\
         connections_per_address = 4000\nstreams_per_person = 4000\n[identity]\nhash_memory_kib = 19456\n\
         hash_passes = 2\nhashes_at_once = 2\n[policy]\n\
         sign_ins_a_minute = 100000\npages_a_minute = 10000000\nasks_a_minute = 10000000\n\
         api_calls_a_minute = 10000000\ncalls = 64\ncalls_per_person = 64\n[models]\n{models}",
        folder.join("root.key"),
    )
}

/// What the server prints once it listens.
struct Welcome {
    setup: String,
    authority: PathBuf,
}

fn welcome(child: &mut Child) -> anyhow::Result<Welcome> {
    let output = child.stdout.take().context("no output")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The reader has what it wants after a few lines; the rest is read so that nothing blocks.
            let _ = sender.send(line);
        }
    });
    let (mut setup, mut authority) = (None, None);
    loop {
        let line = lines.recv_timeout(START).context("the server said nothing useful within a minute")?;
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Set") => setup = words.next_back().map(str::to_owned),
            Some("Trust") => authority = words.next_back().map(PathBuf::from),
            _ => (),
        }
        if let (Some(setup), Some(authority)) = (&setup, &authority) {
            return Ok(Welcome { setup: setup.clone(), authority: authority.clone() });
        }
    }
}

/// `VmRSS` of a process, in bytes.
fn resident(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024)
}
