//! The three layouts of a tile: how GGUF's blocks of sixteen rows become one piece of memory.
//!
//! A GGUF block holds one row's next 32 or 256 columns. A tile holds the same columns of sixteen rows, four columns
//! of each row side by side, because one vector instruction multiplies and adds four bytes in each of sixteen lanes.
//! Every number is kept as the file has it, so a tile takes the bytes of its blocks and hardly more. What is read
//! together lies together: memory is fastest when it is read from one end to the other.
//!
//! [`Tile::dot`] is the plain meaning of a tile: the portable kernel, and what the others are tested against.

use half::f16;

use super::input::{Input, Narrow, Wide};

/// Rows of a tile.
pub(crate) const ROWS: usize = 16;

/// Sixteen rows with four columns of each, in two halves of eight rows.
pub(crate) type Lanes = [[[u8; 4]; 8]; 2];
/// Sixteen 16-bit floats, one for each row.
pub(crate) type Halves = [[u16; 8]; 2];

/// One of the layouts.
pub(crate) trait Tile: Sized + Send + Sync {
    /// How the numbers are prepared that it is multiplied with.
    type Input: Input;
    /// Bytes of one row's block in the file.
    const BLOCK_BYTES: usize;

    /// Lays the same block of sixteen rows side by side; rows past the last are empty.
    fn pack(blocks: [&[u8]; ROWS]) -> Self;

    /// `sum` and the product of one row with `input`.
    fn dot(&self, row: usize, input: &Self::Input, sum: f32) -> f32;

    /// Appends one row's weights to `to`.
    fn unpack(&self, row: usize, to: &mut Vec<f32>);
}

/// Q4_K: 256 columns in eight parts of 32, four bits each; every part has a scale and a minimum of six bits.
#[repr(C, align(64))]
pub(crate) struct Tile4 {
    pub(crate) scale: Halves,
    pub(crate) minimum: Halves,
    /// Scales of the first four parts; in the upper two bits, those of the last four.
    scales: [u8; 64],
    /// Minima in the same way, but two parts of a row side by side.
    minima: [u8; 64],
    /// Lower bits of the last four parts: scales below, minima above.
    rest: [u8; 64],
    /// Eight columns at a time: the first four in the low bits, the next four in the high bits.
    pub(crate) values: [Lanes; 32],
}

/// Q6_K: 256 columns in sixteen parts of 16, six bits each less 32; every part has a scale of eight bits.
///
/// The alignment leaves 32 bytes of 3,392 empty, and keeps every vector within one line of the cache.
#[repr(C, align(64))]
pub(crate) struct Tile6 {
    pub(crate) scale: Halves,
    pub(crate) quarters: [Quarter; 4],
}

/// Four parts of a [`Tile6`].
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(crate) struct Quarter {
    /// Lower four bits, eight columns at a time as in [`Tile4`].
    pub(crate) low: [Lanes; 8],
    /// Upper two bits, sixteen columns at a time: the first four columns in the lowest bits.
    pub(crate) high: [Lanes; 4],
    pub(crate) scales: [[[i8; 8]; 2]; 4],
}

/// Q8_0: 32 columns of eight bits, kept with 128 added.
#[repr(C, align(32))]
pub(crate) struct Tile8 {
    pub(crate) scale: Halves,
    pub(crate) values: [Lanes; 8],
}

/// The scales and minima of a [`Tile4`], a byte each.
pub(crate) struct Parts {
    /// By part and row.
    pub(crate) scales: [[[u8; 8]; 2]; 8],
    /// By pair of parts, row and part.
    pub(crate) minima: [[[u8; 16]; 2]; 4],
}

impl Tile4 {
    /// The scales and minima; inlined, so that it is compiled for the instructions of its caller.
    #[inline(always)]
    pub(crate) fn parts(&self) -> Parts {
        let (mut scales, mut minima) = ([[0; 64]; 2], [[0; 64]; 2]);
        for at in 0..64 {
            let (scale, minimum, rest) = (self.scales[at], self.minima[at], self.rest[at]);
            scales[0][at] = scale & 63;
            scales[1][at] = (rest & 15) | (scale >> 2 & 48);
            minima[0][at] = minimum & 63;
            minima[1][at] = (rest >> 4) | (minimum >> 2 & 48);
        }
        Parts { scales: zerocopy::transmute!(scales), minima: zerocopy::transmute!(minima) }
    }

    fn value(&self, row: usize, column: usize) -> u8 {
        byte(&self.values[column / 8], row, column % 4) >> (column & 4) & 15
    }
}

impl Tile for Tile4 {
    type Input = Wide;
    const BLOCK_BYTES: usize = 144;

    fn pack(blocks: [&[u8]; ROWS]) -> Self {
        let mut tile = Self {
            scale: [[0; 8]; 2],
            minimum: [[0; 8]; 2],
            scales: [0; 64],
            minima: [0; 64],
            rest: [0; 64],
            values: [EMPTY; 32],
        };
        for (row, block) in blocks.into_iter().enumerate() {
            let Some((head, values)) = block.split_at_checked(16) else { continue };
            tile.scale[row / 8][row % 8] = u16::from_le_bytes([head[0], head[1]]);
            tile.minimum[row / 8][row % 8] = u16::from_le_bytes([head[2], head[3]]);
            for part in 0..4 {
                let (plain, paired) = (part * ROWS + row, part / 2 * 32 + row * 2 + part % 2);
                tile.scales[plain] = head[4 + part];
                tile.minima[paired] = head[8 + part];
                tile.rest[plain] |= head[12 + part] & 15;
                tile.rest[paired] |= head[12 + part] & 240;
            }
            // 32 bytes hold 64 columns: the first half in the low bits, the second in the high bits.
            for (eight, bytes) in values.as_chunks::<8>().0.iter().enumerate() {
                let at = eight / 4 * 8 + eight % 4;
                let (first, second) = fours(*bytes);
                tile.values[at][row / 8][row % 8] = (first & LOW | (second & LOW) << 4).to_le_bytes();
                tile.values[at + 4][row / 8][row % 8] = (first >> 4 & LOW | second & LOW << 4).to_le_bytes();
            }
        }
        tile
    }

    fn dot(&self, row: usize, input: &Wide, sum: f32) -> f32 {
        let parts = self.parts();
        let (mut whole, mut lower) = (0, 0);
        for part in 0..8 {
            let dot: i32 =
                (part * 32..part * 32 + 32).map(|at| i32::from(self.value(row, at)) * input.value(at)).sum();
            whole += dot * i32::from(parts.scales[part][row / 8][row % 8]);
            let minimum = parts.minima[part / 2][row / 8][row % 8 * 2 + part % 2];
            lower += i32::from(minimum) * input.sum_of_32(part);
        }
        let sum = (whole as f32).mul_add(number(&self.scale, row) * input.scale, sum);
        (-lower as f32).mul_add(number(&self.minimum, row) * input.scale, sum)
    }

    fn unpack(&self, row: usize, to: &mut Vec<f32>) {
        let parts = self.parts();
        for part in 0..8 {
            let minimum = parts.minima[part / 2][row / 8][row % 8 * 2 + part % 2];
            let scale = number(&self.scale, row) * f32::from(parts.scales[part][row / 8][row % 8]);
            let minimum = number(&self.minimum, row) * f32::from(minimum);
            let values = (part * 32..part * 32 + 32).map(|at| f32::from(self.value(row, at)));
            to.extend(values.map(|value| scale * value - minimum));
        }
    }
}

impl Tile6 {
    fn value(&self, row: usize, column: usize) -> i32 {
        let (quarter, at) = (&self.quarters[column / 64], column % 64);
        let low = byte(&quarter.low[at / 8], row, at % 4) >> (at & 4) & 15;
        let high = byte(&quarter.high[at / 16], row, at % 4) >> (at / 4 % 4 * 2) & 3;
        i32::from(low | high << 4) - 32
    }

    fn part_scale(&self, row: usize, part: usize) -> i8 {
        self.quarters[part / 4].scales[part % 4][row / 8][row % 8]
    }
}

impl Tile for Tile6 {
    type Input = Wide;
    const BLOCK_BYTES: usize = 210;

    fn pack(blocks: [&[u8]; ROWS]) -> Self {
        let quarter = Quarter { low: [EMPTY; 8], high: [EMPTY; 4], scales: [[[0; 8]; 2]; 4] };
        let mut tile = Self { scale: [[0; 8]; 2], quarters: [quarter; 4] };
        for (row, block) in blocks.into_iter().enumerate() {
            let Some((values, tail)) = block.split_at_checked(192) else { continue };
            let values = six_bits(values);
            tile.scale[row / 8][row % 8] = u16::from_le_bytes([tail[16], tail[17]]);
            for (nth, quarter) in tile.quarters.iter_mut().enumerate() {
                for part in 0..4 {
                    quarter.scales[part][row / 8][row % 8] = tail[nth * 4 + part].cast_signed();
                }
                for (eight, bytes) in values[nth * 64..nth * 64 + 64].as_chunks::<8>().0.iter().enumerate() {
                    let (first, second) = fours(*bytes);
                    let low = first & LOW | (second & LOW) << 4;
                    quarter.low[eight][row / 8][row % 8] = low.to_le_bytes();
                    let high = first >> 4 & 0x0303_0303 | second >> 2 & 0x0c0c_0c0c;
                    let both = &mut quarter.high[eight / 2][row / 8][row % 8];
                    *both = (u32::from_le_bytes(*both) | high << (eight % 2 * 4)).to_le_bytes();
                }
            }
        }
        tile
    }

    fn dot(&self, row: usize, input: &Wide, sum: f32) -> f32 {
        let mut whole = 0;
        for part in 0..16 {
            let dot: i32 = (part * 16..part * 16 + 16).map(|at| self.value(row, at) * input.value(at)).sum();
            whole += dot * i32::from(self.part_scale(row, part));
        }
        (whole as f32).mul_add(number(&self.scale, row) * input.scale, sum)
    }

    fn unpack(&self, row: usize, to: &mut Vec<f32>) {
        for part in 0..16 {
            let scale = number(&self.scale, row) * f32::from(self.part_scale(row, part));
            to.extend((part * 16..part * 16 + 16).map(|at| scale * self.value(row, at) as f32));
        }
    }
}

impl Tile8 {
    fn value(&self, row: usize, column: usize) -> i32 {
        i32::from(byte(&self.values[column / 4], row, column % 4)) - 128
    }
}

impl Tile for Tile8 {
    type Input = Narrow;
    const BLOCK_BYTES: usize = 34;

    fn pack(blocks: [&[u8]; ROWS]) -> Self {
        let mut tile = Self { scale: [[0; 8]; 2], values: [[[[128; 4]; 8]; 2]; 8] };
        for (row, block) in blocks.into_iter().enumerate() {
            let Some((scale, values)) = block.split_at_checked(2) else { continue };
            tile.scale[row / 8][row % 8] = u16::from_le_bytes([scale[0], scale[1]]);
            for (four, bytes) in values.as_chunks::<4>().0.iter().enumerate() {
                tile.values[four][row / 8][row % 8] = bytes.map(|value| value ^ 128);
            }
        }
        tile
    }

    fn dot(&self, row: usize, input: &Narrow, sum: f32) -> f32 {
        let whole: i32 = (0..32).map(|at| self.value(row, at) * input.value(at)).sum();
        (whole as f32).mul_add(number(&self.scale, row) * input.scale, sum)
    }

    fn unpack(&self, row: usize, to: &mut Vec<f32>) {
        let scale = number(&self.scale, row);
        to.extend((0..32).map(|at| scale * self.value(row, at) as f32));
    }
}

/// Lanes without a value yet.
const EMPTY: Lanes = [[[0; 4]; 8]; 2];
/// The lower four bits of four bytes.
const LOW: u32 = 0x0f0f_0f0f;

/// The 256 values of a Q6_K block, before 32 is taken off.
///
/// Each half of them has 64 bytes of lower bits, then 32 bytes of upper bits for every half. A quarter of a half takes
/// two of a byte's upper bits, and shares the lower bits with the quarter after next.
fn six_bits(bytes: &[u8]) -> [u8; 256] {
    let mut values = [0; 256];
    let (low, high) = bytes.split_at(128);
    for (half, values) in values.as_chunks_mut::<128>().0.iter_mut().enumerate() {
        let (low, high) = (&low[half * 64..half * 64 + 64], &high[half * 32..half * 32 + 32]);
        for at in 0..32 {
            values[at] = low[at] & 15 | high[at] << 4 & 48;
            values[at + 32] = low[at + 32] & 15 | high[at] << 2 & 48;
            values[at + 64] = low[at] >> 4 | high[at] & 48;
            values[at + 96] = low[at + 32] >> 4 | high[at] >> 2 & 48;
        }
    }
    values
}

/// Eight bytes as two times four.
fn fours([a, b, c, d, e, f, g, h]: [u8; 8]) -> (u32, u32) {
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

fn byte(lanes: &Lanes, row: usize, at: usize) -> u8 {
    lanes[row / 8][row % 8][at]
}

fn number(halves: &Halves, row: usize) -> f32 {
    f16::from_bits(halves[row / 8][row % 8]).to_f32()
}
