//! A quantised transformer of our own: the Qwen2 and Llama architectures.
//!
//! Products with the common formats are ours ([`tiles`]), those with the others candle's; norms, rotary positions and
//! attention are written out here over plain slices, because the cache of keys and values must be cut back, copied and kept by
//! [`crate::prefix`], and because one token at a time the overhead of general tensors is felt.

mod attention;
mod config;
mod math;
mod matrix;
mod pace;
mod sequence;
mod tiles;
#[cfg(test)]
pub(crate) mod tiny;

pub(crate) use sequence::Sequence;

use crate::Error;
use crate::gguf::Gguf;
use config::{Config, Rope};
use matrix::{Embedding, Matrix, Rows, Stack};
use pace::Pace;

/// The weights of a model and how to run them.
pub(crate) struct Model {
    config: Config,
    embedding: Embedding,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    /// `None` if the embedding is also the output matrix.
    output: Option<Matrix>,
    pace: Pace,
}

struct Layer {
    attention_norm: Vec<f32>,
    /// Query, key and value; with biases in Qwen2.
    attention_in: Stack,
    attention_out: Matrix,
    feed_norm: Vec<f32>,
    /// Gate and up.
    feed_in: Stack,
    down: Matrix,
}

impl Model {
    /// Reads the weights.
    pub(crate) fn read(gguf: &mut Gguf) -> Result<Self, Error> {
        let config = Config::read(gguf)?;
        let embedding = Embedding::read(gguf, "token_embd.weight", config.vocabulary, config.width)?;
        let layers = (0..config.layers).map(|at| Layer::read(gguf, &config, at)).collect::<Result<_, _>>()?;
        let norm = gguf.vector("output_norm.weight", config.width)?;
        let output = if gguf.has_tensor("output.weight") {
            Some(Matrix::read(gguf, "output.weight", config.vocabulary, config.width)?)
        } else {
            None
        };
        Ok(Self { config, embedding, layers, norm, output, pace: Pace::default() })
    }

    /// Most tokens the model was made to attend to.
    pub(crate) fn context_tokens(&self) -> usize {
        self.config.context
    }

    /// An empty sequence for this model.
    pub(crate) fn sequence(&self) -> Sequence {
        Sequence::new(self.config.layers, self.config.kv_width())
    }

    /// Appends `tokens` to `sequence` and returns the model's score (logit) of every possible next token.
    ///
    /// After an error the sequence is as it was.
    pub(crate) fn extend(&self, sequence: &mut Sequence, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        let before = sequence.len();
        let scores = self.pace.run(tokens.len(), || self.run(sequence, tokens));
        scores.inspect_err(|_| sequence.truncate(before))
    }

    fn run(&self, sequence: &mut Sequence, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        let config = &self.config;
        let angles = Angles::new(config, sequence.len(), tokens.len());
        let mut x = self.embedding.rows(tokens)?;
        for (at, layer) in self.layers.iter().enumerate() {
            layer.run(config, &angles, sequence, at, &mut x)?;
        }
        sequence.commit(tokens);
        let last = math::rms_norm(&x.last_row(), &self.norm, config.epsilon);
        self.output.as_ref().unwrap_or(self.embedding.matrix()).apply(&last).map(Rows::into_values)
    }
}

impl Layer {
    fn read(gguf: &mut Gguf, config: &Config, at: usize) -> Result<Self, Error> {
        let name = |part: &str| format!("blk.{at}.{part}");
        let (width, feed, kv) = (config.width, config.feed_width, config.kv_width());
        let query_width = config.heads * config.head_width;
        let inputs = [(name("attn_q"), query_width), (name("attn_k"), kv), (name("attn_v"), kv)];
        Ok(Self {
            attention_norm: gguf.vector(&name("attn_norm.weight"), width)?,
            attention_in: Stack::read(gguf, &inputs, width)?,
            attention_out: Matrix::read(gguf, &name("attn_output.weight"), width, query_width)?,
            feed_norm: gguf.vector(&name("ffn_norm.weight"), width)?,
            feed_in: Stack::read(gguf, &[(name("ffn_gate"), feed), (name("ffn_up"), feed)], width)?,
            down: Matrix::read(gguf, &name("ffn_down.weight"), width, feed)?,
        })
    }

    fn run(
        &self,
        config: &Config,
        angles: &Angles,
        sequence: &mut Sequence,
        at: usize,
        x: &mut Rows,
    ) -> Result<(), Error> {
        let normed = math::rms_norm(x, &self.attention_norm, config.epsilon);
        let [mut query, mut key, value] = self.attention_in.apply(&normed)?;
        angles.turn(config, &mut query);
        angles.turn(config, &mut key);
        sequence.append(at, key.values(), value.values());
        let attended =
            attention::attend(config, &query, sequence.keys(at), sequence.values(at), sequence.len());
        x.add(&self.attention_out.apply(&attended)?);

        let normed = math::rms_norm(x, &self.feed_norm, config.epsilon);
        let [mut gate, up] = self.feed_in.apply(&normed)?;
        math::silu_times(gate.values_mut(), up.values());
        x.add(&self.down.apply(&gate)?);
        Ok(())
    }
}

/// Cosines and sines of the rotary position embedding (RoPE) for the tokens of one step.
struct Angles {
    /// `head_width / 2` pairs for each token.
    pairs: Vec<(f32, f32)>,
}

impl Angles {
    fn new(config: &Config, start: usize, count: usize) -> Self {
        let half = config.head_width / 2;
        let mut pairs = Vec::with_capacity(count * half);
        for position in start..start + count {
            for at in 0..half {
                let frequency = f64::from(config.rope_base).powf(-(at as f64) / half as f64);
                let (sine, cosine) = (position as f64 * frequency).sin_cos();
                pairs.push((cosine as f32, sine as f32));
            }
        }
        Self { pairs }
    }

    /// Turns every head of every row by its position.
    fn turn(&self, config: &Config, rows: &mut Rows) {
        let (width, half) = (rows.width(), config.head_width / 2);
        for (row, pairs) in rows.values_mut().chunks_exact_mut(width).zip(self.pairs.chunks_exact(half)) {
            for head in row.chunks_exact_mut(config.head_width) {
                for (at, (cosine, sine)) in pairs.iter().enumerate() {
                    let (first, second) = match config.rope {
                        Rope::Halves => (at, at + half),
                        Rope::Neighbours => (2 * at, 2 * at + 1),
                    };
                    let (a, b) = (head[first], head[second]);
                    head[first] = a * cosine - b * sine;
                    head[second] = a * sine + b * cosine;
                }
            }
        }
    }
}
