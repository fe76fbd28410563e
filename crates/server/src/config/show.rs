//! Secrets in the configuration: which keys they are, that files may not hold them, how they are printed.

use std::path::Path;

use domain::enforced;
use toml::{Table, Value};

use crate::{
    config::Config,
    failure::{Exit, Failure},
};

/// The keys whose values are secrets; `*` stands for one step.
const SECRETS: [&str; 6] = [
    "store.postgres",
    "web.limits.redis",
    "mail.password",
    "models.endpoints.*.api_key",
    "models.speech.deepgram.api_key",
    "identity.sso.*.client_secret",
];

/// Whether the key at this dotted path is a secret.
pub(super) fn is_secret(path: &str) -> bool {
    SECRETS.iter().any(|pattern| {
        let (mut steps, mut wanted) = (path.split('.'), pattern.split('.'));
        loop {
            match (steps.next(), wanted.next()) {
                (None, None) => return true,
                (Some(step), Some(want)) if want == "*" || step == want => (),
                _ => return false,
            }
        }
    })
}

/// Refuses a file that holds a secret: files are copied, committed and backed up without a thought.
///
/// # Errors
/// [`Exit::Configuration`] naming the key and the variable to use, never the value.
pub(super) fn refuse_secrets(table: &Table, file: &Path) -> Result<(), Failure> {
    let Some((path, variable)) = first_secret(table) else { return Ok(()) };
    enforced!(CFG02);
    Err(Failure::new(Exit::Configuration, format!("{} holds the secret `{path}`.", file.display()))
        .then(format!("Move it to the environment or to .env, as {variable}.")))
}

fn first_secret(table: &Table) -> Option<(String, String)> {
    let mut found = None;
    walk(table, &mut Vec::new(), &mut |path, _value| {
        let dotted = path.join(".");
        if found.is_none() && is_secret(&dotted) {
            let variable: Vec<String> =
                path.iter().map(|step| step.to_ascii_uppercase().replace('-', "_")).collect();
            found = Some((dotted, format!("TROTH_{}", variable.join("__"))));
        }
    });
    found
}

/// What was set, as sorted lines of `section.key = value`, secrets as `(set)`.
#[must_use]
pub fn show(config: &Config) -> Vec<(String, String)> {
    let mut lines = vec![("data".to_owned(), format!("{:?}", config.data))];
    walk(&config.table, &mut Vec::new(), &mut |path, value| {
        let path = path.join(".");
        let value = if is_secret(&path) {
            enforced!(CFG02);
            "(set)".to_owned()
        } else {
            value.to_string()
        };
        lines.push((path, value));
    });
    if config.keys.passphrase.is_some() {
        lines.push(("keys.passphrase".to_owned(), "(set)".to_owned()));
    }
    for deviation in config.numbers.deviations() {
        lines.push((format!("deviation: policy.{}", deviation.number.name), deviation.to_string()));
    }
    lines
}

/// Visits every leaf; elements of lists of tables go by their `name`, or their number.
fn walk(table: &Table, path: &mut Vec<String>, visit: &mut dyn FnMut(&[String], &Value)) {
    for (key, value) in table {
        path.push(key.clone());
        match value {
            Value::Table(below) => walk(below, path, visit),
            Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_table) => {
                for (number, element) in list.iter().filter_map(Value::as_table).enumerate() {
                    let name = element.get("name").and_then(Value::as_str);
                    path.push(name.map_or_else(|| number.to_string(), str::to_owned));
                    walk(element, path, visit);
                    path.pop();
                }
            }
            leaf => visit(path, leaf),
        }
        path.pop();
    }
}
