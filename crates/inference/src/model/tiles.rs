//! Matrices of the common quantised formats, laid out for the processor's vector instructions.
//!
//! [`super::matrix`] keeps a matrix here if its format is Q4_K, Q6_K or Q8_0: it is laid out anew once, while the model
//! loads (see [`format`]), and the file's own layout is dropped. One thread multiplies a [`Piece`] of the rows; the
//! kernel for it is chosen by asking the processor. All kernels give the same results to the last bit.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod format;
mod input;
mod portable;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};

use candle_core::quantized::GgmlDType;
use candle_core::utils::barrier_pool;

use format::{ROWS, Tile, Tile4, Tile6, Tile8};
use input::{Input, Narrow, Wide};

/// A matrix in tiles: for each sixteen rows, all their columns one tile after the other.
pub(super) struct Tiled {
    tiles: Tiles,
    rows: usize,
    columns: usize,
}

/// The tiles, by their format.
enum Tiles {
    Four(Vec<Tile4>),
    Six(Vec<Tile6>),
    Eight(Vec<Tile8>),
}

impl Tiled {
    /// Lays out a matrix that was stored as `bytes`; `None` if there is no layout for its format.
    ///
    /// On ARM there never is: candle has kernels for its vector instructions, we have not.
    pub(super) fn new(format: GgmlDType, bytes: &[u8], rows: usize, columns: usize) -> Option<Self> {
        if cfg!(target_arch = "aarch64") {
            return None;
        }
        let tiles = match format {
            GgmlDType::Q4K => Tiles::Four(pack(bytes, rows, columns)?),
            GgmlDType::Q6K => Tiles::Six(pack(bytes, rows, columns)?),
            GgmlDType::Q8_0 => Tiles::Eight(pack(bytes, rows, columns)?),
            _ => return None,
        };
        Some(Self { tiles, rows, columns })
    }

    /// Puts the rows of `other` below its own, or gives it back if they do not fit below.
    pub(super) fn append(&mut self, mut other: Self) -> Result<(), Self> {
        if self.columns != other.columns || !self.rows.is_multiple_of(ROWS) {
            return Err(other);
        }
        match (&mut self.tiles, &mut other.tiles) {
            (Tiles::Four(tiles), Tiles::Four(more)) => tiles.append(more),
            (Tiles::Six(tiles), Tiles::Six(more)) => tiles.append(more),
            (Tiles::Eight(tiles), Tiles::Eight(more)) => tiles.append(more),
            _ => return Err(other),
        }
        self.rows += other.rows;
        Ok(())
    }

    /// Appends the weights of one row to `to`.
    pub(super) fn unpack(&self, row: usize, to: &mut Vec<f32>) {
        match &self.tiles {
            Tiles::Four(tiles) => unpack(tiles, row, self.columns, to),
            Tiles::Six(tiles) => unpack(tiles, row, self.columns, to),
            Tiles::Eight(tiles) => unpack(tiles, row, self.columns, to),
        }
    }

    /// The product of the matrix with each row of `x`, one after the other.
    pub(super) fn apply(&self, x: &[f32]) -> Vec<f32> {
        static KERNEL: LazyLock<Kernel> =
            LazyLock::new(|| Kernel::available().next_back().unwrap_or(Kernel::Portable));
        self.apply_with(*KERNEL, x)
    }

    fn apply_with(&self, kernel: Kernel, x: &[f32]) -> Vec<f32> {
        let inputs = match &self.tiles {
            Tiles::Four(_) | Tiles::Six(_) => Inputs { wide: round(x), narrow: Vec::new() },
            Tiles::Eight(_) => Inputs { wide: Vec::new(), narrow: round(x) },
        };
        let mut out = vec![0.0; x.len() / self.columns * self.rows];
        let step = self.rows.div_ceil(ROWS).div_ceil((barrier_pool().n_workers() + 1) * PIECES);
        let mut pieces: Vec<Piece<'_>> = (0..self.rows)
            .step_by(step * ROWS)
            .map(|from| Piece {
                tiles: &self.tiles,
                inputs: &inputs,
                rows: from..(from + step * ROWS).min(self.rows),
                out: Vec::with_capacity(x.len() / self.columns),
            })
            .collect();
        for row in out.chunks_exact_mut(self.rows) {
            for (piece, part) in pieces.iter_mut().zip(row.chunks_mut(step * ROWS)) {
                piece.out.push(part);
            }
        }
        let pieces: Vec<_> = pieces.into_iter().map(Mutex::new).collect();
        barrier_pool().execute_chunked(pieces.len(), |range| {
            for piece in &pieces[range] {
                kernel.run(&mut piece.lock().unwrap_or_else(PoisonError::into_inner));
            }
        });
        out
    }
}

/// Pieces of work for each thread, so that one that is held up does not hold up the others.
const PIECES: usize = 8;

/// Some rows of a matrix, and where their products belong: nobody else writes there.
struct Piece<'a> {
    tiles: &'a Tiles,
    inputs: &'a Inputs,
    /// From a multiple of [`ROWS`] on.
    rows: Range<usize>,
    /// For each input, room for these rows.
    out: Vec<&'a mut [f32]>,
}

/// What a matrix is multiplied with, prepared for its format.
struct Inputs {
    wide: Vec<Wide>,
    narrow: Vec<Narrow>,
}

/// Walks over a piece with `$kernel`, as many inputs at a time as there still are of the listed numbers.
///
/// A macro, because a generic function would not be compiled for the instructions of its caller.
macro_rules! rows_of {
    ($piece:ident, $tiles:ident, $inputs:ident, $kernel:ident, $($many:literal)+) => {{
        let blocks = $piece.inputs.$inputs.len() / $piece.out.len().max(1);
        for (nth, tiles) in $crate::model::tiles::tiles_of($piece, $tiles, blocks).enumerate() {
            let mut at = 0;
            while at < $piece.out.len() {
                let left = $piece.out.len() - at;
                $(if left >= $many {
                    let input = |m: usize| &$piece.inputs.$inputs[(at + m) * blocks..(at + m + 1) * blocks];
                    let products = $kernel::<$many>(tiles, std::array::from_fn(input));
                    for (out, product) in $piece.out[at..].iter_mut().zip(products) {
                        let out = &mut out[nth * ROWS..];
                        let length = out.len().min(ROWS);
                        out[..length].copy_from_slice(&product[..length]);
                    }
                    at += $many;
                    continue;
                })+
            }
        }
    }};
}
use rows_of;

/// The tiles of a piece, for each sixteen rows all columns.
fn tiles_of<'a, T>(
    piece: &Piece<'_>,
    tiles: &'a [T],
    blocks: usize,
) -> impl Iterator<Item = &'a [T]> + use<'a, T> {
    let rows = piece.rows.start / ROWS * blocks..piece.rows.end.div_ceil(ROWS) * blocks;
    tiles[rows].chunks_exact(blocks.max(1))
}

/// A way to multiply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kernel {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// Those that run on this machine, the fastest last.
    fn available() -> impl DoubleEndedIterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let more = [(Self::Avx2, has_avx2()), (Self::Avx512, has_avx512())];
        #[cfg(not(target_arch = "x86_64"))]
        let more = [];
        std::iter::once(Self::Portable)
            .chain(more.into_iter().filter_map(|(kernel, has)| has.then_some(kernel)))
    }

    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "only asking the processor tells whether it has the instructions")
    )]
    fn run(self, piece: &mut Piece<'_>) {
        match self {
            Self::Portable => portable::run(piece),
            // SAFETY: a kernel is named only by `available`, after the processor named every feature it uses.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::run(piece) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512::run(piece) },
        }
    }
}

/// Whether the processor has what `avx2` enables.
#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c")
}

/// Whether the processor has what `avx512` enables.
#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni")
}

/// Rounds all of `x`; what is much is shared among the threads.
fn round<T: Input>(x: &[f32]) -> Vec<T> {
    /// Numbers that one thread rounds before it looks for more work.
    const AT_ONCE: usize = 4_096;
    if x.len() <= 4 * AT_ONCE {
        return x.chunks_exact(T::COLUMNS).map(T::new).collect();
    }
    let pieces: Vec<Mutex<Vec<T>>> = x.chunks(AT_ONCE).map(|_| Mutex::default()).collect();
    barrier_pool().execute_chunked(pieces.len(), |range| {
        for at in range {
            let numbers = &x[at * AT_ONCE..x.len().min((at + 1) * AT_ONCE)];
            *pieces[at].lock().unwrap_or_else(PoisonError::into_inner) =
                numbers.chunks_exact(T::COLUMNS).map(T::new).collect();
        }
    });
    pieces.into_iter().flat_map(|piece| piece.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// The tiles of a matrix whose blocks are in `bytes`, row by row; `None` if they are not all there.
fn pack<T: Tile>(bytes: &[u8], rows: usize, columns: usize) -> Option<Vec<T>> {
    let blocks = columns / T::Input::COLUMNS;
    let whole = columns.is_multiple_of(T::Input::COLUMNS) && bytes.len() == rows * blocks * T::BLOCK_BYTES;
    if !whole || bytes.is_empty() {
        return None;
    }
    let groups: Vec<Mutex<Vec<T>>> = (0..rows.div_ceil(ROWS)).map(|_| Mutex::default()).collect();
    let block = |row: usize, at: usize| {
        let from = (row * blocks + at) * T::BLOCK_BYTES;
        if row < rows { &bytes[from..from + T::BLOCK_BYTES] } else { &[] }
    };
    barrier_pool().execute_chunked(groups.len(), |range| {
        for group in range {
            let tiles = (0..blocks)
                .map(|at| T::pack(std::array::from_fn(|row| block(group * ROWS + row, at))))
                .collect();
            *groups[group].lock().unwrap_or_else(PoisonError::into_inner) = tiles;
        }
    });
    let mut tiles = Vec::with_capacity(groups.len() * blocks);
    for group in groups {
        tiles.append(&mut group.into_inner().unwrap_or_else(PoisonError::into_inner));
    }
    Some(tiles)
}

fn unpack<T: Tile>(tiles: &[T], row: usize, columns: usize, to: &mut Vec<f32>) {
    let blocks = columns / T::Input::COLUMNS;
    for tile in &tiles[row / ROWS * blocks..(row / ROWS + 1) * blocks] {
        tile.unpack(row % ROWS, to);
    }
}
