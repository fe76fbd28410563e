//! The trust page: the handler of `/trust`.

pub mod view;

use axum::extract::State;
use maud::Markup;
use serde::Deserialize;

use super::handlers::Looks;
use crate::{App, Problem, SignedIn, input::Query};

/// What the address asks for.
#[derive(Deserialize)]
pub struct Wish {
    #[serde(default)]
    policy: String,
    #[serde(default)]
    state: String,
}

/// `GET /trust`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(wish): Query<Wish>,
) -> Result<Markup, Problem> {
    let report = app.assure.report(&person.ctx).await?;
    let filter = view::Filter { policy: wish.policy, state: wish.state };
    Ok(view::page(&looks.told(&app, &person).await?, &report, &filter))
}
