//! What the handlers of all pages share: how a page looks to whoever asked, and how errors read.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use domain::access::Standing;
use http::{HeaderMap, header, request::Parts};
use identity::{Error, Settings};

use super::{
    admin,
    frame::{Frame, Theme},
    idle::Idle,
    notices,
    words::Words,
};
use crate::{App, Problem, SignedIn, Visitor};

/// What the browser says about the look of a page.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    words: &'static Words,
}

impl<S: Send + Sync> FromRequestParts<S> for Looks {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { words: Words::asked_for(accepted(&parts.headers)) })
    }
}

fn accepted(headers: &HeaderMap) -> &str {
    headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

impl Looks {
    /// The frame for anybody.
    #[must_use]
    pub fn frame(self, app: &App, visitor: &Visitor) -> Frame {
        let settings = visitor.person.as_ref().map(|person| &person.settings);
        Frame {
            nonce: visitor.nonce.to_string(),
            words: self.words(settings),
            theme: Theme::named(settings.map_or("", |settings| &settings.theme)),
            name: visitor.person.as_ref().map(|person| person.name.clone()),
            runs_it: visitor.person.as_ref().is_some_and(|person| runs_it(&person.standing)),
            idle: None,
            version: app.settings.version,
            ways: app.identity.sso_choices(),
            rules: app.identity.password_rules(false),
            notices: None,
        }
    }

    /// The frame for a person, with what they should be told.
    ///
    /// # Errors
    /// When that cannot be looked up.
    pub async fn told(self, app: &App, person: &SignedIn) -> Result<Frame, Problem> {
        let frame = self.frame_for(app, person);
        let notices = notices::shown(frame.words.own, &app.identity.notices(&person.ctx).await?);
        Ok(Frame { notices, ..frame })
    }

    /// The frame for a person.
    #[must_use]
    pub fn frame_for(self, app: &App, person: &SignedIn) -> Frame {
        let settings = &person.person.settings;
        Frame {
            nonce: person.nonce.to_string(),
            words: self.words(Some(settings)),
            theme: Theme::named(&settings.theme),
            name: Some(person.person.name.clone()),
            runs_it: runs_it(&person.person.standing),
            idle: Some(Idle::of(person, app.identity.numbers())),
            version: app.settings.version,
            ways: Vec::new(),
            rules: app.identity.password_rules(person.person.standing.shown.second_factor),
            notices: None,
        }
    }

    /// The words a person chose, or else the browser's.
    #[must_use]
    pub fn words(self, settings: Option<&Settings>) -> &'static Words {
        match settings.map(|settings| settings.language.as_str()) {
            None | Some("") => self.words,
            Some(tag) => Words::of(tag),
        }
    }
}

fn runs_it(standing: &Standing) -> bool {
    admin::entries(standing).next().is_some()
}

/// What identity has to say, a sentence each.
#[must_use]
pub fn problems_of(error: &Error) -> Vec<String> {
    match error {
        Error::Password { problems } => problems.iter().map(ToString::to_string).collect(),
        other => vec![other.to_string()],
    }
}
