//! Tokens of sessions: what is signed is read, what is forged, over or used up is not.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{Secret, audit::Act, verifies};
use identity::{Identity, News, Presented, Tokens};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use testkit::{Home, both_engines};

use crate::scene::{Owned, PASSWORD, config, open, secret, set_up, set_up_with, stranger, upkeep};

/// Who presents these, and what they get.
async fn shown(
    owned: &Owned,
    home: &Home,
    access: Option<&Secret<String>>,
    refresh: Option<&Secret<String>>,
) -> Option<Option<Tokens>> {
    let presented = Presented { access, refresh };
    let known = owned.identity.recognise_session(&stranger(home), presented).await.unwrap();
    known.map(|known| known.renewed)
}

/// The header and the claims of a token.
fn parts(token: &Secret<String>) -> (Value, Value) {
    let mut parts = token.expose().split('.').map(|part| {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap_or_default()).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

/// A token of these parts, with the signature of another or made by `sign`.
fn token(header: &Value, claims: &Value, sign: impl Fn(&str) -> Vec<u8>) -> Secret<String> {
    let coded = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", coded(header), coded(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(&text));
    Secret::new(format!("{text}.{signature}"))
}

both_engines!(an_access_token_is_good_for_its_five_minutes_and_no_second_more, |home| {
    let _proof = verifies!(SES04);
    let owned = set_up(&home).await;
    let Tokens { access, .. } = &owned.done.session.tokens;
    let (header, claims) = parts(access);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("troth-access+jwt")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    assert_eq!(claims["sid"], owned.done.session.id.to_string());
    home.clockwork.advance(claims["exp"].as_i64().unwrap() - home.clockwork.now().seconds() - 1);
    assert!(shown(&owned, &home, Some(access), None).await.unwrap().is_none(), "nothing to renew yet");
    home.clockwork.advance(1);
    assert!(shown(&owned, &home, Some(access), None).await.is_none());
    // The session itself goes on: its refresh token brings the next pair.
    let refresh = &owned.done.session.tokens.refresh;
    let pair = shown(&owned, &home, Some(access), Some(refresh)).await.unwrap().unwrap();
    assert!(shown(&owned, &home, Some(&pair.access), None).await.unwrap().is_none());
    assert_ne!(parts(&pair.access).1["jti"], claims["jti"]);
});

#[test]
fn no_forged_token_is_read() {
    let _proof = verifies!(SES04);
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        let real = &owned.done.session.tokens.access;
        let (header, claims) = parts(real);
        let signature =
            |_: &str| BASE64_URL_SAFE_NO_PAD.decode(real.expose().rsplit('.').next().unwrap()).unwrap();
        let foreign = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let by_foreign = |text: &str| foreign.sign(text.as_bytes()).as_ref().to_vec();
        let with = |value: &Value, key: &str, to: Value| {
            let mut value = value.clone();
            value[key] = to;
            value
        };
        assert!(shown(&owned, &home, Some(&token(&header, &claims, signature)), None).await.is_some());
        let later = json!(claims["exp"].as_i64().unwrap() + 3600);
        let mut forged = vec![
            token(&with(&header, "alg", json!("none")), &claims, |_| Vec::new()),
            token(&with(&header, "alg", json!("None")), &claims, signature),
            token(&with(&header, "alg", json!("EdDSA")), &claims, |_| Vec::new()),
            token(&header, &with(&claims, "exp", later), signature),
            token(&header, &with(&claims, "sub", json!("01890a5d-ac96-774b-bcce-b302099a8057")), signature),
            token(&header, &with(&claims, "gen", json!(7)), signature),
            token(&header, &claims, by_foreign),
            token(&with(&header, "kid", json!("0000000000000000")), &claims, by_foreign),
            token(&with(&header, "kid", Value::Null), &claims, signature),
            token(&with(&header, "typ", json!("JWT")), &claims, signature),
            secret(""),
            secret("..."),
            secret(&"a.".repeat(100_000)),
            secret(&real.expose()[..real.expose().len() - 4]),
            Secret::new(format!("{}.{}", real.expose(), "x")),
        ];
        // Signed with the public key as if it were a shared secret, as in the oldest trick with swapped algorithms.
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let mut swapped = Header::new(algorithm);
            swapped.typ = Some("troth-access+jwt".to_owned());
            swapped.kid = header["kid"].as_str().map(str::to_owned);
            let key = EncodingKey::from_secret(&[7; 32]);
            forged.push(Secret::new(jsonwebtoken::encode(&swapped, &claims, &key).unwrap()));
        }
        for (at, token) in forged.iter().enumerate() {
            assert!(shown(&owned, &home, Some(token), None).await.is_none(), "{at}: {}", token.expose());
        }
        // What our own key signs is read for what it was made for alone.
        let permit = home.instance(domain::Job::Authentication, domain::Action::Authenticate);
        let kept = store::token_keys::list(&home.store, &permit).await.unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&kept[0].seed).unwrap();
        let by_us = |text: &str| pair.sign(text.as_bytes()).as_ref().to_vec();
        assert!(shown(&owned, &home, Some(&token(&header, &claims, by_us)), None).await.is_some());
        for (header, claims) in [
            (with(&header, "typ", json!("at+jwt")), claims.clone()),
            (header.clone(), with(&claims, "aud", json!("somebody-else"))),
            (header.clone(), with(&claims, "iss", json!("troth:another"))),
            (header.clone(), with(&claims, "more", json!(1))),
            (header.clone(), with(&claims, "exp", claims["iat"].clone())),
            (header.clone(), with(&claims, "gen", json!(1))),
        ] {
            assert!(
                shown(&owned, &home, Some(&token(&header, &claims, by_us)), None).await.is_none(),
                "{claims}"
            );
        }
    });
}

#[test]
fn another_instances_tokens_open_nothing_here() {
    let _proof = verifies!(SES04);
    testkit::run(async {
        let (here, there) = (testkit::store().await, testkit::store().await);
        let (mine, theirs) = (set_up(&here).await, set_up(&there).await);
        let Tokens { access, refresh } = &theirs.done.session.tokens;
        assert!(shown(&theirs, &there, Some(access), Some(refresh)).await.is_some());
        for (access, refresh) in [(Some(access), None), (None, Some(refresh)), (Some(access), Some(refresh))]
        {
            assert!(shown(&mine, &here, access, refresh).await.is_none());
        }
    });
}

both_engines!(cookies_of_two_sessions_are_no_session, |home| {
    let owned = set_up(&home).await;
    let other = owned.sign_in(&home, PASSWORD).await.unwrap();
    let (one, two) = (&owned.done.session.tokens, &other.tokens);
    assert!(shown(&owned, &home, Some(&one.access), Some(&two.refresh)).await.is_none());
    assert!(shown(&owned, &home, Some(&two.access), Some(&one.refresh)).await.is_none());
    assert!(shown(&owned, &home, Some(&one.access), Some(&one.refresh)).await.is_some());
    // An access token is no refresh token, and the other way round.
    assert!(shown(&owned, &home, Some(&one.refresh), None).await.is_none());
    assert!(shown(&owned, &home, None, Some(&one.access)).await.is_none());
});

both_engines!(two_tabs_get_the_same_successor_and_a_replay_ends_the_session, |home| {
    let _proof = verifies!(SES05);
    let owned = set_up(&home).await;
    let first = &owned.done.session.tokens.refresh;
    home.clockwork.advance(6 * 60);
    let one = shown(&owned, &home, None, Some(first)).await.unwrap().unwrap();
    let two = shown(&owned, &home, None, Some(first)).await.unwrap().unwrap();
    assert_eq!(one.refresh.expose(), two.refresh.expose());
    // An answer that never arrived is no attack either, however late it is asked for again.
    home.clockwork.advance(10 * 60);
    let again = shown(&owned, &home, None, Some(first)).await.unwrap().unwrap();
    assert_eq!(one.refresh.expose(), again.refresh.expose());
    // Once the successor was in use, within the grace the old one still brings it…
    let next = shown(&owned, &home, Some(&one.access), Some(&one.refresh)).await.unwrap().unwrap();
    home.clockwork.advance(29);
    assert!(shown(&owned, &home, None, Some(&one.refresh)).await.is_some());
    assert!(shown(&owned, &home, Some(&next.access), Some(&next.refresh)).await.is_some());
    // … and after it, whoever shows the old one ends the session for both.
    home.clockwork.advance(61);
    assert!(shown(&owned, &home, Some(&next.access), None).await.is_some(), "noted as in use");
    assert!(shown(&owned, &home, None, Some(&one.refresh)).await.is_none());
    assert!(shown(&owned, &home, Some(&next.access), Some(&next.refresh)).await.is_none());
    let permit = home.instance(domain::Job::Checks, domain::Action::ReadInstance);
    let log = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
    assert!(log.iter().any(|entry| entry.act == Act::TokenReused.name()));
    // Its person hears of it at the next visit.
    let session = owned.sign_in(&home, PASSWORD).await.unwrap();
    let ctx = crate::scene::ctx_of(&owned.identity, &home, &session).await;
    let notices = owned.identity.news(&ctx).await.unwrap();
    assert!(matches!(&notices[0].1, News::TokenReused { device } if device == crate::scene::DEVICE));
    owned.identity.put_news_away(&ctx, notices[0].0).await.unwrap();
    assert!(owned.identity.news(&ctx).await.unwrap().is_empty());
});

/// Who shows a refresh token from this address, and what they get.
async fn shown_from(
    owned: &Owned,
    home: &Home,
    address: &str,
    refresh: &Secret<String>,
) -> Option<Option<Tokens>> {
    let mut ctx = stranger(home);
    ctx.address = Some(address.parse().unwrap());
    let presented = Presented { access: None, refresh: Some(refresh) };
    let known = owned.identity.recognise_session(&ctx, presented).await.unwrap();
    known.map(|known| known.renewed)
}

both_engines!(a_successor_nobody_showed_is_given_again_once, |home| {
    let _proof = verifies!(SES05);
    let owned = set_up(&home).await;
    let first = &owned.done.session.tokens.refresh;
    let one = shown(&owned, &home, None, Some(first)).await.unwrap().unwrap();
    home.clockwork.advance(60);
    // Two tabs that a browser opens again are no attack either.
    for _ in 0..2 {
        let again = shown(&owned, &home, None, Some(first)).await.unwrap().unwrap();
        assert_eq!(again.refresh.expose(), one.refresh.expose());
    }
    home.clockwork.advance(60);
    assert!(shown(&owned, &home, None, Some(first)).await.is_none(), "a second time is a copy");
    assert!(shown(&owned, &home, None, Some(&one.refresh)).await.is_none());
});

both_engines!(a_page_that_asks_by_itself_shows_what_it_holds_as_well, |home| {
    let _proof = verifies!(SES05);
    let owned = set_up(&home).await;
    let first = &owned.done.session.tokens.refresh;
    let one = shown(&owned, &home, None, Some(first)).await.unwrap().unwrap();
    let known = owned.identity.recognise_page(&stranger(&home), &one).await.unwrap();
    assert!(known.is_some());
    home.clockwork.advance(31);
    assert!(shown(&owned, &home, None, Some(first)).await.is_none(), "the successor was in use");
});

both_engines!(a_refresh_token_shown_from_elsewhere_ends_the_session_even_within_the_grace, |home| {
    let _proof = verifies!(SES05);
    let owned = set_up(&home).await;
    let first = &owned.done.session.tokens.refresh;
    let one = shown_from(&owned, &home, "198.51.100.7", first).await.unwrap().unwrap();
    assert!(shown_from(&owned, &home, "198.51.7.100", first).await.is_some(), "the same network");
    assert!(shown_from(&owned, &home, "203.0.113.1", first).await.is_none());
    assert!(shown_from(&owned, &home, "198.51.100.7", &one.refresh).await.is_none(), "over for both");
    let session = owned.sign_in(&home, PASSWORD).await.unwrap();
    let ctx = crate::scene::ctx_of(&owned.identity, &home, &session).await;
    let news = owned.identity.news(&ctx).await.unwrap();
    assert!(news.iter().any(|(_, one)| matches!(one, News::TokenReused { .. })), "{news:?}");
});

both_engines!(a_replica_that_slept_neither_signs_with_an_old_key_nor_reads_one, |home| {
    let _proof = verifies!(SES08);
    let mut settings = config();
    settings.numbers.signing_key_days = 1;
    settings.numbers.absolute_hours = 100;
    settings.numbers.idle_minutes = 100 * 60;
    settings.numbers.access_token_minutes = 60 * 60;
    let owned = set_up_with(&home, settings.clone()).await;
    let asleep = crate::scene::open_with(&home, settings);
    let Tokens { access, refresh } = &owned.done.session.tokens;
    let reads = async |identity: &Identity| {
        let presented = Presented { access: Some(access), refresh: None };
        identity.recognise_session(&stranger(&home), presented).await.unwrap().is_some()
    };
    assert!(reads(&asleep).await);
    let old = parts(access).0["kid"].clone();
    // Its successor is given again by a replica that knows the old key alone.
    home.clockwork.advance(25 * 3600);
    let pair = shown(&owned, &home, None, Some(refresh)).await.unwrap().unwrap();
    assert_ne!(parts(&pair.access).0["kid"], old);
    let presented = Presented { access: None, refresh: Some(refresh) };
    let again = asleep.recognise_session(&stranger(&home), presented).await.unwrap().unwrap();
    assert_ne!(parts(&again.renewed.unwrap().access).0["kid"], old);
    // The key may sign nothing any more, and a day later nothing of it is read, swept or not.
    assert!(reads(&asleep).await);
    home.clockwork.advance(23 * 3600);
    assert!(!reads(&asleep).await && !reads(&owned.identity).await);
});

both_engines!(a_much_older_token_ends_the_session_at_once, |home| {
    let _proof = verifies!(SES05);
    let owned = set_up(&home).await;
    let first = &owned.done.session.tokens.refresh;
    let one = shown(&owned, &home, None, Some(first)).await.unwrap().unwrap();
    let two = shown(&owned, &home, None, Some(&one.refresh)).await.unwrap().unwrap();
    assert!(shown(&owned, &home, None, Some(first)).await.is_none());
    assert!(shown(&owned, &home, None, Some(&two.refresh)).await.is_none());
});

both_engines!(a_restart_and_another_replica_know_the_same_tokens, |home| {
    let owned = set_up(&home).await;
    let Tokens { access, refresh } = &owned.done.session.tokens;
    let other = open(&home);
    let is_in = async |identity: &Identity| {
        let presented = Presented { access: Some(access), refresh: None };
        identity.recognise_session(&stranger(&home), presented).await.unwrap().is_some()
    };
    assert!(is_in(&other).await);
    home.clockwork.advance(6 * 60);
    let presented = Presented { access: None, refresh: Some(refresh) };
    let known = other.recognise_session(&stranger(&home), presented).await.unwrap();
    let pair = known.unwrap().renewed.unwrap();
    assert!(shown(&owned, &home, Some(&pair.access), Some(&pair.refresh)).await.is_some());
});

both_engines!(the_signing_key_is_replaced_by_age_and_old_tokens_outlive_it, |home| {
    let _proof = verifies!(SES08);
    let mut settings = config();
    settings.numbers.signing_key_days = 1;
    let owned = set_up_with(&home, settings).await;
    let old = parts(&owned.done.session.tokens.access).0["kid"].clone();
    home.clockwork.advance(24 * 3600 - 60);
    let before = owned.sign_in(&home, PASSWORD).await.unwrap();
    assert_eq!(parts(&before.tokens.access).0["kid"], old);
    let after = owned.sign_in(&home, PASSWORD).await.unwrap();
    assert_ne!(parts(&after.tokens.access).0["kid"], old);
    // What the old key signed is good until its time is over; then the key goes.
    assert!(shown(&owned, &home, Some(&before.tokens.access), None).await.is_some());
    let kept = async || {
        let permit = home.instance(domain::Job::Authentication, domain::Action::Authenticate);
        store::token_keys::list(&home.store, &permit).await.unwrap().len()
    };
    owned.identity.retire_keys(&upkeep(&home)).await.unwrap();
    assert_eq!(kept().await, 2);
    home.clockwork.advance(24 * 3600);
    owned.identity.retire_keys(&upkeep(&home)).await.unwrap();
    assert_eq!(kept().await, 1, "the newest stays, however old");
});

both_engines!(the_store_keeps_no_token, |home| {
    let _proof = verifies!(SES03);
    let owned = set_up(&home).await;
    let Tokens { access, refresh } = &owned.done.session.tokens;
    let permit = home.instance(domain::Job::Authentication, domain::Action::Authenticate);
    let known = store::sessions::find(&home.store, &permit, owned.done.session.id).await.unwrap().unwrap();
    let row = format!("{known:?}");
    assert!(!row.contains(refresh.expose()) && !row.contains(access.expose()));
    assert!(!format!("{:?}", owned.done.session).contains(&refresh.expose()[..20]));
    for not in ["", "x", &refresh.expose()[1..], &refresh.expose().to_lowercase()] {
        assert!(shown(&owned, &home, None, Some(&secret(not))).await.is_none(), "{not}");
    }
    // Every bit of it counts.
    for at in 0..refresh.expose().len() {
        let mut other = refresh.expose().clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        let other = secret(std::str::from_utf8(&other).unwrap());
        if other.expose() != refresh.expose() {
            assert!(shown(&owned, &home, None, Some(&other)).await.is_none(), "{at}");
        }
    }
});

both_engines!(a_sign_in_from_somewhere_new_is_told_once, |home| {
    let _proof = verifies!(SES07);
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    assert!(owned.identity.news(&ctx).await.unwrap().is_empty(), "the first of all is no news");
    let from = async |address: &str| {
        let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
        let code = owned.app.next_code(&home);
        let mut stranger = stranger(&home);
        stranger.address = Some(address.parse().unwrap());
        let next = owned.identity.finish_sign_in(&stranger, &ticket, &code, crate::scene::DEVICE).await;
        assert!(matches!(next, Ok(identity::Next::Done(_))));
        owned.identity.news(&ctx).await.unwrap().len()
    };
    // A provider's network is one place, and nothing is told twice.
    assert_eq!(from("198.51.100.7").await, 1);
    assert_eq!(from("198.51.7.100").await, 1);
    assert_eq!(from("2001:db8::1").await, 2);
    assert_eq!(from("198.51.100.7").await, 2);
    let listed = owned.identity.sessions(&ctx).await.unwrap();
    assert_eq!(listed[0].begun_from, Some("198.51.100.7".parse().unwrap()));
    assert!(listed[0].second_factor && listed.last().unwrap().begun_from.is_none());
});

both_engines!(a_new_session_puts_no_news_of_itself_away, |home| {
    let _proof = verifies!(SES07);
    let owned = set_up(&home).await;
    let mut elsewhere = stranger(&home);
    elsewhere.address = Some("203.0.113.9".parse().unwrap());
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    let code = owned.app.next_code(&home);
    let next = owned.identity.finish_sign_in(&elsewhere, &ticket, &code, crate::scene::DEVICE).await;
    let Ok(identity::Next::Done(theirs)) = next else { panic!("{next:?}") };
    let intruder = crate::scene::ctx_of(&owned.identity, &home, &theirs).await;
    let news = owned.identity.news(&intruder).await.unwrap();
    assert_eq!(news.len(), 1);
    home.clockwork.advance(60);
    owned.identity.put_news_away(&intruder, home.clockwork.now()).await.unwrap();
    let mine = owned.ctx(&home).await;
    assert_eq!(owned.identity.news(&mine).await.unwrap(), news, "its person still reads it");
    // Neither does a session that was there before; one that begins later does.
    owned.identity.put_news_away(&mine, home.clockwork.now()).await.unwrap();
    assert_eq!(owned.identity.news(&mine).await.unwrap().len(), 1);
    let later = owned.sign_in(&home, PASSWORD).await.unwrap();
    let later = crate::scene::ctx_of(&owned.identity, &home, &later).await;
    owned.identity.put_news_away(&later, home.clockwork.now()).await.unwrap();
    assert!(owned.identity.news(&mine).await.unwrap().is_empty());
    let permit = home.instance(domain::Job::Checks, domain::Action::ReadInstance);
    let log = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
    assert_eq!(log.iter().filter(|entry| entry.act == Act::NoticesPutAway.name()).count(), 3);
});

both_engines!(lying_tokens_are_tried_on_the_running_program, |home| {
    let _proof = verifies!(SES04);
    let ctx = home.ctx(domain::Actor::System(domain::Job::Checks));
    assert_eq!(open(&home).try_access_tokens(&ctx).await, Ok(None), "there is no key yet");
    let owned = set_up(&home).await;
    let before = owned.identity.sessions(&owned.ctx(&home).await).await.unwrap();
    assert_eq!(owned.identity.try_access_tokens(&ctx).await, Ok(Some(9)));
    assert_eq!(owned.identity.sessions(&owned.ctx(&home).await).await.unwrap(), before);
});
