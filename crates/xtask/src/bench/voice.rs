//! Calls, measured from outside as a caller has them, and the models of speech alone.
//!
//! Called by `cargo xtask bench voice`. First the engine over models that take no time; then the models of this
//! machine; then whose turn it is over real sound, and how many words are understood wrongly. Everything runs on
//! loopback, bounded in calls and time.

mod call;
mod cases;
mod lab;
mod local;
#[path = "../../../inference/tests/real/measure.rs"]
mod measure;
mod overhead;
mod report;
mod sound;
mod turns;
mod wire;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Context;

use self::{lab::Lab, overhead::Load, report::Report, sound::Sending};

/// How much is measured.
struct Plan {
    /// Turns in calls at once.
    loads: &'static [Load],
    /// The same as released clients send their sound.
    usual: Option<Load>,
    /// Callers who talk over the agent.
    over: Load,
    /// With the models of this machine: calls at once, and counted turns of each.
    local: &'static [(usize, usize)],
    /// The same for the smaller model.
    smaller: Option<&'static [(usize, usize)]>,
}

const FULL: Plan = Plan {
    loads: &[
        Load { calls: 1, seconds: 8 },
        Load { calls: 4, seconds: 6 },
        Load { calls: 16, seconds: 12 },
        Load { calls: 32, seconds: 8 },
    ],
    usual: Some(Load { calls: 16, seconds: 6 }),
    over: Load { calls: 16, seconds: 6 },
    local: &[(1, 5), (2, 4)],
    smaller: Some(&[(1, 4), (2, 3)]),
};
const QUICK: Plan = Plan {
    loads: &[Load { calls: 1, seconds: 3 }, Load { calls: 16, seconds: 3 }],
    usual: None,
    over: Load { calls: 4, seconds: 2 },
    local: &[(1, 2)],
    smaller: None,
};

/// Measures and prints.
pub(crate) async fn measure(
    server: &Path,
    quick: bool,
    models: Option<&Path>,
    recordings: Option<&Path>,
) -> anyhow::Result<()> {
    let plan = if quick { QUICK } else { FULL };
    let mut report = Report::new();
    engine(server, &plan, &mut report).await.context("the engine")?;
    let folder = models.map_or_else(|| PathBuf::from("target/models"), Path::to_owned);
    match Lab::open(&folder).await {
        Ok(lab) => {
            println!("Whose turn it is.");
            report.turns = cases::measure(&lab, quick).await.context("turns")?;
            println!("Words.");
            report.words = words::measure(&lab, &folder, recordings).await.context("words")?;
            // A server is given its models by a path from anywhere.
            let folder = folder.canonicalize()?;
            stack(server, &folder, &lab, &plan, &mut report).await.context("the models of this machine")?;
        }
        Err(absent) => {
            report.remarks.push(format!("The models of this machine were not measured: {absent:#}."));
        }
    }
    report.print();
    report.save()
}

async fn engine(server: &Path, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let instance = overhead::start(server).await?;
    report.idle_bytes = instance.resident()?;
    for load in plan.loads {
        println!("Turns in {} calls at once.", load.calls);
        report.steps.push(overhead::turns(&instance, *load, Sending::EVEN).await?);
    }
    println!("Talking over the agent in {} calls at once.", plan.over.calls);
    report.over = Some(overhead::talked_over(&instance, plan.over).await?);
    if let Some(load) = plan.usual {
        println!("Turns in {} calls at once, sound as released clients send it.", load.calls);
        report.usual = Some(overhead::turns(&instance, load, Sending::USUAL).await?);
    }
    Ok(())
}

async fn stack(
    server: &Path,
    folder: &Path,
    lab: &Lab,
    plan: &Plan,
    report: &mut Report,
) -> anyhow::Result<()> {
    let models = local::models_in(folder);
    if models.is_empty() {
        report.remarks.push("No language model for calls is in that folder.".to_owned());
    }
    for (model, plan) in models.into_iter().zip([Some(plan.local), plan.smaller].into_iter().flatten()) {
        println!("Calls with {model}.");
        report.local.extend(local::measure(server, folder, lab, model, plan).await?);
    }
    Ok(())
}
