//! An answer as server-sent events (WHATWG HTML, "Server-sent events"), ending with `data: [DONE]`.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use domain::model::Delta;
use futures::{Stream, StreamExt, stream};
use serde::Serialize;

use super::answer::{Head, Piece};
use crate::api::error;

/// How long a connection stays silent before a comment shows that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// The streaming response. Dropping it, as when the client leaves, stops the model.
pub(super) fn response(head: Head, answer: assistant::Completion, with_usage: bool) -> Response {
    let events = events(head, answer, with_usage).map(Ok::<_, Infallible>);
    Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response()
}

/// What remains to be sent while the answer comes.
struct Sending {
    head: Head,
    /// `None` once the answer has ended.
    answer: Option<assistant::Completion>,
    with_usage: bool,
    calls: u32,
    ready: VecDeque<Event>,
}

fn events(
    head: Head,
    answer: assistant::Completion,
    with_usage: bool,
) -> impl Stream<Item = Event> + Send + 'static {
    let first = event(&head.chunk(Piece::first(), None, with_usage));
    let sending =
        Sending { head, answer: Some(answer), with_usage, calls: 0, ready: VecDeque::from([first]) };
    stream::unfold(sending, |mut sending| async move {
        loop {
            if let Some(event) = sending.ready.pop_front() {
                return Some((event, sending));
            }
            let piece = sending.answer.as_mut()?.next().await;
            sending.take(piece.unwrap_or(Err(assistant::ModelError::Broke)));
        }
    })
}

impl Sending {
    /// Turns a step of the model into what is sent for it.
    fn take(&mut self, piece: Result<Delta, assistant::ModelError>) {
        match piece {
            Ok(Delta::Text(text)) => self.send(Piece::text(text)),
            Ok(Delta::ToolCall(call)) => {
                self.send(Piece::call(self.calls, call));
                self.calls += 1;
            }
            Ok(Delta::Done { finish, usage }) => {
                self.answer = None;
                let last = self.head.chunk(Piece::default(), Some(finish), self.with_usage);
                self.ready.push_back(event(&last));
                if self.with_usage {
                    self.ready.push_back(event(&self.head.usage(usage)));
                }
                self.ready.push_back(Event::default().data("[DONE]"));
            }
            Err(failure) => {
                self.answer = None;
                self.ready.push_back(event(&error::late(&error::of_model(&failure))));
            }
        }
    }

    fn send(&mut self, piece: Piece) {
        self.ready.push_back(event(&self.head.chunk(piece, None, self.with_usage)));
    }
}

/// One event. Plain data of ours is always JSON, and JSON has no line break outside its strings.
fn event(data: &impl Serialize) -> Event {
    Event::default().data(serde_json::to_string(data).unwrap_or_default())
}
