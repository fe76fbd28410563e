//! The models page: the handler of `/models`.

pub mod view;

use axum::extract::State;
use maud::Markup;

use super::handlers::Looks;
use crate::{App, SignedIn};

/// `GET /models`
pub async fn show(State(app): State<App>, person: SignedIn, looks: Looks) -> Markup {
    let frame = looks.frame_for(&app, &person);
    view::page(&frame, &app.assistant.models(), app.assistant.default_model().as_deref())
}
