//! Personal API keys: shown once, kept as a hash, revoked at once.

use domain::{
    Action, Actor, Resource, Secret,
    access::{Rights, Role},
    audit::Act,
    authorize, verifies,
};
use identity::{API_KEY_PREFIX, Error, KeyState, KeyWish};
use testkit::both_engines;

use crate::scene::{PASSWORD, config, set_up, set_up_with, stranger};

both_engines!(a_key_is_shown_once_and_acts_for_its_person, |home| {
    let _proof = verifies!(KEY01);
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let key = owned.identity.create_api_key(&ctx, "  notebook ").await.unwrap();
    assert!(key.token.expose().starts_with(API_KEY_PREFIX));
    assert_eq!((key.token.expose().len(), key.label.as_str()), (55, "notebook"));
    assert!(!format!("{key:?}").contains(&key.token.expose()[6..]));
    let actor = owned.identity.recognise_api_key(&stranger(&home), key.token.expose()).await.unwrap();
    assert_eq!(
        actor,
        Some(Actor::ApiKey { user: owned.done.session.user, key: key.id, scopes: Role::User.rights() })
    );
    let listed = owned.identity.api_keys(&ctx).await.unwrap();
    assert_eq!(listed.len(), 1);
    // All that is kept of it is a hash and its first characters.
    assert_eq!(listed[0].prefix, key.token.expose()[..10]);
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.token.expose().as_bytes());
    let mut kept = [0; 32];
    kept.copy_from_slice(hash.as_ref());
    let permit = home.instance(domain::Job::Authentication, Action::Authenticate);
    let found = store::api_keys::by_hash(&home.store, &permit, kept).await.unwrap();
    assert_eq!(found.map(|found| (found.id, found.user)), Some((key.id, owned.done.session.user)));
});

both_engines!(a_revoked_key_is_refused_at_once, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let key = owned.identity.create_api_key(&ctx, "notebook").await.unwrap();
    let other = owned.identity.create_api_key(&ctx, "build server").await.unwrap();
    owned.identity.revoke_api_key(&ctx, key.id).await.unwrap();
    let recognise =
        async |token: &str| owned.identity.recognise_api_key(&stranger(&home), token).await.unwrap();
    assert_eq!(recognise(key.token.expose()).await, None);
    assert!(recognise(other.token.expose()).await.is_some());
    let again = owned.identity.revoke_api_key(&ctx, key.id).await;
    assert!(matches!(again, Err(Error::NotFound)), "{again:?}");
    for not in ["", "troth_", "Bearer x", &other.token.expose()[..54], &"x".repeat(1 << 16)] {
        assert_eq!(recognise(not).await, None);
    }
});

both_engines!(the_last_use_is_noted_once_a_minute, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let key = owned.identity.create_api_key(&ctx, "notebook").await.unwrap();
    let used = async || {
        owned.identity.recognise_api_key(&stranger(&home), key.token.expose()).await.unwrap().unwrap();
        owned.identity.api_keys(&ctx).await.unwrap()[0].last_used.unwrap()
    };
    assert_eq!(owned.identity.api_keys(&ctx).await.unwrap()[0].last_used, None);
    let first = used().await;
    assert_eq!(used().await, first);
    home.clockwork.advance(61);
    assert!(used().await > first);
});

#[test]
fn keys_have_labels_and_there_are_not_too_many() {
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        let ctx = owned.ctx(&home).await;
        for label in ["", "   ", "a\nb", &"x".repeat(61)] {
            let refused = owned.identity.create_api_key(&ctx, label).await;
            assert!(matches!(refused, Err(Error::Label)), "{refused:?}");
        }
        for n in 0..50 {
            owned.identity.create_api_key(&ctx, &format!("key {n}")).await.unwrap();
        }
        let refused = owned.identity.create_api_key(&ctx, "one more").await;
        assert!(matches!(refused, Err(Error::TooMany { most: 50, .. })), "{refused:?}");
        assert_eq!(owned.identity.api_keys(&ctx).await.unwrap()[0].label, "key 49");
    });
}

both_engines!(a_key_cannot_make_or_list_keys_nor_reach_another_persons, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let key = owned.identity.create_api_key(&ctx, "notebook").await.unwrap();
    let program = ctx.acting_as(Actor::ApiKey {
        user: owned.done.session.user,
        key: key.id,
        scopes: Role::User.rights(),
    });
    assert!(matches!(owned.identity.create_api_key(&program, "more").await, Err(Error::Denied(_))));
    assert!(matches!(owned.identity.api_keys(&program).await, Err(Error::Denied(_))));
    assert!(matches!(owned.identity.revoke_api_key(&program, key.id).await, Err(Error::Denied(_))));
    let other = home.owner("Grace").await;
    assert!(owned.identity.api_keys(&other.ctx).await.unwrap().is_empty());
    assert!(matches!(owned.identity.revoke_api_key(&other.ctx, key.id).await, Err(Error::NotFound)));
    let permit = home.instance(domain::Job::Checks, Action::ReadInstance);
    let records = store::audit::list(&home.store, &permit, 0, 100).await.unwrap();
    let made: Vec<_> = records.iter().filter(|r| r.act == Act::ApiKeyCreated.name()).collect();
    assert!(made.len() == 1 && made[0].target == key.id.to_string());
});

both_engines!(a_key_may_do_what_was_chosen_and_no_more_than_its_person, |home| {
    let _proof = verifies!(KEY02);
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let identity = &owned.identity;
    let wish = |scopes: Rights| KeyWish { scopes, ..KeyWish::from("narrow") };
    let embeds = Rights::NONE.with(Action::Embed);
    let key = identity.create_api_key(&ctx, wish(embeds)).await.unwrap();
    let actor = identity.recognise_api_key(&stranger(&home), key.token.expose()).await.unwrap().unwrap();
    let as_key = ctx.acting_as(actor);
    let own = Resource::Of(owned.done.session.user);
    assert!(authorize(&as_key, Action::Embed, own).is_ok());
    for action in Action::ALL.into_iter().filter(|action| *action != Action::Embed) {
        assert!(authorize(&as_key, action, own).is_err(), "{action:?}");
        assert!(authorize(&as_key, action, Resource::Instance).is_err(), "{action:?}");
    }
    for scopes in [Rights::NONE, embeds.with(Action::ReadChat), embeds.with(Action::ManagePeople)] {
        let refused = identity.create_api_key(&ctx, wish(scopes)).await;
        assert!(matches!(refused, Err(Error::Scopes)), "{refused:?}");
    }
    // Who may not ask models any more has no key that may.
    home.spoil("UPDATE accounts SET roles = 'auditor'").await;
    let actor = identity.recognise_api_key(&stranger(&home), key.token.expose()).await.unwrap().unwrap();
    assert!(matches!(actor, Actor::ApiKey { scopes, .. } if scopes.is_empty()));
});

both_engines!(a_key_ends_and_says_so_beforehand, |home| {
    let _proof = verifies!(KEY02);
    let mut settings = config();
    settings.numbers.api_key_max_days = 30;
    let owned = set_up_with(&home, settings).await;
    let ctx = owned.ctx(&home).await;
    let identity = &owned.identity;
    let days = |days: u32| KeyWish { days: Some(days), ..KeyWish::from("limited") };
    for wrong in [0, 31, u32::MAX] {
        let refused = identity.create_api_key(&ctx, days(wrong)).await;
        assert!(matches!(refused, Err(Error::Days { most: 30 })), "{refused:?}");
    }
    let key = identity.create_api_key(&ctx, days(20)).await.unwrap();
    let works = async || identity.recognise_api_key(&stranger(&home), key.token.expose()).await.unwrap();
    let state = async || identity.api_keys(&ctx).await.unwrap()[0].state;
    assert_eq!(state().await, KeyState::Good);
    home.clockwork.advance(7 * DAY);
    assert_eq!(state().await, KeyState::Ending);
    home.clockwork.advance(13 * DAY - 60);
    assert!(works().await.is_some());
    home.clockwork.advance(60);
    assert!(works().await.is_none());
    assert_eq!(state().await, KeyState::Ended);
    // A policy that became stricter counts for keys of before as well.
    home.spoil("UPDATE api_keys SET expires = 9000000000000000").await;
    assert!(works().await.is_some());
    home.clockwork.advance(10 * DAY);
    assert!(works().await.is_none());
});

both_engines!(a_key_is_replaced_with_an_overlap_and_an_unused_one_is_proposed, |home| {
    let _proof = verifies!(KEY02);
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let identity = &owned.identity;
    let works =
        async |token: &str| identity.recognise_api_key(&stranger(&home), token).await.unwrap().is_some();
    let old = identity.create_api_key(&ctx, "notebook").await.unwrap();
    let long = identity.rotate_api_key(&ctx, old.id, 7 * 24 + 1).await;
    assert!(matches!(long, Err(Error::Overlap { most_days: 7 })), "{long:?}");
    let new = identity.rotate_api_key(&ctx, old.id, 24).await.unwrap();
    assert_eq!(new.label, "notebook");
    let twice = identity.rotate_api_key(&ctx, old.id, 24).await;
    assert!(matches!(twice, Err(Error::NotFound)), "{twice:?}");
    assert!(works(old.token.expose()).await && works(new.token.expose()).await);
    let states: Vec<_> = identity.api_keys(&ctx).await.unwrap().iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Good, KeyState::Replaced]);
    home.clockwork.advance(DAY);
    assert!(!works(old.token.expose()).await && works(new.token.expose()).await);
    let stale = identity.rotate_api_key(&ctx, new.id, 0).await;
    assert!(matches!(stale, Err(Error::Denied(_))), "it takes a fresh confirmation: {stale:?}");
    let year = KeyWish { days: Some(365), ..KeyWish::from("forgotten") };
    let ctx = crate::scene::ctx_of(identity, &home, &owned.sign_in(&home, PASSWORD).await.unwrap()).await;
    identity.create_api_key(&ctx, year).await.unwrap();
    home.clockwork.advance(90 * DAY);
    assert_eq!(identity.api_keys(&ctx).await.unwrap()[0].state, KeyState::Unused);
});

both_engines!(keys_are_counted_together_and_those_that_ended_make_room, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let identity = &owned.identity;
    for n in 0..48 {
        identity.create_api_key(&ctx, &format!("key {n}")).await.unwrap();
    }
    // Many at once do not pass together.
    let mut many = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (identity, ctx) = (identity.clone(), ctx.clone());
        many.spawn(async move { identity.create_api_key(&ctx, &format!("more {n}")).await.is_ok() });
    }
    let made = many.join_all().await.into_iter().filter(|made| *made).count();
    assert_eq!((made, identity.api_keys(&ctx).await.unwrap().len()), (2, 50));
    let all = identity.api_keys(&ctx).await.unwrap();
    let full = identity.rotate_api_key(&ctx, all[0].id, 24).await;
    assert!(matches!(full, Err(Error::TooMany { most: 50, .. })), "no room beside the old one: {full:?}");
    assert_eq!(identity.api_keys(&ctx).await.unwrap()[0].state, KeyState::Good, "and nothing happened");
    identity.rotate_api_key(&ctx, all[0].id, 0).await.unwrap();
    let now = identity.api_keys(&ctx).await.unwrap();
    assert!(now.len() == 50 && now.iter().all(|key| key.id != all[0].id), "it ended, so it made room");
    // What ended long ago goes by itself.
    home.clockwork.advance(119 * DAY);
    identity.sweep(&crate::scene::upkeep(&home)).await.unwrap();
    assert_eq!(identity.api_keys(&ctx).await.unwrap().len(), 50, "its person still sees that they ended");
    home.clockwork.advance(2 * DAY);
    identity.sweep(&crate::scene::upkeep(&home)).await.unwrap();
    assert!(identity.api_keys(&ctx).await.unwrap().is_empty());
});

both_engines!(a_stream_of_a_key_ends_with_the_key_and_with_the_account, |home| {
    let _proof = verifies!(KEY02);
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let identity = &owned.identity;
    let days = KeyWish { days: Some(1), ..KeyWish::from("short") };
    let short = identity.create_api_key(&ctx, days).await.unwrap();
    let long = identity.create_api_key(&ctx, "long").await.unwrap();
    let as_key = async |token: &str| {
        stranger(&home).acting_as(identity.recognise_api_key(&stranger(&home), token).await.unwrap().unwrap())
    };
    let (short, long) = (as_key(short.token.expose()).await, as_key(long.token.expose()).await);
    let known = async |ctx| identity.is_still_known(ctx).await.unwrap();
    assert!(known(&short).await && known(&long).await);
    home.clockwork.advance(DAY);
    assert!(!known(&short).await && known(&long).await);
    home.spoil("UPDATE accounts SET active = 0").await;
    assert!(!known(&long).await);
});

const DAY: i64 = 24 * 3600;

both_engines!(a_key_holds_the_desks_calls_when_its_person_may_and_asks_for_it, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let holds = async |token: &Secret<String>| {
        let actor = owned.identity.recognise_api_key(&stranger(&home), token.expose()).await.unwrap();
        matches!(actor, Some(Actor::ApiKey { scopes, .. }) if scopes.has(Action::HoldDesk))
    };
    let usual = owned.identity.create_api_key(&ctx, "usual").await.unwrap();
    assert!(!holds(&usual.token).await, "nobody gets it who does not ask for it");
    let scopes = Rights::NONE.with(Action::Speech).with(Action::UseModel).with(Action::HoldDesk);
    let wish = || KeyWish { label: "the desk".to_owned(), scopes, days: None };
    let desks = owned.identity.create_api_key(&ctx, wish()).await.unwrap();
    assert!(holds(&desks.token).await);
    let bob = home.person("Bob").await;
    let refused = owned.identity.create_api_key(&bob.ctx, wish()).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    assert!(owned.identity.create_api_key(&bob.ctx, "usual").await.is_ok());
});
