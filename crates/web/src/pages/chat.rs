//! The chat: its pages here, its requests in [`api`], its stream in [`stream`].
//!
//! The page is whole when it arrives: the thread, the rail, the model. Scripts only add what a form
//! cannot do. All functions act for the signed-in person; what belongs to somebody else is not there.

pub mod api;
pub mod page;
pub mod rail;
pub mod stream;
pub mod switcher;
pub mod thread;
pub mod transfer;

use assistant::{Allowance, Opened};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{delete, get, patch, post, put},
};
use domain::{chat::Tree, id::ConversationId};
use maud::Markup;
use serde::Deserialize;

use super::handlers::Looks;
use crate::{App, Problem, SignedIn, Visitor, input::Query};
use rail::Rail;

/// What the address of the chat may ask for.
#[derive(Deserialize)]
pub struct Wish {
    #[serde(default)]
    archive: Option<String>,
}

/// The routes of the chat.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(home))
        .route("/chat", get(fresh))
        .route("/chat/temporary", get(fresh_temporary))
        .route("/chat/temporary/{id}", get(temporary))
        .route("/chat/{id}", get(kept))
        .route("/chat/api/ask", post(api::ask))
        .route("/chat/api/rail", get(api::rail))
        .route("/chat/api/search", get(api::search))
        .route("/chat/api/readiness", get(api::readiness))
        .route("/chat/api/model", put(api::model))
        .route("/chat/api/draft", put(api::keep_draft).delete(api::drop_draft))
        .route("/chat/api/turns/{id}/events", get(stream::events))
        .route("/chat/api/turns/{id}/stop", post(api::stop))
        .route("/chat/api/conversations", get(api::conversations).delete(api::delete_all))
        .route("/chat/api/conversations/{id}", patch(api::change).delete(api::delete))
        .route("/chat/api/conversations/{id}/thread", get(api::thread))
        .route("/chat/api/conversations/{id}/branch", post(api::branch))
        .route("/chat/api/conversations/{id}/messages/{message}", delete(api::delete_message))
        .route("/chat/api/conversations/{id}/messages/{message}/text", get(api::text))
        .route("/chat/api/temporary/{id}", delete(api::end_temporary))
        .route("/chat/api/folders", post(api::make_folder))
        .route("/chat/api/folders/{id}", patch(api::rename_folder).delete(api::delete_folder))
        .route("/chat/api/export", get(transfer::export))
        // The edge bounds this body; the framework's own, lower bound would come first.
        .route("/chat/api/import", post(transfer::import).layer(DefaultBodyLimit::disable()))
}

/// `GET /`: to where one belongs.
pub async fn home(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let to = match visitor.person {
        Some(_) => "/chat",
        None if app.identity.setup_needed().await? => "/setup",
        None => "/sign-in",
    };
    Ok(Redirect::to(to).into_response())
}

/// `GET /chat`: a new conversation, which begins with its first message.
pub async fn fresh(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    if person.ctx.bounds.temporary_only && wish.archive.is_none() {
        return Ok(Redirect::to("/chat/temporary").into_response());
    }
    // Who may have nothing but temporary chats begins one here as well.
    let temporary = person.ctx.bounds.temporary_only;
    Ok(show(&app, &person, looks, None, temporary, wish.archive.is_some()).await?.into_response())
}

/// `GET /chat/temporary`
pub async fn fresh_temporary(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
) -> Result<Markup, Problem> {
    show(&app, &person, looks, None, true, false).await
}

/// `GET /chat/{id}`
pub async fn kept(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ConversationId>,
) -> Result<Markup, Problem> {
    let opened = app.assistant.open(&person.ctx, id).await?;
    let archive = opened.conversation.archived;
    show(&app, &person, looks, Some(opened), false, archive).await
}

/// `GET /chat/temporary/{id}`
pub async fn temporary(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ConversationId>,
) -> Result<Markup, Problem> {
    let opened = app.assistant.open_temporary(&person.ctx, id)?;
    show(&app, &person, looks, Some(opened), true, false).await
}

async fn show(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    opened: Option<Opened>,
    temporary: bool,
    archive: bool,
) -> Result<Markup, Problem> {
    let assistant = &app.assistant;
    let conversations = assistant.list(&person.ctx, archive).await?;
    let folders = assistant.folders(&person.ctx).await?;
    let models = assistant.models_for(&person.ctx);
    let empty = Tree::default();
    let here = opened.as_ref().filter(|_| !temporary).map(|opened| opened.conversation.id);
    let wanted = person.person.settings.model.clone().filter(|id| models.iter().any(|model| model.id == *id));
    let chosen = wanted.or_else(|| assistant.default_model_for(&person.ctx));
    let readiness = assistant.readiness().borrow().clone();
    // A temporary chat is never written down, so nothing of it can come back.
    let draft = if temporary { None } else { assistant.draft(&person.ctx, here).await? };
    let chat = page::Chat {
        rail: Rail { conversations: &conversations, folders: &folders, here, archive },
        conversation: opened.as_ref().map(|opened| &opened.conversation),
        tree: opened.as_ref().map_or(&empty, |opened| &opened.tree),
        running: opened.as_ref().and_then(|opened| opened.running),
        temporary,
        models: &models,
        chosen: chosen.as_deref(),
        readiness: &readiness,
        draft: draft.as_deref(),
        temporary_only: person.ctx.bounds.temporary_only,
        low: assistant.allowances(&person.ctx).await?.into_iter().filter(Allowance::is_low).collect(),
    };
    Ok(page::page(&looks.told(app, person).await?, &chat))
}
