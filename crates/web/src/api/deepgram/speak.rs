//! `POST /v1/speak`: a text, spoken. `GET` opens a socket for texts as they are written.

use assistant::speech::{Encoding, Format, LONGEST_TEXT, Say, SpeechKind};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::enforced;
use http::{HeaderName, Uri, header::CONTENT_TYPE};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Wishes, speak_socket};
use crate::{
    ApiCaller, App, Problem,
    api::{
        audio::sending::Sending,
        error::{invalid, of_assistant, of_model},
        json::Json,
    },
    socket::Opening,
};

/// What is sent where nobody said how.
const USUAL: Format = Format::pcm(24_000);

/// Speaks texts as they are written.
pub(in crate::api) async fn open(
    caller: ApiCaller,
    State(app): State<App>,
    uri: Uri,
    opening: Opening,
) -> Result<Response, Problem> {
    speak_socket::open(app, caller.ctx, &Wishes::of(&uri)?, opening)
}

/// Speaks a text.
pub(in crate::api) async fn speak(
    caller: ApiCaller,
    State(app): State<App>,
    uri: Uri,
    Json(mut request): Json<Map<String, Value>>,
) -> Result<Response, Problem> {
    let wishes = Wishes::of(&uri)?;
    let (format, wav) = (wishes.format()?.unwrap_or(USUAL), wav(&wishes)?);
    let Some(Value::String(text)) = request.remove("text") else {
        return Err(invalid("text", "Send the text as `text`."));
    };
    let text = Zeroizing::new(text);
    if text.trim().is_empty() {
        return Err(invalid("text", "There must be a text to speak."));
    }
    if text.len() > LONGEST_TEXT {
        enforced!(SPE03);
        return Err(invalid(
            "text",
            format!("A text may have at most {LONGEST_TEXT} bytes; send it in parts."),
        ));
    }
    let facts = wishes.model(&app, &caller.ctx, SpeechKind::Synthesis)?;
    let pace = pace(&wishes)?;
    let speaking = app.assistant.speak(&caller.ctx, Say { text, voice: Some(facts.id), pace }).await;
    let speaking = speaking.map_err(|error| of_assistant(&error))?;
    let model = speaking.model().to_owned();
    let sending = Sending::new(speaking, format).map_err(|error| of_model(&error))?;
    let body = sending.into_body(wav.then_some(format)).await.map_err(|error| of_model(&error))?;
    let name = |name| HeaderName::from_static(name);
    let kind = match (wav, format.encoding) {
        (true, _) => "audio/wav".to_owned(),
        (false, Encoding::Pcm16) => format!("audio/l16; rate={}; channels=1", format.rate),
        (false, Encoding::MuLaw) => "audio/mulaw".to_owned(),
        (false, Encoding::ALaw) => "audio/alaw".to_owned(),
    };
    let headers = [
        (CONTENT_TYPE, kind),
        (name("dg-model-name"), model),
        (name("dg-request-id"), caller.ctx.request.to_string()),
    ];
    Ok((headers, body).into_response())
}

/// Whether the sound is sent as a WAV file.
fn wav(wishes: &Wishes) -> Result<bool, Problem> {
    match wishes.value("container") {
        None | Some("wav") => Ok(true),
        Some("none") => Ok(false),
        Some(_) => Err(invalid("container", "The container is `wav` or `none`.")),
    }
}

/// How fast.
pub(super) fn pace(wishes: &Wishes) -> Result<f32, Problem> {
    let Some(speed) = wishes.value("speed") else { return Ok(1.0) };
    let pace = speed.parse::<f32>().ok().filter(|pace| (0.5..=2.0).contains(pace));
    pace.ok_or_else(|| invalid("speed", "The speed is a number from 0.5 to 2."))
}
