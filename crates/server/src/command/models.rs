//! `troth models`: which are known, which are here, getting one.

use std::{path::Path, process::ExitCode};

use inference::catalog::{self, Entry, Kind};
use providers::fetch::{self, Progress};
use tokio_util::sync::CancellationToken;

use super::{choose_cryptography, runtime};
use crate::{
    cli::ModelsCommand,
    config::Config,
    failure::{Exit, Failure, disk},
    outside,
};

pub(crate) fn models(config: &Config, command: &ModelsCommand) -> Result<ExitCode, Failure> {
    choose_cryptography();
    match command {
        ModelsCommand::List { json } => Ok(list(config, *json)),
        ModelsCommand::Fetch { name } => get(config, name.as_deref()),
        ModelsCommand::Add { file } => add(config, file),
    }
}

/// Whether all files of `entry` are here, by name and length; hashes are checked before each use.
fn is_here(entry: &Entry, folder: &Path) -> bool {
    entry
        .files
        .iter()
        .all(|file| std::fs::metadata(folder.join(file.name)).is_ok_and(|meta| meta.len() == file.bytes))
}

fn list(config: &Config, json: bool) -> ExitCode {
    let folder = &config.models.models_folder;
    if json {
        let entries: Vec<_> = catalog::entries()
            .iter()
            .map(|entry| {
                serde_json::json!({
                    "id": entry.id, "title": entry.title, "maker": entry.maker, "licence": entry.licence,
                    "kind": kind(entry), "bytes": entry.bytes(), "memory_bytes": entry.memory_bytes,
                    "here": is_here(entry, folder), "note": entry.note,
                })
            })
            .collect();
        outside::say(format_args!("{:#}", serde_json::Value::Array(entries)));
        return ExitCode::SUCCESS;
    }
    let width = catalog::entries().iter().map(|entry| entry.id.len()).max().unwrap_or(0);
    for entry in catalog::entries() {
        let here = if is_here(entry, folder) { "here" } else { "not here" };
        let (size, licence) = (fetch::human(entry.bytes()), entry.licence);
        outside::say(format_args!("{:width$}  {:11}  {here:8}  {size:>8}  {licence}", entry.id, kind(entry)));
        outside::say(format_args!("{:width$}  {}", "", entry.note));
    }
    outside::say(format_args!("\nModels lie in {}.", folder.display()));
    ExitCode::SUCCESS
}

fn kind(entry: &Entry) -> &'static str {
    match entry.kind {
        Kind::Llm => "language",
        Kind::Embedding => "embedding",
        Kind::Recognition => "recognition",
        Kind::Synthesis => "synthesis",
        Kind::Activity => "activity",
        Kind::TurnEnd => "turn end",
    }
}

fn get(config: &Config, name: Option<&str>) -> Result<ExitCode, Failure> {
    let entry = match name {
        Some(name) => catalog::find(name).ok_or_else(|| {
            Failure::new(Exit::Configuration, format!("There is no model called {name:?}."))
                .then("`troth models list` names them all.")
        })?,
        None => config
            .models
            .local
            .model
            .as_deref()
            .and_then(catalog::find)
            .unwrap_or_else(providers::default_entry),
    };
    let folder = &config.models.models_folder;
    std::fs::create_dir_all(folder).map_err(|error| disk("make", folder, &error))?;
    let bar = super::serve::bar(entry.title, entry.bytes());
    let cancel = CancellationToken::new();
    let fetched = runtime()?.block_on(async {
        let show = |progress: Progress| bar.show(progress.done, progress.total);
        tokio::select! {
            fetched = fetch::fetch(entry, folder, &config.models.sources, &show, &cancel) => Some(fetched),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    bar.clear();
    match fetched {
        Some(Ok(_)) => {
            outside::say(format_args!("{} is here and whole.", entry.title));
            Ok(ExitCode::SUCCESS)
        }
        Some(Err(error)) => {
            Err(Failure::new(Exit::Unforeseen, format!("{} is not here: {error}.", entry.title)))
        }
        None => Err(Failure::new(Exit::Unforeseen, "The fetch was interrupted; what is here is kept.")
            .then("Run it again to continue.")),
    }
}

/// Finds the catalogue's file with this one's length and hash, and copies it into the models folder.
fn add(config: &Config, path: &Path) -> Result<ExitCode, Failure> {
    let known = fetch::recognise(path)
        .map_err(|error| Failure::new(Exit::Configuration, format!("The file cannot be taken: {error}.")))?;
    let Some((entry, file)) = known else {
        return Err(Failure::new(Exit::Configuration, format!("{} is no file of a known model, or not whole.", path.display()))
            .then("`troth models list` names the known ones; any other GGUF file is named as `models.local.model`, with its sha256."));
    };
    let folder = &config.models.models_folder;
    std::fs::create_dir_all(folder).map_err(|error| disk("make", folder, &error))?;
    let (part, target) = (folder.join(format!("{}.new", file.name)), folder.join(file.name));
    std::fs::copy(path, &part)
        .and_then(|_| std::fs::rename(&part, &target))
        .map_err(|error| disk("copy the model to", &target, &error))?;
    outside::say(format_args!("{} is here and whole.", entry.title));
    Ok(ExitCode::SUCCESS)
}
