//! How fast the local model decodes, beside llama.cpp on the same file with as many threads.

use std::{ops::ControlFlow, path::Path, process::Command};

use anyhow::Context;
use inference::{Llm, LoadOptions, Request, Role, Turn, catalog};
use serde::Serialize;

use crate::{load::Plan, report::Report};

/// What both are asked.
const QUESTION: &str = "Write a long story about a lighthouse keeper who learns to sail.";

/// Tokens a second on one file.
#[derive(Debug, Serialize)]
pub(crate) struct Decoding {
    pub(crate) file: String,
    pub(crate) ours: f64,
    pub(crate) llama_cpp: Option<f64>,
}

/// Measures every language model whose file is in `folder`; what is absent is said.
pub(crate) fn measure(folder: Option<&Path>, plan: &Plan, report: &mut Report) {
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
        match ours(&path, plan.decode_tokens) {
            Ok(ours) => {
                let llama_cpp = llama_cpp(&path, plan.decode_tokens);
                if let Err(error) = &llama_cpp {
                    let remark = format!("llama.cpp was not measured: {error:#}.");
                    if !report.remarks.contains(&remark) {
                        report.remarks.push(remark);
                    }
                }
                report.decoding.push(Decoding { file, ours, llama_cpp: llama_cpp.ok() });
            }
            Err(error) => report.remarks.push(format!("{file} was not measured: {error:#}.")),
        }
    }
    if report.decoding.len() == before {
        report
            .remarks
            .push("Local decoding was not measured: no model of the catalogue could be run.".to_owned());
    }
}

fn ours(path: &Path, tokens: u32) -> anyhow::Result<f64> {
    let llm = Llm::load(path, &LoadOptions::default())?;
    let mut best: f64 = 0.0;
    for _ in 0..2 {
        let request =
            Request { max_tokens: Some(tokens), ..Request::new(vec![Turn::new(Role::User, QUESTION)]) };
        let summary = llm.answer(&request, &|| false, &mut |_| ControlFlow::Continue(()))?;
        best =
            best.max(f64::from(summary.completion_tokens.saturating_sub(1)) / summary.decoding.as_secs_f64());
    }
    Ok(best)
}

/// The same through the Python binding of llama.cpp, where that is installed.
fn llama_cpp(path: &Path, tokens: u32) -> anyhow::Result<f64> {
    let threads = std::thread::available_parallelism()?;
    let script = format!(
        "import time\n\
         try:\n    from llama_cpp import Llama\nexcept ImportError:\n    raise SystemExit(3)\n\
         m = Llama({path:?}, n_ctx=2048, n_threads={threads}, n_threads_batch={threads}, verbose=False)\n\
         best = 0\n\
         for _ in range(2):\n    \
             times = []\n    \
             for _ in m.create_chat_completion([{{'role': 'user', 'content': {QUESTION:?}}}], \
                 max_tokens={tokens}, temperature=0, stream=True):\n        times.append(time.monotonic())\n    \
             times = times[1:-1]\n    \
             best = max(best, (len(times) - 1) / (times[-1] - times[0]))\n\
         print(best)\n"
    );
    let output =
        Command::new("python3").args(["-c", &script]).output().context("there is no python3 here")?;
    anyhow::ensure!(output.status.code() != Some(3), "its Python module `llama_cpp` is not on this machine");
    anyhow::ensure!(output.status.success(), "it failed");
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
