//! Requests in turn and at once, through every route alike.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use crate::{
    report::{Figures, Report, percentile},
    routes::{Route, Times},
};

/// How much is measured.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Plan {
    /// Questions one after the other, for each route.
    pub(crate) in_turn: usize,
    /// Questions at once, for each route.
    pub(crate) at_once: usize,
    /// How many of them are on their way at the same time.
    pub(crate) abreast: usize,
    /// Longest time for one route's part.
    #[serde(skip)]
    pub(crate) longest: Duration,
    /// Streams held open while memory is read.
    pub(crate) streams: usize,
    /// Tokens the local model decodes.
    pub(crate) decode_tokens: u32,
    /// Passwords whose checks are counted.
    pub(crate) sign_ins: usize,
    /// How long the flood of sign-ins lasts.
    #[serde(skip)]
    pub(crate) flood: Duration,
}

impl Plan {
    pub(crate) const FULL: Self = Self {
        in_turn: 300,
        at_once: 400,
        abreast: 32,
        longest: Duration::from_secs(60),
        streams: 240,
        decode_tokens: 96,
        sign_ins: 200,
        flood: Duration::from_secs(60),
    };
    pub(crate) const QUICK: Self = Self {
        in_turn: 40,
        at_once: 64,
        abreast: 16,
        longest: Duration::from_secs(10),
        streams: 120,
        decode_tokens: 32,
        sign_ins: 60,
        flood: Duration::from_secs(15),
    };
}

/// Questions before anything is counted, so that connections stand and caches are warm.
const WARM: usize = 10;
/// Writes that are timed.
const SYNCS: usize = 100;
/// What is asked in turn and at once.
const SHORT: &str = "words-32";
const LONG: &str = "words-256";
const LONG_WORDS: f64 = 256.0;

/// Measures all routes.
pub(crate) async fn measure(routes: Vec<Route>, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    report.durable_write_p50_ms = durable_write_ms()?;
    let in_turn = one_after_the_other(&routes, plan).await?;
    for (route, times) in routes.iter().zip(in_turn) {
        let (rate, words) = at_once(route, plan).await?;
        let mut taken: Vec<_> = times.iter().map(|times| times.taken * 1e3).collect();
        let mut firsts: Vec<_> = times.iter().map(|times| times.first * 1e3).collect();
        let mut wholes: Vec<_> = times.iter().map(|times| times.whole * 1e3).collect();
        report.routes.push(Figures {
            name: route.name,
            questions: times.len(),
            taken_p50_ms: percentile(&mut taken, 0.50),
            first_p50_ms: percentile(&mut firsts, 0.50),
            first_p95_ms: percentile(&mut firsts, 0.95),
            whole_p50_ms: percentile(&mut wholes, 0.50),
            answers_per_s: rate,
            words_per_s: words,
        });
    }
    Ok(())
}

/// What one durable write costs here at the least: 4 KiB and a sync, in milliseconds. No answer of the
/// chat can begin sooner.
fn durable_write_ms() -> anyhow::Result<f64> {
    let mut file = tempfile::tempfile()?;
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        file.write_all(&[7; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(percentile(&mut times, 0.50))
}

/// One question at a time, the routes taking turns, so that whatever else the machine does meets all.
async fn one_after_the_other(routes: &[Route], plan: &Plan) -> anyhow::Result<Vec<Vec<Times>>> {
    for route in routes {
        for _ in 0..WARM {
            route.ask(SHORT).await?;
        }
    }
    let begun = Instant::now();
    let mut times = vec![Vec::new(); routes.len()];
    for _ in 0..plan.in_turn {
        for (route, times) in routes.iter().zip(&mut times) {
            times.push(route.ask(SHORT).await?);
        }
        if begun.elapsed() > plan.longest * 2 {
            break;
        }
    }
    Ok(times)
}

/// Many questions at once: answers and words a second.
async fn at_once(route: &Route, plan: &Plan) -> anyhow::Result<(f64, f64)> {
    let (left, done) = (Arc::new(AtomicUsize::new(plan.at_once)), Arc::new(AtomicUsize::new(0)));
    let begun = Instant::now();
    let mut readers = JoinSet::new();
    // The chat gives one person eight answers at a time.
    let abreast = if route.is_chat() { plan.abreast.min(8) } else { plan.abreast };
    for _ in 0..abreast {
        let (route, left, done, longest) =
            (route.clone(), Arc::clone(&left), Arc::clone(&done), plan.longest);
        readers.spawn(async move {
            let take = |left: usize| left.checked_sub(1);
            while begun.elapsed() < longest
                && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
            {
                route.ask(LONG).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(read) = readers.join_next().await {
        read??;
    }
    let rate = done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    Ok((rate, rate * LONG_WORDS))
}
