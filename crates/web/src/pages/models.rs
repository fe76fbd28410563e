//! The models page: the handler of `/models`.

pub mod view;

use axum::extract::State;
use maud::Markup;

use super::handlers::Looks;
use crate::{App, SignedIn};

/// `GET /models`
pub async fn show(State(app): State<App>, person: SignedIn, looks: Looks) -> Markup {
    let frame = looks.frame_for(&app, &person);
    let (models, default) =
        (app.assistant.models_for(&person.ctx), app.assistant.default_model_for(&person.ctx));
    view::page(&frame, &models, default.as_deref())
}
