//! Settings by variable: `TROTH_WEB__HSTS_SECONDS=0` is `hsts_seconds` of `[web]`.
//!
//! Two underscores step into a table. An element of a list of tables is reached by its number or its
//! `name`: `TROTH_MODELS__ENDPOINTS__WORK__API_KEY`.

use toml::{Table, Value};

use crate::{
    config::show,
    failure::{Exit, Failure},
};

/// Lists of tables whose elements are known by their `name`.
const NAMED_LISTS: [&str; 2] = ["endpoints", "sso"];

/// Puts one variable into its place.
///
/// # Errors
/// [`Exit::Configuration`] when the name leads nowhere.
pub(super) fn put(table: &mut Table, variable: &str, value: &str) -> Result<(), Failure> {
    let path = path(variable);
    let leads_nowhere = || {
        Failure::new(Exit::Configuration, format!("The variable {variable} sets nothing I know."))
            .then("Write TROTH_SECTION__KEY, for example TROTH_WEB__STREAMS=500.")
    };
    if path.len() < 2 || path.iter().any(String::is_empty) {
        return Err(leads_nowhere());
    }
    let dotted = path.join(".");
    // What is a secret is text, whatever it looks like.
    let value = if show::is_secret(&dotted) { Value::String(value.to_owned()) } else { guess(value) };
    place(table, &path, value).ok_or_else(leads_nowhere)
}

/// The keys a variable steps through.
pub(super) fn path(variable: &str) -> Vec<String> {
    variable.trim_start_matches("TROTH_").split("__").map(str::to_ascii_lowercase).collect()
}

/// Walks down `path`, making tables on the way.
fn place(table: &mut Table, path: &[String], value: Value) -> Option<()> {
    let (key, rest) = path.split_first()?;
    if rest.is_empty() {
        table.insert(key.clone(), value);
        return Some(());
    }
    if NAMED_LISTS.contains(&key.as_str()) {
        let list = table.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new()));
        let (name, rest) = rest.split_first()?;
        return place(element(list.as_array_mut()?, name)?, rest, value);
    }
    let next = table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
    place(next.as_table_mut()?, rest, value)
}

/// The element of a list with this number or name; a name that is new makes a new element.
fn element<'a>(list: &'a mut Vec<Value>, name: &str) -> Option<&'a mut Table> {
    let named = |element: &Value| {
        let known = element.get("name").and_then(Value::as_str).unwrap_or_default();
        known.to_ascii_lowercase().replace('-', "_") == name
    };
    let at = match name.parse::<usize>() {
        Ok(number) => number,
        Err(_) => list.iter().position(named).unwrap_or(list.len()),
    };
    if at == list.len() && name.parse::<usize>().is_err() {
        let fresh = Table::from_iter([("name".to_owned(), Value::String(name.replace('_', "-")))]);
        list.push(Value::Table(fresh));
    }
    list.get_mut(at)?.as_table_mut()
}

/// A variable's value as TOML would read it; what is no TOML value is text.
fn guess(text: &str) -> Value {
    let read = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    match read {
        Some(Value::Datetime(_)) | None => Value::String(text.to_owned()),
        Some(value) => value,
    }
}

/// Puts every leaf of `over` over `table`.
pub(super) fn merge(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(over)) => merge(below, over),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Table {
        let mut table = "[web]\nstreams = 1\n[[models.endpoints]]\nname = \"at-work\"\n".parse().unwrap();
        for (name, value) in variables {
            put(&mut table, name, value).unwrap();
        }
        table
    }

    #[test]
    fn variables_step_into_tables_and_keep_their_kind() {
        let table = with(&[
            ("TROTH_WEB__STREAMS", "7"),
            ("TROTH_WEB__HOSTS", "[\"a.example\"]"),
            ("TROTH_LOG__LEVEL", "debug"),
            ("TROTH_MODELS__LOCAL__FETCH", "false"),
        ]);
        assert_eq!(table["web"]["streams"].as_integer(), Some(7));
        assert_eq!(table["web"]["hosts"][0].as_str(), Some("a.example"));
        assert_eq!(table["log"]["level"].as_str(), Some("debug"));
        assert_eq!(table["models"]["local"]["fetch"].as_bool(), Some(false));
    }

    #[test]
    fn endpoints_are_reached_by_name_or_number_and_made_when_new() {
        let table = with(&[
            ("TROTH_MODELS__ENDPOINTS__AT_WORK__API_KEY", "12345"),
            ("TROTH_MODELS__ENDPOINTS__0__MAKER", "Us"),
            ("TROTH_MODELS__ENDPOINTS__HOME__BASE_URL", "https://models.example/v1"),
        ]);
        let endpoints = table["models"]["endpoints"].as_array().unwrap();
        assert_eq!(endpoints.len(), 2);
        assert_eq!(endpoints[0]["api_key"].as_str(), Some("12345"), "a key is text, whatever it looks like");
        assert_eq!(endpoints[0]["maker"].as_str(), Some("Us"));
        assert_eq!(endpoints[1]["name"].as_str(), Some("home"));
    }

    #[test]
    fn a_variable_that_leads_nowhere_is_refused() {
        for name in [
            "TROTH_WEB",
            "TROTH_",
            "TROTH_WEB____X",
            "TROTH_WEB__STREAMS__X",
            "TROTH_MODELS__ENDPOINTS__9__X",
        ] {
            let mut table = with(&[]);
            assert!(put(&mut table, name, "1").is_err(), "{name}");
        }
    }
}
