//! E-mail: takes what is due from the outbox, words it, and hands it to the one mail server.
//!
//! Started with the instance when `[mail]` names a server. Invariants: a mail is due again before it is
//! tried, so a crash repeats it and never loses it, and its Message-ID is the same each time; what left or
//! was given up is forgotten down to its kind; nothing of a mail reaches the log.

mod post;
mod words;

use std::time::Duration;

use domain::{
    Action, Ctx, Job, Permit, Resource, Timestamp,
    audit::{Act, Entry},
    authorize,
};
use store::outbox::{self, Due, State};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use crate::instance::House;

pub(crate) use post::{Outcome, Post};

/// How often it is looked whether a mail is due.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Mails taken at once.
const BATCH: u32 = 10;
/// Longest one mail may take; the mail server's own patience lies within.
const ONE_MAIL: Duration = Duration::from_secs(60);
/// How long a mail on its way may still take when the instance ends.
const LAST_MAIL: Duration = Duration::from_secs(3);
/// Seconds from the first try to the second; each further wait is twice as long.
const FIRST_WAIT_S: i64 = 30;
/// Longest wait between two tries, in seconds.
const LONGEST_WAIT_S: i64 = 2 * 60 * 60;

/// Sends until the shutdown.
pub(crate) async fn serve(house: House, post: Post) {
    let mut ticks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = house.shutdown.cancelled() => return,
            _ = ticks.tick() => {
                if let Err(error) = round(&house, &post).await {
                    tracing::warn!(%error, "waiting e-mail could not be looked at; the next round tries again");
                }
            }
        }
    }
}

/// Tries what is due, one after the other, until nothing is or the instance ends.
async fn round(house: &House, post: &Post) -> Result<(), store::Error> {
    let ctx = house.outside.ctx(Job::Mail);
    let permit = authorize(&ctx, Action::ReadAccount, Resource::Instance)?;
    while outbox::is_due(&house.store, &permit, ctx.now()).await? {
        let taken = take(house, &ctx, &permit).await?;
        if taken.is_empty() {
            return Ok(());
        }
        for due in taken {
            if house.shutdown.is_cancelled() {
                return Ok(());
            }
            let Some(outcome) = deliver(house, post, &due).await else { return Ok(()) };
            note(house, &ctx, &permit, &due, outcome).await?;
        }
    }
    Ok(())
}

async fn take(house: &House, ctx: &Ctx, permit: &Permit) -> Result<Vec<Due>, store::Error> {
    let mut tx = house.store.begin(ctx).await?;
    let taken = outbox::take_due(&mut tx, permit, BATCH, |tries| again(ctx, tries)).await?;
    if !taken.is_empty() {
        let target = if let [one] = &*taken { one.id.to_string() } else { String::new() };
        tx.commit(Entry::new(Act::MailTried, target).times(taken.len())).await?;
    }
    Ok(taken)
}

/// Hands one mail over; `None` when the instance ended before it was clear how it went.
async fn deliver(house: &House, post: &Post, due: &Due) -> Option<Outcome> {
    if due.is_over(house.outside.ctx(Job::Mail).now()) {
        return Some(Outcome::Refused("the code in it is not good any more".to_owned()));
    }
    let Some(letter) = &due.letter else {
        return Some(Outcome::Refused("it could not be opened any more".to_owned()));
    };
    let sending = timeout(ONE_MAIL, post.send(due.id, due.created, letter));
    let patience = async {
        house.shutdown.cancelled().await;
        tokio::time::sleep(LAST_MAIL).await;
    };
    tokio::select! {
        sent = sending => Some(sent.unwrap_or_else(|_| Outcome::Later("the mail server took too long".to_owned()))),
        () = patience => None,
    }
}

/// Writes down how a try went.
async fn note(
    house: &House,
    ctx: &Ctx,
    permit: &Permit,
    due: &Due,
    outcome: Outcome,
) -> Result<(), store::Error> {
    let hours = i64::from(house.face.config.numbers.mail_hours);
    let is_over = ctx.now() >= due.created.plus_seconds(hours * 60 * 60);
    let mut tx = house.store.begin(ctx).await?;
    let (written, act) = match outcome {
        Outcome::Sent => (outbox::finish(&mut tx, permit, due.id, State::Sent, "").await, Act::MailSent),
        Outcome::Refused(why) => {
            (outbox::finish(&mut tx, permit, due.id, State::Failed, &why).await, Act::MailFailed)
        }
        Outcome::Later(why) if is_over => {
            (outbox::finish(&mut tx, permit, due.id, State::Failed, &why).await, Act::MailFailed)
        }
        Outcome::Later(why) => {
            tracing::warn!(tries = due.tries, %why, "an e-mail could not be sent; it will be tried again");
            (outbox::put_off(&mut tx, permit, due.id, &why).await, Act::MailPutOff)
        }
    };
    match written {
        Ok(()) => tx.commit(Entry::new(act, due.id)).await,
        // It went with its account while it was on its way.
        Err(store::Error::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// When a mail that was tried `tries` times is due again: twice as late each time, a quarter sooner or
/// later, so that a mail server that comes back does not meet all of them at once.
fn again(ctx: &Ctx, tries: u32) -> Timestamp {
    let doubled = FIRST_WAIT_S.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_WAIT_S);
    let jitter = i64::from(u16::from_be_bytes(ctx.random::<2>())) * doubled / 2 / i64::from(u16::MAX);
    ctx.now().plus_seconds(doubled * 3 / 4 + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outside;

    #[test]
    fn waits_double_within_a_quarter_and_end_at_two_hours() {
        let ctx = Outside::real().ctx(Job::Mail);
        for (tries, doubled) in [(1, 30), (2, 60), (3, 120), (9, 7_200), (100, 7_200)] {
            for _ in 0..50 {
                let wait = again(&ctx, tries).seconds_since(ctx.now());
                assert!((doubled * 3 / 4 - 1..=doubled * 5 / 4 + 1).contains(&wait), "{tries}: {wait}");
            }
        }
    }
}
