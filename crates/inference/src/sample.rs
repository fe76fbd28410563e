//! Choosing the next token from the model's scores.

/// A brake on loops begins when this many tokens repeat what was written before.
const LOOP_LENGTH: usize = 10;
/// How far back loops are looked for.
const LOOP_WINDOW: usize = 512;
/// Candidates that sampling considers; the rest of the vocabulary shares almost no probability.
const CANDIDATES: usize = 512;

/// Chooses tokens for one answer.
pub(crate) struct Sampler {
    temperature: f32,
    top_p: f32,
    random: Random,
}

impl Sampler {
    /// `temperature` 0 is greedy; `top_p` is brought into 0 to 1.
    pub(crate) fn new(temperature: f32, top_p: f32, seed: u64) -> Self {
        let temperature = if temperature.is_finite() { temperature.clamp(0.0, 5.0) } else { 0.0 };
        let top_p = if top_p.is_finite() { top_p.clamp(0.0, 1.0) } else { 1.0 };
        Self { temperature, top_p, random: Random(seed) }
    }

    /// The next token, given the scores of all tokens and what was `written` so far.
    pub(crate) fn pick(&mut self, mut scores: Vec<f32>, written: &[u32]) -> u32 {
        brake_loops(&mut scores, written);
        if self.temperature < 1e-3 { likeliest(&scores) } else { self.draw(&scores) }
    }

    fn draw(&mut self, scores: &[f32]) -> u32 {
        let best = ranked(scores, CANDIDATES);
        let most = best.first().map_or(0.0, |token| scores[*token as usize]);
        let weights: Vec<f32> =
            best.iter().map(|token| ((scores[*token as usize] - most) / self.temperature).exp()).collect();
        let nucleus = self.top_p * weights.iter().sum::<f32>();
        let mut kept = 0.0;
        let count = weights.iter().take_while(|weight| {
            let within = kept < nucleus;
            kept += **weight;
            within
        });
        let count = count.count().max(1);
        let mut point = self.random.unit() * weights[..count].iter().sum::<f32>();
        for (token, weight) in best.iter().zip(&weights[..count]) {
            point -= weight;
            if point < 0.0 {
                return *token;
            }
        }
        best[count - 1]
    }
}

/// The token with the highest score; the first of equals.
pub(crate) fn likeliest(scores: &[f32]) -> u32 {
    let mut best = (0_u32, f32::NEG_INFINITY);
    for (token, score) in (0..).zip(scores) {
        if *score > best.1 {
            best = (token, *score);
        }
    }
    best.0
}

/// The `most` likeliest tokens, best first.
pub(crate) fn ranked(scores: &[f32], most: usize) -> Vec<u32> {
    let mut tokens: Vec<u32> = (0..).take(scores.len()).collect();
    let by_score = |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
    if most < tokens.len() {
        tokens.select_nth_unstable_by(most, by_score);
        tokens.truncate(most);
    }
    tokens.sort_unstable_by(by_score);
    tokens
}

/// Makes tokens less likely that would go on with a long word-for-word repetition.
///
/// Unlike a plain repetition penalty this leaves ordinary text and code alone, where the same words must
/// come again; only a run of [`LOOP_LENGTH`] tokens and more is braked, harder the longer it gets.
fn brake_loops(scores: &mut [f32], written: &[u32]) {
    let recent = &written[written.len().saturating_sub(LOOP_WINDOW)..];
    for end in 0..recent.len().saturating_sub(1) {
        let same = recent[..=end].iter().rev().zip(recent.iter().rev()).take_while(|(a, b)| a == b).count();
        if same >= LOOP_LENGTH {
            let next = recent[end + 1] as usize;
            if let Some(score) = scores.get_mut(next) {
                *score -= 0.5 * (same - LOOP_LENGTH + 1).min(40) as f32;
            }
        }
    }
}

/// A small, repeatable generator (SplitMix64). Nothing secret hangs on it.
struct Random(u64);

impl Random {
    /// From 0 up to but not including 1.
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / 16_777_216.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn temperature_zero_takes_the_best() {
        let mut sampler = Sampler::new(0.0, 1.0, 1);
        assert_eq!(sampler.pick(vec![0.1, 3.0, f32::NAN, 2.9], &[]), 1);
        assert_eq!(likeliest(&[f32::NEG_INFINITY, 1.0, 1.0]), 1);
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let draw = |seed| -> Vec<u32> {
            let mut sampler = Sampler::new(1.0, 1.0, seed);
            (0..50).map(|_| sampler.pick(vec![1.0, 1.1, 0.9, 1.0], &[])).collect()
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }

    #[test]
    fn sampling_follows_the_probabilities() {
        let mut sampler = Sampler::new(1.0, 1.0, 9);
        let scores = vec![0.0, 2.0_f32.ln(), 5.0_f32.ln()];
        let mut counts = [0_u32; 3];
        for _ in 0..8_000 {
            counts[sampler.pick(scores.clone(), &[]) as usize] += 1;
        }
        for (count, expected) in counts.iter().zip([1_000, 2_000, 5_000]) {
            assert!(count.abs_diff(expected) < 150, "{counts:?}");
        }
    }

    #[test]
    fn a_narrow_nucleus_leaves_out_the_tail() {
        let mut sampler = Sampler::new(1.0, 0.6, 9);
        let scores = vec![0.0, 2.0_f32.ln(), 5.0_f32.ln()];
        assert!((0..500).all(|_| sampler.pick(scores.clone(), &[]) == 2));
    }

    #[test]
    fn a_loop_is_left_and_ordinary_repetition_is_not_touched() {
        let mut sampler = Sampler::new(0.0, 1.0, 0);
        let scores = vec![1.0, 1.2, 0.0];
        assert_eq!(sampler.pick(scores.clone(), &[1, 1, 1, 1]), 1);
        assert_eq!(sampler.pick(scores.clone(), &[2, 1, 0, 2, 1, 0, 2]), 1);
        assert_eq!(sampler.pick(scores, &[1; 40]), 0);
    }

    proptest! {
        #[test]
        fn ranking_is_sorting(scores in prop::collection::vec(-9.0_f32..9.0, 1..60), most in 1_usize..70) {
            let ranked = ranked(&scores, most);
            prop_assert_eq!(ranked.len(), most.min(scores.len()));
            prop_assert!(ranked.windows(2).all(|w| scores[w[0] as usize] >= scores[w[1] as usize]));
            prop_assert_eq!(ranked[0], likeliest(&scores));
        }

        #[test]
        fn any_settings_pick_a_token(scores in prop::collection::vec(any::<f32>(), 1..40), temperature in any::<f32>(), top_p in any::<f32>()) {
            let count = scores.len();
            prop_assert!((Sampler::new(temperature, top_p, 1).pick(scores, &[]) as usize) < count);
        }
    }
}
