//! Checks of what lies in the store: looked at from below, as somebody with the disk would.

use domain::{
    Action, Control, Ctx, Resource,
    audit::{Act, Entry},
    authorize,
    check::Finding,
    control::Numbers,
};
use store::{
    Store,
    probe::{self, Link},
};

use super::{DAILY, HOURLY, may_look};
use crate::{Check, Unanswered};

/// How every SQLite file begins that is not encrypted.
const SQLITE_HEADER: &[u8] = b"SQLite format 3";
/// How much of a file is looked at.
const LOOKED_AT: usize = 4096;
/// Fewest bits of entropy in a byte of that; an encrypted page has 7.9, a plain one seldom 6.
const LEAST_ENTROPY: f64 = 7.5;

pub(super) fn all(store: &Store, numbers: &Numbers) -> Vec<Check> {
    let key_days = KeyDays { life: numbers.api_key_max_days, overlap: numbers.api_key_overlap_days };
    let token_days = numbers.signing_key_days;
    let check = |control, every, ask: fn(Ctx, Store) -> Answer| {
        let store = store.clone();
        Check::new(control, every, move |ctx| ask(ctx, store.clone()))
    };
    vec![
        check(Control::CRY01, HOURLY, |ctx, store| Box::pin(values_are_sealed(ctx, store))),
        check(Control::CRY02, HOURLY, |ctx, store| Box::pin(files_are_encrypted(ctx, store))),
        check(Control::CRY03, HOURLY, |ctx, store| Box::pin(keys_are_wrapped(ctx, store))),
        check(Control::AUD01, HOURLY, |ctx, store| Box::pin(writes_leave_entries(ctx, store))),
        check(Control::AUD02, HOURLY, |ctx, store| Box::pin(the_chain_verifies(ctx, store))),
        check(Control::STO01, DAILY, |ctx, store| Box::pin(the_link_is_safe(ctx, store))),
        Check::new(Control::KEY02, DAILY, {
            let store = store.clone();
            move |ctx| keys_are_limited(ctx, store.clone(), key_days)
        }),
        Check::new(Control::SES08, DAILY, {
            let store = store.clone();
            move |ctx| token_keys_go(ctx, store.clone(), token_days)
        }),
    ]
}

type Answer = std::pin::Pin<Box<dyn Future<Output = Result<Finding, Unanswered>> + Send>>;

async fn values_are_sealed(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let permit = may_look(&ctx)?;
    let sealed = probe::sealed_values(&store, &permit).await?;
    let finding = if sealed.bare > 0 {
        Finding::not_satisfied(
            Control::CRY01,
            ctx.now(),
            "Some rows are not sealed under their person's key.",
        )
    } else if !probe::opens_only_in_place(&store, &permit, &ctx)? {
        Finding::not_satisfied(
            Control::CRY01,
            ctx.now(),
            "A sealed value opens in a place that is not its own.",
        )
    } else {
        Finding::satisfied(Control::CRY01, ctx.now(), "Every row looked at is sealed under its person's key.")
    };
    Ok(finding.fact("rows looked at", sealed.looked_at).fact("not sealed", sealed.bare))
}

async fn files_are_encrypted(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let permit = may_look(&ctx)?;
    let raw = tokio::task::spawn_blocking(move || probe::raw_files(&store, &permit, LOOKED_AT)).await??;
    let Some(files) = raw else {
        let why = "PostgreSQL keeps the rows; encrypting its disk is up to its operator.";
        return Ok(Finding::not_applicable(Control::CRY02, ctx.now(), why));
    };
    let least = files.iter().map(|file| entropy(file)).fold(f64::INFINITY, f64::min);
    let plain = files.iter().any(|file| file.starts_with(SQLITE_HEADER));
    let finding = if files.is_empty() {
        Finding::not_satisfied(Control::CRY02, ctx.now(), "The database file is not where it should be.")
    } else if plain || least < LEAST_ENTROPY {
        Finding::not_satisfied(Control::CRY02, ctx.now(), "The database file can be read without its key.")
    } else {
        Finding::satisfied(
            Control::CRY02,
            ctx.now(),
            "The database file and its journal are unreadable on disk.",
        )
    };
    Ok(finding.fact("files", files.len()).fact("bits per byte", format!("{least:.2}")))
}

async fn keys_are_wrapped(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let keys = probe::wrapped_keys(&store, &may_look(&ctx)?).await?;
    let finding = if keys.bare == 0 && keys.looked_at > 0 {
        Finding::satisfied(
            Control::CRY03,
            ctx.now(),
            "Every data key looked at is wrapped under the root key.",
        )
    } else {
        Finding::not_satisfied(Control::CRY03, ctx.now(), "A data key is not wrapped under this root key.")
    };
    Ok(finding.fact("keys looked at", keys.looked_at).fact("not wrapped", keys.bare))
}

/// Writes, and looks whether the log grew by what was written.
async fn writes_leave_entries(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let permit = authorize(&ctx, Action::WriteInstance, Resource::Instance)?;
    let before = probe::last_audit_entry(&store, &may_look(&ctx)?).await?;
    let mut tx = store.begin(&ctx).await?;
    store::settings::set(&mut tx, &permit, PROBED_AT, &ctx.now().0.to_string()).await?;
    let entry = Entry::new(Act::Probed, ctx.request);
    let target = entry.target.clone();
    tx.commit(entry).await?;
    let after = store::audit::list(&store, &may_look(&ctx)?, before, PAGE).await?;
    Ok(if after.iter().any(|record| record.target == target) {
        Finding::satisfied(Control::AUD01, ctx.now(), "A write made just now is in the audit log.")
    } else {
        Finding::not_satisfied(
            Control::AUD01,
            ctx.now(),
            "A write made just now is missing from the audit log.",
        )
    })
}

/// The setting the probe of [`writes_leave_entries`] writes.
const PROBED_AT: &str = "assure.probed-at";
/// Entries read at once after the probe; other writers may have come between.
const PAGE: u32 = 1000;

async fn the_chain_verifies(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let chain = store.verify_chain().await?;
    let finding = match &chain.broken {
        None => Finding::satisfied(Control::AUD02, ctx.now(), "Every audit entry is as it was written."),
        Some(broken) => {
            let why = format!("The audit log was changed at entry {}: {}.", broken.seq, broken.why);
            Finding::not_satisfied(Control::AUD02, ctx.now(), why)
        }
    };
    Ok(finding.fact("entries", chain.entries))
}

async fn the_link_is_safe(ctx: Ctx, store: Store) -> Result<Finding, Unanswered> {
    let (control, now) = (Control::STO01, ctx.now());
    Ok(match probe::link(&store, &may_look(&ctx)?).await? {
        Link::Local => {
            Finding::not_applicable(control, now, "The database is on this machine; no network lies between.")
        }
        Link::Encrypted => Finding::satisfied(control, now, "The connection to the database is inside TLS."),
        Link::Clear => Finding::not_satisfied(
            control,
            now,
            "The connection to the database crosses a network in the clear.",
        ),
    })
}

/// The days an API key may last, and those it may go on beside its successor.
#[derive(Clone, Copy)]
struct KeyDays {
    life: u32,
    overlap: u32,
}

async fn keys_are_limited(ctx: Ctx, store: Store, days: KeyDays) -> Result<Finding, Unanswered> {
    let seconds = |days: u32| i64::from(days) * 24 * 3600;
    let keys = probe::api_keys(&store, &may_look(&ctx)?, seconds(days.life), seconds(days.overlap)).await?;
    let wrong = if keys.endless > 0 {
        Some("Some API keys were made for longer than the policy allows; they are refused from then on.")
    } else if keys.unbounded > 0 {
        Some("Some API keys may do nothing, or more than a key can carry.")
    } else if keys.overlapping > 0 {
        Some("Some API keys go on beside their successors for longer than the policy allows.")
    } else {
        None
    };
    let held = "Every API key has scopes of its own and an end, also beside its successor, within what the policy allows.";
    let finding = match wrong {
        None => Finding::satisfied(Control::KEY02, ctx.now(), held),
        Some(why) => Finding::not_satisfied(Control::KEY02, ctx.now(), why),
    };
    let facts = finding.fact("keys", keys.looked_at).fact("too long", keys.endless);
    Ok(facts.fact("unbounded", keys.unbounded).fact("beside a successor for too long", keys.overlapping))
}

async fn token_keys_go(ctx: Ctx, store: Store, days: u32) -> Result<Finding, Unanswered> {
    let made = probe::token_keys(&store, &may_look(&ctx)?).await?;
    // The newest may be older when nobody signed in for long; the next sign-in replaces it. The others are
    // removed a day after their successor was due, by a sweep that runs every minute.
    let oldest = ctx.now().plus_seconds(-(i64::from(days) + 1) * 24 * 3600 - 3600);
    // Every token is signed with the newest key there is, so none was made when that was too old to sign.
    let last = probe::last_token(&store, &may_look(&ctx)?).await?;
    let replaced = match (last, made.first()) {
        (Some(last), Some(newest)) => last <= newest.plus_seconds(i64::from(days) * 24 * 3600),
        (Some(_), None) => false,
        (None, _) => true,
    };
    let finding = if !replaced {
        let why = "Tokens were signed with a key that should have been replaced before.";
        Finding::not_satisfied(Control::SES08, ctx.now(), why)
    } else if made.iter().skip(1).all(|made| *made >= oldest) {
        Finding::satisfied(Control::SES08, ctx.now(), "No key that signs tokens is kept past its time.")
    } else {
        Finding::not_satisfied(Control::SES08, ctx.now(), "A key that signed tokens was not removed in time.")
    };
    Ok(finding.fact("keys", made.len()))
}

/// Shannon entropy in bits per byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = bytes.len() as f64;
    let share = |count: &u32| f64::from(*count) / total;
    -counts.iter().filter(|count| **count > 0).map(share).map(|p| p * p.log2()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_tells_noise_from_text() {
        let noise: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert!(entropy(&noise) > LEAST_ENTROPY);
        let text = "A line of plain text, as a database page would hold it.".repeat(70);
        assert!(entropy(text.as_bytes()) < 5.0);
    }
}
