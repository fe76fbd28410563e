//! What a client asks for beside a resource: which ones, how many, which of their attributes.
//!
//! Called by the routes that answer with resources; comes in the address or, for `.search`, in the body.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{MOST_RESULTS, error};
use crate::Problem;

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// Most names of attributes.
const MOST_NAMES: usize = 64;

/// As it comes in the address, where lists are texts with commas. What else is there is ignored.
#[derive(Deserialize)]
struct Asked {
    filter: Option<String>,
    #[serde(rename = "startIndex")]
    start: Option<i64>,
    count: Option<i64>,
    attributes: Option<String>,
    #[serde(rename = "excludedAttributes")]
    excluded: Option<String>,
}

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) filter: Option<String>,
    start: Option<i64>,
    count: Option<i64>,
    attributes: Vec<String>,
    excluded: Vec<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Wish {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let asked = Query::<Asked>::from_request_parts(parts, state).await;
        let Query(asked) =
            asked.map_err(|_| error::value("the address", "holds something that is no number"))?;
        Ok(Self {
            filter: asked.filter,
            start: asked.start,
            count: asked.count,
            attributes: names(asked.attributes.as_deref().unwrap_or_default().split(','))?,
            excluded: names(asked.excluded.as_deref().unwrap_or_default().split(','))?,
        })
    }
}

impl Wish {
    /// Reads the body of a search (RFC 7644, 3.4.3).
    pub(super) fn read(body: &Map<String, Value>) -> Result<Self, Problem> {
        super::attributes::has_schema(body, SEARCH)?;
        let number = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                value.as_i64().map(Some).ok_or_else(|| error::value(name, "must be a whole number"))
            }
        };
        let list = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(list)) => names(list.iter().filter_map(Value::as_str)),
            Some(_) => Err(error::value(name, "must be a list of texts")),
        };
        let filter = match body.get("filter") {
            None | Some(Value::Null) => None,
            Some(Value::String(filter)) => Some(filter.clone()),
            Some(_) => return Err(error::value("filter", "must be a text")),
        };
        Ok(Self {
            filter,
            start: number("startIndex")?,
            count: number("count")?,
            attributes: list("attributes")?,
            excluded: list("excludedAttributes")?,
        })
    }

    /// The first one wanted, from 1 on.
    pub(super) fn start(&self) -> u64 {
        self.start.unwrap_or(1).max(1).unsigned_abs()
    }

    /// How many are wanted, at most.
    pub(super) fn count(&self) -> u32 {
        let wanted = self.count.unwrap_or(i64::from(MOST_RESULTS)).max(0);
        u32::try_from(wanted).unwrap_or(u32::MAX).min(MOST_RESULTS)
    }

    /// Leaves of a resource what is asked for; what it is and its identifier always stay.
    pub(super) fn of(&self, mut resource: Value) -> Value {
        if let Value::Object(fields) = &mut resource {
            if !self.attributes.is_empty() {
                fields.retain(|name, value| always(name) || keep(&self.attributes, name, value));
            }
            fields.retain(|name, value| always(name) || !leave_out(&self.excluded, name, value));
        }
        resource
    }
}

fn always(name: &str) -> bool {
    matches!(name, "schemas" | "id")
}

/// Whether an attribute is named, or a part of it; then only its named parts are kept.
fn keep(named: &[String], name: &str, value: &mut Value) -> bool {
    if has(named, name) {
        return true;
    }
    let mut any = false;
    each(value, &mut |parts| {
        parts.retain(|part, _| has(named, &format!("{name}.{part}")));
        any |= !parts.is_empty();
    });
    any
}

/// Whether an attribute is left out; parts of it that are named go in any case.
fn leave_out(named: &[String], name: &str, value: &mut Value) -> bool {
    each(value, &mut |parts| parts.retain(|part, _| !has(named, &format!("{name}.{part}"))));
    has(named, name)
}

/// Every object an attribute is made of.
fn each(value: &mut Value, act: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(parts) => act(parts),
        Value::Array(list) => list.iter_mut().filter_map(Value::as_object_mut).for_each(act),
        _ => {}
    }
}

fn has(named: &[String], name: &str) -> bool {
    named.iter().any(|one| one.eq_ignore_ascii_case(name))
}

/// Names of attributes, without the schemas before them.
fn names<'a>(list: impl Iterator<Item = &'a str>) -> Result<Vec<String>, Problem> {
    let bare = |name: &str| name.trim().rsplit(':').next().unwrap_or_default().to_owned();
    let names: Vec<String> = list.map(bare).filter(|name| !name.is_empty()).take(MOST_NAMES + 1).collect();
    if names.len() > MOST_NAMES { Err(error::value("attributes", "names more than 64")) } else { Ok(names) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_is_cut_to_what_is_asked_for() {
        let user = json!({ "schemas": [], "id": "1", "userName": "ada", "name": { "givenName": "A", "familyName": "L" } });
        let wish = |attributes: &str, excluded: &str| Wish {
            attributes: names(attributes.split(',')).unwrap(),
            excluded: names(excluded.split(',')).unwrap(),
            ..Wish::default()
        };
        assert_eq!(wish("", "").of(user.clone()), user);
        assert_eq!(
            wish("USERNAME", "").of(user.clone()),
            json!({ "schemas": [], "id": "1", "userName": "ada" })
        );
        let family = "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName";
        let cut = json!({ "schemas": [], "id": "1", "name": { "familyName": "L" } });
        assert_eq!(wish(family, "").of(user.clone()), cut);
        assert_eq!(wish("", "id,userName,name.givenName").of(user), cut);
        assert!(names(vec!["a"; 65].into_iter()).is_err());
    }
}
