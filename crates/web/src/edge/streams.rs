//! How many responses may stream at once. Beyond the limit a 503, and the server lives.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::enforced;
use http::header;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Problem;

/// Gives a streaming response its place among the open ones, or answers that there is none.
pub fn hold(response: Response, places: Arc<Semaphore>) -> Response {
    if !is_stream(&response) {
        return response;
    }
    enforced!(WEB05);
    match places.try_acquire_owned() {
        Ok(place) => response.map(|inner| Body::new(Held { inner, _place: place })),
        // Dropping the response here drops what would have fed it.
        Err(_) => {
            Problem::busy("Too many answers are being streamed. Try again in a moment.", 2).into_response()
        }
    }
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// A body that gives its place back when it ends or its reader leaves.
struct Held {
    inner: Body,
    _place: OwnedSemaphorePermit,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
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
    use http::StatusCode;
    use http_body_util::BodyExt;

    use super::*;

    fn stream() -> Response {
        ([(header::CONTENT_TYPE, "text/event-stream")], "data: x\n\n").into_response()
    }

    #[tokio::test]
    async fn a_place_is_taken_while_the_body_lives() {
        let _proof = verifies!(WEB05);
        let places = Arc::new(Semaphore::new(1));
        let first = hold(stream(), places.clone());
        assert_eq!(hold(stream(), places.clone()).status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(hold("a page".into_response(), places.clone()).status(), StatusCode::OK);
        let read = first.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(read, "data: x\n\n");
        assert_eq!(hold(stream(), places).status(), StatusCode::OK);
    }
}
