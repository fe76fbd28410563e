//! `troth serve`: starts an instance, tells people where it is, and ends it cleanly.

mod progress;
mod welcome;

use std::{process::ExitCode, time::Duration};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{choose_cryptography, runtime};
use crate::{
    cli::Serve,
    config::Config,
    failure::{Exit, Failure},
    instance::Instance,
    logging, outside, protector,
};

pub(super) use progress::bar;

/// What a shell reports for a process that a second Ctrl-C ended.
const INTERRUPTED: u8 = 130;

pub(crate) fn serve(mut config: Config, wanted: &Serve) -> Result<ExitCode, Failure> {
    harden();
    choose_cryptography();
    logging::start(&config.log)?;
    if wanted.passphrase_stdin {
        config.keys.passphrase = Some(protector::passphrase_from_input()?);
    } else if config.keys.passphrase.is_none() && config.keys.asks_for_passphrase() {
        config.keys.passphrase = protector::passphrase_from_terminal(&config.data)?;
    }
    let runtime = runtime()?;
    let ended = runtime.block_on(run(config));
    // What still runs now is a blocking call that nobody waits for any more.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn run(config: Config) -> Result<ExitCode, Failure> {
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let instance = Instance::start(config, outside::Outside::real()).await?;
    welcome::print(&instance);
    let watching = progress::watch(instance.providers().readiness());
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
        // The model's progress is shown beside the waiting; it never ends it.
        () = async { watching.await; std::future::pending().await } => (),
    }
    outside::say("\nEnding: running answers may finish. Press Ctrl-C again to end at once.");
    tokio::select! {
        () = instance.stop() => {
            outside::say("Ended.");
            Ok(ExitCode::SUCCESS)
        }
        _ = interrupt.recv() => Ok(ExitCode::from(INTERRUPTED)),
    }
}

fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind)
        .map_err(|error| Failure::new(Exit::Unforeseen, format!("The system gives no signals ({error}).")))
}

/// No core dumps, which would hold keys; as many file handles as we may have.
fn harden() {
    let core = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0);
    let files = rlimit::increase_nofile_limit(u64::MAX);
    if core.is_err() || files.is_err() {
        outside::warn("troth: core dumps could not be turned off, or file handles not raised; going on.");
    }
}
