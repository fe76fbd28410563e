//! Voice for programs: two wires into one engine, and the tickets that open them.
//!
//! `/v1/realtime` speaks as `OpenAI`'s Realtime API does, `/v1/agent/converse` as Deepgram's Voice Agent. Each
//! wire is a pure face ([`realtime`], [`agent`]) that turns its messages into the engine's commands and the
//! engine's events into its messages; [`talk`] carries them. Invariant: no connection is upgraded before its caller
//! is known and the engine has a place for the call.

mod agent;
mod caller;
pub(crate) mod realtime;
mod step;
mod talk;
pub(crate) mod tickets;

use std::time::Duration;

use assistant::{Call, Keeping, Opening as Wanted, speech::SpeechKind};
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use domain::{Action, Actor, Ctx, consent::Basis};
use identity::CallTerms;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use self::{caller::Caller, realtime::session::Session, step::Names, talk::Face};
use crate::{App, Problem, api::error, input::Query, socket::Opening};

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
}

/// Opens a call for a client of `OpenAI`'s Realtime API.
async fn realtime_call(
    Caller { ctx, terms }: Caller,
    Query(asked): Query<Asked>,
    opening: Opening,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let (house, names) = (House::of(&app, &ctx), Names::of(&ctx));
    let mut session = house.session(&names, asked.model.as_deref());
    if let Some(begins) = &terms.session {
        session = tickets::begin(session, &house, begins)?;
    }
    let call = enter(&app, &ctx).await?;
    let face = Box::new(realtime::Face::new(names, house, session));
    let (steps, longest) = (face.begins(), longest(&terms));
    opening.open(&app, ctx, REALTIME, move |socket| {
        talk::talk(socket, call, Face::Realtime(face), steps, longest)
    })
}

/// Opens a call for a client of Deepgram's Voice Agent.
async fn agent_call(
    Caller { ctx, terms }: Caller,
    opening: Opening,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let call = enter(&app, &ctx).await?;
    let steps = agent::Face::begins(&ctx.request.to_string());
    let face = Box::new(agent::Face::new(Names::of(&ctx), House::of(&app, &ctx)));
    let longest = longest(&terms);
    opening.open(&app, ctx, AGENT, move |socket| talk::talk(socket, call, Face::Agent(face), steps, longest))
}

/// A place in the engine; where there is none, the client hears so before it opens its microphone. Nothing of what
/// a program says is kept.
async fn enter(app: &App, ctx: &Ctx) -> Result<Call, Problem> {
    // The socket looks after its key itself, and the call ends with it.
    let (keeping, ended) = (Keeping::Temporary(None), CancellationToken::new());
    let wanted = Wanted { keeping, basis: Basis::Program, desk: is_for_desk(ctx), ended };
    app.assistant.call(ctx, wanted).await.map_err(|error| error::of_assistant(&error))
}

/// Whether the key a program shows was made to hold calls for the voice desk: then all of its calls are.
fn is_for_desk(ctx: &Ctx) -> bool {
    matches!(&ctx.actor, Actor::ApiKey { scopes, .. } if scopes.has(Action::HoldDesk))
}

fn longest(terms: &CallTerms) -> Option<Duration> {
    terms.longest_s.map(|seconds| Duration::from_secs(seconds.into()))
}
