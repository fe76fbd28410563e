//! Which limit a route falls under. Called by the edge for every request.

use domain::control::Numbers;
use http::Method;

use crate::edge::origin;

/// Kinds of routes that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Where a credential is tried or a way in is asked for, by somebody we do not know yet.
    SignIn,
    /// Pages and what their scripts ask for.
    Page,
    /// Questions to a model in the chat.
    Ask,
    /// Programs.
    Api,
    /// Exports and imports: few, and heavy.
    Transfer,
}

impl Class {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::SignIn, Self::Page, Self::Ask, Self::Api, Self::Transfer];

    /// The class of a route; `None` is not counted: files whose address is their hash, and the sign of life.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        let writes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        let under = |first: &str| {
            path.strip_prefix(first).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if under("/assets") || path == "/healthz" {
            None
        } else if origin::is_api(path) || under("/scim") {
            Some(Self::Api)
        } else if path == "/chat/api/ask" {
            Some(Self::Ask)
        } else if path.ends_with("/export") || path.ends_with("/import") {
            Some(Self::Transfer)
        } else if begins_elsewhere(path) || writes && is_for_strangers(&under) && !path.ends_with("/advice") {
            Some(Self::SignIn)
        } else {
            Some(Self::Page)
        }
    }

    /// The class as the shared store spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Page => "page",
            Self::Ask => "ask",
            Self::Api => "api",
            Self::Transfer => "transfer",
        }
    }

    /// Most requests a minute of one account or key, or of one address where nobody is known.
    #[must_use]
    pub fn a_minute(self, numbers: &Numbers) -> u32 {
        match self {
            Self::SignIn => numbers.sign_ins_a_minute,
            Self::Page => numbers.pages_a_minute,
            Self::Ask => numbers.asks_a_minute,
            Self::Api => numbers.api_calls_a_minute,
            Self::Transfer => numbers.transfers_a_minute,
        }
    }
}

/// Whether a form here can be sent by somebody who is not signed in. Named by what is not, so that a new
/// way in falls under the strictest limit by itself.
fn is_for_strangers(under: &dyn Fn(&str) -> bool) -> bool {
    let known = ["/chat", "/account", "/admin", "/models", "/trust", "/sign-out", "/session", "/confirm"];
    !known.into_iter().any(under)
}

/// Whether this page begins a sign-in at another service, of which as many are kept as there is room for.
fn begins_elsewhere(path: &str) -> bool {
    path.strip_prefix("/sign-in/with/").is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_falls_under_its_limit() {
        let of = |method: Method, path: &str| Class::of(&method, path);
        for path in ["/sign-in", "/sign-in/factor", "/setup", "/recover/begin", "/some/new/way/in"] {
            assert_eq!(of(Method::POST, path), Some(Class::SignIn), "{path}");
            assert_eq!(of(Method::GET, path), Some(Class::Page), "{path}");
        }
        assert_eq!(of(Method::GET, "/sign-in/with/work"), Some(Class::SignIn), "it begins there");
        assert_eq!(of(Method::GET, "/sign-in/with/work/done"), Some(Class::Page));
        for path in ["/session/stay", "/confirm", "/confirm/api", "/confirm/options"] {
            assert_eq!(of(Method::POST, path), Some(Class::Page), "{path} is of somebody we know");
        }
        assert_eq!(of(Method::POST, "/confirm-address"), Some(Class::SignIn));
        assert_eq!(of(Method::POST, "/setup/advice"), Some(Class::Page), "advice comes as one types");
        assert_eq!(of(Method::POST, "/account/password"), Some(Class::Page));
        assert_eq!(of(Method::POST, "/sign-out"), Some(Class::Page));
        assert_eq!(of(Method::POST, "/chat/api/ask"), Some(Class::Ask));
        assert_eq!(of(Method::GET, "/chat/api/export"), Some(Class::Transfer));
        assert_eq!(of(Method::POST, "/v1/chat/completions"), Some(Class::Api));
        assert_eq!(of(Method::POST, "/v10"), Some(Class::SignIn));
        assert_eq!(of(Method::GET, "/assets/0/a.js"), None);
        assert_eq!(of(Method::GET, "/healthz"), None);
        for (number, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, number);
        }
    }
}
