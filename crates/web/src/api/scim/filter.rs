//! Filters (RFC 7644, 3.4.2.2): read from text, and asked of a resource.
//!
//! Called by the list of users and by the paths of changes. The invariants: what is read is bounded in length
//! and depth, attribute names are compared without case, and texts too, but for identifiers.

use serde_json::{Number, Value};

use super::error;
use crate::Problem;

/// Longest filter, in bytes.
const MOST_BYTES: usize = 2048;
/// Deepest nesting of parentheses and `not`.
const DEEPEST: u8 = 16;

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    /// Both hold.
    And(Box<Self>, Box<Self>),
    /// One holds.
    Or(Box<Self>, Box<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// There is a value.
    Present(Path),
    /// A value compares.
    Compare(Path, Operator, Value),
    /// One element of a list matches.
    Element(Path, Box<Self>),
}

/// An attribute, perhaps a part of it: `name.familyName`.
pub(super) type Path = Vec<String>;

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    fn named(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "co" => Self::Contains,
            "sw" => Self::StartsWith,
            "ew" => Self::EndsWith,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }
}

impl Filter {
    /// Reads a filter.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        if text.len() > MOST_BYTES {
            return Err(error::filter("The filter is longer than 2,048 bytes."));
        }
        let mut reader = Reader { rest: text };
        let filter = reader.any_of(0)?;
        if reader.rest.trim().is_empty() { Ok(filter) } else { Err(unreadable()) }
    }

    /// The text this asks `attribute` to equal, when it asks nothing else.
    pub(super) fn only_equal(&self, attribute: &str) -> Option<&str> {
        match self {
            Self::Compare(path, Operator::Equal, Value::String(text))
                if path.len() == 1 && path[0].eq_ignore_ascii_case(attribute) =>
            {
                Some(text)
            }
            _ => None,
        }
    }

    /// Whether `resource` matches.
    pub(super) fn matches(&self, resource: &Value) -> bool {
        match self {
            Self::And(one, other) => one.matches(resource) && other.matches(resource),
            Self::Or(one, other) => one.matches(resource) || other.matches(resource),
            Self::Not(inner) => !inner.matches(resource),
            Self::Present(path) => values(resource, path).iter().any(|value| is_there(value)),
            Self::Compare(path, Operator::NotEqual, wanted) => {
                !values(resource, path).iter().any(|value| compare(path, value, Operator::Equal, wanted))
            }
            Self::Compare(path, operator, wanted) => {
                values(resource, path).iter().any(|value| compare(path, value, *operator, wanted))
            }
            Self::Element(path, inner) => values(resource, path).iter().any(|value| inner.matches(value)),
        }
    }
}

/// Reads a path such as `name.familyName`, or `emails[type eq "work"].value`, with a schema before it or not.
pub(super) fn path(text: &str) -> Result<(Path, Option<Filter>, Path), Problem> {
    if text.len() > MOST_BYTES {
        return Err(error::path("The path is longer than 2,048 bytes."));
    }
    let wrong = |_| error::path("The path cannot be read.");
    let mut reader = Reader { rest: text };
    let first = reader.attribute().map_err(wrong)?;
    let mut filter = None;
    if reader.eat("[") {
        filter = Some(reader.any_of(1).map_err(wrong)?);
        if !reader.eat("]") {
            return Err(error::path("The path cannot be read."));
        }
    }
    let after = if reader.eat(".") { reader.attribute().map_err(wrong)? } else { Path::new() };
    if reader.rest.is_empty() {
        Ok((first, filter, after))
    } else {
        Err(error::path("The path cannot be read."))
    }
}

/// Every value a path leads to; lists are opened on the way.
fn values<'a>(resource: &'a Value, path: &[String]) -> Vec<&'a Value> {
    match (resource, path.split_first()) {
        (Value::Array(list), _) => list.iter().flat_map(|one| values(one, path)).collect(),
        (Value::Object(fields), Some((name, rest))) => fields
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| values(value, rest))
            .collect(),
        // `emails eq "x"` asks for the value of one of them.
        (Value::Object(fields), None) => match fields.get("value") {
            Some(value) => vec![resource, value],
            None => vec![resource],
        },
        (_, Some(_)) => Vec::new(),
        (value, None) => vec![value],
    }
}

fn is_there(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    }
}

fn compare(path: &[String], value: &Value, operator: Operator, wanted: &Value) -> bool {
    use Operator as O;
    match (value, wanted) {
        (Value::String(value), Value::String(wanted)) => {
            let exact = path
                .last()
                .is_some_and(|name| ["id", "externalid"].contains(&name.to_ascii_lowercase().as_str()));
            let fold = |text: &str| if exact { text.to_owned() } else { domain::name::fold(text) };
            let (value, wanted) = (fold(value), fold(wanted));
            match operator {
                O::Equal => value == wanted,
                O::NotEqual => value != wanted,
                O::Contains => value.contains(&wanted),
                O::StartsWith => value.starts_with(&wanted),
                O::EndsWith => value.ends_with(&wanted),
                O::Greater => value > wanted,
                O::GreaterOrEqual => value >= wanted,
                O::Less => value < wanted,
                O::LessOrEqual => value <= wanted,
            }
        }
        (value, wanted) => operator == O::Equal && value == wanted,
    }
}

fn unreadable() -> Problem {
    error::filter("The filter cannot be read. Write for example: userName eq \"ada\".")
}

/// What is left to read.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn any_of(&mut self, depth: u8) -> Result<Filter, Problem> {
        let mut filter = self.all_of(depth)?;
        while self.word("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all_of(depth)?));
        }
        Ok(filter)
    }

    fn all_of(&mut self, depth: u8) -> Result<Filter, Problem> {
        let mut filter = self.one(depth)?;
        while self.word("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one(depth)?));
        }
        Ok(filter)
    }

    fn one(&mut self, depth: u8) -> Result<Filter, Problem> {
        if depth >= DEEPEST {
            return Err(error::filter("The filter is nested too deeply."));
        }
        self.blanks();
        let before = self.rest;
        let negated = self.word("not") && {
            self.blanks();
            self.rest.starts_with('(')
        };
        if !negated {
            self.rest = before;
        }
        if self.eat("(") {
            let inner = self.any_of(depth + 1)?;
            self.blanks();
            if !self.eat(")") {
                return Err(unreadable());
            }
            return Ok(if negated { Filter::Not(Box::new(inner)) } else { inner });
        }
        let path = self.attribute()?;
        if self.eat("[") {
            let inner = self.any_of(depth + 1)?;
            self.blanks();
            return if self.eat("]") {
                Ok(Filter::Element(path, Box::new(inner)))
            } else {
                Err(unreadable())
            };
        }
        self.blanks();
        let word = self.take(|c| c.is_ascii_alphabetic());
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let operator = Operator::named(word).ok_or_else(unreadable)?;
        self.blanks();
        Ok(Filter::Compare(path, operator, self.value()?))
    }

    /// `attribute`, `attribute.part`, or either after the name of a schema and a colon.
    fn attribute(&mut self) -> Result<Path, Problem> {
        self.blanks();
        let text = self.take(|c| c.is_ascii_alphanumeric() || ":._-$".contains(c));
        let name = match text.rsplit_once(':') {
            Some((schema, name)) if schema.to_ascii_lowercase().starts_with("urn:") => name,
            Some(_) => return Err(unreadable()),
            None => text,
        };
        let path: Path = name.split('.').map(str::to_owned).collect();
        let shaped = path.len() <= 2
            && path.iter().all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$'));
        if shaped { Ok(path) } else { Err(unreadable()) }
    }

    /// A text in quotes, a number, `true`, `false` or `null`, as JSON writes them.
    fn value(&mut self) -> Result<Value, Problem> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        let value = values.next().and_then(Result::ok).ok_or_else(unreadable)?;
        let used = values.byte_offset();
        self.rest = &self.rest[used..];
        match value {
            Value::Array(_) | Value::Object(_) => Err(unreadable()),
            Value::Number(number) => Ok(Value::Number(whole(number))),
            value => Ok(value),
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A word of its own, in whatever case.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start_matches(' ');
        let head = rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        let ends = rest.get(word.len()..).is_some_and(|rest| rest.starts_with([' ', '(']));
        if head && ends {
            self.rest = &rest[word.len()..];
        }
        head && ends
    }

    fn take(&mut self, want: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !want(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

/// `1.0` is `1`.
fn whole(number: Number) -> Number {
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => {
            number.as_i64().map_or_else(|| Number::from(float as i64), Number::from)
        }
        _ => number,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn matches(filter: &str) -> bool {
        let ada = json!({
            "id": "2819c223", "userName": "Ada", "externalId": "AB-1", "active": true,
            "name": { "familyName": "Lovelace" },
            "emails": [{ "value": "ada@work.example", "type": "work" }, { "value": "ada@home.example", "type": "home" }],
            "meta": { "lastModified": "2026-05-13T04:42:34Z" },
        });
        Filter::read(filter).unwrap().matches(&ada)
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        for yes in [
            r#"userName eq "ada""#,
            r#"name.familyName co "OVEL""#,
            r#"userName sw "A""#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "a""#,
            "userName pr",
            r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
            r#"userName sw "x" or (emails co "work.example" and emails.value co "home.example")"#,
            r#"emails[type eq "work" and value co "@work.example"]"#,
            r#"not (userName eq "grace")"#,
            "active eq true",
            r#"externalId eq "AB-1""#,
            r#"userName ne "grace" and title ne "x""#,
        ] {
            assert!(matches(yes), "{yes}");
        }
        for no in [
            r#"externalId eq "ab-1""#,
            "title pr",
            r#"emails[type eq "home" and value co "@work.example"]"#,
            "active eq false",
            r#"userName eq "ada" and userName eq "grace""#,
            r#"not (userName pr)"#,
        ] {
            assert!(!matches(no), "{no}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}userName pr{}", "(".repeat(40), ")".repeat(40));
        for bad in [
            "",
            " ",
            "userName",
            "userName eq",
            "userName eq ada",
            r#"userName eq "ada"#,
            "eq",
            "(userName pr",
            "userName pr)",
            "a.b.c pr",
            "userName xx 1",
            "emails[type pr",
            r#"userName eq {"a":1}"#,
            "' or 1=1 --",
            "userName eq [1]",
            &deep,
            &format!("userName eq \"{}\"", "x".repeat(3000)),
        ] {
            assert!(Filter::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_are_read() {
        let (first, filter, after) = path(r#"emails[type eq "work"].value"#).unwrap();
        assert_eq!((first, after), (vec!["emails".to_owned()], vec!["value".to_owned()]));
        assert!(filter.is_some());
        assert!(path("emails[type").is_err() && path("a b").is_err() && path("").is_err());
    }

    proptest! {
        #[test]
        fn nothing_a_stranger_writes_breaks_it(text in "[a-zA-Z\"\\[\\]() .:0-9\\\\é]{0,80}") {
            let _ = Filter::read(&text);
            let _ = path(&text);
        }
    }
}
