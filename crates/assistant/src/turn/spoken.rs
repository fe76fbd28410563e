//! What is different about a turn whose answer is spoken: when its words are kept, which of them, and the
//! tools its model may call.
//!
//! [`super::work`] does the turn; the call in [`crate::voice`] stands at the other end of the two channels
//! in [`Spoken`]. Invariants: a question that was only thought ahead leaves nothing; what is kept of an answer is
//! what was heard of it; whatever the model was told of a tool's result is in [`Memory`] and goes with the call.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    Ctx,
    chat::{Author, Ending, Message},
    id::{ItemId, MessageId, ToolCallId},
    model::{Line, ModelFacts, Prompt, Speaker, Tool, ToolCall, ToolChoice, Usage},
};
use tokio::sync::{mpsc, oneshot, watch};
use zeroize::{Zeroize, Zeroizing};

use super::prompt;

/// Most rounds of tools in one answer. After them the model has to answer with what it has.
pub(super) const ROUNDS: usize = 6;
/// Most tools called in one round.
pub(super) const CALLS: usize = 8;
/// Most bytes of a tool's result that a model is told.
pub(crate) const RESULT_BYTES: usize = 16 * 1024;

/// Most rounds of tools a call remembers, and most of their bytes. The oldest is forgotten first.
const ROUNDS_KEPT: usize = 64;
const ROUNDS_BYTES: usize = 1024 * 1024;
/// Most things an application may say into a call, and most of their bytes.
const NOTES: usize = 128;
const NOTES_BYTES: usize = 256 * 1024;

/// How an answer is given.
pub(crate) enum Manner {
    /// In writing: all of it is kept as it comes.
    Written,
    /// Aloud.
    Spoken(Box<Spoken>),
}

/// A question that is kept once its turn is over for certain, and the title it gives its conversation.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) question: Message,
    pub(crate) title: Option<String>,
}

/// What a spoken turn needs of its call.
pub(crate) struct Spoken {
    /// What the model is told first, beside what every call tells it.
    pub(crate) instructions: Zeroizing<String>,
    /// Told to the model last, for this answer alone.
    pub(crate) aside: Option<Zeroizing<String>>,
    /// What the call remembers beside its messages.
    pub(crate) memory: Arc<Memory>,
    /// The tools.
    pub(crate) offer: Offer,
    /// Most tokens of the answer.
    pub(crate) max_tokens: Option<u32>,
    /// Where the answer goes as it comes.
    pub(crate) to_call: mpsc::Sender<FromTurn>,
    /// What becomes of the turn.
    pub(crate) fate: watch::Receiver<Fate>,
}

/// The tools a model may call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offer {
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: ToolChoice,
}

/// What becomes of a spoken turn, as its call decides.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// The caller has probably finished.
    Open,
    /// The caller has finished: the question is part of the conversation.
    Confirmed,
    /// The caller went on: nothing of this has been.
    Void,
    /// All that will be heard of the answer has been.
    Heard {
        /// The words.
        text: Arc<Zeroizing<String>>,
        /// Whether they are fewer than there were.
        cut: bool,
    },
}

/// What a turn tells its call.
pub(crate) enum FromTurn {
    /// It began; the first thing it says.
    Began {
        /// The question, when it is a new one.
        question: Option<MessageId>,
        /// The message it answers.
        answers: Option<MessageId>,
        /// The message it will be.
        answer: MessageId,
    },
    /// More words.
    Text(Zeroizing<String>),
    /// The model calls tools, each with an id of its own, and waits for the results.
    Tools {
        /// Which.
        calls: Vec<ToolCall>,
        /// Where the results go.
        results: oneshot::Sender<Ran>,
    },
    /// No more words will come.
    Made(Made),
    /// The question or the answer could not be kept.
    NotKept,
}

/// What came of tools that were called.
pub(crate) struct Ran {
    /// The results, in the order of the calls.
    pub(crate) results: Vec<Zeroizing<String>>,
    /// The tools that make sense now, where that has changed.
    pub(crate) tools: Option<Vec<Tool>>,
}

/// How the making of an answer came out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) ending: Ending,
    pub(crate) usage: Option<Usage>,
}

/// One round of tools as later prompts tell of it.
pub(crate) struct Round {
    /// Its first call.
    pub(crate) key: Option<ToolCallId>,
    /// The message that was being answered.
    pub(crate) answers: Option<MessageId>,
    pub(crate) calls: Vec<ToolCall>,
    /// The results, in the order of the calls.
    pub(crate) results: Vec<Zeroizing<String>>,
}

impl Round {
    fn bytes(&self) -> usize {
        let arguments = self.calls.iter().map(|call| call.arguments.len());
        arguments.chain(self.results.iter().map(|result| result.len())).sum()
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        self.calls.iter_mut().for_each(|call| call.arguments.zeroize());
    }
}

/// Something the application said, after a message.
struct Note {
    item: ItemId,
    after: Option<MessageId>,
    text: Zeroizing<String>,
}

/// What a call remembers beside the messages of its conversation. Bounded. Wiped when it is over.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    rounds: Vec<Round>,
    notes: Vec<Note>,
    left_out: HashSet<MessageId>,
}

impl Memory {
    /// A round of tools is done, or still runs while the caller has gone on; what was said of it before is void.
    pub(crate) fn remember(&self, round: Round) {
        let mut inside = self.lock();
        match inside.rounds.iter_mut().find(|known| known.key == round.key) {
            Some(known) => *known = round,
            None => inside.rounds.push(round),
        }
        let (mut bytes, mut kept) = (0, 0);
        for round in inside.rounds.iter().rev() {
            bytes += round.bytes();
            kept += usize::from(bytes <= ROUNDS_BYTES && kept < ROUNDS_KEPT);
        }
        let gone = inside.rounds.len() - kept;
        inside.rounds.drain(..gone);
    }

    /// The application said something after `after`. `false` when it has said too much: it is not remembered.
    pub(crate) fn note(&self, item: ItemId, after: Option<MessageId>, text: Zeroizing<String>) -> bool {
        let mut inside = self.lock();
        let bytes: usize = inside.notes.iter().map(|note| note.text.len()).sum();
        let fits = inside.notes.len() < NOTES && bytes + text.len() <= NOTES_BYTES;
        if fits {
            inside.notes.push(Note { item, after, text });
        }
        fits
    }

    /// A message is not told any more, nor what tools found out for it.
    pub(crate) fn leave_out(&self, message: MessageId) {
        let mut inside = self.lock();
        inside.left_out.insert(message);
        inside.rounds.retain(|round| round.answers != Some(message));
    }

    /// Something the application said is not told any more. `false` when it is unknown.
    pub(crate) fn forget_note(&self, item: ItemId) -> bool {
        let mut inside = self.lock();
        let before = inside.notes.len();
        inside.notes.retain(|note| note.item != item);
        inside.notes.len() < before
    }

    /// What stands right after `message`.
    fn after(&self, message: Option<MessageId>) -> Vec<Line> {
        let inside = self.lock();
        let notes = inside.notes.iter().filter(|note| note.after == message);
        let mut lines: Vec<Line> = notes.map(|note| Line::new(Speaker::System, note.text.as_str())).collect();
        for round in inside.rounds.iter().filter(|round| round.answers == message) {
            lines.extend(exchange(String::new(), &round.calls, &round.results));
        }
        lines
    }

    fn is_told(&self, message: MessageId) -> bool {
        !self.lock().left_out.contains(&message)
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A round of tools as lines: what the model said and called, and what came of each call.
pub(super) fn exchange(said: String, calls: &[ToolCall], results: &[Zeroizing<String>]) -> Vec<Line> {
    let mut called = Line::new(Speaker::Assistant, said);
    called.tool_calls = calls.to_vec();
    let answers = calls.iter().zip(results).map(|(call, result)| {
        let mut line = Line::new(Speaker::Tool, result.as_str());
        line.answers = Some(call.id.clone());
        line
    });
    std::iter::once(called).chain(answers).collect()
}

/// What every model is told on a call. Short, because small models lose themselves in long instructions.
const SYSTEM: &str = "You are the voice agent of Troth, talking with a caller. You are an AI, not a person; say so \
when you are asked. Everything you write is spoken aloud: use short plain sentences, at most three in a reply, and \
ask one question at a time. No lists, no Markdown, no emoji, no web addresses. Say numbers and identifiers such \
as order numbers one character at a time. The caller's words were recognised by a machine: when they make no \
sense, ask. When you do not know something, say that you do not know.";

impl Spoken {
    /// The prompt for `model` to answer the last message of `path`, or to begin when there is none.
    pub(super) fn prompt(&self, ctx: &Ctx, model: &ModelFacts, path: &[&Message]) -> Prompt {
        let told = path.iter().filter(|message| self.memory.is_told(message.id));
        // What was said before the caller's first word is told as such: many templates begin with a question.
        let mut opening = Zeroizing::new(String::new());
        let mut history = self.memory.after(None);
        for message in told {
            match message.author {
                Author::Assistant if history.iter().all(|line| line.speaker == Speaker::System) => {
                    opening.push_str(message.body.text.as_str());
                    opening.push(' ');
                }
                author => prompt::add(&mut history, author, &message.body.text),
            }
            history.extend(self.memory.after(Some(message.id)));
        }
        let mut asked = prompt::of_lines(model, &self.system(ctx, &opening), history, &self.offer.tools);
        if let Some(aside) = &self.aside {
            asked.lines.push(Line::new(Speaker::System, aside.as_str()));
        }
        asked.tools.clone_from(&self.offer.tools);
        asked.tool_choice.clone_from(&self.offer.choice);
        asked.max_tokens = self.max_tokens;
        asked
    }

    fn system(&self, ctx: &Ctx, opening: &str) -> Zeroizing<String> {
        let mut system = Zeroizing::new(format!("{SYSTEM} Today is {}.", crate::today(ctx)));
        if !self.instructions.is_empty() {
            system.push_str("\n\n");
            system.push_str(&self.instructions);
        }
        if !opening.is_empty() {
            system.push_str("\n\nYou began the call by saying: ");
            system.push_str(opening.trim_end());
        }
        system
    }

    /// Tells the call something. A call that is over listens no more; its turn then ends by its fate.
    pub(super) async fn tell(&self, what: FromTurn) {
        drop(self.to_call.send(what).await);
    }

    /// Waits until it is known what was heard. A call that went away without a word was not heard out.
    pub(super) async fn heard(&mut self) -> (Arc<Zeroizing<String>>, bool) {
        match self.fate.wait_for(|fate| matches!(fate, Fate::Heard { .. } | Fate::Void)).await.as_deref() {
            Ok(Fate::Heard { text, cut }) => (Arc::clone(text), *cut),
            Ok(_) | Err(_) => (Arc::default(), true),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        Actor, Clock, Entropy, Timestamp,
        chat::Body,
        model::{Place, Prompt},
    };

    use super::*;

    fn message(n: u128, author: Author, text: &str) -> Message {
        let body = Body { text: text.into(), ..Body::default() };
        Message { id: MessageId(uuid::Uuid::from_u128(n)), parent: None, author, body, at: Timestamp(0) }
    }

    fn call() -> ToolCall {
        ToolCall { id: "call_1".into(), name: "find".into(), arguments: "{}".into() }
    }

    fn prompt(memory: &Arc<Memory>, path: &[Message]) -> Prompt {
        let model = ModelFacts {
            id: "m".into(),
            title: "M".into(),
            maker: String::new(),
            licence: None,
            place: Place::ThisMachine,
            context_tokens: 8_192,
            bytes: None,
            note: String::new(),
            readiness: domain::model::Readiness::Ready,
        };
        let spoken = Spoken {
            instructions: Zeroizing::new("Be kind.".into()),
            aside: None,
            memory: Arc::clone(memory),
            offer: Offer::default(),
            max_tokens: Some(99),
            to_call: mpsc::channel(1).0,
            fate: watch::channel(Fate::Open).1,
        };
        let ctx =
            Ctx::new(Actor::Anonymous, Clock::new(|| Timestamp(1_767_225_600_000_000)), Entropy::new(|_| ()));
        spoken.prompt(&ctx, &model, &path.iter().collect::<Vec<_>>())
    }

    fn lines(prompt: &Prompt) -> Vec<(Speaker, &str)> {
        prompt.lines.iter().skip(1).map(|line| (line.speaker, line.text.as_str())).collect()
    }

    #[test]
    fn what_was_said_before_the_caller_is_told_first() {
        let path = [message(1, Author::Assistant, "Hello."), message(2, Author::User, "Hi.")];
        let prompt = prompt(&Arc::default(), &path);
        let system = &prompt.lines[0].text;
        assert!(system.contains("Today is 2026-01-01.") && system.contains("Be kind."), "{system}");
        assert!(system.ends_with("You began the call by saying: Hello."), "{system}");
        assert_eq!(lines(&prompt), [(Speaker::User, "Hi.")]);
        assert_eq!(prompt.max_tokens, Some(99));
    }

    #[test]
    fn tools_of_earlier_answers_are_told_where_they_were_called() {
        let memory = Arc::<Memory>::default();
        let path = [
            message(1, Author::User, "Where is it?"),
            message(2, Author::Assistant, "On its way."),
            message(3, Author::User, "Thanks."),
        ];
        let round = |result: &str| Round {
            key: Some(ToolCallId(uuid::Uuid::from_u128(9))),
            answers: Some(path[0].id),
            calls: vec![call()],
            results: vec![Zeroizing::new(result.to_owned())],
        };
        memory.remember(round("running"));
        memory.remember(round("shipped"));
        let item = ItemId(uuid::Uuid::from_u128(7));
        assert!(memory.note(item, Some(path[1].id), Zeroizing::new("It rains.".into())));
        let told = prompt(&memory, &path);
        let expected = [
            (Speaker::User, "Where is it?"),
            (Speaker::Assistant, ""),
            (Speaker::Tool, "shipped"),
            (Speaker::Assistant, "On its way."),
            (Speaker::System, "It rains."),
            (Speaker::User, "Thanks."),
        ];
        assert_eq!(lines(&told), expected);
        assert_eq!(told.lines[2].tool_calls, [call()]);
        assert_eq!(told.lines[3].answers.as_deref(), Some("call_1"));
        memory.leave_out(path[1].id);
        assert!(!lines(&prompt(&memory, &path)).contains(&(Speaker::Assistant, "On its way.")));
    }

    #[test]
    fn what_a_call_remembers_is_bounded() {
        let memory = Memory::default();
        let note = |bytes: usize| {
            memory.note(ItemId(uuid::Uuid::from_u128(1)), None, Zeroizing::new("x".repeat(bytes)))
        };
        assert!(note(NOTES_BYTES - 1) && !note(2) && note(1));
        assert!(memory.forget_note(ItemId(uuid::Uuid::from_u128(1))));
        assert_eq!((0..2 * NOTES).filter(|_| note(1)).count(), NOTES);
        for n in 0..100 {
            let result = vec![Zeroizing::new("y".repeat(ROUNDS_BYTES / 10))];
            let key = Some(ToolCallId(uuid::Uuid::from_u128(n)));
            memory.remember(Round { key, answers: None, calls: vec![call()], results: result });
        }
        let kept: Vec<_> = memory.lock().rounds.iter().map(|round| round.key).collect();
        assert_eq!(kept.len(), 9);
        assert_eq!(kept.last(), Some(&Some(ToolCallId(uuid::Uuid::from_u128(99)))), "the newest stay");
    }
}
