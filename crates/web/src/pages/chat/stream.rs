//! One answer as events: what `POST /chat/api/ask` answers with, and `GET /chat/api/turns/{id}/events?from=`
//! for who joins later or comes back.
//!
//! Each event carries the position in the turn that it brings the reader to, as its SSE id; a reader
//! that comes back says it, in `from` or in `Last-Event-ID`, and gets what is missing. Text goes out at
//! most every [`TICK`] while the answer is being written: what became settled, to append, and the tail, to replace (see
//! [`crate::markdown::Growing`]). Invariant: what leaves here has been through the sanitiser.

use std::{convert::Infallible, time::Duration};

use assistant::{Error, TurnEvent, Watch};
use axum::{
    extract::{Path, Query, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{
    Ctx,
    id::{ConversationId, MessageId, TurnId},
    model::ModelFacts,
};
use futures::{Stream, StreamExt, stream};
use http::HeaderMap;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::{
    super::{frame::Kind, handlers::Looks, words::Words},
    api::Begun,
    rail, switcher,
    thread::{self, Voice},
};
use crate::{App, Problem, SignedIn, markdown::Growing};

/// The shortest time between two drawings of a growing answer: about 15 a second.
const TICK: Duration = Duration::from_millis(66);
/// The same while the model is on its way.
const WAITING_TICK: Duration = Duration::from_secs(1);
/// How often an idle stream says that it is still there.
const ALIVE: Duration = Duration::from_secs(15);

/// Where a reader is, and in which conversation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    #[serde(default)]
    from: u64,
    conversation: ConversationId,
    #[serde(default)]
    temporary: bool,
}

/// `GET /chat/api/turns/{id}/events`
pub async fn events(
    State(app): State<App>,
    person: SignedIn,
    looks: Looks,
    Path(turn): Path<TurnId>,
    Query(reading): Query<Reading>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let events = match app.assistant.watch(&person.ctx, turn, 0) {
        Ok(events) => events,
        // A status would only make the browser try again; this tells it to look at the thread.
        Err(Error::NotFound) => return Ok(only(told("gone", &json!({})))),
        Err(error) => return Err(error.into()),
    };
    let words = looks.words(Some(&person.person.settings));
    let from = last.unwrap_or(reading.from);
    Ok(answer(stream::empty(), Reader::new(app, person.ctx, words, events, Reading { from, ..reading })))
}

/// The events of a turn that this very request began, after one that tells what it began. The first word
/// needs no second request.
pub(super) fn from_the_beginning(
    app: App,
    ctx: Ctx,
    words: &'static Words,
    begun: &Begun,
    temporary: bool,
) -> Result<Response, Problem> {
    let events = app.assistant.watch(&ctx, begun.turn, 0)?;
    let reading = Reading { from: 0, conversation: begun.conversation, temporary };
    let first =
        Event::default().event("begun").json_data(begun).map_err(|error| Problem::internal(&error))?;
    Ok(answer(stream::iter([first]), Reader::new(app, ctx, words, events, reading)))
}

/// `first`, then all that `reader` is told, until the server goes.
fn answer(first: impl Stream<Item = Event> + Send + 'static, reader: Reader) -> Response {
    let shutdown = reader.app.shutdown.clone();
    let events = first.chain(stream::unfold(reader, Reader::next)).map(Ok::<_, Infallible>);
    let events = events.take_until(shutdown.cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

fn only(event: Event) -> Response {
    Sse::new(stream::iter([Ok::<_, Infallible>(event)])).into_response()
}

fn told(name: &str, value: &Value) -> Event {
    Event::default().event(name).data(value.to_string())
}

/// One reader of one answer.
struct Reader {
    app: App,
    ctx: Ctx,
    reading: Reading,
    words: &'static Words,
    models: Vec<ModelFacts>,
    events: Watch,
    growing: Growing,
    /// Bytes of the answer that the reader had before this connection.
    seen: usize,
    /// When the next event may go out; what gathers until then goes out as one.
    rest: Option<Instant>,
    answer: Option<MessageId>,
}

impl Reader {
    fn new(app: App, ctx: Ctx, words: &'static Words, events: Watch, reading: Reading) -> Self {
        Self {
            events,
            words,
            models: app.assistant.models(),
            growing: Growing::new(words.labels()),
            seen: usize::try_from(reading.from.saturating_sub(1)).unwrap_or(usize::MAX),
            rest: None,
            answer: None,
            ctx,
            reading,
            app,
        }
    }

    async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            if let Some(until) = self.rest.take() {
                // Nothing more gathers once the turn is over.
                tokio::select! {
                    () = sleep_until(until) => (),
                    () = self.events.over() => (),
                }
            }
            let event = self.events.next().await?;
            let pause = match event {
                // The first word follows at once.
                TurnEvent::Began { .. } => None,
                TurnEvent::Waiting(_) => Some(WAITING_TICK),
                TurnEvent::Text { .. } | TurnEvent::Ended { .. } => Some(TICK),
            };
            if let Some(event) = self.tell(event).await {
                self.rest = pause.map(|pause| Instant::now() + pause);
                return Some((event, self));
            }
        }
    }

    async fn tell(&mut self, event: TurnEvent) -> Option<Event> {
        let seq = event.seq();
        match event {
            TurnEvent::Began { answer, model, place, .. } => {
                self.answer = Some(answer);
                let line = self.voice().line(model.as_deref(), place.as_deref());
                Some(told("line", &json!({ "html": line.into_string() })))
            }
            TurnEvent::Waiting(readiness) => {
                let html =
                    html! { p.soft { (self.words.waiting) " " (switcher::state(self.words, &readiness)) } };
                Some(told("waiting", &json!({ "html": html.into_string() })))
            }
            TurnEvent::Text { text, .. } => self.piece(&text).map(|event| event.id(seq.to_string())),
            TurnEvent::Ended { error, .. } => {
                let end = self.end(error.as_deref()).await;
                Some(told("ended", &end).id(seq.to_string()))
            }
        }
    }

    /// More text: what the reader has not had yet, drawn.
    fn piece(&mut self, text: &str) -> Option<Event> {
        let before = self.growing.text().len();
        let known = self.seen.saturating_sub(before).min(text.len());
        let known = text.floor_char_boundary(known);
        if known > 0 {
            self.growing.push(&text[..known]);
            if before + known < self.seen && known == text.len() {
                return None;
            }
            self.growing.skip_settled();
        }
        if known == text.len() {
            return None;
        }
        self.growing.push(&text[known..]);
        let piece = self.growing.tick();
        Some(told("piece", &json!({ "settled": piece.settled, "tail": piece.tail })))
    }

    /// The answer as it is kept now, and what the conversation is called.
    async fn end(&self, error: Option<&str>) -> Value {
        let Reading { conversation, temporary, .. } = self.reading;
        let opened = match temporary {
            true => self.app.assistant.open_temporary(&self.ctx, conversation),
            false => self.app.assistant.open(&self.ctx, conversation).await,
        };
        let voice = self.voice();
        let lost = || -> Markup {
            let text = error.unwrap_or(self.words.failed);
            html! { article.message.answer { (thread::notice(self.words, Kind::Bad, text, false)) } }
        };
        let Ok(opened) = opened else { return json!({ "html": lost().into_string() }) };
        let shown = self.answer.map(|answer| opened.tree.shown(answer)).unwrap_or_default();
        let html = shown.last().map_or_else(lost, |one| voice.answer(one, error));
        json!({ "html": html.into_string(), "title": rail::title(self.words, &opened.conversation) })
    }

    fn voice(&self) -> Voice<'_> {
        Voice { words: self.words, models: &self.models }
    }
}
