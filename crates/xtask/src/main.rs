//! The project's own chores, so that a clone and cargo are all a contributor needs.
#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

mod policy;
mod trace;
mod workspace;

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
    /// Hold policy, code, tests and checks against each other
    Trace {
        /// Write the generated module and policy/TRACE.md
        #[arg(long)]
        write: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let root = workspace::root()?;
    match Line::parse().chore {
        Chore::Trace { write } => trace::run(&root, write),
    }
}
