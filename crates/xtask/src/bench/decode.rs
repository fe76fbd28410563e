//! How fast the local model decodes, beside llama.cpp on the same file with as many threads.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    ops::ControlFlow,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::Context;
use inference::{Llm, LoadOptions, Request, Role, Turn, catalog};
use serde::Serialize;

use crate::{load::Plan, report::Report};

/// What both are asked.
const QUESTION: &str = "Write a long story about a lighthouse keeper who learns to sail.";

/// Answers of each, in turn; the best counts, because whatever else the machine does only slows them.
const ROUNDS: usize = 3;

/// Tokens a second on one file.
#[derive(Debug, Serialize)]
pub(crate) struct Decoding {
    pub(crate) file: String,
    pub(crate) ours: f64,
    pub(crate) llama_cpp: Option<f64>,
}

/// Measures every language model whose file is in `folder`; what is absent is said.
///
/// `python` is the interpreter that is asked for llama.cpp.
pub(crate) fn measure(folder: Option<&Path>, python: &Path, plan: &Plan, report: &mut Report) {
    let Some(folder) = folder else {
        report
            .remarks
            .push("Local decoding was not measured: name the models' folder with --models.".to_owned());
        return;
    };
    let files = catalog::entries().iter().filter(|entry| entry.kind == catalog::Kind::Llm);
    let files =
        files.filter_map(|entry| Some(folder.join(entry.files.first()?.name)).filter(|path| path.exists()));
    let before = report.decoding.len();
    for path in files {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut llama_cpp = LlamaCpp::start(python, &path)
            .inspect_err(|error| {
                let remark = format!("llama.cpp was not measured: {error:#}.");
                if !report.remarks.contains(&remark) {
                    report.remarks.push(remark);
                }
            })
            .ok();
        match in_turn(&path, llama_cpp.as_mut(), plan.decode_tokens) {
            Ok((ours, llama_cpp)) => report.decoding.push(Decoding { file, ours, llama_cpp }),
            Err(error) => report.remarks.push(format!("{file} was not measured: {error:#}.")),
        }
    }
    if report.decoding.len() == before {
        report
            .remarks
            .push("Local decoding was not measured: no model of the catalogue could be run.".to_owned());
    }
}

/// The best of both, one after the other again and again, so that a busy moment does not hit one alone.
fn in_turn(
    path: &Path,
    mut llama_cpp: Option<&mut LlamaCpp>,
    tokens: u32,
) -> anyhow::Result<(f64, Option<f64>)> {
    let llm = Llm::load(path, &LoadOptions::default())?;
    let (mut best, mut theirs) = (0.0_f64, None);
    for _ in 0..ROUNDS {
        best = best.max(ours(&llm, tokens)?);
        if let Some(llama_cpp) = &mut llama_cpp {
            let rate = llama_cpp.answer(tokens)?;
            theirs = Some(theirs.map_or(rate, |best: f64| best.max(rate)));
        }
    }
    Ok((best, theirs))
}

fn ours(llm: &Llm, tokens: u32) -> anyhow::Result<f64> {
    let request = Request { max_tokens: Some(tokens), ..Request::new(vec![Turn::new(Role::User, QUESTION)]) };
    let summary = llm.answer(&request, &|| false, &mut |_| ControlFlow::Continue(()))?;
    Ok(f64::from(summary.completion_tokens.saturating_sub(1)) / summary.decoding.as_secs_f64())
}

/// llama.cpp by its Python binding: a process that has the model loaded and answers when told to.
struct LlamaCpp {
    process: Child,
    orders: ChildStdin,
    rates: BufReader<ChildStdout>,
}

impl LlamaCpp {
    fn start(python: &Path, model: &Path) -> anyhow::Result<Self> {
        let threads = std::thread::available_parallelism()?;
        let script = format!(
            "import sys, time\n\
             try:\n    from llama_cpp import Llama\nexcept ImportError:\n    raise SystemExit(3)\n\
             m = Llama({model:?}, n_ctx=2048, n_threads={threads}, n_threads_batch={threads}, verbose=False)\n\
             print('ready', flush=True)\n\
             for tokens in sys.stdin:\n    \
                 times = []\n    \
                 for _ in m.create_chat_completion([{{'role': 'user', 'content': {QUESTION:?}}}], \
                     max_tokens=int(tokens), temperature=0, stream=True):\n        times.append(time.monotonic())\n    \
                 times = times[1:-1]\n    \
                 print((len(times) - 1) / (times[-1] - times[0]), flush=True)\n"
        );
        let mut process = Command::new(python)
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} does not start", python.display()))?;
        let orders = process.stdin.take().context("it has no input")?;
        let rates = BufReader::new(process.stdout.take().context("it has no output")?);
        let mut started = Self { process, orders, rates };
        if started.line()?.trim() != "ready" {
            let status = started.process.wait()?;
            anyhow::ensure!(status.code() != Some(3), "{} has no module `llama_cpp`", python.display());
            anyhow::bail!("it failed");
        }
        Ok(started)
    }

    /// Tokens a second of one answer.
    fn answer(&mut self, tokens: u32) -> anyhow::Result<f64> {
        writeln!(self.orders, "{tokens}")?;
        self.line()?.trim().parse().context("llama.cpp failed while it answered")
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.rates.read_line(&mut line)?;
        Ok(line)
    }
}

impl Drop for LlamaCpp {
    fn drop(&mut self) {
        // It may have ended already; either way there is nothing left to do about it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
