//! Accounts, credentials, sessions and API keys.

use std::net::{IpAddr, Ipv4Addr};

use domain::{
    Action, Actor, Denied, Job, Resource,
    access::{Rights, Role, Roles},
    authorize,
    id::{ApiKeyId, PasskeyId, SessionId, UserId},
};
use store::{
    Error,
    accounts::{self, Settings},
    api_keys::{self, Making},
    credentials,
    notices::{self, Notice},
    passkeys::{self, NewPasskey},
    sessions::{self, Beginning, Seen},
};
use testkit::{Home, both_engines};

use crate::{entry, later};

both_engines!(accounts_are_found_by_name_in_any_spelling, |home| {
    let ada = home.owner("Ada Lovelace").await;
    assert_eq!(accounts::count(&home.store).await.unwrap(), 1);
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let found =
        accounts::find(&home.store, &authenticate, "  ada LOVELACE").await.unwrap().expect("an account");
    assert_eq!((found.id, found.name.as_str(), found.active), (ada.id, "Ada Lovelace", true));
    assert!(found.roles.has(Role::Owner) && found.roles.has(Role::User));
    assert_eq!(accounts::find(&home.store, &authenticate, "Grace").await.unwrap(), None);
    assert_eq!(accounts::get(&home.store, &ada.permit(Action::ReadAccount)).await.unwrap(), found);

    let wrong = accounts::find(&home.store, &ada.permit(Action::ReadAccount), "Ada Lovelace").await;
    assert!(matches!(wrong, Err(Error::Denied(Denied { .. }))), "{wrong:?}");
});

both_engines!(a_name_belongs_to_one_account_only, |home| {
    home.person("Ada").await;
    let setup = home.ctx(Actor::System(Job::Setup));
    let id = UserId::fresh(&setup);
    let permit = authorize(&setup, Action::WriteAccount, Resource::Of(id)).unwrap();
    let mut tx = home.store.begin(&setup).await.unwrap();
    let taken = accounts::create(&mut tx, &permit, id, "ADA", Roles::NONE).await;
    assert!(matches!(taken, Err(Error::Conflict)), "{taken:?}");
    drop(tx);
    let mut tx = home.store.begin(&setup).await.unwrap();
    let other = accounts::create(&mut tx, &permit, UserId::fresh(&setup), "Grace", Roles::NONE).await;
    assert!(matches!(other, Err(Error::NotFound)), "{other:?}");
    drop(tx);
    assert_eq!(accounts::count(&home.store).await.unwrap(), 1);
});

both_engines!(settings_are_kept_over_a_restart, |home| {
    let ada = home.person("Ada").await;
    let chosen = Settings { language: "hi".into(), theme: "dark".into(), model: Some("scripted".into()) };
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    accounts::save_settings(&mut tx, &ada.permit(Action::WriteAccount), &chosen).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let home = home.reopen().await;
    let account = accounts::get(&home.store, &ada.permit(Action::ReadAccount)).await.unwrap();
    assert_eq!(account.settings, chosen);
});

both_engines!(passwords_keep_their_past, |home| {
    let ada = home.person("Ada").await;
    let (read, write) = (ada.permit(Action::ReadAccount), ada.permit(Action::WriteAccount));
    assert!(credentials::password(&home.store, &read).await.unwrap().is_none());
    for verifier in ["$argon2id$one", "$argon2id$two", "$argon2id$three"] {
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        credentials::set_password(&mut tx, &write, verifier, home.clockwork.now()).await.unwrap();
        tx.commit(entry()).await.unwrap();
    }
    let password = credentials::password(&home.store, &read).await.unwrap().expect("a password");
    assert_eq!(password.verifier, "$argon2id$three");
    assert!(!format!("{password:?}").contains("argon2id"));
    let earlier = credentials::earlier_passwords(&home.store, &read, 2).await.unwrap();
    assert_eq!(earlier, ["$argon2id$three", "$argon2id$two"]);
});

both_engines!(a_totp_step_is_used_once, |home| {
    let ada = home.person("Ada").await;
    let (read, write) = (ada.permit(Action::ReadAccount), ada.permit(Action::WriteAccount));
    assert!(credentials::totp(&home.store, &read).await.unwrap().is_none());
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert!(!credentials::use_totp_step(&mut tx, &write, 1).await.unwrap(), "there is no factor yet");
    credentials::set_totp(&mut tx, &write, b"twenty secret bytes!", true).await.unwrap();
    assert!(credentials::use_totp_step(&mut tx, &write, 56).await.unwrap());
    assert!(!credentials::use_totp_step(&mut tx, &write, 56).await.unwrap());
    assert!(!credentials::use_totp_step(&mut tx, &write, 55).await.unwrap());
    assert!(credentials::use_totp_step(&mut tx, &write, 57).await.unwrap());
    tx.commit(entry()).await.unwrap();
    let totp = credentials::totp(&home.store, &read).await.unwrap().expect("a factor");
    assert_eq!(
        (totp.secret.as_slice(), totp.last_step, totp.confirmed),
        (&b"twenty secret bytes!"[..], 57, true)
    );
});

both_engines!(a_recovery_code_is_used_once, |home| {
    let ada = home.person("Ada").await;
    let (read, write) = (ada.permit(Action::ReadAccount), ada.permit(Action::WriteAccount));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    credentials::set_recovery_codes(&mut tx, &write, &[[1; 32], [2; 32]]).await.unwrap();
    credentials::set_recovery_codes(&mut tx, &write, &[[3; 32], [4; 32], [5; 32]]).await.unwrap();
    assert!(!credentials::use_recovery_code(&mut tx, &write, &[1; 32]).await.unwrap(), "it was replaced");
    assert!(credentials::use_recovery_code(&mut tx, &write, &[4; 32]).await.unwrap());
    assert!(!credentials::use_recovery_code(&mut tx, &write, &[4; 32]).await.unwrap());
    tx.commit(entry()).await.unwrap();
    assert_eq!(credentials::recovery_codes_left(&home.store, &read).await.unwrap(), 2);
});

both_engines!(failures_are_counted_and_forgotten, |home| {
    let ada = home.person("Ada").await;
    let (read, write) = (ada.permit(Action::ReadAccount), ada.permit(Action::WriteAccount));
    assert_eq!(credentials::failures(&home.store, &read).await.unwrap().0, 0);
    let moment = later(&home, 10);
    for _ in 0..3 {
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        credentials::record_failure(&mut tx, &write, moment).await.unwrap();
        tx.commit(entry()).await.unwrap();
    }
    assert_eq!(credentials::failures(&home.store, &read).await.unwrap(), (3, moment));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    credentials::clear_failures(&mut tx, &write).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(credentials::failures(&home.store, &read).await.unwrap().0, 0);
});

/// A session that begins now and ends `life_s` seconds later.
fn beginning(home: &Home, id: SessionId, life_s: i64) -> Beginning<'static> {
    let now = home.clockwork.now();
    let expires = now.plus_seconds(life_s);
    Beginning { id, device: "Firefox on Linux", address: ADDRESS, second_factor: false, now, expires }
}

/// Where people are in these tests.
const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)));

both_engines!(sessions_live_and_end, |home| {
    let (ada, eve) = (home.owner("Ada").await, home.person("Eve").await);
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let write = ada.permit(Action::WriteAccount);
    let ids: Vec<SessionId> = (0..4).map(|_| SessionId::fresh(&ada.ctx)).collect();
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    for id in &ids {
        sessions::create(&mut tx, &write, beginning(&home, *id, 3600)).await.unwrap();
    }
    tx.commit(entry()).await.unwrap();

    let known = sessions::find(&home.store, &authenticate, ids[2]).await.unwrap().expect("a session");
    assert_eq!((known.session.id, known.session.user, known.name.as_str()), (ids[2], ada.id, "Ada"));
    assert!(known.roles.has(Role::Owner) && !known.session.second_factor);
    assert_eq!(sessions::find(&home.store, &authenticate, SessionId::fresh(&ada.ctx)).await.unwrap(), None);
    assert!(sessions::find(&home.store, &ada.permit(Action::ReadAccount), ids[2]).await.is_err());

    let moment = later(&home, 1800);
    let seen = Seen { now: moment, address: None, generation: 0 };
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    sessions::touch(&mut tx, &write, ids[1], seen).await.unwrap();
    let stranger = sessions::touch(&mut tx, &eve.permit(Action::WriteAccount), ids[1], seen).await;
    assert!(matches!(stranger, Err(Error::NotFound)));
    assert!(!sessions::end(&mut tx, &eve.permit(Action::WriteAccount), ids[0]).await.unwrap());
    assert!(sessions::end(&mut tx, &write, ids[0]).await.unwrap());
    assert!(!sessions::end(&mut tx, &write, ids[0]).await.unwrap());
    tx.commit_unaudited("a test of last seen").await.unwrap();
    let listed = sessions::list(&home.store, &ada.permit(Action::ReadAccount)).await.unwrap();
    let order: Vec<_> = listed.iter().map(|one| one.session.id).collect();
    assert_eq!(order, [ids[1], ids[3], ids[2]]);
    assert_eq!((listed[0].session.last_seen, listed[0].seen_from), (moment, None));
    assert_eq!((listed[0].device.as_str(), listed[0].begun_from), ("Firefox on Linux", ADDRESS));
    assert!(sessions::list(&home.store, &eve.permit(Action::ReadAccount)).await.unwrap().is_empty());

    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let ended =
        sessions::end_expired(&mut tx, &upkeep, later(&home, 900), home.clockwork.now()).await.unwrap();
    assert_eq!(ended, 2, "all but the one touched");
    assert_eq!(sessions::end_all(&mut tx, &write, Some(ids[1])).await.unwrap(), 0);
    assert_eq!(sessions::end_all(&mut tx, &write, None).await.unwrap(), 1);
    tx.commit(entry()).await.unwrap();
});

both_engines!(a_generation_is_followed_once, |home| {
    let (ada, eve) = (home.owner("Ada").await, home.person("Eve").await);
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let (write, theirs) = (ada.permit(Action::WriteAccount), eve.permit(Action::WriteAccount));
    let id = SessionId::fresh(&ada.ctx);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    sessions::create(&mut tx, &write, beginning(&home, id, 3600)).await.unwrap();
    let now = home.clockwork.now();
    assert!(!sessions::rotate(&mut tx, &theirs, id, 0, now).await.unwrap());
    assert!(sessions::rotate(&mut tx, &write, id, 0, now).await.unwrap());
    assert!(!sessions::rotate(&mut tx, &write, id, 0, now).await.unwrap(), "somebody was quicker");
    assert!(sessions::rotate(&mut tx, &write, id, 1, now).await.unwrap());
    sessions::touch(&mut tx, &write, id, Seen { now, address: None, generation: 2 }).await.unwrap();
    sessions::touch(&mut tx, &write, id, Seen { now, address: None, generation: 1 }).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let session = sessions::find(&home.store, &authenticate, id).await.unwrap().expect("a session").session;
    assert_eq!((session.generation, session.used, session.rotated), (2, 2, now));
});

/// A key that is made now and ends `life_s` seconds later.
fn making(home: &Home, id: ApiKeyId, hash: [u8; 32], life_s: i64) -> Making<'static> {
    let now = home.clockwork.now();
    let (scopes, expires) = (Rights::NONE.with(Action::Embed), now.plus_seconds(life_s));
    Making { id, hash, prefix: "troth_abc", label: "my laptop", scopes, now, expires }
}

both_engines!(api_keys_live_and_are_revoked, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let (write, manage) = (ada.permit(Action::WriteAccount), ada.permit(Action::ManageCredentials));
    let (id, next) = (ApiKeyId::fresh(&ada.ctx), ApiKeyId::fresh(&ada.ctx));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert!(api_keys::create(&mut tx, &write, making(&home, id, [7; 32], 60)).await.is_err());
    api_keys::create(&mut tx, &manage, making(&home, id, [7; 32], 60)).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let found = api_keys::by_hash(&home.store, &authenticate, [7; 32]).await.unwrap().expect("a key");
    assert_eq!((found.id, found.user, found.scopes), (id, ada.id, Rights::NONE.with(Action::Embed)));
    let moment = later(&home, 5);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    api_keys::touch(&mut tx, &write, id, ADDRESS, moment).await.unwrap();
    assert!(!api_keys::revoke(&mut tx, &eve.permit(Action::WriteAccount), id).await.unwrap());
    // A successor gives it an earlier end, never a later one, and there is one successor.
    let theirs = eve.permit(Action::ManageCredentials);
    assert!(!api_keys::replace(&mut tx, &theirs, id, next, moment).await.unwrap());
    assert!(api_keys::replace(&mut tx, &manage, id, next, later(&home, 3600)).await.unwrap());
    assert!(!api_keys::replace(&mut tx, &manage, id, next, moment).await.unwrap());
    tx.commit(entry()).await.unwrap();
    let listed = api_keys::list(&home.store, &ada.permit(Action::ReadAccount)).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].label.as_str(), listed[0].prefix.as_str()), ("my laptop", "troth_abc"));
    assert_eq!((listed[0].last_used, listed[0].used_from), (Some(moment), ADDRESS));
    assert_eq!((listed[0].successor, listed[0].expires), (Some(next), found.expires));
    assert!(api_keys::list(&home.store, &eve.permit(Action::ReadAccount)).await.unwrap().is_empty());
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert!(api_keys::revoke(&mut tx, &write, id).await.unwrap());
    tx.commit(entry()).await.unwrap();
    assert_eq!(api_keys::by_hash(&home.store, &authenticate, [7; 32]).await.unwrap(), None);
});

both_engines!(an_account_that_may_not_sign_in_is_not_recognised, |home| {
    let ada = home.person("Ada").await;
    let (session, key) = (SessionId::fresh(&ada.ctx), ApiKeyId::fresh(&ada.ctx));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let begins = beginning(&home, session, 60);
    sessions::create(&mut tx, &ada.permit(Action::WriteAccount), begins).await.unwrap();
    let made = making(&home, key, [2; 32], 60);
    api_keys::create(&mut tx, &ada.permit(Action::ManageCredentials), made).await.unwrap();
    tx.commit(entry()).await.unwrap();
    home.spoil("UPDATE accounts SET active = 0").await;
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    assert_eq!(sessions::find(&home.store, &authenticate, session).await.unwrap(), None);
    assert_eq!(api_keys::by_hash(&home.store, &authenticate, [2; 32]).await.unwrap(), None);
});

both_engines!(notices_wait_for_their_person_and_devices_are_news_once, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let (write, read) = (ada.permit(Action::WriteAccount), ada.permit(Action::ReadAccount));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let now = || home.clockwork.now();
    let mut news = Vec::new();
    for device in [[1; 32], [1; 32], [2; 32], [2; 32]] {
        news.push(notices::note_device(&mut tx, &write, device, now()).await.unwrap());
    }
    assert_eq!(news, [false, false, true, false], "the first of all is no news");
    for n in 0..25 {
        let notice = Notice::NewDevice { device: format!("browser {n}"), address: ADDRESS };
        notices::add(&mut tx, &write, &notice, now()).await.unwrap();
    }
    tx.commit(entry()).await.unwrap();
    let waiting = notices::list(&home.store, &read).await.unwrap();
    assert_eq!(waiting.len(), 20, "the oldest made way");
    assert_eq!(waiting[0].1, Notice::NewDevice { device: "browser 24".to_owned(), address: ADDRESS });
    assert!(notices::list(&home.store, &eve.permit(Action::ReadAccount)).await.unwrap().is_empty());
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert_eq!(notices::put_away(&mut tx, &write, waiting[1].0).await.unwrap(), 19);
    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    assert_eq!(notices::forget_devices(&mut tx, &upkeep, now()).await.unwrap(), 2);
    tx.commit(entry()).await.unwrap();
    assert_eq!(notices::list(&home.store, &read).await.unwrap().len(), 1);
});

both_engines!(a_passkey_is_used_upwards_and_not_once_suspended, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let (read, write) = (ada.permit(Action::ReadAccount), ada.permit(Action::WriteAccount));
    let manage = ada.permit(Action::ManageCredentials);
    let id = PasskeyId::fresh(&ada.ctx);
    let new = NewPasskey {
        id,
        credential: b"credential",
        party: "localhost",
        name: "my telephone",
        passkey: b"{}",
        counter: 0,
    };
    let now = home.clockwork.now();
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    passkeys::create(&mut tx, &manage, &new, now).await.unwrap();
    tx.commit(entry()).await.unwrap();
    // A credential belongs to one person.
    let mut tx = home.store.begin(&eve.ctx).await.unwrap();
    let taken = NewPasskey { id: PasskeyId::fresh(&eve.ctx), ..new };
    let end = passkeys::create(&mut tx, &eve.permit(Action::ManageCredentials), &taken, now).await;
    assert!(matches!(end, Err(Error::Conflict)), "{end:?}");
    drop(tx);

    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let stranger = passkeys::note_use(&mut tx, &eve.permit(Action::WriteAccount), id, b"{}", 1, now).await;
    assert!(!stranger.unwrap());
    for (counter, used) in [(0, true), (0, true), (5, true), (5, false), (4, false), (0, false), (6, true)] {
        assert_eq!(
            passkeys::note_use(&mut tx, &write, id, b"{1}", counter, now).await.unwrap(),
            used,
            "{counter}"
        );
    }
    passkeys::rename(&mut tx, &manage, id, "my watch").await.unwrap();
    let end = passkeys::rename(&mut tx, &eve.permit(Action::ManageCredentials), id, "mine").await;
    assert!(matches!(end, Err(Error::NotFound)), "{end:?}");
    tx.commit(entry()).await.unwrap();
    let kept = passkeys::list(&home.store, &read).await.unwrap().pop().unwrap();
    assert_eq!(
        (kept.name.as_str(), kept.passkey.as_slice(), kept.suspended),
        ("my watch", &b"{1}"[..], false)
    );
    assert_eq!(kept.last_used, Some(now));

    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert!(passkeys::suspend(&mut tx, &write, id).await.unwrap());
    assert!(!passkeys::suspend(&mut tx, &write, id).await.unwrap());
    assert!(!passkeys::note_use(&mut tx, &write, id, b"{}", 100, now).await.unwrap());
    let end = passkeys::remove(&mut tx, &eve.permit(Action::ManageCredentials), id).await;
    assert!(matches!(end, Err(Error::NotFound)), "{end:?}");
    passkeys::remove(&mut tx, &manage, id).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert!(passkeys::list(&home.store, &read).await.unwrap().is_empty());
});
