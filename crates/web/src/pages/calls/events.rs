//! Running calls as events: `GET /desk/calls/events` for the list, `GET /desk/calls/{id}/events` for one that is
//! followed. Opening the second is what begins to follow a call; closing it is looking away.
//!
//! Invariant: words of a call leave here as text and are put into the page as text.

use std::{convert::Infallible, sync::Arc, time::Duration};

use assistant::{Seen, Speaker, Watching, Words};
use axum::{
    extract::{Path, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::id::CallId;
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::view;
use crate::{App, Problem, SignedIn, Unattended};

/// The shortest time between two drawings of the list.
const TICK: Duration = Duration::from_millis(300);
/// The longest: minutes pass, too.
const REDRAWN: Duration = Duration::from_secs(30);
/// How often an idle stream says that it is still there.
const ALIVE: Duration = Duration::from_secs(15);

/// The list, drawn anew whenever a call changes, comes or goes.
pub(super) async fn of_all(
    State(app): State<App>,
    Unattended(person): Unattended,
) -> Result<Response, Problem> {
    let changes = app.assistant.running_calls_change(&person.ctx)?;
    let shutdown = app.clone();
    Ok(answer(&shutdown, stream::unfold((app, person, changes, true), drawn)))
}

type Drawing = (App, SignedIn, watch::Receiver<()>, bool);

async fn drawn((app, person, mut changes, first): Drawing) -> Option<(Event, Drawing)> {
    if !first {
        // What gathers meanwhile is drawn as one.
        sleep(TICK).await;
        if matches!(timeout(REDRAWN, changes.changed()).await, Ok(Err(_))) {
            return None;
        }
    }
    changes.mark_unchanged();
    let calls = app.assistant.running_calls(&person.ctx).ok()?;
    let html = view::running(&person, &calls).into_string();
    Some((told("calls", &json!({ "html": html })), (app, person, changes, false)))
}

/// One call as it is held.
pub(super) async fn of_one(
    State(app): State<App>,
    Unattended(person): Unattended,
    Path(id): Path<CallId>,
) -> Result<Response, Problem> {
    let watching = match app.assistant.watch_call(&person.ctx, id).await {
        Ok(watching) => watching,
        // A status would only make the browser try again.
        Err(assistant::Error::NotFound) => {
            return Ok(answer(&app, stream::iter([told("ended", &json!({}))])));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(answer(&app, stream::unfold((watching, person), followed)))
}

async fn followed((mut watching, person): (Watching, SignedIn)) -> Option<(Event, (Watching, SignedIn))> {
    let event = match watching.next().await? {
        Seen::Words(words) => said(&words),
        Seen::Changed(call) => {
            let html = view::facts(&person, &call).into_string();
            let holder = call.holder.map(|holder| holder == person.person.user);
            told("call", &json!({ "html": html, "mine": holder == Some(true), "held": holder.is_some() }))
        }
        Seen::Missed => told("missed", &json!({})),
        Seen::Ended => told("ended", &json!({})),
    };
    Some((event, (watching, person)))
}

fn said(words: &Arc<Words>) -> Event {
    let (speaker, adds) = match words.speaker {
        Speaker::Caller => ("caller", false),
        Speaker::Agent => ("agent", true),
        Speaker::Staff => ("staff", true),
    };
    let item = words.item.to_string();
    told("words", &json!({ "speaker": speaker, "adds": adds, "item": item, "text": words.text.as_str() }))
}

fn told(name: &str, value: &Value) -> Event {
    Event::default().event(name).data(value.to_string())
}

/// `events` until the server goes.
fn answer(app: &App, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let events = events.map(Ok::<_, Infallible>).take_until(app.shutdown.clone().cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}
