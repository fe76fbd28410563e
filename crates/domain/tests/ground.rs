//! Identifiers, times, circumstances and the marks of controls: what every room stands on.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::{
    Actor, Clock, Ctx, Entropy, Job, Timestamp,
    access::{Rights, Role, Roles, Standing},
    id::{ApiKeyId, ConversationId, NotAnId, SessionId, UserId},
    verifies,
};
use proptest::prelude::*;

/// A context whose clock stands and whose randomness counts upwards.
fn ctx_at(micros: i64) -> Ctx {
    let count = Arc::new(AtomicU64::new(0));
    let entropy = Entropy::new(move |buffer| {
        let next = count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (at, byte) in buffer.iter_mut().rev().enumerate() {
            *byte = next.iter().rev().nth(at).copied().unwrap_or(0);
        }
    });
    Ctx::new(Actor::Anonymous, Clock::new(move || Timestamp(micros)), entropy)
}

#[test]
fn identifiers_are_uuids_of_version_seven_ordered_by_time() {
    let earlier = ConversationId::fresh(&ctx_at(1_800_000_000_000_000));
    let later = ConversationId::fresh(&ctx_at(1_800_000_000_001_000));
    assert_eq!(earlier.0.get_version_num(), 7);
    assert!(earlier < later && earlier.to_string() < later.to_string());
}

#[test]
fn two_identifiers_of_one_moment_differ() {
    let ctx = ctx_at(1_800_000_000_000_000);
    assert_ne!(ConversationId::fresh(&ctx), ConversationId::fresh(&ctx));
    assert_ne!(ctx_at(0).random::<8>(), [9; 8]);
}

#[test]
fn an_identifier_is_read_in_its_one_spelling_only() {
    let id = UserId::fresh(&ctx_at(1_800_000_000_000_000));
    assert_eq!(id.to_string().parse(), Ok(id));
    let bare = id.to_string().replace('-', "");
    for not in ["", "x", &bare, &format!("{{{id}}}"), &format!("urn:uuid:{id}"), &format!("{id} ")] {
        assert_eq!(not.parse::<UserId>(), Err(NotAnId), "{not}");
    }
}

#[test]
fn a_clock_before_the_epoch_still_makes_identifiers() {
    assert_eq!(UserId::fresh(&ctx_at(-5)).0.get_version_num(), 7);
}

#[test]
fn actors_are_logged_without_their_names() {
    let user = UserId(uuid::Uuid::from_u128(1));
    let session = SessionId(uuid::Uuid::from_u128(2));
    let key = ApiKeyId(uuid::Uuid::from_u128(3));
    let person = Actor::Person { user, session, standing: Standing::default() };
    assert_eq!(person.audit_name(), format!("person:{user}"));
    assert_eq!(Actor::ApiKey { user, key, scopes: Rights::NONE }.audit_name(), format!("key:{key}"));
    assert_eq!(Actor::System(Job::Upkeep).audit_name(), "system:upkeep");
    assert_eq!(Actor::Anonymous.audit_name(), "anonymous");
    assert_eq!((person.user(), Actor::Anonymous.user()), (Some(user), None));
}

#[test]
fn acting_as_keeps_the_request_and_the_clock() {
    let before = ctx_at(42);
    let after = before.acting_as(Actor::System(Job::Checks));
    assert_eq!((before.request, before.now()), (after.request, after.now()));
    assert_eq!(after.actor, Actor::System(Job::Checks));
}

#[test]
fn roles_are_a_set() {
    assert!(!Roles::NONE.has(Role::Owner));
    let both: Roles = Role::ALL.into_iter().collect();
    assert!(Role::ALL.into_iter().all(|role| both.has(role)));
    assert_eq!(Roles::NONE.with(Role::User).with(Role::User), Roles::NONE.with(Role::User));
    assert!(!Roles::NONE.with(Role::User).has(Role::Owner));
}

#[test]
fn seconds_are_those_of_unix_time_also_before_the_epoch() {
    assert_eq!(Timestamp(1_999_999).seconds(), 1);
    assert_eq!(Timestamp(-1).seconds(), -1);
    assert_eq!(Timestamp(i64::MAX).plus_seconds(i64::MAX), Timestamp(i64::MAX));
}

#[test]
#[should_panic(expected = "was to be verified")]
fn a_proof_whose_line_never_ran_fails_its_test() {
    let _proof = verifies!(SUP01);
}

proptest! {
    #[test]
    fn moving_a_time_and_measuring_it_agree(at in -4_000_000_000_000_000_i64..4_000_000_000_000_000, by in -1_000_000_000_i64..1_000_000_000) {
        let start = Timestamp(at);
        prop_assert_eq!(start.plus_seconds(by).seconds_since(start), by);
    }

    #[test]
    fn hostile_text_is_no_identifier(text in "\\PC{0,50}") {
        if let Ok(id) = text.parse::<UserId>() {
            prop_assert_eq!(id.to_string(), text.to_lowercase());
        }
    }
}
