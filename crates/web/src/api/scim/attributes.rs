//! A user between SCIM's JSON and what the house knows: read strictly, written back whole.
//!
//! Called by the routes of users. The invariants: a known attribute of the wrong kind or beyond its bounds is
//! refused by name, an unknown one is ignored; a password is ignored, whatever it is.

use identity::{Email, PersonChange, Provisioned, Record};
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::error;
use crate::Problem;

/// The schema of users.
pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Longest text of one attribute, in characters.
const MOST_CHARS: usize = 256;
/// Most addresses of one person.
const MOST_EMAILS: usize = 10;

/// Reads a user.
pub(super) fn read(body: &Map<String, Value>) -> Result<PersonChange, Problem> {
    has_schema(body, USER)?;
    let name = match field(body, "name") {
        None => Map::new(),
        Some(Value::Object(name)) => name.clone(),
        Some(_) => return Err(error::value("name", "must be an object")),
    };
    Ok(PersonChange {
        name: text(body, "userName")?.ok_or_else(|| error::value("userName", "is missing"))?,
        active: flag(body, "active")?.unwrap_or(true),
        record: Record {
            external: text(body, "externalId")?,
            formatted: text(&name, "formatted")?,
            family: text(&name, "familyName")?,
            given: text(&name, "givenName")?,
            display: text(body, "displayName")?,
            title: text(body, "title")?,
            emails: emails(body)?,
        },
    })
}

/// Whether a body says what it is.
pub(super) fn has_schema(body: &Map<String, Value>, schema: &str) -> Result<(), Problem> {
    let schemas = field(body, "schemas").and_then(Value::as_array);
    let named = |one: &Value| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(schema));
    if schemas.is_some_and(|all| all.iter().any(named)) {
        Ok(())
    } else {
        Err(error::value("schemas", "must hold the schema of the resource"))
    }
}

fn emails(body: &Map<String, Value>) -> Result<Vec<Email>, Problem> {
    let list = match field(body, "emails") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) if list.len() <= MOST_EMAILS => list,
        Some(_) => return Err(error::value("emails", "must be a list of at most 10")),
    };
    let mut emails = Vec::with_capacity(list.len());
    for one in list {
        let Value::Object(one) = one else { return Err(error::value("emails", "must be a list of objects")) };
        let value = text(one, "value")?.ok_or_else(|| error::value("emails.value", "is missing"))?;
        emails.push(Email { value, kind: text(one, "type")?, primary: flag(one, "primary")? });
    }
    if emails.iter().filter(|email| email.primary == Some(true)).count() > 1 {
        return Err(error::value("emails", "may have one primary address"));
    }
    Ok(emails)
}

/// A text, trimmed; absent when it is null or empty.
pub(super) fn text(of: &Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match field(of, name) {
        None => Ok(None),
        Some(Value::String(text)) if text.chars().count() > MOST_CHARS => {
            Err(error::value(name, "is longer than 256 characters"))
        }
        Some(Value::String(text)) if text.chars().any(char::is_control) => {
            Err(error::value(name, "holds control characters"))
        }
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(_) => Err(error::value(name, "must be a text")),
    }
}

/// A flag. Some directories write them as texts.
fn flag(of: &Map<String, Value>, name: &str) -> Result<Option<bool>, Problem> {
    match field(of, name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(error::value(name, "must be true or false")),
    }
}

/// An attribute by its name, in whatever case; null is absence (RFC 7643, 2.5).
pub(super) fn field<'a>(of: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let found = of.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(found.1).filter(|value| !value.is_null())
}

/// Writes a user, with `base` before the places of resources.
pub(super) fn write(person: &Provisioned, base: &str) -> Value {
    let Provisioned { account, record, .. } = person;
    let mut name = Map::new();
    put(&mut name, "formatted", record.formatted.as_deref());
    put(&mut name, "familyName", record.family.as_deref());
    put(&mut name, "givenName", record.given.as_deref());
    let mut user = Map::new();
    user.insert("schemas".into(), json!([USER]));
    user.insert("id".into(), account.id.to_string().into());
    put(&mut user, "externalId", record.external.as_deref());
    user.insert("userName".into(), account.name.clone().into());
    if !name.is_empty() {
        user.insert("name".into(), name.into());
    }
    put(&mut user, "displayName", record.display.as_deref());
    put(&mut user, "title", record.title.as_deref());
    if !record.emails.is_empty() {
        user.insert("emails".into(), record.emails.iter().map(email).collect());
    }
    user.insert("active".into(), account.active.into());
    user.insert(
        "meta".into(),
        json!({
            "resourceType": "User",
            "created": moment(person.created),
            "lastModified": moment(person.changed),
            "location": place(base, account.id),
        }),
    );
    user.into()
}

/// Where a user is.
pub(super) fn place(base: &str, id: domain::id::UserId) -> String {
    format!("{base}/Users") + "/" + &id.to_string()
}

fn email(email: &Email) -> Value {
    let mut value = Map::new();
    put(&mut value, "value", Some(&email.value));
    put(&mut value, "type", email.kind.as_deref());
    if let Some(primary) = email.primary {
        value.insert("primary".into(), primary.into());
    }
    value.into()
}

fn put(into: &mut Map<String, Value>, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        into.insert(name.to_owned(), text.into());
    }
}

/// A moment as SCIM writes it.
pub(super) fn moment(at: domain::Timestamp) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(body: Value) -> Result<PersonChange, String> {
        read(body.as_object().unwrap()).map_err(|problem| problem.detail.into_owned())
    }

    #[test]
    fn the_minimal_and_the_enterprise_user_of_the_rfc_are_read() {
        let minimal = json!({ "schemas": [USER], "id": "2819c223", "userName": "bjensen@example.com" });
        let read = reads(minimal).unwrap();
        assert_eq!((read.name.as_str(), read.active), ("bjensen@example.com", true));
        let full = json!({
            "schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "externalId": "701984", "userName": "bjensen@example.com", "password": "t1meMa$heen",
            "name": { "formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara",
                      "honorificPrefix": "Ms." },
            "displayName": "Babs Jensen", "title": "Tour Guide", "active": "True",
            "emails": [{ "value": "bjensen@example.com", "type": "work", "primary": true },
                       { "value": "babs@jensen.org", "type": "home" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "employeeNumber": "701984" },
        });
        let read = reads(full).unwrap();
        assert_eq!(read.record.family.as_deref(), Some("Jensen"));
        assert_eq!(read.record.emails.len(), 2);
        assert!(!format!("{read:?}").contains("t1meMa"), "a password is not even kept in memory");
    }

    #[test]
    fn wrong_kinds_and_bounds_are_refused_by_name() {
        let with = |name: &str, value: Value| {
            let mut body = json!({ "schemas": [USER], "userName": "ada" });
            body[name] = value;
            reads(body)
        };
        for (name, value) in [
            ("schemas", json!([])),
            ("schemas", json!("x")),
            ("userName", json!(1)),
            ("userName", json!(null)),
            ("userName", json!("x".repeat(257))),
            ("userName", json!("a\u{0}b")),
            ("name", json!("Ada")),
            ("active", json!(1)),
            ("active", json!("perhaps")),
            ("emails", json!({})),
            ("emails", json!(["a@b"])),
            ("emails", json!([{ "type": "work" }])),
            ("emails", json!([{ "value": "a@b", "primary": true }, { "value": "c@d", "primary": true }])),
            ("emails", Value::Array(vec![json!({ "value": "a@b" }); 11])),
        ] {
            let said = with(name, value.clone()).expect_err(&format!("{name}: {value}"));
            assert!(said.contains(name), "{said}");
        }
    }
}
