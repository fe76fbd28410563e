//! A call: what a face may ask of the voice engine, and what the engine tells it.
//!
//! `assistant::voice` is the engine; the faces in `web` translate these closed enums to their wires and
//! back. Invariants: nothing here prints what was said or heard, and whatever holds sound is wiped when it
//! is dropped.

mod command;
mod desk;
mod event;
pub mod numbers;
mod settings;
pub mod turn_taking;

pub use command::{Command, SayWhen, Spoken};
pub use desk::{CallState, Category, Outcome, Way};
pub use event::{Cause, End, Event, Failure, Latency, NotDone, Over, ReplyEnd, Trigger, Why};
pub use settings::{
    Choice, ClientTool, Encoding, Format, MAX_GREETING_BYTES, MAX_INSTRUCTIONS_BYTES, MAX_TOOL_BYTES,
    MAX_TOOLS, Settings, TurnRules, Turns,
};
