//! Speech in OpenAI's format: texts spoken, recordings written down.
//!
//! A voice is heard while it is made: the body streams, and leaving the connection stops it.

pub(super) mod sending;
pub(super) mod speech;
pub(super) mod transcription;
mod upload;
mod written;

use assistant::speech::{Samples, read_wav};

use super::error::invalid;
use crate::{App, Problem};

/// The sound of a WAV file, at most `seconds` of it. `field` is what a refusal is about.
pub(super) async fn sound_of_wav(
    app: &App,
    file: zeroize::Zeroizing<Vec<u8>>,
    field: &'static str,
) -> Result<Samples, Problem> {
    let seconds = app.identity.numbers().recording_seconds;
    // Mixing and resampling minutes of sound takes long enough to keep others waiting.
    let read = app.tasks.spawn_blocking(move || read_wav(&file, seconds)).await;
    read.map_err(|error| Problem::internal(&error))?.map_err(|error| match error {
        assistant::ModelError::TooLarge => too_long(field, seconds),
        assistant::ModelError::BadPrompt { why } => {
            invalid(field, format!("This sound cannot be read: {why}."))
        }
        other => super::error::of_model(&other),
    })
}

/// 400: a recording is longer than may be sent at once.
pub(super) fn too_long(field: &'static str, seconds: u32) -> Problem {
    domain::enforced!(SPE03);
    invalid(field, format!("There may be at most {seconds} seconds of sound at once; send it in parts."))
}
