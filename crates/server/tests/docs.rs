//! The commands the documentation tells people to type, typed.
//!
//! `cargo xtask tidy` sees to it that every command of a document is in `docs/commands.txt`; lines there
//! that begin with `#` change a machine or serve until stopped, and other tests do what they do.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

const COMMANDS: &str = include_str!("../../../docs/commands.txt");

/// `troth`, as a reader of the documentation has it, with folders of its own and no model to fetch.
fn troth(home: &Path) -> Command {
    let mut troth = Command::new(env!("CARGO_BIN_EXE_troth"));
    troth
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("TROTH_DATA", home.join("data"))
        .env("TROTH_MODELS__LOCAL__ENABLED", "false");
    troth
}

/// The README's first command; ended when dropped.
struct Served(Child);

impl Served {
    /// Returns when the server listens and has told how to set it up.
    fn start(home: &Path) -> Self {
        let mut serve = troth(home);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = serve.spawn().expect("troth starts");
        let said = BufReader::new(child.stdout.take().expect("it is piped"));
        let told = said.lines().map_while(Result::ok).any(|line| line.contains("/setup#"));
        assert!(told, "the server ended without a word about the first account");
        Self(child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        assert!(ended.is_ok() || std::thread::panicking(), "the server could not be ended");
    }
}

#[test]
fn documented_commands_do_what_is_said() {
    let home = tempfile::tempdir().expect("a folder");
    let _served = Served::start(home.path());
    let mut ran = 0;
    for command in COMMANDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let arguments = command
            .strip_prefix("cargo run --release -- ")
            .or_else(|| command.strip_prefix("troth "))
            .unwrap_or_else(|| panic!("{command:?} is no command of troth; begin its line with #"));
        let output = troth(home.path()).args(arguments.split_whitespace()).output().expect("troth starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {} {said}", output.status);
        ran += 1;
    }
    assert!(ran >= 5, "only {ran} commands were tried");
}
