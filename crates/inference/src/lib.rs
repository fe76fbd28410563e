//! Local models: language models read from GGUF files, sentence embeddings and speech from ONNX files.
//!
//! Only this room runs a model inside the process, and it does no I/O but reading model files. It knows
//! nothing of people, conversations or the network; the `providers` room wraps it. Everything
//! here blocks: callers run it on a blocking thread.

mod answer;
pub mod catalog;
mod embed;
mod error;
mod gguf;
mod grammar;
mod llm;
mod model;
mod prefix;
mod prompt;
mod request;
mod sample;
pub mod speech;
mod stream;
mod tokens;

pub use embed::Embedder;
pub use error::Error;
pub use llm::{Llm, LoadOptions};
pub use request::{Call, Finish, Request, Role, Step, Summary, Tool, ToolChoice, Turn};
