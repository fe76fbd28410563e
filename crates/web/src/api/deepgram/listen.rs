//! `POST /v1/listen`: a recording, written down. `GET` opens a socket for a stream.

use assistant::{
    ModelError,
    speech::{Decoder, Format, Samples, Sound, SpeechKind, is_wav},
};
use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use http::{
    Uri,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use zeroize::Zeroizing;

use super::{Wishes, listen_socket, written};
use crate::{
    ApiCaller, App, Problem,
    api::{
        audio::{sound_of_wav, too_long},
        error::{invalid, of_assistant, of_model},
    },
    socket::Opening,
};

/// Listens to a stream.
pub(in crate::api) async fn open(
    caller: ApiCaller,
    State(app): State<App>,
    uri: Uri,
    opening: Opening,
) -> Result<Response, Problem> {
    listen_socket::open(app, caller.ctx, &Wishes::of(&uri)?, opening).await
}

/// Writes a recording down.
pub(in crate::api) async fn hear(
    caller: ApiCaller,
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let wishes = Wishes::of(request.uri())?;
    let facts = wishes.model(&app, &caller.ctx, SpeechKind::Recognition)?;
    let _room = app.assistant.room_for_recording(&caller.ctx).map_err(|error| of_assistant(&error))?;
    let format = wishes.format()?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        return Err(invalid("url", "This server fetches nothing; send the sound itself."));
    }
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    let bytes = whole(request.into_body(), length).await?;
    let samples = match format {
        _ if is_wav(&bytes) => sound_of_wav(&app, bytes, "body").await?,
        Some(format) => raw(&app, bytes, format).await?,
        None => {
            let detail = "Send a WAV file, or raw sound with `encoding` and `sample_rate`; other kinds have no decoder here.";
            return Err(invalid("body", detail));
        }
    };
    let language = wishes.value("language").filter(|language| language.len() <= 16).map(str::to_owned);
    let heard = app.assistant.transcribe(&caller.ctx, Sound { samples, model: Some(facts.id), language });
    let heard = heard.await.map_err(|error| of_assistant(&error))?;
    Ok(axum::Json(written::recording(&caller.ctx, &heard)).into_response())
}

/// The whole body. The edge bounds it.
async fn whole(body: Body, length: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
    // At once: a vector that grows leaves copies behind in freed memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Problem::bad_request("The body could not be read to its end."))?;
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The sound of bytes without a head.
async fn raw(app: &App, bytes: Zeroizing<Vec<u8>>, format: Format) -> Result<Samples, Problem> {
    let seconds = app.identity.numbers().recording_seconds;
    if bytes.len() > format.bytes_a_second().saturating_mul(seconds as usize) {
        return Err(too_long("body", seconds));
    }
    if !bytes.len().is_multiple_of(format.encoding.width()) {
        return Err(invalid("body", "The sound ends in the middle of a sample; look at `encoding`."));
    }
    let read = app.tasks.spawn_blocking(move || -> Result<Samples, ModelError> {
        let mut decoder = Decoder::new(format)?;
        let (first, rest) = (decoder.decode(&bytes)?, decoder.finish()?);
        let mut all = Zeroizing::new(Vec::with_capacity(first.len() + rest.len()));
        all.extend_from_slice(&first);
        all.extend_from_slice(&rest);
        Ok(all)
    });
    read.await.map_err(|error| Problem::internal(&error))?.map_err(|error| of_model(&error))
}
