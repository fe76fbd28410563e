//! `troth config` and `troth version`: what is set, and whether it is right.

use std::process::ExitCode;

use crate::{config::Config, config::show as lines, failure::Failure, outside};

/// `config check`: reading it has proved it right already; what is weaker than the policy is said.
pub(crate) fn check(config: &Config) -> Result<ExitCode, Failure> {
    if let Some(policies) = config.identity.policies()? {
        outside::say(format_args!("{} policies of your own were read and are right.", policies.len()));
    }
    let deviations = config.numbers.deviations();
    for deviation in &deviations {
        outside::say(format_args!("deviation: {deviation} ({})", deviation.number.clauses.join(", ")));
    }
    outside::say(if deviations.is_empty() {
        "The configuration is right.".to_owned()
    } else {
        "The configuration is right, and weaker than the policy as said above; `troth verify` shows it too."
            .to_owned()
    });
    Ok(ExitCode::SUCCESS)
}

/// `config show`: what was set, aligned, secrets as `(set)`.
pub(crate) fn show(config: &Config, json: bool) -> ExitCode {
    let lines = lines(config);
    if json {
        let object: serde_json::Map<_, _> =
            lines.into_iter().map(|(key, value)| (key, serde_json::Value::String(value))).collect();
        outside::say(format_args!("{:#}", serde_json::Value::Object(object)));
        return ExitCode::SUCCESS;
    }
    let width = lines.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    for (key, value) in lines {
        outside::say(format_args!("{key:width$}  {value}"));
    }
    ExitCode::SUCCESS
}

/// `version`.
pub(crate) fn version(json: bool) -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    if json {
        outside::say(serde_json::json!({ "name": "troth", "version": version }));
    } else {
        outside::say(format_args!("troth {version}"));
    }
    ExitCode::SUCCESS
}
