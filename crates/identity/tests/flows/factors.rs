//! Which accounts need a second factor, adding and taking away, notice of a password that is due.

use domain::{
    Action, Actor, Ctx, Missing,
    access::{Role, Roles},
    audit::{Act, Entry},
    password::Problem,
    verifies,
};
use identity::{Config, Error, Identity, NewSession, Next, Profile, Require};
use store::{accounts, credentials};
use testkit::{Home, both_engines};

use crate::scene::{
    App, DEVICE, NAME, OTHER_PASSWORD, Owned, PASSWORD, config, ctx_of, open_with, secret, set_up, stranger,
};

/// Somebody with the password [`PASSWORD`] and no factor.
pub(crate) async fn somebody(
    home: &Home,
    owned: &Owned,
    name: &str,
    role: Option<Role>,
) -> domain::id::UserId {
    let owner = owned.ctx(home).await;
    let owners =
        domain::authorize(&owner, Action::ReadAccount, domain::Resource::Of(owned.done.session.user));
    let verifier = credentials::password(&home.store, &owners.unwrap()).await.unwrap().unwrap().verifier;
    let setup = home.ctx(Actor::System(domain::Job::Setup));
    let id = domain::id::UserId::fresh(&setup);
    let permit = domain::authorize(&setup, Action::WriteAccount, domain::Resource::Of(id)).unwrap();
    let roles = role.map_or(Roles::NONE, |role| Roles::NONE.with(role)).with(Role::User);
    let mut tx = home.store.begin(&setup).await.unwrap();
    accounts::create(&mut tx, &permit, id, name, roles).await.unwrap();
    credentials::set_password(&mut tx, &permit, &verifier, home.clockwork.now()).await.unwrap();
    tx.commit(Entry::new(Act::AccountCreated, id)).await.unwrap();
    id
}

async fn sign_in(identity: &Identity, home: &Home, name: &str) -> Next {
    identity.sign_in(&stranger(home), name, &secret(PASSWORD), DEVICE).await.unwrap()
}

/// Signs an account without a factor in that must add one.
pub(crate) async fn enrol(identity: &Identity, home: &Home, name: &str) -> (NewSession, App) {
    let next = sign_in(identity, home, name).await;
    let Next::Enrol(pending) = next else { panic!("{next:?}") };
    let app = App::new(pending.secret_base32.expose());
    let done =
        identity.finish_enrolment(&stranger(home), &pending.ticket, &app.code(home), DEVICE).await.unwrap();
    assert_eq!(done.recovery_codes.len(), 10);
    (done.session, app)
}

fn shown(ctx: &Ctx) -> bool {
    let Actor::Person { standing, .. } = ctx.actor else { panic!() };
    standing.shown.second_factor
}

both_engines!(a_user_without_a_factor_gets_in_and_the_session_says_so, |home| {
    let owned = set_up(&home).await;
    somebody(&home, &owned, "Grace", None).await;
    let Next::Done(session) = sign_in(&owned.identity, &home, "Grace").await else { panic!() };
    let ctx = ctx_of(&owned.identity, &home, &session).await;
    assert!(!shown(&ctx));
    assert!(!owned.identity.notices(&ctx).await.unwrap().factor_missing, "nothing of theirs needs one");
    // The first factor brings recovery codes and is asked for from then on.
    let Next::Done(elsewhere) = sign_in(&owned.identity, &home, "Grace").await else { panic!() };
    let pending = owned.identity.begin_authenticator(&ctx).await.unwrap();
    let app = App::new(pending.secret_base32.expose());
    let wrong = owned.identity.finish_authenticator(&ctx, &pending.ticket, "000000").await;
    assert!(matches!(wrong, Err(Error::Refused)));
    assert!(owned.identity.pending_authenticator(&ctx, &pending.ticket).await.is_ok());
    let codes = owned.identity.finish_authenticator(&ctx, &pending.ticket, &app.code(&home)).await.unwrap();
    assert_eq!(codes.unwrap().len(), 10);
    let gone = owned.identity.recognise_session(&stranger(&home), &elsewhere.tokens).await.unwrap();
    assert!(gone.is_none(), "who was in with the password alone is out");
    let news = owned.identity.news(&ctx).await.unwrap();
    assert!(news.iter().any(|(_, one)| *one == identity::News::FactorsChanged), "{news:?}");
    assert!(matches!(sign_in(&owned.identity, &home, "Grace").await, Next::Factor { passkey: false, .. }));
    // Who has the password and this browser alone does not bring a second one.
    let end = owned.identity.begin_authenticator(&ctx).await;
    let Err(Error::Denied(denied)) = end else { panic!("{end:?}") };
    assert_eq!(denied.missing, Some(Missing::SecondFactor));
    // With the factor shown, a user may also go without again; the codes go with it.
    let Next::Factor { ticket, .. } = sign_in(&owned.identity, &home, "Grace").await else { panic!() };
    let code = app.next_code(&home);
    let next = owned.identity.finish_sign_in(&stranger(&home), &ticket, &code, DEVICE).await.unwrap();
    let Next::Done(session) = next else { panic!("{next:?}") };
    let ctx = ctx_of(&owned.identity, &home, &session).await;
    owned.identity.remove_authenticator(&ctx).await.unwrap();
    assert_eq!(owned.identity.factors(&ctx).await.unwrap().codes_left, 0);
    assert!(matches!(sign_in(&owned.identity, &home, "Grace").await, Next::Done(_)));
});

both_engines!(who_administers_adds_a_factor_before_anything_else, |home| {
    let _proof = verifies!(AUT10);
    let owned = set_up(&home).await;
    somebody(&home, &owned, "Grace", Some(Role::Administrator)).await;
    let next = sign_in(&owned.identity, &home, "Grace").await;
    let Next::Enrol(pending) = next else { panic!("{next:?}") };
    // The ticket is for adding a factor and nothing else.
    for code in ["000000", "123"] {
        let end = owned.identity.finish_enrolment(&stranger(&home), &pending.ticket, code, DEVICE).await;
        assert!(matches!(end, Err(Error::Refused)), "{end:?}");
    }
    let end = owned.identity.finish_sign_in(&stranger(&home), &pending.ticket, "000000", DEVICE).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    assert!(owned.identity.pending_enrolment(&stranger(&home), &pending.ticket).await.is_ok());
    let (session, _) = enrol(&owned.identity, &home, "Grace").await;
    let ctx = ctx_of(&owned.identity, &home, &session).await;
    assert!(shown(&ctx));
    // And the last one stays.
    let end = owned.identity.remove_authenticator(&ctx).await;
    assert!(matches!(end, Err(Error::LastFactor)), "{end:?}");
    assert!(matches!(sign_in(&owned.identity, &home, "Grace").await, Next::Factor { .. }));
});

#[test]
fn an_instance_may_ask_everybody_for_a_factor() {
    let _proof = verifies!(AUT10);
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        somebody(&home, &owned, "Grace", None).await;
        let strict = open_with(&home, Config { require_second_factor: Require::Everyone, ..config() });
        let (session, _) = enrol(&strict, &home, "Grace").await;
        let ctx = ctx_of(&strict, &home, &session).await;
        assert!(matches!(strict.remove_authenticator(&ctx).await, Err(Error::LastFactor)));
    });
}

#[test]
fn an_expired_password_is_renewed_before_the_factor_is_added() {
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        somebody(&home, &owned, "Grace", Some(Role::Auditor)).await;
        home.clockwork.advance(90 * 24 * 3600);
        let next = sign_in(&owned.identity, &home, "Grace").await;
        let Next::NewPassword { ticket } = next else { panic!("{next:?}") };
        let next =
            owned.identity.renew_password(&stranger(&home), &ticket, &secret(OTHER_PASSWORD), DEVICE).await;
        let Ok(Next::Enrol(pending)) = next else { panic!("{next:?}") };
        let app = App::new(pending.secret_base32.expose());
        let code = app.code(&home);
        assert!(
            owned.identity.finish_enrolment(&stranger(&home), &pending.ticket, &code, DEVICE).await.is_ok()
        );
    });
}

both_engines!(replacing_the_authenticator_ends_the_old_one_and_every_other_session, |home| {
    let owned = set_up(&home).await;
    let elsewhere = owned.sign_in(&home, PASSWORD).await.unwrap();
    let ctx = owned.ctx(&home).await;
    let pending = owned.identity.begin_authenticator(&ctx).await.unwrap();
    let app = App::new(pending.secret_base32.expose());
    let codes = owned.identity.finish_authenticator(&ctx, &pending.ticket, &app.code(&home)).await.unwrap();
    assert!(codes.is_none(), "the recovery codes stay");
    let ended = owned.identity.recognise_session(&stranger(&home), &elsewhere.tokens).await.unwrap();
    assert!(ended.is_none());
    let ticket = owned.ticket(&home, PASSWORD).await.unwrap();
    let old = owned.app.next_code(&home);
    let end = owned.identity.finish_sign_in(&stranger(&home), &ticket, &old, DEVICE).await;
    assert!(matches!(end, Err(Error::Refused)), "{end:?}");
    let end = owned.identity.finish_sign_in(&stranger(&home), &ticket, &app.code(&home), DEVICE).await;
    assert!(matches!(end, Ok(Next::Done(_))), "{end:?}");
});

#[test]
fn notice_comes_before_a_password_is_due() {
    let _proof = verifies!(AUT12);
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        let day = 24 * 3600;
        home.clockwork.advance(75 * day);
        let session = owned.sign_in(&home, PASSWORD).await.unwrap();
        let ctx = ctx_of(&owned.identity, &home, &session).await;
        assert_eq!(owned.identity.notices(&ctx).await.unwrap().password_due, None);
        home.clockwork.advance(day);
        let due = owned.identity.notices(&ctx).await.unwrap().password_due.unwrap();
        assert_eq!(due, owned.identity.password_expires(&ctx).await.unwrap().unwrap());
    });
}

#[test]
fn under_the_nist_profile_length_counts_and_age_does_not() {
    testkit::run(async {
        let home = testkit::store().await;
        let owned = set_up(&home).await;
        somebody(&home, &owned, "Grace", None).await;
        let mut settings = Config { password_profile: Profile::Nist, ..config() };
        for (name, value) in Profile::Nist.numbers() {
            match *name {
                "password_min_chars" => settings.numbers.password_min_chars = *value,
                "password_min_chars_with_factor" => settings.numbers.password_min_chars_with_factor = *value,
                "password_classes" => settings.numbers.password_classes = *value,
                _ => settings.numbers.password_max_days = *value,
            }
        }
        let nist = open_with(&home, settings);
        home.clockwork.advance(400 * 24 * 3600);
        let next = sign_in(&nist, &home, "Grace").await;
        let Next::Done(session) = next else { panic!("an old password is no reason to change it: {next:?}") };
        let grace = ctx_of(&nist, &home, &session).await;
        let end = nist.change_password(&grace, &secret(PASSWORD), &secret("quiet harbour")).await;
        let Err(Error::Password { problems }) = end else { panic!("{end:?}") };
        assert_eq!(problems, [Problem::TooShort { min: 15 }]);
        nist.change_password(&grace, &secret(PASSWORD), &secret("quiet harbour lantern")).await.unwrap();
        // Beside a factor eight will do, and then the factor stays.
        let next = nist.sign_in(&stranger(&home), NAME, &secret(PASSWORD), DEVICE).await.unwrap();
        let Next::Factor { ticket, .. } = next else { panic!("{next:?}") };
        let code = owned.app.next_code(&home);
        let next = nist.finish_sign_in(&stranger(&home), &ticket, &code, DEVICE).await.unwrap();
        let Next::Done(session) = next else { panic!("{next:?}") };
        let ada = ctx_of(&nist, &home, &session).await;
        nist.change_password(&ada, &secret(PASSWORD), &secret("lantern9")).await.unwrap();
        assert!(matches!(nist.remove_authenticator(&ada).await, Err(Error::LastFactor)));
    });
}

both_engines!(a_raised_pepper_makes_verifiers_anew_when_their_person_signs_in, |home| {
    let Owned { app, done, .. } = set_up(&home).await;
    let owned = Owned { identity: open_with(&home, Config { pepper: 2, ..config() }), app, done };
    owned.sign_in(&home, PASSWORD).await.unwrap();
    let ctx = owned.ctx(&home).await;
    let user = owned.done.session.user;
    let permit = domain::authorize(&ctx, Action::ReadAccount, domain::Resource::Of(user)).unwrap();
    let kept = credentials::password(&home.store, &permit).await.unwrap().unwrap();
    assert!(kept.verifier.starts_with("2$argon2id$"), "{}", &kept.verifier[..12]);
    assert!(owned.sign_in(&home, PASSWORD).await.is_ok());
});
