//! The API for programs, in the format of OpenAI's: models, chat completions, embeddings.
//!
//! Every route asks for a personal API key through [`crate::ApiCaller`] and hands the work to
//! [`assistant::Assistant`]; nothing a program asks is kept. Unknown fields are ignored, as OpenAI's own
//! server does, so that programs which know more than this server still work; what would change the
//! answer and is not supported is refused by name. Failures are [`crate::Problem`]s, which the edge
//! writes as OpenAI's error envelope ([`error`]).

mod chat;
mod description;
mod embeddings;
pub mod error;
mod json;
mod models;
pub mod scim;

use axum::{Router, routing};

use crate::App;

/// Everything under `/v1`, and the description of it.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/models", routing::get(models::list))
        // Models of endpoints are called `endpoint/model`, and SDKs do not agree on escaping the slash.
        .route("/v1/models/{*id}", routing::get(models::get))
        .route("/v1/chat/completions", routing::post(chat::complete))
        .route("/v1/embeddings", routing::post(embeddings::embed))
        .route("/openapi.json", routing::get(description::get))
        .merge(scim::routes())
}
