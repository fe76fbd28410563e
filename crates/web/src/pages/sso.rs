//! Signing in with an organisation's own service: the handlers under `/sign-in/with`.
//!
//! A link leads out, the service leads back, and the person lands where they wanted to be. What went wrong is
//! said on the sign-in page in plain words, with the same status whatever it was; the password form stays.

pub mod view;

use axum::{
    Form, Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::Secret;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use identity::{Error, Next, SsoAnswer, SsoBegun};
use serde::Deserialize;

use super::{
    frame::Kind,
    handlers::{Looks, problems_of},
    sign_in::{self, enter, form, passkey::Question},
};
use crate::{App, Problem, SignedIn, Visitor, edge::host::Asked as Host, session};

/// The cookie that binds an answer to the browser that asked.
const COOKIE: &str = "__Host-troth-sso";

/// The routes of this page.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in/with/{name}", get(begin))
        .route("/sign-in/with/{name}/done", get(done))
        .route("/sign-in/with/{name}/confirm", get(confirm))
        .route("/sign-in/with/{name}/factor", post(factor))
        .route("/sign-in/with/{name}/passkey/options", post(passkey_options))
        .route("/sign-in/with/{name}/passkey", post(passkey))
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub struct Wish {
    #[serde(default)]
    next: String,
}

/// What a service sends back. It may send more, which OpenID Connect asks us to ignore.
#[derive(Deserialize)]
pub struct Answer {
    code: Option<Secret<String>>,
    state: Option<Secret<String>>,
    iss: Option<String>,
    error: Option<String>,
}

/// A code of one's own authenticator.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    ticket: Secret<String>,
    code: String,
    /// Present when the account has a passkey, so that a second page offers it too.
    passkey: Option<String>,
}

/// A question for one's own authenticator.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct For {
    ticket: Secret<String>,
}

/// The answer of one's own authenticator.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    ticket: Secret<String>,
    ceremony: Secret<String>,
    answer: String,
}

/// `GET /sign-in/with/{name}`: out to the service.
pub async fn begin(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wish = sign_in::home(&wish.next);
    if visitor.person.is_some() {
        return Ok(Redirect::to(wish).into_response());
    }
    let held = session::cookie_named(&headers, COOKIE);
    let held = held.as_ref().map(|held| held.expose().as_str());
    match app.identity.begin_sso(&visitor.ctx, &name, held, wish).await {
        Ok(begun) => Ok(out(&app, &begun)),
        Err(error) => told(&app, &visitor, looks, error),
    }
}

/// `GET /sign-in/with/{name}/confirm`: out to the service, to confirm who one is.
pub async fn confirm(
    State(app): State<App>,
    person: SignedIn,
    Path(name): Path<String>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wish = session::safe_next(&wish.next).unwrap_or("/account");
    let held = session::cookie_named(&headers, COOKIE);
    let held = held.as_ref().map(|held| held.expose().as_str());
    Ok(out(&app, &app.identity.begin_sso_confirmation(&person.ctx, &name, held, wish).await?))
}

/// The way out, with the cookie that binds the answer to this browser.
fn out(app: &App, begun: &SsoBegun) -> Response {
    let mut response = Redirect::to(&begun.url).into_response();
    let age = u64::from(app.identity.numbers().sso_minutes) * 60;
    let cookie =
        format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}", begun.binding.expose());
    if let Ok(mut cookie) = HeaderValue::try_from(cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `GET /sign-in/with/{name}/done`: back from it.
pub async fn done(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Path(name): Path<String>,
    Query(answer): Query<Answer>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let binding = session::cookie_named(&headers, COOKIE);
    let binding = binding.as_ref().map(|binding| binding.expose().as_str());
    let answer = SsoAnswer {
        code: answer.code,
        state: answer.state,
        iss: answer.iss,
        declined: answer.error.is_some(),
    };
    match app.identity.finish_sso(&visitor.ctx, &name, answer, binding, &visitor.device).await {
        Ok(end) => Ok(match end.next {
            Next::Done(session) => enter(&session, &end.wish),
            Next::Factor { ticket, passkey } => {
                let asked = view::Asked { name: &name, ticket: &ticket, passkey };
                view::factor(&looks.frame(&app, &visitor), &asked, None).into_response()
            }
            Next::Enrol(pending) => {
                form::enrol(&looks.frame(&app, &visitor), &pending, &end.wish, None).into_response()
            }
            Next::Confirmed => Redirect::to(sign_in::home(&end.wish)).into_response(),
            // A step this page does not know yet: nobody gets in by it.
            _ => Problem::sign_in_needed().into_response(),
        }),
        Err(error) => told(&app, &visitor, looks, error),
    }
}

/// `POST /sign-in/with/{name}/factor`: our own second factor, where the service showed none.
pub async fn factor(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Path(name): Path<String>,
    Form(factor): Form<Factor>,
) -> Result<Response, Problem> {
    let identity = &app.identity;
    match identity.finish_sso_factor(&visitor.ctx, &factor.ticket, &factor.code, &visitor.device).await {
        Ok((session, wish)) => Ok(enter(&session, &wish)),
        Err(Error::Refused) => {
            let frame = looks.frame(&app, &visitor);
            let notice = Some((Kind::Bad, frame.words.code_refused));
            let asked =
                view::Asked { name: &name, ticket: &factor.ticket, passkey: factor.passkey.is_some() };
            let page = view::factor(&frame, &asked, notice);
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        Err(error) => told(&app, &visitor, looks, error),
    }
}

/// `POST /sign-in/with/{name}/passkey/options`: a question for one's own authenticator instead.
pub async fn passkey_options(
    State(app): State<App>,
    visitor: Visitor,
    Host(host): Host,
    Json(wish): Json<For>,
) -> Result<Json<Question>, Problem> {
    Ok(Json(app.identity.begin_sso_passkey(&visitor.ctx, &wish.ticket, &host).await?.into()))
}

/// `POST /sign-in/with/{name}/passkey`: its answer.
pub async fn passkey(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Path(name): Path<String>,
    Form(shown): Form<Shown>,
) -> Result<Response, Problem> {
    let (identity, ctx, Shown { ticket, ceremony, answer }) = (&app.identity, &visitor.ctx, &shown);
    match identity.finish_sso_passkey(ctx, ticket, ceremony, answer, &visitor.device).await {
        Ok((session, wish)) => Ok(enter(&session, &wish)),
        Err(Error::Refused) => {
            let frame = looks.frame(&app, &visitor);
            let notice = Some((Kind::Bad, frame.words.passkey_refused));
            let asked = view::Asked { name: &name, ticket, passkey: true };
            Ok((StatusCode::UNAUTHORIZED, view::factor(&frame, &asked, notice)).into_response())
        }
        Err(error) => told(&app, &visitor, looks, error),
    }
}

/// The sign-in page with what went wrong, when that is something to tell a person.
fn told(app: &App, visitor: &Visitor, looks: Looks, error: Error) -> Result<Response, Problem> {
    match &error {
        Error::Sso(_) | Error::TicketGone | Error::Throttled { .. } => {
            let text = problems_of(&error).join(" ");
            let frame = looks.frame(app, visitor);
            let page = form::who(&frame, "", "", Some((Kind::Due, &text)));
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        _ => Err(error.into()),
    }
}
