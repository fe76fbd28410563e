//! One's own account: settings, the password, recovery codes.

use domain::{password::Problem, verifies};
use identity::{Config, Error, Next, Settings};
use testkit::both_engines;

use crate::scene::{DEVICE, NAME, OTHER_PASSWORD, PASSWORD, config, secret, set_up, set_up_with, stranger};

both_engines!(settings_are_kept, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let settings =
        Settings { language: "hi".to_owned(), theme: "dark".to_owned(), model: Some("m".to_owned()) };
    owned.identity.save_settings(&ctx, &settings).await.unwrap();
    let account = owned.identity.account(&ctx).await.unwrap();
    assert_eq!((account.name.as_str(), account.settings), (NAME, settings));
    let long = Settings { theme: "x".repeat(10_000), ..Settings::default() };
    assert!(matches!(owned.identity.save_settings(&ctx, &long).await, Err(Error::Setting)));
});

both_engines!(changing_the_password_takes_the_current_one_and_ends_other_sessions, |home| {
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let elsewhere = owned.sign_in(&home, PASSWORD).await.unwrap();
    let wrong =
        owned.identity.change_password(&ctx, &secret("Wrong-Guess-11"), &secret(OTHER_PASSWORD)).await;
    assert!(matches!(wrong, Err(Error::Refused)), "{wrong:?}");
    let weak = owned.identity.change_password(&ctx, &secret(PASSWORD), &secret("Lovelace-1")).await;
    let Err(Error::Password { problems }) = weak else { panic!("{weak:?}") };
    assert_eq!(problems, [Problem::TooShort { min: 12 }, Problem::ContainsName]);
    owned.identity.change_password(&ctx, &secret(PASSWORD), &secret(OTHER_PASSWORD)).await.unwrap();
    assert!(matches!(owned.ticket(&home, PASSWORD).await, Err(Error::Refused)));
    assert!(owned.ticket(&home, OTHER_PASSWORD).await.is_ok());
    let ended = owned.identity.recognise_session(&stranger(&home), &elsewhere.tokens).await.unwrap();
    assert!(ended.is_none());
    let here = owned.identity.recognise_session(&stranger(&home), &owned.done.session.tokens).await.unwrap();
    assert!(here.is_some());
});

both_engines!(a_password_is_not_used_again_within_the_policys_memory, |home| {
    let _proof = verifies!(AUT07);
    let mut settings: Config = config();
    settings.numbers.password_history = 2;
    let owned = set_up_with(&home, settings).await;
    let ctx = owned.ctx(&home).await;
    let change =
        async |from: &str, to: &str| owned.identity.change_password(&ctx, &secret(from), &secret(to)).await;
    let passwords = [PASSWORD, OTHER_PASSWORD, "Crisp-Orchard-63", "Amber-Railway-18"];
    let reused = |end| matches!(end, Err(Error::Password { problems }) if problems == [Problem::Reused]);
    assert!(reused(change(passwords[0], passwords[0]).await), "the one in force");
    change(passwords[0], passwords[1]).await.unwrap();
    assert!(reused(change(passwords[1], passwords[0]).await), "the one before");
    change(passwords[1], passwords[2]).await.unwrap();
    assert!(reused(change(passwords[2], passwords[0]).await), "two before");
    change(passwords[2], passwords[3]).await.unwrap();
    // Beyond the memory of two it may come back.
    change(passwords[3], passwords[0]).await.unwrap();
});

#[test]
fn guessing_the_current_password_from_a_stolen_session_is_slowed_down() {
    let _proof = verifies!(AUT06);
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        let ctx = owned.ctx(&home).await;
        let guess = async || {
            owned.identity.change_password(&ctx, &secret("Wrong-Guess-11"), &secret(OTHER_PASSWORD)).await
        };
        for _ in 0..5 {
            assert!(matches!(guess().await, Err(Error::Refused)));
        }
        assert!(matches!(guess().await, Err(Error::Throttled { retry_after_s: 2 })));
        assert!(owned.ticket(&home, PASSWORD).await.is_ok(), "it keeps nobody from signing in");
    });
}

both_engines!(new_recovery_codes_replace_the_old_against_a_fresh_code, |home| {
    let _proof = verifies!(AUT03);
    let owned = set_up(&home).await;
    let ctx = owned.ctx(&home).await;
    let refused = owned.identity.new_recovery_codes(&ctx, "000000").await;
    assert!(matches!(refused, Err(Error::Refused)), "{refused:?}");
    // A recovery code is not a way to make more of them.
    let refused = owned.identity.new_recovery_codes(&ctx, owned.done.recovery_codes[0].expose()).await;
    assert!(matches!(refused, Err(Error::Refused)), "{refused:?}");
    let code = owned.app.next_code(&home);
    let codes = owned.identity.new_recovery_codes(&ctx, &code).await.unwrap();
    assert_eq!(codes.len(), 10);
    let refused = owned.identity.new_recovery_codes(&ctx, &code).await;
    assert!(matches!(refused, Err(Error::Refused)), "a replayed code: {refused:?}");
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    let old = owned.done.recovery_codes[1].expose();
    let refused = owned.identity.finish_sign_in(&stranger(&home), &ticket, old, DEVICE).await;
    assert!(matches!(refused, Err(Error::Refused)), "{refused:?}");
    let done = owned.identity.finish_sign_in(&stranger(&home), &ticket, codes[1].expose(), DEVICE).await;
    assert!(matches!(done, Ok(Next::Done(_))), "{done:?}");
});

#[test]
fn the_password_says_when_it_must_be_changed() {
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        let ctx = owned.ctx(&home).await;
        let ends = owned.identity.password_expires(&ctx).await.unwrap().unwrap();
        assert_eq!(ends.seconds_since(home.clockwork.now()) / (24 * 3600), 89);
        let mut settings = config();
        settings.numbers.password_max_days = 0;
        let identity = identity::Identity::new(home.store.clone(), settings).unwrap();
        assert_eq!(identity.password_expires(&ctx).await.unwrap(), None);
    });
}
