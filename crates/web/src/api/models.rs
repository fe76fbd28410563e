//! `GET /v1/models` and `GET /v1/models/{id}`.

use assistant::speech::SpeechFacts;
use axum::{
    Json,
    extract::{Path, State},
};
use domain::{
    Action, Resource, authorize,
    model::{ModelFacts, Readiness},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::error;
use crate::{ApiCaller, App, Problem};

/// All models there are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Models {
    /// Always `list`.
    object: &'static str,
    data: Vec<Model>,
}

/// One model.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Model {
    /// The name requests use.
    id: String,
    /// Always `model`.
    object: &'static str,
    /// Unix seconds; 0, because nobody knows.
    created: i64,
    /// Who made it.
    owned_by: String,
    /// The name people read.
    title: String,
    /// Where it runs, in words. What is said to a model on this machine does not leave it.
    place: String,
    /// Tokens it can attend to; 0 for one that hears or speaks.
    context_window: u32,
    /// Whether it answers now.
    ready: bool,
}

impl From<ModelFacts> for Model {
    fn from(facts: ModelFacts) -> Self {
        Self {
            id: facts.id,
            object: "model",
            created: 0,
            owned_by: facts.maker,
            title: facts.title,
            place: facts.place.to_string(),
            context_window: facts.context_tokens,
            ready: facts.readiness == Readiness::Ready,
        }
    }
}

impl From<SpeechFacts> for Model {
    fn from(facts: SpeechFacts) -> Self {
        Self {
            id: facts.id,
            object: "model",
            created: 0,
            owned_by: facts.maker,
            title: facts.title,
            place: facts.place.to_string(),
            context_window: 0,
            ready: facts.readiness == Readiness::Ready,
        }
    }
}

/// The models there are: for chat first, then for embeddings, then those that hear and speak.
#[utoipa::path(
    get, path = "/v1/models", tag = "Models", operation_id = "listModels", security(("key" = [])),
    responses(
        (status = 200, description = "The models.", body = Models),
        (status = 401, description = "The API key is missing or not known.", body = error::Envelope),
        (status = 403, description = "The key may not do this, or requests from this address are not answered.", body = error::Envelope),
        (status = 429, description = "Too much at once; see Retry-After.", body = error::Envelope),
    )
)]
pub(super) async fn list(caller: ApiCaller, State(app): State<App>) -> Result<Json<Models>, Problem> {
    authorize(&caller.ctx, Action::ReadInstance, Resource::Instance)?;
    Ok(Json(Models { object: "list", data: all(&app, &caller).collect() }))
}

/// One model.
#[utoipa::path(
    get, path = "/v1/models/{id}", tag = "Models", operation_id = "retrieveModel", security(("key" = [])),
    params(("id" = String, Path, description = "The model's name; it may contain a slash.")),
    responses(
        (status = 200, description = "The model.", body = Model),
        (status = 401, description = "The API key is missing or not known.", body = error::Envelope),
        (status = 403, description = "The key may not do this, or requests from this address are not answered.", body = error::Envelope),
        (status = 404, description = "There is no such model.", body = error::Envelope),
        (status = 429, description = "Too much at once; see Retry-After.", body = error::Envelope),
    )
)]
pub(super) async fn get(
    caller: ApiCaller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Model>, Problem> {
    authorize(&caller.ctx, Action::ReadInstance, Resource::Instance)?;
    let found = all(&app, &caller).find(|model| model.id == id);
    found.map(Json).ok_or_else(error::unknown_model)
}

/// Every model the caller may ask, once, though it may chat and embed; then those that hear and speak.
fn all(app: &App, caller: &ApiCaller) -> impl Iterator<Item = Model> {
    let mut models = app.assistant.models_for(&caller.ctx);
    for facts in app.assistant.embedding_models_for(&caller.ctx) {
        if models.iter().all(|known| known.id != facts.id) {
            models.push(facts);
        }
    }
    let speech = app.assistant.speech_models_for(&caller.ctx).into_iter().map(Model::from);
    models.into_iter().map(Model::from).chain(speech)
}
