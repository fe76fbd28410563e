//! What was measured, for people as a table and for programs as JSON.

use std::{fs, path::Path};

use serde::Serialize;

use crate::{decode::Decoding, load::Plan, memory::Memory};

/// The targets, where there are any.
const ADDED_MS: f64 = 3.0;
const IDLE_BYTES: u64 = 60 << 20;
const STREAM_BYTES: u64 = 64 << 10;

/// One run.
#[derive(Serialize)]
pub(crate) struct Report {
    version: &'static str,
    processors: usize,
    plan: Plan,
    pub(crate) memory: Option<Memory>,
    pub(crate) routes: Vec<Figures>,
    pub(crate) decoding: Vec<Decoding>,
    pub(crate) remarks: Vec<String>,
}

/// One route.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) questions: usize,
    pub(crate) first_p50_ms: f64,
    pub(crate) first_p95_ms: f64,
    pub(crate) whole_p50_ms: f64,
    pub(crate) answers_per_s: f64,
    pub(crate) words_per_s: f64,
}

/// The value below which `share` of all values lie.
pub(crate) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1)) - 1;
    values.get(at).copied().unwrap_or(f64::NAN)
}

impl Report {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            plan,
            memory: None,
            routes: Vec::new(),
            decoding: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// The tables.
    pub(crate) fn print(&self) {
        println!(
            "\n{} processors; {} questions in turn for each route.\n",
            self.processors, self.plan.in_turn
        );
        println!(
            "{:<18} {:>14} {:>10} {:>14} {:>11} {:>12} {:>9}",
            "route", "first p50, ms", "p95, ms", "added p50, ms", "answers/s", "words/s", "of direct"
        );
        let direct = self.routes.first();
        for route in &self.routes {
            let added = direct.map_or(0.0, |direct| route.first_p50_ms - direct.first_p50_ms);
            let ratio = direct.map_or(1.0, |direct| route.words_per_s / direct.words_per_s);
            println!(
                "{:<18} {:>14.2} {:>10.2} {:>14.2} {:>11.1} {:>12.0} {:>8.0}%",
                route.name,
                route.first_p50_ms,
                route.first_p95_ms,
                added,
                route.answers_per_s,
                route.words_per_s,
                ratio * 100.0
            );
            if route.name.starts_with("Troth") {
                println!("{:<18} {}", "", kept(added <= ADDED_MS, &format!("at most {ADDED_MS} ms added")));
            }
        }
        if let Some(memory) = &self.memory {
            println!("\nmemory, idle without a model: {}", mebibytes(memory.idle_bytes));
            println!("{:<18} {}", "", kept(memory.idle_bytes <= IDLE_BYTES, "at most 60 MiB"));
            println!(
                "memory of each of {} open streams, each on its own connection: {}",
                memory.streams,
                kibibytes(memory.per_stream_bytes)
            );
            println!("{:<18} {}", "", kept(memory.per_stream_bytes <= STREAM_BYTES, "at most 64 KiB"));
            println!("the same when fifty share a connection: {}", kibibytes(memory.per_shared_stream_bytes));
        }
        for decoding in &self.decoding {
            let beside = decoding.llama_cpp.map_or_else(String::new, |theirs| {
                format!(", llama.cpp {theirs:.1}: {:.0}% of it", decoding.ours / theirs * 100.0)
            });
            println!("\ndecoding {}: {:.1} tokens/s{beside}", decoding.file, decoding.ours);
        }
        for remark in &self.remarks {
            println!("\n{remark}");
        }
    }

    /// Writes `target/bench.json` below the working directory.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let path = Path::new("target/bench.json");
        fs::write(path, serde_json::to_vec_pretty(self)?)?;
        println!("\nThe figures are in {}.", path.display());
        Ok(())
    }
}

fn kept(held: bool, target: &str) -> String {
    format!("{} (target: {target})", if held { "kept" } else { "MISSED" })
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn kibibytes(bytes: u64) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}
