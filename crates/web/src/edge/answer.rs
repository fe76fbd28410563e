//! How a failure reads: a problem document, a page, or `OpenAI`'s envelope, always with a reference.
//!
//! Whatever a handler or an extractor answered with a failing status and without words of ours is
//! replaced, so no library's sentence, with somebody's input in it, reaches a caller.

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use domain::enforced;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde::Serialize;

use crate::{
    Problem, Settings, api,
    edge::{Arrival, cors::Cors, host, origin},
    pages,
};

/// Where people confirm who they are.
const CONFIRM: &str = "/confirm";

/// Who asked, as far as the form of the answer depends on it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The method.
    pub method: Method,
    /// The path, without the query.
    pub path: String,
    /// The host it named, without port and brackets.
    pub host: Option<String>,
    /// What an origin that is listed asked for.
    pub cors: Option<Cors>,
    /// The path of the page of ours that it was sent from.
    from: Option<String>,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A person's browser opens a page.
    Page,
    /// A program of ours or of anybody's.
    Json,
    /// A client of the API.
    Api,
    /// An organisation's directory.
    Scim,
}

impl Caller {
    /// Who sent this request.
    #[must_use]
    pub fn of(request: &Request, settings: &Settings) -> Self {
        let path = request.uri().path().to_owned();
        let accept = request.headers().get(header::ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
        let form = if origin::is_api(&path) {
            Form::Api
        } else if origin::is_scim(&path) {
            Form::Scim
        } else if accept.windows(9).any(|part| part.eq_ignore_ascii_case(b"text/html")) {
            Form::Page
        } else {
            Form::Json
        };
        let host = host::named(request.uri(), request.headers());
        let cors = Cors::of(request, &settings.cors_origins);
        let from = host.as_deref().and_then(|host| came_from(request.headers(), host));
        Self { method: request.method().clone(), path, host, cors, from, form }
    }
}

/// RFC 9457, with our reference beside its members.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    reference: &'a str,
}

/// Gives a failing response its words. A response that succeeds, or brought its own page, stays as it is.
pub fn render(mut response: Response, caller: &Caller, arrival: &Arrival) -> Response {
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None => match wordless(&response) {
            Some(problem) => problem,
            None => return response,
        },
    };
    if problem.code == "sign-in-needed" && caller.form == Form::Page && caller.method == Method::GET {
        return to_sign_in(caller);
    }
    if matches!(problem.code, "step-up-needed" | "second-factor-needed") && caller.form == Form::Page {
        return to_confirm(caller, &problem);
    }
    enforced!(WEB07);
    let reference = arrival.ctx.request.to_string();
    let mut told = match caller.form {
        Form::Api => api::envelope(&caller.path, &problem, &reference),
        Form::Scim => api::scim::error::envelope(&problem, &reference),
        Form::Json => document(&problem, &reference),
        Form::Page => {
            let page = pages::error_page(problem.status, problem.title, &problem.detail, &reference);
            page.into_response()
        }
    };
    *told.status_mut() = problem.status;
    keep(&response, &mut told, &problem);
    told
}

/// A problem for a failing response that says nothing of ours: an extractor's, the router's.
fn wordless(response: &Response) -> Option<Problem> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let ours = kind.starts_with(b"text/html") || kind.starts_with(b"application/");
    (!ours).then(|| generic(status))
}

fn generic(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::UNAUTHORIZED => Problem::sign_in_needed(),
        StatusCode::FORBIDDEN => Problem::forbidden(),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            status,
            "method-not-allowed",
            "That cannot be done here",
            "This address takes other methods.",
        ),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            status,
            "unsupported-media-type",
            "Not in that form",
            "Send it in the form this address takes, named in `Content-Type`.",
        ),
        _ if status.is_server_error() => Problem { status, ..Problem::broken() },
        _ => Problem {
            status,
            ..Problem::bad_request("Something in it is missing or not in the expected form.")
        },
    }
}

fn document(problem: &Problem, reference: &str) -> Response {
    let document = Document {
        r#type: format!("/problems/{}", problem.code),
        title: problem.title,
        status: problem.status.as_u16(),
        detail: &problem.detail,
        param: problem.param.as_deref(),
        reference,
    };
    let mut response = Response::new(Body::from(serde_json::to_vec(&document).unwrap_or_default()));
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// People are led to the sign-in page and back again.
fn to_sign_in(caller: &Caller) -> Response {
    match encoded(&caller.path) {
        next if next == "/" => lead_to("/sign-in"),
        next => lead_to(&format!("/sign-in?next={next}")),
    }
}

/// People are led to the page where they confirm who they are, and back to the page they came from. A form
/// they had sent is not sent again behind their back: the page says so.
fn to_confirm(caller: &Caller, problem: &Problem) -> Response {
    let was_form = caller.method != Method::GET;
    let next = if was_form { caller.from.as_deref() } else { Some(caller.path.as_str()) };
    let next = encoded(next.filter(|path| !path.starts_with(CONFIRM)).unwrap_or("/account"));
    let again = if was_form { "&again=1" } else { "" };
    let factor = if problem.code == "second-factor-needed" { "&factor=1" } else { "" };
    lead_to(&format!("{CONFIRM}?next={next}{again}{factor}"))
}

fn lead_to(address: &str) -> Response {
    let location = HeaderValue::try_from(address).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// A path as the value of a query's field.
fn encoded(path: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    path.bytes().map(encode).collect()
}

/// The path a request was sent from, when that is a page of this host.
fn came_from(headers: &HeaderMap, host: &str) -> Option<String> {
    let from: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    let ours = from.host()?.trim_matches(['[', ']']).eq_ignore_ascii_case(host);
    ours.then(|| from.path().to_owned())
}

/// Headers that belong to the failure itself survive its rewording.
fn keep(from: &Response, to: &mut Response, problem: &Problem) {
    for name in [header::ALLOW, header::SET_COOKIE] {
        for value in from.headers().get_all(&name) {
            to.headers_mut().append(&name, value.clone());
        }
    }
    if let Some(seconds) = problem.retry_after {
        to.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        let by_token = ["invalid-api-key", "invalid-scim-token"].contains(&problem.code);
        let scheme = if by_token { "Bearer" } else { "Cookie" };
        to.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
    }
}
