//! What the edge refuses and says, asked over HTTPS like any stranger would.

use assure::Unanswered;
use domain::{Control, Ctx, check::Finding};
use identity::Identity;
use reqwest::{Method, Response};
use web::edge::host::is_public;

use super::{judge, probe::Probe};
use crate::instance::Face;

/// Pages anybody may open, and one that is not there.
const OPEN: [&str; 3] = ["/healthz", "/sign-in", "/no/such/page"];
/// What only somebody known may open.
const CLOSED: [&str; 5] = ["/chat", "/account", "/models", "/v1/models", "/v1/chat/completions"];

/// Rooms of those who run the instance.
const ADMIN: [&str; 4] = ["/admin", "/admin/roles", "/admin/reviews", "/admin/content"];

pub(super) async fn the_headers_are_there(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let (mut wrong, mut nonces) = (None, Vec::new());
    for path in OPEN {
        let answer = probe.get(path).send().await?;
        let policy = header(&answer, "content-security-policy");
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
        if fixed.iter().any(|(name, value)| header(&answer, name) != *value) {
            wrong = Some("An answer lacks a security header.".to_owned());
        }
        if !header(&answer, "strict-transport-security").is_empty() {
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
        let answer = probe.get("/healthz").header("host", host.as_str()).send().await?;
        if !header(&answer, "strict-transport-security").starts_with("max-age=") {
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
        let answer = probe.get("/healthz").header("host", host).send().await?;
        if answer.status() != 421 {
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
        if request.send().await?.status() != 403 {
            wrong = Some("A write that did not come from our own pages was not refused.".to_owned());
        }
    }
    Ok(judge(Control::WEB04, &ctx, wrong, "Writes from another site, and from nowhere, were refused."))
}

pub(super) async fn errors_tell_nothing(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let answer = probe.get("/no/such/page-6f2b").send().await?;
    let reference = header(&answer, "x-request-id");
    let status = answer.status();
    let text = answer.text().await?;
    let wrong = if status != 404 {
        Some("A page that does not exist was not answered with 404.".to_owned())
    } else if reference.is_empty() || !text.contains(&reference) {
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
        if header(&probe.get(path).send().await?, "cache-control") != "no-store" {
            wrong = Some("An answer may be kept by browsers or proxies.".to_owned());
        }
    }
    Ok(judge(Control::WEB08, &ctx, wrong, "Every answer asked for said no-store."))
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
        if probe.get("/account").header("cookie", cookies).send().await?.status() != 401 {
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
        let answer = request.send().await?;
        if answer.headers().keys().any(|name| name.as_str().starts_with("access-control-")) {
            wrong = Some("An answer lets another origin read it.".to_owned());
        }
    }
    Ok(judge(Control::WEB09, &ctx, wrong, "No answer let another origin read it; a preflight was refused."))
}

pub(super) async fn everybody_has_a_limit(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let numbers = &face.config.numbers;
    let expected = [("/sign-in", numbers.pages_a_minute), ("/v1/models", numbers.api_calls_a_minute)];
    let mut wrong = None;
    for (path, a_minute) in expected {
        let answer = probe.get(path).send().await?;
        let policy = format!("\"address\";q={};w=60", a_minute.saturating_mul(numbers.address_times));
        let left = header(&answer, "ratelimit");
        if header(&answer, "ratelimit-policy") != policy || !left.starts_with("\"address\";r=") {
            wrong = Some(format!("{path} was answered without counting who asked, or by another limit."));
        }
    }
    let shared =
        if face.config.web.limits.redis.is_some() { "by all replicas together" } else { "here alone" };
    let good = "Requests of a stranger were counted by the limits in force.";
    Ok(judge(Control::WEB10, &ctx, wrong, good).fact("counted", shared))
}

pub(super) async fn nobody_gets_in(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let mut wrong = None;
    for path in CLOSED {
        let status = probe.get(path).send().await?.status();
        if status.is_success() {
            wrong = Some(format!("{path} was shown to somebody who is not signed in."));
        }
    }
    Ok(judge(Control::ACC01, &ctx, wrong, "Nobody without an account was shown anything that needs one."))
}

/// Asks for the rooms of those who run the instance, and for what is public, as nobody.
pub(super) async fn strangers_get_what_is_listed(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let mut wrong = None;
    for path in CLOSED.iter().chain(&ADMIN) {
        // What only takes other methods says so to everybody alike.
        let status = probe.get(path).send().await?.status();
        if ![reqwest::StatusCode::UNAUTHORIZED, reqwest::StatusCode::METHOD_NOT_ALLOWED].contains(&status) {
            wrong = Some(format!("{path} was not refused to somebody who is not known."));
        }
    }
    let listed = web::public::PUBLIC.len();
    let finding = judge(Control::ACC03, &ctx, wrong, "What is not on the list of public routes was refused.");
    Ok(finding.fact("public routes", listed))
}

fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
