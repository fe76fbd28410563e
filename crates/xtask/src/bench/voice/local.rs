//! Calls with the models of this machine: how long an answer takes, stage by stage.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use inference::catalog;
use providers::speech::RATE;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::Instant};

use super::{
    call::{Answered, Call, Manner},
    lab::{self, Lab},
    sound::{Sending, Sound, spoken},
};
use crate::{instance::Instance, report::percentile, routes};

/// What is asked, in turn.
const QUESTIONS: [&str; 6] = [
    "What is the capital of France?",
    "How many days does a week have?",
    "Could you name a fruit that is red?",
    "Who wrote the play about Hamlet?",
    "What do I need to make a cup of tea?",
    "Which month comes after October?",
];
/// What the model is told: a caller's answers are short.
const PROMPT: &str = "Answer in one short sentence.";
/// How long an answer is heard before the next question is asked, over it if need be.
const LISTENS: Duration = Duration::from_millis(1_500);
/// How long a model may take to be ready.
const LOADING: Duration = Duration::from_secs(120);

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Local {
    pub(super) model: &'static str,
    pub(super) calls: usize,
    pub(super) turns: usize,
    /// Answers that began before the question was over.
    pub(super) premature: usize,
    /// Answers whose first sound was the engine's "One moment, please": the model took too long.
    pub(super) patience: usize,
    /// From the last sample of the question to the first sound of the answer.
    pub(super) p50_ms: f64,
    pub(super) worst_ms: f64,
    /// Medians of the stages, as the engine reports them.
    pub(super) endpointing_ms: f64,
    pub(super) recognition_ms: f64,
    pub(super) first_token_ms: f64,
    pub(super) first_clause_ms: f64,
    pub(super) voice_ms: f64,
    pub(super) processor_share: f64,
    pub(super) resident_bytes: u64,
}

/// Questions in this many calls at once, to the model called `model`.
pub(super) async fn measure(
    server: &Path,
    folder: &Path,
    lab: &Lab,
    model: &'static str,
    plan: &[(usize, usize)],
) -> anyhow::Result<Vec<Local>> {
    let models = format!(
        "models_folder = {folder:?}\nlocal.model = {model:?}\nlocal.fetch = false\nspeech.enabled = true\n"
    );
    let instance = Arc::new(Instance::with_models(server, &models).await?);
    ready(&instance, model).await?;
    let mut questions = Vec::new();
    for text in QUESTIONS {
        let samples = lab.say(text, lab::Manner::PLAIN).await?;
        let samples = samples.get(..spoken(&samples, RATE).end).unwrap_or_default();
        questions.push(Arc::new(Sound::of(samples, RATE, Sending::EVEN)?));
    }
    let questions = Arc::new(questions);
    let mut found = Vec::new();
    for (calls, turns) in plan {
        found.push(at_once(&instance, &questions, model, *calls, *turns).await?);
    }
    Ok(found)
}

/// Waits until the model answers in writing.
async fn ready(instance: &Instance, model: &str) -> anyhow::Result<()> {
    let client = routes::http1(&instance.authority)?;
    let begun = Instant::now();
    while begun.elapsed() < LOADING {
        let question = json!({
            "model": model, "max_tokens": 1, "messages": [{ "role": "user", "content": "Hello." }],
        });
        let asked = client.post(format!("{}/v1/chat/completions", instance.base)).bearer_auth(&instance.key);
        if asked.json(&question).send().await?.status().is_success() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    anyhow::bail!("{model} was not ready within two minutes")
}

async fn at_once(
    instance: &Arc<Instance>,
    questions: &Arc<Vec<Arc<Sound>>>,
    model: &'static str,
    calls: usize,
    turns: usize,
) -> anyhow::Result<Local> {
    let mut tasks = JoinSet::new();
    let (begun, before) = (Instant::now(), instance.processor_seconds()?);
    for number in 0..calls {
        let (instance, questions) = (Arc::clone(instance), Arc::clone(questions));
        let manner = Manner { sending: Sending::EVEN, model, prompt: PROMPT };
        tasks.spawn(async move {
            let mut call = Call::open(&instance, &manner, Duration::ZERO).await?;
            let mut answers = Vec::new();
            // The first turn of a call reads the prompt, which the next ones find read.
            for turn in 0..=turns {
                call.pause(10 + 23 * number).await?;
                let question = questions.get((turn + number) % questions.len()).context("a question")?;
                let answered = call.ask(question).await?;
                if turn > 0 {
                    answers.push(answered);
                }
                call.until_quiet(LISTENS).await?;
            }
            call.hang_up().await?;
            anyhow::Ok(answers)
        });
    }
    let mut answers = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        answers.extend(ended??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let mut waits: Vec<f64> = answers.iter().filter_map(|answered| answered.after_ms).collect();
    // Without a token before the first sound that was no answer yet.
    let whole = |one: &&Answered| one.after_ms.is_some() && one.stages["ttt_token_latency"].is_number();
    let stages: Vec<&Value> = answers.iter().filter(whole).map(|one| &one.stages).collect();
    let stage = |of: &dyn Fn(&Value) -> f64| {
        let mut values: Vec<f64> = stages.iter().map(|one| of(one) * 1e3).collect();
        percentile(&mut values, 0.50)
    };
    let of = |stages: &Value, name: &str| stages[name].as_f64().unwrap_or_default();
    Ok(Local {
        model,
        calls,
        turns: answers.len(),
        premature: answers.len() - waits.len(),
        patience: waits.len() - stages.len(),
        p50_ms: percentile(&mut waits, 0.50),
        worst_ms: percentile(&mut waits, 1.0),
        endpointing_ms: stage(&|one| {
            of(one, "total_latency")
                - of(one, "stt_latency")
                - of(one, "ttt_text_latency")
                - of(one, "tts_latency")
        }),
        recognition_ms: stage(&|one| of(one, "stt_latency")),
        first_token_ms: stage(&|one| of(one, "ttt_token_latency")),
        first_clause_ms: stage(&|one| of(one, "ttt_text_latency") - of(one, "ttt_token_latency")),
        voice_ms: stage(&|one| of(one, "tts_latency")),
        processor_share: (instance.processor_seconds()? - before) / seconds / calls as f64,
        resident_bytes: instance.resident()?,
    })
}

/// The language models whose files are in `folder`, the preferred one first. The smallest is for trying things out.
pub(super) fn models_in(folder: &Path) -> Vec<&'static str> {
    let here = |entry: &&catalog::Entry| {
        entry.kind == catalog::Kind::Llm && entry.files.iter().all(|file| folder.join(file.name).is_file())
    };
    catalog::entries()
        .iter()
        .filter(here)
        .filter(|entry| entry.context_tokens > 8_192)
        .map(|e| e.id)
        .collect()
}
