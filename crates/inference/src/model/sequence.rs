//! The keys and values of the tokens a model has seen: what makes the next token cheap.
//!
//! One [`Sequence`] belongs to one run of tokens. It can be cut back to any earlier length, and the
//! beginning of it can be copied, which is what the prefix cache lives on. Numbers are kept as 16-bit
//! floats: half the memory and half the traffic, at a loss far below that of the quantised weights.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// Tokens by which storage grows.
const CHUNK: usize = 512;

/// Tokens and their keys and values, layer by layer.
pub(crate) struct Sequence {
    tokens: Vec<u32>,
    width: usize,
    layers: Vec<Stored>,
}

#[derive(Clone, Default)]
struct Stored {
    keys: Vec<f16>,
    values: Vec<f16>,
}

impl Sequence {
    /// An empty sequence for `layers` layers whose keys and values have `width` numbers each.
    pub(crate) fn new(layers: usize, width: usize) -> Self {
        Self { tokens: Vec::new(), width, layers: vec![Stored::default(); layers] }
    }

    /// How many tokens it holds.
    pub(crate) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The tokens it holds.
    pub(crate) fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| (layer.keys.capacity() + layer.values.capacity()) * size_of::<f16>())
            .sum()
    }

    /// Forgets everything after the first `length` tokens, and anything not committed.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.tokens.truncate(length);
        let numbers = self.tokens.len() * self.width;
        for layer in &mut self.layers {
            layer.keys.truncate(numbers);
            layer.values.truncate(numbers);
        }
    }

    /// A copy of the first `length` tokens.
    pub(crate) fn prefix(&self, length: usize) -> Self {
        let length = length.min(self.len());
        let mut copy = Self::new(self.layers.len(), self.width);
        copy.tokens.extend_from_slice(&self.tokens[..length]);
        for (to, from) in copy.layers.iter_mut().zip(&self.layers) {
            to.keys.extend_from_slice(&from.keys[..length * self.width]);
            to.values.extend_from_slice(&from.values[..length * self.width]);
        }
        copy
    }

    /// Appends keys and values of a layer; they count once [`Self::commit`] has named their tokens.
    pub(super) fn append(&mut self, layer: usize, keys: &[f32], values: &[f32]) {
        let step = CHUNK * self.width;
        let layer = &mut self.layers[layer];
        push(&mut layer.keys, keys, step);
        push(&mut layer.values, values, step);
    }

    /// Names the tokens whose keys and values all layers have appended.
    pub(super) fn commit(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
    }

    pub(super) fn keys(&self, layer: usize) -> &[f16] {
        &self.layers[layer].keys
    }

    pub(super) fn values(&self, layer: usize) -> &[f16] {
        &self.layers[layer].values
    }
}

fn push(to: &mut Vec<f16>, from: &[f32], step: usize) {
    let start = to.len();
    if to.capacity() < start + from.len() {
        to.reserve_exact(from.len().next_multiple_of(step));
    }
    to.resize(start + from.len(), f16::ZERO);
    to[start..].convert_from_f32_slice(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(tokens: &[u32]) -> Sequence {
        let mut sequence = Sequence::new(2, 2);
        for token in tokens {
            for layer in 0..2 {
                sequence.append(layer, &[*token as f32, 1.0], &[-1.0, layer as f32]);
            }
            sequence.commit(&[*token]);
        }
        sequence
    }

    #[test]
    fn cut_and_copied_sequences_equal_short_ones() {
        let mut long = filled(&[5, 6, 7, 8]);
        let (copy, short) = (long.prefix(2), filled(&[5, 6]));
        long.truncate(2);
        for sequence in [&long, &copy] {
            assert_eq!(sequence.tokens(), short.tokens());
            assert_eq!(sequence.keys(1), short.keys(1));
            assert_eq!(sequence.values(1), short.values(1));
        }
    }

    #[test]
    fn uncommitted_numbers_are_forgotten() {
        let mut sequence = filled(&[1]);
        sequence.append(0, &[9.0, 9.0], &[9.0, 9.0]);
        sequence.truncate(1);
        assert_eq!(sequence.keys(0), filled(&[1]).keys(0));
    }

    #[test]
    fn storage_grows_in_steps() {
        let sequence = filled(&[1]);
        assert_eq!(sequence.bytes(), 2 * 2 * CHUNK * 2 * 2);
    }
}
