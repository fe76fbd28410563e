//! The store, asked from outside, on both engines.

#![expect(
    clippy::unwrap_used,
    reason = "in a test an error is a failure; most of these stand in functions the tests share"
)]

mod access;
mod addresses;
mod audit;
mod chat;
mod consents;
mod crash;
mod customers;
mod damage;
mod desk_calls;
mod directory;
mod drafts;
mod groups;
mod leaving;
mod looking;
mod outbox;
mod people;
mod sealing;
mod search;
mod system;
mod tls;
mod write;

use domain::{
    Action, Timestamp,
    audit::{Act, Entry},
    chat::{Author, Body, Message},
    id::{ConversationId, MessageId},
};
use store::{conversations, messages};
use testkit::{Home, Person};

/// An entry for a test's own commit.
fn entry() -> Entry {
    Entry::new(Act::ConversationChanged, "")
}

/// A message of `person` after `parent`.
fn message(person: &Person, parent: Option<MessageId>, text: &str) -> Message {
    Message {
        id: MessageId::fresh(&person.ctx),
        parent,
        author: Author::User,
        body: Body { text: text.to_owned(), ..Body::default() },
        at: person.ctx.now(),
    }
}

/// Begins a conversation and commits.
async fn begin_conversation(home: &Home, person: &Person) -> ConversationId {
    let id = ConversationId::fresh(&person.ctx);
    let mut tx = home.store.begin(&person.ctx).await.expect("a turn to write");
    conversations::create(&mut tx, &person.permit(Action::WriteChat), id, person.ctx.now())
        .await
        .expect("a conversation");
    tx.commit(Entry::new(Act::ConversationChanged, id)).await.expect("a commit");
    id
}

/// Appends a message and commits.
async fn say(
    home: &Home,
    person: &Person,
    conversation: ConversationId,
    parent: Option<MessageId>,
    text: &str,
) -> MessageId {
    let message = message(person, parent, text);
    let mut tx = home.store.begin(&person.ctx).await.expect("a turn to write");
    messages::append(&mut tx, &person.permit(Action::WriteChat), conversation, &message)
        .await
        .expect("a message");
    tx.commit(Entry::new(Act::MessageWritten, message.id)).await.expect("a commit");
    message.id
}

/// A moment some seconds after the test clock's beginning.
fn later(home: &Home, seconds: i64) -> Timestamp {
    home.clockwork.now().plus_seconds(seconds)
}
