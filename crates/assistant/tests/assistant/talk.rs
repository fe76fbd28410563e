//! A caller for tests: whistles words into a call, in paused time, and writes down what is told.
//!
//! The scripted ear reads the whistling of the scripted voice, so that nothing here depends on a model; tokio's
//! paused clock makes an hour of talk a moment.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use assistant::{Assistant, Call, Keeping, Limits, Opening, Place};
use domain::{
    chat::Author,
    voice::{Command, Event, Format, ReplyEnd, Settings},
};
use providers::speech::{Encoder, Encoding, marked};
use testkit::{Home, Person};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::house::with_limits;

/// A piece of sound as clients send it.
const PIECE: Duration = Duration::from_millis(20);

/// A store with somebody in it. Made in ordinary time: a database knows no other.
pub(crate) fn house(limits: Limits, work: impl AsyncFnOnce(Assistant, Person)) {
    let ordinary = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (home, person) = ordinary.block_on(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        (home, person)
    });
    let paused =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    paused.block_on(async { work(with_limits(&home, limits), person).await });
}

/// One call, and what was told in it.
pub(crate) struct Talk {
    call: Call,
    pub(crate) ended: CancellationToken,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    events: Mutex<Vec<(Instant, Event)>>,
    more: Notify,
}

impl Talk {
    /// Opens a call in `keeping` and begins it.
    pub(crate) async fn begin(assistant: &Assistant, person: &Person, keeping: Keeping, settings: Settings) -> Self {
        let ended = CancellationToken::new();
        let opening = Opening { keeping, ended: ended.clone() };
        let mut call = assistant.call(&person.ctx, opening).await.expect("the call is opened");
        let told = Arc::<Told>::default();
        let (writes, (_, unread)) = (Arc::clone(&told), tokio::sync::mpsc::channel(1));
        let mut events = std::mem::replace(&mut call.events, unread);
        tokio::task::spawn_local_or_here(async move {
            while let Some(event) = events.recv().await {
                writes.events.lock().unwrap().push((Instant::now(), event));
                writes.more.notify_waiters();
            }
        });
        let talk = Self { call, ended, told };
        talk.ask(Command::Configure(Box::new(settings))).await;
        talk
    }
}
