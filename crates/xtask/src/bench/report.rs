//! What was measured, for people as a table and for programs as JSON.

use std::{fs, path::Path};

use serde::Serialize;

use crate::{decode::Decoding, flood::Flood, load::Plan, memory::Memory};

/// The targets, where there are any.
const ADDED_MS: f64 = 3.0;
const IDLE_BYTES: u64 = 60 << 20;
const STREAM_BYTES: u64 = 64 << 10;
const FLOODED_TIMES: f64 = 2.0;

/// One run.
#[derive(Serialize)]
pub(crate) struct Report {
    version: &'static str,
    processors: usize,
    plan: Plan,
    pub(crate) memory: Option<Memory>,
    /// 4 KiB and a sync on this disk: what durability alone costs.
    pub(crate) durable_write_p50_ms: f64,
    pub(crate) routes: Vec<Figures>,
    pub(crate) flood: Option<Flood>,
    pub(crate) decoding: Vec<Decoding>,
    pub(crate) remarks: Vec<String>,
}

/// One route.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) questions: usize,
    /// Until the question was taken; in the chat, until it was durable.
    pub(crate) taken_p50_ms: f64,
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
            durable_write_p50_ms: 0.0,
            routes: Vec::new(),
            flood: None,
            decoding: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// The tables.
    pub(crate) fn print(&self) {
        if !self.routes.is_empty() {
            self.print_routes();
        }
        if let Some(memory) = &self.memory {
            memory.print();
        }
        if let Some(flood) = &self.flood {
            flood.print();
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

    fn print_routes(&self) {
        println!(
            "\n{} processors; {} questions in turn for each route.\n",
            self.processors, self.plan.in_turn
        );
        let [route, taken, first, p95, added] = ["", "taken p50", "first p50", "p95", "added p50"];
        println!("{route:<18}{taken:>13}{first:>13}{p95:>10}{added:>13}   answers/s     words/s  of direct");
        let Some(direct) = self.routes.first() else { return };
        for route in &self.routes {
            let added = route.first_p50_ms - direct.first_p50_ms;
            let ratio = route.words_per_s / direct.words_per_s * 100.0;
            println!(
                "{:<18}{:>10.2} ms{:>10.2} ms{:>7.2} ms{added:>10.2} ms{:>12.1}{:>12.0}{ratio:>10.0}%",
                route.name,
                route.taken_p50_ms,
                route.first_p50_ms,
                route.first_p95_ms,
                route.answers_per_s,
                route.words_per_s,
            );
            if route.name.starts_with("Troth") {
                println!("{:<18}{}", "", kept(added <= ADDED_MS, &format!("at most {ADDED_MS} ms added")));
            }
        }
        println!("one durable write on this disk: {:.2} ms (p50)", self.durable_write_p50_ms);
    }

    /// Writes `target/bench.json` below the working directory.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let path = Path::new("target/bench.json");
        fs::write(path, serde_json::to_vec_pretty(self)?)?;
        println!("\nThe figures are in {}.", path.display());
        Ok(())
    }
}

impl Memory {
    fn print(&self) {
        println!("\nmemory, idle without a model: {}", mebibytes(self.idle_bytes));
        println!("{:<18}{}", "", kept(self.idle_bytes <= IDLE_BYTES, "at most 60 MiB"));
        let (own, shared) = (kibibytes(self.per_stream_bytes), kibibytes(self.per_shared_stream_bytes));
        println!("memory of each of {} open streams, each on its own connection: {own}", self.streams);
        println!("{:<18}{}", "", kept(self.per_stream_bytes <= STREAM_BYTES, "at most 64 KiB"));
        println!("the same when forty share a connection: {shared}");
    }
}

impl Flood {
    fn print(&self) {
        println!("\nsign-ins: {:.1}/s ({})", self.sign_ins_per_s, self.hashing);
        println!(
            "flood: {} attempts, {:.0} a minute, {} of them turned away before they cost a hash",
            self.attempts, self.attempts_a_minute, self.turned_away
        );
        println!(
            "whole answers in the chat, p99 of {}: {:.1} ms alone, {:.1} ms during it, {:.1} times",
            self.questions,
            self.alone_p99_ms,
            self.flooded_p99_ms,
            self.ratio()
        );
        println!(
            "{:<18}{}",
            "",
            kept(self.ratio() <= FLOODED_TIMES, &format!("at most {FLOODED_TIMES} times"))
        );
    }
}

pub(crate) fn kept(held: bool, target: &str) -> String {
    format!("{} (target: {target})", if held { "kept" } else { "MISSED" })
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

fn kibibytes(bytes: u64) -> String {
    format!("{:.1} KiB", bytes as f64 / 1024.0)
}
