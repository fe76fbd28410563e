//! Changes (RFC 7644, 3.5.2): `add`, `replace` and `remove`, applied to a resource's JSON.
//!
//! Called by the routes; what comes out is read again as strictly as a whole resource. The invariants: all
//! changes of a request are applied or none; what is read-only stays; the count of changes is bounded.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    error,
    filter::{self, Filter, Path},
};
use crate::Problem;

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// Most changes in one request.
const MOST: usize = 100;
/// Most elements of one list after a change.
const MOST_ELEMENTS: usize = 2000;
/// Attributes a client may name and never change.
const READ_ONLY: [&str; 4] = ["id", "meta", "schemas", "groups"];
/// Attributes that always have a value.
const REQUIRED: [&str; 2] = ["userName", "active"];
/// Attributes that are lists.
const LISTS: [&str; 2] = ["emails", "members"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Add,
    Replace,
    Remove,
}

/// Applies the changes of `body` to `resource`.
pub(super) fn apply(resource: &mut Map<String, Value>, body: &Map<String, Value>) -> Result<(), Problem> {
    let named = get(body, "schemas").and_then(Value::as_array);
    let named = named.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(SCHEMA)));
    let changes = get(body, "Operations").and_then(Value::as_array);
    let Some(changes) = changes.filter(|_| named) else {
        return Err(error::syntax("A change needs the schema PatchOp and a list of Operations."));
    };
    if changes.is_empty() || changes.len() > MOST {
        return Err(error::syntax("A request holds 1 to 100 changes."));
    }
    for change in changes {
        let Value::Object(change) = change else { return Err(error::syntax("A change is an object.")) };
        one(resource, change)?;
    }
    Ok(())
}

fn one(resource: &mut Map<String, Value>, change: &Map<String, Value>) -> Result<(), Problem> {
    let act = match get(change, "op").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
        Some("add") => Act::Add,
        Some("replace") => Act::Replace,
        Some("remove") => Act::Remove,
        _ => return Err(error::syntax("`op` is add, replace or remove.")),
    };
    let value = get(change, "value").cloned();
    if act != Act::Remove && value.is_none() {
        return Err(error::value("value", "is missing"));
    }
    match get(change, "path") {
        Some(Value::String(path)) => at(resource, act, path, value),
        Some(_) => Err(error::path("The path is not a text.")),
        None if act == Act::Remove => Err(error::target()),
        None => match value {
            // Some clients write paths as the names of the fields.
            Some(Value::Object(fields)) => {
                fields.into_iter().try_for_each(|(path, value)| at(resource, act, &path, Some(value)))
            }
            _ => Err(error::value("value", "must be an object where there is no path")),
        },
    }
}

fn at(resource: &mut Map<String, Value>, act: Act, path: &str, value: Option<Value>) -> Result<(), Problem> {
    // An extension's own object, or an attribute of one: not known here, so there is nothing to change.
    if path.to_ascii_lowercase().starts_with("urn:") && !path.to_ascii_lowercase().contains("core:2.0:") {
        return Ok(());
    }
    let (mut first, filter, after) = filter::path(path)?;
    let name = first.remove(0);
    if READ_ONLY.iter().any(|one| one.eq_ignore_ascii_case(&name)) {
        // Sending them as they are is common and harmless in a whole object; as a target it is a mistake.
        return if path.contains('.') || filter.is_some() || act == Act::Remove {
            Err(error::read_only(&name))
        } else {
            Ok(())
        };
    }
    if act == Act::Remove && REQUIRED.iter().any(|one| one.eq_ignore_ascii_case(&name)) {
        return Err(error::read_only(&name));
    }
    let key = key(resource, &name);
    match filter {
        None if first.is_empty() => whole(resource, act, key, value),
        None => {
            let held = resource.entry(key).or_insert_with(|| Map::new().into());
            part(held, act, &first, value)
        }
        Some(filter) => elements(resource, act, &key, &filter, &after, value),
    }
}

/// Changes a whole attribute.
fn whole(
    resource: &mut Map<String, Value>,
    act: Act,
    key: String,
    value: Option<Value>,
) -> Result<(), Problem> {
    let is_list = LISTS.iter().any(|list| list.eq_ignore_ascii_case(&key));
    match (act, value) {
        (Act::Remove, Some(Value::Array(some))) if is_list => {
            // Elements named in the value, as some clients take members out.
            if let Some(Value::Array(held)) = resource.get_mut(&key) {
                let gone: HashSet<_> = some.iter().map(meaning).collect();
                held.retain(|one| !gone.contains(&meaning(one)));
            }
        }
        (Act::Remove, _) => {
            resource.remove(&key);
        }
        (Act::Add, Some(value)) if is_list => {
            let new = if let Value::Array(list) = value { list } else { vec![value] };
            let Value::Array(held) = resource.entry(key).or_insert_with(|| Value::Array(Vec::new())) else {
                return Err(error::path("That is no list."));
            };
            if new.len() > MOST_ELEMENTS {
                return Err(too_long());
            }
            add(held, new);
            if held.len() > MOST_ELEMENTS {
                return Err(too_long());
            }
        }
        (_, Some(Value::Object(new))) if !is_list => {
            let held = resource.entry(key).or_insert_with(|| Map::new().into());
            let Value::Object(held) = held else { return Err(error::path("That is no object.")) };
            if act == Act::Replace {
                held.clear();
            }
            held.extend(new);
        }
        (_, Some(Value::Array(list))) if is_list && list.len() > MOST_ELEMENTS => return Err(too_long()),
        (_, Some(value)) => {
            let value = if is_list && !value.is_array() { Value::Array(vec![value]) } else { value };
            resource.insert(key, value);
        }
        (_, None) => {}
    }
    Ok(())
}

fn too_long() -> Problem {
    error::value("value", "makes the list too long")
}

/// Adds what is not there yet. Only the last one that says so stays primary.
fn add(held: &mut Vec<Value>, new: Vec<Value>) {
    let mut there: HashSet<_> = held.iter().map(meaning).collect();
    let is_primary = |one: &Value| one.get("primary") == Some(&Value::Bool(true));
    let primary = new.iter().rposition(is_primary);
    let deprive = |one: &mut Value| {
        if let Some(one) = one.as_object_mut() {
            one.remove("primary");
        }
    };
    if primary.is_some() {
        held.iter_mut().for_each(deprive);
    }
    for (at, mut one) in new.into_iter().enumerate() {
        if is_primary(&one) && primary != Some(at) {
            deprive(&mut one);
        }
        if there.insert(meaning(&one)) {
            held.push(one);
        }
    }
}

/// Changes a part of an attribute: `name.familyName`.
fn part(held: &mut Value, act: Act, path: &Path, value: Option<Value>) -> Result<(), Problem> {
    let (Value::Object(held), [name]) = (held, path.as_slice()) else {
        return Err(error::path("The path leads into something that has no parts."));
    };
    let key = key(held, name);
    match value {
        Some(value) if act != Act::Remove => drop(held.insert(key, value)),
        _ => drop(held.remove(&key)),
    }
    Ok(())
}

/// Changes the elements of a list that match a filter.
fn elements(
    resource: &mut Map<String, Value>,
    act: Act,
    key: &str,
    filter: &Filter,
    after: &Path,
    value: Option<Value>,
) -> Result<(), Problem> {
    let held = resource.entry(key.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(held) = held else { return Err(error::path("That is no list.")) };
    if act == Act::Remove && after.is_empty() {
        held.retain(|one| !filter.matches(one));
        return Ok(());
    }
    let mut found = false;
    for one in held.iter_mut().filter(|one| filter.matches(one)) {
        found = true;
        match (&value, after.is_empty()) {
            (Some(Value::Object(new)), true) => {
                if let Value::Object(one) = one {
                    one.extend(new.clone());
                }
            }
            (_, true) => return Err(error::value("value", "must be an object")),
            (value, false) => part(one, act, after, value.clone())?,
        }
    }
    match (found, act, value) {
        (true, ..) => Ok(()),
        // `add emails[type eq "work"].value` to a list that has none makes one of that kind.
        (false, Act::Add | Act::Replace, Some(value)) if !after.is_empty() => {
            let Filter::Compare(path, filter::Operator::Equal, wanted) = filter else {
                return Err(error::target());
            };
            let mut new = Map::new();
            new.insert(path.join("."), wanted.clone());
            new.insert(after.join("."), value);
            held.push(new.into());
            Ok(())
        }
        _ => Err(error::target()),
    }
}

/// What an element of a list stands for: its value, else all of it. Two of one meaning are the same thing.
fn meaning(one: &Value) -> (bool, String) {
    match one.get("value") {
        Some(value) => (true, value.to_string()),
        None => (false, one.to_string()),
    }
}

/// The spelling of an attribute that is there already, or the given one.
fn key(of: &Map<String, Value>, name: &str) -> String {
    of.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.to_owned())
}

fn get<'a>(of: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    of.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(changes: Value) -> Result<Value, String> {
        let user = json!({
            "id": "1", "userName": "ada", "active": true, "name": { "familyName": "Byron" },
            "emails": [{ "value": "a@work", "type": "work", "primary": true }],
        });
        let Value::Object(mut user) = user else { unreachable!() };
        let body = json!({ "schemas": [SCHEMA], "Operations": changes });
        apply(&mut user, body.as_object().unwrap()).map_err(|problem| problem.code.to_owned())?;
        Ok(user.into())
    }

    #[test]
    fn what_directories_send_is_applied() {
        let user = patched(json!([
            { "op": "Replace", "path": "active", "value": false },
            { "op": "add", "path": "name.familyName", "value": "Lovelace" },
            { "op": "add", "path": "emails", "value": [{ "value": "a@home", "type": "home", "primary": true }] },
            { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@work" },
            { "op": "add", "value": { "displayName": "Ada", "name.givenName": "Augusta" } },
            { "op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "x" },
        ]))
        .unwrap();
        assert_eq!(user["active"], false);
        assert_eq!(user["name"], json!({ "familyName": "Lovelace", "givenName": "Augusta" }));
        assert_eq!(user["displayName"], "Ada");
        assert_eq!(
            user["emails"],
            json!([{ "value": "ada@work", "type": "work" }, { "value": "a@home", "type": "home", "primary": true }])
        );
        let user = patched(json!([
            { "op": "remove", "path": "emails[type eq \"work\"]" },
            { "op": "remove", "path": "name.familyName" },
        ]))
        .unwrap();
        assert_eq!((&user["emails"], &user["name"]), (&json!([]), &json!({})));
    }

    #[test]
    fn a_list_grows_to_its_bound_and_nothing_is_in_it_twice() {
        let members = |from: usize, to: usize| {
            (from..to).map(|n| json!({ "value": format!("{n}@work") })).collect::<Vec<_>>()
        };
        let add = |from, to| json!({ "op": "add", "path": "emails", "value": members(from, to) });
        let user = patched(json!([add(0, 1000), add(0, 500), add(1000, 1400)])).unwrap();
        assert_eq!(user["emails"].as_array().unwrap().len(), 1401, "and the one that was there");
        assert_eq!(patched(json!([add(0, 1000), add(1000, 2000)])), Err("scim-value".to_owned()));
        let replace = json!([{ "op": "replace", "path": "emails", "value": members(0, 2001) }]);
        assert_eq!(patched(replace), Err("scim-value".to_owned()));
        // A body of a megabyte, as many elements as fit: refused before one is compared with another.
        assert_eq!(patched(json!([add(0, 40_000)])), Err("scim-value".to_owned()));
        let primary = |n: &str| json!({ "value": n, "primary": true });
        let user = patched(
            json!([{ "op": "add", "path": "emails", "value": [primary("b"), primary("c"), { "value": "b" }] }]),
        )
        .unwrap();
        assert_eq!(
            user["emails"],
            json!([{ "value": "a@work", "type": "work" }, { "value": "b" }, primary("c")]),
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (changes, code) in [
            (json!([]), "scim-syntax"),
            (json!([{ "op": "jump", "path": "a", "value": 1 }]), "scim-syntax"),
            (json!([{ "op": "add", "path": "title" }]), "scim-value"),
            (json!([{ "op": "remove" }]), "scim-target"),
            (json!([{ "op": "replace", "path": "emails[type eq \"x\"]", "value": {} }]), "scim-target"),
            (json!([{ "op": "replace", "path": "emails[type eq", "value": {} }]), "scim-path"),
            (json!([{ "op": "replace", "path": 7, "value": {} }]), "scim-path"),
            (json!([{ "op": "remove", "path": "id" }]), "scim-mutability"),
            (json!([{ "op": "remove", "path": "active" }]), "scim-mutability"),
            (json!([{ "op": "replace", "path": "userName.first", "value": "x" }]), "scim-path"),
            (json!([7]), "scim-syntax"),
            (Value::Array(vec![json!({ "op": "remove", "path": "title" }); 101]), "scim-syntax"),
        ] {
            assert_eq!(patched(changes.clone()), Err(code.to_owned()), "{changes}");
        }
    }
}
