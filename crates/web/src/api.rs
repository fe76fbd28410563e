//! The API for programs, in the format of OpenAI's: models, chat completions, embeddings, speech; and speech in
//! Deepgram's as well.
//!
//! Every route asks for a personal API key through [`crate::ApiCaller`] and hands the work to
//! [`assistant::Assistant`]; nothing a program asks is kept. Unknown fields are ignored, as OpenAI's own
//! server does, so that programs which know more than this server still work; what would change the
//! answer and is not supported is refused by name. Failures are [`crate::Problem`]s, which the edge
//! writes as OpenAI's error envelope ([`error`]).

mod audio;
mod chat;
mod deepgram;
mod description;
mod embeddings;
pub mod error;
mod json;
mod models;
pub mod scim;

use axum::{Router, response::Response, routing};

use crate::{App, Problem};

pub(crate) use json::refusal;

/// Everything under `/v1`, and the description of it.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/models", routing::get(models::list))
        // Models of endpoints are called `endpoint/model`, and SDKs do not agree on escaping the slash.
        .route("/v1/models/{*id}", routing::get(models::get))
        .route("/v1/chat/completions", routing::post(chat::complete))
        .route("/v1/embeddings", routing::post(embeddings::embed))
        .route("/v1/audio/speech", routing::post(audio::speech::speak))
        .route("/v1/audio/transcriptions", routing::post(audio::transcription::transcribe))
        .route("/v1/listen", routing::get(deepgram::listen::open).post(deepgram::listen::hear))
        .route("/v1/speak", routing::get(deepgram::speak::open).post(deepgram::speak::speak))
        .route("/openapi.json", routing::get(description::get))
        .merge(scim::routes())
}

/// A failing response's body, as the clients of this route read it.
#[must_use]
pub fn envelope(path: &str, problem: &Problem, reference: &str) -> Response {
    if deepgram::error::is_of(path) {
        deepgram::error::envelope(problem, reference)
    } else {
        error::envelope(problem, reference)
    }
}
