//! The models page: the handler of `/models`.

pub mod view;

use axum::extract::State;
use maud::Markup;

use super::handlers::Looks;
use crate::{App, Problem, SignedIn};

/// `GET /models`
pub async fn show(State(app): State<App>, person: SignedIn, looks: Looks) -> Result<Markup, Problem> {
    let frame = looks.told(&app, &person).await?;
    let (models, default) =
        (app.assistant.models_for(&person.ctx), app.assistant.default_model_for(&person.ctx));
    let speech = app.assistant.speech_models_for(&person.ctx);
    Ok(view::page(&frame, &models, default.as_deref(), &speech))
}
