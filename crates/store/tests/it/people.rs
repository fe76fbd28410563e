//! Accounts, credentials, sessions and API keys.

use std::net::{IpAddr, Ipv4Addr};

use domain::{
    Action, Actor, Denied, Job, Resource, Timestamp,
    access::{Rights, Role, Roles},
    authorize,
    id::{ApiKeyId, PasskeyId, SessionId, UserId},
};
use store::{
    Error,
    accounts::{self, Settings},
    api_keys::{self, Making},
    credentials,
    emails::{self, Purpose},
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
    let (ada, permit) = (home.person("Ada").await, home.instance(Job::Authentication, Action::Authenticate));
    assert!(credentials::failures(&home.store, &ada.permit(Action::ReadAccount), &[1; 32]).await.is_err());
    let kept = async |name: u8| credentials::failures(&home.store, &permit, &[name; 32]).await.unwrap();
    let fail = async |name: u8, forgotten: Timestamp, now: Timestamp| {
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        credentials::record_failure(&mut tx, &permit, &[name; 32], forgotten, now).await.unwrap();
        tx.commit(entry()).await.unwrap();
    };
    let (before, moment) = (later(&home, -100), later(&home, 10));
    assert_eq!(kept(1).await.0, 0);
    for _ in 0..3 {
        fail(1, before, moment).await;
    }
    fail(2, before, moment).await;
    assert_eq!((kept(1).await, kept(2).await), ((3, moment), (1, moment)), "each name has its own count");
    // A count nobody added to for long begins anew.
    let next = moment.plus_seconds(1);
    fail(1, moment, next).await;
    assert_eq!(kept(1).await, (1, next));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    credentials::clear_failures(&mut tx, &permit, &[1; 32]).await.unwrap();
    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    assert_eq!(credentials::forget_failures(&mut tx, &upkeep, moment).await.unwrap(), 1);
    tx.commit(entry()).await.unwrap();
    assert_eq!((kept(1).await.0, kept(2).await.0), (0, 0));
});

both_engines!(counts_of_made_up_names_are_bounded_and_wash_no_real_one_away, |home| {
    let (ada, permit) = (home.person("Ada").await, home.instance(Job::Authentication, Action::Authenticate));
    let (before, now) = (later(&home, -100), later(&home, 10));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    for _ in 0..2 {
        credentials::record_failure(&mut tx, &permit, &[0xFF; 32], before, now).await.unwrap();
    }
    tx.commit(entry()).await.unwrap();
    let flood = match home.store.engine() {
        store::Engine::Sqlite => {
            "INSERT INTO sign_in_failures SELECT randomblob(32), 1, $1 FROM \
             (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050) SELECT i FROM n)"
        }
        store::Engine::Postgres => {
            "INSERT INTO sign_in_failures \
             SELECT decode(md5(i::text) || md5((-i)::text), 'hex'), 1, $1 FROM generate_series(1, 10050) i"
        }
    };
    home.spoil(&flood.replace("$1", &now.0.to_string())).await;
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    credentials::record_failure(&mut tx, &permit, &[0xFE; 32], before, now.plus_seconds(1)).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let kept = async |name: u8| credentials::failures(&home.store, &permit, &[name; 32]).await.unwrap().0;
    assert_eq!((kept(0xFF).await, kept(0xFE).await), (2, 1));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    let all = credentials::forget_failures(&mut tx, &upkeep, now.plus_seconds(1)).await.unwrap();
    assert_eq!(all, 10_000);
    drop(tx);
});

both_engines!(a_stronger_verifier_of_the_same_password_is_no_new_password, |home| {
    let ada = home.person("Ada").await;
    let (read, write) = (ada.permit(Action::ReadAccount), ada.permit(Action::WriteAccount));
    let (first, second) = (later(&home, 1), later(&home, 2));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    assert!(credentials::strengthen_password(&mut tx, &write, "none yet").await.is_err());
    credentials::set_password(&mut tx, &write, "old", first).await.unwrap();
    credentials::set_password(&mut tx, &write, "new", second).await.unwrap();
    credentials::strengthen_password(&mut tx, &write, "new, dearer").await.unwrap();
    tx.commit(entry()).await.unwrap();
    let kept = credentials::password(&home.store, &read).await.unwrap().unwrap();
    assert_eq!((kept.verifier.as_str(), kept.changed), ("new, dearer", second));
    let history = credentials::earlier_passwords(&home.store, &read, 5).await.unwrap();
    assert_eq!(history, ["new, dearer", "old"], "the history is as long as it was");
});

/// A session that begins now and ends `life_s` seconds later.
fn beginning(home: &Home, id: SessionId, life_s: i64) -> Beginning<'static> {
    let now = home.clockwork.now();
    let expires = now.plus_seconds(life_s);
    let (device, address, network) = ("Firefox on Linux", ADDRESS, [5; 32]);
    Beginning { id, device, address, network, second_factor: false, now, expires }
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
    assert!(!sessions::rotate(&mut tx, &theirs, id, 0, [1; 32], now).await.unwrap());
    assert!(sessions::rotate(&mut tx, &write, id, 0, [1; 32], now).await.unwrap());
    assert!(!sessions::rotate(&mut tx, &write, id, 0, [1; 32], now).await.unwrap(), "somebody was quicker");
    // After the grace the successor is given again once, as long as nobody has shown it.
    let again = now.plus_seconds(60);
    assert!(!sessions::give_again(&mut tx, &theirs, id, 1, again).await.unwrap());
    assert!(!sessions::give_again(&mut tx, &write, id, 0, again).await.unwrap());
    assert!(sessions::give_again(&mut tx, &write, id, 1, again).await.unwrap());
    assert!(!sessions::give_again(&mut tx, &write, id, 1, again).await.unwrap());
    assert!(sessions::rotate(&mut tx, &write, id, 1, [2; 32], now).await.unwrap());
    sessions::note_used(&mut tx, &write, id, 2).await.unwrap();
    assert!(!sessions::give_again(&mut tx, &write, id, 2, again).await.unwrap(), "it was shown");
    sessions::note_used(&mut tx, &write, id, 1).await.unwrap();
    sessions::touch(&mut tx, &write, id, Seen { now, address: None, generation: 2 }).await.unwrap();
    sessions::touch(&mut tx, &write, id, Seen { now, address: None, generation: 1 }).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let session = sessions::find(&home.store, &authenticate, id).await.unwrap().expect("a session").session;
    assert_eq!((session.generation, session.used, session.rotated), (2, 2, now));
    assert_eq!((session.rotated_from, session.given_again), ([2; 32], false));
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
    assert_eq!(api_keys::by_id(&home.store, &authenticate, id).await.unwrap().unwrap().user, ada.id);
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
    assert_eq!(api_keys::by_id(&home.store, &authenticate, key).await.unwrap(), None);
});

both_engines!(keys_that_ended_go_and_a_closed_account_keeps_none, |home| {
    let (ada, manage) = (home.person("Ada").await, Action::ManageCredentials);
    let manage = ada.permit(manage);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    for (hash, life_s) in [([1; 32], 10), ([2; 32], 20), ([3; 32], 3600)] {
        let made = making(&home, ApiKeyId::fresh(&ada.ctx), hash, life_s);
        api_keys::create(&mut tx, &manage, made).await.unwrap();
    }
    let (now, long_ago) = (later(&home, 12), later(&home, -1000));
    assert_eq!(api_keys::count(&mut tx, &manage).await.unwrap(), 3);
    assert_eq!(api_keys::remove_ended(&mut tx, &manage, now, long_ago).await.unwrap(), 1);
    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    assert_eq!(api_keys::sweep(&mut tx, &upkeep, later(&home, 25), long_ago).await.unwrap(), 1);
    assert_eq!(api_keys::count(&mut tx, &manage).await.unwrap(), 1);
    let people = home.instance(Job::Provisioning, Action::ManagePeople);
    store::people::set_active(&mut tx, &people, ada.id, false).await.unwrap();
    store::people::set_active(&mut tx, &people, ada.id, true).await.unwrap();
    assert_eq!(api_keys::count(&mut tx, &manage).await.unwrap(), 0, "opened again it has none");
    tx.commit(entry()).await.unwrap();
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
    // What was told since the session began that asks stays, however new it says it read.
    let begun = waiting[10].0;
    assert_eq!(notices::put_away(&mut tx, &write, waiting[0].0, begun).await.unwrap(), 9);
    assert_eq!(notices::put_away(&mut tx, &write, waiting[1].0, now()).await.unwrap(), 10);
    let upkeep = home.instance(Job::Upkeep, Action::WriteInstance);
    assert_eq!(notices::forget_devices(&mut tx, &upkeep, now()).await.unwrap(), 1, "the newest stays");
    assert!(notices::note_device(&mut tx, &write, [3; 32], now()).await.unwrap(), "so this is news");
    // Two at one moment are two.
    let moment = now();
    for notice in [Notice::PasswordChanged, Notice::FactorsChanged] {
        notices::add(&mut tx, &write, &notice, moment).await.unwrap();
    }
    tx.commit(entry()).await.unwrap();
    let waiting = notices::list(&home.store, &read).await.unwrap();
    assert_eq!(waiting.len(), 3);
    assert_eq!((&waiting[0].1, &waiting[1].1), (&Notice::FactorsChanged, &Notice::PasswordChanged));
});

both_engines!(links_end_with_the_password_and_with_the_address, |home| {
    let ada = home.person("Ada").await;
    let (write, authenticate) =
        (ada.permit(Action::WriteAccount), home.instance(Job::Authentication, Action::Authenticate));
    let address = |text: &str| domain::mail::Address::read(text).unwrap();
    let lives = async || {
        let found = emails::link(&home.store, &authenticate, Purpose::Reset, [9; 32]).await;
        found.unwrap().is_some()
    };
    let acts: [&str; 4] = ["nothing", "password", "address", "no address"];
    for act in acts {
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        let until = later(&home, 3600);
        emails::keep_link(&mut tx, &write, Purpose::Reset, [9; 32], None, until).await.unwrap();
        tx.commit(entry()).await.unwrap();
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        match act {
            "password" => {
                credentials::set_password(&mut tx, &write, "verifier", later(&home, 1)).await.unwrap();
            }
            "address" => emails::set(&mut tx, &write, &address("ada@example.org")).await.unwrap(),
            "no address" => assert!(emails::remove(&mut tx, &write).await.unwrap()),
            _ => credentials::strengthen_password(&mut tx, &write, "dearer").await.unwrap_or(()),
        }
        tx.commit(entry()).await.unwrap();
        assert_eq!(lives().await, act == "nothing", "{act}");
    }
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
