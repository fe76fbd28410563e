//! The project's own chores, so that a clone and cargo are all a contributor needs.
#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]
#![expect(clippy::print_stderr, reason = "and complains on standard error")]

mod bench;
mod ci;
mod install;
mod layers;
mod policy;
mod supply;
mod tidy;
mod trace;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Line {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything that must hold before a change goes in
    Ci {
        /// Go on after a step that failed
        #[arg(long)]
        keep_going: bool,
    },
    /// See that what the tests need is here, then do all that `ci` does
    Test {
        /// Get what is missing, through the system's package manager, npm and pip
        #[arg(long)]
        install: bool,
    },
    /// Rules of the tree that no compiler knows
    Tidy,
    /// The walls of ARCHITECTURE.md against the manifests
    Layers,
    /// Hold policy, code, tests and checks against each other
    Trace {
        /// Write the generated module and policy/TRACE.md
        #[arg(long)]
        write: bool,
    },
    /// The dependencies against deny.toml
    Supply,
    /// Whether the time of an answer tells who exists: four kinds of sign-in, compared
    SignInTimes {
        /// How often each kind is asked
        #[arg(default_value_t = 500)]
        pairs: usize,
    },
    /// Measure a release build: first token, throughput, memory, decoding
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let root = workspace::root()?;
    match Line::parse().chore {
        Chore::Ci { keep_going } => ci::run(&root, keep_going),
        Chore::Test { install } => {
            install::run(&root, install)?;
            ci::run(&root, false)
        }
        Chore::Tidy => tidy::run(&root),
        Chore::Layers => layers::run(&root),
        Chore::Trace { write } => trace::run(&root, write),
        Chore::Supply => supply::run(&root),
        Chore::SignInTimes { pairs } => {
            let mut build = std::process::Command::new("cargo");
            // The whole workspace, so that nothing is built again with other features.
            workspace::run(build.current_dir(&root).args([
                "build",
                "--workspace",
                "--example",
                "sign_in_times",
            ]))?;
            let program = workspace::target(&root).join("debug/examples/sign_in_times");
            workspace::run(std::process::Command::new(program).current_dir(&root).arg(pairs.to_string()))
        }
        Chore::Bench(options) => bench::run(&root, &options),
    }
}
