//! What the tests ask, as whom, and with which configuration.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::{
    Action, Actor, Clock, Ctx, Entropy, Job, Permit, Resource, Secret, Timestamp,
    access::Rights,
    authorize,
    id::{ApiKeyId, UserId},
    model::{Delta, Line, Prompt, Speaker},
};
use futures::StreamExt;
use providers::{Config, EndpointConfig, Error, Limits, LocalConfig, Providers};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The key in all configurations; no error may show it.
pub(crate) const KEY: &str = "sk-very-secret-key";

/// A permit to use models.
pub(crate) fn permit() -> Permit {
    permit_for(Action::UseModel)
}

/// A permit of a key that may have texts embedded, as the API's callers have it.
pub(crate) fn embed_permit() -> Permit {
    let clock = Clock::new(|| Timestamp(0));
    let ctx = Ctx::new(Actor::Anonymous, clock, Entropy::new(|bytes| bytes.fill(7)));
    let scopes = Rights::NONE.with(Action::Embed);
    let actor = Actor::ApiKey { user: UserId::fresh(&ctx), key: ApiKeyId::fresh(&ctx), scopes };
    let ctx = ctx.acting_as(actor);
    authorize(&ctx, Action::Embed, Resource::Instance).expect("allowed")
}

/// A permit for `action`.
pub(crate) fn permit_for(action: Action) -> Permit {
    let clock = Clock::new(|| Timestamp(0));
    let ctx = Ctx::new(Actor::System(Job::Turn), clock, Entropy::new(|bytes| bytes.fill(7)));
    authorize(&ctx, action, Resource::Instance).expect("allowed")
}

/// An endpoint called `work` at `url` with short limits.
pub(crate) fn endpoint(url: &str) -> EndpointConfig {
    EndpointConfig {
        name: "work".to_owned(),
        base_url: url.to_owned(),
        api_key: Some(Secret::new(KEY.to_owned())),
        models: vec!["big".to_owned()],
        embedding_models: vec!["vectors".to_owned()],
        recognition_models: vec!["ear".to_owned()],
        speech_models: vec!["voice".to_owned()],
        voices: vec!["alloy".to_owned(), "onyx".to_owned()],
        maker: None,
        context_tokens: 4096,
        token_limit: providers::TokenLimit::default(),
        ca_file: None,
        allow_plain_http_loopback: true,
        limits: Limits { connect_ms: 2_000, first_byte_ms: 3_000, idle_ms: 3_000, ..Limits::default() },
    }
}

/// The vendors with that endpoint and nothing else, and the hand that moves their clock.
pub(crate) fn with_clock(endpoint: EndpointConfig) -> (Providers, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(1_000_000_000_000));
    let hand = Arc::clone(&now);
    let clock = Clock::new(move || Timestamp(now.load(Ordering::Relaxed)));
    let config = Config {
        endpoints: vec![endpoint],
        local: LocalConfig { enabled: false, ..LocalConfig::default() },
        ..Config::default()
    };
    (Providers::start(config, &TaskTracker::new(), clock).expect("a sound configuration"), hand)
}

/// The vendors with that endpoint and nothing else.
pub(crate) fn vendors(endpoint: EndpointConfig) -> Providers {
    with_clock(endpoint).0
}

/// A question to the endpoint's model.
pub(crate) fn question() -> Prompt {
    Prompt::new("work/big", vec![Line::new(Speaker::User, "a very private question")])
}

/// Asks and collects the pieces; an error before the first is the only piece.
pub(crate) async fn ask(vendors: &Providers) -> Vec<Result<Delta, Error>> {
    match vendors.answer(&permit(), question(), CancellationToken::new()).await {
        Ok(answer) => answer.collect().await,
        Err(error) => vec![Err(error)],
    }
}

/// The error that ended an answer.
pub(crate) fn error_of(pieces: &[Result<Delta, Error>]) -> Error {
    let error = pieces.last().expect("pieces").clone().expect_err("an error at the end");
    let shown = format!("{error} {error:?}");
    for secret in [KEY, "private", "nobody repeats"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    error
}

/// The text among the pieces.
pub(crate) fn text_of(pieces: &[Result<Delta, Error>]) -> String {
    pieces
        .iter()
        .filter_map(|piece| if let Ok(Delta::Text(text)) = piece { Some(text.as_str()) } else { None })
        .collect()
}
