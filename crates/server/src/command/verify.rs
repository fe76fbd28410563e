//! `troth verify`: which promises are kept. Asks the running instance; where none runs, opens one that
//! only asks itself, on free ports of this machine, and closes it again.

use std::process::ExitCode;

use assure::text;

use super::{choose_cryptography, runtime};
use crate::{
    cli::Verify,
    config::Config,
    failure::Failure,
    folder::Folder,
    instance::{self, Instance},
    logging, outside, protector,
};

pub(crate) fn verify(mut config: Config, wanted: &Verify) -> Result<ExitCode, Failure> {
    choose_cryptography();
    logging::start(&quiet(&config))?;
    let folder = Folder::existing(&config.data)?;
    let form = match (wanted.json, outside::is_colour_welcome()) {
        (true, _) => "json",
        (false, true) => "colour",
        (false, false) => "text",
    };
    if wanted.passphrase_stdin {
        config.keys.passphrase = Some(protector::passphrase_from_input()?);
    }
    runtime()?.block_on(async {
        if let Some(answer) = instance::ask(folder.path(), &format!("verify {form}")).await {
            outside::say(answer.text.trim_end());
            return Ok(ExitCode::from(answer.exit));
        }
        alone(config, form).await
    })
}

/// The same checks on an instance of our own, which nobody else is told about, which loads no model and does
/// nothing but answer: what is due, tables of another version and a certificate near its end among it, is for
/// the server to do.
async fn alone(mut config: Config, form: &str) -> Result<ExitCode, Failure> {
    let free = ([127, 0, 0, 1], 0).into();
    config.web.listen = vec![free];
    // As many plain listeners as are configured, none or one: the promise about them is to be asked as well.
    config.web.redirect.truncate(1);
    config.web.redirect.fill(free);
    config.models.local.enabled = false;
    if config.keys.passphrase.is_none() && config.keys.asks_for_passphrase() {
        config.keys.passphrase = protector::passphrase_from_terminal(&config.data)?;
    }
    let instance = Instance::look(config, outside::Outside::real()).await?;
    let report = instance.verify().await;
    instance.stop().await;
    let report = report?;
    outside::say(match form {
        "json" => serde_json::to_string_pretty(&report).unwrap_or_default(),
        form => text::render(&report, form == "colour").trim_end().to_owned(),
    });
    Ok(ExitCode::from(if report.exit_code() == 0 { 0 } else { 3 }))
}

/// A report is for reading; the log stays out of it unless it was asked for.
fn quiet(config: &Config) -> crate::config::LogSection {
    let mut log = config.log.clone();
    log.level.get_or_insert_with(|| "error".to_owned());
    log
}
