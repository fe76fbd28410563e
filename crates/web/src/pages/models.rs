//! The models page: the handler of `/models`.

pub mod view;

use axum::extract::State;
use maud::Markup;

use super::handlers::Looks;
use crate::{App, Problem, SignedIn};

/// `GET /models`
pub async fn show(State(app): State<App>, person: SignedIn, looks: Looks) -> Result<Markup, Problem> {
    let frame = looks.told(&app, &person).await?;
    Ok(view::page(&frame, &app.assistant.models(), app.assistant.default_model().as_deref()))
}
