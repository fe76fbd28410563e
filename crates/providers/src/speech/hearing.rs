//! An ear for one call: how likely each 32 ms are speech, and whether a pause is the end.

use std::sync::Arc;

use inference::speech::{Activity, Detector, TurnEnd};

use super::{
    Samples,
    format::translate,
    scripted,
    workers::{Asker, Workers},
};
use crate::Error;

/// The ear of one call. It remembers what it heard last, and wipes that when it is dropped.
pub struct Hearing(Kind);

enum Kind {
    Local { activity: Activity, detector: Arc<Detector>, end: Arc<TurnEnd>, workers: Workers },
    Scripted(scripted::Ear),
}

impl Hearing {
    pub(super) fn local(detector: Arc<Detector>, end: Arc<TurnEnd>, workers: Workers) -> Self {
        Self(Kind::Local { activity: Activity::new(), detector, end, workers })
    }

    pub(super) fn scripted() -> Self {
        Self(Kind::Scripted(scripted::Ear::default()))
    }

    /// How likely each whole frame of [`super::FRAME_SAMPLES`] holds speech, from 0 to 1; the rest waits.
    /// It computes a few tenths of a millisecond a frame: give it small pieces.
    ///
    /// # Errors
    /// [`Error::Broke`] if the model fails.
    pub fn hear(&mut self, samples: &[f32]) -> Result<Vec<f32>, Error> {
        match &mut self.0 {
            Kind::Local { activity, detector, .. } => {
                let frames = activity.hear(detector, samples).map_err(translate)?;
                Ok(frames.iter().map(|frame| frame.probability).collect())
            }
            Kind::Scripted(ear) => Ok(ear.hear(samples)),
        }
    }

    /// How likely a turn is over that sounds like `tail`, its last eight seconds at most, from 0 to 1.
    ///
    /// # Errors
    /// [`Error::Busy`], and [`Error::Broke`] if the model fails.
    pub async fn finished(&self, tail: Samples) -> Result<f32, Error> {
        match &self.0 {
            Kind::Local { end, workers, .. } => {
                let end = Arc::clone(end);
                let judged = workers.enter(Asker::CALL)?.work(move || end.finished(&tail)).await?;
                judged.map_err(translate)
            }
            Kind::Scripted(_) => Ok(scripted::FINISHED),
        }
    }

    /// Forgets what it heard, as for another call.
    pub fn reset(&mut self) {
        match &mut self.0 {
            Kind::Local { activity, .. } => activity.reset(),
            Kind::Scripted(ear) => *ear = scripted::Ear::default(),
        }
    }
}
