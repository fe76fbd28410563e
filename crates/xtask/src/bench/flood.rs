//! How many people can sign in a second, and what a flood of attempts costs everybody else.
//!
//! The limits on sign-ins are lifted here: the flood is one that comes from very many addresses, each
//! within its limit. Each attempt has a name of its own, so no name's waits hold it up, and costs a whole hash or is
//! turned away because too many wait for theirs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, Method, RequestBuilder, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;
use tokio::{task::JoinSet, time::MissedTickBehavior};

use crate::{
    instance::Instance,
    load::Plan,
    report::percentile,
    routes::{self, Route},
};

/// Attempts a minute.
const A_MINUTE: u32 = 10_000;
/// People who sign in at the same time while sign-ins are counted; as many may wait for their hash.
const ABREAST: usize = 16;
/// How an attempt is answered that costs no hash.
const TURNED_AWAY: [StatusCode; 2] = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
/// What is asked in the chat meanwhile.
const QUESTION: &str = "words-32";
/// Connections of the flood. One takes a hundred requests at a time, and none is shared with the chat.
const CONNECTIONS: usize = 16;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Flood {
    /// How a password is hashed.
    pub(crate) hashing: &'static str,
    /// Passwords checked a second.
    pub(crate) sign_ins_per_s: f64,
    pub(crate) attempts: usize,
    pub(crate) attempts_a_minute: f64,
    /// Attempts that were turned away without a hash.
    pub(crate) turned_away: usize,
    pub(crate) questions: usize,
    /// Until the chat's whole answer, alone and during the flood.
    pub(crate) alone_p99_ms: f64,
    pub(crate) flooded_p99_ms: f64,
}

impl Flood {
    /// How many times as long others waited.
    pub(crate) fn ratio(&self) -> f64 {
        self.flooded_p99_ms / self.alone_p99_ms
    }
}

/// Measures both on a fresh instance.
pub(crate) async fn measure(instance: Instance, plan: &Plan) -> anyhow::Result<Flood> {
    let instance = Arc::new(instance);
    let chat = routes::chat(instance.clone());
    let sign_ins_per_s = sign_ins(&instance, plan.sign_ins).await?;
    for _ in 0..10 {
        chat.ask(QUESTION).await?;
    }
    let mut alone = questions(&chat, plan.flood).await?;
    let (attempts, turned_away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    let clients = (0..CONNECTIONS).map(|_| routes::client(Some(&instance.authority)));
    let clients = clients.collect::<anyhow::Result<Vec<_>>>()?;
    tasks.spawn(flood(instance.clone(), clients, plan.flood, attempts.clone(), turned_away.clone()));
    let begun = Instant::now();
    let mut flooded = questions(&chat, plan.flood).await?;
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    let attempts = attempts.load(Ordering::Relaxed);
    Ok(Flood {
        hashing: crate::instance::HASHING,
        sign_ins_per_s,
        attempts,
        attempts_a_minute: attempts as f64 / begun.elapsed().as_secs_f64() * 60.0,
        turned_away: turned_away.load(Ordering::Relaxed),
        questions: flooded.len(),
        alone_p99_ms: percentile(&mut alone, 0.99),
        flooded_p99_ms: percentile(&mut flooded, 0.99),
    })
}

/// Questions in the chat, one after the other, for this long; how long each took, in milliseconds.
async fn questions(chat: &Route, long: Duration) -> anyhow::Result<Vec<f64>> {
    let (begun, mut taken) = (Instant::now(), Vec::new());
    while begun.elapsed() < long {
        taken.push(chat.ask(QUESTION).await?.whole * 1e3);
        // People are not that quick either.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(taken)
}

/// Passwords that were checked in a second, with a few people at it all the time. Each has a name of its own:
/// of one name only one at a time is looked at. A name nobody has costs what a known one costs.
async fn sign_ins(instance: &Arc<Instance>, many: usize) -> anyhow::Result<f64> {
    let (next, checked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut people = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..ABREAST {
        let (instance, next, checked) = (instance.clone(), next.clone(), checked.clone());
        people.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= many {
                    return anyhow::Ok(());
                }
                let request = attempt(&instance, instance.client.http(), &format!("person{number}"));
                let status = request.send().await?.status();
                if !TURNED_AWAY.contains(&status) {
                    checked.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    while let Some(ended) = people.join_next().await {
        ended??;
    }
    Ok(checked.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64())
}

/// Attempts at their pace for this long, whatever becomes of them.
async fn flood(
    instance: Arc<Instance>,
    clients: Vec<Client>,
    long: Duration,
    sent: Arc<AtomicUsize>,
    turned_away: Arc<AtomicUsize>,
) {
    let mut pace = tokio::time::interval(Duration::from_secs(60) / A_MINUTE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (begun, mut open) = (Instant::now(), JoinSet::new());
    while begun.elapsed() < long {
        pace.tick().await;
        let number = sent.fetch_add(1, Ordering::Relaxed);
        let client = clients[number % clients.len()].clone();
        let (instance, turned_away) = (instance.clone(), turned_away.clone());
        open.spawn(async move {
            let request = attempt(&instance, &client, &format!("nobody{number}"));
            let answer = request.send().await;
            if answer.is_ok_and(|answer| TURNED_AWAY.contains(&answer.status())) {
                turned_away.fetch_add(1, Ordering::Relaxed);
            }
        });
        while open.try_join_next().is_some() {}
    }
    while open.join_next().await.is_some() {}
}

fn attempt(instance: &Instance, client: &Client, name: &str) -> RequestBuilder {
    client
        .request(Method::POST, format!("{}/sign-in", instance.base))
        .header("sec-fetch-site", "same-origin")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("name={name}&password=Guessed-99-times-over&next="))
}
