//! What a sign-in costs, and whether its time tells who exists: `cargo xtask sign-in-times [PAIRS]`.
//!
//! Prints, for the default parameters of Argon2: sign-ins a second at full load; then, for an unknown name,
//! a wrong password, a locked name and a right password that needs a factor in turn, the medians and how well
//! a watcher could tell each from the first by time alone (0.5 is a coin), without and with the time grid.
//! Fails when the grid does not hide it.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "it measures and prints; there is nobody to hand an error to"
)]

use std::time::{Duration, Instant};

use domain::{Actor, Secret};
use identity::{Config, Error, Identity, Next};
use testkit::Home;

const NAME: &str = "Ada Lovelace";
const PASSWORD: &str = "Quiet-Harbour-47";
const GUESS: &str = "Wrong-Guess-11";
/// How often two kinds of answer may be told apart on the grid; 0.5 is a coin.
const MOST_APART: f64 = 0.6;

fn main() {
    let pairs: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(500);
    testkit::run(async {
        let home = testkit::store().await;
        make_owner(&home).await;
        throughput(&home).await;
        told_apart(&home, Duration::ZERO, pairs.div_ceil(5)).await;
        let worst = told_apart(&home, Config::default().answer_grid, pairs).await;
        assert!(worst < MOST_APART, "the time of an answer tells too much: {worst:.3}");
    });
}

fn open(home: &Home, answer_grid: Duration) -> Identity {
    // Every try is to be looked at, so nothing waits here.
    let mut config = Config { answer_grid, ..Config::default() };
    config.numbers.failures_before_throttle = u32::MAX;
    Identity::new(home.store.clone(), config).unwrap()
}

async fn make_owner(home: &Home) {
    let identity = open(home, Duration::ZERO);
    let ctx = home.ctx(Actor::Anonymous);
    let code = identity.issue_setup_code(&ctx).await.unwrap().unwrap();
    let pending = identity.begin_setup(&ctx, &code, NAME, &secret(PASSWORD)).await.unwrap();
    let typed = totp_rs::Secret::try_from_base32(pending.secret_base32.expose().replace(' ', "")).unwrap();
    let app = totp_rs::Builder::new().with_secret(typed).build().unwrap();
    let now = u64::try_from(ctx.now().seconds()).unwrap();
    identity.finish_setup(&ctx, &pending.ticket, &app.generate(now).to_string(), "").await.unwrap();
}

/// Right passwords, as many at once as may wait.
async fn throughput(home: &Home) {
    const TRIES: usize = 64;
    let identity = open(home, Duration::ZERO);
    let begun = Instant::now();
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..TRIES {
        let (identity, ctx) = (identity.clone(), home.ctx(Actor::Anonymous));
        tries.spawn(async move { identity.sign_in(&ctx, NAME, &secret(PASSWORD), "").await });
    }
    let done = tries.join_all().await;
    assert!(done.iter().all(|end| matches!(end, Ok(Next::Factor { .. }))));
    let hashing = identity.hashing();
    println!(
        "{:.0} sign-ins a second (Argon2id, {} KiB, {} passes, {} at once)",
        TRIES as f64 / begun.elapsed().as_secs_f64(),
        hashing.memory_kib,
        hashing.passes,
        hashing.at_once
    );
}

/// Asks in turn for an unknown name, a wrong password, a locked name and a right password that needs a
/// factor, and compares each kind with the first.
async fn told_apart(home: &Home, grid: Duration, pairs: usize) -> f64 {
    let identity = open(home, grid);
    let locked = locked(home, grid).await;
    let mut times: [Vec<f64>; 4] = Default::default();
    for n in 0..pairs {
        times[0].push(timed(&identity, home, &format!("Nobody {n}"), GUESS).await);
        times[1].push(timed(&identity, home, NAME, GUESS).await);
        times[2].push(timed(&locked, home, NAME, GUESS).await);
        times[3].push(timed(&identity, home, NAME, PASSWORD).await);
    }
    let mut worst = 0.0_f64;
    for (kind, what) in ["unknown name", "wrong password", "locked", "factor needed"].into_iter().enumerate()
    {
        let apart = chance(&times[0], &times[kind]);
        worst = worst.max(apart);
        println!(
            "grid {:>3} ms, {what:<14}: median {:>7.2} ms; told from an unknown name {apart:.3} of the time ({pairs} pairs)",
            grid.as_millis(),
            median(&mut times[kind].clone()),
        );
    }
    worst
}

/// A room in which [`NAME`] has to wait. The clock of the store stands, so the wait does not end.
async fn locked(home: &Home, answer_grid: Duration) -> Identity {
    let identity = Identity::new(home.store.clone(), Config { answer_grid, ..Config::default() }).unwrap();
    loop {
        match identity.sign_in(&home.ctx(Actor::Anonymous), NAME, &secret(GUESS), "").await {
            Err(Error::Throttled { .. }) => return identity,
            Err(Error::Refused) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Milliseconds until the answer.
async fn timed(identity: &Identity, home: &Home, name: &str, password: &str) -> f64 {
    let ctx = home.ctx(Actor::Anonymous);
    let begun = Instant::now();
    let end = identity.sign_in(&ctx, name, &secret(password), "").await;
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    assert!(
        matches!(end, Err(Error::Refused | Error::Throttled { .. }) | Ok(Next::Factor { .. })),
        "{end:?}"
    );
    took
}

/// How often a watcher who sees one time of each kind names the right one (area under the ROC curve); half
/// a point for times that are the same to the millisecond, which is all a network lets anybody see.
fn chance(unknown: &[f64], wrong: &[f64]) -> f64 {
    let score = |u: f64, w: f64| match (w.round() - u.round()).total_cmp(&0.0) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let slower: f64 = wrong.iter().flat_map(|w| unknown.iter().map(move |u| score(*u, *w))).sum();
    let share = slower / (unknown.len() * wrong.len()) as f64;
    share.max(1.0 - share)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}
