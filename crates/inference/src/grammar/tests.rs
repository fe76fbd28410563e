//! What the follower takes to the end is JSON and satisfies the schema, whatever the model would like.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Follower, Grammar};
use crate::Tool;

fn takes(schema: &Value, text: &str) -> bool {
    let grammar = Grammar::of_values(schema).unwrap();
    let whole = Follower::new(&grammar).after(text.as_bytes()).is_some_and(|end| end.is_complete());
    let mut place = Some(Follower::new(&grammar));
    for byte in text.bytes() {
        place = place.and_then(|place| place.after(&[byte]));
    }
    assert_eq!(whole, place.is_some_and(|place| place.is_complete()), "in one piece or byte by byte: {text}");
    whole
}

fn check(schema: &Value, good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(takes(schema, text), "{schema} should take {text}");
        assert!(satisfies(schema, &serde_json::from_str(text).unwrap()), "{schema} {text}");
    }
    for text in bad {
        assert!(!takes(schema, text), "{schema} should not take {text}");
    }
}

#[test]
fn scalars() {
    check(
        &json!({"type": "integer"}),
        &["0", "-7", "120"],
        &["", "-", "01", "1.5", "1e3", "\"1\"", "1234567890123456", "-0"],
    );
    check(
        &json!({"type": "number"}),
        &["0.5", "-1e9", "2E-3", "10"],
        &["1.", ".5", "1e", "+1", "1e999", "NaN"],
    );
    check(&json!({"type": "boolean"}), &["true", "false"], &["True", "tru", "null", "0"]);
    check(&json!({"type": "null"}), &["null"], &["nul", "nulls"]);
    check(&json!({"type": ["string", "null"]}), &["null", "\"x\""], &["1"]);
    check(&json!({"const": {"a": [1, "x"]}}), &["{\"a\":[1,\"x\"]}"], &["{\"a\":[1,\"y\"]}"]);
    check(&json!({"enum": ["C", "CF", 3]}), &["\"C\"", "\"CF\"", "3"], &["\"F\"", "\"CFF\"", "4"]);
}

#[test]
fn strings() {
    let text = json!({"type": "string"});
    check(
        &text,
        &["\"\"", "\"a b\"", "\"é🐎\"", r#""\"\\\n\u00e9\ud7ff""#],
        &["\"", "\"\n\"", r#""\x""#, r#""\ud800""#, r#""\u12""#],
    );
    let grammar = Grammar::of_values(&text).unwrap();
    for broken in
        [&b"\"\xff\""[..], b"\"\xc3\"", b"\"\xc0\x80\"", b"\"\xed\xa0\x80\"", b"\"\xf4\x90\x80\x80\""]
    {
        assert!(Follower::new(&grammar).after(broken).is_none(), "{broken:?}");
    }
    let short = json!({"type": "string", "minLength": 2, "maxLength": 3});
    check(&short, &["\"ab\"", "\"é🐎x\"", r#""\n\t""#], &["\"a\"", "\"abcd\""]);
}

#[test]
fn objects() {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}, "cities": {"type": "integer"}, "at": {"type": "integer"}}, "required": ["city"]});
    check(
        &schema,
        &["{\"city\": \"Oslo\"}", "{\"at\":1,\"city\":\"\"}", "{\"cities\": 2, \"city\": \"x\", \"at\": 3}"],
        &[
            "{}",
            "{\"at\":1}",
            "{\"city\":1}",
            "{\"city\":\"a\",\"city\":\"b\"}",
            "{\"town\":1,\"city\":\"x\"}",
            "{\"city\":\"x\",}",
            "{\"city\":\"x\"",
            "{  \"city\":\"x\"}",
        ],
    );
    let free = json!({"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": {"type": "integer"}});
    check(
        &free,
        &["{}", "{\"b\": 1, \"a\": null}"],
        &["{\"a\": 1}", "{\"b\": null}", "{\"a\": null, \"a\": 1}"],
    );
    check(
        &json!({"type": "object"}),
        &["{}", "{\"x\": {\"y\": [1, null, \"z\", {}]}}"],
        &["[]", "{\"x\"}", "{1:2}"],
    );
}

#[test]
fn lists_alternatives_and_references() {
    let list = json!({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3});
    check(&list, &["[1]", "[1, 2,3]"], &["[]", "[1,2,3,4]", "[1,]", "[\"1\"]", "[,1]"]);
    let either = json!({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "boolean"}}]});
    check(&either, &["5", "[true, false]", "[]"], &["[1]", "true"]);
    let named = json!({"$defs": {"id": {"type": "integer"}}, "type": "object", "properties": {"id": {"$ref": "#/$defs/id"}}, "required": ["id"]});
    check(&named, &["{\"id\": 4}"], &["{\"id\": \"4\"}"]);
}

#[test]
fn unknown_keywords_are_ignored_and_impossible_schemas_refused() {
    check(&json!({"type": "integer", "minimum": 3, "title": "n"}), &["5"], &["x"]);
    check(&json!({}), &["1", "[{}]", "\"x\""], &["x", "{]"]);
    for schema in [
        json!(false),
        json!({"enum": []}),
        json!({"type": "date"}),
        json!({"$ref": "#"}),
        json!({"$ref": "#/nowhere"}),
    ] {
        assert!(Grammar::of_values(&schema).is_err(), "{schema}");
    }
}

#[test]
fn calls_name_a_tool_and_fit_its_schema() {
    let tool = |name: &str, parameters| Tool { name: name.into(), description: String::new(), parameters };
    let weather = tool(
        "get_weather",
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
    );
    let timer = tool(
        "get_time",
        json!({"type": "object", "properties": {"zone": {"type": "integer"}}, "required": ["zone"]}),
    );
    let odd = tool("odd", json!({"type": "string"}));
    let grammar = Grammar::of_calls(&[&weather, &timer, &odd]).unwrap();
    let ends =
        |text: &str| Follower::new(&grammar).after(text.as_bytes()).is_some_and(|end| end.is_complete());
    assert!(ends(r#"{"name": "get_weather", "arguments": {"city": "Oslo"}}"#));
    assert!(ends("{\"name\": \"get_time\", \"arguments\": {\"zone\": 1}}\n"));
    assert!(ends(r#"{"name": "odd", "arguments": {"any": "thing"}}"#));
    assert!(!ends(r#"{"name": "get_time", "arguments": {"city": "Oslo"}}"#));
    assert!(!ends(r#"{"name": "get_w", "arguments": {"city": "Oslo"}}"#));
    assert!(!ends(r#"{"name": "odd", "arguments": "x"}"#));
    assert!(Grammar::of_calls(&[]).is_err());
}

#[test]
fn free_values_end_at_a_depth() {
    let grammar = Grammar::of_values(&json!({})).unwrap();
    let mut place = Follower::new(&grammar);
    let mut depth = 0;
    while let Some(deeper) = place.after(b"[") {
        place = deeper;
        depth += 1;
    }
    assert_eq!(depth, super::DEPTH);
    assert!(place.after(&[b']'; super::DEPTH]).unwrap().is_complete());
}

/// The part of JSON Schema the grammar understands, checked the slow and plain way.
fn satisfies(schema: &Value, value: &Value) -> bool {
    if let Some(fixed) = schema.get("const") {
        return fixed == value;
    }
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return list.contains(value);
    }
    if let Some(list) = schema.get("anyOf").and_then(Value::as_array) {
        return list.iter().any(|schema| satisfies(schema, value));
    }
    let bound = |key: &str, otherwise| schema.get(key).and_then(Value::as_u64).unwrap_or(otherwise) as usize;
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| satisfies(&json!({"type": kind}), value)),
        Some(kind) => match (kind.as_str().unwrap_or_default(), value) {
            ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => true,
            ("integer", Value::Number(n)) => n.is_i64() || n.is_u64(),
            ("string", Value::String(text)) => {
                (bound("minLength", 0)..=bound("maxLength", 9_999)).contains(&text.chars().count())
            }
            ("array", Value::Array(items)) => {
                (bound("minItems", 0)..=bound("maxItems", 9_999)).contains(&items.len())
                    && items
                        .iter()
                        .all(|item| schema.get("items").is_none_or(|schema| satisfies(schema, item)))
            }
            ("object", Value::Object(fields)) => {
                let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
                required.iter().all(|key| fields.contains_key(key.as_str().unwrap()))
                    && fields.iter().all(|(key, value)| {
                        match schema.get("properties").and_then(|all| all.get(key)) {
                            Some(schema) => satisfies(schema, value),
                            None => schema.get("additionalProperties").is_none_or(|more| {
                                more != &json!(false) && (more == &json!(true) || satisfies(more, value))
                            }),
                        }
                    })
            }
            _ => false,
        },
        None => true,
    }
}

fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string"})),
        (0_u64..4, 0_u64..4).prop_map(
            |(least, more)| json!({"type": "string", "minLength": least, "maxLength": least + more})
        ),
        Just(json!({"type": "integer"})),
        Just(json!({"type": "number"})),
        Just(json!({"type": "boolean"})),
        Just(json!({"type": ["null", "integer"]})),
        Just(json!({"enum": ["red", "reddish", 1, 10, null]})),
        Just(json!({"const": "é\"\\"})),
        Just(json!({})),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0_u64..3, 0_u64..3).prop_map(|(items, least, more)| json!({"type": "array", "items": items, "minItems": least, "maxItems": least + more})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|list| json!({"anyOf": list})),
            (prop::collection::btree_map("[ab\"é]{0,3}", inner, 0..4), any::<u8>(), any::<bool>()).prop_map(|(fields, mask, open)| {
                let required: Vec<&String> = fields.keys().enumerate().filter(|(n, _)| mask >> n & 1 == 1).map(|(_, key)| key).collect();
                json!({"type": "object", "properties": fields, "required": required, "additionalProperties": open})
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn whatever_is_taken_to_the_end_satisfies_the_schema(schema in schemas(), choices in prop::collection::vec(any::<u16>(), 1..300)) {
        let grammar = Grammar::of_values(&schema).unwrap();
        let mut place = Follower::new(&grammar);
        let mut text = Vec::new();
        let mut choices = choices.into_iter();
        // A model that wants anything at all, then one that wants to come to the end.
        while !place.is_complete() || choices.len() > 0 {
            let possible: Vec<u8> = (0..=255).filter(|byte| place.after(&[*byte]).is_some()).collect();
            prop_assert!(!possible.is_empty(), "a dead end after {}", String::from_utf8_lossy(&text));
            let ending = b"\"}]:,0u\x80".iter().copied().find(|byte| possible.contains(byte));
            let byte = match choices.next() {
                Some(choice) => possible[choice as usize % possible.len()],
                None => ending.unwrap_or(possible[0]),
            };
            place = place.after(&[byte]).unwrap();
            text.push(byte);
            prop_assert!(text.len() < 20_000, "no end to {}", schema);
        }
        let value: Value = serde_json::from_slice(&text).map_err(|error| TestCaseError::fail(format!("{error}: {}", String::from_utf8_lossy(&text))))?;
        prop_assert!(satisfies(&schema, &value), "{schema} does not allow {value}");
    }
}
