//! First run: one owner, made whole or not at all.

use crate::scene::{App, DEVICE, NAME, PASSWORD, open, secret, set_up, stranger};
use domain::{Action, Actor, access::Role, audit::Act, password::Problem, verifies};
use identity::{Error, Next};
use store::{accounts, credentials};
use testkit::both_engines;

both_engines!(setup_makes_the_owner_and_signs_them_in, |home| {
    let owned = set_up(&home).await;
    assert!(!owned.identity.setup_needed().await.unwrap());
    let ctx = stranger(&home);
    let known = owned.identity.recognise_session(&ctx, &owned.done.session.tokens).await.unwrap().unwrap();
    assert_eq!(known.name, NAME);
    let Actor::Person { standing, session, .. } = known.actor else { panic!("a person") };
    assert!(standing.roles.has(Role::Owner) && standing.roles.has(Role::User));
    assert_eq!(session, owned.done.session.id);
    assert_eq!(owned.done.recovery_codes.len(), 10);
    let ctx = ctx.acting_as(known.actor);
    assert_eq!(owned.identity.recovery_codes_left(&ctx).await.unwrap(), 10);
    let sessions = owned.identity.sessions(&ctx).await.unwrap();
    assert!(sessions.len() == 1 && sessions[0].current && sessions[0].device == DEVICE);
});

both_engines!(of_two_who_finish_at_once_one_becomes_the_owner, |home| {
    let identity = open(&home);
    let ctx = stranger(&home);
    let code = identity.issue_setup_code(&ctx).await.unwrap().unwrap();
    let mut begun = Vec::new();
    for n in 0..8 {
        let name = format!("Person {n}");
        begun.push(identity.begin_setup(&ctx, &code, &name, &secret(PASSWORD)).await.unwrap());
    }
    let mut tries = tokio::task::JoinSet::new();
    for pending in begun {
        let totp = App::new(pending.secret_base32.expose()).code(&home);
        let (identity, ctx) = (identity.clone(), ctx.clone());
        tries.spawn(
            async move { identity.finish_setup(&ctx, &pending.ticket, &totp, DEVICE).await.map(|_| ()) },
        );
    }
    let ends = tries.join_all().await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    for end in ends.into_iter().filter_map(Result::err) {
        assert!(matches!(end, Error::AlreadySetUp | Error::TicketGone), "{end:?}");
    }
    assert_eq!(accounts::count(&home.store).await.unwrap(), 1);
});

both_engines!(nothing_is_written_before_the_authenticator_has_proven_itself, |home| {
    let identity = open(&home);
    let ctx = stranger(&home);
    let code = identity.issue_setup_code(&ctx).await.unwrap().unwrap();
    let pending = identity.begin_setup(&ctx, &code, NAME, &secret(PASSWORD)).await.unwrap();
    let wrong = identity.finish_setup(&ctx, &pending.ticket, "000000", DEVICE).await;
    assert!(matches!(wrong, Err(Error::Refused)), "{wrong:?}");
    assert_eq!(accounts::count(&home.store).await.unwrap(), 0);
    assert!(identity.setup_needed().await.unwrap());
    // The page shows the same secret again, and the right code still works.
    let again = identity.setup_factor(&ctx, &pending.ticket).unwrap();
    assert_eq!(again.secret_base32.expose(), pending.secret_base32.expose());
    let totp = App::new(again.secret_base32.expose()).code(&home);
    assert!(identity.finish_setup(&ctx, &again.ticket, &totp, DEVICE).await.is_ok());
});

#[test]
fn the_setup_code_opens_setup_until_there_is_an_account() {
    testkit::run(async {
        let home = testkit::store().await;
        let identity = open(&home);
        let ctx = stranger(&home);
        let first = identity.issue_setup_code(&ctx).await.unwrap().unwrap();
        assert_eq!(first.expose().len(), 28 + 6);
        let code = identity.issue_setup_code(&ctx).await.unwrap().unwrap();
        assert!(!identity.setup_code_is_valid(first.expose()), "a newer code replaces the older");
        assert!(identity.setup_code_is_valid(code.expose()));
        assert!(identity.setup_code_is_valid(&code.expose().to_lowercase().replace('-', " ")));
        for not in ["", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", &code.expose()[1..]] {
            assert!(!identity.setup_code_is_valid(not), "{not}");
            let refused = identity.begin_setup(&ctx, &secret(not), NAME, &secret(PASSWORD)).await;
            assert!(matches!(refused, Err(Error::SetupCode)), "{refused:?}");
        }
        let begun = identity.begin_setup(&ctx, &code, NAME, &secret(PASSWORD)).await.unwrap();
        let late = identity.begin_setup(&ctx, &code, "Late", &secret(PASSWORD)).await.unwrap();
        let totp = App::new(begun.secret_base32.expose()).code(&home);
        identity.finish_setup(&ctx, &begun.ticket, &totp, DEVICE).await.unwrap();
        assert!(!identity.setup_code_is_valid(code.expose()), "the code is dead");
        assert!(identity.issue_setup_code(&ctx).await.unwrap().is_none());
        let refused = identity.begin_setup(&ctx, &code, "Late", &secret(PASSWORD)).await;
        assert!(matches!(refused, Err(Error::AlreadySetUp)), "{refused:?}");
        let totp = App::new(late.secret_base32.expose()).code(&home);
        let refused = identity.finish_setup(&ctx, &late.ticket, &totp, DEVICE).await;
        assert!(matches!(refused, Err(Error::TicketGone)), "{refused:?}");
        // After a restart as well.
        assert!(open(&home).issue_setup_code(&ctx).await.unwrap().is_none());
    });
}

#[test]
fn a_setup_that_takes_too_long_starts_again() {
    testkit::run(async {
        let home = testkit::store().await;
        let identity = open(&home);
        let ctx = stranger(&home);
        let code = identity.issue_setup_code(&ctx).await.unwrap().unwrap();
        let pending = identity.begin_setup(&ctx, &code, NAME, &secret(PASSWORD)).await.unwrap();
        home.clockwork.advance(15 * 60);
        let totp = App::new(pending.secret_base32.expose()).code(&home);
        let gone = identity.finish_setup(&ctx, &pending.ticket, &totp, DEVICE).await;
        assert!(matches!(gone, Err(Error::TicketGone)), "{gone:?}");
        assert!(matches!(identity.setup_factor(&ctx, &pending.ticket), Err(Error::TicketGone)));
    });
}

#[test]
fn setup_refuses_weak_passwords_and_impossible_names() {
    let _proof = verifies!(AUT01);
    testkit::run(async {
        let home = testkit::store().await;
        let identity = open(&home);
        let ctx = stranger(&home);
        let code = identity.issue_setup_code(&ctx).await.unwrap().unwrap();
        let weak = identity.begin_setup(&ctx, &code, NAME, &secret("lovelace")).await;
        let Err(Error::Password { problems }) = weak else { panic!("{weak:?}") };
        assert!(
            problems.contains(&Problem::TooShort { min: 12 }) && problems.contains(&Problem::ContainsName)
        );
        for name in ["", "  ", "a\nb", &"a".repeat(65)] {
            let refused = identity.begin_setup(&ctx, &code, name, &secret(PASSWORD)).await;
            assert!(matches!(refused, Err(Error::Name(_))), "{refused:?}");
        }
        assert_eq!(identity.hashes(), 0, "nothing is hashed that will not be kept");
    });
}

#[test]
fn the_code_that_proved_the_authenticator_does_not_sign_in() {
    let _proof = verifies!(AUT03);
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
        let replayed = owned.app.code(&home);
        let refused = owned.identity.finish_sign_in(&stranger(&home), &ticket, &replayed, DEVICE).await;
        assert!(matches!(refused, Err(Error::Refused)), "{refused:?}");
        let fresh = owned.app.next_code(&home);
        let done = owned.identity.finish_sign_in(&stranger(&home), &ticket, &fresh, DEVICE).await;
        assert!(matches!(done, Ok(Next::Done(_))), "{done:?}");
    });
}

both_engines!(what_is_kept_of_the_credentials_opens_nothing, |home| {
    let _proof = verifies!(AUT02);
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let permit =
        domain::authorize(&ctx, Action::ReadAccount, domain::Resource::Of(owned.done.session.user)).unwrap();
    let kept = credentials::password(&home.store, &permit).await.unwrap().unwrap();
    assert!(kept.verifier.starts_with("1$argon2id$v=19$m=64,t=1,p=1$"), "{}", kept.verifier);
    // Without the pepper the right password does not verify: a stolen database cannot be guessed.
    let hash = argon2::PasswordHash::new(&kept.verifier[1..]).unwrap();
    let bare =
        argon2::PasswordVerifier::verify_password(&argon2::Argon2::default(), PASSWORD.as_bytes(), &hash);
    assert!(bare.is_err());
    let audited =
        store::audit::list(&home.store, &home.instance(domain::Job::Checks, Action::ReadInstance), 0, 100)
            .await
            .unwrap();
    assert!(audited.iter().any(|record| record.act == Act::AccountCreated.name()));
});
