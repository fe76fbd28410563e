//! Taking one's chats along, and bringing them in: `/chat/api/export` and `/chat/api/import`.

mod paced;

use assistant::Format;
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use domain::id::ConversationId;
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};

use crate::{
    App, Problem, SignedIn,
    input::{Json, Query},
};

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
    let (media_type, file_name) = (export.media_type, export.file_name.replace(['"', '\\'], ""));
    // The bytes stay the export's own to the last one sent, and with them its room.
    let file = paced::Paced::new(Bytes::from_owner(export), person.ctx.clock());
    let mut response = Body::new(file).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::try_from(format!("attachment; filename=\"{file_name}\""))
            .unwrap_or(HeaderValue::from_static("attachment")),
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

/// `POST /chat/api/import`: a file that was exported, as the body. Nothing of it is read before there is room.
pub async fn import(
    State(app): State<App>,
    person: SignedIn,
    request: Request,
) -> Result<Json<Imported>, Problem> {
    let import = app.assistant.begin_import(&person.ctx)?;
    let body = Bytes::from_request(request, &app).await;
    let body = body.map_err(|_| Problem::bad_request("The file could not be read to its end."))?;
    let report = import.take(body).await?;
    Ok(Json(Imported {
        conversations: report.conversations,
        messages: report.messages,
        skipped: report.skipped,
    }))
}
