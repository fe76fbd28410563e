//! What an instance does by itself: sweep, renew its certificate, ask its checks, answer its control socket.

use std::{fmt::Display, time::Duration};

use domain::Job;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::task::TaskTracker;

use super::{House, control};
use crate::mail::{self, Post};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The first checks let the start pass; then the trust page has something to show.
const SOON: Duration = Duration::from_secs(10);
/// How often it is looked whether a check is due; each check knows how often it wants to be asked.
const CHECKS: Duration = Duration::from_secs(15 * 60);

/// How soon an address kept out on one replica is kept out on all of them.
const ADDRESSES: Duration = Duration::from_secs(5);

/// Starts all of it; it ends with the instance's shutdown.
pub(super) fn start(house: &House, tasks: &TaskTracker, post: Option<Post>) {
    if let Some(post) = post {
        tasks.spawn(mail::serve(house.clone(), post));
    }
    tasks.spawn(every(house.clone(), HOUR, HOUR, clear));
    tasks.spawn(every(house.clone(), MINUTE, MINUTE, sweep));
    tasks.spawn(every(house.clone(), DAY, DAY, renew));
    tasks.spawn(every(house.clone(), SOON, CHECKS, ask_checks));
    tasks.spawn(every(house.clone(), ADDRESSES, ADDRESSES, look_at_addresses));
    let consents = Duration::from_secs(house.face.config.numbers.consent_seconds.max(1).into());
    tasks.spawn(every(house.clone(), consents, consents, look_at_consents));
    tasks.spawn(control::serve(house.clone()));
}

/// Does `work` again and again until the shutdown, for the first time after `first`.
async fn every<F: Future<Output = ()>>(
    house: House,
    first: Duration,
    period: Duration,
    work: fn(House) -> F,
) {
    let mut ticks = interval_at(Instant::now() + first, period);
    // After a suspended night one round is enough.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = house.shutdown.cancelled() => return,
            _ = ticks.tick() => work(house.clone()).await,
        }
    }
}

/// Every minute's chores.
pub(super) async fn sweep(house: House) {
    let ctx = house.outside.ctx(Job::Upkeep);
    let (identity, assistant) = (&house.identity, &house.assistant);
    assistant.sweep(ctx.now());
    house.store.forget_old_keys();
    told("ended sessions could not be cleared away", identity.sweep(&ctx).await);
    told("keys that sign no more could not be removed", identity.retire_keys(&ctx).await);
    told("wrong tries for unknown names could not be noted", identity.note_last_strangers(&ctx).await);
    told("old recoveries could not be ended", identity.end_old_recoveries(&ctx).await);
    told("grants and reviews could not be looked after", identity.keep_access(&ctx).await);
    told("ended address rules could not be cleared away", identity.sweep_address_rules(&ctx).await);
    told("old drafts could not be cleared away", assistant.sweep_drafts(&ctx).await);
    told("ends of calls could not be forgotten in time", assistant.sweep_ended_calls(&ctx).await);
    told("customers could not be forgotten in time", assistant.customers().sweep(&ctx).await);
}

/// Says in the log that a chore failed. Each is done by itself, so that none holds up the others.
fn told<T, E: Display>(what: &'static str, done: Result<T, E>) {
    if let Err(error) = done {
        tracing::warn!(%error, "{what}; the next round tries again");
    }
}

async fn look_at_addresses(house: House) {
    if let Err(error) = house.face.lists.refresh(&house.identity, &house.outside.ctx(Job::Upkeep)).await {
        tracing::warn!(%error, "the address rules could not be read; those read before hold on");
    }
}

/// What people took back at another replica ends here too.
async fn look_at_consents(house: House) {
    told("what people agree to could not be read again", house.privacy.look_again().await);
}

async fn clear(house: House) {
    let ctx = house.outside.ctx(Job::Upkeep);
    let swept = house.identity.sweep_accounts(&ctx).await;
    told("links and invitations that ended could not be cleared away", swept);
    told(
        "people could not be told that their password is due",
        house.identity.tell_passwords_due(&ctx).await,
    );
}

async fn renew(house: House) {
    let desk = house.desk.clone();
    let ctx = house.outside.ctx(Job::Upkeep);
    // It reads and writes files, so it must not hold up the others.
    match tokio::task::spawn_blocking(move || desk.certificate(&ctx)).await {
        Ok(Ok(issued)) => house.face.certificate.replace(issued.key),
        Ok(Err(error)) => tracing::error!(%error, "the server certificate could not be renewed"),
        Err(_) => tracing::error!("the renewal of the server certificate broke off"),
    }
}

async fn ask_checks(house: House) {
    let ctx = house.outside.ctx(Job::Checks);
    match house.assure.run_due(&ctx).await {
        Ok(Some(report)) if report.exit_code() != 0 => {
            tracing::error!("a promise that is built is not kept; `troth verify` says which");
        }
        Ok(_) => (),
        Err(error) => tracing::error!(%error, "the checks of the policy could not be asked"),
    }
}
