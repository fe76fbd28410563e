//! Sound on its way to a client, in the format it wants, as it is made.

use std::io;

use assistant::{
    ModelError,
    speech::{Encoder, Format, Speaking, wav_head},
};
use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use zeroize::Zeroizing;

/// A voice and the format it is sent in. Dropping it stops the voice.
pub(in crate::api) struct Sending {
    speaking: Speaking,
    encoder: Encoder,
    /// Silence that goes before the voice.
    pause: Option<Vec<f32>>,
    ended: bool,
}

impl Sending {
    /// # Errors
    /// [`ModelError::BadPrompt`] for a rate that is not offered.
    pub(in crate::api) fn new(speaking: Speaking, format: Format) -> Result<Self, ModelError> {
        let encoder = Encoder::new(speaking.rate(), format)?;
        Ok(Self { speaking, encoder, pause: None, ended: false })
    }

    /// The same behind the pause that parts two sentences.
    pub(in crate::api) fn behind_a_pause(mut self) -> Self {
        self.pause = Some(vec![0.0; self.speaking.rate() as usize / 8]);
        self
    }

    /// The next bytes; `None` after the last.
    ///
    /// # Errors
    /// What the voice failed with.
    pub(in crate::api) async fn next(&mut self) -> Option<Result<Bytes, ModelError>> {
        loop {
            if self.ended {
                return None;
            }
            let piece = match self.speaking.next().await {
                Some(Ok(samples)) => match self.pause.take() {
                    Some(pause) => {
                        self.encoder.encode(&Zeroizing::new([&pause, samples.as_slice()].concat()))
                    }
                    None => self.encoder.encode(&samples),
                },
                Some(Err(error)) => Err(error),
                None => {
                    self.ended = true;
                    self.encoder.finish()
                }
            };
            match piece {
                Ok(bytes) if bytes.is_empty() => (),
                Ok(bytes) => return Some(Ok(Bytes::from_owner(bytes))),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }

    /// A body that is sent while the voice speaks; its first bytes are waited for, so that a voice that cannot
    /// speak is a failure with a status. `wav` puts the head of a WAV file before it.
    ///
    /// # Errors
    /// What the voice failed with.
    pub(in crate::api) async fn into_body(mut self, wav: Option<Format>) -> Result<Body, ModelError> {
        let first = self.next().await.transpose()?;
        let head = wav.map(|format| Bytes::from(wav_head(format, None)));
        let begin = head.into_iter().chain(first).map(Ok::<_, io::Error>);
        let rest = stream::unfold(self, |mut sending| async move {
            let next = sending.next().await?;
            // A body has no other way to say that it broke off.
            Some((next.map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof)), sending))
        });
        Ok(Body::from_stream(futures::StreamExt::chain(stream::iter(begin), rest)))
    }
}
