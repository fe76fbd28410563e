//! The commands the documentation tells people to type, typed.
//!
//! `cargo xtask tidy` sees to it that every command of a document is in `docs/commands.txt`; lines there
//! that begin with `#` change a machine or serve until stopped, and other tests do what they do.

#![expect(clippy::panic, reason = "a command that cannot be typed has failed its test")]

use std::process::{Command, Output};

const COMMANDS: &str = include_str!("../../../docs/commands.txt");

/// Runs `command` as a reader would, with a data folder of its own.
fn typed(command: &str, home: &std::path::Path) -> Output {
    let arguments = command
        .strip_prefix("cargo run --release -- ")
        .or_else(|| command.strip_prefix("troth "))
        .unwrap_or_else(|| panic!("{command:?} is no command of troth; begin its line with #"));
    Command::new(env!("CARGO_BIN_EXE_troth"))
        .args(arguments.split_whitespace())
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("TROTH_DATA", home.join("data"))
        .env("TROTH_MODELS__LOCAL__ENABLED", "false")
        .output()
        .expect("troth starts")
}

#[test]
fn documented_commands_do_what_is_said() {
    let home = tempfile::tempdir().expect("a folder");
    let mut ran = 0;
    for command in COMMANDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let output = typed(command, home.path());
        let said = String::from_utf8_lossy(&output.stderr);
        // `verify` also answers with 3, when something does not hold; it must answer, not fail.
        let answered = output.status.success()
            || (command.ends_with("verify") && output.status.code() == Some(3) && !output.stdout.is_empty());
        assert!(answered, "{command}: {} {said}", output.status);
        ran += 1;
    }
    assert!(ran >= 5, "only {ran} commands were tried");
}
