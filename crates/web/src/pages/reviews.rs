//! Access reviews: the handlers of `/admin/reviews`. All of it works as plain forms.

mod view;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::id::{ReviewId, UserId};
use http::header;
use identity::Error;
use maud::Markup;
use serde::Deserialize;

use super::{
    handlers::Looks,
    outcome::{bad, status},
};
use crate::{App, Problem, SignedIn, input::Form};

/// What a reviewer says about one grant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideForm {
    account: UserId,
    grant: String,
    verdict: Wish,
}

/// Confirm or revoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wish {
    /// It is still needed.
    Confirm,
    /// It is not.
    Revoke,
}

/// The routes of these pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/admin/reviews", get(show).post(begin))
        .route("/admin/reviews/{id}", get(one))
        .route("/admin/reviews/{id}/decide", post(decide))
        .route("/admin/reviews/{id}/report", get(report))
}

/// `GET /admin/reviews`
pub async fn show(State(app): State<App>, person: SignedIn, looks: Looks) -> Result<Markup, Problem> {
    let overview = app.identity.reviews(&person.ctx).await?;
    Ok(view::overview(&looks.frame_for(&app, &person), &person, &overview, person.ctx.now()))
}

/// `POST /admin/reviews`: begins one now.
pub async fn begin(State(app): State<App>, person: SignedIn) -> Result<Redirect, Problem> {
    let id = app.identity.begin_review(&person.ctx).await?;
    Ok(Redirect::to(&format!("/admin/reviews/{id}")))
}

/// `GET /admin/reviews/{id}`
pub async fn one(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ReviewId>,
) -> Result<Response, Problem> {
    page(&app, &person, looks, id, None).await
}

async fn page(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    id: ReviewId,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let review = app.identity.review(&person.ctx, id).await?;
    let notice = refusal.map(bad);
    let status = status(&notice);
    let shown = view::review(&looks.frame_for(app, person), person, &review, notice);
    Ok((status, shown).into_response())
}

/// `POST /admin/reviews/{id}/decide`
pub async fn decide(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(id): Path<ReviewId>,
    Form(form): Form<DecideForm>,
) -> Result<Response, Problem> {
    let grant = form.grant.parse().map_err(|_| Problem::invalid("grant", "Choose a grant from the list."))?;
    let confirm = form.verdict == Wish::Confirm;
    match app.identity.decide_review(&person.ctx, id, (form.account, grant), confirm).await {
        Ok(()) => Ok(Redirect::to(&format!("/admin/reviews/{id}#open")).into_response()),
        Err(Error::Unfit(unfit)) => page(&app, &person, looks, id, Some(unfit.to_string())).await,
        Err(error) => Err(error.into()),
    }
}

/// `GET /admin/reviews/{id}/report`: the evidence, as it was written when the review was closed.
pub async fn report(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<ReviewId>,
) -> Result<Response, Problem> {
    let report = app.identity.review_report(&person.ctx, id).await?;
    let name = format!("attachment; filename=\"access-review-{id}.json\"");
    Ok(([(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)], report)
        .into_response())
}
