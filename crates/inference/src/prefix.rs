//! Keeps the sequences of the last few conversations, so that their next turn starts at once.
//!
//! A prompt usually begins with what was prompted and answered before. [`Prefixes::take`] hands out the
//! longest such beginning; [`Prefixes::put`] keeps the sequence afterwards. The number of sequences
//! and their bytes are bounded; the one unused for longest goes first.

use crate::model::{Model, Sequence};

/// Most sequences kept.
const MOST: usize = 3;
/// A sequence may be cut back by this many tokens to serve a prompt; a longer rest is worth keeping, and the
/// shared beginning is copied instead.
const CUT: usize = 256;

/// Sequences of earlier requests, the most recently used last.
pub(crate) struct Prefixes {
    kept: Vec<Sequence>,
    most_bytes: usize,
}

impl Prefixes {
    /// Keeps at most `most_bytes`.
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { kept: Vec::new(), most_bytes }
    }

    /// A sequence that holds a beginning of `prompt`, all but its last token at most; possibly none of it.
    pub(crate) fn take(&mut self, model: &Model, prompt: &[u32]) -> Sequence {
        let useful = &prompt[..prompt.len().saturating_sub(1)];
        let best = self
            .kept
            .iter()
            .map(|sequence| common(sequence.tokens(), useful))
            .enumerate()
            .max_by_key(|(at, length)| (*length, *at));
        match best {
            Some((at, length)) if length > 0 => {
                if self.kept[at].len() - length <= CUT {
                    let mut sequence = self.kept.remove(at);
                    sequence.truncate(length);
                    sequence
                } else {
                    let sequence = self.kept.remove(at);
                    let copy = sequence.prefix(length);
                    self.kept.push(sequence);
                    copy
                }
            }
            _ => model.sequence(),
        }
    }

    /// Keeps `sequence` for the next request.
    pub(crate) fn put(&mut self, sequence: Sequence) {
        // One that this one continues adds nothing.
        self.kept.retain(|kept| !sequence.tokens().starts_with(kept.tokens()));
        self.kept.push(sequence);
        while self.kept.len() > MOST || self.bytes() > self.most_bytes {
            self.kept.remove(0);
            if self.kept.is_empty() {
                break;
            }
        }
    }

    fn bytes(&self) -> usize {
        self.kept.iter().map(Sequence::bytes).sum()
    }
}

/// How many tokens two runs have in common at their beginning.
fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Gguf;
    use crate::model::tiny;

    fn model(style: tiny::Style) -> Model {
        let folder = tempfile::tempdir().unwrap();
        Model::read(&mut Gguf::open(&tiny::write(folder.path(), style)).unwrap()).unwrap()
    }

    fn run(model: &Model, prefixes: &mut Prefixes, prompt: &[u32]) -> (usize, Vec<f32>) {
        let mut sequence = prefixes.take(model, prompt);
        let reused = sequence.len();
        let scores = model.extend(&mut sequence, &prompt[reused..]).unwrap();
        prefixes.put(sequence);
        (reused, scores)
    }

    fn prompt(start: u32, length: u32) -> Vec<u32> {
        (0..length).map(|at| (start + at * 7) % 250).collect()
    }

    fn assert_close(a: &[f32], b: &[f32]) {
        let most = a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        let size = a.iter().fold(0.0_f32, |size, x| size.max(x.abs()));
        assert!(size > 0.01 && most < 0.02 * size, "differ by {most} of {size}");
    }

    #[test]
    fn a_reused_beginning_changes_nothing() {
        for style in [tiny::Style::Qwen, tiny::Style::Llama] {
            let model = model(style);
            let mut warm = Prefixes::new(1 << 30);
            let long = prompt(3, 90);
            assert_eq!(run(&model, &mut warm, &long[..60]).0, 0);
            let (reused, scores) = run(&model, &mut warm, &long);
            assert_eq!(reused, 60);
            let (_, cold) = run(&model, &mut Prefixes::new(1 << 30), &long);
            assert_close(&scores, &cold);

            // The same again: all but the last token is there.
            let (reused, again) = run(&model, &mut warm, &long);
            assert_eq!(reused, 89);
            assert_close(&again, &cold);
        }
    }

    #[test]
    fn one_token_at_a_time_gives_what_a_batch_gives() {
        let model = model(tiny::Style::Qwen);
        let prompt = prompt(1, 45);
        let (mut one, mut all) = (model.sequence(), model.sequence());
        let mut scores = Vec::new();
        for token in &prompt {
            scores = model.extend(&mut one, &[*token]).unwrap();
        }
        assert_close(&scores, &model.extend(&mut all, &prompt).unwrap());
    }

    #[test]
    fn the_beginning_matters() {
        let model = model(tiny::Style::Qwen);
        let mut other = prompt(1, 45);
        let (_, first) = run(&model, &mut Prefixes::new(0), &other);
        other[0] = 200;
        let (_, second) = run(&model, &mut Prefixes::new(0), &other);
        let apart = first.iter().zip(&second).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        assert!(apart > 0.02, "the first token is not attended to: {apart}");
    }

    #[test]
    fn a_long_conversation_survives_a_new_one_with_the_same_beginning() {
        let model = model(tiny::Style::Llama);
        let mut prefixes = Prefixes::new(1 << 30);
        let long = prompt(0, 400);
        run(&model, &mut prefixes, &long);
        let mut other = long[..20].to_vec();
        other.extend([249; 5]);
        assert_eq!(run(&model, &mut prefixes, &other).0, 20);
        assert_eq!(run(&model, &mut prefixes, &long).0, 399);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let model = model(tiny::Style::Llama);
        let mut prefixes = Prefixes::new(1 << 30);
        for start in 0..6 {
            run(&model, &mut prefixes, &prompt(start, 10));
        }
        assert_eq!(prefixes.kept.len(), MOST);
        assert_eq!(run(&model, &mut prefixes, &prompt(0, 10)).0, 0);

        let mut small = Prefixes::new(1);
        run(&model, &mut small, &prompt(0, 10));
        assert_eq!((small.kept.len(), small.bytes()), (0, 0));
    }
}
