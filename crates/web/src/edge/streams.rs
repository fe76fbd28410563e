//! How many responses may stream at once, in all and to one person, and how long: a stream ends soon
//! after the session or the key it was opened with. Beyond the limits a 503, and the server lives.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{Ctx, enforced, id::UserId};
use http::header;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use identity::Identity;
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use super::shares::{Share, Shares};
use crate::{Problem, Settings};

/// What a streaming response is answered with when there is no place for it: the work it tells about has
/// begun, and whoever asked must know so.
#[derive(Clone, Debug)]
pub struct Otherwise(Bytes);

impl Otherwise {
    /// `value` as JSON.
    ///
    /// # Errors
    /// A problem when it cannot be written as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self(serde_json::to_vec(value).map_err(|error| Problem::internal(&error))?.into()))
    }

    /// What `response` brought of it, else `problem`.
    fn of(mut response: Response, problem: Problem) -> Response {
        match response.extensions_mut().remove::<Self>() {
            Some(Self(json)) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
            None => problem.into_response(),
        }
    }
}

/// The places for open streams.
pub struct Places {
    all: Arc<Semaphore>,
    each: Shares<UserId>,
}

impl Places {
    /// As many as the settings say.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            all: Arc::new(Semaphore::new(settings.streams)),
            each: Shares::new(settings.streams_per_person),
        }
    }

    /// Gives a streaming response its place among the open ones, or answers that there is none. `known` is
    /// whoever opened it.
    pub fn hold(&self, response: Response, identity: &Identity, known: Option<Ctx>) -> Response {
        if !is_stream(&response) {
            return response;
        }
        // Dropping the response drops what would have fed it.
        let place = match self.enter(known.as_ref().and_then(|ctx| ctx.actor.user())) {
            Ok(place) => place,
            Err(problem) => return Otherwise::of(response, problem),
        };
        let ended: Ended = match known {
            Some(ctx) => Box::pin(gone(identity.clone(), ctx)),
            None => Box::pin(std::future::pending()),
        };
        response.map(|inner| Body::new(Held { inner, ended, _place: place }))
    }

    /// A place for something that stays open, of `user` where that is known.
    ///
    /// # Errors
    /// A 503 problem when there is none left, in all or for that person.
    pub fn enter(&self, user: Option<UserId>) -> Result<Place, Problem> {
        let Ok(place) = self.all.clone().try_acquire_owned() else {
            enforced!(WEB05);
            let detail = "Too many answers are being streamed. Try again in a moment.";
            return Err(Problem::busy(detail, 2));
        };
        let share = user.map(|user| self.each.enter(user));
        if matches!(share, Some(None)) {
            let detail = "You have as many answers streaming as one person may. Close one, then try again.";
            return Err(Problem::busy(detail, 2));
        }
        Ok(Place { _place: place, _share: share.flatten() })
    }
}

/// One place among the open streams, given back when it is dropped.
pub struct Place {
    _place: OwnedSemaphorePermit,
    _share: Option<Share<UserId>>,
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Done when something that is open has to end.
pub type Ended = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Returns when the session or the key of `ctx` opens nothing any more. Where that cannot be found out, the
/// stream ends as well; whoever is still signed in resumes it.
pub async fn gone(identity: Identity, ctx: Ctx) {
    let every = Duration::from_secs(identity.numbers().stream_recheck_seconds.max(1).into());
    let mut endings = identity.endings();
    loop {
        // At once when somebody's access ends here; what ends on another replica is found by the clock.
        tokio::select! {
            () = sleep(every) => (),
            Ok(()) = endings.changed() => (),
        }
        if !identity.is_still_known(&ctx).await.unwrap_or(false) {
            enforced!(WEB13);
            return;
        }
    }
}

/// A body that gives its places back when it ends or its reader leaves.
struct Held {
    inner: Body,
    ended: Ended,
    _place: Place,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            // Asked once more it must not be polled again.
            self.ended = Box::pin(std::future::ready(()));
            return Poll::Ready(None);
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
