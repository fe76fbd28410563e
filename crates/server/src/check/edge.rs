//! What the edge refuses and says, asked over HTTPS like any stranger would.

use assure::Unanswered;
use domain::{Control, Ctx, check::Finding};
use identity::{Identity, Verdict};
use reqwest::{Method, StatusCode};
use web::{
    edge::host::is_public,
    input::{TAKES, Way},
};

use super::{
    judge,
    probe::{self, Probe},
};
use crate::instance::Face;

/// Pages anybody may open, and one that is not there.
const OPEN: [&str; 3] = ["/healthz", "/sign-in", "/no/such/page"];
/// What only somebody known may open.
const CLOSED: [&str; 5] = ["/chat", "/account", "/models", "/v1/models", "/v1/chat/completions"];

/// Forms anybody may send.
const FORMS: [&str; 2] = ["/sign-in", "/reset"];
/// An identifier of nothing.
const NOTHING: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// Rooms of those who run the instance.
const ADMIN: [&str; 4] = ["/admin", "/admin/roles", "/admin/reviews", "/admin/content"];

pub(super) async fn the_headers_are_there(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let (mut wrong, mut nonces) = (None, Vec::new());
    for path in OPEN {
        let answer = probe.send(probe.get(path)).await?;
        let policy = answer.header("content-security-policy").to_owned();
        nonces.push(policy.clone());
        let strict = [
            "default-src 'none'",
            "'nonce-",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "trusted-types troth",
        ];
        let lax = ["unsafe-inline", "unsafe-eval", " *", "http:"];
        if !strict.iter().all(|part| policy.contains(part)) || lax.iter().any(|part| policy.contains(part)) {
            wrong = Some("An answer has no strict content security policy.".to_owned());
        }
        let fixed = [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")];
        if fixed.iter().any(|(name, value)| answer.header(name) != *value) {
            wrong = Some("An answer lacks a security header.".to_owned());
        }
        if !answer.header("strict-transport-security").is_empty() {
            wrong = Some("An answer binds `localhost`, which is not ours alone, to HTTPS.".to_owned());
        }
    }
    nonces.sort();
    nonces.dedup();
    if nonces.len() != OPEN.len() {
        wrong = Some("Two answers had the same nonce.".to_owned());
    }
    let public: Vec<&String> = face.config.web.hosts.iter().filter(|host| is_public(host)).collect();
    for host in &public {
        let answer = probe.send(probe.get("/healthz").header("host", host.as_str())).await?;
        if !answer.header("strict-transport-security").starts_with("max-age=") {
            wrong =
                Some("Browsers that come by a public name are not told to come by HTTPS only.".to_owned());
        }
    }
    if !public.is_empty() && face.config.web.hsts_seconds == 0 {
        wrong = Some("`web.hsts_seconds` is 0, so browsers are not told to come by HTTPS only.".to_owned());
    }
    let good = if public.is_empty() {
        "Every answer asked for carried the strict headers and its own nonce. No public name is configured, \
         so there was none to ask for HSTS by."
    } else {
        "Every answer asked for carried the strict headers and its own nonce, and HSTS by every public name."
    };
    Ok(judge(Control::WEB02, &ctx, wrong, good))
}

pub(super) async fn strange_hosts_are_refused(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let mut wrong = None;
    for host in ["strange.invalid", "localhost.strange.invalid"] {
        let answer = probe.send(probe.get("/healthz").header("host", host)).await?;
        if answer.status != StatusCode::MISDIRECTED_REQUEST {
            wrong = Some("A request for a strange host name was answered.".to_owned());
        }
    }
    Ok(judge(Control::WEB03, &ctx, wrong, "Requests for strange host names were refused."))
}

pub(super) async fn strange_writes_are_refused(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let post = |path: &str| probe.ask(Method::POST, path);
    let asked = [
        post("/sign-in").header("sec-fetch-site", "cross-site"),
        post("/sign-in").header("origin", "https://strange.invalid"),
        post("/sign-out"),
    ];
    let mut wrong = None;
    for request in asked {
        if probe.send(request).await?.status != StatusCode::FORBIDDEN {
            wrong = Some("A write that did not come from our own pages was not refused.".to_owned());
        }
    }
    Ok(judge(Control::WEB04, &ctx, wrong, "Writes from another site, and from nowhere, were refused."))
}

pub(super) async fn errors_tell_nothing(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let answer = probe.send(probe.get("/no/such/page-6f2b")).await?;
    let (reference, text) = (answer.header("x-request-id"), &answer.text);
    let wrong = if answer.status != StatusCode::NOT_FOUND {
        Some("A page that does not exist was not answered with 404.".to_owned())
    } else if reference.is_empty() || !text.contains(reference) {
        Some("An error came without its reference.".to_owned())
    } else if ["6f2b", "panicked", ".rs:"].iter().any(|part| text.contains(part)) {
        Some("An error repeated what was asked or what happened inside.".to_owned())
    } else {
        None
    };
    Ok(judge(Control::WEB07, &ctx, wrong, "An error said what to do and its reference, and nothing else."))
}

pub(super) async fn nothing_may_be_kept(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let mut wrong = None;
    for path in OPEN.iter().chain(&CLOSED) {
        if probe.send(probe.get(path)).await?.header("cache-control") != "no-store" {
            wrong = Some("An answer may be kept by browsers or proxies.".to_owned());
        }
    }
    let good = "Every answer asked for said no-store, in the places of personal ones as well. What pages keep in \
                the browser itself, which nobody can ask from here, a test in a browser looks at.";
    Ok(judge(Control::WEB08, &ctx, wrong, good))
}

/// Cookies nobody signed: unsigned, signed by algorithms that are not ours, and none of a token's form.
const FORGED: [&str; 4] = [
    // {"alg":"none","typ":"troth-access+jwt","kid":"0"} . {}
    "eyJhbGciOiJub25lIiwidHlwIjoidHJvdGgtYWNjZXNzK2p3dCIsImtpZCI6IjAifQ.e30.",
    // {"alg":"HS256","typ":"troth-access+jwt","kid":"0"} . {}
    "eyJhbGciOiJIUzI1NiIsInR5cCI6InRyb3RoLWFjY2Vzcytqd3QiLCJraWQiOiIwIn0.e30.AAAA",
    // {"alg":"EdDSA","typ":"troth-access+jwt","kid":"0"} . {}
    "eyJhbGciOiJFZERTQSIsInR5cCI6InRyb3RoLWFjY2Vzcytqd3QiLCJraWQiOiIwIn0.e30.AAAA",
    "AAAA",
];

pub(super) async fn forged_tokens_open_nothing(
    face: Face,
    identity: Identity,
    ctx: Ctx,
) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    // With the real key, and from within: a stranger's forgery says nothing about what our key signs.
    let tried = identity.try_access_tokens(&ctx).await;
    let mut wrong = tried.err().map(str::to_owned);
    for token in FORGED {
        let cookies = format!("{}={token}; {}={token}", web::session::COOKIE, web::session::REFRESH_COOKIE);
        let answer = probe.send(probe.get("/account").header("cookie", cookies)).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            wrong = Some("A token nobody signed opened a page.".to_owned());
        }
    }
    let good = match tried {
        Ok(Some(_)) => "An honest token is read; edited, expired, foreign and unsigned ones open nothing.",
        _ => {
            "Unsigned and foreign tokens open nothing; nobody has signed in yet, so there is no key of ours."
        }
    };
    Ok(judge(Control::SES04, &ctx, wrong, good).fact("lies refused", tried.ok().flatten().unwrap_or(0)))
}

pub(super) async fn no_origin_is_let_in(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let origin = "https://strange.invalid";
    let preflight = probe
        .ask(Method::OPTIONS, "/v1/chat/completions")
        .header("origin", origin)
        .header("access-control-request-method", "POST");
    let mut wrong = None;
    for request in [
        preflight,
        probe.get("/v1/models").header("origin", origin),
        probe.get("/healthz").header("origin", origin),
    ] {
        if probe.send(request).await?.has_header_like("access-control-") {
            wrong = Some("An answer lets another origin read it.".to_owned());
        }
    }
    Ok(judge(Control::WEB09, &ctx, wrong, "No answer let another origin read it; a preflight was refused."))
}

pub(super) async fn everybody_has_a_limit(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    if face.lists.verdict(probe::local(&face)?.ip(), ctx.now()) == Some(Verdict::Allow) {
        let why = "This machine's own address is let in by the address lists, which nobody counts.";
        return Ok(Finding::not_applicable(Control::WEB10, ctx.now(), why));
    }
    let probe = Probe::of(&face)?;
    let numbers = &face.config.numbers;
    let expected = [("/sign-in", numbers.pages_a_minute), ("/v1/models", numbers.api_calls_a_minute)];
    let mut wrong = None;
    for (path, a_minute) in expected {
        let answer = probe.send(probe.get(path)).await?;
        let policy = format!("\"address\";q={};w=60", a_minute.saturating_mul(numbers.address_times));
        let is_counted = answer.header("ratelimit").starts_with("\"address\";r=");
        if answer.header("ratelimit-policy") != policy || !is_counted {
            wrong = Some(format!("{path} was answered without counting who asked, or by another limit."));
        }
    }
    let counted = match face.limits.count_together().await {
        None => "here alone",
        Some(true) => "by all replicas together",
        Some(false) => {
            wrong =
                Some("The store all replicas count in does not answer; each counts by itself.".to_owned());
            "apart"
        }
    };
    let good = "Requests of a stranger were counted by the limits in force.";
    Ok(judge(Control::WEB10, &ctx, wrong, good).fact("counted", counted))
}

pub(super) async fn nobody_gets_in(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let mut wrong = None;
    for path in CLOSED {
        if probe.send(probe.get(path)).await?.status.is_success() {
            wrong = Some(format!("{path} was shown to somebody who is not signed in."));
        }
    }
    Ok(judge(Control::ACC01, &ctx, wrong, "Nobody without an account was shown anything that needs one."))
}

/// Asks, as nobody, for every route that takes anything and is not public, and for the rooms of those who run
/// the instance.
pub(super) async fn strangers_get_what_is_listed(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let pages = CLOSED.iter().chain(&ADMIN).map(|path| ("GET", *path));
    let closed = |method: &str, path: &str| {
        web::public::PUBLIC.iter().all(|public| (public.method, public.path) != (method, path))
    };
    let taking =
        TAKES.iter().map(|takes| (takes.method, takes.path)).filter(|(method, path)| closed(method, path));
    let (mut wrong, mut asked) = (None, 0_usize);
    for (method, path) in pages.chain(taking) {
        // What only takes other methods says so to everybody alike.
        let request = probe.ask(Method::from_bytes(method.as_bytes())?, &filled(path));
        let answer = probe.send(request.header("sec-fetch-site", "same-origin")).await?;
        asked += 1;
        if ![StatusCode::UNAUTHORIZED, StatusCode::METHOD_NOT_ALLOWED].contains(&answer.status) {
            wrong = Some(format!("{method} {path} was not refused to somebody who is not known."));
        }
    }
    let good = "What was asked for as nobody and is not on the list of public routes was refused.";
    let finding = judge(Control::ACC03, &ctx, wrong, good).fact("routes asked", asked);
    Ok(finding.fact("public routes", web::public::PUBLIC.len()))
}

/// A route's path with an identifier of nothing in its places.
fn filled(path: &'static str) -> String {
    let fill = |part: &'static str| if part.starts_with('{') { NOTHING } else { part };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// Asks for a voice connection with tickets nobody gave out, wherever one could be put: where it belongs, and in
/// the address.
pub(super) async fn made_up_tickets_open_nothing(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let secret = [identity::TICKET_PREFIX, &"A".repeat(43)].concat();
    let mut wrong = None;
    for path in ["/v1/realtime", "/v1/agent/converse"] {
        let opening = |path: &str| {
            let upgrade = probe.get(path).header("connection", "upgrade").header("upgrade", "websocket");
            upgrade
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")
        };
        let named = format!("{path}?token={secret}&access_token={secret}&authorization={secret}");
        let ways = [
            opening(path).header("authorization", format!("Bearer {secret}")),
            opening(path).header("sec-websocket-protocol", format!("token, {secret}")),
            opening(path).header("sec-websocket-protocol", format!("openai-insecure-api-key.{secret}")),
            opening(&named).header("sec-websocket-protocol", "realtime"),
        ];
        for way in ways {
            let answer = probe.send(way).await?;
            if answer.status != StatusCode::UNAUTHORIZED {
                wrong =
                    Some(format!("{path} answered a ticket nobody gave out otherwise than by a refusal."));
            } else if answer.text.contains(&secret) {
                wrong = Some(format!("The refusal of {path} repeats the ticket."));
            }
        }
    }
    let good = "Tickets nobody gave out were refused by both voice wires before the connection opened.";
    let most = face.config.numbers.call_ticket_seconds;
    Ok(judge(Control::VOI10, &ctx, wrong, good).fact("longest life of a ticket in seconds", most))
}

/// Sends forms that anybody may send, each with something no form of ours has in it.
pub(super) async fn strange_fields_are_refused(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    const MARK: &str = "c41f-strange";
    let probe = Probe::of(&face)?;
    let mut wrong = None;
    for takes in TAKES.iter().filter(|takes| takes.way == Way::Form && FORMS.contains(&takes.path)) {
        let fields: Vec<_> = takes.fields.iter().map(|field| format!("{}={MARK}", field.name)).collect();
        let name = takes.fields.first().map_or("name", |field| field.name);
        for strange in [format!("unknown={MARK}"), format!("{name}={MARK}"), "unfinished=%E2%82".to_owned()] {
            let body = format!("{}&{strange}", fields.join("&"));
            let request = probe.ask(Method::POST, takes.path).body(body);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let answer = probe.send(request.header("sec-fetch-site", "same-origin")).await?;
            let reference = answer.header("x-request-id");
            if answer.status != StatusCode::BAD_REQUEST {
                wrong = Some(format!("{} took a form with a strange field.", takes.path));
            } else if answer.text.contains(MARK) || reference.is_empty() || !answer.text.contains(reference) {
                wrong =
                    Some(format!("The refusal of {} lacks its reference or repeats the form.", takes.path));
            }
        }
    }
    let good =
        "Forms with fields that are unknown, come twice or are broken were refused, with a reference alone.";
    let bounded: usize = TAKES.iter().map(|takes| takes.fields.len()).sum();
    Ok(judge(Control::WEB16, &ctx, wrong, good).fact("fields with a bound", bounded))
}
