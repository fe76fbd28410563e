//! The log, on standard error: what happened, never what was said.
//!
//! Our own rooms may be as talkative as the operator likes, because their lines are content-free by
//! rule. Other people's code is kept to warnings: at its lower levels it prints headers and statements.

use std::io::IsTerminal;

use domain::enforced;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::{
    config::{LogFormat, LogSection},
    failure::{Exit, Failure},
};

/// Whose lines may be more than warnings.
const ROOMS: [&str; 12] = [
    "server",
    "web",
    "identity",
    "assistant",
    "privacy",
    "assure",
    "store",
    "providers",
    "keys",
    "inference",
    "domain",
    "troth",
];
const LEVELS: [&str; 5] = ["off", "error", "warn", "info", "debug"];

/// Begins to log as `config` says. A second call changes nothing.
///
/// # Errors
/// [`Exit::Configuration`] when the level is not one, or for somebody else's code.
pub(crate) fn start(config: &LogSection) -> Result<(), Failure> {
    let terminal = std::io::stderr().is_terminal();
    let level = config.level.as_deref().unwrap_or(if terminal { "warn" } else { "info" });
    let filter = EnvFilter::new(directives(level)?);
    let format = config.format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    // Tests start many instances in one process; the first one's log serves them all.
    let _ = match format {
        LogFormat::Text => registry.with(lines.with_ansi(terminal).compact()).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    quiet_panics();
    Ok(())
}

/// `info,store=debug` as directives that keep everything else at warnings.
fn directives(wanted: &str) -> Result<String, Failure> {
    enforced!(LOG01);
    let mut directives = vec!["warn".to_owned()];
    for part in wanted.split(',').map(str::trim) {
        let (rooms, level) = match part.split_once('=') {
            Some((room, level)) => (vec![room], level),
            None => (ROOMS.to_vec(), part),
        };
        let level = level.to_ascii_lowercase();
        if !LEVELS.contains(&level.as_str()) || !rooms.iter().all(|room| ROOMS.contains(room)) {
            return Err(Failure::new(Exit::Configuration, format!("`log.level` cannot be {wanted:?}."))
                .then(
                    "Use error, warn, info or debug, alone or per room, for example \"info,store=debug\".",
                ));
        }
        if level == "off" && rooms.len() > 1 {
            directives[0] = level.clone();
        }
        directives.extend(rooms.iter().map(|room| format!("{room}={level}")));
    }
    Ok(directives.join(","))
}

/// A panic's own words may hold content, so only its place is logged.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a part of the program broke off");
    }));
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn only_our_own_rooms_may_be_talkative() {
        let _proof = verifies!(LOG01);
        let all = directives("debug").unwrap();
        assert!(all.starts_with("warn,") && all.contains("store=debug"));
        assert!(directives("info,store=debug").unwrap().ends_with(",store=debug"));
        for refused in ["trace", "hyper=debug", "sqlx=debug", "debug,h2=trace", "", "loud"] {
            assert_eq!(directives(refused).unwrap_err().exit, Exit::Configuration, "{refused:?}");
        }
    }
}
