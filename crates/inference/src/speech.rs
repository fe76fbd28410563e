//! Speech on this machine: sound into words, words into sound, who is talking and whether they are done.
//!
//! Called by `providers` on blocking threads. Models are read once and shared by all calls (`&self`);
//! what belongs to one call ([`Activity`], the converters in [`audio`]) is small and wiped when it is
//! dropped. Nothing here panics on any sound or text, and nothing but model files is read.

mod activity;
pub mod audio;
mod graph;
mod mel;
mod ort;
mod recognise;
pub mod spoken;
mod synthesise;
mod turn_end;
mod vocabulary;

use zeroize::Zeroizing;

pub use activity::{Activity, Detector, FRAME_SAMPLES, Frame};
pub use recognise::{Heard, LONGEST_SECONDS, RATE, Recogniser, Segment};
pub use synthesise::{LONGEST_TEXT, VOICE_RATE, Voice, VoiceFiles};
pub use turn_end::TurnEnd;

/// Sound as numbers between -1 and 1, one channel. Overwritten with zeros when dropped.
pub type Samples = Zeroizing<Vec<f32>>;

/// A copy in which every number can be computed with: no NaN, no infinity, nothing beyond full scale.
fn sound(samples: &[f32]) -> Samples {
    Zeroizing::new(samples.iter().map(|x| if x.is_finite() { x.clamp(-1.0, 1.0) } else { 0.0 }).collect())
}
