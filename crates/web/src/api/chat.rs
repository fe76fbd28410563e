//! `POST /v1/chat/completions`, whole or as a stream.

mod answer;
mod request;
mod stream;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::model::Delta;
use futures::StreamExt;

use self::{
    answer::{Completed, Head},
    request::ChatRequest,
};
use super::{error, json::Json};
use crate::{ApiCaller, App, Problem};

/// Asks a model. With `stream: true` the answer comes as server-sent events that end with `[DONE]`.
///
/// Leaving the connection stops the model.
#[utoipa::path(
    post, path = "/v1/chat/completions", tag = "Chat", operation_id = "createChatCompletion",
    security(("key" = [])), request_body = ChatRequest,
    responses(
        (status = 200, description = "The answer, whole or in chunks.", content(
            (answer::Completion = "application/json"),
            (answer::Chunk = "text/event-stream"),
        )),
        (status = 400, description = "Something in the request is not right.", body = error::Envelope),
        (status = 401, description = "The API key is missing or not known.", body = error::Envelope),
        (status = 403, description = "The key may not do this, or requests from this address are not answered.", body = error::Envelope),
        (status = 404, description = "There is no such model.", body = error::Envelope),
        (status = 408, description = "The body came too slowly.", body = error::Envelope),
        (status = 413, description = "The body is too large.", body = error::Envelope),
        (status = 415, description = "The body is not said to be JSON.", body = error::Envelope),
        (status = 429, description = "Too much at once; see Retry-After.", body = error::Envelope),
        (status = 502, description = "The model's endpoint failed.", body = error::Envelope),
        (status = 503, description = "The model cannot answer now; see Retry-After.", body = error::Envelope),
    )
)]
pub(super) async fn complete(
    caller: ApiCaller,
    State(app): State<App>,
    Json(request): Json<ChatRequest>,
) -> Result<Response, Problem> {
    let (streams, with_usage) = (request.streams(), request.wants_usage());
    let prompt = request.into_prompt()?;
    let head = Head::new(&caller.ctx, &prompt.model);
    let answer = app.assistant.complete(&caller.ctx, prompt).await;
    let answer = answer.map_err(|error| error::of_assistant(&error))?;
    if streams {
        return Ok(stream::response(head, answer, with_usage));
    }
    whole(head, answer).await
}

/// Waits for the whole answer. A failure on the way is the answer: half of one is of no use to a
/// program that asked for a whole.
async fn whole(head: Head, mut answer: assistant::Completion) -> Result<Response, Problem> {
    let mut completed = Completed::default();
    while let Some(piece) = answer.next().await {
        match piece.map_err(|error| error::of_model(&error))? {
            Delta::Text(text) => completed.text.push_str(&text),
            Delta::ToolCall(call) => completed.tool_calls.push(call),
            Delta::Done { finish, usage } => {
                return Ok(axum::Json(head.completion(completed, finish, usage)).into_response());
            }
        }
    }
    Err(error::of_model(&assistant::ModelError::Broke))
}
