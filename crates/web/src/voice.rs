//! Voice: two wires for programs into one engine, the tickets that open them, and the wire of our own page.
//!
//! `/v1/realtime` speaks as `OpenAI`'s Realtime API does, `/v1/agent/converse` as Deepgram's Voice Agent. Each
//! wire is a pure face ([`realtime`], [`agent`]) that turns its messages into the engine's commands and the
//! engine's events into its messages; [`talk`] carries them. Invariant: no connection is upgraded before its caller
//! is known and the engine has a place for the call.

mod agent;
mod caller;
mod page;
pub(crate) mod realtime;
mod step;
mod talk;
pub(crate) mod tickets;

use std::time::Duration;

use assistant::{Call, Keeping, Opening as Wanted, Place, speech::SpeechKind};
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use domain::{
    Action, Actor, Ctx,
    consent::{Basis, Purpose},
    id::UserId,
};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use self::{
    caller::Caller,
    realtime::session::Session,
    step::{Names, Step},
    talk::Face,
};
use crate::{
    App, Problem, SignedIn,
    api::error,
    edge::streams::{self, Ended},
    input::Query,
    socket::Opening,
};

/// The subprotocol of each wire; what else is offered may be a secret, and is not said back.
const REALTIME: &[&str] = &["realtime"];
const AGENT: &[&str] = &["token", "bearer"];

/// The routes of voice.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/realtime", get(realtime_call))
        .route("/v1/realtime/client_secrets", post(tickets::client_secret))
        .route("/v1/agent/converse", get(agent_call))
        .route("/v1/auth/grant", post(tickets::grant))
        .route("/voice/call", get(page_call))
}

/// Which models and voices this house has for a caller, and which it takes when nothing else is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct House {
    models: Vec<String>,
    model: String,
    /// Names of voices, and of the models that have them.
    voices: Vec<String>,
    voice: String,
}

impl House {
    /// What there is for whoever acts in `ctx`.
    fn of(app: &App, ctx: &Ctx) -> Self {
        let models = app.assistant.models_for(ctx).into_iter().map(|facts| facts.id).collect();
        let speaks = app.assistant.speech_models_for(ctx).into_iter();
        let speaks: Vec<_> = speaks.filter(|facts| facts.kind == SpeechKind::Synthesis).collect();
        let voice = speaks.first().and_then(|facts| facts.voices.first()).cloned();
        let voices = speaks.into_iter().flat_map(|facts| facts.voices.into_iter().chain([facts.id]));
        Self {
            models,
            model: app.assistant.default_model_for(ctx).unwrap_or_default(),
            voices: voices.collect(),
            voice: voice.unwrap_or_default(),
        }
    }

    /// The model a client means, if it is one of this house.
    fn model(&self, name: &str) -> Option<String> {
        self.models.iter().find(|model| *model == name).cloned()
    }

    /// The voice a client means, if it is one of this house.
    fn voice(&self, name: &str) -> Option<String> {
        self.voices.iter().find(|voice| *voice == name).cloned()
    }

    /// A Realtime session nobody has said anything about, but perhaps which model.
    fn session(&self, names: &Names, model: Option<&str>) -> Session {
        let fresh = Session::new(names.fresh("sess"), String::new(), self.voice.clone());
        self.fitted(fresh, model)
    }

    /// The same session with a model and a voice of this house. Clients name those of their maker before they are
    /// told otherwise; what holds is said back.
    fn fitted(&self, mut session: Session, model: Option<&str>) -> Session {
        if let Some(known) = model.and_then(|model| self.model(model)) {
            session.model = known;
        } else if self.model(&session.model).is_none() {
            session.model.clone_from(&self.model);
        }
        if self.voice(&session.audio.output.voice).is_none() {
            session.audio.output.voice.clone_from(&self.voice);
        }
        session
    }
}

/// What a Realtime client says in the address.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    model: Option<String>,
    /// `1`: events of our own are told, too.
    #[serde(default)]
    x_events: Option<String>,
}

/// Opens a call for a client of `OpenAI`'s Realtime API.
async fn realtime_call(
    caller: Caller,
    Query(asked): Query<Asked>,
    opening: Opening,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let (house, names) = (House::of(&app, &caller.ctx), Names::of(&caller.ctx));
    let mut session = house.session(&names, asked.model.as_deref());
    if let Some(begins) = &caller.terms.session {
        session = tickets::begin(session, &house, begins)?;
    }
    let room = Room::find(&app, caller, opening).await?;
    let face = realtime::Face::new(names, house, session).extended(asked.x_events.as_deref() == Some("1"));
    let steps = face.begins();
    room.open(REALTIME, Face::Realtime(Box::new(face)), steps)
}

/// Opens a call for a client of Deepgram's Voice Agent.
async fn agent_call(caller: Caller, opening: Opening, State(app): State<App>) -> Result<Response, Problem> {
    let steps = agent::Face::begins(&caller.ctx.request.to_string());
    let face = Box::new(agent::Face::new(Names::of(&caller.ctx), House::of(&app, &caller.ctx)));
    Room::find(&app, caller, opening).await?.open(AGENT, Face::Agent(face), steps)
}

/// What our own page says in the address.
#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    desk: String,
}

/// Opens a call for a person at our own page, on what they agreed to. It ends when they take that back, and with
/// their session.
async fn page_call(
    SignedIn { ctx, .. }: SignedIn,
    Query(wish): Query<Wish>,
    opening: Opening,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let agreed: Vec<Purpose> = app.privacy.standing(&ctx).await?.agreed().collect();
    let hold = app.privacy.hold(&ctx, &agreed).await?;
    let desk = wish.desk == "yes";
    let wanted = |keeping| Wanted {
        keeping,
        basis: Basis::Consent(hold.standing().clone()),
        desk,
        ended: hold.token(),
    };
    // What customers say to the desk is not kept among the chats of whoever opened the page for them.
    let kept = match hold.standing().allows(Purpose::KeepTranscript) && !desk {
        true => app.assistant.call(&ctx, wanted(Keeping::Kept(None))).await,
        false => Err(assistant::Error::TemporaryOnly),
    };
    let call = match kept {
        // Whose rules keep nothing talks all the same.
        Err(assistant::Error::TemporaryOnly) => {
            app.assistant.call(&ctx, wanted(Keeping::Temporary(None))).await?
        }
        call => call?,
    };
    let chat = matches!(call.place, Place::Kept(_)).then(|| call.place.conversation());
    let face = Face::Page(Box::new(page::Face::new(Names::of(&ctx), chat)));
    let (user, ended) = (ctx.actor.user(), hold.token());
    let opening = opening.reserve(user)?;
    let gone = streams::gone(app.identity.clone(), ctx);
    let ended: Ended = Box::pin(async move {
        gone.await;
        ended.cancel();
    });
    opening.open_until(user, ended, &[], move |socket| async move {
        talk::talk(socket, call, face, page::Face::begins(), None).await;
        drop(hold);
    })
}

/// Whether the key a program shows was made to hold calls for the voice desk: then all of its calls are.
fn is_for_desk(ctx: &Ctx) -> bool {
    matches!(&ctx.actor, Actor::ApiKey { scopes, .. } if scopes.has(Action::HoldDesk))
}

/// A place in the engine and one for the socket; where there is none, the client hears so before it opens its
/// microphone, and keeps its ticket.
struct Room {
    call: Call,
    opening: Opening,
    user: Option<UserId>,
    longest: Option<Duration>,
    /// Done when the key opens nothing any more; the call has ended by then.
    ended: Ended,
}

impl Room {
    /// Nothing of what a program says is kept.
    async fn find(app: &App, caller: Caller, opening: Opening) -> Result<Self, Problem> {
        let (ended, user) = (CancellationToken::new(), caller.ctx.actor.user());
        let (keeping, desk) = (Keeping::Temporary(None), is_for_desk(&caller.ctx));
        let wanted = Wanted { keeping, basis: Basis::Program, desk, ended: ended.clone() };
        let call =
            app.assistant.call(&caller.ctx, wanted).await.map_err(|error| error::of_assistant(&error))?;
        let opening = opening.reserve(user)?;
        caller.enters(app).await?;
        let longest = caller.terms.longest_s.map(|seconds| Duration::from_secs(seconds.into()));
        let gone = streams::gone(app.identity.clone(), caller.ctx);
        let ended = Box::pin(async move {
            gone.await;
            ended.cancel();
        });
        Ok(Self { call, opening, user, longest, ended })
    }

    fn open(self, protocols: &[&'static str], face: Face, steps: Vec<Step>) -> Result<Response, Problem> {
        let Self { call, opening, user, longest, ended } = self;
        opening
            .open_until(user, ended, protocols, move |socket| talk::talk(socket, call, face, steps, longest))
    }
}
