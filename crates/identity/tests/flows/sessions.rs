//! Sessions: both ends, the list, ending them, and what is kept of their tokens.

use domain::{Actor, Denied, verifies};
use identity::{Error, Identity, Tokens};
use testkit::{Home, both_engines};

use crate::scene::{Owned, PASSWORD, ctx_of, secret, set_up, stranger, upkeep};

/// Whether these tokens still open the session. Pairs that follow are not kept, as by a browser that only
/// ever has its first refresh token.
async fn is_in(identity: &Identity, home: &Home, tokens: &Tokens) -> bool {
    identity.recognise_session(&stranger(home), tokens).await.unwrap().is_some()
}

/// The owner at a browser.
async fn browsing(home: &Home) -> (Owned, Browser) {
    let mut owned = set_up(home).await;
    let empty = Tokens { access: secret(""), refresh: secret("") };
    let tokens = std::mem::replace(&mut owned.done.session.tokens, empty);
    (owned, Browser(tokens))
}

/// A browser: it keeps the newest tokens it was given.
struct Browser(Tokens);

impl Browser {
    async fn is_in(&mut self, identity: &Identity, home: &Home) -> bool {
        let Some(known) = identity.recognise_session(&stranger(home), &self.0).await.unwrap() else {
            return false;
        };
        if let Some(renewed) = known.renewed {
            self.0 = renewed;
        }
        true
    }
}

both_engines!(a_session_ends_after_thirty_idle_minutes_and_not_while_it_is_used, |home| {
    let _proof = verifies!(SES01);
    let (owned, mut browser) = browsing(&home).await;
    for _ in 0..6 {
        home.clockwork.advance(29 * 60);
        assert!(browser.is_in(&owned.identity, &home).await);
    }
    home.clockwork.advance(30 * 60);
    assert!(!browser.is_in(&owned.identity, &home).await);
    // Having ended, it does not come back, not even with a clock that was set back a little.
    assert_eq!(owned.identity.sweep(&upkeep(&home)).await.unwrap(), 1);
    home.clockwork.advance(-10 * 60);
    assert!(!browser.is_in(&owned.identity, &home).await);
});

both_engines!(a_session_ends_after_twelve_hours_however_busy, |home| {
    let _proof = verifies!(SES02);
    let (owned, mut browser) = browsing(&home).await;
    for _ in 0..(12 * 3 - 1) {
        home.clockwork.advance(20 * 60);
        assert!(browser.is_in(&owned.identity, &home).await);
    }
    let known = owned.identity.recognise_session(&stranger(&home), &browser.0).await.unwrap().unwrap();
    assert!(known.idle_ends <= known.expires);
    home.clockwork.advance(20 * 60);
    assert!(!browser.is_in(&owned.identity, &home).await);
});

both_engines!(what_a_page_asks_by_itself_keeps_no_session_alive, |home| {
    let _proof = verifies!(SES01);
    let owned = set_up(&home).await;
    let (identity, ctx) = (&owned.identity, stranger(&home));
    let begun = home.clockwork.now();
    let (mut tokens, mut renewals) = (owned.done.session.tokens, 0);
    for _ in 0..9 {
        home.clockwork.advance(3 * 60);
        let known = identity.recognise_page(&ctx, &tokens).await.unwrap().unwrap();
        assert!(known.idle_ends <= begun.plus_seconds(30 * 60));
        if let Some(pair) = known.renewed {
            (tokens, renewals) = (pair, renewals + 1);
        }
    }
    assert!(renewals > 2, "tokens follow each other all the same");
    home.clockwork.advance(3 * 60);
    assert!(identity.recognise_page(&ctx, &tokens).await.unwrap().is_none());
});

both_engines!(reading_writes_at_most_once_a_minute, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let begun = owned.identity.sessions(&ctx).await.unwrap()[0].last_seen;
    home.clockwork.advance(59);
    assert!(is_in(&owned.identity, &home, &owned.done.session.tokens).await);
    assert_eq!(owned.identity.sessions(&ctx).await.unwrap()[0].last_seen, begun);
    home.clockwork.advance(2);
    assert!(is_in(&owned.identity, &home, &owned.done.session.tokens).await);
    let noted = owned.identity.sessions(&ctx).await.unwrap()[0].last_seen;
    assert!(noted > begun);
    assert!(is_in(&owned.identity, &home, &owned.done.session.tokens).await);
    assert_eq!(owned.identity.sessions(&ctx).await.unwrap()[0].last_seen, noted);
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
    assert!(!is_in(&owned.identity, &home, &second.tokens).await);
    assert!(matches!(owned.identity.end_session(&here, second.id).await, Err(Error::NotFound)));
    assert_eq!(owned.identity.end_other_sessions(&here).await.unwrap(), 1);
    assert!(!is_in(&owned.identity, &home, &third.tokens).await);
    assert!(is_in(&owned.identity, &home, &owned.done.session.tokens).await);
    owned.identity.sign_out(&here).await.unwrap();
    assert!(!is_in(&owned.identity, &home, &owned.done.session.tokens).await);
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
    assert!(is_in(&owned.identity, &home, &owned.done.session.tokens).await);
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
    assert!(is_in(&owned.identity, &home, &second.tokens).await);
    assert!(matches!(owned.identity.sweep(&stranger(&home)).await, Err(Error::Denied(_))));
});
