//! Sessions: both ends, the list, ending them, and what is kept of their tokens.

use domain::{Actor, Denied, verifies};
use identity::{Error, Identity};
use testkit::{Home, both_engines};

use crate::scene::{PASSWORD, ctx_of, set_up, stranger, upkeep};

async fn is_in(identity: &Identity, home: &Home, token: &str) -> bool {
    identity.recognise_session(&stranger(home), token).await.unwrap().is_some()
}

both_engines!(a_session_ends_after_thirty_idle_minutes_and_not_while_it_is_used, |home| {
    let _proof = verifies!(SES01);
    let owned = set_up(&home).await;
    let token = owned.done.session.token.expose();
    for _ in 0..6 {
        home.clockwork.advance(29 * 60);
        assert!(is_in(&owned.identity, &home, token).await);
    }
    home.clockwork.advance(30 * 60);
    assert!(!is_in(&owned.identity, &home, token).await);
    // Having ended, it does not come back, not even with a clock that was set back a little.
    assert_eq!(owned.identity.sweep(&upkeep(&home)).await.unwrap(), 1);
    home.clockwork.advance(-10 * 60);
    assert!(!is_in(&owned.identity, &home, token).await);
});

both_engines!(a_session_ends_after_twelve_hours_however_busy, |home| {
    let _proof = verifies!(SES02);
    let owned = set_up(&home).await;
    let token = owned.done.session.token.expose();
    for _ in 0..(12 * 3 - 1) {
        home.clockwork.advance(20 * 60);
        assert!(is_in(&owned.identity, &home, token).await);
    }
    let known = owned.identity.recognise_session(&stranger(&home), token).await.unwrap().unwrap();
    assert!(known.idle_ends <= known.expires);
    home.clockwork.advance(20 * 60);
    assert!(!is_in(&owned.identity, &home, token).await);
});

both_engines!(reading_writes_at_most_once_a_minute, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let begun = owned.identity.sessions(&ctx).await.unwrap()[0].last_seen;
    home.clockwork.advance(59);
    assert!(is_in(&owned.identity, &home, owned.done.session.token.expose()).await);
    assert_eq!(owned.identity.sessions(&ctx).await.unwrap()[0].last_seen, begun);
    home.clockwork.advance(2);
    assert!(is_in(&owned.identity, &home, owned.done.session.token.expose()).await);
    let noted = owned.identity.sessions(&ctx).await.unwrap()[0].last_seen;
    assert!(noted > begun);
    assert!(is_in(&owned.identity, &home, owned.done.session.token.expose()).await);
    assert_eq!(owned.identity.sessions(&ctx).await.unwrap()[0].last_seen, noted);
});

both_engines!(only_a_hash_of_the_token_is_kept, |home| {
    let _proof = verifies!(SES03);
    let owned = set_up(&home).await;
    let token = owned.done.session.token.expose();
    assert_eq!(token.len(), 43);
    let kept = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    let permit = home.instance(domain::Job::Authentication, domain::Action::Authenticate);
    let mut hash = [0; 32];
    hash.copy_from_slice(kept.as_ref());
    let found = store::sessions::by_token(&home.store, &permit, hash).await.unwrap();
    assert_eq!(found.map(|(session, _)| session.id), Some(owned.done.session.id));
    // The hash itself opens nothing.
    assert!(!is_in(&owned.identity, &home, &hex::encode(hash)).await);
    for not in ["", "x", &token[1..], &token.to_lowercase(), &format!("{token}=")] {
        assert!(!is_in(&owned.identity, &home, not).await, "{not}");
    }
});

both_engines!(a_person_sees_and_ends_their_own_sessions, |home| {
    let owned = set_up(&home).await;
    let here = owned.ctx(&home).await;
    let second = owned.sign_in(&home, PASSWORD).await.unwrap();
    let third = owned.sign_in(&home, PASSWORD).await.unwrap();
    let listed = owned.identity.sessions(&here).await.unwrap();
    assert_eq!(listed.iter().map(|s| s.id).collect::<Vec<_>>(), [third.id, second.id, owned.done.session.id]);
    assert_eq!(listed.iter().map(|s| s.current).collect::<Vec<_>>(), [false, false, true]);
    owned.identity.end_session(&here, second.id).await.unwrap();
    assert!(!is_in(&owned.identity, &home, second.token.expose()).await);
    assert!(matches!(owned.identity.end_session(&here, second.id).await, Err(Error::NotFound)));
    assert_eq!(owned.identity.end_other_sessions(&here).await.unwrap(), 1);
    assert!(!is_in(&owned.identity, &home, third.token.expose()).await);
    assert!(is_in(&owned.identity, &home, owned.done.session.token.expose()).await);
    owned.identity.sign_out(&here).await.unwrap();
    assert!(!is_in(&owned.identity, &home, owned.done.session.token.expose()).await);
    // Signing out twice, as from two tabs, is no error.
    owned.identity.sign_out(&here).await.unwrap();
});

both_engines!(nobody_reaches_another_persons_sessions, |home| {
    let _proof = verifies!(ACC02);
    let owned = set_up(&home).await;
    let other = home.owner("Grace").await;
    assert!(owned.identity.sessions(&other.ctx).await.unwrap().is_empty());
    let end = owned.identity.end_session(&other.ctx, owned.done.session.id).await;
    assert!(matches!(end, Err(Error::NotFound)), "{end:?}");
    assert_eq!(owned.identity.end_other_sessions(&other.ctx).await.unwrap(), 0);
    assert!(is_in(&owned.identity, &home, owned.done.session.token.expose()).await);
});

#[test]
fn strangers_and_programs_have_no_sessions() {
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        let identity = &owned.identity;
        let person = ctx_of(identity, &home, &owned.done.session).await;
        let key = identity.create_api_key(&person, "a key").await.unwrap();
        let actor = identity.recognise_api_key(&stranger(&home), key.token.expose()).await.unwrap().unwrap();
        for ctx in [stranger(&home), person.acting_as(actor), person.acting_as(Actor::Anonymous)] {
            assert!(matches!(identity.sessions(&ctx).await, Err(Error::Denied(Denied { .. }))));
            assert!(matches!(identity.sign_out(&ctx).await, Err(Error::Denied(_))));
            assert!(matches!(identity.account(&ctx).await, Err(Error::Denied(_))));
        }
    });
}

both_engines!(the_sweep_takes_what_has_ended_and_leaves_the_rest, |home| {
    let owned = set_up(&home).await;
    home.clockwork.advance(20 * 60);
    let second = owned.sign_in(&home, PASSWORD).await.unwrap();
    home.clockwork.advance(15 * 60);
    assert_eq!(owned.identity.sweep(&upkeep(&home)).await.unwrap(), 1);
    assert_eq!(owned.identity.sweep(&upkeep(&home)).await.unwrap(), 0);
    assert!(is_in(&owned.identity, &home, second.token.expose()).await);
    assert!(matches!(owned.identity.sweep(&stranger(&home)).await, Err(Error::Denied(_))));
});
