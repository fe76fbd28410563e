//! The assistant as `web` sees it: a store of each kind, and the scripted model.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test whose steps do not succeed has failed")]

#[path = "assistant/bounds.rs"]
mod bounds;
#[path = "assistant/calls.rs"]
mod calls;
#[path = "assistant/consent.rs"]
mod consent;
#[path = "assistant/conversations.rs"]
mod conversations;
#[path = "assistant/customers.rs"]
mod customers;
#[path = "assistant/desk.rs"]
mod desk;
#[path = "assistant/house.rs"]
mod house;
#[path = "assistant/programs.rs"]
mod programs;
#[path = "assistant/speech.rs"]
mod speech;
#[path = "assistant/talk.rs"]
mod talk;
#[path = "assistant/temporary.rs"]
mod temporary;
#[path = "assistant/transfer.rs"]
mod transfer;
#[path = "assistant/turns.rs"]
mod turns;
