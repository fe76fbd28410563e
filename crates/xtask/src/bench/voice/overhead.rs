//! What the engine itself costs: calls at once over models that take no time of their own.
//!
//! The scripted ear, voice and model answer at once, so all that lies between the caller's last sample and the
//! answer's first sound, but for the silence that ends a turn, is the engine, the wire, TLS and the machine.

use std::{path::Path, sync::Arc, time::Duration};

use domain::voice::{TurnRules, turn_taking::Rules};
use providers::speech::marked;
use serde::Serialize;
use tokio::{task::JoinSet, time::Instant};

use super::{
    call::{Call, Manner},
    sound::{Sending, Sound},
};
use crate::{instance::Instance, report::percentile};

/// Samples a second of the scripted voice.
const SCRIPTED_RATE: u32 = 24_000;
/// What is asked: the answer is three words, 0.7 s of whistling.
const QUESTION: &str = "long 3";
/// What is said over a long answer, which it is itself answered with: a second of whistling.
const OVER: &str = "say long words to me now";
/// How long an answer is heard before somebody talks over it.
const LISTENS: usize = 20;
/// Time for calls to be opened, the disclosure and a first turn, which are not counted.
const WARM: Duration = Duration::from_secs(4);
/// Nobody ends a turn later than this after the last one that is counted was begun.
const LAST: Duration = Duration::from_secs(30);

/// What calls at once are measured with.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) calls: usize,
    pub(super) seconds: u64,
}

/// What was found with so many calls at once.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) calls: usize,
    pub(super) turns: usize,
    /// From the last sample to the first sound, without the silence that ends a turn.
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) worst_ms: f64,
    /// How late the caller's own pieces left: part of the above that is not the engine's.
    pub(super) late_p95_ms: f64,
    /// Of one processor, for each call.
    pub(super) processor_share: f64,
    pub(super) resident_bytes: u64,
}

/// What was found when callers talked over the agent.
#[derive(Debug, Serialize)]
pub(super) struct Silence {
    pub(super) calls: usize,
    pub(super) times: usize,
    /// From the speech that hushes to the last sound that came, 0 where none came after it.
    pub(super) hushed_p50_ms: f64,
    pub(super) hushed_p95_ms: f64,
    /// From the speech that means to interrupt until the client is told to drop what it holds.
    pub(super) told_p50_ms: f64,
    pub(super) told_p95_ms: f64,
}

/// Starts the server whose models take no time.
pub(super) async fn start(server: &Path) -> anyhow::Result<Arc<Instance>> {
    let models = "scripted = true\nlocal.enabled = false\nspeech.enabled = false\n";
    Ok(Arc::new(Instance::with_models(server, models).await?))
}

/// Turns in `load.calls` calls at once.
pub(super) async fn turns(instance: &Arc<Instance>, load: Load, sending: Sending) -> anyhow::Result<Step> {
    let question = Arc::new(Sound::of(&marked(QUESTION), SCRIPTED_RATE, sending)?);
    let begins = Instant::now() + WARM;
    let ends = begins + Duration::from_secs(load.seconds);
    let mut calls = JoinSet::new();
    for number in 0..load.calls {
        let (instance, question) = (Arc::clone(instance), Arc::clone(&question));
        let manner = manner(sending);
        let phase = sending.piece() * u32::try_from(number)? / u32::try_from(load.calls)?;
        calls.spawn(async move {
            let mut call = Call::open(&instance, &manner, phase).await?;
            let mut waits = Vec::new();
            while Instant::now() < ends {
                // Callers do not all ask at the same moment.
                call.pause(5 + (number * 7 + waits.len() * 11) % 20).await?;
                let counts = Instant::now() >= begins;
                let after = call.ask(&question).await?.after_ms;
                let after = after.ok_or_else(|| anyhow::anyhow!("an answer before the question's end"))?;
                if counts {
                    waits.push(after - f64::from(TurnRules::default().pause_ms));
                }
                call.until_quiet(LAST).await?;
            }
            let late = std::mem::take(&mut call.late_ms);
            call.hang_up().await?;
            anyhow::Ok((waits, late))
        });
    }
    tokio::time::sleep_until(begins).await;
    let before = instance.processor_seconds()?;
    tokio::time::sleep_until(ends).await;
    let used = instance.processor_seconds()? - before;
    let resident_bytes = instance.resident()?;
    let (mut waits, mut late) = (Vec::new(), Vec::new());
    while let Some(ended) = calls.join_next().await {
        let (some, pieces) = ended??;
        waits.extend(some);
        late.extend(pieces);
    }
    anyhow::ensure!(!waits.is_empty(), "no turn came to its end");
    Ok(Step {
        calls: load.calls,
        turns: waits.len(),
        p50_ms: percentile(&mut waits, 0.50),
        p95_ms: percentile(&mut waits, 0.95),
        worst_ms: percentile(&mut waits, 1.0),
        late_p95_ms: percentile(&mut late, 0.95),
        processor_share: used / load.seconds as f64 / load.calls as f64,
        resident_bytes,
    })
}

/// Callers who talk over every answer.
pub(super) async fn talked_over(instance: &Arc<Instance>, load: Load) -> anyhow::Result<Silence> {
    let sound = Arc::new(Sound::of(&marked(OVER), SCRIPTED_RATE, Sending::EVEN)?);
    let ends = Instant::now() + WARM + Duration::from_secs(load.seconds);
    let mut calls = JoinSet::new();
    for number in 0..load.calls {
        let (instance, sound) = (Arc::clone(instance), Arc::clone(&sound));
        let manner = manner(Sending::EVEN);
        let phase = Sending::EVEN.piece() * u32::try_from(number)? / u32::try_from(load.calls)?;
        calls.spawn(async move {
            let mut call = Call::open(&instance, &manner, phase).await?;
            call.pause(number % 20).await?;
            call.ask(&sound).await?;
            let (mut hushed, mut told) = (Vec::new(), Vec::new());
            while Instant::now() < ends {
                call.pause(LISTENS).await?;
                let over = call.ask(&sound).await?;
                let since = |ms| over.lasted(ms).ok_or_else(|| anyhow::anyhow!("too short a question"));
                let rules = Rules::default();
                let hush = since(rules.hush_ms)?;
                let last = over
                    .last_sound
                    .map_or(0.0, |last| last.saturating_duration_since(hush).as_secs_f64() * 1e3);
                let noticed =
                    over.noticed.ok_or_else(|| anyhow::anyhow!("an interruption nobody told of"))?;
                let meant = since(rules.interrupt_ms)?;
                hushed.push(last);
                told.push(noticed.saturating_duration_since(meant).as_secs_f64() * 1e3);
            }
            call.hang_up().await?;
            anyhow::Ok((hushed, told))
        });
    }
    let (mut hushed, mut told) = (Vec::new(), Vec::new());
    while let Some(ended) = calls.join_next().await {
        let (some, others) = ended??;
        hushed.extend(some);
        told.extend(others);
    }
    Ok(Silence {
        calls: load.calls,
        times: told.len(),
        hushed_p50_ms: percentile(&mut hushed, 0.50),
        hushed_p95_ms: percentile(&mut hushed, 0.95),
        told_p50_ms: percentile(&mut told, 0.50),
        told_p95_ms: percentile(&mut told, 0.95),
    })
}

fn manner(sending: Sending) -> Manner {
    Manner { sending, model: "scripted", prompt: "" }
}
