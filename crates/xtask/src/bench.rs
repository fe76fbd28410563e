//! `cargo xtask bench`: builds the server and the measuring program as they are shipped, and runs it.
//!
//! What is measured stands in `bench/`, a program of its own, so that the other chores stay quick to
//! build. Its figures are ratios of one run on one machine; they go to `target/bench.json`, those of calls to
//! `target/bench-voice.json`.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

/// What `bench` takes.
#[derive(Args)]
pub(crate) struct Options {
    /// What is measured; the chat and the API when nothing is said
    #[arg(value_enum)]
    what: Option<What>,
    /// Fewer requests: about half a minute, for seeing that it works
    #[arg(long)]
    quick: bool,
    /// Measure debug builds, for seeing that it works
    #[arg(long)]
    debug: bool,
    /// The folder of the model files; what is there is measured
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// A folder with recorded speech and its `transcription`, as pocketsphinx-testdata has it, for `voice`
    #[arg(long, value_name = "DIR")]
    recordings: Option<PathBuf>,
    /// The Python that has llama.cpp's module `llama_cpp`, to measure it beside
    #[arg(long, value_name = "PATH", default_value = "python3")]
    python: PathBuf,
    /// One part alone: memory, answers, sign-ins or decoding
    #[arg(long, value_name = "PART", value_parser = ["memory", "answers", "sign-ins", "decoding"])]
    only: Option<String>,
}

/// Parts of the product that are measured apart.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Calls: the engine, the models of this machine, whose turn it is, words
    Voice,
}

/// Builds and measures.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let built = build(root, options.debug)?;
    let mut command = Command::new(&built.bench);
    command.current_dir(root).arg(&built.server);
    command.args(options.what.map(|What::Voice| "--voice"));
    command.args(options.quick.then_some("--quick"));
    if let Some(models) = &options.models {
        command.arg("--models").arg(models);
    }
    if let Some(recordings) = &options.recordings {
        command.arg("--recordings").arg(recordings);
    }
    command.arg("--python").arg(&options.python);
    if let Some(part) = &options.only {
        command.args(["--only", part]);
    }
    let status = command.status().context("the measuring program does not start")?;
    if !status.success() {
        bail!("the measurements did not come to their end");
    }
    Ok(())
}

/// Where the two programs are.
struct Built {
    server: PathBuf,
    bench: PathBuf,
}

/// Builds both in one go, so that what they share is built once.
fn build(root: &Path, debug: bool) -> anyhow::Result<Built> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["build", "--package", "server", "--package", "xtask", "--bin", "troth", "--bench", "bench"])
        .args(["--message-format", "json-render-diagnostics"])
        .args((!debug).then_some("--release"))
        .stderr(Stdio::inherit());
    let output = command.output().context("cargo does not start")?;
    if !output.status.success() {
        bail!("the server or the measuring program does not build");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let made = |name: &str| {
        let found = messages.lines().filter_map(|line| executable(line, name)).next_back();
        found.with_context(|| format!("cargo did not say where `{name}` is"))
    };
    Ok(Built { server: made("troth")?, bench: made("bench")? })
}

/// The path in one of cargo's messages, when it is about the program called `name`.
fn executable(line: &str, name: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    (message["target"]["name"] == name).then(|| message["executable"].as_str().map(PathBuf::from))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_in_what_cargo_says() {
        let made = r#"{"reason":"compiler-artifact","target":{"name":"troth"},"executable":"/t/troth"}"#;
        let library = r#"{"reason":"compiler-artifact","target":{"name":"troth"},"executable":null}"#;
        assert_eq!(executable(made, "troth"), Some(PathBuf::from("/t/troth")));
        assert_eq!(executable(made, "bench"), None);
        assert_eq!(executable(library, "troth"), None);
        assert_eq!(executable("warning: not JSON", "troth"), None);
    }
}
