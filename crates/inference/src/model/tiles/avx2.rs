//! Kernels for processors with AVX2: a tile's rows eight by eight.
//!
//! Called by [`super::Kernel`], which has asked the processor. Bytes are multiplied and added in pairs to 16 bits, which must not overflow: the
//! comments say why they do not. Floats are added in the order of [`super::format::Tile::dot`].

use std::arch::x86_64::*;

use super::format::{ROWS, Tile4, Tile6, Tile8};
use super::input::{Narrow, Wide};
use super::{Piece, Tiles, rows_of};

/// Multiplies a piece.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn run(piece: &mut Piece<'_>) {
    match piece.tiles {
        Tiles::Four(tiles) => rows_of!(piece, tiles, wide, four, 4 2 1),
        Tiles::Six(tiles) => rows_of!(piece, tiles, wide, six, 4 2 1),
        Tiles::Eight(tiles) => rows_of!(piece, tiles, narrow, eight, 4 2 1),
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn four<const M: usize>(tiles: &[Tile4], inputs: [&[Wide]; M]) -> [[f32; ROWS]; M] {
    let mut sums = [[_mm256_setzero_ps(); M]; 2];
    for (at, tile) in tiles.iter().enumerate() {
        let inputs: [&Wide; M] = std::array::from_fn(|m| &inputs[m][at]);
        let parts = tile.parts();
        for (half, sums) in sums.iter_mut().enumerate() {
            let mut whole = [_mm256_setzero_si256(); M];
            for part in 0..8 {
                let mut dots = [_mm256_setzero_si256(); M];
                for group in part * 4..part * 4 + 4 {
                    let (low, high) = nibbles(tile.values[group][half]);
                    for m in 0..M {
                        // Eight times two products of at most 15 * 127: 30,480.
                        let values = &inputs[m].values;
                        let first = _mm256_maddubs_epi16(low, _mm256_set1_epi32(values[2 * group]));
                        let second = _mm256_maddubs_epi16(high, _mm256_set1_epi32(values[2 * group + 1]));
                        dots[m] = _mm256_add_epi16(dots[m], _mm256_add_epi16(first, second));
                    }
                }
                let scales = _mm256_cvtepu8_epi32(eight_bytes(parts.scales[part][half]));
                for m in 0..M {
                    whole[m] = _mm256_add_epi32(whole[m], _mm256_mullo_epi32(pairs(dots[m]), scales));
                }
            }
            let mut lower = [_mm256_setzero_si256(); M];
            for pair in 0..4 {
                let minima = _mm256_cvtepu8_epi16(zerocopy::transmute!(parts.minima[pair][half]));
                for m in 0..M {
                    let product = _mm256_madd_epi16(minima, _mm256_set1_epi32(inputs[m].sums[pair]));
                    lower[m] = _mm256_add_epi32(lower[m], product);
                }
            }
            let (scale, minimum) = (floats(tile.scale[half]), floats(tile.minimum[half]));
            for m in 0..M {
                let by = _mm256_set1_ps(inputs[m].scale);
                let sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole[m]), _mm256_mul_ps(scale, by), sums[m]);
                sums[m] = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(lower[m]), _mm256_mul_ps(minimum, by), sum);
            }
        }
    }
    together(sums)
}

#[target_feature(enable = "avx2,fma,f16c")]
fn six<const M: usize>(tiles: &[Tile6], inputs: [&[Wide]; M]) -> [[f32; ROWS]; M] {
    let upper = _mm256_set1_epi8(48);
    let mut sums = [[_mm256_setzero_ps(); M]; 2];
    for (at, tile) in tiles.iter().enumerate() {
        let inputs: [&Wide; M] = std::array::from_fn(|m| &inputs[m][at]);
        for (half, sums) in sums.iter_mut().enumerate() {
            let mut whole = [_mm256_setzero_si256(); M];
            for part in 0..16 {
                let quarter = &tile.quarters[part / 4];
                let (first, second) = nibbles(quarter.low[part % 4 * 2][half]);
                let (third, fourth) = nibbles(quarter.low[part % 4 * 2 + 1][half]);
                let high: __m256i = zerocopy::transmute!(quarter.high[part % 4][half]);
                let values = [
                    _mm256_or_si256(first, _mm256_and_si256(_mm256_slli_epi16::<4>(high), upper)),
                    _mm256_or_si256(second, _mm256_and_si256(_mm256_slli_epi16::<2>(high), upper)),
                    _mm256_or_si256(third, _mm256_and_si256(high, upper)),
                    _mm256_or_si256(fourth, _mm256_and_si256(_mm256_srli_epi16::<2>(high), upper)),
                ];
                let scales: [u8; 8] = zerocopy::transmute!(quarter.scales[part % 4][half]);
                let scales = _mm256_cvtepi8_epi32(eight_bytes(scales));
                for m in 0..M {
                    // Two times two products of at most 63 * 127: 32,004.
                    let products: [_; 4] = std::array::from_fn(|four| {
                        let input = _mm256_set1_epi32(inputs[m].values[4 * part + four]);
                        _mm256_maddubs_epi16(values[four], input)
                    });
                    let first = pairs(_mm256_add_epi16(products[0], products[1]));
                    let second = pairs(_mm256_add_epi16(products[2], products[3]));
                    let offset = _mm256_set1_epi32(inputs[m].offsets[part]);
                    let dots = _mm256_add_epi32(_mm256_add_epi32(first, second), offset);
                    whole[m] = _mm256_add_epi32(whole[m], _mm256_mullo_epi32(dots, scales));
                }
            }
            let scale = floats(tile.scale[half]);
            for m in 0..M {
                let by = _mm256_mul_ps(scale, _mm256_set1_ps(inputs[m].scale));
                sums[m] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole[m]), by, sums[m]);
            }
        }
    }
    together(sums)
}

#[target_feature(enable = "avx2,fma,f16c")]
fn eight<const M: usize>(tiles: &[Tile8], inputs: [&[Narrow]; M]) -> [[f32; ROWS]; M] {
    let mut sums = [[_mm256_setzero_ps(); M]; 2];
    for (at, tile) in tiles.iter().enumerate() {
        let inputs: [&Narrow; M] = std::array::from_fn(|m| &inputs[m][at]);
        for (half, sums) in sums.iter_mut().enumerate() {
            let mut dots = [_mm256_setzero_si256(); M];
            for (four, values) in tile.values.iter().enumerate() {
                let values = _mm256_xor_si256(zerocopy::transmute!(values[half]), _mm256_set1_epi8(-128));
                let size = _mm256_abs_epi8(values);
                for m in 0..M {
                    // The sign goes to the input, which is never -128. Two products of at most 128 * 127: 32,512.
                    let input = _mm256_sign_epi8(_mm256_set1_epi32(inputs[m].values[four]), values);
                    dots[m] = _mm256_add_epi32(dots[m], pairs(_mm256_maddubs_epi16(size, input)));
                }
            }
            let scale = floats(tile.scale[half]);
            for m in 0..M {
                let by = _mm256_mul_ps(scale, _mm256_set1_ps(inputs[m].scale));
                sums[m] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[m]), by, sums[m]);
            }
        }
    }
    together(sums)
}

/// The lower and the upper four bits of every byte.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn nibbles(bytes: [[u8; 4]; 8]) -> (__m256i, __m256i) {
    let (packed, mask): (__m256i, _) = (zerocopy::transmute!(bytes), _mm256_set1_epi8(15));
    (_mm256_and_si256(packed, mask), _mm256_and_si256(_mm256_srli_epi16::<4>(packed), mask))
}

/// The sums of neighbours.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn pairs(numbers: __m256i) -> __m256i {
    _mm256_madd_epi16(numbers, _mm256_set1_epi16(1))
}

#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn eight_bytes(bytes: [u8; 8]) -> __m128i {
    _mm_cvtsi64_si128(i64::from_le_bytes(bytes))
}

#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn floats(halves: [u16; 8]) -> __m256 {
    _mm256_cvtph_ps(zerocopy::transmute!(halves))
}

/// Both halves of the rows, for each input.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
fn together<const M: usize>(sums: [[__m256; M]; 2]) -> [[f32; ROWS]; M] {
    std::array::from_fn(|m| zerocopy::transmute!([sums[0][m], sums[1][m]]))
}
