//! Causal attention with grouped heads, one block of keys at a time.
//!
//! Scores are never stored for the whole context: each query keeps a running maximum, sum and
//! weighted mean (the "online softmax" of FlashAttention), so memory stays small and a block of keys,
//! unpacked from 16 bits once, serves all queries that share it.

use std::ops::Range;
use std::sync::Mutex;

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::config::Config;
use super::math::{LANES, dot, exp, fma};
use super::matrix::Rows;

/// Keys unpacked at once: with their values they fit a first-level cache.
const BLOCK: usize = 32;
/// Multiplications up to which one thread is done before a second would have woken.
const ALONE: usize = 1 << 18;
/// Query rows that one piece of work takes.
const ROWS: usize = 16;

/// The weighted mean of `values` for each row and head of `query`.
///
/// `keys` and `values` hold every position so far, `start` of them before the first query row.
pub(super) fn attend(config: &Config, query: &Rows, keys: &[f16], values: &[f16], start: usize) -> Rows {
    let (count, width) = (query.count(), query.width());
    let blocks = count.div_ceil(ROWS);
    let group = config.heads / config.kv_heads * config.head_width;
    let pieces: Vec<Mutex<Vec<f32>>> = (0..blocks * config.kv_heads).map(|_| Mutex::default()).collect();
    let rows_of =
        |piece: usize| piece / config.kv_heads * ROWS..count.min((piece / config.kv_heads + 1) * ROWS);

    let run = |range: Range<usize>| {
        for piece in range {
            let work = Work { config, query, keys, values, start, kv_head: piece % config.kv_heads };
            let done = work.run(rows_of(piece));
            *pieces[piece].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = done;
        }
    };
    if count * (start + count) * width < ALONE {
        run(0..pieces.len());
    } else {
        candle_core::utils::barrier_pool().execute_chunked(pieces.len(), run);
    }

    let mut out = vec![0.0; count * width];
    for (piece, done) in pieces.into_iter().enumerate() {
        let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = piece % config.kv_heads * group;
        for (row, means) in rows_of(piece).zip(done.chunks_exact(group)) {
            out[row * width + at..][..group].copy_from_slice(means);
        }
    }
    Rows::new(out, width)
}

/// Some query rows against one key head.
struct Work<'a> {
    config: &'a Config,
    query: &'a Rows,
    keys: &'a [f16],
    values: &'a [f16],
    start: usize,
    kv_head: usize,
}

/// The softmax of one query so far.
struct Running {
    most: f32,
    sum: f32,
}

impl Work<'_> {
    /// The means of `rows`, one after the other, each with all the heads of the group.
    fn run(&self, rows: Range<usize>) -> Vec<f32> {
        let head = self.config.head_width;
        let queries = self.scaled_queries(rows.clone());
        let per_row = self.config.heads / self.config.kv_heads;
        let mut means = vec![0.0; queries.len()];
        let mut running: Vec<Running> =
            (0..queries.len() / head).map(|_| Running { most: f32::NEG_INFINITY, sum: 0.0 }).collect();
        let mut block_keys = vec![0.0; BLOCK * head];
        let mut block_values = vec![0.0; BLOCK * head];

        let seen = self.start + rows.end;
        for from in (0..seen).step_by(BLOCK) {
            let length = BLOCK.min(seen - from);
            self.unpack(self.keys, from, length, &mut block_keys);
            self.unpack(self.values, from, length, &mut block_values);
            for (at, state) in running.iter_mut().enumerate() {
                let position = self.start + rows.start + at / per_row;
                let visible = (position + 1).saturating_sub(from).min(length);
                if visible > 0 {
                    let range = at * head..(at + 1) * head;
                    step(
                        &queries[range.clone()],
                        visible,
                        &block_keys,
                        &block_values,
                        state,
                        &mut means[range],
                    );
                }
            }
        }
        for (mean, state) in means.chunks_exact_mut(head).zip(&running) {
            mean.iter_mut().for_each(|n| *n /= state.sum);
        }
        means
    }

    /// The queries of this key head's group, divided by the square root of the head's width.
    fn scaled_queries(&self, rows: Range<usize>) -> Vec<f32> {
        let group = self.config.heads / self.config.kv_heads * self.config.head_width;
        let scale = 1.0 / (self.config.head_width as f32).sqrt();
        let mut queries = Vec::with_capacity(rows.len() * group);
        for row in rows {
            let from = row * self.query.width() + self.kv_head * group;
            queries.extend(self.query.values()[from..from + group].iter().map(|n| n * scale));
        }
        queries
    }

    /// This head's part of positions `from..from + length`.
    fn unpack(&self, from_all: &[f16], from: usize, length: usize, to: &mut [f32]) {
        let (head, width) = (self.config.head_width, self.config.kv_width());
        for (at, numbers) in to.chunks_exact_mut(head).take(length).enumerate() {
            let begin = (from + at) * width + self.kv_head * head;
            from_all[begin..begin + head].convert_to_f32_slice(numbers);
        }
    }
}

/// Takes the first `visible` keys and values of a block into one query's running mean.
fn step(query: &[f32], visible: usize, keys: &[f32], values: &[f32], state: &mut Running, mean: &mut [f32]) {
    let head = query.len();
    let mut weights = [f32::NEG_INFINITY; BLOCK];
    let mut most = state.most;
    for (weight, key) in weights.iter_mut().zip(keys.chunks_exact(head)).take(visible) {
        *weight = dot(query, key);
        most = most.max(*weight);
    }
    let shrink = exp(state.most - most);
    let mut sum = state.sum * shrink;
    for weight in &mut weights {
        *weight = exp(*weight - most);
    }
    sum += weights[..visible].iter().sum::<f32>();

    for (at, lanes) in mean.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut total = lanes.map(|n| n * shrink);
        for (weight, value) in weights[..visible].iter().zip(values.chunks_exact(head)) {
            let value = &value[at * LANES..(at + 1) * LANES];
            for lane in 0..LANES {
                total[lane] = fma(*weight, value[lane], total[lane]);
            }
        }
        *lanes = total;
    }
    *state = Running { most, sum };
}
