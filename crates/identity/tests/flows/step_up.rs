//! Step-up: what is dangerous takes a credential shown lately, in this very session.

use domain::{Action, Actor, Ctx, Missing, Resource, Secret, authorize, verifies};
use identity::{Error, Presented, Proof, Tokens, Ways};
use testkit::{Home, both_engines};

use crate::scene::{NAME, OTHER_PASSWORD, Owned, PASSWORD, config, ctx_of, secret, set_up_with, stranger};

/// An owner whose browser need not fetch another pair of tokens while it waits.
async fn set_up(home: &Home) -> Owned {
    let mut config = config();
    config.numbers.access_token_minutes = 60;
    set_up_with(home, config).await
}

fn missing(ctx: &Ctx) -> Option<Missing> {
    let user = ctx.actor.user().unwrap();
    authorize(ctx, Action::ManageCredentials, Resource::Of(user)).err().and_then(|no| no.missing)
}

/// The owner ten minutes later, as a request of the same session finds them.
async fn stale(owned: &mut Owned, home: &Home) -> Ctx {
    home.clockwork.advance(10 * 60);
    owned.browse(home).await
}

both_engines!(a_session_alone_cannot_change_what_opens_the_account, |home| {
    let _proof = verifies!(AUT08);
    let owned = set_up(&home).await;
    home.clockwork.advance(10 * 60 - 1);
    assert_eq!(missing(&owned.ctx(&home).await), None);
    home.clockwork.advance(1);
    let ctx = owned.ctx(&home).await;
    assert_eq!(missing(&ctx), Some(Missing::StepUp));
    let identity = &owned.identity;
    let step_up = |error: Error| matches!(error, Error::Denied(no) if no.missing == Some(Missing::StepUp));
    assert!(step_up(identity.create_api_key(&ctx, "a key").await.unwrap_err()));
    let changed = identity.change_password(&ctx, &secret(PASSWORD), &secret(OTHER_PASSWORD)).await;
    assert!(step_up(changed.unwrap_err()));
    assert!(step_up(identity.new_recovery_codes(&ctx, &owned.app.code(&home)).await.unwrap_err()));
    // Nothing of it happened, and what is no credential goes on.
    assert!(identity.api_keys(&ctx).await.unwrap().is_empty());
    assert_eq!(identity.end_other_sessions(&ctx).await.unwrap(), 0);
});

both_engines!(a_password_or_a_code_confirms_for_ten_minutes_and_this_session_alone, |home| {
    let _proof = verifies!(AUT08);
    let mut owned = set_up(&home).await;
    let other = owned.sign_in(&home, PASSWORD).await.unwrap();
    let proofs =
        [Proof::Password(secret(PASSWORD)), Proof::Code(secret(owned.done.recovery_codes[0].expose()))];
    for proof in proofs {
        let ctx = stale(&mut owned, &home).await;
        assert_eq!(missing(&ctx), Some(Missing::StepUp));
        owned.identity.confirm(&ctx, proof).await.unwrap();
        assert_eq!(missing(&owned.browse(&home).await), None);
        assert_eq!(missing(&ctx_of(&owned.identity, &home, &other).await), Some(Missing::StepUp));
    }
    let ctx = stale(&mut owned, &home).await;
    let code = owned.app.next_code(&home);
    owned.identity.confirm(&ctx, Proof::Code(secret(&code))).await.unwrap();
    let ctx = owned.browse(&home).await;
    owned.identity.create_api_key(&ctx, "a key").await.unwrap();
    // A code confirms once.
    let again = owned.identity.confirm(&ctx, Proof::Code(secret(&code))).await;
    assert!(matches!(again, Err(Error::Refused)), "{again:?}");
    assert_eq!(
        owned.identity.ways_to_confirm(&ctx).await.unwrap(),
        Ways { password: true, code: true, passkey: false }
    );
});

both_engines!(an_access_token_from_before_a_confirmation_gains_nothing_by_it, |home| {
    let _proof = verifies!(AUT08);
    let mut owned = set_up(&home).await;
    let ctx = stale(&mut owned, &home).await;
    let stolen = Secret::new(owned.done.session.tokens.access.expose().clone());
    let thief = async || {
        let alone = Presented { access: Some(&stolen), refresh: None };
        owned.identity.recognise_session(&stranger(&home), alone).await.unwrap()
    };
    assert!(thief().await.is_some(), "it is good for an hour here");
    owned.identity.confirm(&ctx, Proof::Password(secret(PASSWORD))).await.unwrap();
    assert!(thief().await.is_none());
    // The browser has a refresh token as well: it gets the next pair, also when it waits with that.
    home.clockwork.advance(5 * 60);
    assert_eq!(missing(&owned.browse(&home).await), None);
    assert_ne!(owned.done.session.tokens.access.expose(), stolen.expose());
    home.clockwork.advance(60);
    assert_eq!(missing(&owned.browse(&home).await), None, "and the session goes on");
});

both_engines!(a_confirmation_just_after_a_renewal_looks_like_no_thief, |home| {
    let mut owned = set_up(&home).await;
    let before = Tokens {
        access: Secret::new(owned.done.session.tokens.access.expose().clone()),
        refresh: Secret::new(owned.done.session.tokens.refresh.expose().clone()),
    };
    // Seen now and then, so that it is not idle too long.
    for _ in 0..3 {
        home.clockwork.advance(20 * 60);
        owned.browse(&home).await;
    }
    // Two tabs: the answer of one, with the next pair, is on its way while the other one confirms.
    let ctx = owned.browse(&home).await;
    owned.identity.confirm(&ctx, Proof::Password(secret(PASSWORD))).await.unwrap();
    let late = owned.identity.recognise_session(&stranger(&home), &before).await.unwrap();
    assert!(late.is_some(), "asked with the pair of before");
    assert_eq!(missing(&owned.browse(&home).await), None);
});

both_engines!(guessing_in_a_stolen_session_is_throttled_apart_from_the_sign_in, |home| {
    let mut owned = set_up(&home).await;
    let ctx = stale(&mut owned, &home).await;
    for _ in 0..5 {
        let wrong = owned.identity.confirm(&ctx, Proof::Password(secret("Wrong-Guess-11"))).await;
        assert!(matches!(wrong, Err(Error::Refused)), "{wrong:?}");
    }
    for proof in [Proof::Password(secret(PASSWORD)), Proof::Code(secret(&owned.app.code(&home)))] {
        let next = owned.identity.confirm(&ctx, proof).await;
        assert!(matches!(next, Err(Error::Throttled { .. })), "{next:?}");
    }
    // The count is the person's, over all of their sessions, and also on another replica.
    let other = crate::scene::open(&home).confirm(&ctx, Proof::Password(secret(PASSWORD))).await;
    assert!(matches!(other, Err(Error::Throttled { .. })), "{other:?}");
    // Neither side is kept out by the other.
    let sign_in = owned.identity.sign_in(&stranger(&home), NAME, &secret(PASSWORD), "").await;
    assert!(sign_in.is_ok(), "{sign_in:?}");
});

both_engines!(who_only_knows_a_name_keeps_nobody_from_confirming, |home| {
    let mut owned = set_up(&home).await;
    let ctx = stale(&mut owned, &home).await;
    let guess = async || {
        owned.identity.sign_in(&stranger(&home), NAME, &secret(OTHER_PASSWORD), "").await.unwrap_err()
    };
    while !matches!(guess().await, Error::Throttled { .. }) {}
    owned.identity.confirm(&ctx, Proof::Password(secret(PASSWORD))).await.unwrap();
    let ctx = owned.browse(&home).await;
    assert_eq!(missing(&ctx), None);
    owned.identity.new_recovery_codes(&ctx, &owned.app.next_code(&home)).await.unwrap();
});

both_engines!(only_a_person_in_a_session_that_lives_confirms, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let password = || Proof::Password(secret(PASSWORD));
    let nobody = owned.identity.confirm(&ctx.acting_as(Actor::Anonymous), password()).await;
    assert!(matches!(nobody, Err(Error::Denied(_))), "{nobody:?}");
    owned.identity.sign_out(&ctx).await.unwrap();
    let ended = owned.identity.confirm(&ctx, password()).await;
    assert!(matches!(ended, Err(Error::NotFound)), "{ended:?}");
});
