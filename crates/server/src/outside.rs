//! The one door to what lies outside the program and cannot be repeated: the time, true randomness, the
//! environment, the terminal. Everything else gets them handed in.

use std::{
    io::{self, IsTerminal, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use domain::{Actor, Clock, Ctx, Entropy, Job, Timestamp};

/// The time and the randomness an instance runs on.
#[derive(Clone, Debug)]
pub struct Outside {
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Outside {
    /// The real ones: the system's clock and the cryptography library's generator.
    #[must_use]
    pub fn real() -> Self {
        Self { clock: Clock::new(now), entropy: Entropy::new(fill) }
    }

    /// Begins a piece of the system's own work.
    #[must_use]
    pub fn ctx(&self, job: Job) -> Ctx {
        Ctx::new(Actor::System(job), self.clock.clone(), self.entropy.clone())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one home of the system's clock")]
fn now() -> Timestamp {
    // A clock before 1970 is broken; the epoch is as wrong as anything and breaks nothing.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn fill(buffer: &mut [u8]) {
    if aws_lc_rs::rand::fill(buffer).is_err() {
        // Without randomness no key and no token may be made, so nothing may go on at all.
        std::process::abort();
    }
}

/// All variables of the environment that are meant for us, whose names begin with `TROTH_`.
/// One that is not text is left out: no setting of ours can be meant by it.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("TROTH_"))
        .collect()
}

/// A folder of this account, by the XDG base directory rules: `$XDG_…_HOME`, else below the home folder.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one home of the environment")]
pub fn home_folder(xdg: &str, below_home: &str) -> Option<std::path::PathBuf> {
    let absolute =
        |path: std::ffi::OsString| Some(std::path::PathBuf::from(path)).filter(|path| path.is_absolute());
    let folder = std::env::var_os(xdg).and_then(absolute);
    folder.or_else(|| Some(std::env::var_os("HOME").and_then(absolute)?.join(below_home)))
}

/// The account we run as; `None` where nothing tells. The kernel's own word where there is one, else the
/// owner of the home folder.
#[must_use]
pub fn own_uid() -> Option<u32> {
    let owner =
        |path: &std::path::Path| Some(std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(path).ok()?));
    owner(std::path::Path::new("/proc/self")).or_else(|| owner(&home_folder("", "")?))
}

/// Whether people read standard output themselves: then lines are aligned and may be coloured.
#[must_use]
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether colours are welcome: on a terminal, unless `NO_COLOR` says otherwise (no-color.org).
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one home of the environment")]
pub fn is_colour_welcome() -> bool {
    is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes `text` to standard output. A reader who left early is not an error.
pub fn say(text: impl std::fmt::Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Writes `text` to standard error.
pub fn warn(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
