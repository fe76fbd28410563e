//! The requests of the chat's scripts: JSON in, JSON or a piece of the page out.
//!
//! Same origin only, by the edge. Every body is read strictly; lengths are the assistant's to bound.

use assistant::{Ask, AskKind, Opened, Place};
use axum::{
    Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use domain::{
    chat::Author,
    id::{ConversationId, FolderId, MessageId, TurnId},
};
use http::{HeaderMap, StatusCode, header};
use identity::Settings;
use maud::Markup;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    super::handlers::Looks,
    page::address,
    rail::{self, Found, Rail},
    stream, switcher,
    thread::Voice,
};
use crate::{App, Problem, SignedIn, Unattended, edge::streams::Otherwise};

/// A question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    conversation: Option<ConversationId>,
    temporary: bool,
    model: Option<String>,
    say: Option<Say>,
    edit: Option<Edit>,
    regenerate: Option<Again>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    message: MessageId,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    message: MessageId,
}

/// What a question begins.
#[derive(Serialize)]
pub struct Begun {
    pub(super) turn: TurnId,
    pub(super) conversation: ConversationId,
    address: String,
    title: String,
    /// Whether `html` is the whole thread, not only what is new.
    whole: bool,
    html: String,
}

/// `POST /chat/api/ask`: the question is kept when this answers. Who accepts events gets the answer with it,
/// as long as there is a place for one more stream.
pub async fn ask(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    headers: HeaderMap,
    Json(question): Json<Question>,
) -> Result<Response, Problem> {
    let (ctx, assistant) = (&person.ctx, &app.assistant);
    let temporary = question.temporary;
    let kind = match (question.say, question.edit, question.regenerate) {
        (Some(say), None, None) => AskKind::Say { text: say.text, after: None },
        (None, Some(edit), None) => AskKind::Edit { message: edit.message, text: edit.text },
        (None, None, Some(again)) => AskKind::Regenerate { message: again.message },
        _ => return Err(Problem::bad_request("Say, edit or regenerate: one of them.")),
    };
    let says_more = matches!(kind, AskKind::Say { .. });
    let again = if let AskKind::Regenerate { message } = &kind { Some(*message) } else { None };
    if let AskKind::Say { text, .. } = &kind
        && text.trim().is_empty()
    {
        return Err(assistant::Error::Empty.into());
    }
    let conversation = match question.conversation {
        Some(id) => id,
        None if temporary => assistant.begin_temporary(ctx)?,
        None => assistant.begin(ctx).await?,
    };
    let place = if temporary { Place::Temporary(conversation) } else { Place::Kept(conversation) };
    let begun = match assistant.respond(ctx, Ask { place, kind, model: question.model }).await {
        Ok(begun) => begun,
        Err(refused) => {
            // What was begun for this question alone goes with it.
            if question.conversation.is_none() {
                discard(&app, &person, place).await;
            }
            return Err(refused.into());
        }
    };
    let assistant::Begun { turn, opened } = begun;
    let (words, models) = (looks.words(Some(&person.person.settings)), assistant.models());
    let voice = Voice { words, models: &models };
    let html = match says_more {
        true => newest(voice, &opened, turn),
        false => voice.thread(&opened.tree, again.or(opened.conversation.head), Some(turn)),
    };
    let begun = Begun {
        turn,
        conversation,
        address: address(conversation, temporary),
        title: rail::title(words, &opened.conversation).to_owned(),
        whole: !says_more,
        html: html.into_string(),
    };
    if !accepts_events(&headers) {
        return Ok(Json(begun).into_response());
    }
    // The question is kept: that there is no place for a stream must not look as if it were not.
    let otherwise = Otherwise::json(&begun)?;
    let mut answer = stream::from_the_beginning(app, person.ctx, words, &begun, temporary)?;
    answer.extensions_mut().insert(otherwise);
    Ok(answer)
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/event-stream"))
}

/// Takes back a conversation that was begun for a question that was then refused.
async fn discard(app: &App, person: &SignedIn, place: Place) {
    let gone = match place {
        Place::Kept(id) => app.assistant.delete(&person.ctx, id).await,
        Place::Temporary(id) => app.assistant.end_temporary(&person.ctx, id),
    };
    if let Err(error) = gone {
        tracing::warn!(%error, "an empty conversation could not be taken back");
    }
}

/// The question that was just kept, and the place of its answer.
fn newest(voice: Voice<'_>, opened: &Opened, turn: TurnId) -> Markup {
    let shown = opened.conversation.head.map(|head| opened.tree.shown(head)).unwrap_or_default();
    let asked = shown.iter().rfind(|one| one.message.author == Author::User);
    maud::html! {
        @if let Some(asked) = asked { (voice.message(asked)) }
        (voice.growing(turn))
    }
}

/// Whether a conversation is one of those that are never written down.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    #[serde(default)]
    temporary: bool,
}

async fn open(app: &App, person: &SignedIn, id: ConversationId, temporary: bool) -> Result<Opened, Problem> {
    Ok(match temporary {
        true => app.assistant.open_temporary(&person.ctx, id)?,
        false => app.assistant.open(&person.ctx, id).await?,
    })
}

/// `GET …/thread`: the branch that is shown.
pub async fn thread(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ConversationId>,
    Query(kept): Query<Kept>,
) -> Result<Markup, Problem> {
    let opened = open(&app, &person, id, kept.temporary).await?;
    let words = looks.words(Some(&person.person.settings));
    let models = app.assistant.models();
    Ok(Voice { words, models: &models }.thread(&opened.tree, opened.conversation.head, opened.running))
}

/// `GET …/messages/{message}/text`: a message as it was written, to copy.
pub async fn text(
    State(app): State<App>,
    person: SignedIn,
    Path((id, message)): Path<(ConversationId, MessageId)>,
    Query(kept): Query<Kept>,
) -> Result<String, Problem> {
    let opened = open(&app, &person, id, kept.temporary).await?;
    let found = opened.tree.get(message).ok_or_else(Problem::not_found)?;
    Ok(found.body.text.clone())
}

/// The message a branch begins with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    message: MessageId,
}

/// `POST …/branch`
pub async fn branch(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<ConversationId>,
    Json(branch): Json<Branch>,
) -> Result<StatusCode, Problem> {
    app.assistant.choose_branch(&person.ctx, id, branch.message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST …/turns/{id}/stop`
pub async fn stop(
    State(app): State<App>,
    person: SignedIn,
    Path(turn): Path<TurnId>,
) -> Result<StatusCode, Problem> {
    app.assistant.stop(&person.ctx, turn)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What changes about a conversation; what is absent stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    title: Option<String>,
    pinned: Option<bool>,
    archived: Option<bool>,
    /// Absent: stays; `null`: out of any folder.
    #[serde(default, deserialize_with = "present")]
    folder: Option<Option<FolderId>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<FolderId>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// `PATCH …/conversations/{id}`
pub async fn change(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<ConversationId>,
    Json(change): Json<Change>,
) -> Result<StatusCode, Problem> {
    let (ctx, assistant) = (&person.ctx, &app.assistant);
    if let Some(title) = &change.title {
        assistant.rename(ctx, id, title).await?;
    }
    if let Some(pinned) = change.pinned {
        assistant.pin(ctx, id, pinned).await?;
    }
    if let Some(archived) = change.archived {
        assistant.archive(ctx, id, archived).await?;
    }
    if let Some(folder) = change.folder {
        assistant.file(ctx, id, folder).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/conversations/{id}`
pub async fn delete(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<StatusCode, Problem> {
    app.assistant.delete(&person.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/conversations`: all of them.
pub async fn delete_all(State(app): State<App>, person: SignedIn) -> Result<StatusCode, Problem> {
    app.assistant.delete_all(&person.ctx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/messages/{message}`: it and everything below it.
pub async fn delete_message(
    State(app): State<App>,
    person: SignedIn,
    Path((id, message)): Path<(ConversationId, MessageId)>,
) -> Result<StatusCode, Problem> {
    app.assistant.delete_message(&person.ctx, id, message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/temporary/{id}`
pub async fn end_temporary(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<StatusCode, Problem> {
    app.assistant.end_temporary(&person.ctx, id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A conversation in the palette.
#[derive(Serialize)]
pub struct Listed {
    title: String,
    address: String,
}

/// `GET …/conversations`
pub async fn conversations(State(app): State<App>, person: SignedIn) -> Result<Json<Vec<Listed>>, Problem> {
    let listed = app.assistant.list(&person.ctx, false).await?;
    let listed = listed.into_iter().map(|one| Listed { address: address(one.id, false), title: one.title });
    Ok(Json(listed.collect()))
}

/// Which list the rail shows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    #[serde(default)]
    archive: bool,
    here: Option<ConversationId>,
}

/// `GET /chat/api/rail`
pub async fn rail(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(which): Query<Which>,
) -> Result<Markup, Problem> {
    let conversations = app.assistant.list(&person.ctx, which.archive).await?;
    let folders = app.assistant.folders(&person.ctx).await?;
    let list =
        Rail { conversations: &conversations, folders: &folders, here: which.here, archive: which.archive };
    Ok(rail::list(looks.words(Some(&person.person.settings)), &list))
}

/// What is looked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    q: String,
}

/// `GET /chat/api/search`
pub async fn search(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(search): Query<Search>,
) -> Result<Markup, Problem> {
    let hits = app.assistant.search(&person.ctx, &search.q).await?;
    let found: Vec<_> = hits
        .iter()
        .map(|hit| Found { conversation: &hit.conversation, message: hit.message, snippet: &hit.snippet })
        .collect();
    Ok(rail::found(looks.words(Some(&person.person.settings)), &search.q, &found))
}

/// `GET /chat/api/readiness`: the banner, or nothing when the model answers.
pub async fn readiness(State(app): State<App>, person: SignedIn, looks: Looks) -> Markup {
    let readiness = app.assistant.readiness().borrow().clone();
    switcher::banner(looks.words(Some(&person.person.settings)), &readiness)
}

/// A message that is not finished, and where it belongs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    conversation: Option<ConversationId>,
    text: String,
}

/// Which draft.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhichDraft {
    conversation: Option<ConversationId>,
}

/// `PUT /chat/api/draft`: the page saves it when the session is about to end, which keeps no session alive.
pub async fn keep_draft(
    State(app): State<App>,
    Unattended(person): Unattended,
    Json(draft): Json<Draft>,
) -> Result<StatusCode, Problem> {
    app.assistant.keep_draft(&person.ctx, draft.conversation, &draft.text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /chat/api/draft`: it was sent.
pub async fn drop_draft(
    State(app): State<App>,
    person: SignedIn,
    Query(which): Query<WhichDraft>,
) -> Result<StatusCode, Problem> {
    app.assistant.drop_draft(&person.ctx, which.conversation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The model somebody chose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    model: String,
}

/// `PUT /chat/api/model`: remembered for the next time.
pub async fn model(
    State(app): State<App>,
    person: SignedIn,
    Json(chosen): Json<Chosen>,
) -> Result<StatusCode, Problem> {
    if !app.assistant.models_for(&person.ctx).iter().any(|model| model.id == chosen.model) {
        return Err(assistant::Error::UnknownModel.into());
    }
    let settings = Settings { model: Some(chosen.model), ..person.person.settings.clone() };
    app.identity.save_settings(&person.ctx, &settings).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The name of a folder.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    name: String,
}

/// A folder that was just made.
#[derive(Serialize)]
pub struct Made {
    id: FolderId,
}

/// `POST …/folders`
pub async fn make_folder(
    State(app): State<App>,
    person: SignedIn,
    Json(named): Json<Named>,
) -> Result<Json<Made>, Problem> {
    Ok(Json(Made { id: app.assistant.make_folder(&person.ctx, &named.name).await? }))
}

/// `PATCH …/folders/{id}`
pub async fn rename_folder(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<FolderId>,
    Json(named): Json<Named>,
) -> Result<StatusCode, Problem> {
    app.assistant.rename_folder(&person.ctx, id, &named.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/folders/{id}`: what lay in it stays.
pub async fn delete_folder(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<FolderId>,
) -> Result<StatusCode, Problem> {
    app.assistant.delete_folder(&person.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
