//! Every kernel of this machine against the plain meaning of a tile, and that against candle.

use candle_core::quantized::{QStorage, QTensor};
use candle_core::{Device, Tensor};
use proptest::prelude::*;

use super::*;

const FORMATS: [(GgmlDType, usize, usize); 3] =
    [(GgmlDType::Q4K, 256, 144), (GgmlDType::Q6K, 256, 210), (GgmlDType::Q8_0, 32, 34)];

/// Blocks with every byte as it comes, but scales (16-bit floats) that are small numbers.
fn blocks(format: GgmlDType, bytes: &mut [u8]) {
    let scales: &[usize] = match format {
        GgmlDType::Q4K => &[0, 2],
        GgmlDType::Q6K => &[208],
        _ => &[0],
    };
    let (_, _, size) = FORMATS.into_iter().find(|(known, ..)| *known == format).unwrap();
    for block in bytes.chunks_exact_mut(size) {
        for at in scales {
            // The exponent of about 2^-7 to 2^1; sign and fraction as they come.
            block[at + 1] = block[at + 1] & 0x83 | 0x20 | (block[at + 1] & 0x04) << 2;
        }
    }
}

fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// A matrix of noise, and numbers to multiply it with; some of the numbers are large, some rows of them nought.
fn case(
    which: usize,
    rows: usize,
    blocks_across: usize,
    count: usize,
    seed: u64,
) -> (Tiled, Vec<u8>, Vec<f32>) {
    let (format, block, size) = FORMATS[which];
    let columns = block * blocks_across;
    let mut bytes = noise(seed, rows * blocks_across * size);
    blocks(format, &mut bytes);
    let x = noise(seed ^ 0x5eed, columns * count * 2)
        .chunks_exact(2)
        .map(|pair| (f32::from(pair[0]) - 127.5) * if pair[1] > 250 { 9.0 } else { 0.01 } * (seed % 7) as f32)
        .collect();
    (Tiled::new(format, &bytes, rows, columns).unwrap(), bytes, x)
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_kernels_give_the_same_bits(
        which in 0..3_usize, rows in 1..70_usize, across in 1..4_usize, count in 1..20_usize, seed in any::<u64>(),
    ) {
        let (tiled, _, x) = case(which, rows, across, count, seed);
        let plain = tiled.apply_with(Kernel::Portable, &x);
        for kernel in Kernel::available() {
            prop_assert_eq!(bits(&tiled.apply_with(kernel, &x)), bits(&plain), "{:?}", kernel);
        }
    }

    #[test]
    fn a_row_unpacks_as_candle_reads_it(
        which in 0..3_usize, rows in 1..40_usize, across in 1..3_usize, seed in any::<u64>(),
    ) {
        let (tiled, bytes, _) = case(which, rows, across, 0, seed);
        let storage = QStorage::from_data(bytes.into(), &Device::Cpu, FORMATS[which].0).unwrap();
        let stored = QTensor::new(storage, (rows, tiled.columns)).unwrap();
        let theirs: Vec<Vec<f32>> = stored.dequantize(&Device::Cpu).unwrap().to_vec2().unwrap();
        for (row, theirs) in theirs.iter().enumerate() {
            let mut ours = Vec::new();
            tiled.unpack(row, &mut ours);
            prop_assert_eq!(bits(&ours), bits(theirs));
        }
    }

    #[test]
    fn a_product_is_that_of_the_unpacked_rows(
        which in 0..3_usize, rows in 1..40_usize, across in 1..4_usize, seed in any::<u64>(),
    ) {
        let (tiled, _, x) = case(which, rows, across, 1, seed);
        for (row, product) in tiled.apply(&x).into_iter().enumerate() {
            let mut weights = Vec::new();
            tiled.unpack(row, &mut weights);
            // Each number may be off by half a step of its block's scale.
            let block = FORMATS[which].1;
            let (mut exact, mut slack) = (0.0_f64, 1e-3_f64);
            for (weights, x) in weights.chunks(block).zip(x.chunks(block)) {
                let most = x.iter().fold(0.0_f32, |most, n| most.max(n.abs()));
                for (weight, x) in weights.iter().zip(x) {
                    exact += f64::from(*weight) * f64::from(*x);
                    slack += f64::from(weight.abs() * most) / 127.0 * 0.51;
                    slack += f64::from(weight.abs() * x.abs()) * 1e-4;
                }
            }
            // Minima are taken off as a sum, so what they take is as uncertain as what the scales give.
            prop_assert!((exact - f64::from(product)).abs() <= 2.0 * slack, "{} {} {}", exact, product, slack);
        }
    }
}

#[test]
fn the_ends_of_every_range_do_not_overflow() {
    for (which, (format, block, size)) in FORMATS.into_iter().enumerate() {
        for byte in [0x00, 0xff, 0x80, 0x7f] {
            let mut bytes = vec![byte; 16 * size];
            blocks(format, &mut bytes);
            let tiled = Tiled::new(format, &bytes, 16, block).unwrap();
            for sign in [1.0, -1.0] {
                let x = vec![sign; block];
                let plain = tiled.apply_with(Kernel::Portable, &x);
                for kernel in Kernel::available() {
                    assert_eq!(
                        bits(&tiled.apply_with(kernel, &x)),
                        bits(&plain),
                        "{kernel:?} {which} {byte}"
                    );
                }
            }
        }
    }
}

#[test]
fn products_are_close_to_those_of_candle() {
    let (tiled, bytes, x) = case(0, 48, 3, 1, 11);
    let storage = QStorage::from_data(bytes.into(), &Device::Cpu, GgmlDType::Q4K).unwrap();
    let stored = QTensor::new(storage, (48, tiled.columns)).unwrap();
    let exact = stored.dequantize(&Device::Cpu).unwrap();
    let exact: Vec<f32> = exact
        .matmul(&Tensor::from_slice(&x, (tiled.columns, 1), &Device::Cpu).unwrap())
        .unwrap()
        .flatten_all()
        .unwrap()
        .to_vec1()
        .unwrap();
    let size = exact.iter().map(|n| n * n).sum::<f32>().sqrt();
    let away = exact.iter().zip(tiled.apply(&x)).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    assert!(away < 0.02 * size, "{away} of {size}");
}

#[test]
fn rows_below_others_keep_their_order() {
    let (mut above, _, x) = case(1, 32, 2, 3, 5);
    let (below, _, _) = case(1, 20, 2, 3, 6);
    let (first, second) = (above.apply(&x), below.apply(&x));
    assert!(above.append(below).is_ok());
    let both = above.apply(&x);
    for row in 0..3 {
        assert_eq!(both[row * 52..row * 52 + 32], first[row * 32..row * 32 + 32]);
        assert_eq!(both[row * 52 + 32..row * 52 + 52], second[row * 20..row * 20 + 20]);
    }
    // 52 rows end in the middle of a tile, and another format is another layout.
    assert!(above.append(case(1, 16, 2, 1, 7).0).is_err());
    assert!(case(1, 16, 2, 1, 7).0.append(case(0, 16, 2, 1, 7).0).is_err());
}

#[test]
fn what_is_not_all_there_is_not_laid_out() {
    assert!(Tiled::new(GgmlDType::Q4K, &[0; 143], 1, 256).is_none());
    assert!(Tiled::new(GgmlDType::Q8_0, &[0; 34], 1, 33).is_none());
    assert!(Tiled::new(GgmlDType::Q8_0, &[], 0, 32).is_none());
    assert!(Tiled::new(GgmlDType::F32, &[0; 128], 1, 32).is_none());
}
