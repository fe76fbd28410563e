//! Measures a built server: time to the first token, throughput, memory, and the local model's speed.
//!
//! Called by `cargo xtask bench` with the path of the server. Everything runs on this machine, in one run
//! and with one client, so the ratios mean something where the absolute times do not: the same answers
//! straight from a scripted upstream, through nginx as a bare TLS proxy, through Troth's `/v1`, and through
//! its chat, where the question is durable before the first token; then the chat again, alone and while
//! somebody tries to sign in ten thousand times a minute. With `--voice` it measures calls instead ([`voice`]).
//! Every count and every time is bounded.
#![expect(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

mod decode;
mod flood;
mod instance;
mod load;
mod memory;
mod proxy;
mod report;
mod routes;
mod upstream;
mod voice;

use std::path::PathBuf;

use anyhow::Context;

use crate::{instance::Instance, load::Plan, proxy::Proxy, report::Report, upstream::Upstream};

/// What was asked for on the command line.
struct Wish {
    server: PathBuf,
    quick: bool,
    voice: bool,
    models: Option<PathBuf>,
    python: PathBuf,
    /// The one part to be measured.
    only: Option<String>,
    recordings: Option<PathBuf>,
}

impl Wish {
    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

fn main() -> anyhow::Result<()> {
    let Some(wish) = wish() else {
        println!("Run `cargo xtask bench`; it builds what is measured and calls this.");
        return Ok(());
    };
    if wish.voice {
        // One thread: who makes the load shall cost little.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (models, recordings) = (wish.models.as_deref(), wish.recordings.as_deref());
        return runtime.block_on(voice::measure(&wish.server, wish.quick, models, recordings));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(&wish))
}

/// The command line. `None` when there is no server, as when cargo runs all benches.
fn wish() -> Option<Wish> {
    let mut words = std::env::args_os().skip(1).filter(|word| word != "--bench");
    let mut wish = Wish {
        server: words.next()?.into(),
        quick: false,
        voice: false,
        models: None,
        python: "python3".into(),
        only: None,
        recordings: None,
    };
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--quick") => wish.quick = true,
            Some("--voice") => wish.voice = true,
            Some("--models") => wish.models = words.next().map(PathBuf::from),
            Some("--only") => wish.only = Some(words.next()?.into_string().ok()?),
            Some("--recordings") => wish.recordings = words.next().map(PathBuf::from),
            Some("--python") => wish.python = words.next()?.into(),
            _ => return None,
        }
    }
    Some(wish)
}

async fn measure(wish: &Wish) -> anyhow::Result<()> {
    let plan = if wish.quick { Plan::QUICK } else { Plan::FULL };
    let mut report = Report::new(plan);
    let upstream = Upstream::start().await?;

    if wish.wants("memory") {
        println!("Memory: a fresh server and up to {} streams, each way.", plan.streams);
        report.memory = Some(memory::measure(&wish.server, &upstream, &plan).await.context("memory")?);
    }
    if wish.wants("answers") {
        println!("Time to the first token and throughput, one route after the other.");
        let instance = Instance::start(&wish.server, &upstream).await.context("the server")?;
        let proxy = Proxy::start(&upstream).await.context("nginx")?;
        let routes = routes::all(&upstream, proxy.as_ref(), instance)?;
        if proxy.is_none() {
            report.remarks.push("nginx is not on this machine: the bare proxy was not measured.".to_owned());
        }
        load::measure(routes, &plan, &mut report).await?;
    }
    if wish.wants("sign-ins") {
        println!("Sign-ins, and a flood of them.");
        let instance = Instance::start(&wish.server, &upstream).await.context("the server")?;
        report.flood = Some(flood::measure(instance, &plan).await.context("the flood")?);
    }
    if wish.wants("decoding") {
        println!("Local decoding.");
        decode::measure(wish.models.as_deref(), &wish.python, &plan, &mut report);
    }
    report.print();
    report.save()
}
