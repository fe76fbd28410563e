//! What a sign-in costs, and whether its time tells who exists:
//! `cargo run --release -p identity --example sign_in_times [PAIRS]`.
//!
//! Prints, for the default parameters of Argon2: sign-ins a second at full load; then, for pairs of
//! an unknown name and a wrong password in turn, the medians and how well a watcher could tell the
//! two apart by time alone (0.5 is a coin), without and with the time grid.

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

fn main() {
    let pairs = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100);
    testkit::run(async {
        let home = testkit::store().await;
        make_owner(&home).await;
        throughput(&home).await;
        for grid in [Duration::ZERO, Config::default().answer_grid] {
            told_apart(&home, grid, pairs).await;
        }
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

async fn told_apart(home: &Home, grid: Duration, pairs: usize) {
    let identity = open(home, grid);
    let (mut unknown, mut wrong) = (Vec::new(), Vec::new());
    for n in 0..pairs {
        unknown.push(refused(&identity, home, &format!("Nobody {n}")).await);
        wrong.push(refused(&identity, home, NAME).await);
    }
    println!(
        "grid {:>3} ms: unknown name {:.2} ms, wrong password {:.2} ms (medians of {pairs}); told apart {:.2}",
        grid.as_millis(),
        median(&mut unknown.clone()),
        median(&mut wrong.clone()),
        chance(&unknown, &wrong)
    );
}

/// Milliseconds until the refusal.
async fn refused(identity: &Identity, home: &Home, name: &str) -> f64 {
    let ctx = home.ctx(Actor::Anonymous);
    let begun = Instant::now();
    match identity.sign_in(&ctx, name, &secret("Wrong-Guess-11"), "").await {
        Err(Error::Refused) => begun.elapsed().as_secs_f64() * 1000.0,
        other => panic!("{other:?}"),
    }
}

/// How often a watcher who sees one time of each kind names the right one (area under the ROC curve).
fn chance(unknown: &[f64], wrong: &[f64]) -> f64 {
    let slower = wrong.iter().map(|w| unknown.iter().filter(|u| *u < w).count()).sum::<usize>() as f64;
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
