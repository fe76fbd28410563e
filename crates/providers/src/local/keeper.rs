//! Getting one model's files here, verified, however long it takes, and saying how far that is.
//!
//! It fetches when it may, tries again when that fails, and notices a file that somebody puts there
//! or replaces by hand. It never gives up before the instance stops, and never hands out a file that
//! was not verified.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use domain::model::Readiness;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::choice::Wanted;
use crate::{
    Config,
    fetch::{self, Progress, Sources, Verified},
};

/// How often a file is looked at while it is waited for.
const LOOK: Duration = Duration::from_secs(1);
/// The first pause after a fetch that failed; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// The keeper of one model's files.
pub(crate) struct Keeper {
    wanted: Wanted,
    folder: PathBuf,
    sources: Sources,
    may_fetch: bool,
    readiness: watch::Sender<Readiness>,
    stop: CancellationToken,
}

impl Keeper {
    /// A keeper, and where it says how far it is.
    pub(crate) fn new(
        wanted: Wanted,
        config: &Config,
        stop: CancellationToken,
    ) -> (Self, watch::Receiver<Readiness>) {
        let may_fetch = config.local.fetch && matches!(wanted, Wanted::Catalogue(_));
        let (readiness, receiver) = watch::channel(Readiness::Loading);
        let folder = config.models_folder.clone();
        let keeper = Self { wanted, folder, sources: config.sources.clone(), may_fetch, readiness, stop };
        if !keeper.path().exists() {
            keeper.say(keeper.absent());
        }
        (keeper, receiver)
    }

    /// Says how far the model is.
    pub(crate) fn say(&self, now: Readiness) {
        self.readiness.send_if_modified(|said| {
            let changed = *said != now;
            *said = now;
            changed
        });
    }

    /// Waits until all files are here and verified. `None` when the instance stops first.
    pub(crate) async fn acquire(&self) -> Option<Vec<Verified>> {
        let mut pause = FIRST_PAUSE;
        loop {
            let tried = tokio::select! {
                () = self.stop.cancelled() => return None,
                tried = self.try_once() => tried,
            };
            let error = match tried {
                Ok(verified) => return Some(verified),
                Err(error) => error,
            };
            let wait = match &error {
                fetch::Error::Cancelled => return None,
                fetch::Error::InUse { .. } => {
                    self.say(Readiness::Fetching { done: self.bytes_of_part(), total: self.wanted.bytes() });
                    Some(LOOK)
                }
                fetch::Error::NotThere { .. } if !self.may_fetch => {
                    self.say(self.absent());
                    None
                }
                _ => {
                    tracing::warn!(%error, "a model is not ready");
                    self.say(Readiness::Failed { why: error.to_string() });
                    // What is wrong would be wrong again: somebody has to act.
                    let settled =
                        matches!(error, fetch::Error::WrongHash { .. } | fetch::Error::WrongFetch { .. });
                    let wait = (self.may_fetch && !settled).then_some(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    wait
                }
            };
            self.changed_within(wait).await?;
        }
    }

    /// One try: verify what is here, fetch what is not.
    async fn try_once(&self) -> Result<Vec<Verified>, fetch::Error> {
        match &self.wanted {
            Wanted::Catalogue(entry) if self.may_fetch => {
                let say = |Progress { done, total }: Progress| self.say(Readiness::Fetching { done, total });
                if self.path().exists() {
                    self.say(Readiness::Loading);
                }
                fetch::fetch(entry, &self.folder, &self.sources, &say, &self.stop).await
            }
            wanted => {
                let (wanted, folder, path) = (wanted.clone(), self.folder.clone(), self.path());
                let verified = tokio::task::spawn_blocking(move || verify(&wanted, &folder)).await;
                let interrupted = std::io::ErrorKind::Interrupted.into();
                verified.unwrap_or(Err(fetch::Error::Io { path, source: interrupted }))
            }
        }
    }

    /// Waits until the file changed and came to rest, or `longest` is over. `None` on a stop.
    pub(super) async fn changed_within(&self, longest: Option<Duration>) -> Option<()> {
        let (begun, before) = (Instant::now(), stamp(&self.path()));
        let mut last = before;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = sleep(LOOK) => (),
            }
            let now = stamp(&self.path());
            if now != before && now == last || longest.is_some_and(|longest| begun.elapsed() >= longest) {
                return Some(());
            }
            last = now;
        }
    }

    fn path(&self) -> PathBuf {
        self.wanted.path(&self.folder)
    }

    /// What is said while the file is not there.
    fn absent(&self) -> Readiness {
        if self.may_fetch {
            Readiness::Fetching { done: self.bytes_of_part(), total: self.wanted.bytes() }
        } else {
            Readiness::Missing { how: self.wanted.how(&self.folder) }
        }
    }

    fn bytes_of_part(&self) -> u64 {
        let part = fetch::part_of(&self.path());
        fs::metadata(part).map_or(0, |facts| facts.len())
    }
}

/// Verifies all files of `wanted`.
fn verify(wanted: &Wanted, folder: &Path) -> Result<Vec<Verified>, fetch::Error> {
    match wanted {
        Wanted::Catalogue(entry) => entry.files.iter().map(|file| fetch::verify_file(file, folder)).collect(),
        Wanted::File { path, sha256 } => Ok(vec![fetch::verify_bytes(path, None, sha256)?]),
    }
}

/// Size and time of change: what tells one state of a file from another.
fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let facts = fs::metadata(path).ok()?;
    Some((facts.len(), facts.modified().ok()?))
}
