//! An assistant over a throw-away store, and what most tests do with it.

use assistant::{Ask, AskKind, Assistant, Desk, Error, ImportReport, Limits, Place, TurnEvent};
use domain::{
    Ctx,
    chat::Ending,
    id::{ConversationId, MessageId, TurnId},
};
use futures::StreamExt;
use providers::{Config, LocalConfig, Providers};
use testkit::Home;
use tokio_util::task::TaskTracker;

/// An assistant that knows the scripted model alone.
pub(crate) fn assistant(home: &Home) -> Assistant {
    with_limits(home, Limits::default())
}

pub(crate) fn with_limits(home: &Home, limits: Limits) -> Assistant {
    with_config(home, scripted(), limits)
}

pub(crate) fn with_config(home: &Home, config: Config, limits: Limits) -> Assistant {
    let tasks = TaskTracker::new();
    let providers = Providers::start(config, &tasks, home.clockwork.clock()).expect("a configuration");
    Assistant::with_limits(home.store.clone(), providers, tasks, limits)
}

/// One whose voice desk works as `desk` says.
pub(crate) fn with_desk(home: &Home, desk: Desk) -> Assistant {
    let tasks = TaskTracker::new();
    let providers = Providers::start(scripted(), &tasks, home.clockwork.clock()).expect("a configuration");
    let limits = Limits { calls_per_person: 4, ..Limits::default() };
    Assistant::with_desk(home.store.clone(), providers, tasks, limits, desk)
}

pub(crate) fn scripted() -> Config {
    let local = LocalConfig { enabled: false, ..LocalConfig::default() };
    Config { scripted: true, local, ..Config::default() }
}

pub(crate) fn say(place: Place, text: &str) -> Ask {
    Ask { place, kind: AskKind::Say { text: text.to_owned(), after: None }, model: None }
}

pub(crate) fn again(place: Place, message: MessageId) -> Ask {
    Ask { place, kind: AskKind::Regenerate { message }, model: None }
}

/// What a turn showed from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) question: Option<MessageId>,
    pub(crate) answer: MessageId,
    pub(crate) text: String,
    pub(crate) ending: Ending,
    pub(crate) error: Option<String>,
}

/// Watches a turn from its beginning to its end.
pub(crate) async fn see(assistant: &Assistant, ctx: &Ctx, turn: TurnId) -> Seen {
    let mut events = assistant.watch(ctx, turn, 0).expect("the turn can be watched");
    let Some(TurnEvent::Began { user_message, answer, .. }) = events.next().await else {
        panic!("a turn begins with its beginning");
    };
    let mut text = String::new();
    while let Some(event) = events.next().await {
        match event {
            TurnEvent::Began { .. } => panic!("a turn begins once"),
            TurnEvent::Waiting(_) => (),
            TurnEvent::Text { text: more, .. } => text.push_str(&more),
            TurnEvent::Ended { ending, error, .. } => {
                assert!(events.next().await.is_none(), "nothing comes after the end");
                return Seen { question: user_message, answer, text, ending, error };
            }
        }
    }
    panic!("the stream ended before the turn did");
}

/// Asks and watches to the end.
pub(crate) async fn ask(assistant: &Assistant, ctx: &Ctx, ask: Ask) -> Seen {
    let turn = assistant.respond(ctx, ask).await.expect("the question is taken").turn;
    see(assistant, ctx, turn).await
}

/// Brings a file in.
pub(crate) async fn import(assistant: &Assistant, ctx: &Ctx, file: &[u8]) -> Result<ImportReport, Error> {
    assistant.begin_import(ctx)?.take(file.to_vec()).await
}

/// A kept conversation with one question and its answer.
pub(crate) async fn one_question(assistant: &Assistant, ctx: &Ctx, text: &str) -> (ConversationId, Seen) {
    let id = assistant.begin(ctx).await.expect("a conversation");
    let seen = ask(assistant, ctx, say(Place::Kept(id), text)).await;
    (id, seen)
}
