//! Words from sound: Moonshine, an encoder over samples and a decoder that writes token after token.
//!
//! One [`Recogniser`] serves all calls. Sound longer than a window is cut where it is quietest. The model
//! gives no times of words; [`Segment`]s carry those of their windows.

use std::{ops::Range, path::Path, time::Duration};

use rten::{NodeId, Value, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView, Tensor};
use zeroize::Zeroizing;

use super::graph::{Graph, floats, not_a_model, read};
use super::vocabulary::Vocabulary;
use super::{ort, sound};
use crate::Error;

/// Samples a second the recogniser listens to.
pub const RATE: u32 = 16_000;
/// Longest sound taken at once.
pub const LONGEST_SECONDS: u32 = 600;

const SECOND: usize = RATE as usize;
/// Longest sound the model hears at once; it was trained on 30 s.
const WINDOW: usize = 24 * SECOND;
/// From here on a quiet place to cut is looked for.
const EARLIEST_CUT: usize = 14 * SECOND;
/// The length of sound that is compared to find the quietest.
const QUIET: usize = SECOND / 10;
/// Shorter sound than this holds no word.
const SHORTEST: usize = SECOND / 12;
/// What the encoder needs at least; shorter sound is followed by silence.
const LEAST: usize = SECOND / 2;
/// Sound whose loudest tenth of a second has less power than this is silence, and not shown to the
/// model, which hears words in anything.
const SILENCE: f32 = 3e-7;
/// The fastest speech, in tokens: who says more is a model that has got caught in a loop.
const TOKENS_PER_SECOND: f32 = 6.5;
const BEGIN: i32 = 1;
const END: usize = 2;

const LAYERS: usize = 6;
const HEADS: usize = 8;
const HEAD_WIDTH: usize = 36;

/// A loaded recogniser for English. Shareable; a call blocks while it computes.
pub struct Recogniser {
    encoder: Graph,
    decoder: Graph,
    words: Vocabulary,
    names: Names,
}

/// The inputs and outputs of the two graphs.
struct Names {
    samples: NodeId,
    sample_mask: NodeId,
    heard: NodeId,
    decoder_mask: NodeId,
    states: NodeId,
    tokens: NodeId,
    warm: NodeId,
    /// Keys and values of the decoder over what it wrote, then of what it hears: what goes in.
    past: [Vec<NodeId>; 2],
    /// The same, coming out.
    present: [Vec<NodeId>; 2],
    logits: NodeId,
}

/// What was heard.
#[derive(Default)]
pub struct Heard {
    /// All of it.
    pub text: Zeroizing<String>,
    /// How sure the model was of its tokens on average, from 0 to 1.
    pub confidence: f32,
    /// Window by window, in order.
    pub segments: Vec<Segment>,
}

/// What was heard in one window.
pub struct Segment {
    /// The words.
    pub text: Zeroizing<String>,
    /// Where the window begins in the sound.
    pub from: Duration,
    /// Where it ends.
    pub to: Duration,
    /// How sure the model was.
    pub confidence: f32,
}

impl Recogniser {
    /// Reads encoder and decoder (`.ort` files) and the tokens.
    ///
    /// # Errors
    /// [`Error::Unreadable`] or [`Error::NotAModel`].
    pub fn load(encoder: &Path, decoder: &Path, tokens: &Path) -> Result<Self, Error> {
        let graph = |path: &Path| {
            let onnx = ort::to_onnx(&read(path)?).map_err(|what| not_a_model(path, what))?;
            Graph::build(onnx, path)
        };
        let words = Vocabulary::parse(&read(tokens)?)
            .ok_or_else(|| not_a_model(tokens, "its list of tokens is cut short"))?;
        let (encoding, decoding) = (graph(encoder)?, graph(decoder)?);
        let names = Names::find((&encoding, encoder), (&decoding, decoder))?;
        let recogniser = Self { encoder: encoding, decoder: decoding, words, names };
        // A model of another shape fails here, when it is loaded, and not in a call.
        recogniser.window(&[0.0; LEAST])?;
        Ok(recogniser)
    }

    /// The words in `samples`: one channel, 16 000 a second, of full scale 1.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for more than [`LONGEST_SECONDS`], [`Error::Broken`] if the runtime fails.
    pub fn recognise(&self, samples: &[f32]) -> Result<Heard, Error> {
        self.recognise_while(samples, &|| true)
    }

    /// Like [`Self::recognise`], but stops before the next window when `go_on` says no; what was heard
    /// until then is returned.
    ///
    /// # Errors
    /// Those of [`Self::recognise`].
    pub fn recognise_while(&self, samples: &[f32], go_on: &dyn Fn() -> bool) -> Result<Heard, Error> {
        if samples.len() > LONGEST_SECONDS as usize * SECOND {
            let what = format!("more than {LONGEST_SECONDS} seconds of sound at once; send it in parts");
            return Err(Error::BadRequest { what });
        }
        let samples = sound(samples);
        let (mut heard, mut certainty, mut count) = (Heard::default(), 0.0, 0.0_f32);
        for window in windows(&samples) {
            if !go_on() {
                break;
            }
            let place = |at: usize| Duration::from_secs_f64(at as f64 / SECOND as f64);
            let (from, to) = (place(window.start), place(window.end));
            let (tokens, probability) = self.window(samples.get(window).unwrap_or_default())?;
            let text = self.words.text(&tokens);
            if text.is_empty() {
                continue;
            }
            certainty += probability * tokens.len() as f32;
            count += tokens.len() as f32;
            heard.segments.push(Segment { text, from, to, confidence: probability });
        }
        let texts: Vec<&str> = heard.segments.iter().map(|segment| segment.text.as_str()).collect();
        heard.text = Zeroizing::new(texts.join(" "));
        heard.confidence = if count > 0.0 { certainty / count } else { 0.0 };
        Ok(heard)
    }

    /// The tokens of one window and the mean of their probabilities.
    fn window(&self, samples: &[f32]) -> Result<(Zeroizing<Vec<usize>>, f32), Error> {
        let mut padded = Zeroizing::new(samples.to_vec());
        padded.resize(samples.len().max(LEAST), 0.0);
        let shape = [1, padded.len()];
        let mask: NdTensor<i32, 2> = NdTensor::full(shape, 1);
        let states = floats(
            self.encoder
                .run(
                    vec![
                        (self.names.samples, NdTensorView::from_data(shape, padded.as_slice()).into()),
                        (self.names.sample_mask, mask.view().into()),
                    ],
                    &[self.names.heard],
                )?
                .pop(),
        )?;
        let most = (padded.len() as f32 / SECOND as f32 * TOKENS_PER_SECOND) as usize + 4;
        self.write(&states, &mask, most)
    }

    /// Lets the decoder write, always the likeliest token, until it ends or has written `most`.
    fn write(
        &self,
        states: &Tensor<f32>,
        mask: &NdTensor<i32, 2>,
        most: usize,
    ) -> Result<(Zeroizing<Vec<usize>>, f32), Error> {
        let mut tokens = Zeroizing::new(Vec::with_capacity(most));
        let (mut last, mut certainty) = (BEGIN, 0.0);
        let empty = |length: usize| -> Vec<Value> {
            let cache = || Tensor::<f32>::zeros(&[1, HEADS, length, HEAD_WIDTH]).into();
            std::iter::repeat_with(cache).take(2 * LAYERS).collect()
        };
        let mut written = empty(0);
        let mut heard = empty(states.size(1));
        let mut outputs = vec![self.names.logits];
        outputs.extend(&self.names.present[0]);
        while tokens.len() < most {
            let warm = !tokens.is_empty();
            let token: NdTensor<i32, 2> = NdTensor::full([1, 1], last);
            let branch: NdTensor<i32, 1> = NdTensor::full([1], i32::from(warm));
            let mut inputs: Vec<(NodeId, ValueOrView)> = vec![
                (self.names.decoder_mask, mask.view().into()),
                (self.names.states, states.view().into()),
                (self.names.tokens, token.view().into()),
                (self.names.warm, branch.view().into()),
            ];
            for (id, value) in self.names.past[0].iter().zip(written.drain(..)) {
                inputs.push((*id, ValueOrView::Value(value)));
            }
            for (id, value) in self.names.past[1].iter().zip(&heard) {
                inputs.push((*id, value.as_view().into()));
            }
            if !warm {
                outputs.extend(&self.names.present[1]);
            }
            let mut given = self.decoder.run(inputs, &outputs)?;
            if !warm {
                outputs.truncate(1 + 2 * LAYERS);
                heard = given.split_off((1 + 2 * LAYERS).min(given.len()));
            }
            written = given.split_off(1.min(given.len()));
            let (token, probability) = likeliest(&floats(given.pop())?, self.words.len());
            if token == END {
                break;
            }
            certainty += probability;
            tokens.push(token);
            last = i32::try_from(token).map_err(Error::broken)?;
        }
        let mean = if tokens.is_empty() { 0.0 } else { certainty / tokens.len() as f32 };
        Ok((tokens, mean))
    }
}

impl Names {
    fn find(encoder: (&Graph, &Path), decoder: (&Graph, &Path)) -> Result<Self, Error> {
        let of_encoder = |name: &str| encoder.0.id(name, encoder.1);
        let of_decoder = |name: &str| decoder.0.id(name, decoder.1);
        let caches = |start: &str, side: &str| -> Result<Vec<NodeId>, Error> {
            let names = (0..LAYERS)
                .flat_map(|layer| ["key", "value"].map(|part| format!("{start}.{layer}.{side}.{part}")));
            names.map(|name| of_decoder(&name)).collect()
        };
        Ok(Self {
            samples: of_encoder("input_values")?,
            sample_mask: of_encoder("attention_mask")?,
            heard: of_encoder("last_hidden_state")?,
            // In samples, although it belongs to states: the graph itself divides.
            decoder_mask: of_decoder("encoder_attention_mask")?,
            states: of_decoder("encoder_hidden_states")?,
            tokens: of_decoder("input_ids")?,
            warm: of_decoder("use_cache_branch")?,
            past: [caches("past_key_values", "decoder")?, caches("past_key_values", "encoder")?],
            present: [caches("present", "decoder")?, caches("present", "encoder")?],
            logits: of_decoder("logits")?,
        })
    }
}

/// The likeliest of the first `known` tokens and its probability.
fn likeliest(logits: &Tensor<f32>, known: usize) -> (usize, f32) {
    let mut best = (END, f32::NEG_INFINITY);
    for (token, logit) in logits.iter().copied().take(known).enumerate() {
        if logit > best.1 {
            best = (token, logit);
        }
    }
    let sum: f32 = logits.iter().take(known).map(|logit| (logit - best.1).exp()).sum();
    (best.0, if sum.is_finite() && sum > 0.0 { 1.0 / sum } else { 0.0 })
}

/// The windows worth listening to.
fn windows(samples: &[f32]) -> Vec<Range<usize>> {
    let mut windows = Vec::new();
    let mut start = 0;
    while start < samples.len() {
        let rest = samples.len() - start;
        let length = if rest <= WINDOW {
            rest
        } else {
            quietest(samples.get(start..start + WINDOW).unwrap_or_default())
        };
        let window = start..start + length;
        if length >= SHORTEST && !silent(samples.get(window.clone()).unwrap_or_default()) {
            windows.push(window);
        }
        start += length;
    }
    windows
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|x| x * x).sum::<f32>() / samples.len().max(1) as f32
}

fn silent(samples: &[f32]) -> bool {
    samples.chunks(QUIET).all(|part| power(part) < SILENCE)
}

/// The middle of the quietest tenth of a second in the last part of a window.
fn quietest(window: &[f32]) -> usize {
    let places = (EARLIEST_CUT..window.len().saturating_sub(QUIET)).step_by(QUIET / 4);
    let power_at = |at: usize| power(window.get(at..at + QUIET).unwrap_or_default());
    let best = places.min_by(|a, b| power_at(*a).total_cmp(&power_at(*b)));
    best.map_or(window.len(), |at| at + QUIET / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sound_is_cut_where_it_is_quiet() {
        let mut samples = vec![0.3; 60 * SECOND];
        samples[20 * SECOND..20 * SECOND + SECOND / 5].fill(0.001);
        let found = windows(&samples);
        assert_eq!(found.first().map(|window| window.start), Some(0));
        let cut = found[0].end;
        assert!((20 * SECOND..20 * SECOND + SECOND / 5).contains(&cut), "{cut}");
        assert!(found.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(found.iter().all(|window| window.len() <= WINDOW));
        assert_eq!(found.last().map(|window| window.end), Some(samples.len()));
    }

    #[test]
    fn silence_and_snippets_are_not_shown_to_the_model() {
        assert!(windows(&[]).is_empty());
        assert!(windows(&[1.0]).is_empty());
        assert!(windows(&vec![0.0; 100 * SECOND]).is_empty());
        assert!(windows(&vec![0.0001; 100 * SECOND]).is_empty());
    }

    #[test]
    fn the_likeliest_token_is_taken_with_its_share() {
        let logits = Tensor::from_data(&[1, 1, 4], vec![0.0, 1.0, f32::NAN, 9.0]);
        let (token, _) = likeliest(&logits, 3);
        assert_eq!(token, 1);
        let logits = Tensor::from_data(&[1, 1, 3], vec![0.0, 0.0, 0.0]);
        assert!((likeliest(&logits, 3).1 - 1.0 / 3.0).abs() < 1e-6);
    }
}
