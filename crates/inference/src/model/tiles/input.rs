//! The numbers a tile is multiplied with, rounded to eight bits once for all its rows.

/// A block of numbers as whole numbers of one scale.
pub(crate) trait Input: Sized + Send + Sync {
    /// How many numbers it holds.
    const COLUMNS: usize;

    /// Rounds `numbers`, of which there must be [`Self::COLUMNS`].
    fn new(numbers: &[f32]) -> Self;
}

/// 256 numbers, for the formats with parts.
pub(crate) struct Wide {
    pub(crate) scale: f32,
    /// Four bytes together, as the kernels hand them to every lane.
    pub(crate) values: [i32; 64],
    /// -32 times the sum of each 16: what six bits less 32 add to a product.
    pub(crate) offsets: [i32; 16],
    /// The sums of each 32, two together in 16 bits each.
    pub(crate) sums: [i32; 4],
}

/// 32 numbers.
pub(crate) struct Narrow {
    pub(crate) scale: f32,
    pub(crate) values: [i32; 8],
    /// -128 times their sum: what eight bits less 128 add to a product.
    pub(crate) offset: i32,
}

impl Input for Wide {
    const COLUMNS: usize = 256;

    fn new(numbers: &[f32]) -> Self {
        let (scale, values) = round::<256>(numbers);
        let sums: [i32; 16] = sums(&values);
        let pair = |at: usize| sums[2 * at] + sums[2 * at + 1];
        Self {
            scale,
            values: zerocopy::transmute!(values),
            offsets: sums.map(|sum| -32 * sum),
            sums: std::array::from_fn(|at| pair(2 * at) & 0xffff | pair(2 * at + 1) << 16),
        }
    }
}

impl Input for Narrow {
    const COLUMNS: usize = 32;

    fn new(numbers: &[f32]) -> Self {
        let (scale, values) = round::<32>(numbers);
        let [first, second] = sums(&values);
        Self { scale, values: zerocopy::transmute!(values), offset: -128 * (first + second) }
    }
}

impl Wide {
    /// One of the whole numbers.
    pub(crate) fn value(&self, at: usize) -> i32 {
        value(&self.values, at)
    }

    /// The sum of one 32 of them.
    pub(crate) fn sum_of_32(&self, part: usize) -> i32 {
        self.sums[part / 2] << (16 - part % 2 * 16) >> 16
    }
}

impl Narrow {
    /// One of the whole numbers.
    pub(crate) fn value(&self, at: usize) -> i32 {
        value(&self.values, at)
    }
}

fn value(values: &[i32], at: usize) -> i32 {
    i32::from(values[at / 4].to_ne_bytes()[at % 4].cast_signed())
}

/// The scale and the nearest whole numbers between -127 and 127.
fn round<const N: usize>(numbers: &[f32]) -> (f32, [i8; N]) {
    let most = numbers.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
    let factor = if most > 0.0 { 127.0 / most } else { 0.0 };
    let mut values = [0; N];
    for (value, number) in values.iter_mut().zip(numbers) {
        *value = (number * factor).round_ties_even().clamp(-127.0, 127.0) as i8;
    }
    (most / 127.0, values)
}

fn sums<const N: usize>(values: &[i8]) -> [i32; N] {
    let mut sums = [0; N];
    for (sum, part) in sums.iter_mut().zip(values.as_chunks::<16>().0) {
        *sum = part.iter().map(|value| i32::from(*value)).sum();
    }
    sums
}
