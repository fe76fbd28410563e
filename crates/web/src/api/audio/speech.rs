//! `POST /v1/audio/speech`: a text, spoken.

use assistant::speech::{Format, Say, SpeechFacts, SpeechKind};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::enforced;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::sending::Sending;
use crate::{
    ApiCaller, App, Problem,
    api::{
        error::{self, invalid},
        json::Json,
    },
};

/// Most letters of one text, as OpenAI's server has it.
const LONGEST: usize = 4_096;
/// What is sent: as OpenAI's `pcm`.
const FORMAT: Format = Format::pcm(24_000);

/// What to speak.
#[derive(Deserialize, ToSchema)]
pub(in crate::api) struct SpeechRequest {
    /// The model, as in `GET /v1/models`.
    model: String,
    /// The text, at most 4096 letters.
    #[schema(min_length = 1, max_length = 4096)]
    input: String,
    /// One of the model's voices.
    voice: Voice,
    /// `wav`, which it is when absent, or `pcm`: 16 bits, 24000 samples a second, the low byte first.
    #[serde(default)]
    response_format: Option<String>,
    /// How fast: 1 is natural.
    #[serde(default)]
    #[schema(minimum = 0.25, maximum = 4.0)]
    speed: Option<f32>,
    /// How the voice is to speak; no model here follows it, so it must be absent.
    #[serde(default)]
    instructions: Option<String>,
    /// `audio`.
    #[serde(default)]
    stream_format: Option<String>,
}

/// A voice, by its name.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Voice {
    Name(String),
    Id { id: String },
}

/// Speaks a text. The body streams while the voice speaks; leaving the connection stops it.
#[utoipa::path(
    post, path = "/v1/audio/speech", tag = "Audio", operation_id = "createSpeech",
    security(("key" = [])), request_body = SpeechRequest,
    responses(
        (status = 200, description = "The sound.", content((Vec<u8> = "audio/wav"), (Vec<u8> = "audio/pcm"))),
        (status = 400, description = "Something in the request is not right.", body = error::Envelope),
        (status = 401, description = "The API key is missing or not known.", body = error::Envelope),
        (status = 403, description = "The key may not do this, or requests from this address are not answered.", body = error::Envelope),
        (status = 404, description = "There is no such model that speaks.", body = error::Envelope),
        (status = 408, description = "The body came too slowly.", body = error::Envelope),
        (status = 413, description = "The body is too large.", body = error::Envelope),
        (status = 415, description = "The body is not said to be JSON.", body = error::Envelope),
        (status = 429, description = "Too much at once; see Retry-After.", body = error::Envelope),
        (status = 502, description = "The model's endpoint failed.", body = error::Envelope),
        (status = 503, description = "The model cannot answer now; see Retry-After.", body = error::Envelope),
    )
)]
pub(in crate::api) async fn speak(
    caller: ApiCaller,
    State(app): State<App>,
    Json(request): Json<SpeechRequest>,
) -> Result<Response, Problem> {
    let wav = request.wants_wav()?;
    request.hold()?;
    let facts = app.assistant.speech_model(&caller.ctx, SpeechKind::Synthesis, Some(&request.model));
    let facts = facts.map_err(|error| error::of_assistant(&error))?;
    let voice = voice(&facts, request.voice)?;
    let say =
        Say { text: Zeroizing::new(request.input), voice: Some(voice), pace: request.speed.unwrap_or(1.0) };
    let speaking = app.assistant.speak(&caller.ctx, say).await;
    let speaking = speaking.map_err(|error| error::of_assistant(&error))?;
    let sending = Sending::new(speaking, FORMAT).map_err(|error| error::of_model(&error))?;
    let body = sending.into_body(wav.then_some(FORMAT)).await.map_err(|error| error::of_model(&error))?;
    let kind = if wav { "audio/wav" } else { "audio/pcm" };
    Ok(([(CONTENT_TYPE, kind)], body).into_response())
}

impl SpeechRequest {
    fn wants_wav(&self) -> Result<bool, Problem> {
        match self.response_format.as_deref() {
            None | Some("wav") => Ok(true),
            Some("pcm") => Ok(false),
            Some(_) => Err(invalid(
                "response_format",
                "This server writes `wav` and `pcm`; it has no encoder for mp3, opus, aac or flac.",
            )),
        }
    }

    /// Refuses what cannot be spoken, and what would have to sound otherwise.
    fn hold(&self) -> Result<(), Problem> {
        if self.input.trim().is_empty() {
            return Err(invalid("input", "There must be a text to speak."));
        }
        if self.input.chars().count() > LONGEST {
            enforced!(SPE03);
            return Err(invalid("input", format!("A text may have at most {LONGEST} letters.")));
        }
        if self.speed.is_some_and(|speed| !(0.25..=4.0).contains(&speed)) {
            return Err(invalid("speed", "The speed is a number from 0.25 to 4."));
        }
        if self.instructions.as_ref().is_some_and(|text| !text.is_empty()) {
            return Err(invalid("instructions", "No model here follows instructions; leave them out."));
        }
        if self.stream_format.as_ref().is_some_and(|format| format != "audio") {
            return Err(invalid("stream_format", "The sound comes as `audio`, while it is made."));
        }
        Ok(())
    }
}

/// The voice of that name, as the assistant knows it. A model without voices of its own is one itself.
fn voice(facts: &SpeechFacts, wanted: Voice) -> Result<String, Problem> {
    let (Voice::Name(wanted) | Voice::Id { id: wanted }) = wanted;
    if facts.voices.is_empty() || wanted == facts.id || wanted == "default" {
        return Ok(facts.id.clone());
    }
    if !facts.voices.contains(&wanted) {
        let detail = format!("The voices of this model are: {}.", facts.voices.join(", "));
        return Err(invalid("voice", detail));
    }
    Ok(format!("{}/{wanted}", facts.id))
}
