//! How large a request may be and how slowly it may come. Holds for raw bodies as well as for extractors.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::enforced;
use http::{StatusCode, header};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::{Problem, edge::origin};

/// The largest body each kind of route takes, in bytes, and the patience with slow ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// Forms and pages.
    pub page: u64,
    /// What the chat page sends: a message of 64 KiB, escaped as JSON.
    pub chat: u64,
    /// `/v1`.
    pub api: u64,
    /// Recordings under `/v1`.
    pub sound: u64,
    /// An export coming back.
    pub import: u64,
    /// Longest pause between two pieces of a body.
    pub pause: Duration,
    /// Longest a whole body may take.
    pub whole: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            page: 64 << 10,
            chat: 512 << 10,
            api: 1 << 20,
            sound: 32 << 20,
            import: 32 << 20,
            pause: Duration::from_secs(10),
            whole: Duration::from_secs(120),
        }
    }
}

impl BodyLimits {
    /// The limit for one path.
    fn at(&self, path: &str) -> u64 {
        if matches!(path, "/v1/audio/transcriptions" | "/v1/listen") {
            self.sound
        } else if origin::is_api(path) || origin::is_scim(path) {
            self.api
        } else if path.ends_with("/import") {
            self.import
        } else if path.starts_with("/chat") {
            self.chat
        } else {
            self.page
        }
    }
}

const RUNNING: u8 = 0;
const TOO_LARGE: u8 = 1;
const TOO_SLOW: u8 = 2;

/// What became of a request's body, whoever read it.
#[derive(Clone, Default)]
pub struct Fate(Arc<AtomicU8>);

impl Fate {
    /// Where the body was cut, the caller learns that instead of what the cut looked like to a handler.
    pub fn overrule(&self, response: Response) -> Response {
        match self.0.load(Ordering::Acquire) {
            TOO_LARGE => Problem::too_large().into_response(),
            TOO_SLOW => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                "It took too long to arrive",
                "The request stopped coming. Try again.",
            )
            .into_response(),
            _ => response,
        }
    }
}

/// Puts the limits of its route around a request's body.
///
/// # Errors
/// A 413 problem when the request announces more than it may send.
pub fn bound(request: Request, limits: &BodyLimits) -> Result<(Request, Fate), Problem> {
    let most = limits.at(request.uri().path());
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most) {
        enforced!(WEB05);
        return Err(Problem::too_large());
    }
    if request.body().is_end_stream() {
        return Ok((request, Fate::default()));
    }
    let fate = Fate::default();
    let watched = fate.clone();
    let (pause, whole) = (limits.pause, limits.whole);
    let request = request.map(|inner| {
        Body::new(Bounded {
            inner,
            left: most,
            pause,
            until: Instant::now() + whole,
            alarm: Box::pin(sleep(pause)),
            fate: watched,
        })
    });
    Ok((request, fate))
}

/// A body with an end: of bytes, of pauses, of time.
struct Bounded {
    inner: Body,
    left: u64,
    pause: Duration,
    until: Instant,
    alarm: Pin<Box<Sleep>>,
    fate: Fate,
}

impl Bounded {
    fn cut(&self, fate: u8) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        enforced!(WEB05);
        self.fate.0.store(fate, Ordering::Release);
        let why = if fate == TOO_LARGE { "the body is too large" } else { "the body came too slowly" };
        Poll::Ready(Some(Err(axum::Error::new(why))))
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.fate.0.load(Ordering::Acquire) != RUNNING {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            let Some(Ok(frame)) = frame else { return Poll::Ready(frame) };
            let size = frame.data_ref().map_or(0, |data| data.len() as u64);
            match self.left.checked_sub(size) {
                None => return self.cut(TOO_LARGE),
                Some(left) => self.left = left,
            }
            let next = (Instant::now() + self.pause).min(self.until);
            self.alarm.as_mut().reset(next);
            return Poll::Ready(Some(Ok(frame)));
        }
        ready!(self.alarm.as_mut().poll(cx));
        self.cut(TOO_SLOW)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;
    use futures::stream;
    use http_body_util::BodyExt;

    use super::*;

    fn request(path: &str, body: Body) -> Request {
        Request::builder().uri(path).body(body).unwrap()
    }

    fn limits() -> BodyLimits {
        BodyLimits { page: 10, pause: Duration::from_millis(30), ..BodyLimits::default() }
    }

    #[tokio::test]
    async fn a_raw_body_that_grows_too_large_is_cut() {
        let _proof = verifies!(WEB05);
        let pieces = stream::iter([Ok::<_, std::io::Error>("12345678"), Ok("90abcdef")]);
        let (bounded, fate) = bound(request("/sign-in", Body::from_stream(pieces)), &limits()).unwrap();
        assert!(bounded.into_body().collect().await.is_err());
        assert_eq!(fate.overrule("fine".into_response()).status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_body_that_stops_coming_is_cut() {
        let _proof = verifies!(WEB05);
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let (bounded, fate) = bound(request("/sign-in", body), &limits()).unwrap();
        assert!(bounded.into_body().collect().await.is_err());
        assert_eq!(fate.overrule("fine".into_response()).status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_within_its_limits_arrives_whole() {
        let pieces = stream::iter([Ok::<_, std::io::Error>("12345"), Ok("67890")]);
        let (bounded, fate) = bound(request("/sign-in", Body::from_stream(pieces)), &limits()).unwrap();
        assert_eq!(bounded.into_body().collect().await.unwrap().to_bytes(), "1234567890");
        assert_eq!(fate.overrule("fine".into_response()).status(), StatusCode::OK);
    }

    #[test]
    fn what_announces_too_much_is_not_even_read() {
        let _proof = verifies!(WEB05);
        let announced = |path: &str, length: u64| {
            let builder = Request::builder().uri(path).header(header::CONTENT_LENGTH, length);
            bound(builder.body(Body::empty()).unwrap(), &BodyLimits::default()).is_ok()
        };
        assert!(announced("/sign-in", 64 << 10) && !announced("/sign-in", (64 << 10) + 1));
        assert!(announced("/v1/chat/completions", 1 << 20) && !announced("/v1/models", (1 << 20) + 1));
        assert!(announced("/v1/listen", 32 << 20) && !announced("/v1/listen", (32 << 20) + 1));
        assert!(announced("/chat/api/import", 32 << 20) && !announced("/chat/api/import", (32 << 20) + 1));
    }
}
