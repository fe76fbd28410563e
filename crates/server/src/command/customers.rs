//! `troth customers` and `troth demo`: bringing customers in, and made-up ones to try things with. Asks the
//! running instance over its control socket, so that there is one writer and one log.

use std::{path::Path, process::ExitCode};

use super::runtime;
use crate::{
    cli::{CustomersCommand, Demo},
    config::Config,
    failure::{Exit, Failure, disk},
    folder::Folder,
    instance::{self, CustomerOrder},
    outside,
};

pub(crate) fn customers(config: &Config, command: &CustomersCommand) -> Result<ExitCode, Failure> {
    let CustomersCommand::Import { file, dry_run, json } = command;
    let whole = std::fs::canonicalize(file).map_err(|error| disk("read", file, &error))?;
    ask(config, &CustomerOrder::Import { file: text(&whole)?, dry_run: *dry_run, json: *json })
}

pub(crate) fn demo(config: &Config, wanted: &Demo) -> Result<ExitCode, Failure> {
    ask(config, &CustomerOrder::Samples { remove: wanted.remove, json: wanted.json })
}

fn text(path: &Path) -> Result<String, Failure> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::new(Exit::Configuration, "The name of the file is not text.").then("Give it another name.")
    })
}

fn ask(config: &Config, order: &CustomerOrder) -> Result<ExitCode, Failure> {
    let folder = Folder::existing(&config.data)?;
    let order = serde_json::to_string(order).unwrap_or_default();
    let answer = runtime()?.block_on(instance::ask(folder.path(), &format!("customers {order}")));
    let answer = answer.ok_or_else(|| {
        Failure::new(Exit::InUse, "No instance is running on this data folder.")
            .then("Start it with `troth serve`, then type this again.")
    })?;
    let text = answer.text.trim_end();
    // A report of what is wrong is the answer that was asked for; only what went wrong elsewhere is an error.
    outside::say(text);
    Ok(ExitCode::from(answer.exit))
}
