//! Programs of the system: whether they are here, and what each package manager calls them.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::workspace;

/// The packages that bring one program, by package manager.
pub(super) struct Names {
    apt: &'static [&'static str],
    dnf: &'static [&'static str],
    pacman: &'static [&'static str],
    brew: &'static [&'static str],
}

pub(super) const CHROMIUM: Names =
    Names { apt: &["chromium"], dnf: &["chromium"], pacman: &["chromium"], brew: &["chromium"] };
pub(super) const CHROMEDRIVER: Names = Names {
    apt: &["chromium-driver"],
    dnf: &["chromedriver"],
    pacman: &["chromium"],
    brew: &["chromedriver"],
};
pub(super) const POSTGRESQL: Names = Names {
    apt: &["postgresql"],
    dnf: &["postgresql-server"],
    pacman: &["postgresql"],
    brew: &["postgresql@17"],
};
pub(super) const VALKEY: Names =
    Names { apt: &["redis-server"], dnf: &["valkey"], pacman: &["valkey"], brew: &["valkey"] };
pub(super) const NODE: Names =
    Names { apt: &["nodejs", "npm"], dnf: &["nodejs", "npm"], pacman: &["nodejs", "npm"], brew: &["node"] };
pub(super) const PYTHON: Names = Names {
    apt: &["python3", "python3-venv", "python3-pip"],
    dnf: &["python3", "python3-pip"],
    pacman: &["python", "python-pip"],
    brew: &["python@3.13"],
};

/// Whether PostgreSQL's `initdb` is on the path or where Debian keeps it.
pub(super) fn has_postgresql() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    workspace::has_program("initdb") || versions.into_iter().any(|v| v.path().join("bin/initdb").is_file())
}

/// Whether Python can make virtual environments with pip in them.
pub(super) fn has_python() -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", "import venv, ensurepip"]).stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

/// Installs what `needed` names with the package manager of this machine. Tried on Debian; the names for
/// the others are from their own lists.
pub(super) fn install(needed: &[&Names]) -> Result<()> {
    let pick = |names: fn(&Names) -> &'static [&'static str]| {
        needed.iter().flat_map(move |n| names(n).iter().copied())
    };
    if workspace::has_program("apt-get") {
        let _ = workspace::run(&mut as_root("apt-get", &["update", "--quiet"]));
        let flags = ["install", "--yes", "--quiet", "--no-install-recommends"];
        workspace::run(as_root("apt-get", &flags).args(pick(|names| names.apt)))
    } else if workspace::has_program("dnf") {
        workspace::run(as_root("dnf", &["install", "--assumeyes"]).args(pick(|names| names.dnf)))
    } else if workspace::has_program("pacman") {
        let flags = ["--sync", "--needed", "--noconfirm"];
        workspace::run(as_root("pacman", &flags).args(pick(|names| names.pacman)))
    } else if workspace::has_program("brew") {
        workspace::run(Command::new("brew").arg("install").args(pick(|names| names.brew)))
    } else {
        let names: Vec<_> = pick(|names| names.apt).collect();
        bail!("no package manager known here; install what Debian calls {}", names.join(", "))
    }
}

/// A program run as root: directly when we are, by sudo without a question when we are not.
fn as_root(program: &str, arguments: &[&str]) -> Command {
    let mut command = if is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", "--preserve-env=DEBIAN_FRONTEND", program]);
        sudo
    };
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // The owner of our own process folder; asking the system call would need unsafe code.
    Path::new("/proc/self").metadata().is_ok_and(|own| own.uid() == 0)
}
