//! `POST /v1/audio/transcriptions`: a recording, written down.

use std::convert::Infallible;

use assistant::speech::{Heard, Sound, SpeechKind, is_wav};
use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures::stream;
use http::header::CONTENT_TYPE;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    sound_of_wav,
    upload::Upload,
    written::{Transcription, Usage, VerboseTranscription, srt, vtt},
};
use crate::{
    ApiCaller, App, Problem,
    api::error::{self, invalid},
};

/// A recording and what is to be done with it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a form, which is read field by field")]
pub(in crate::api) struct TranscriptionRequest {
    /// A WAV file: PCM, 32-bit float, A-law or µ-law.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// The model, as in `GET /v1/models`.
    model: String,
    /// The language that is spoken, e.g. `en`.
    language: Option<String>,
    /// `json`, which it is when absent, `text`, `verbose_json`, `srt` or `vtt`.
    response_format: Option<String>,
    /// Whether to send what was said as server-sent events, passage by passage.
    stream: Option<bool>,
}

/// How the answer is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Text,
    Verbose,
    Srt,
    Vtt,
    Events,
}

/// Writes a recording down.
#[utoipa::path(
    post, path = "/v1/audio/transcriptions", tag = "Audio", operation_id = "createTranscription",
    security(("key" = [])),
    request_body(content = TranscriptionRequest, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "What was said.", content(
            (Transcription = "application/json"),
            (VerboseTranscription = "application/json"),
            (String = "text/plain"),
            (String = "text/event-stream"),
        )),
        (status = 400, description = "Something in the request is not right.", body = error::Envelope),
        (status = 401, description = "The API key is missing or not known.", body = error::Envelope),
        (status = 403, description = "The key may not do this, or requests from this address are not answered.", body = error::Envelope),
        (status = 404, description = "There is no such model that hears.", body = error::Envelope),
        (status = 408, description = "The body came too slowly.", body = error::Envelope),
        (status = 413, description = "The body is too large.", body = error::Envelope),
        (status = 415, description = "The body is not said to be a form.", body = error::Envelope),
        (status = 429, description = "Too much at once; see Retry-After.", body = error::Envelope),
        (status = 502, description = "The model's endpoint failed.", body = error::Envelope),
        (status = 503, description = "The model cannot answer now; see Retry-After.", body = error::Envelope),
    )
)]
pub(in crate::api) async fn transcribe(
    caller: ApiCaller,
    State(app): State<App>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    // Asked before anything of the recording is in memory.
    let _room = app.assistant.room_for_recording(&caller.ctx).map_err(|error| error::of_assistant(&error))?;
    let mut upload = <Upload as axum::extract::FromRequest<App>>::from_request(request, &app).await?;
    let form = form(&upload)?;
    let model = upload.value("model").ok_or_else(|| invalid("model", "Say which model is to listen."))?;
    let facts = app.assistant.speech_model(&caller.ctx, SpeechKind::Recognition, Some(model));
    let facts = facts.map_err(|error| error::of_assistant(&error))?;
    let language = upload.value("language").map(str::to_owned);
    if language.as_ref().is_some_and(|language| language.len() > 16) {
        return Err(invalid("language", "A language is named as `en` or `en-US`."));
    }
    let file = upload.file.take().ok_or_else(|| invalid("file", "Send the recording as `file`."))?;
    if !is_wav(&file) {
        return Err(invalid(
            "file",
            "Send a WAV file; this server has no decoder for mp3, m4a, webm, ogg or flac.",
        ));
    }
    let samples = sound_of_wav(&app, file, "file").await?;
    let sound = Sound { samples, model: Some(facts.id), language: language.clone() };
    let heard = app.assistant.transcribe(&caller.ctx, sound).await;
    let heard = heard.map_err(|error| error::of_assistant(&error))?;
    Ok(written(&heard, form, language.as_deref()))
}

/// How the answer is wanted.
fn form(upload: &Upload) -> Result<Form, Problem> {
    if upload.lists("timestamp_granularities", "word") {
        return Err(invalid(
            "timestamp_granularities",
            "Models here give times of passages, not of words; ask for `segment`.",
        ));
    }
    let streams = match upload.value("stream") {
        None | Some("false" | "False" | "0") => false,
        Some("true" | "True" | "1") => true,
        Some(_) => return Err(invalid("stream", "`stream` is `true` or `false`.")),
    };
    let form = match upload.value("response_format") {
        None | Some("json") => Form::Json,
        Some("text") => Form::Text,
        Some("verbose_json") => Form::Verbose,
        Some("srt") => Form::Srt,
        Some("vtt") => Form::Vtt,
        Some(_) => {
            let known = "The answer is written as `json`, `text`, `verbose_json`, `srt` or `vtt`.";
            return Err(invalid("response_format", known));
        }
    };
    match (streams, form) {
        (false, form) => Ok(form),
        (true, Form::Json) => Ok(Form::Events),
        (true, _) => Err(invalid("stream", "A stream is written as `json` alone.")),
    }
}

fn written(heard: &Heard, form: Form, language: Option<&str>) -> Response {
    let plain = |kind: &'static str, text: String| ([(CONTENT_TYPE, kind)], text).into_response();
    match form {
        Form::Json => axum::Json(Transcription::of(heard)).into_response(),
        Form::Verbose => axum::Json(VerboseTranscription::of(heard, language)).into_response(),
        Form::Text => plain("text/plain; charset=utf-8", format!("{}\n", heard.text.as_str())),
        Form::Srt => plain("text/plain; charset=utf-8", srt(heard)),
        Form::Vtt => plain("text/vtt; charset=utf-8", vtt(heard)),
        Form::Events => {
            Sse::new(stream::iter(events(heard).into_iter().map(Ok::<_, Infallible>))).into_response()
        }
    }
}

/// A delta for each passage, then the whole.
fn events(heard: &Heard) -> Vec<Event> {
    let event = |data: serde_json::Value| Event::default().data(data.to_string());
    let delta = |(at, segment): (usize, &assistant::speech::Segment)| {
        let gap = if at > 0 { " " } else { "" };
        event(json!({"type": "transcript.text.delta", "delta": format!("{gap}{}", segment.text.as_str())}))
    };
    let done =
        json!({"type": "transcript.text.done", "text": heard.text.as_str(), "usage": Usage::of(heard)});
    heard.segments.iter().enumerate().map(delta).chain([event(done)]).collect()
}
