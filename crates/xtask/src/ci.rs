//! `cargo xtask ci`: everything that must hold before a change goes in, the cheap things first.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{layers, supply, tidy, trace, workspace};

type Step = (&'static str, fn(&Path) -> Result<()>);

const STEPS: [Step; 8] = [
    ("fmt", fmt),
    ("tidy", tidy::run),
    ("layers", layers::run),
    ("trace", |root| trace::run(root, false)),
    ("supply", supply::run),
    ("clippy", clippy),
    ("doc", doc),
    ("tests", tests),
];

/// Runs every step; stops at the first that fails unless `keep_going`.
pub(crate) fn run(root: &Path, keep_going: bool) -> Result<()> {
    let mut failed = Vec::new();
    let mut timings = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        let begun = Instant::now();
        let outcome = step(root);
        timings.push(format!("{name} {}", seconds(begun.elapsed())));
        if let Err(error) = outcome {
            println!("{error:#}\n== {name} failed");
            failed.push(name);
            if !keep_going {
                break;
            }
        }
    }
    println!("\n== took: {}", timings.join(", "));
    match failed.as_slice() {
        [] => Ok(()),
        failed => bail!("failed: {}", failed.join(", ")),
    }
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f32())
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root);
    cargo
}

fn fmt(root: &Path) -> Result<()> {
    workspace::run(cargo(root).args(["fmt", "--all", "--check"]))
}

fn clippy(root: &Path) -> Result<()> {
    let lints = ["--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];
    workspace::run(cargo(root).arg("clippy").args(lints))
}

fn doc(root: &Path) -> Result<()> {
    // The documentation is for those who work here, so a link to a private item is one it can follow.
    let flags = "-D warnings -A rustdoc::private-intra-doc-links";
    let doc = ["doc", "--workspace", "--no-deps", "--locked", "--quiet", "--document-private-items"];
    workspace::run(cargo(root).args(doc).env("RUSTDOCFLAGS", flags))
}

fn tests(root: &Path) -> Result<()> {
    workspace::run(cargo(root).args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast"]))
}
