//! One field: what it is called, what it holds, and how much of it.
//!
//! Bounds here are generous: what a person may well type too long is refused by the service that knows it, in
//! words for that field and with the form still filled in. These are for what no form of ours sends.

use serde_json::Value;

/// A field of a form, an address or a JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// What it is called.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether, and how often, it comes.
    pub need: Need,
}

/// Whether, and how often, a field comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Once.
    Always,
    /// Once or not at all.
    Maybe,
    /// Not at all, or up to this many times.
    UpTo(usize),
}

/// What a field holds. Numbers are most bytes of UTF-8, unless they say otherwise.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A line of anybody's words: no control characters, and none that turn the direction of what follows.
    Line(usize),
    /// Words on several lines: no control characters but the ends of lines and tabs.
    Text(usize),
    /// A password or a message, as it comes: any characters but NUL.
    Free(usize),
    /// A word of ours or a token: visible ASCII.
    Word(usize),
    /// An identifier.
    Id,
    /// A whole number up to this, in digits; a field that may be left out may also be empty.
    Number(u64),
    /// `true` or `false`.
    Flag,
    /// An object with fields of its own. In JSON alone.
    Object(&'static [Field]),
}

impl Field {
    /// Whether a value of a form belongs here.
    pub(super) fn takes(&self, value: &str) -> bool {
        let empty_for_none = value.is_empty() && self.need != Need::Always;
        empty_for_none || self.kind.takes(value)
    }

    /// Whether a JSON value belongs here.
    pub(super) fn takes_json(&self, value: &Value) -> bool {
        match (self.kind, value) {
            (_, Value::Null) => self.need != Need::Always,
            (Kind::Flag, Value::Bool(_)) => true,
            (Kind::Number(most), Value::Number(number)) => {
                number.as_u64().is_some_and(|number| number <= most)
            }
            (Kind::Object(fields), Value::Object(_)) => misfit(fields, value).is_none(),
            (Kind::Flag | Kind::Number(_) | Kind::Object(_), _) => false,
            (kind, Value::String(text)) => kind.takes(text),
            _ => false,
        }
    }
}

impl Kind {
    fn takes(self, value: &str) -> bool {
        match self {
            Self::Line(most) => value.len() <= most && !value.chars().any(|c| c.is_control() || turns(c)),
            Self::Text(most) => {
                let is_break = |c: char| matches!(c, '\n' | '\r' | '\t');
                value.len() <= most && !value.chars().any(|c| c.is_control() && !is_break(c))
            }
            Self::Free(most) => value.len() <= most && !value.contains('\0'),
            Self::Word(most) => value.len() <= most && value.bytes().all(|byte| byte.is_ascii_graphic()),
            Self::Id => value.len() == 36 && uuid::Uuid::try_parse(value).is_ok(),
            Self::Number(most) => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                digits && value.parse::<u64>().is_ok_and(|number| number <= most)
            }
            Self::Flag => matches!(value, "true" | "false"),
            Self::Object(_) => false,
        }
    }
}

/// The first field of a JSON object that does not fit: `Some(None)` when it is one nobody knows.
pub(super) fn misfit(fields: &'static [Field], object: &Value) -> Option<Option<&'static str>> {
    let Value::Object(object) = object else { return Some(None) };
    object.iter().find_map(|(name, value)| {
        let known = fields.iter().find(|field| field.name == name);
        match known {
            None => Some(None),
            Some(field) => (!field.takes_json(value)).then_some(Some(field.name)),
        }
    })
}

/// Characters that turn the direction in which what follows is shown, so that a line reads as another.
const fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_takes_its_own_and_nothing_else() {
        let long = "é".repeat(6);
        for (kind, good, bad) in [
            (
                Kind::Line(10),
                &["", "Ada <b>", "नमस"][..],
                &["a\nb", "a\0", "a\u{202e}b", "\u{1b}[0m", &long][..],
            ),
            (Kind::Text(10), &["a\nb\tc", "שלום"], &["a\0", "\u{7f}", &long]),
            (Kind::Free(10), &["a\u{202e}b", "\t"], &["a\0", &long]),
            (Kind::Word(10), &["a-b_c/d", "<b>"], &["a b", "é", "12345678901"]),
            (
                Kind::Id,
                &["01890a5d-ac96-774b-bcce-b302099a8057"],
                &["", "01890a5dac96774bbcceb302099a8057", "x"],
            ),
            (Kind::Number(10), &["0", "10"], &["", "11", "-1", "+1", "1e0", "１", "99999999999999999999"]),
            (Kind::Flag, &["true", "false"], &["", "yes", "1"]),
            (Kind::Object(&[]), &[], &["", "{}"]),
        ] {
            for value in good {
                assert!(kind.takes(value), "{kind:?} {value:?}");
            }
            for value in bad {
                assert!(!kind.takes(value), "{kind:?} {value:?}");
            }
        }
    }

    #[test]
    fn json_is_held_against_its_fields_to_the_innermost() {
        const INNER: &[Field] = &[Field { name: "text", kind: Kind::Text(4), need: Need::Always }];
        const OUTER: &[Field] = &[
            Field { name: "say", kind: Kind::Object(INNER), need: Need::Maybe },
            Field { name: "pinned", kind: Kind::Flag, need: Need::Maybe },
            Field { name: "days", kind: Kind::Number(9), need: Need::Always },
        ];
        let fits = |value: Value| misfit(OUTER, &value).is_none();
        assert!(
            fits(json!({ "say": { "text": "abcd" }, "pinned": true, "days": 9 }))
                && fits(json!({ "say": null }))
        );
        for wrong in [
            json!([]),
            json!(7),
            json!({ "other": 1 }),
            json!({ "say": { "text": "abcde" } }),
            json!({ "say": { "text": "a", "more": 1 } }),
            json!({ "say": "abc" }),
            json!({ "pinned": "true" }),
            json!({ "days": 10 }),
            json!({ "days": -1 }),
            json!({ "days": 1.5 }),
            json!({ "days": null }),
        ] {
            assert!(!fits(wrong.clone()), "{wrong}");
        }
    }
}
