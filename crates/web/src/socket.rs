//! WebSockets: who may open one, what it may carry, how it ends. The ground that routes with a socket stand on.
//!
//! A handler takes an [`Opening`] beside the extractor that says who is there, and gives it what is to be
//! done with the [`Socket`]. Browsers send cookies with every upgrade, whichever page asks, and no preflight
//! stands before it; so the origin is looked at here. Invariant: no socket is open but of one of our own pages, of a
//! listed origin on the API, or of a program that brought its key; and none outlives its session, its
//! peer's silence, or the server.

mod handshake;
mod link;
mod meter;

use std::{sync::Arc, time::Duration};

use axum::{extract::FromRequestParts, response::Response};
use domain::{Ctx, control::Numbers, id::UserId};
use http::request::Parts;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{Role, WebSocketConfig},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    App, Problem,
    edge::streams::{self, Ended, Place, Places},
};

use self::{handshake::Asked, meter::Metered};
pub use link::{Gone, Message, Reason, Socket};

/// How long the other side may take for the end of the handshake.
const UPGRADE: Duration = Duration::from_secs(10);
/// How long a socket may go on after the server began to end. Every goodbye fits into it.
const DRAIN: Duration = Duration::from_secs(8);
/// What tungstenite reads at once, and gathers before it writes, in bytes. Sockets are many and mostly small.
const BUFFER: usize = 4 << 10;

/// What one socket may do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest message, and largest frame of one, in bytes.
    pub message_bytes: usize,
    /// Frames in a minute, all of which may come at once.
    pub frames_a_minute: u32,
    /// Longest silence; a socket is asked for a sign of life three times as often.
    pub silent: Duration,
}

impl Limits {
    /// As the policy says.
    #[must_use]
    pub fn of(numbers: &Numbers) -> Self {
        Self {
            message_bytes: usize::try_from(numbers.socket_message_kib).unwrap_or(1).saturating_mul(1024),
            frames_a_minute: numbers.socket_frames_a_minute,
            silent: Duration::from_secs(numbers.socket_silent_seconds.max(3).into()),
        }
    }
}

/// What all sockets of one server share. The edge puts it on every request.
#[derive(Clone)]
pub struct Ground(Arc<Shared>);

struct Shared {
    limits: Limits,
    /// Origins whose pages may use the API.
    origins: Vec<String>,
    places: Arc<Places>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Ground {
    /// A ground with these limits, whose sockets take their places among the open streams.
    #[must_use]
    pub fn new(
        limits: Limits,
        origins: Vec<String>,
        places: Arc<Places>,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        Self(Arc::new(Shared { limits, origins, places, tasks, shutdown }))
    }

    /// The ground of an application.
    #[must_use]
    pub fn of(app: &App, places: Arc<Places>) -> Self {
        let limits = Limits::of(app.identity.numbers());
        Self::new(limits, app.settings.cors_origins.clone(), places, app.tasks.clone(), app.shutdown.clone())
    }
}

/// A request for a socket that was found in order and may be granted.
pub struct Opening {
    ground: Ground,
    asked: Asked,
    upgrade: OnUpgrade,
    /// Its place, where it was taken before.
    place: Option<Place>,
}

impl<S: Send + Sync> FromRequestParts<S> for Opening {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let ground = parts.extensions.get::<Ground>().cloned().ok_or_else(Problem::broken)?;
        let asked = Asked::of(parts, &ground.0.origins)?;
        // Without it the connection is of a kind that cannot be upgraded.
        let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or_else(handshake::no_upgrade)?;
        Ok(Self { ground, asked, upgrade, place: None })
    }
}

impl Opening {
    /// Takes the place the socket will have, so that opening it cannot fail any more.
    ///
    /// # Errors
    /// A 503 problem when there is no place for one more.
    pub fn reserve(mut self, user: Option<UserId>) -> Result<Self, Problem> {
        self.place = Some(self.ground.0.places.enter(user)?);
        Ok(self)
    }

    /// Opens the socket for whoever acts in `ctx` and lets `talk` have it, until it is done or the session or
    /// key ends. `protocols` are the subprotocols of the route, the best one first.
    ///
    /// # Errors
    /// A 503 problem when there is no place for one more.
    pub fn open<T, F>(
        self,
        app: &App,
        ctx: Ctx,
        protocols: &[&'static str],
        talk: T,
    ) -> Result<Response, Problem>
    where
        T: FnOnce(Socket) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let user = ctx.actor.user();
        self.open_until(user, Box::pin(streams::gone(app.identity.clone(), ctx)), protocols, talk)
    }

    /// The same until `ended`.
    ///
    /// # Errors
    /// A 503 problem when there is no place for one more.
    pub fn open_until<T, F>(
        self,
        user: Option<UserId>,
        ended: Ended,
        protocols: &[&'static str],
        talk: T,
    ) -> Result<Response, Problem>
    where
        T: FnOnce(Socket) -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let Self { ground, asked, upgrade, place } = self;
        let place = match place {
            Some(reserved) => reserved,
            None => ground.0.places.enter(user)?,
        };
        let response = asked.answer(protocols);
        let shutdown = ground.0.shutdown.clone();
        ground.0.tasks.clone().spawn(async move {
            let talking = async {
                // The other side may have left, or the answer never reached it.
                let Ok(Ok(upgraded)) = timeout(UPGRADE, upgrade).await else { return };
                let stream = Metered::new(TokioIo::new(upgraded), ground.0.limits.frames_a_minute);
                let config = Some(config(ground.0.limits.message_bytes));
                let inner = WebSocketStream::from_raw_socket(stream, Role::Server, config).await;
                let Shared { limits, shutdown, .. } = &*ground.0;
                talk(Socket::new(inner, ended, shutdown.clone(), limits.silent)).await;
            };
            tokio::select! {
                () = talking => (),
                () = async { shutdown.cancelled().await; sleep(DRAIN).await } => (),
            }
            drop(place);
        });
        Ok(response)
    }
}

/// Small buffers, bounded messages, and no frame that is not masked.
fn config(message_bytes: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        // A message of ours waits until it is written, so there is never more than one, and a pong.
        .max_write_buffer_size(message_bytes.saturating_add(4 * BUFFER))
        .max_message_size(Some(message_bytes))
        .max_frame_size(Some(message_bytes))
        .accept_unmasked_frames(false)
}
