//! `troth recover`: a way back for somebody who lost every factor, given by whoever runs the machine.
//!
//! It asks the running instance through its control socket, so that there is one writer and one log.

use std::process::ExitCode;

use super::runtime;
use crate::{
    cli::Recover,
    config::Config,
    failure::{Exit, Failure},
    folder::Folder,
    instance, outside,
};

pub(crate) fn recover(config: &Config, wanted: &Recover) -> Result<ExitCode, Failure> {
    let folder = Folder::existing(&config.data)?;
    let name = domain::name::tidy(&wanted.name)
        .map_err(|problem| Failure::new(Exit::Configuration, problem.to_string()))?;
    let question = format!("recover {name}");
    let Some(answer) = runtime()?.block_on(instance::ask(folder.path(), &question)) else {
        return Err(Failure::new(Exit::InUse, "No instance is running on this data folder.")
            .then("Start it with `troth serve`, then type this again."));
    };
    outside::say(answer.text.trim_end());
    Ok(ExitCode::from(answer.exit))
}
