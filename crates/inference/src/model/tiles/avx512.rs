//! Kernels for processors with AVX-512 and its instructions for bytes (VNNI): a tile's sixteen rows at once.
//!
//! Called by [`super::Kernel`], which has asked the processor. Whole numbers are added exactly and floats in the
//! order of [`super::format::Tile::dot`], so the results are the same to the last bit.

use std::arch::x86_64::*;

use super::format::{Halves, Lanes, ROWS, Tile4, Tile6, Tile8};
use super::input::{Narrow, Wide};
use super::{Piece, Tiles, rows_of};

/// Multiplies a piece.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub(super) fn run(piece: &mut Piece<'_>) {
    match piece.tiles {
        Tiles::Four(tiles) => rows_of!(piece, tiles, wide, four, 8 4 2 1),
        Tiles::Six(tiles) => rows_of!(piece, tiles, wide, six, 8 4 2 1),
        Tiles::Eight(tiles) => rows_of!(piece, tiles, narrow, eight, 8 4 2 1),
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn four<const M: usize>(tiles: &[Tile4], inputs: [&[Wide]; M]) -> [[f32; ROWS]; M] {
    let mut sums = [_mm512_setzero_ps(); M];
    for (at, tile) in tiles.iter().enumerate() {
        let inputs: [&Wide; M] = std::array::from_fn(|m| &inputs[m][at]);
        let parts = tile.parts();
        let mut whole = [_mm512_setzero_si512(); M];
        for part in 0..8 {
            let mut dots = [_mm512_setzero_si512(); M];
            for group in part * 4..part * 4 + 4 {
                let (low, high) = nibbles(&tile.values[group]);
                for m in 0..M {
                    let values = &inputs[m].values;
                    dots[m] = _mm512_dpbusd_epi32(dots[m], low, _mm512_set1_epi32(values[2 * group]));
                    dots[m] = _mm512_dpbusd_epi32(dots[m], high, _mm512_set1_epi32(values[2 * group + 1]));
                }
            }
            let scales = _mm512_cvtepu8_epi32(zerocopy::transmute!(parts.scales[part]));
            for m in 0..M {
                whole[m] = _mm512_add_epi32(whole[m], _mm512_mullo_epi32(dots[m], scales));
            }
        }
        let mut lower = [_mm512_setzero_si512(); M];
        for pair in 0..4 {
            let minima = _mm512_cvtepu8_epi16(zerocopy::transmute!(parts.minima[pair]));
            for m in 0..M {
                lower[m] = _mm512_dpwssd_epi32(lower[m], minima, _mm512_set1_epi32(inputs[m].sums[pair]));
            }
        }
        let (scale, minimum) = (floats(tile.scale), floats(tile.minimum));
        for m in 0..M {
            let by = _mm512_set1_ps(inputs[m].scale);
            let sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole[m]), _mm512_mul_ps(scale, by), sums[m]);
            sums[m] = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(lower[m]), _mm512_mul_ps(minimum, by), sum);
        }
    }
    sums.map(|sum| zerocopy::transmute!(sum))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn six<const M: usize>(tiles: &[Tile6], inputs: [&[Wide]; M]) -> [[f32; ROWS]; M] {
    let upper = _mm512_set1_epi8(48);
    let mut sums = [_mm512_setzero_ps(); M];
    for (at, tile) in tiles.iter().enumerate() {
        let inputs: [&Wide; M] = std::array::from_fn(|m| &inputs[m][at]);
        let mut whole = [_mm512_setzero_si512(); M];
        for (nth, quarter) in tile.quarters.iter().enumerate() {
            for part in 0..4 {
                let (first, second) = nibbles(&quarter.low[2 * part]);
                let (third, fourth) = nibbles(&quarter.low[2 * part + 1]);
                let high: __m512i = zerocopy::transmute!(quarter.high[part]);
                let values = [
                    _mm512_or_si512(first, _mm512_and_si512(_mm512_slli_epi16::<4>(high), upper)),
                    _mm512_or_si512(second, _mm512_and_si512(_mm512_slli_epi16::<2>(high), upper)),
                    _mm512_or_si512(third, _mm512_and_si512(high, upper)),
                    _mm512_or_si512(fourth, _mm512_and_si512(_mm512_srli_epi16::<2>(high), upper)),
                ];
                let scales = _mm512_cvtepi8_epi32(zerocopy::transmute!(quarter.scales[part]));
                let part = nth * 4 + part;
                for m in 0..M {
                    let mut dots = _mm512_set1_epi32(inputs[m].offsets[part]);
                    for (four, value) in values.iter().enumerate() {
                        let input = _mm512_set1_epi32(inputs[m].values[4 * part + four]);
                        dots = _mm512_dpbusd_epi32(dots, *value, input);
                    }
                    whole[m] = _mm512_add_epi32(whole[m], _mm512_mullo_epi32(dots, scales));
                }
            }
        }
        let scale = floats(tile.scale);
        for m in 0..M {
            let by = _mm512_mul_ps(scale, _mm512_set1_ps(inputs[m].scale));
            sums[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole[m]), by, sums[m]);
        }
    }
    sums.map(|sum| zerocopy::transmute!(sum))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn eight<const M: usize>(tiles: &[Tile8], inputs: [&[Narrow]; M]) -> [[f32; ROWS]; M] {
    let mut sums = [_mm512_setzero_ps(); M];
    for (at, tile) in tiles.iter().enumerate() {
        let inputs: [&Narrow; M] = std::array::from_fn(|m| &inputs[m][at]);
        let mut dots: [_; M] = std::array::from_fn(|m| _mm512_set1_epi32(inputs[m].offset));
        for (four, values) in tile.values.iter().enumerate() {
            let values: __m512i = zerocopy::transmute!(*values);
            for m in 0..M {
                let input = _mm512_set1_epi32(inputs[m].values[four]);
                dots[m] = _mm512_dpbusd_epi32(dots[m], values, input);
            }
        }
        let scale = floats(tile.scale);
        for m in 0..M {
            let by = _mm512_mul_ps(scale, _mm512_set1_ps(inputs[m].scale));
            sums[m] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[m]), by, sums[m]);
        }
    }
    sums.map(|sum| zerocopy::transmute!(sum))
}

/// The lower and the upper four bits of every byte.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn nibbles(lanes: &Lanes) -> (__m512i, __m512i) {
    let (packed, mask): (__m512i, _) = (zerocopy::transmute!(*lanes), _mm512_set1_epi8(15));
    (_mm512_and_si512(packed, mask), _mm512_and_si512(_mm512_srli_epi16::<4>(packed), mask))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn floats(halves: Halves) -> __m512 {
    _mm512_cvtph_ps(zerocopy::transmute!(halves))
}
