//! The table: what each route of the pages takes.
//!
//! Two kinds of routes are described elsewhere and stand here without fields: `/v1` in the published
//! description of the API, `/scim` by the schemas of its standard. `crates/server/tests/it/inputs.rs` sends
//! every row wrong, missing, doubled, unknown and hostile fields.

use domain::{chat::MAX_MESSAGE_BYTES, enforced};
use http::Method;
use serde_json::Value;

use super::field::{Field, Kind, Need, misfit};
use crate::Problem;

/// How something comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A form as browsers send it.
    Form,
    /// A JSON object.
    Json,
    /// In the address, after `?`. Names that are not known are ignored where the page ignores them.
    Address,
    /// A file, alone or in a form; what is in it is the service's to read.
    File,
    /// Described elsewhere.
    Elsewhere,
}

/// What one route takes.
#[derive(Clone, Copy, Debug)]
pub struct Takes {
    /// The method.
    pub method: &'static str,
    /// The path, as its route spells it.
    pub path: &'static str,
    /// How it comes.
    pub way: Way,
    /// Each field.
    pub fields: &'static [Field],
}

impl Takes {
    pub(super) fn is(&self, method: &Method, path: &str) -> bool {
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        self.method == method && self.path == path
    }

    /// Holds the fields of a form, or of an address, against what is written here.
    pub(super) fn hold(&self, pairs: Vec<(String, String)>) -> Result<(), Problem> {
        let mut counts = vec![0_usize; self.fields.len()];
        for (name, value) in pairs {
            let Some(at) = self.fields.iter().position(|field| field.name == name) else {
                // Links from elsewhere add names of their own to addresses; nobody reads them.
                if self.way == Way::Address {
                    continue;
                }
                return Err(unknown());
            };
            counts[at] += 1;
            if !self.fields[at].takes(&value) {
                return Err(unfit(self.fields[at].name));
            }
        }
        for (field, count) in self.fields.iter().zip(counts) {
            let fits = match field.need {
                Need::Always => count == 1,
                Need::Maybe => count <= 1,
                Need::UpTo(most) => count <= most,
            };
            if !fits {
                return Err(unfit(field.name));
            }
        }
        Ok(())
    }

    /// Holds a JSON object against what is written here.
    pub(super) fn hold_json(&self, value: &Value) -> Result<(), Problem> {
        match misfit(self.fields, value) {
            None => Ok(()),
            Some(None) => Err(unknown()),
            Some(Some(name)) => Err(unfit(name)),
        }
    }
}

fn unfit(name: &'static str) -> Problem {
    enforced!(WEB16);
    let detail = "A field is missing, comes twice, is too long, or holds what does not belong there.";
    Problem::bad_request(detail).about(name)
}

fn unknown() -> Problem {
    enforced!(WEB16);
    Problem::bad_request(
        "There are fields in it that this page does not know. Reload the page and try again.",
    )
}

const fn field(name: &'static str, kind: Kind, need: Need) -> Field {
    Field { name, kind, need }
}

const fn must(name: &'static str, kind: Kind) -> Field {
    field(name, kind, Need::Always)
}

const fn may(name: &'static str, kind: Kind) -> Field {
    field(name, kind, Need::Maybe)
}

const fn takes(way: Way, method: &'static str, path: &'static str, fields: &'static [Field]) -> Takes {
    Takes { method, path, way, fields }
}

const fn form(path: &'static str, fields: &'static [Field]) -> Takes {
    takes(Way::Form, "POST", path, fields)
}

const fn json(method: &'static str, path: &'static str, fields: &'static [Field]) -> Takes {
    takes(Way::Json, method, path, fields)
}

const fn address(path: &'static str, fields: &'static [Field]) -> Takes {
    takes(Way::Address, "GET", path, fields)
}

/// A name of a person, a group, a key: what services take is shorter.
const NAME: Kind = Kind::Line(1024);
/// Passwords are refused beyond 256 bytes, in words.
const PASSWORD: Kind = Kind::Free(1024);
/// A ticket, a code of a link, a ceremony: ours, random.
const TOKEN: Kind = Kind::Word(256);
/// A code somebody types, with the blanks people put into it.
const CODE: Kind = Kind::Line(128);
/// Where to go next.
const NEXT: Kind = Kind::Line(4096);
/// What an authenticator answers; more than it ever says.
const ANSWER: Kind = Kind::Text(32 * 1024);
/// A word of ours: a choice among some.
const CHOICE: Kind = Kind::Word(64);
/// An e-mail address, or a network.
const ADDRESS: Kind = Kind::Line(1024);
/// A message. One a little too long is refused in words, with what was written still there.
const MESSAGE: Kind = Kind::Free(2 * MAX_MESSAGE_BYTES);
/// What was being written, in the field and in a message that was being changed.
const DRAFT: Kind = Kind::Free(6 * MAX_MESSAGE_BYTES);
/// A quota, as a form has it.
const QUOTA: Kind = Kind::Line(32);
/// The name of a model.
const MODEL: Kind = Kind::Line(256);
/// A moment, in microseconds.
const MOMENT: Kind = Kind::Number(i64::MAX.unsigned_abs());

const NEW_ACCOUNT: &[Field] = &[must("code", CODE), must("name", NAME), must("password", PASSWORD)];
const TICKET_AND_CODE: &[Field] = &[must("ticket", TOKEN), must("code", CODE)];
const DONE: &[Field] = &[may("done", CHOICE)];
const SURE: &[Field] = &[must("sure", CHOICE)];
const GROUP: &[Field] = &[
    must("name", NAME),
    may("temporary_only", CHOICE),
    may("models", CHOICE),
    field("model", MODEL, Need::UpTo(100)),
    may("messages_a_day", QUOTA),
    may("messages_a_month", QUOTA),
    may("tokens_a_day", QUOTA),
    may("tokens_a_month", QUOTA),
    may("voice_a_day", QUOTA),
    may("voice_a_month", QUOTA),
];
const KEPT: &[Field] = &[may("temporary", Kind::Flag)];
const NAMED: &[Field] = &[must("name", NAME)];
const OF_CONVERSATION: &[Field] = &[may("conversation", Kind::Id)];
const MESSAGE_ID: &[Field] = &[must("message", Kind::Id)];

/// Every route that takes anything.
pub const TAKES: &[Takes] = &[
    // Ways in.
    form("/setup", NEW_ACCOUNT),
    form("/setup/factor", TICKET_AND_CODE),
    json("POST", "/setup/advice", &[must("password", PASSWORD), may("name", NAME)]),
    address("/sign-in", &[may("next", NEXT), may("out", CHOICE)]),
    form("/sign-in", &[must("name", NAME), must("password", PASSWORD), may("next", NEXT)]),
    form(
        "/sign-in/factor",
        &[must("ticket", TOKEN), must("code", CODE), may("next", NEXT), may("passkey", CHOICE)],
    ),
    form("/sign-in/password", &[must("ticket", TOKEN), must("password", PASSWORD), may("next", NEXT)]),
    json("POST", "/sign-in/passkey/options", &[may("ticket", TOKEN)]),
    form(
        "/sign-in/passkey",
        &[must("ceremony", TOKEN), must("answer", ANSWER), may("ticket", TOKEN), may("next", NEXT)],
    ),
    form("/sign-in/enrol", &[must("ticket", TOKEN), must("code", CODE), may("next", NEXT)]),
    form("/sign-in/lost", &[must("ticket", TOKEN)]),
    address("/sign-in/with/{name}", &[may("next", NEXT)]),
    address(
        "/sign-in/with/{name}/done",
        &[
            may("code", Kind::Line(8192)),
            may("state", Kind::Line(8192)),
            may("iss", Kind::Line(2048)),
            may("error", Kind::Line(1024)),
        ],
    ),
    address("/sign-in/with/{name}/confirm", &[may("next", NEXT)]),
    form("/sign-in/with/{name}/factor", &[must("ticket", TOKEN), must("code", CODE), may("passkey", CHOICE)]),
    json("POST", "/sign-in/with/{name}/passkey/options", &[must("ticket", TOKEN)]),
    form(
        "/sign-in/with/{name}/passkey",
        &[must("ticket", TOKEN), must("ceremony", TOKEN), must("answer", ANSWER)],
    ),
    form("/invitation", NEW_ACCOUNT),
    form("/invitation/factor", TICKET_AND_CODE),
    form("/forgot", &[must("address", ADDRESS)]),
    form("/reset", &[must("code", TOKEN), must("password", PASSWORD)]),
    form("/confirm-address", &[must("code", TOKEN)]),
    // Confirming who one is.
    address("/confirm", &[may("next", NEXT), may("again", CHOICE), may("factor", CHOICE)]),
    form(
        "/confirm",
        &[
            may("next", NEXT),
            may("again", CHOICE),
            may("factor", CHOICE),
            may("password", PASSWORD),
            may("code", CODE),
            may("ceremony", TOKEN),
            may("answer", ANSWER),
        ],
    ),
    json("POST", "/confirm/api", &[may("password", PASSWORD), may("code", CODE)]),
    json("POST", "/confirm/options", &[]),
    // Talking.
    address("/voice", DONE),
    address("/voice/call", &[may("desk", CHOICE)]),
    form(
        "/voice/consent",
        &[
            must("version", Kind::Number(1_000_000)),
            may("process_call", CHOICE),
            may("keep_transcript", CHOICE),
            may("keep_audio", CHOICE),
            may("share_speech", CHOICE),
        ],
    ),
    // One's own account.
    address("/account", DONE),
    address("/account/factors", DONE),
    json("POST", "/account/passkeys/options", &[]),
    form("/account/passkeys", &[must("ceremony", TOKEN), must("answer", ANSWER), must("name", NAME)]),
    form("/account/passkeys/{id}/rename", NAMED),
    form("/account/authenticator/confirm", TICKET_AND_CODE),
    form("/account/looks", &[must("language", CHOICE), must("theme", CHOICE)]),
    form("/account/password", &[must("current", PASSWORD), must("password", PASSWORD)]),
    form("/account/codes", &[must("code", CODE)]),
    form(
        "/account/keys",
        &[
            must("label", NAME),
            may("days", Kind::Number(100_000)),
            may("chosen", CHOICE),
            may("use_model", CHOICE),
            may("embed", CHOICE),
            may("speech", CHOICE),
            may("read_instance", CHOICE),
            may("hold_desk", CHOICE),
        ],
    ),
    form("/account/keys/{id}/replace", &[must("overlap_hours", Kind::Number(100_000))]),
    form("/account/notices", &[must("until", MOMENT)]),
    form("/account/consents/withdraw", &[may("purpose", CHOICE)]),
    takes(Way::File, "POST", "/account/import", &[]),
    form("/account/delete-chats", SURE),
    form("/account/address", &[must("address", ADDRESS)]),
    form("/account/leave", SURE),
    // The chats.
    address("/chat", &[may("archive", CHOICE)]),
    json(
        "POST",
        "/chat/api/ask",
        &[
            may("conversation", Kind::Id),
            must("temporary", Kind::Flag),
            may("model", MODEL),
            may("say", Kind::Object(&[must("text", MESSAGE)])),
            may("edit", Kind::Object(&[must("message", Kind::Id), must("text", MESSAGE)])),
            may("regenerate", Kind::Object(MESSAGE_ID)),
        ],
    ),
    address("/chat/api/rail", &[may("archive", Kind::Flag), may("here", Kind::Id)]),
    address("/chat/api/search", &[must("q", Kind::Line(4096))]),
    json("PUT", "/chat/api/model", &[must("model", MODEL)]),
    json("PUT", "/chat/api/draft", &[may("conversation", Kind::Id), must("text", DRAFT)]),
    takes(Way::Address, "DELETE", "/chat/api/draft", OF_CONVERSATION),
    address(
        "/chat/api/turns/{id}/events",
        &[may("from", MOMENT), must("conversation", Kind::Id), may("temporary", Kind::Flag)],
    ),
    json(
        "PATCH",
        "/chat/api/conversations/{id}",
        &[
            may("title", NAME),
            may("pinned", Kind::Flag),
            may("archived", Kind::Flag),
            may("folder", Kind::Id),
        ],
    ),
    address("/chat/api/conversations/{id}/thread", KEPT),
    json("POST", "/chat/api/conversations/{id}/branch", MESSAGE_ID),
    address("/chat/api/conversations/{id}/messages/{message}/text", KEPT),
    json("POST", "/chat/api/folders", NAMED),
    json("PATCH", "/chat/api/folders/{id}", NAMED),
    address("/chat/api/export", &[must("format", CHOICE), may("conversation", Kind::Id)]),
    takes(Way::File, "POST", "/chat/api/import", &[]),
    // Those who run the instance.
    address("/trust", &[may("policy", CHOICE), may("state", CHOICE)]),
    address("/admin/people", &[may("q", NAME), may("page", Kind::Number(1_000_000)), may("done", CHOICE)]),
    address(
        "/admin/people/{id}",
        &[may("q", NAME), may("page", Kind::Number(1_000_000)), may("done", CHOICE)],
    ),
    form("/admin/people/invite", &[may("address", ADDRESS), field("role", CHOICE, Need::UpTo(16))]),
    form("/admin/people/{id}/delete", SURE),
    form("/admin/people/{id}/groups", &[must("group", Kind::Id), must("act", CHOICE)]),
    address("/admin/groups", DONE),
    form("/admin/groups", GROUP),
    address("/admin/groups/{id}", DONE),
    form("/admin/groups/{id}", GROUP),
    address("/admin/mail", DONE),
    form("/admin/mail", &[must("address", ADDRESS)]),
    address("/admin/addresses", DONE),
    form(
        "/admin/addresses",
        &[must("network", ADDRESS), must("verdict", CHOICE), must("time", CHOICE), may("note", NAME)],
    ),
    address("/admin/directory", DONE),
    address("/admin/recoveries", DONE),
    form("/admin/recoveries/{id}/agree", &[must("word", CODE)]),
    address("/admin/roles", DONE),
    form("/admin/roles/grant", &[must("account", Kind::Id), must("role", CHOICE), may("until", CHOICE)]),
    form("/admin/roles/take", &[must("account", Kind::Id), must("role", CHOICE)]),
    form(
        "/admin/roles/own",
        &[may("id", Kind::Id), may("name", NAME), may("about", NAME), field("right", CHOICE, Need::UpTo(38))],
    ),
    address("/desk/calls", DONE),
    form("/desk/calls/{id}/say", &[must("text", Kind::Text(2_000))]),
    form("/desk/calls/{id}/sort", &[must("category", CHOICE)]),
    form("/desk/customers/find", &[must("who", NAME)]),
    form("/desk/customers/{id}/erase", SURE),
    form("/admin/content", &[must("account", Kind::Id), must("reason", Kind::Text(8192))]),
    form(
        "/admin/reviews/{id}/decide",
        &[must("account", Kind::Id), must("grant", CHOICE), must("verdict", CHOICE)],
    ),
    // Described elsewhere.
    takes(Way::Elsewhere, "POST", "/v1/chat/completions", &[]),
    takes(Way::Elsewhere, "POST", "/v1/embeddings", &[]),
    takes(Way::Elsewhere, "POST", "/v1/audio/speech", &[]),
    takes(Way::Elsewhere, "POST", "/v1/audio/transcriptions", &[]),
    takes(Way::Elsewhere, "GET", "/v1/listen", &[]),
    takes(Way::Elsewhere, "POST", "/v1/listen", &[]),
    takes(Way::Elsewhere, "GET", "/v1/speak", &[]),
    takes(Way::Elsewhere, "POST", "/v1/speak", &[]),
    takes(
        Way::Address,
        "GET",
        "/v1/realtime",
        &[may("model", Kind::Word(128)), may("x_events", Kind::Word(16))],
    ),
    takes(Way::Elsewhere, "POST", "/v1/realtime/client_secrets", &[]),
    takes(Way::Elsewhere, "POST", "/v1/auth/grant", &[]),
    takes(Way::Elsewhere, "POST", "/scim/v2/Users", &[]),
    takes(Way::Elsewhere, "POST", "/scim/v2/Users/.search", &[]),
    takes(Way::Elsewhere, "PUT", "/scim/v2/Users/{id}", &[]),
    takes(Way::Elsewhere, "PATCH", "/scim/v2/Users/{id}", &[]),
    takes(Way::Elsewhere, "POST", "/scim/v2/Groups", &[]),
    takes(Way::Elsewhere, "POST", "/scim/v2/Groups/.search", &[]),
    takes(Way::Elsewhere, "PUT", "/scim/v2/Groups/{id}", &[]),
    takes(Way::Elsewhere, "PATCH", "/scim/v2/Groups/{id}", &[]),
];

#[cfg(test)]
mod tests {
    use domain::verifies;
    use serde_json::json;

    use super::*;

    fn row(method: &str, path: &str) -> &'static Takes {
        TAKES.iter().find(|takes| (takes.method, takes.path) == (method, path)).unwrap()
    }

    fn held(path: &str, fields: &[(&str, &str)]) -> Result<(), Option<String>> {
        let owned = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        row("POST", path).hold(owned).map_err(|problem| problem.param)
    }

    #[test]
    fn a_form_is_held_against_its_row() {
        let _proof = verifies!(WEB16);
        let who = [("name", "Ada"), ("password", "x"), ("next", "")];
        assert_eq!(held("/sign-in", &who), Ok(()));
        assert_eq!(held("/sign-in", &who[..2]), Ok(()), "next may be left out");
        let at = |name: &str| Err(Some(name.to_owned()));
        assert_eq!(held("/sign-in", &who[..1]), at("password"));
        assert_eq!(held("/sign-in", &[who[0], who[1], who[0]]), at("name"));
        assert_eq!(held("/sign-in", &[who[0], who[1], ("owner", "yes")]), Err(None), "its name is not told");
        assert_eq!(held("/sign-in", &[("name", "a\0"), who[1]]), at("name"));
        assert_eq!(held("/sign-in", &[who[0], ("password", &"x".repeat(1025))]), at("password"));
        let models =
            |count| [("name", "x")].into_iter().chain(vec![("model", "m"); count]).collect::<Vec<_>>();
        assert_eq!(held("/admin/groups", &models(100)), Ok(()));
        assert_eq!(held("/admin/groups", &models(101)), at("model"));
    }

    #[test]
    fn json_is_held_against_its_row() {
        let _proof = verifies!(WEB16);
        let ask =
            |value: Value| row("POST", "/chat/api/ask").hold_json(&value).map_err(|problem| problem.param);
        assert_eq!(ask(json!({ "temporary": false, "say": { "text": "a\u{1b}b" } })), Ok(()));
        assert_eq!(ask(json!({ "temporary": "no" })), Err(Some("temporary".to_owned())));
        assert_eq!(ask(json!({ "say": { "text": 7 } })), Err(Some("say".to_owned())));
        assert_eq!(ask(json!({ "temporary": false, "as": "owner" })), Err(None));
        assert_eq!(ask(json!([])), Err(None));
    }

    #[test]
    fn every_route_stands_here_once_with_fields_that_have_bounds() {
        for (at, takes) in TAKES.iter().enumerate() {
            let same = |other: &Takes| {
                (other.method, other.path, other.way) == (takes.method, takes.path, takes.way)
            };
            assert!(!TAKES[..at].iter().any(same), "{takes:?}");
            for field in takes.fields {
                let most = match field.kind {
                    Kind::Line(most) | Kind::Text(most) | Kind::Free(most) | Kind::Word(most) => most,
                    Kind::Id | Kind::Number(_) | Kind::Flag | Kind::Object(_) => 0,
                };
                assert!(most <= 6 * MAX_MESSAGE_BYTES, "{takes:?} {field:?}");
                assert!(takes.way == Way::Json || !matches!(field.kind, Kind::Object(_)), "{takes:?}");
            }
        }
    }
}
