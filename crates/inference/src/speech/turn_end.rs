//! Whether somebody has finished speaking or is only pausing: the smart-turn model.
//!
//! It listens to how something is said (falling tone, drawn-out syllables), not to the words. Asked when
//! the voice has paused, with the whole of the turn so far.

use std::path::Path;

use rten::NodeId;
use rten_tensor::NdTensorView;
use rten_tensor::prelude::*;
use zeroize::Zeroizing;

use super::graph::{Graph, floats};
use super::mel::{BANDS, HOP, Mel};
use super::sound;
use crate::Error;

/// Columns of the picture the model looks at: eight seconds.
const COLUMNS: usize = 800;
const HEARD: usize = COLUMNS * HOP;

/// The loaded model. Shareable; a call blocks while it computes.
pub struct TurnEnd {
    graph: Graph,
    mel: Mel,
    input: NodeId,
    output: NodeId,
}

impl TurnEnd {
    /// Reads the ONNX file.
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::NotAModel`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let graph = Graph::read(path)?;
        let (input, output) = (graph.id("input_features", path)?, graph.id("logits", path)?);
        let model = Self { graph, mel: Mel::new(), input, output };
        model.finished(&[])?;
        Ok(model)
    }

    /// How likely the turn is over, from 0 to 1, judged by the last eight seconds of `samples` (16 000 a
    /// second). Half is the model's own threshold.
    ///
    /// # Errors
    /// [`Error::Broken`] if the runtime fails.
    pub fn finished(&self, samples: &[f32]) -> Result<f32, Error> {
        let last = samples.len().saturating_sub(HEARD);
        let heard = sound(samples.get(last..).unwrap_or_default());
        let picture = Zeroizing::new(self.mel.picture(&normalised(&heard)));
        let view = NdTensorView::from_data([1, BANDS, COLUMNS], picture.as_slice());
        let output = self.graph.run(vec![(self.input, view.into())], &[self.output])?.pop();
        let probability = floats(output)?.iter().next().copied().unwrap_or_default();
        Ok(if probability.is_finite() { probability.clamp(0.0, 1.0) } else { 0.0 })
    }
}

/// Eight seconds that end with `samples`, of mean 0 and variance 1, silence before them included.
fn normalised(samples: &[f32]) -> Zeroizing<Vec<f32>> {
    let mut all = Zeroizing::new(vec![0.0; HEARD]);
    let begin = HEARD.saturating_sub(samples.len());
    for (to, from) in all.iter_mut().skip(begin).zip(samples) {
        *to = *from;
    }
    let mean = all.iter().sum::<f32>() / HEARD as f32;
    let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / HEARD as f32;
    let scale = (variance + 1e-7).sqrt();
    for x in all.iter_mut() {
        *x = (*x - mean) / scale;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_stands_at_the_end() {
        let all = normalised(&[1.0, -1.0]);
        assert_eq!(all.len(), HEARD);
        assert!(all[HEARD - 2] > 100.0 && all[HEARD - 1] < -100.0 && all[0].abs() < 1.0);
        assert!(normalised(&[]).iter().all(|x| *x == 0.0));
    }
}
