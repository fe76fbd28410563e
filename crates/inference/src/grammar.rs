//! What a tool call may look like: a JSON Schema turned into something that can be followed byte by byte.
//!
//! Understood: `type` (also a list), `properties`, `required`, `additionalProperties`, `items`, `minItems`,
//! `maxItems`, `minLength`, `maxLength`, `enum`, `const`, `anyOf`, `oneOf` (as `anyOf`), `allOf` of one, and `$ref`
//! within the schema. Other keywords are ignored. An object that lists `properties` gets no others unless
//! `additionalProperties` invites them. Everything is bounded, so that a call always ends.

mod follow;

pub(crate) use follow::Follower;

use serde_json::Value;

use crate::{Error, Tool};

/// Most characters of a text, unless the schema asks for fewer.
const TEXT: usize = 4_000;
/// Most items of a list, unless the schema asks for fewer.
const ITEMS: usize = 64;
/// Most values nested in one another.
const DEPTH: usize = 12;
/// Most fields an object may list.
const FIELDS: usize = 64;
/// Most parts of one grammar.
const NODES: usize = 4_096;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Grammar {
    nodes: Vec<Node>,
    root: usize,
}

/// One part of a compiled schema; numbers refer to other parts.
#[derive(Debug, PartialEq, Eq)]
enum Node {
    Anything,
    Text {
        least: usize,
        most: usize,
    },
    Number {
        whole: bool,
    },
    /// One of these JSON texts.
    Literals(Vec<Vec<u8>>),
    Object {
        fields: Vec<Field>,
        extra: Option<usize>,
    },
    List {
        items: usize,
        least: usize,
        most: usize,
    },
    OneOf(Vec<usize>),
}

#[derive(Debug, PartialEq, Eq)]
struct Field {
    /// As JSON text, in quotes.
    key: Vec<u8>,
    node: usize,
    required: bool,
}

impl Grammar {
    /// Calls of any of `tools`: `{"name": …, "arguments": …}`.
    pub(crate) fn of_calls(tools: &[&Tool]) -> Result<Self, Error> {
        let mut calls = Vec::new();
        let mut grammar = Self { nodes: Vec::new(), root: 0 };
        for tool in tools {
            let bad =
                |what: &str| Error::BadRequest { what: format!("the schema of tool `{}` {what}", tool.name) };
            let mut reader = Reader { grammar: &mut grammar, root: &tool.parameters };
            let mut arguments = reader.read(&tool.parameters, 0).map_err(bad)?;
            if !reader.is_object(arguments) {
                let extra = Some(reader.add(Node::Anything).map_err(bad)?);
                arguments = reader.add(Node::Object { fields: Vec::new(), extra }).map_err(bad)?;
            }
            let name = reader.add(Node::Literals(vec![quoted(&tool.name)])).map_err(bad)?;
            let fields = [("name", name), ("arguments", arguments)].map(|(key, node)| Field {
                key: quoted(key),
                node,
                required: true,
            });
            calls.push(reader.add(Node::Object { fields: fields.into(), extra: None }).map_err(bad)?);
        }
        if calls.is_empty() {
            return Err(Error::BadRequest { what: "it must call a tool and has none of that name".into() });
        }
        grammar.nodes.push(Node::OneOf(calls));
        grammar.root = grammar.nodes.len() - 1;
        Ok(grammar)
    }

    /// Values of `schema`.
    #[cfg(test)]
    fn of_values(schema: &Value) -> Result<Self, &'static str> {
        let mut grammar = Self { nodes: Vec::new(), root: 0 };
        grammar.root = Reader { grammar: &mut grammar, root: schema }.read(schema, 0)?;
        Ok(grammar)
    }
}

/// Reads one schema.
struct Reader<'a> {
    grammar: &'a mut Grammar,
    /// The whole schema, for `$ref`.
    root: &'a Value,
}

impl Reader<'_> {
    fn add(&mut self, node: Node) -> Result<usize, &'static str> {
        if self.grammar.nodes.len() >= NODES {
            return Err("is too large");
        }
        self.grammar.nodes.push(node);
        Ok(self.grammar.nodes.len() - 1)
    }

    fn is_object(&self, node: usize) -> bool {
        match &self.grammar.nodes[node] {
            Node::Object { .. } => true,
            Node::OneOf(nodes) => nodes.iter().all(|node| self.is_object(*node)),
            _ => false,
        }
    }

    fn read(&mut self, schema: &Value, depth: usize) -> Result<usize, &'static str> {
        let Some(keywords) = schema.as_object() else {
            return if schema == &Value::Bool(false) {
                Err("allows nothing")
            } else {
                self.add(Node::Anything)
            };
        };
        if depth >= DEPTH {
            return Err("is nested too deeply or refers to itself");
        }
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            let root = self.root;
            let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
            return self.read(target.ok_or("refers to something it does not contain")?, depth + 1);
        }
        if let Some(value) = keywords.get("const") {
            return self.add(Node::Literals(vec![value.to_string().into_bytes()]));
        }
        if let Some(values) = keywords.get("enum").and_then(Value::as_array) {
            if values.is_empty() {
                return Err("allows nothing");
            }
            let texts = values.iter().map(|value| value.to_string().into_bytes()).collect();
            return self.add(Node::Literals(texts));
        }
        for several in ["anyOf", "oneOf", "allOf"] {
            match keywords.get(several).and_then(Value::as_array).map(Vec::as_slice) {
                Some([only]) => return self.read(only, depth + 1),
                Some(schemas @ [_, ..]) if several != "allOf" => return self.one_of(schemas, depth),
                _ => {}
            }
        }
        match keywords.get("type") {
            Some(Value::Array(types)) if !types.is_empty() => {
                let nodes = types.iter().map(|kind| self.typed(kind.as_str(), schema, depth));
                let nodes = nodes.collect::<Result<_, _>>()?;
                self.add(Node::OneOf(nodes))
            }
            kind => self.typed(kind.and_then(Value::as_str), schema, depth),
        }
    }

    fn one_of(&mut self, schemas: &[Value], depth: usize) -> Result<usize, &'static str> {
        let nodes = schemas.iter().map(|schema| self.read(schema, depth + 1)).collect::<Result<_, _>>()?;
        self.add(Node::OneOf(nodes))
    }

    fn typed(&mut self, kind: Option<&str>, schema: &Value, depth: usize) -> Result<usize, &'static str> {
        let bound = |key: &str, otherwise: usize, most: usize| {
            schema
                .get(key)
                .and_then(Value::as_u64)
                .map_or(otherwise, |n| usize::try_from(n).unwrap_or(most).min(most))
        };
        let literals =
            |texts: &[&str]| Node::Literals(texts.iter().map(|text| text.as_bytes().into()).collect());
        let node = match kind {
            Some("string") => {
                let least = bound("minLength", 0, TEXT);
                Node::Text { least, most: bound("maxLength", TEXT, TEXT).max(least) }
            }
            Some("integer") => Node::Number { whole: true },
            Some("number") => Node::Number { whole: false },
            Some("boolean") => literals(&["true", "false"]),
            Some("null") => literals(&["null"]),
            Some("object") => return self.object(schema, depth),
            Some("array") => {
                let items = self.read(schema.get("items").unwrap_or(&Value::Bool(true)), depth + 1)?;
                let least = bound("minItems", 0, ITEMS);
                Node::List { items, least, most: bound("maxItems", ITEMS, ITEMS).max(least) }
            }
            Some(_) => return Err("names a type that is not JSON's"),
            None if schema.get("properties").is_some() => return self.object(schema, depth),
            None if schema.get("items").is_some() => return self.typed(Some("array"), schema, depth),
            None => Node::Anything,
        };
        self.add(node)
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Result<usize, &'static str> {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let listed = schema.get("properties").and_then(Value::as_object);
        let mut fields = Vec::new();
        for (key, schema) in listed.into_iter().flatten() {
            let is_required = required.contains(&key.as_str());
            match self.read(schema, depth + 1) {
                Ok(node) => fields.push(Field { key: quoted(key), node, required: is_required }),
                // A field that cannot be built is left out, unless the object needs it.
                Err(what) if is_required => return Err(what),
                Err(_) => {}
            }
        }
        for key in required.iter().filter(|key| !listed.is_some_and(|listed| listed.contains_key(**key))) {
            let node = self.add(Node::Anything)?;
            fields.push(Field { key: quoted(key), node, required: true });
        }
        if fields.len() > FIELDS {
            return Err("has too many properties");
        }
        let extra = match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => None,
            Some(schema) => self.read(schema, depth + 1).ok(),
            None if listed.is_none_or(serde_json::Map::is_empty) => Some(self.add(Node::Anything)?),
            None => None,
        };
        self.add(Node::Object { fields, extra })
    }
}

/// `text` as a JSON string.
fn quoted(text: &str) -> Vec<u8> {
    Value::from(text).to_string().into_bytes()
}

#[cfg(test)]
mod tests;
