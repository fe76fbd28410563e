//! The arithmetic between the matrix products, in forms the compiler turns into vector instructions.

use super::matrix::Rows;

/// Numbers handled side by side; a multiple of every vector width in use.
pub(super) const LANES: usize = 8;

/// `a * b + c`, in one instruction where the target has one.
#[inline(always)]
pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) { a.mul_add(b, c) } else { a * b + c }
}

/// Adds `b` to `a`.
pub(super) fn add(a: &mut [f32], b: &[f32]) {
    for (x, y) in a.iter_mut().zip(b) {
        *x += y;
    }
}

/// The dot product of two slices of the same length, a multiple of [`LANES`].
#[inline]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [[0.0_f32; LANES]; 2];
    let (a, b) = (a.as_chunks::<LANES>().0, b.as_chunks::<LANES>().0);
    for (pair, (x, y)) in a.iter().zip(b).enumerate() {
        let sum = &mut sums[pair & 1];
        for lane in 0..LANES {
            sum[lane] = fma(x[lane], y[lane], sum[lane]);
        }
    }
    (0..LANES).map(|lane| sums[0][lane] + sums[1][lane]).sum()
}

/// Root-mean-square normalisation of each row, scaled by `weights`.
pub(super) fn rms_norm(x: &Rows, weights: &[f32], epsilon: f32) -> Rows {
    let mut normed = Vec::with_capacity(x.values().len());
    for row in x.values().chunks_exact(weights.len()) {
        let mean = row.iter().map(|n| f64::from(*n) * f64::from(*n)).sum::<f64>() / row.len() as f64;
        let scale = 1.0 / (mean as f32 + epsilon).sqrt();
        normed.extend(row.iter().zip(weights).map(|(n, weight)| n * scale * weight));
    }
    Rows::new(normed, weights.len())
}

/// `gate = silu(gate) * up`, where `silu(x) = x / (1 + e^-x)`.
pub(super) fn silu_times(gate: &mut [f32], up: &[f32]) {
    for (g, u) in gate.iter_mut().zip(up) {
        *g = *g / (1.0 + exp(-*g)) * u;
    }
}

/// `e^x` to about seven digits; numbers beyond what `f32` holds are held at its ends.
///
/// The classic split into a power of two and a short polynomial (Cephes), without branches.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Adding it rounds to a whole number and leaves that number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = fma(x, std::f32::consts::LOG2_E, ROUND);
    let whole = shifted - ROUND;
    let rest = fma(whole, 2.121_944_4e-4, fma(whole, -0.693_359_4, x));
    let mut series = 1.987_569_1e-4;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        series = fma(series, rest, coefficient);
    }
    let series = fma(series * rest, rest, rest + 1.0);
    let power = f32::from_bits(shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23);
    series * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close() {
        for step in -8_600..8_700 {
            let x = step as f32 / 100.0;
            let (ours, theirs) = (exp(x), x.exp());
            assert!((ours - theirs).abs() <= theirs * 3e-7, "{x}: {ours} {theirs}");
        }
        assert!(exp(-1e30) < 1e-37 && exp(1e30).is_finite());
    }

    #[test]
    fn dot_adds_products() {
        let a: Vec<f32> = (0..24).map(|n| n as f32).collect();
        assert_eq!(dot(&a, &a), (0..24).map(|n| (n * n) as f32).sum::<f32>());
    }

    #[test]
    fn norm_makes_the_mean_square_one() {
        let rows = Rows::new(vec![3.0, -3.0, 1.0, 1.0], 2);
        let normed = rms_norm(&rows, &[1.0, 2.0], 0.0);
        assert_eq!(normed.values(), [1.0, -2.0, 1.0, 2.0]);
    }

    #[test]
    fn silu_gates() {
        let mut gate = [0.0, 100.0, -100.0];
        silu_times(&mut gate, &[5.0, 2.0, 2.0]);
        assert!(gate[0] == 0.0 && (gate[1] - 200.0).abs() < 1e-3 && gate[2].abs() < 1e-3);
    }
}
