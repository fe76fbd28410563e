//! The organisation's directory, for those who run the instance: the handlers of `/admin/directory`.
//!
//! Shows the connections of the configuration and how they are doing, and makes the token that provisioning
//! speaks with. All of it works as plain forms.

pub mod view;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use identity::Error;

use super::{frame::Kind, handlers::Looks, outcome::Outcome};
use crate::{App, Problem, SignedIn, input::Query};

/// The routes of this page.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/admin/directory", get(show))
        .route("/admin/directory/tokens", post(make_token))
        .route("/admin/directory/tokens/{id}/revoke", post(revoke_token))
        .route("/admin/directory/connections/{name}/try", post(try_connection))
}

/// `GET /admin/directory`
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Response, Problem> {
    let notice = match outcome.done.as_str() {
        "revoked" => Some((Kind::Good, "That token is ended. It opens nothing any more.")),
        "works" => Some((Kind::Good, "The service answers, and its documents are in order.")),
        "fails" => {
            Some((Kind::Bad, "The service cannot be used as it is. What stands in the way is said below."))
        }
        _ => None,
    };
    let connections = app.identity.sso_connections(&person.ctx).await?;
    let tokens = app.identity.scim_tokens(&person.ctx).await?;
    let frame = looks.frame_for(&app, &person);
    Ok(view::page(&frame, &person, &connections, &tokens, &app.identity.scim_address(), notice)
        .into_response())
}

/// `POST /admin/directory/tokens`: a new token, shown once.
pub async fn make_token(State(app): State<App>, person: SignedIn, looks: Looks) -> Result<Response, Problem> {
    let made = app.identity.create_scim_token(&person.ctx).await?;
    Ok(view::new_token(&looks.frame_for(&app, &person), &made).into_response())
}

/// `POST /admin/directory/tokens/{id}/revoke`
pub async fn revoke_token(
    State(app): State<App>,
    person: SignedIn,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    app.identity.revoke_scim_token(&person.ctx, &id).await?;
    Ok(Redirect::to("/admin/directory?done=revoked"))
}

/// `POST /admin/directory/connections/{name}/try`: reads its documents again.
pub async fn try_connection(
    State(app): State<App>,
    person: SignedIn,
    Path(name): Path<String>,
) -> Result<Redirect, Problem> {
    match app.identity.try_sso(&person.ctx, &name).await {
        Ok(()) => Ok(Redirect::to("/admin/directory?done=works")),
        Err(Error::Sso(_)) => Ok(Redirect::to("/admin/directory?done=fails")),
        Err(error) => Err(error.into()),
    }
}
