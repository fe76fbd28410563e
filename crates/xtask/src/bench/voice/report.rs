//! What was measured of calls, for people as tables and for programs as JSON.

use std::{fs, path::Path};

use serde::Serialize;

use super::{
    cases::{Kind, Rates},
    local::Local,
    overhead::{Silence, Step},
    words::Understood,
};
use crate::report::{kept, mebibytes, percentile};

/// The targets, for two processors.
const OVERHEAD_P50_MS: f64 = 10.0;
const OVERHEAD_P95_MS: f64 = 25.0;
/// Calls at once for which they are meant.
const OVERHEAD_CALLS: usize = 16;
const SILENCE_MS: f64 = 150.0;
const CALL_BYTES: u64 = 5_000_000;
const LOCAL_P50_MS: f64 = 1_200.0;

/// One run.
#[derive(Serialize)]
pub(super) struct Report {
    version: &'static str,
    processors: usize,
    pub(super) idle_bytes: u64,
    pub(super) steps: Vec<Step>,
    pub(super) usual: Option<Step>,
    pub(super) over: Option<Silence>,
    pub(super) turns: Vec<(Kind, Rates)>,
    pub(super) words: Vec<Understood>,
    pub(super) local: Vec<Local>,
    pub(super) remarks: Vec<String>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            idle_bytes: 0,
            steps: Vec::new(),
            usual: None,
            over: None,
            turns: Vec::new(),
            words: Vec::new(),
            local: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// The tables.
    pub(super) fn print(&self) {
        println!("\n{} processors.", self.processors);
        self.print_engine();
        self.print_local();
        self.print_turns();
        for understood in &self.words {
            let Understood { what, wrong, of, unit, .. } = understood;
            let share = *wrong as f64 / (*of).max(1) as f64 * 100.0;
            println!("{what}: {wrong} of {of} {unit} wrong, {share:.1}%");
        }
        for remark in &self.remarks {
            println!("\n{remark}");
        }
    }

    fn print_engine(&self) {
        println!(
            "\nFrom the end of speech to the first sound, without the silence that ends a turn; scripted models.\n"
        );
        let [calls, turns, p50, p95, worst] = ["calls", "turns", "p50", "p95", "worst"];
        println!("{calls:<18}{turns:>8}{p50:>13}{p95:>13}{worst:>13}   pieces late p95   processor a call");
        for step in &self.steps {
            step.print(&step.calls.to_string());
            if step.calls == OVERHEAD_CALLS {
                let held = step.p50_ms <= OVERHEAD_P50_MS && step.p95_ms <= OVERHEAD_P95_MS;
                let target = format!("p50 at most {OVERHEAD_P50_MS} ms, p95 {OVERHEAD_P95_MS} ms");
                println!("{:<18}{}", "", kept(held, &target));
            }
        }
        if let Some(step) = &self.usual {
            step.print(&format!("{}, 24 kHz, 20 ms", step.calls));
            println!("{:<18}of which up to 32 ms are the wait for a whole frame", "");
        }
        if let Some(over) = &self.over {
            over.print();
        }
        println!("\nmemory, idle: {}", mebibytes(self.idle_bytes));
        if let [.., before, last] = self.steps.as_slice() {
            let more = last.resident_bytes.saturating_sub(before.resident_bytes);
            let each = more / (last.calls - before.calls).max(1) as u64;
            let [from, to] = [before, last].map(|step| mebibytes(step.resident_bytes));
            println!(
                "memory of each call, from {} ({from}) to {} ({to}): {}",
                before.calls,
                last.calls,
                mebibytes(each)
            );
            println!("{:<18}{}", "", kept(each <= CALL_BYTES, "at most 5 MB"));
        }
    }

    fn print_local(&self) {
        if self.local.is_empty() {
            return;
        }
        println!(
            "\nFrom the end of speech to the first sound with the models of this machine, in ms; stages are medians.\n"
        );
        println!(
            "{:<30}{:>6}{:>7}{:>8}{:>8}{:>10}{:>8}{:>8}{:>8}{:>8}",
            "", "calls", "turns", "p50", "worst", "silence", "words", "token", "clause", "voice"
        );
        for local in &self.local {
            println!(
                "{:<30}{:>6}{:>7}{:>8.0}{:>8.0}{:>10.0}{:>8.0}{:>8.0}{:>8.0}{:>8.0}",
                local.model,
                local.calls,
                local.turns,
                local.p50_ms,
                local.worst_ms,
                local.endpointing_ms,
                local.recognition_ms,
                local.first_token_ms,
                local.first_clause_ms,
                local.voice_ms,
            );
            println!(
                "{:<30}{}; {} before the end, {} after a word of patience; {:.0}% of a processor a call, {} in all",
                "",
                kept(local.p50_ms <= LOCAL_P50_MS, "p50 at most 1.2 s"),
                local.premature,
                local.patience,
                local.processor_share * 100.0,
                mebibytes(local.resident_bytes),
            );
        }
    }

    fn print_turns(&self) {
        if self.turns.is_empty() {
            return;
        }
        println!("\nWhose turn it is, over sound of the local voice.\n");
        println!(
            "{:<34}{:>6}{:>11}{:>8}{:>8}{:>8}{:>10}{:>8}",
            "", "cases", "premature", "missed", "false", "hushed", "wait p50", "p95"
        );
        for (kind, name) in Kind::ALL {
            let Some((_, rates)) = self.turns.iter().find(|(one, _)| *one == kind) else { continue };
            let mut waits = rates.waits_ms.clone();
            let share = |some: usize| format!("{:.0}%", some as f64 / rates.cases.max(1) as f64 * 100.0);
            let mut wait = |part| match waits.is_empty() {
                true => "–".to_owned(),
                false => format!("{:.0} ms", percentile(&mut waits, part)),
            };
            println!(
                "{name:<34}{:>6}{:>11}{:>8}{:>8}{:>8}{:>10}{:>8}",
                rates.cases,
                share(rates.premature),
                share(rates.missed),
                share(rates.false_interruptions),
                rates.hushes,
                wait(0.50),
                wait(0.95),
            );
        }
        println!();
    }

    /// Writes `target/bench-voice.json` below the working directory.
    pub(super) fn save(&self) -> anyhow::Result<()> {
        let path = Path::new("target/bench-voice.json");
        fs::write(path, serde_json::to_vec_pretty(self)?)?;
        println!("\nThe figures are in {}.", path.display());
        Ok(())
    }
}

impl Step {
    fn print(&self, name: &str) {
        println!(
            "{name:<18}{:>8}{:>10.2} ms{:>10.2} ms{:>10.2} ms{:>15.2} ms{:>18.2}%",
            self.turns,
            self.p50_ms,
            self.p95_ms,
            self.worst_ms,
            self.late_p95_ms,
            self.processor_share * 100.0,
        );
    }
}

impl Silence {
    fn print(&self) {
        println!("\ntalked over {} times in {} calls at once:", self.times, self.calls);
        println!(
            "last sound after the speech that hushes: {:.1} ms (p50), {:.1} ms (p95)",
            self.hushed_p50_ms, self.hushed_p95_ms
        );
        println!(
            "client told after the speech that interrupts: {:.1} ms (p50), {:.1} ms (p95)",
            self.told_p50_ms, self.told_p95_ms
        );
        let held = self.told_p95_ms <= SILENCE_MS && self.hushed_p95_ms <= SILENCE_MS;
        println!("{:<18}{}", "", kept(held, &format!("silence within {SILENCE_MS} ms")));
    }
}
