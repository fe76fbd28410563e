//! A caller for tests: whistles words into a call and writes down what is told.
//!
//! The scripted ear reads the whistling of the scripted voice, so that nothing here depends on a model. The engine
//! goes by frames: sound is sent as fast as it is taken, and only what the agent says takes its time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use assistant::{Assistant, Call, Keeping, Limits, Opening, Place};
use domain::{
    chat::Author,
    consent::{Basis, Purpose, Standing},
    voice::{Cause, Command, Event, ReplyEnd, Settings, Why},
};
use providers::speech::{Encoder, Encoding, Format, marked};
use testkit::{Home, Person};
use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zeroize::Zeroizing;

use crate::house::with_limits;

/// Half of what a piece of sound lasts: twice as fast as anybody speaks is still allowed.
const HALF: Duration = Duration::from_millis(10);

/// A house with somebody in it.
pub(crate) fn house(limits: Limits, work: impl AsyncFnOnce(Assistant, Person)) {
    testkit::run(async {
        let home = Home::sqlite().await;
        let person = home.person("ann").await;
        work(with_limits(&home, limits), person).await;
    });
}

/// Settings under which replies are text alone.
pub(crate) fn silent() -> Settings {
    Settings { speaks: false, ..Settings::default() }
}

/// The basis of somebody who agreed to everything.
pub(crate) fn agreed(person: &Person) -> Basis {
    Basis::Consent(Standing::new(person.id, 1, 1, Purpose::ALL))
}

/// How somebody who agreed to everything opens a call that leaves nothing.
pub(crate) fn opening(person: &Person) -> Opening {
    let (keeping, ended) = (Keeping::Temporary(None), CancellationToken::new());
    Opening { keeping, basis: agreed(person), desk: false, ended }
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
    pub(crate) async fn begin(
        assistant: &Assistant,
        person: &Person,
        keeping: Keeping,
        settings: Settings,
    ) -> Self {
        Self::open(assistant, person, keeping, false, settings).await
    }

    /// The same for the voice desk.
    pub(crate) async fn at_the_desk(assistant: &Assistant, person: &Person, settings: Settings) -> Self {
        Self::open(assistant, person, Keeping::Temporary(None), true, settings).await
    }

    async fn open(
        assistant: &Assistant,
        person: &Person,
        keeping: Keeping,
        desk: bool,
        settings: Settings,
    ) -> Self {
        let ended = CancellationToken::new();
        let opening = Opening { keeping, basis: agreed(person), desk, ended: ended.clone() };
        let mut call = assistant.call(&person.ctx, opening).await.expect("the call is opened");
        let told = Arc::<Told>::default();
        let (writes, (_, unread)) = (Arc::clone(&told), tokio::sync::mpsc::channel(1));
        let mut events = std::mem::replace(&mut call.events, unread);
        TaskTracker::new().spawn(async move {
            while let Some(event) = events.recv().await {
                writes.events.lock().unwrap().push((Instant::now(), event));
                writes.more.notify_waiters();
            }
        });
        let talk = Self { call, ended, told };
        talk.configure(settings).await;
        talk
    }

    /// Settles how the call is held from now on.
    pub(crate) async fn configure(&self, settings: Settings) {
        let input = domain::voice::Format { rate: 16_000, ..domain::voice::Format::DEFAULT };
        self.ask(Command::Configure(Box::new(Settings { input, ..settings }))).await;
    }

    /// The temporary chat it is held in.
    pub(crate) fn chat(&self) -> domain::id::ConversationId {
        self.call.place.conversation()
    }

    /// The call.
    pub(crate) fn id(&self) -> domain::id::CallId {
        self.call.id
    }

    /// Asks something of the call.
    pub(crate) async fn ask(&self, command: Command) {
        // A call that has ended takes nothing more, and says so in its events.
        drop(self.call.commands.send(command).await);
    }

    /// Says `text`, as fast as anybody whistles it, and then nothing.
    pub(crate) async fn say(&self, text: &str) {
        let mut encoder = Encoder::new(24_000, Format { encoding: Encoding::Pcm16, rate: 16_000 }).unwrap();
        let mut bytes = encoder.encode(&marked(text)).unwrap();
        bytes.extend_from_slice(&encoder.finish().unwrap());
        self.play(&bytes).await;
    }

    /// Is silent for so many milliseconds.
    pub(crate) async fn silence(&self, ms: usize) {
        self.play(&vec![0; ms * 32]).await;
    }

    /// Says `text` and waits for an answer to have been heard.
    pub(crate) async fn talk(&self, text: &str) {
        let before = self.count(|event| matches!(event, Event::ReplyDone { .. }));
        self.say(text).await;
        self.wait(|talk| talk.count(|event| matches!(event, Event::ReplyDone { .. })) > before).await;
    }

    async fn play(&self, bytes: &[u8]) {
        for piece in bytes.chunks(640) {
            self.ask(Command::Audio(Zeroizing::new(piece.to_vec()))).await;
        }
    }

    /// Plays silence until `what` was told.
    pub(crate) async fn until(&self, what: impl Fn(&Event) -> bool) {
        self.wait(|talk| talk.count(&what) > 0).await;
    }

    /// Plays silence until `what` holds.
    pub(crate) async fn wait(&self, what: impl Fn(&Self) -> bool) {
        for _ in 0..9_000 {
            if what(self) {
                return;
            }
            self.silence(20).await;
            tokio::time::sleep(HALF).await;
        }
        panic!("it was never told: {:?}", self.all());
    }

    /// Waits for the end, and says why.
    pub(crate) async fn end(&self) -> Why {
        loop {
            let more = self.told.more.notified();
            if let Some(why) = self.find(|event| match event {
                Event::Ended { why } => Some(*why),
                _ => None,
            }) {
                return why;
            }
            let more = tokio::time::timeout(Duration::from_secs(60), more).await;
            assert!(more.is_ok(), "the call does not end: {:?}", self.all());
        }
    }

    /// Waits until the disclosure has been heard.
    pub(crate) async fn introduced(&self) {
        let heard =
            |event: &Event| matches!(event, Event::ReplyDone { end, .. } if end.how == ReplyEnd::Finished);
        self.until(heard).await;
    }

    /// How often something was told.
    pub(crate) fn count(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.told.events.lock().unwrap().iter().filter(|(_, event)| what(event)).count()
    }

    /// The first of what was told that `pick` picks.
    pub(crate) fn find<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Option<T> {
        self.told.events.lock().unwrap().iter().find_map(|(_, event)| pick(event))
    }

    /// All of what was told that `pick` picks.
    pub(crate) fn all_of<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.told.events.lock().unwrap().iter().filter_map(|(_, event)| pick(event)).collect()
    }

    /// When something was told first.
    pub(crate) fn when(&self, what: impl Fn(&Event) -> bool) -> Option<Instant> {
        self.told.events.lock().unwrap().iter().find(|(_, event)| what(event)).map(|(at, _)| *at)
    }

    /// All that was told, in its kinds.
    pub(crate) fn all(&self) -> Vec<String> {
        self.told.events.lock().unwrap().iter().map(|(_, event)| format!("{event:?}")).collect()
    }

    /// What was recognised of the caller, turn by turn.
    pub(crate) fn heard(&self) -> Vec<String> {
        let events = self.told.events.lock().unwrap();
        let finished = events.iter().filter_map(|(_, event)| match event {
            Event::UserText { text, finished: true, .. } => Some(text.to_string()),
            _ => None,
        });
        finished.collect()
    }

    /// What the agent said for a cause like this, reply by reply.
    pub(crate) fn said(&self, cause: impl Fn(Cause) -> bool) -> Vec<String> {
        let mut replies = Vec::new();
        for (_, event) in self.told.events.lock().unwrap().iter() {
            match event {
                Event::ReplyBegan { reply, cause: why, .. } if cause(*why) => {
                    replies.push((*reply, String::new()));
                }
                Event::ReplyText { reply, text, .. } => {
                    if let Some((_, said)) = replies.iter_mut().find(|(id, _)| id == reply) {
                        said.push_str(text);
                    }
                }
                _ => (),
            }
        }
        replies.into_iter().map(|(_, said)| said).collect()
    }

    /// How the replies ended.
    pub(crate) fn ends(&self) -> Vec<ReplyEnd> {
        let events = self.told.events.lock().unwrap();
        let ends = events.iter().filter_map(|(_, event)| match event {
            Event::ReplyDone { end, .. } => Some(end.how),
            _ => None,
        });
        ends.collect()
    }

    /// What is kept of the conversation.
    pub(crate) fn kept(&self, assistant: &Assistant, person: &Person) -> Vec<(Author, String)> {
        let Place::Temporary(id) = self.call.place else { panic!("a temporary chat") };
        let opened = assistant.open_temporary(&person.ctx, id).unwrap();
        let head = opened.conversation.head;
        let path = head.map(|head| opened.tree.path(head)).unwrap_or_default();
        path.iter().map(|message| (message.author, message.body.text.clone())).collect()
    }
}

/// Whether a reply answers a turn of the caller.
pub(crate) fn answers(cause: Cause) -> bool {
    matches!(cause, Cause::Turn(_))
}
