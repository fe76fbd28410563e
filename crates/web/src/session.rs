//! Who is asking: the cookies of a session and the extractors every handler begins with.
//!
//! A page handler takes [`Visitor`] (anybody) or [`SignedIn`] (a person), or [`Unattended`] when the page
//! asks by itself; a handler of `/v1` takes [`ApiCaller`]. A cookie is never looked at on `/v1`, a key never
//! on a page. Two cookies carry a session, an access and a refresh token; when the first is over, the
//! extractor has the next pair made and the edge puts it on whatever is answered.

mod jar;

use axum::{
    extract::{FromRef, FromRequestParts},
    response::Response,
};
use domain::{
    Actor, Ctx, Secret, Timestamp,
    access::Standing,
    enforced,
    id::{SessionId, UserId},
};
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use identity::{Presented, Tokens};

use crate::{
    App, Nonce, Problem,
    edge::{Arrival, limit::Who},
};

pub use jar::Jar;

/// The cookie of the access token. The prefix makes browsers insist on `Secure` and `Path=/`.
pub const COOKIE: &str = "__Host-troth";
/// The cookie of the refresh token.
pub const REFRESH_COOKIE: &str = "__Host-troth-refresh";

/// What both say beside their values.
const ATTRIBUTES: &str = "; Path=/; Secure; HttpOnly; SameSite=Lax";

/// What a recognised session says about its person.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// What the account may do, and what this session has shown.
    pub standing: Standing,
    /// The name they signed in with.
    pub name: String,
    /// How they like things.
    pub settings: identity::Settings,
    /// When the session ends however busy it is.
    pub expires: Timestamp,
    /// When it ends if nothing more happens.
    pub idle_ends: Timestamp,
}

/// Anybody who opens a page, signed in or not.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The circumstances; the actor is the person when there is one.
    pub ctx: Ctx,
    /// The person, when the cookie is a session's.
    pub person: Option<Person>,
    /// The nonce scripts of this response carry.
    pub nonce: Nonce,
    /// The browser in a few words, e.g. `Firefox on Linux`.
    pub device: String,
}

/// A person who is signed in. Others get the sign-in page, or a 401 when they are no page.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The circumstances, acting as the person.
    pub ctx: Ctx,
    /// The person.
    pub person: Person,
    /// The nonce scripts of this response carry.
    pub nonce: Nonce,
}

/// The same, when the page asks by itself: it is no sign that somebody is there, and no session lasts longer.
#[derive(Clone, Debug)]
pub struct Unattended(pub SignedIn);

/// A program with a personal API key.
#[derive(Clone, Debug)]
pub struct ApiCaller {
    /// The circumstances, acting as the key.
    pub ctx: Ctx,
}

impl<S> FromRequestParts<S> for Visitor
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Self::of(parts, &App::from_ref(state), true).await
    }
}

impl Visitor {
    /// Who asks; `attended` when it shows that somebody is there.
    async fn of(parts: &Parts, app: &App, attended: bool) -> Result<Self, Problem> {
        let arrival = Arrival::of(parts, app);
        let (ctx, nonce) = (arrival.ctx.clone(), arrival.nonce.clone());
        let nobody = Self { ctx, person: None, nonce, device: device(&parts.headers) };
        let (access, refresh) =
            (cookie_named(&parts.headers, COOKIE), cookie_named(&parts.headers, REFRESH_COOKIE));
        if access.is_none() && refresh.is_none() {
            return Ok(nobody);
        }
        let presented = Presented { access: access.as_ref(), refresh: refresh.as_ref() };
        let known = match attended {
            true => app.identity.recognise_session(&nobody.ctx, presented).await?,
            false => app.identity.recognise_page(&nobody.ctx, presented).await?,
        };
        let Some(known) = known else { return Ok(nobody) };
        if let Some(tokens) = &known.renewed {
            arrival.jar.put(cookies(tokens), nobody.ctx.now());
        }
        let Actor::Person { user, session, standing } = known.actor else { return Ok(nobody) };
        let ctx = app.identity.acting_within_bounds(&nobody.ctx, known.actor).await?;
        arrival.recognised(app, &ctx, Who::of(&ctx.actor)).await?;
        let person = Person {
            user,
            session,
            standing,
            name: known.name,
            settings: known.settings,
            expires: known.expires,
            idle_ends: known.idle_ends,
        };
        Ok(Self { ctx, person: Some(person), ..nobody })
    }

    fn signed_in(self) -> Result<SignedIn, Problem> {
        let Self { ctx, person, nonce, .. } = self;
        Ok(SignedIn { ctx, person: person.ok_or_else(Problem::sign_in_needed)?, nonce })
    }
}

impl<S> FromRequestParts<S> for SignedIn
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Visitor::of(parts, &App::from_ref(state), true).await?.signed_in()
    }
}

impl<S> FromRequestParts<S> for Unattended
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Visitor::of(parts, &App::from_ref(state), false).await?.signed_in().map(Self)
    }
}

impl<S> FromRequestParts<S> for ApiCaller
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let app = App::from_ref(state);
        let arrival = Arrival::of(parts, &app);
        let key = bearer(&parts.headers).ok_or_else(Problem::key_needed)?;
        let actor = app.identity.recognise_api_key(&arrival.ctx, key.expose()).await?;
        let actor = actor.ok_or_else(Problem::key_needed)?;
        let ctx = app.identity.acting_within_bounds(&arrival.ctx, actor).await?;
        arrival.recognised(&app, &ctx, Who::of(&ctx.actor)).await?;
        Ok(Self { ctx })
    }
}

/// Begins a session in the browser; it ends with the browser.
pub fn begin(response: &mut Response, tokens: &Tokens) {
    for cookie in cookies(tokens) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Whether a handler began a session with `response`.
pub(crate) fn begins(response: &Response) -> bool {
    let token = |value: &HeaderValue| {
        let rest = value.as_bytes().strip_prefix(COOKIE.as_bytes())?.strip_prefix(b"=")?;
        rest.first().copied()
    };
    response.headers().get_all(header::SET_COOKIE).iter().filter_map(token).any(|first| first != b';')
}

/// Ends it.
pub fn end(response: &mut Response) {
    for name in [COOKIE, REFRESH_COOKIE] {
        let cookie = HeaderValue::try_from(format!("{name}={ATTRIBUTES}; Max-Age=0"));
        response.headers_mut().extend(cookie.ok().map(|cookie| (header::SET_COOKIE, cookie)));
    }
    // Pages keep nothing in the browser's storage; whatever another version ever kept goes too.
    let storage = HeaderValue::from_static("\"storage\"");
    response.headers_mut().insert(HeaderName::from_static("clear-site-data"), storage);
}

/// The `Set-Cookie` values that carry a session.
fn cookies(tokens: &Tokens) -> Vec<HeaderValue> {
    let both = [(COOKIE, &tokens.access), (REFRESH_COOKIE, &tokens.refresh)];
    both.into_iter().filter_map(|(name, token)| cookie(name, token)).collect()
}

fn cookie(name: &str, token: &Secret<String>) -> Option<HeaderValue> {
    enforced!(SES03);
    let text = format!("{name}={}{ATTRIBUTES}", token.expose());
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    enforced!(SES03);
    Some(value)
}

/// The value of a cookie of ours. Two of one name are an attack, not a cookie.
pub(crate) fn cookie_named(headers: &HeaderMap, name: &str) -> Option<Secret<String>> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='));
    let token = found.next()?;
    (found.next().is_none() && !token.is_empty()).then(|| Secret::new(token.to_owned()))
}

/// The key of an `Authorization: Bearer` header; clients of Deepgram's format write `Token`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Secret<String>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    let known = ["bearer", "token"].into_iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (known && !key.trim().is_empty()).then(|| Secret::new(key.trim().to_owned()))
}

/// Where files are, and answers for scripts: no place to arrive at. A link must not begin a download.
const NO_PAGES: [&str; 6] = ["/chat/api", "/assets", "/session", "/v1", "/scim", "/openapi.json"];

/// The page to go to after signing in: a path of ours, or nothing. Never another site, never a file.
#[must_use]
pub fn safe_next(next: &str) -> Option<&str> {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let under =
        |place: &str| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    // Browsers take steps back out of a path, written plainly or not, before they ask for it.
    let steps = path.to_ascii_lowercase().replace("%2e", ".").contains("/.");
    let is_page = !steps && !NO_PAGES.into_iter().any(under) && !path.ends_with("/report");
    (next.starts_with('/') && !next.starts_with("//") && plain && is_page).then_some(next)
}

/// A browser in a few words, for the list of sessions; nothing that identifies more than its kind.
fn device(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // The order matters: Edge and Opera call themselves Chrome, and everything calls itself Safari.
    let browsers = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let named = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&browsers), named(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "an unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn the_session_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let _proof = verifies!(SES03);
        let value = cookie(COOKIE, &Secret::new("abc".to_owned())).unwrap();
        assert_eq!(value.to_str().unwrap(), "__Host-troth=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
        assert!(value.is_sensitive());
    }

    #[test]
    fn a_token_that_could_break_out_of_the_cookie_makes_none() {
        assert!(cookie(COOKIE, &Secret::new("a\r\nSet-Cookie: x=y".to_owned())).is_none());
    }

    #[test]
    fn one_session_cookie_is_read_and_two_are_refused() {
        let one = headers(header::COOKIE, "a=1; __Host-troth-refresh=def; __Host-troth=abc; b=2");
        assert_eq!(cookie_named(&one, REFRESH_COOKIE).unwrap().expose(), "def");
        assert_eq!(cookie_named(&one, COOKIE).unwrap().expose(), "abc");
        assert!(
            cookie_named(&headers(header::COOKIE, "__Host-troth=abc; __Host-troth=def"), COOKIE).is_none()
        );
        assert!(cookie_named(&headers(header::COOKIE, "__Host-trothy=abc; __Host-troth="), COOKIE).is_none());
    }

    #[test]
    fn a_bearer_key_is_read_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer(&headers(header::AUTHORIZATION, "bearer troth_x")).unwrap().expose(), "troth_x");
        assert_eq!(bearer(&headers(header::AUTHORIZATION, "Token troth_x")).unwrap().expose(), "troth_x");
        assert!(bearer(&headers(header::AUTHORIZATION, "Basic troth_x")).is_none());
        assert!(bearer(&headers(header::AUTHORIZATION, "Bearer ")).is_none());
    }

    #[test]
    fn after_signing_in_one_stays_here() {
        assert_eq!(safe_next("/chat/1"), Some("/chat/1"));
        assert_eq!(safe_next("/chat/apiary?to=/chat/api/"), Some("/chat/apiary?to=/chat/api/"));
        for file in [
            "/chat/api/export?format=json",
            "/chat/api/",
            "/chat/api",
            "/chat/api?x",
            "/chat/api#x",
            "/admin/reviews/1/report",
            "/admin/reviews/1/report?x=y",
            "/session/left",
            "/x/../chat/api/export?format=json",
            "/x/.%2E/chat/api/export",
        ] {
            assert_eq!(safe_next(file), None, "{file}");
        }
        for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "chat", "/a\nb", ""] {
            assert_eq!(safe_next(elsewhere), None, "{elsewhere:?}");
        }
    }

    #[test]
    fn devices_are_named_by_their_kind() {
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0";
        assert_eq!(device(&headers(header::USER_AGENT, edge)), "Edge on Windows");
        assert_eq!(device(&HeaderMap::new()), "an unknown browser");
    }
}
