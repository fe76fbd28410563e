//! Taking one's chats along, and bringing them in: `/chat/api/export` and `/chat/api/import`.

use assistant::Format;
use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use domain::id::ConversationId;
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};

use crate::{App, Problem, SignedIn};

/// What to take along.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    format: Form,
    conversation: Option<ConversationId>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Json,
    Markdown,
}

/// `GET /chat/api/export`: a file.
pub async fn export(
    State(app): State<App>,
    person: SignedIn,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    let format = match wish.format {
        Form::Json => Format::Json,
        Form::Markdown => Format::Markdown,
    };
    let export = app.assistant.export(&person.ctx, wish.conversation, format).await?;
    let mut response = export.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(export.media_type));
    let name = format!("attachment; filename=\"{}\"", export.file_name.replace(['"', '\\'], ""));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("attachment")),
    );
    Ok(response)
}

/// What came in.
#[derive(Serialize)]
pub struct Imported {
    conversations: usize,
    messages: usize,
    skipped: usize,
}

/// `POST /chat/api/import`: a file that was exported, as the body.
pub async fn import(
    State(app): State<App>,
    person: SignedIn,
    body: Bytes,
) -> Result<Json<Imported>, Problem> {
    let report = app.assistant.import(&person.ctx, &body).await?;
    Ok(Json(Imported {
        conversations: report.conversations,
        messages: report.messages,
        skipped: report.skipped,
    }))
}
