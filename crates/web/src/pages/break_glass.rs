//! Reading somebody's chats as staff: the handlers of `/admin/content`.
//!
//! Every page that shows content asks identity first, which writes down what is about to be opened; the chats
//! are then read as the broken glass, which can read one person's chats and nothing else.

mod view;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::id::{ContentRequestId, ConversationId, UserId};
use identity::Error;
use maud::Markup;
use serde::Deserialize;

use super::{
    handlers::Looks,
    outcome::{bad, status},
};
use crate::{App, Problem, SignedIn, input::Form};

const HERE: &str = "/admin/content";

/// A request to read somebody's chats.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestForm {
    account: UserId,
    reason: String,
}

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/admin/content", get(show).post(request))
        .route("/admin/content/{id}/approve", post(approve))
        .route("/admin/content/{id}/refuse", post(refuse))
        .route("/admin/content/{id}/end", post(end))
        .route("/admin/content/{id}/chats", get(chats))
        .route("/admin/content/{id}/chats/{chat}", get(chat))
}

/// `GET /admin/content`
pub async fn show(State(app): State<App>, person: SignedIn, looks: Looks) -> Result<Response, Problem> {
    page(&app, &person, looks, None, "").await
}

async fn page(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    refusal: Option<String>,
    reason: &str,
) -> Result<Response, Problem> {
    let asked = app.identity.content_requests(&person.ctx).await?;
    // Whoever may not see who has an account cannot ask either.
    let people = match app.identity.held_roles(&person.ctx).await {
        Ok(held) => held.holders,
        Err(Error::Denied(_)) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let notice = refusal.map(bad);
    let status = status(&notice);
    let shown = view::Page {
        person,
        asked: &asked,
        people: &people,
        minutes: app.identity.numbers().break_glass_minutes,
        notice,
        reason,
        now: person.ctx.now(),
    };
    Ok((status, view::page(&looks.frame_for(app, person), &shown)).into_response())
}

async fn after(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    done: Result<(), Error>,
    reason: &str,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(Redirect::to(HERE).into_response()),
        Err(Error::Unfit(unfit)) => page(app, person, looks, Some(unfit.to_string()), reason).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/content`
pub async fn request(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(form): Form<RequestForm>,
) -> Result<Response, Problem> {
    let done = app.identity.request_content(&person.ctx, form.account, &form.reason).await.map(|_| ());
    after(&app, &person, looks, done, &form.reason).await
}

/// `POST /admin/content/{id}/approve`
pub async fn approve(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ContentRequestId>,
) -> Result<Response, Problem> {
    let done = app.identity.approve_content(&person.ctx, id).await;
    after(&app, &person, looks, done, "").await
}

/// `POST /admin/content/{id}/refuse`
pub async fn refuse(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ContentRequestId>,
) -> Result<Response, Problem> {
    let done = app.identity.refuse_content(&person.ctx, id).await;
    after(&app, &person, looks, done, "").await
}

/// `POST /admin/content/{id}/end`
pub async fn end(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ContentRequestId>,
) -> Result<Response, Problem> {
    let done = app.identity.end_content(&person.ctx, id).await;
    after(&app, &person, looks, done, "").await
}

/// `GET /admin/content/{id}/chats`: the person's conversations.
pub async fn chats(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ContentRequestId>,
) -> Result<Markup, Problem> {
    let glass = app.identity.open_content(&person.ctx, id, None).await?;
    let mut conversations = app.assistant.list(&glass, false).await?;
    conversations.extend(app.assistant.list(&glass, true).await?);
    Ok(view::chats(&looks.frame_for(&app, &person), &person, id, &conversations))
}

/// `GET /admin/content/{id}/chats/{chat}`: one of them, to be read.
pub async fn chat(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path((id, chat)): Path<(ContentRequestId, ConversationId)>,
) -> Result<Markup, Problem> {
    let glass = app.identity.open_content(&person.ctx, id, Some(chat)).await?;
    let opened = app.assistant.open(&glass, chat).await?;
    Ok(view::chat(&looks.frame_for(&app, &person), &person, id, &opened))
}
