//! Accepting an invitation: the handlers of `/invitation`.
//!
//! The link's secret arrives in the address after `#`, so it reaches no log; a script moves it into the
//! form, and who has no scripts types it. All of it works as plain forms.

pub mod form;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use identity::{Accepted, Error};
use maud::Markup;

use super::{
    handlers::{Looks, problems_of},
    outcome::to_mend,
    setup::{self, Factor, Who, form::Before},
};
use crate::{App, Problem, Visitor, input::Form};

/// `GET /invitation`
pub async fn show(State(app): State<App>, visitor: Visitor, looks: Looks) -> Markup {
    form::who(&looks.frame(&app, &visitor), &Before::default())
}

/// `POST /invitation`: name and password.
pub async fn who(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(who): Form<Who>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let accepted =
        app.identity.accept(&visitor.ctx, &who.code, &who.name, &who.password, &visitor.device).await;
    match accepted {
        Ok(accepted) => Ok(go_on(&app, &visitor, looks, accepted)),
        Err(error @ (Error::Link | Error::Name(_) | Error::NameTaken | Error::Password { .. })) => {
            let before = Before { code: who.code, name: who.name, problems: problems_of(&error) };
            Ok(to_mend(form::who(&frame, &before)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /invitation/factor`: the authenticator's code.
pub async fn factor(
    State(app): State<App>,
    visitor: Visitor,
    looks: Looks,
    Form(factor): Form<Factor>,
) -> Result<Response, Problem> {
    let frame = looks.frame(&app, &visitor);
    let identity = &app.identity;
    match identity.finish_acceptance(&visitor.ctx, &factor.ticket, &factor.code, &visitor.device).await {
        Ok(accepted) => Ok(go_on(&app, &visitor, looks, accepted)),
        Err(Error::Refused) => {
            let pending = identity.acceptance_factor(&visitor.ctx, &factor.ticket)?;
            let page = form::factor(&frame, &pending, Some(frame.words.code_refused));
            Ok(to_mend(page))
        }
        Err(error @ (Error::TicketGone | Error::Link | Error::NameTaken)) => {
            let before = Before { problems: problems_of(&error), ..Before::default() };
            Ok(to_mend(form::who(&frame, &before)))
        }
        Err(error) => Err(error.into()),
    }
}

fn go_on(app: &App, visitor: &Visitor, looks: Looks, accepted: Accepted) -> Response {
    let mut frame = looks.frame(app, visitor);
    match accepted {
        Accepted::Factor(pending) => form::factor(&frame, &pending, None).into_response(),
        Accepted::Done { recovery_codes, session } => {
            frame.name = None;
            setup::with_session(&session.tokens, form::welcome(&frame, &recovery_codes))
        }
        // A step this page does not know yet: nobody gets in by it.
        _ => Problem::sign_in_needed().into_response(),
    }
}
