//! Signing in: both steps, what counts as a failure, and what a stranger can learn.

use domain::{Action, Job, Resource, audit::Act, authorize, verifies};
use identity::{Config, Error, Hashing, Identity, Next};
use store::credentials;
use testkit::{Home, both_engines};

use crate::scene::{
    DEVICE, NAME, OTHER_PASSWORD, Owned, PASSWORD, config, open, open_with, secret, set_up, set_up_with,
    stranger, upkeep,
};

async fn acts(home: &Home) -> Vec<(String, String)> {
    let permit = home.instance(Job::Checks, Action::ReadInstance);
    let records = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
    records.into_iter().map(|record| (record.act, record.target)).collect()
}

both_engines!(name_password_and_code_open_a_session, |home| {
    let owned = set_up(&home).await;
    let session = owned.sign_in(&home, PASSWORD).await.unwrap();
    let known = owned.identity.recognise_session(&stranger(&home), &session.tokens).await.unwrap();
    assert_eq!(known.unwrap().name, NAME);
    assert!(acts(&home).await.contains(&(Act::SignedIn.name(), session.user.to_string())));
});

#[test]
fn the_name_is_found_in_any_spelling_and_the_password_in_any_normal_form() {
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        for name in ["ada lovelace", "  ADA  Lovelace ", "Ａｄａ Lovelace"] {
            let next = owned.identity.sign_in(&stranger(&home), name, &secret(PASSWORD), DEVICE).await;
            assert!(matches!(next, Ok(Next::Factor { .. })), "{name}: {next:?}");
        }
        let wide = secret("Ｑuiet-Harbour-47");
        assert!(owned.identity.sign_in(&stranger(&home), NAME, &wide, DEVICE).await.is_ok());
    });
}

both_engines!(an_unknown_name_and_a_wrong_password_are_told_the_same_and_cost_the_same, |home| {
    let _proof = verifies!(AUT05);
    let owned = set_up(&home).await;
    let long = "x".repeat(100_000);
    let (mut answers, mut entries) = (Vec::new(), Vec::new());
    for (name, password) in [
        (NAME, OTHER_PASSWORD),
        ("Nobody", PASSWORD),
        ("", ""),
        (NAME, ""),
        ("a\0b", PASSWORD),
        (long.as_str(), PASSWORD),
        (NAME, long.as_str()),
    ] {
        let (hashes, written) = (owned.identity.hashes(), acts(&home).await.len());
        let refused =
            owned.identity.sign_in(&stranger(&home), name, &secret(password), DEVICE).await.unwrap_err();
        assert!(matches!(refused, Error::Refused), "{refused:?}");
        answers.push((
            refused.to_string(),
            // The same work: one Argon2 run. Known names have an entry each; the first unknown one too.
            owned.identity.hashes() - hashes,
        ));
        entries.push(acts(&home).await.len() - written);
    }
    assert!(answers.iter().all(|answer| answer == &answers[0] && answer.1 == 1), "{answers:?}");
    assert_eq!(entries, [1, 1, 0, 1, 0, 0, 1]);
});

/// What a try answers: the kind of refusal, and how long to wait.
async fn tried(identity: &Identity, home: &Home, name: &str) -> (String, Option<u32>) {
    let refused = identity.sign_in(&stranger(home), name, &secret(OTHER_PASSWORD), DEVICE).await.unwrap_err();
    let wait = match refused {
        Error::Throttled { retry_after_s } => Some(retry_after_s),
        _ => None,
    };
    (refused.to_string(), wait)
}

both_engines!(a_name_is_answered_alike_whether_anybody_has_it_on_two_replicas_and_a_day_later, |home| {
    let _proof = verifies!(AUT05);
    let owned = set_up(&home).await;
    let replicas = [&owned.identity, &open(&home)];
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    // Twelve tries in turn at both replicas, a day of quiet, and three more.
    let pauses = [vec![1; 12], vec![24 * 3600], vec![1; 3]].concat();
    for (pause, replica) in pauses.into_iter().zip(replicas.into_iter().cycle()) {
        known.push(tried(replica, &home, NAME).await);
        unknown.push(tried(replica, &home, "Nobody").await);
        home.clockwork.advance(pause);
    }
    assert_eq!(known, unknown);
    let waits: Vec<bool> = known.iter().map(|(_, wait)| wait.is_some()).collect();
    assert!(waits[..5].iter().all(|waits| !waits) && waits[5..12].iter().any(|waits| *waits), "{waits:?}");
    assert!(waits[13..].iter().all(|waits| !waits), "a day forgets: {waits:?}");
});

both_engines!(a_factor_added_meanwhile_ends_the_sign_ins_that_showed_none, |home| {
    let _proof = verifies!(AUT10);
    let owned = set_up(&home).await;
    crate::factors::somebody(&home, &owned, "Grace", Some(domain::access::Role::Auditor)).await;
    let begin = async || {
        let next = owned.identity.sign_in(&stranger(&home), "Grace", &secret(PASSWORD), DEVICE).await;
        let Ok(Next::Enrol(pending)) = next else { panic!("{next:?}") };
        (crate::scene::App::new(pending.secret_base32.expose()), pending.ticket)
    };
    // An intruder who knows the password has begun, and waits until its person has an authenticator.
    let ((theirs, begun), (mine, ticket)) = (begin().await, begin().await);
    let code = mine.code(&home);
    let done = owned.identity.finish_enrolment(&stranger(&home), &ticket, &code, DEVICE).await.unwrap();
    let end = owned.identity.finish_enrolment(&stranger(&home), &begun, &theirs.code(&home), DEVICE).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    let known = owned.identity.recognise_session(&stranger(&home), &done.session.tokens).await;
    assert!(known.unwrap().is_some(), "its person is still in");
});

both_engines!(a_password_renewed_ends_the_sessions_of_before_and_is_told, |home| {
    let owned = set_up(&home).await;
    crate::factors::somebody(&home, &owned, "Grace", None).await;
    let enter = async |password: &str| {
        owned.identity.sign_in(&stranger(&home), "Grace", &secret(password), DEVICE).await.unwrap()
    };
    home.clockwork.advance(90 * 24 * 3600 - 60);
    let Next::Done(before) = enter(PASSWORD).await else { panic!() };
    home.clockwork.advance(60);
    let (Next::NewPassword { ticket }, Next::NewPassword { ticket: late }) =
        (enter(PASSWORD).await, enter(PASSWORD).await)
    else {
        panic!()
    };
    let renew = async |ticket| {
        owned.identity.renew_password(&stranger(&home), ticket, &secret(OTHER_PASSWORD), DEVICE).await
    };
    let Ok(Next::Done(session)) = renew(&ticket).await else { panic!() };
    assert!(renew(&late).await.is_err());
    let gone = owned.identity.recognise_session(&stranger(&home), &before.tokens).await.unwrap();
    assert!(gone.is_none(), "whoever was in with the old password is out");
    let ctx = crate::scene::ctx_of(&owned.identity, &home, &session).await;
    let news = owned.identity.news(&ctx).await.unwrap();
    assert!(news.iter().any(|(_, one)| *one == identity::News::PasswordChanged), "{news:?}");
});

/// How many wrong tries each entry of the log tells of, by target.
async fn failures(home: &Home) -> Vec<(String, i64)> {
    let permit = home.instance(Job::Checks, Action::ReadInstance);
    let records = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
    let failed = records.into_iter().filter(|record| record.act == Act::SignInFailed.name());
    failed.map(|record| (record.target, record.count)).collect()
}

both_engines!(made_up_names_leave_one_entry_a_minute_that_says_how_many, |home| {
    let owned = set_up(&home).await;
    let guess = async |identity: &Identity, home: &Home, name: &str| {
        let end = identity.sign_in(&stranger(home), name, &secret(OTHER_PASSWORD), DEVICE).await;
        assert!(matches!(end, Err(Error::Refused)), "{end:?}");
    };
    let of_nobody = |count| (String::new(), count);
    for n in 0..20 {
        guess(&owned.identity, &home, &format!("Nobody {n}")).await;
    }
    assert_eq!(failures(&home).await, [of_nobody(1)], "the first at once, then a minute of silence");
    // The sweep has nothing to say yet; accounts do not wait.
    owned.identity.note_last_strangers(&upkeep(&home)).await.unwrap();
    guess(&owned.identity, &home, NAME).await;
    let of_ada = (owned.done.session.user.to_string(), 1);
    assert_eq!(failures(&home).await, [of_nobody(1), of_ada.clone()]);
    // A restart forgets none, and the next one brings them along.
    drop(owned);
    let home = home.reopen().await;
    let identity = open(&home);
    home.clockwork.advance(60);
    guess(&identity, &home, "Nobody").await;
    assert_eq!(failures(&home).await, [of_nobody(1), of_ada.clone(), of_nobody(20)]);
    // When nobody comes, the sweep does it, once.
    guess(&identity, &home, "Nobody").await;
    home.clockwork.advance(60);
    for _ in 0..2 {
        identity.note_last_strangers(&upkeep(&home)).await.unwrap();
        assert_eq!(failures(&home).await, [of_nobody(1), of_ada.clone(), of_nobody(20), of_nobody(1)]);
    }
});

both_engines!(a_changed_password_ends_the_sign_ins_begun_with_the_one_before, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let before = owned.ticket(&home, PASSWORD).await.unwrap();
    owned.identity.change_password(&ctx, &secret(PASSWORD), &secret(OTHER_PASSWORD)).await.unwrap();
    let code = owned.app.next_code(&home);
    for _ in 0..2 {
        let end = owned.identity.finish_sign_in(&stranger(&home), &before, &code, DEVICE).await;
        assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    }
    // The code was not looked at, and nothing was counted.
    let after = owned.ticket(&home, OTHER_PASSWORD).await.unwrap();
    let end = owned.identity.finish_sign_in(&stranger(&home), &after, &code, DEVICE).await;
    assert!(matches!(end, Ok(Next::Done(_))), "{end:?}");
});

both_engines!(a_changed_password_is_not_renewed_by_a_sign_in_begun_before, |home| {
    let owned = set_up(&home).await;
    home.clockwork.advance(90 * 24 * 3600);
    let mut tickets = Vec::new();
    for _ in 0..2 {
        let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
        let code = owned.app.next_code(&home);
        let next = owned.identity.finish_sign_in(&stranger(&home), &ticket, &code, DEVICE).await.unwrap();
        let Next::NewPassword { ticket } = next else { panic!("{next:?}") };
        tickets.push(ticket);
    }
    let renew = async |ticket, new| {
        owned.identity.renew_password(&stranger(&home), ticket, &secret(new), DEVICE).await
    };
    assert!(renew(&tickets[0], OTHER_PASSWORD).await.is_ok());
    for _ in 0..2 {
        let end = renew(&tickets[1], "Crisp-Orchard-63").await;
        assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    }
    assert!(owned.ticket(&home, OTHER_PASSWORD).await.is_ok());
});

both_engines!(hashing_anew_never_brings_an_old_password_back, |home| {
    let Owned { identity: before, app, done } = set_up(&home).await;
    let hashing = Hashing { memory_kib: 128, passes: 2, ..config().hashing };
    let owned = Owned { identity: open_with(&home, Config { hashing, ..config() }), app, done };
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    let ctx = owned.ctx(&home).await;
    before.change_password(&ctx, &secret(PASSWORD), &secret(OTHER_PASSWORD)).await.unwrap();
    let code = owned.app.next_code(&home);
    let end = owned.identity.finish_sign_in(&stranger(&home), &ticket, &code, DEVICE).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    assert!(matches!(owned.ticket(&home, PASSWORD).await, Err(Error::Refused)));
    assert!(owned.ticket(&home, OTHER_PASSWORD).await.is_ok());
});

both_engines!(an_account_put_out_of_use_ends_the_sign_ins_under_way, |home| {
    let owned = set_up(&home).await;
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    assert_eq!(home.spoil("UPDATE accounts SET active = 0").await, 1);
    let code = owned.app.next_code(&home);
    let end = owned.identity.finish_sign_in(&stranger(&home), &ticket, &code, DEVICE).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
});

#[test]
fn the_decoy_costs_what_a_real_verifier_costs() {
    testkit::run(async {
        // The parameters of the decoy are those new passwords are hashed with.
        let home = testkit::store().await;
        let hashing = Hashing { memory_kib: 256, passes: 3, ..config().hashing };
        let owned = set_up_with(&home, Config { hashing, ..config() }).await;
        assert_eq!(owned.identity.hashing(), hashing);
        let refused = owned.identity.sign_in(&stranger(&home), "Nobody", &secret(PASSWORD), DEVICE).await;
        assert!(matches!(refused, Err(Error::Refused)));
    });
}

#[test]
fn parameters_argon2_does_not_accept_are_refused_at_the_start() {
    testkit::run(async {
        let home = testkit::store().await;
        let hashing = Hashing { memory_kib: 1, ..config().hashing };
        let refused = Identity::new(home.store, Config { hashing, ..config() });
        assert!(matches!(refused, Err(Error::Broken(_))));
    });
}

both_engines!(a_code_is_good_once, |home| {
    let _proof = verifies!(AUT03);
    let owned = set_up(&home).await;
    let code = owned.app.next_code(&home);
    let ctx = stranger(&home);
    let first = owned.ticket(&home, PASSWORD).await.unwrap();
    let second = owned.ticket(&home, PASSWORD).await.unwrap();
    assert!(matches!(owned.identity.finish_sign_in(&ctx, &first, &code, DEVICE).await, Ok(Next::Done(_))));
    let replayed = owned.identity.finish_sign_in(&ctx, &second, &code, DEVICE).await;
    assert!(matches!(replayed, Err(Error::Refused)), "{replayed:?}");
    // An earlier code that would still be in its window is refused as well.
    home.clockwork.advance(30);
    let newer = owned.app.code(&home);
    assert!(matches!(owned.identity.finish_sign_in(&ctx, &second, &newer, DEVICE).await, Ok(Next::Done(_))));
});

both_engines!(of_two_who_show_the_same_code_at_once_one_gets_in, |home| {
    let _proof = verifies!(AUT03);
    let owned = set_up(&home).await;
    let code = owned.app.next_code(&home);
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
        let (identity, ctx, code) = (owned.identity.clone(), stranger(&home), code.clone());
        tries.spawn(async move { identity.finish_sign_in(&ctx, &ticket, &code, DEVICE).await.is_ok() });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|done| *done).count(), 1);
});

both_engines!(a_recovery_code_opens_once_in_any_spelling, |home| {
    let _proof = verifies!(AUT04);
    let owned = set_up(&home).await;
    let ctx = stranger(&home);
    let code = owned.done.recovery_codes[3].expose().to_uppercase().replace('-', " ");
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    let done = owned.identity.finish_sign_in(&ctx, &ticket, &code, DEVICE).await;
    assert!(matches!(done, Ok(Next::Done(_))), "{done:?}");
    assert_eq!(owned.identity.recovery_codes_left(&owned.ctx(&home).await).await.unwrap(), 9);
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    let again = owned.identity.finish_sign_in(&ctx, &ticket, &code, DEVICE).await;
    assert!(matches!(again, Err(Error::Refused)), "{again:?}");
    let other = owned.done.recovery_codes[4].expose();
    assert!(matches!(owned.identity.finish_sign_in(&ctx, &ticket, other, DEVICE).await, Ok(Next::Done(_))));
});

#[test]
fn a_ticket_opens_one_door_once_and_not_for_long() {
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        let ctx = stranger(&home);
        let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
        // A sign-in ticket is not one for a new password.
        let early = owned.identity.renew_password(&ctx, &ticket, &secret(OTHER_PASSWORD), DEVICE).await;
        assert!(matches!(early, Err(Error::TicketGone)), "{early:?}");
        let code = owned.app.next_code(&home);
        assert!(owned.identity.finish_sign_in(&ctx, &ticket, &code, DEVICE).await.is_ok());
        let code = owned.app.next_code(&home);
        let used = owned.identity.finish_sign_in(&ctx, &ticket, &code, DEVICE).await;
        assert!(matches!(used, Err(Error::TicketGone)), "{used:?}");
        let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
        home.clockwork.advance(5 * 60);
        let late = owned.identity.finish_sign_in(&ctx, &ticket, &owned.app.code(&home), DEVICE).await;
        assert!(matches!(late, Err(Error::TicketGone)), "{late:?}");
    });
}

/// Guesses until told to wait; says after how many, and for how long.
async fn guess_until_throttled(identity: &Identity, home: &Home, name: &str) -> (u32, u32) {
    for tried in 0..20 {
        match identity.sign_in(&stranger(home), name, &secret("Wrong-Guess-11"), DEVICE).await {
            Err(Error::Refused) => {}
            Err(Error::Throttled { retry_after_s }) => return (tried, retry_after_s),
            other => panic!("{other:?}"),
        }
    }
    panic!("never throttled");
}

both_engines!(guessing_is_slowed_down_for_names_that_exist_and_names_that_do_not, |home| {
    let _proof = verifies!(AUT06);
    let owned = set_up(&home).await;
    let known = guess_until_throttled(&owned.identity, &home, NAME).await;
    let unknown = guess_until_throttled(&owned.identity, &home, "Nobody").await;
    assert_eq!(known, (5, 2));
    assert_eq!(unknown, (5, 2));
    // While one waits, even the right password is not looked at.
    let hashes = owned.identity.hashes();
    let waiting = owned.ticket(&home, PASSWORD).await;
    assert!(matches!(waiting, Err(Error::Throttled { .. })), "{waiting:?}");
    assert_eq!(owned.identity.hashes(), hashes);
    // Another name is not held up, and after the wait the person gets in, which forgets the failures.
    home.clockwork.advance(2);
    assert!(owned.sign_in(&home, PASSWORD).await.is_ok());
    assert_eq!(guess_until_throttled(&owned.identity, &home, NAME).await.0, 5);
});

both_engines!(a_restart_does_not_forget_failures, |home| {
    let _proof = verifies!(AUT06);
    let owned = set_up(&home).await;
    guess_until_throttled(&owned.identity, &home, NAME).await;
    drop(owned);
    let home = home.reopen().await;
    let identity = open(&home);
    let waiting = identity.sign_in(&stranger(&home), NAME, &secret(PASSWORD), DEVICE).await;
    assert!(matches!(waiting, Err(Error::Throttled { .. })), "{waiting:?}");
});

#[test]
fn guesses_sent_at_once_are_not_let_through_together() {
    let _proof = verifies!(AUT06);
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        let mut guesses = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let (identity, ctx) = (owned.identity.clone(), stranger(&home));
            guesses
                .spawn(async move { identity.sign_in(&ctx, NAME, &secret("Wrong-Guess-11"), DEVICE).await });
        }
        let ends = guesses.join_all().await;
        assert_eq!(ends.iter().filter(|end| matches!(end, Err(Error::Refused))).count(), 5);
        assert!(ends.iter().all(|end| matches!(end, Err(Error::Refused | Error::Throttled { .. }))));
    });
}

both_engines!(wrong_codes_count_like_wrong_passwords_and_end_the_ticket, |home| {
    let _proof = verifies!(AUT06);
    let owned = set_up(&home).await;
    let ctx = stranger(&home);
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    for code in ["000000", "1", "", "aaaa-aaaa-aaaa-aaaa", "999999"] {
        let wrong = owned.identity.finish_sign_in(&ctx, &ticket, code, DEVICE).await;
        assert!(matches!(wrong, Err(Error::Refused)), "{code}: {wrong:?}");
    }
    let gone = owned.identity.finish_sign_in(&ctx, &ticket, "000000", DEVICE).await;
    assert!(matches!(gone, Err(Error::TicketGone)), "{gone:?}");
    // The right password does not wash the failures away: the next code has to wait.
    let waiting = owned.ticket(&home, PASSWORD).await;
    assert!(matches!(waiting, Err(Error::Throttled { .. })), "{waiting:?}");
    home.clockwork.advance(2);
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    let wrong = owned.identity.finish_sign_in(&ctx, &ticket, "000000", DEVICE).await;
    assert!(matches!(wrong, Err(Error::Refused)), "{wrong:?}");
    let waiting = owned.identity.finish_sign_in(&ctx, &ticket, &owned.app.code(&home), DEVICE).await;
    assert!(matches!(waiting, Err(Error::Throttled { .. })), "{waiting:?}");
    // A try that had to wait did not cost the ticket.
    home.clockwork.advance(4);
    let code = owned.app.next_code(&home);
    assert!(owned.identity.finish_sign_in(&ctx, &ticket, &code, DEVICE).await.is_ok());
});

both_engines!(weaker_verifiers_are_made_anew_when_their_person_signs_in, |home| {
    let _proof = verifies!(AUT02);
    let owned = set_up(&home).await;
    let hashing = Hashing { memory_kib: 128, passes: 2, ..config().hashing };
    let Owned { app, done, .. } = owned;
    let owned = Owned { identity: open_with(&home, Config { hashing, ..config() }), app, done };
    let ctx = owned.ctx(&home).await;
    let before = owned.identity.password_expires(&ctx).await.unwrap();
    owned.sign_in(&home, PASSWORD).await.unwrap();
    let permit = authorize(&ctx, Action::ReadAccount, Resource::Of(owned.done.session.user)).unwrap();
    let kept = credentials::password(&home.store, &permit).await.unwrap().unwrap();
    assert!(kept.verifier.contains("m=128,t=2,p=1"), "{}", kept.verifier);
    // Hashing anew is not a change of the password: its age stays.
    assert_eq!(owned.identity.password_expires(&ctx).await.unwrap(), before);
    assert!(owned.sign_in(&home, PASSWORD).await.is_ok());
});

both_engines!(a_password_that_is_too_old_must_be_changed_on_the_way_in, |home| {
    let _proof = verifies!(AUT01);
    let owned = set_up(&home).await;
    home.clockwork.advance(90 * 24 * 3600);
    let ctx = stranger(&home);
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    let code = owned.app.next_code(&home);
    let next = owned.identity.finish_sign_in(&ctx, &ticket, &code, DEVICE).await.unwrap();
    let Next::NewPassword { ticket } = next else { panic!("{next:?}") };
    // The ticket is for a new password and nothing else.
    let code = owned.app.next_code(&home);
    assert!(matches!(
        owned.identity.finish_sign_in(&ctx, &ticket, &code, DEVICE).await,
        Err(Error::TicketGone)
    ));
    for refused in ["short", PASSWORD] {
        let end = owned.identity.renew_password(&ctx, &ticket, &secret(refused), DEVICE).await;
        assert!(matches!(end, Err(Error::Password { .. })), "{end:?}");
    }
    let next = owned.identity.renew_password(&ctx, &ticket, &secret(OTHER_PASSWORD), DEVICE).await.unwrap();
    let Next::Done(session) = next else { panic!("{next:?}") };
    assert!(owned.identity.recognise_session(&ctx, &session.tokens).await.unwrap().is_some());
    assert!(matches!(owned.ticket(&home, PASSWORD).await, Err(Error::Refused)));
    assert!(owned.sign_in(&home, OTHER_PASSWORD).await.is_ok());
});

#[test]
fn answers_leave_on_the_grid() {
    testkit::run(async {
        let home = testkit::store().await;
        let grid = std::time::Duration::from_millis(40);
        let owned = set_up_with(&home, Config { answer_grid: grid, ..config() }).await;
        // Whatever happens inside, nothing leaves before the first line of the grid.
        for name in [NAME, "Nobody"] {
            let came = std::time::Instant::now();
            let _ = owned.identity.sign_in(&stranger(&home), name, &secret(OTHER_PASSWORD), DEVICE).await;
            assert!(came.elapsed() >= grid, "{name}");
        }
    });
}
