//! HTTP: the listener, the pages, the API, problems.
//!
//! The server makes an [`App`] from the services, asks [`router`] for the one router, and hands it to
//! [`listener::serve`]. Everything that answers a request goes through [`edge`], so no page and no
//! route has to remember a header, a limit or a check of its own.

// The words a page hands its script are one large `json!`.
#![recursion_limit = "256"]

pub mod api;
pub mod assets;
pub mod edge;
pub mod input;
pub mod listener;
pub mod markdown;
pub mod pages;
pub mod problem;
pub mod public;
pub mod session;
pub mod socket;
mod voice;

use std::{ops::Deref, sync::Arc};

use axum::{Router, routing};
use domain::{Actor, Clock, Ctx, Entropy};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use edge::{Nonce, body::BodyLimits};
pub use problem::Problem;
pub use session::{ApiCaller, SignedIn, Unattended, Visitor};

/// What the edge of the house is told by the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The version people read, e.g. `0.1.0`.
    pub version: &'static str,
    /// Host names and addresses we answer to, without ports; everything else is refused.
    pub hosts: Vec<String>,
    /// Most responses that may stream at once; beyond it a 503.
    pub streams: usize,
    /// Seconds a browser remembers to come back by HTTPS only; 0 sends no such header.
    pub hsts_seconds: u32,
    /// Largest bodies, by kind of route.
    pub bodies: BodyLimits,
    /// The proxies that stand before this server.
    pub proxies: edge::address::Proxies,
    /// Origins whose pages may call the API, e.g. `https://app.example`.
    pub cors_origins: Vec<String>,
    /// Most responses that may stream to one person, or with one key, at once.
    pub streams_per_person: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            hosts: vec!["localhost".into(), "127.0.0.1".into(), "::1".into()],
            streams: 2000,
            hsts_seconds: 63_072_000,
            bodies: BodyLimits::default(),
            proxies: edge::address::Proxies::default(),
            cors_origins: Vec::new(),
            streams_per_person: 64,
        }
    }
}

/// What every handler can reach.
pub struct Parts {
    /// Who people are.
    pub identity: identity::Identity,
    /// Conversations, turns, models.
    pub assistant: assistant::Assistant,
    /// What people agree to.
    pub privacy: privacy::Privacy,
    /// Promises and findings.
    pub assure: assure::Assure,
    /// What the configuration says about the edge.
    pub settings: Settings,
    /// Which addresses are kept out or let in.
    pub lists: Arc<edge::lists::Lists>,
    /// How often somebody may ask.
    pub limits: edge::limit::Limits,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// Work that outlives its request is spawned here, so that a drain waits for it.
    pub tasks: TaskTracker,
    /// Cancelled when the server begins to drain: streams end themselves.
    pub shutdown: CancellationToken,
}

/// The state of the router: cheap to clone, reads as [`Parts`].
#[derive(Clone)]
pub struct App(Arc<Parts>);

impl App {
    /// An application of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The circumstances of a fresh piece of work by nobody we know yet.
    #[must_use]
    pub fn anonymous(&self) -> Ctx {
        Ctx::new(Actor::Anonymous, self.clock.clone(), self.entropy.clone()).behind(self.identity.gate())
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The whole application: pages, API and health, behind the edge.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .route("/healthz", routing::get(|| async { "ok\n" }))
        .merge(pages::routes())
        .merge(api::routes())
        .merge(voice::routes());
    edge::around(routes, &app).with_state(app)
}
