//! A turn: a question, and the answer as it comes.
//!
//! [`Assistant::respond`] is the table of contents. Once it has returned, the question is durable and
//! the turn needs nobody: it waits for the model, streams, and keeps its answer whether or not anybody
//! is watching. Any number of watchers read the same [`transcript`].

mod prompt;
mod question;
mod seats;
mod spoken;
mod transcript;
mod work;

use domain::{
    Ctx,
    audit::{Act, Entry},
    chat::{Author, Body, Conversation, Message, Tree},
    enforced,
    id::{ConversationId, MessageId, TurnId},
    model::ModelFacts,
};
use store::{conversations, messages};
use zeroize::Zeroizing;

use seats::Seat;
pub(crate) use seats::{Seats, Turn};
use spoken::Held;
pub(crate) use spoken::{Fate, FromTurn, Manner, Memory, Offer, RESULT_BYTES, Ran, Round, Spoken};
use transcript::Transcript;
pub use transcript::{TurnEvent, Watch};
use work::Work;

use crate::{
    Assistant, Error, Opened,
    rights::{self, TurnRights},
    title,
};

/// What a person asks, and where.
#[derive(Clone, PartialEq, Eq)]
pub struct Ask {
    /// In which conversation.
    pub place: Place,
    /// What.
    pub kind: AskKind,
    /// Which model; the default when absent.
    pub model: Option<String>,
}

/// A conversation and whether it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Sealed in the store.
    Kept(ConversationId),
    /// In memory alone.
    Temporary(ConversationId),
}

impl Place {
    /// The conversation.
    #[must_use]
    pub const fn conversation(self) -> ConversationId {
        match self {
            Self::Kept(id) | Self::Temporary(id) => id,
        }
    }
}

/// A kind of question.
#[derive(Clone, PartialEq, Eq)]
pub enum AskKind {
    /// A new message.
    Say {
        /// What it says.
        text: String,
        /// The message it follows; the end of the shown branch when absent.
        after: Option<MessageId>,
    },
    /// An earlier message of the person in other words: a new branch beside it.
    Edit {
        /// The earlier message.
        message: MessageId,
        /// The other words.
        text: String,
    },
    /// Another answer to the same question.
    Regenerate {
        /// The answer to be made anew, or the question when it has none.
        message: MessageId,
    },
    /// Nothing new: something more is said to what is there, even when nothing is.
    GoOn,
}

impl AskKind {
    /// How much text it brings.
    const fn bytes(&self) -> usize {
        match self {
            Self::Say { text, .. } | Self::Edit { text, .. } => text.len(),
            Self::Regenerate { .. } | Self::GoOn => 0,
        }
    }
}

/// A turn that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The turn.
    pub turn: TurnId,
    /// The conversation with the question in it.
    pub opened: Opened,
}

impl Assistant {
    /// Keeps the question and begins the answer. The question is durable before this returns, and the
    /// turn goes on if the caller goes away, even in the middle of this call.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`], [`Error::UnknownModel`], [`Error::Empty`],
    /// [`Error::TooLong`], [`Error::Full`], [`Error::Answering`], [`Error::Busy`], [`Error::Closing`],
    /// [`Error::TemporaryOnly`], [`Error::UsedUp`], [`Error::Store`]. Nothing is kept then.
    pub async fn respond(&self, ctx: &Ctx, ask: Ask) -> Result<Begun, Error> {
        let rights = TurnRights::of(ctx)?;
        self.respond_in(ctx, rights, ask, Manner::Written).await
    }

    /// [`Self::respond`], in writing or aloud. Aloud, the question is kept when the caller's turn is over for
    /// certain, and of the answer what was heard.
    pub(crate) async fn respond_in(
        &self,
        ctx: &Ctx,
        rights: TurnRights,
        ask: Ask,
        manner: Manner,
    ) -> Result<Begun, Error> {
        let (assistant, ctx) = (self.clone(), ctx.clone());
        // On the tracker, because a request that is dropped between the commit and the turn's
        // beginning would leave a question that nobody answers.
        let begun = self.0.tasks.spawn(async move { assistant.begin_turn(&ctx, rights, ask, manner).await });
        begun.await.map_err(|_| Error::Closing)?
    }

    async fn begin_turn(
        &self,
        ctx: &Ctx,
        rights: TurnRights,
        ask: Ask,
        mut manner: Manner,
    ) -> Result<Begun, Error> {
        let place = ask.place;
        self.may_ask_in(ctx, place)?;
        let model = self.choose_model(ctx, ask.model.as_deref())?;
        let seat = self.0.seats.take(rights::person(ctx)?, place.conversation(), ctx.now())?;
        let charge = self.charge(ctx, 1, ask.kind.bytes()).await?;
        let asked = match manner {
            Manner::Written => self.keep_question(ctx, place, ask.kind).await,
            Manner::Spoken(_) => self.hold_question(ctx, &rights, place, ask.kind).await,
        };
        let Asked { question, path, held, mut opened } = match asked {
            Ok(asked) => asked,
            Err(refused) => {
                self.give_back(charge).await;
                return Err(refused);
            }
        };
        let messages: Vec<_> = path.iter().collect();
        let prompt = model.as_ref().map(|model| match &mut manner {
            Manner::Written => prompt::build(model, &messages),
            Manner::Spoken(spoken) => spoken.prompt(ctx, model, &messages),
        });
        let answers = path.last().map(|message| message.id);
        let answer = MessageId::fresh(ctx);
        let began = began(question, answer, model.as_ref());
        let turn = seat.begin(TurnId::fresh(ctx), Transcript::new(began));
        let id = turn.id;
        let work = Work {
            assistant: self.clone(),
            rights,
            seat,
            turn,
            place,
            answers,
            answer,
            model,
            prompt,
            manner,
            question,
            held,
            charge,
            read: 0,
        };
        self.0.tasks.spawn(work.run());
        opened.running = Some(id);
        Ok(Begun { turn: id, opened })
    }

    /// The events of a turn after position `from` (0: all of them), as they come. Any number may watch;
    /// leaving changes nothing. See [`TurnEvent::seq`].
    ///
    /// # Errors
    /// [`Error::NotFound`] when the turn is another's or ended more than a few minutes ago: its answer
    /// is in the conversation.
    pub fn watch(&self, ctx: &Ctx, turn: TurnId, from: u64) -> Result<Watch, Error> {
        let person = rights::reads(ctx).and(rights::person(ctx))?;
        let turn = self.0.seats.find(person, turn, ctx.now())?;
        Ok(std::sync::Arc::clone(&turn.transcript).watch(from))
    }

    /// Stops a turn; what was shown is kept. Stopping one that has ended changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] as for [`Self::watch`].
    pub fn stop(&self, ctx: &Ctx, turn: TurnId) -> Result<(), Error> {
        let person = rights::writes(ctx).and(rights::person(ctx))?;
        self.0.seats.find(person, turn, ctx.now())?.stop.cancel();
        Ok(())
    }

    /// The model to ask; `None` when none was named and there is none.
    fn choose_model(&self, ctx: &Ctx, named: Option<&str>) -> Result<Option<ModelFacts>, Error> {
        let mut models = self.0.providers.models();
        let Some(id) = named.map(str::to_owned).or_else(|| self.default_model_for(ctx)) else {
            return Ok(None);
        };
        self.may_ask_model(ctx, &id)?;
        let at = models.iter().position(|facts| facts.id == id).ok_or(Error::UnknownModel)?;
        Ok(Some(models.swap_remove(at)))
    }

    /// Puts the question in its place.
    async fn keep_question(&self, ctx: &Ctx, place: Place, kind: AskKind) -> Result<Asked, Error> {
        let (conversation, tree) = self.conversation(ctx, place).await?;
        let (mut asked, held) = Asked::of(ctx, place, conversation, tree, kind)?;
        if let Some(Held { question, title }) = held {
            self.keep_message(ctx, place, &question, title.as_deref()).await?;
            // As it is kept now: nobody need read again what was just written.
            asked.opened.conversation.title = title.unwrap_or(asked.opened.conversation.title);
            (asked.opened.conversation.head, asked.opened.conversation.updated) =
                (Some(question.id), question.at);
        }
        Ok(asked)
    }

    /// Finds the place of a question that is kept later, if at all.
    async fn hold_question(
        &self,
        ctx: &Ctx,
        rights: &TurnRights,
        place: Place,
        kind: AskKind,
    ) -> Result<Asked, Error> {
        let (conversation, tree) = match place {
            Place::Kept(_) => self.conversation(ctx, place).await?,
            // Those who only ask may not read chats, but this one is no longer than their call.
            Place::Temporary(id) => self.0.temporary.open(rights::person(ctx)?, id, rights.ctx.now())?,
        };
        let (mut asked, held) = Asked::of(ctx, place, conversation, tree, kind)?;
        asked.held = held;
        Ok(asked)
    }

    /// A conversation and its messages, wherever it is kept.
    pub(crate) async fn conversation(&self, ctx: &Ctx, place: Place) -> Result<(Conversation, Tree), Error> {
        match place {
            Place::Kept(id) => {
                let permit = rights::reads(ctx)?;
                let store = &self.0.store;
                let facts = conversations::get(store, &permit, id);
                // Side by side: somebody waits for the first word.
                Ok(tokio::try_join!(facts, messages::tree(store, &permit, id))?)
            }
            Place::Temporary(id) => self.0.temporary.open(rights::person(ctx)?, id, ctx.now()),
        }
    }

    /// Keeps a person's message, and the title when it is the first one.
    async fn keep_message(
        &self,
        ctx: &Ctx,
        place: Place,
        message: &Message,
        title: Option<&str>,
    ) -> Result<(), Error> {
        match place {
            Place::Kept(id) => {
                let permit = rights::writes(ctx)?;
                let mut tx = self.0.store.begin(ctx).await?;
                messages::append(&mut tx, &permit, id, message).await?;
                if let Some(title) = title {
                    conversations::rename(&mut tx, &permit, id, title).await?;
                }
                Ok(tx.commit(Entry::new(Act::MessageWritten, message.id)).await?)
            }
            Place::Temporary(id) => {
                // The way of a temporary chat: it ends in memory and meets no transaction.
                enforced!(DAT03);
                self.0.temporary.append(rights::person(ctx)?, id, message.clone(), ctx.now())
            }
        }
    }

    /// Keeps something that was said in a call, after what was said last. Whoever calls holds the
    /// conversation's only line, so no turn of the call runs.
    pub(crate) async fn keep_said(
        &self,
        ctx: &Ctx,
        rights: &TurnRights,
        place: Place,
        author: Author,
        text: Zeroizing<String>,
    ) -> Result<MessageId, Error> {
        let person = rights::person(ctx)?;
        let _seat = self.0.seats.take(person, place.conversation(), ctx.now())?;
        let body = Body { text: text.to_string(), ..Body::default() };
        let (id, at) = (MessageId::fresh(ctx), ctx.now());
        let said = |parent| Message { id, parent, author, body, at };
        match place {
            Place::Kept(conversation) => {
                let before = conversations::get(&self.0.store, &rights::reads(ctx)?, conversation).await?;
                let mut tx = self.0.store.begin(&rights.ctx).await?;
                messages::append(&mut tx, &rights.writes, conversation, &said(before.head)).await?;
                tx.commit(Entry::new(Act::MessageWritten, id)).await?;
            }
            Place::Temporary(chat) => {
                // What is said without an answer: memory, no transaction.
                enforced!(DAT03);
                let (before, _) = self.0.temporary.open(person, chat, at)?;
                self.0.temporary.append(person, chat, said(before.head), at)?;
            }
        }
        Ok(id)
    }

    /// Stops what is answering in a conversation and holds its seat, so that it can be changed.
    pub(crate) async fn hush(&self, ctx: &Ctx, conversation: ConversationId) -> Result<Seat, Error> {
        Ok(self.0.seats.hush(rights::person(ctx)?, conversation).await)
    }
}

/// A question in its place.
struct Asked {
    /// Its id, when it is a new one.
    question: Option<MessageId>,
    /// The way from the root to the message that is to be answered.
    path: Vec<Message>,
    /// The question, when it is yet to be kept.
    held: Option<Held>,
    /// The conversation with the question in it.
    opened: Opened,
}

impl Asked {
    /// Finds the place of `kind`, and what is to be kept of it.
    fn of(
        ctx: &Ctx,
        place: Place,
        conversation: Conversation,
        mut tree: Tree,
        kind: AskKind,
    ) -> Result<(Self, Option<Held>), Error> {
        let question::Step { question, answers } = question::place(ctx, &tree, conversation.head, kind)?;
        let id = question.as_ref().map(|question| question.id);
        let held = question.map(|question| {
            let title = conversation.title.is_empty().then(|| title::from_question(&question.body.text));
            Held { title: title.filter(|title| !title.is_empty()), question }
        });
        if let Some(held) = &held {
            tree = tree.with(held.question.clone());
        }
        let path = answers.map(|answers| tree.path(answers).into_iter().cloned().collect());
        let temporary = matches!(place, Place::Temporary(_));
        let opened = Opened { conversation, tree, running: None, temporary };
        Ok((Self { question: id, path: path.unwrap_or_default(), held: None, opened }, held))
    }
}

fn began(user_message: Option<MessageId>, answer: MessageId, model: Option<&ModelFacts>) -> TurnEvent {
    let place = model.map(|model| model.place.to_string());
    TurnEvent::Began { user_message, answer, model: model.map(|model| model.id.clone()), place }
}
