//! The page one talks on: the letter first, then the call. The handlers of `/voice`.
//!
//! The socket it opens, `/voice/call`, is in [`crate::voice`]. Invariant: the page that may have a microphone is
//! shown to nobody who has not agreed to the letter in force.

mod view;

use axum::{
    Extension, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use domain::{Action, consent::Purpose};
use serde::Deserialize;

use super::{
    frame::Kind,
    handlers::Looks,
    outcome::{Notice, Outcome, bad, to_mend},
};
use crate::{
    App, Problem, SignedIn,
    edge::headers::Microphone,
    input::{Form, Query},
};

/// Where the page is.
pub const PATH: &str = "/voice";

/// What a person may do on the page.
#[derive(Clone, Copy)]
struct Ways {
    /// Whether anything here hears and speaks.
    hears: bool,
    /// Whether they may hold calls of the voice desk.
    serves: bool,
}

/// The answer to a letter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    version: u32,
    #[serde(default)]
    process_call: String,
    #[serde(default)]
    keep_transcript: String,
    #[serde(default)]
    keep_audio: String,
    #[serde(default)]
    share_speech: String,
}

impl Answer {
    /// The purposes that were ticked.
    fn agreed(&self) -> Vec<Purpose> {
        let ticked = |purpose: &Purpose| {
            let value = match purpose {
                Purpose::ProcessCall => &self.process_call,
                Purpose::KeepTranscript => &self.keep_transcript,
                Purpose::KeepAudio => &self.keep_audio,
                Purpose::ShareSpeech => &self.share_speech,
            };
            value == "yes"
        };
        Purpose::ALL.into_iter().filter(ticked).collect()
    }
}

/// The routes of the page.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/voice", get(show))
        .route("/voice/letter", get(letter))
        .route("/voice/consent", post(agree))
        .route("/voice/withdraw", post(withdraw))
}

/// `GET /voice`: the call, or the letter where it has not been answered.
pub async fn show(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Query(outcome): Query<Outcome>,
) -> Result<Response, Problem> {
    let frame = looks.told(&app, &person).await?;
    let letter = app.privacy.letter(frame.words.lang);
    let standing = app.privacy.standing(&person.ctx).await?;
    if standing.allows(Purpose::ProcessCall) {
        let hears = app.assistant.can_talk(&person.ctx);
        let serves = person.person.standing.rights().has(Action::HoldDesk);
        let page = view::call(&frame, &letter, &standing, Ways { hears, serves });
        return Ok((Extension(Microphone), page).into_response());
    }
    let words = frame.words.talk;
    let notice = match standing.is_superseded() {
        true => Some((Kind::Due, words.superseded.to_owned())),
        false => outcome.says(&[("withdrawn", words.withdrawn)]),
    };
    Ok(view::letter(&frame, &letter, &standing, notice.as_ref()).into_response())
}

/// `GET /voice/letter`: the letter again, to answer it otherwise.
pub async fn letter(State(app): State<App>, person: SignedIn, looks: Looks) -> Result<Response, Problem> {
    letter_with(&app, &person, looks, None).await.map(IntoResponse::into_response)
}

/// `POST /voice/consent`: the answer, whole.
pub async fn agree(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Form(answer): Form<Answer>,
) -> Result<Response, Problem> {
    let language = looks.frame_for(&app, &person).words.lang;
    match app.privacy.agree(&person.ctx, answer.version, &answer.agreed(), language).await {
        Ok(_) => Ok(Redirect::to(PATH).into_response()),
        Err(error @ (privacy::Error::Superseded | privacy::Error::Required | privacy::Error::Purposes)) => {
            let page = letter_with(&app, &person, looks, Some(bad(error))).await?;
            Ok(to_mend(page))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /voice/withdraw`: takes everything back.
pub async fn withdraw(State(app): State<App>, person: SignedIn) -> Result<Redirect, Problem> {
    app.privacy.withdraw(&person.ctx, None).await?;
    Ok(Redirect::to("/voice?done=withdrawn"))
}

async fn letter_with(
    app: &App,
    person: &SignedIn,
    looks: Looks,
    notice: Option<Notice>,
) -> Result<maud::Markup, Problem> {
    let frame = looks.told(app, person).await?;
    let letter = app.privacy.letter(frame.words.lang);
    let standing = app.privacy.standing(&person.ctx).await?;
    Ok(view::letter(&frame, &letter, &standing, notice.as_ref()))
}
