//! What a sign-in at another service counts for here: as a confirmation, as a factor, and for an owner.

use domain::{
    Action, Actor, Ctx, Missing, Resource, Timestamp,
    access::{Role, Roles},
    audit::{Act, Entry},
    authorize,
    id::UserId,
    verifies,
};
use identity::{Config, Error, Next, Require, SsoAnswer, SsoBegun, SsoProblem};
use serde_json::json;

use crate::{
    directory::{Begun, Says, Scene, problem},
    scene::{App, DEVICE, NAME, config, ctx_of, secret},
};

/// Links the identity `grace-1` to the account called `name`, as the store would have it.
async fn link(scene: &Scene, name: &str) -> UserId {
    let ctx = scene.provisioning();
    let authenticate = scene.home.instance(domain::Job::Authentication, Action::Authenticate);
    let id = store::accounts::find(&scene.home.store, &authenticate, name).await.unwrap().unwrap().id;
    let permit = authorize(&ctx, Action::WriteAccount, Resource::Of(id)).unwrap();
    let mut tx = scene.home.store.begin(&ctx).await.unwrap();
    let (issuer, nothing) = ("https://id.example", Roles::NONE);
    store::directory::put_link(&mut tx, &permit, issuer, "grace-1", "work", nothing).await.unwrap();
    tx.commit(Entry::new(Act::DirectoryChanged, id)).await.unwrap();
    id
}

fn fresh(ctx: &Ctx) -> bool {
    let Actor::Person { standing, .. } = ctx.actor else { panic!() };
    ctx.now() < standing.shown.fresh_until
}

fn part(begun: &SsoBegun, name: &str) -> Option<String> {
    let query = begun.url.split_once('?').unwrap().1;
    query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).map(str::to_owned)
}

#[tokio::test]
async fn an_answer_may_be_signed_with_es256() {
    let _proof = verifies!(SSO01);
    let scene = Scene::new(|_| {}).await;
    let es256 = |says: &mut Says| says.header = json!({ "alg": "ES256", "kid": "curve" });
    assert!(scene.sign_in(es256).await.is_ok());
    let lie = scene.sign_in(|says| {
        es256(says);
        says.foreign = true;
    });
    assert_eq!(problem(lie.await), SsoProblem::Unproven, "another's signature");
    let mixed = scene.sign_in(|says| says.header = json!({ "alg": "EdDSA", "kid": "curve" }));
    assert_eq!(problem(mixed.await), SsoProblem::Unproven, "a key of another kind");
}

#[tokio::test]
async fn an_owner_shows_a_factor_of_their_own_whatever_the_service_showed() {
    let _proof = verifies!(AUT10);
    let scene = Scene::new(|_| {}).await;
    link(&scene, NAME).await;
    for amr in [json!(["pwd"]), json!(["mfa"])] {
        let end = scene.sign_in(|says| says.claims["amr"] = amr.clone()).await.unwrap();
        let Next::Factor { ticket, passkey: false } = end.next else { panic!("{:?}", end.next) };
        let wrong = scene.identity.finish_sso_factor(&scene.nobody(), &ticket, "000000", DEVICE).await;
        assert!(matches!(wrong, Err(Error::Refused)), "{wrong:?}");
        let code = scene.app.next_code(&scene.home);
        let (session, wish) =
            scene.identity.finish_sso_factor(&scene.nobody(), &ticket, &code, DEVICE).await.unwrap();
        assert_eq!(wish, "/trust");
        assert!(fresh(&ctx_of(&scene.identity, &scene.home, &session).await));
    }
    // One without a factor does not come in this way at all; nobody adds one for them.
    let owner = scene.home.owner("Olga").await;
    scene.home.spoil("DELETE FROM directory_links").await;
    assert_eq!(link(&scene, "Olga").await, owner.id);
    let end = scene.sign_in(|says| says.claims["amr"] = json!(["mfa"])).await;
    assert_eq!(problem(end), SsoProblem::OwnFactor);
}

#[tokio::test]
async fn who_must_have_a_factor_adds_one_on_the_way_in() {
    let _proof = verifies!(AUT10);
    let everyone = Config { require_second_factor: Require::Everyone, ..config() };
    let scene = Scene::with(everyone, |_| {}).await;
    let end = scene.sign_in(|_| {}).await.unwrap();
    let Next::Enrol(pending) = end.next else { panic!("{:?}", end.next) };
    let app = App::new(pending.secret_base32.expose());
    let code = app.code(&scene.home);
    let done =
        scene.identity.finish_enrolment(&scene.nobody(), &pending.ticket, &code, DEVICE).await.unwrap();
    assert_eq!(done.recovery_codes.len(), 10);
    // From then on it is asked for, unless the service showed one.
    let end = scene.sign_in(|_| {}).await.unwrap();
    assert!(matches!(end.next, Next::Factor { .. }), "{:?}", end.next);
    let end = scene.sign_in(|says| says.claims["amr"] = json!(["mfa"])).await.unwrap();
    assert!(matches!(end.next, Next::Done(_)), "{:?}", end.next);
    // So it is for those who administer, where others need none.
    let scene = Scene::new(|_| {}).await;
    let end = scene.sign_in(|says| says.claims["groups"] = json!(["auditors"])).await.unwrap();
    assert!(matches!(end.next, Next::Enrol(_)), "{:?}", end.next);
    assert!(matches!(scene.sign_in(|_| {}).await.unwrap().next, Next::Done(_)));
}

#[tokio::test]
async fn a_sign_in_there_counts_as_confirmed_from_when_it_was() {
    let _proof = verifies!(SSO01);
    let scene = Scene::new(|_| {}).await;
    let signed_in = async |ago: Option<i64>| {
        let now = scene.home.clockwork.now().seconds();
        let end = scene.sign_in(|says| {
            if let Some(ago) = ago {
                says.claims["auth_time"] = json!(now - ago);
            }
        });
        scene.who(end.await.unwrap()).await.0
    };
    assert!(fresh(&signed_in(Some(0)).await));
    assert!(fresh(&signed_in(Some(9 * 60)).await));
    for stale in [Some(11 * 60), None] {
        let ctx = signed_in(stale).await;
        assert!(!fresh(&ctx), "{stale:?}");
        let id = ctx.actor.user().unwrap();
        let denied = authorize(&ctx, Action::ManageCredentials, Resource::Of(id)).unwrap_err();
        assert_eq!(denied.missing, Some(Missing::StepUp));
    }
    // Longer ago than a session may last here, or in a time to come: not at all.
    let now = scene.home.clockwork.now().seconds();
    for at in [now - 30 * 24 * 3600, now + 3600] {
        let end = scene.sign_in(|says| says.claims["auth_time"] = json!(at)).await;
        assert_eq!(problem(end), SsoProblem::Unproven);
    }
    let asked = scene.identity.begin_sso(&scene.nobody(), "work", None, "/").await.unwrap();
    assert!(part(&asked, "max_age").is_some() && part(&asked, "prompt").is_none(), "{}", asked.url);
}

#[tokio::test]
async fn the_service_confirms_its_person_anew_and_nobody_else() {
    let _proof = verifies!(SSO01);
    let scene = Scene::new(|_| {}).await;
    let (grace, ..) = scene.who(scene.sign_in(|_| {}).await.unwrap()).await;
    assert!(!fresh(&grace));
    assert_eq!(scene.identity.services_to_confirm_by(&grace).await.unwrap().len(), 1);
    let confirm = async |change: &dyn Fn(&mut Says, i64)| {
        let asked = scene.identity.begin_sso_confirmation(&grace, "work", None, "/account").await.unwrap();
        assert_eq!(
            (part(&asked, "prompt").as_deref(), part(&asked, "max_age").as_deref()),
            (Some("login"), Some("0"))
        );
        let (state, nonce) = (part(&asked, "state").unwrap(), part(&asked, "nonce").unwrap());
        let begun = Begun { state, nonce, binding: asked.binding.expose().clone() };
        let now = scene.home.clockwork.now().seconds();
        let mut says = Says::honest(scene.claims(&begun.nonce));
        change(&mut says, now);
        *scene.service.says.lock().unwrap() = says;
        let answer: SsoAnswer = scene.answer(&begun);
        scene.finish(&begun, answer).await
    };
    let seen = async || {
        // The same session as recognised now; how it was come by does not matter.
        let Actor::Person { session, .. } = grace.actor else { panic!() };
        let permit = scene.home.instance(domain::Job::Authentication, Action::Authenticate);
        let known = store::sessions::find(&scene.home.store, &permit, session).await.unwrap().unwrap();
        known.session.confirmed
    };
    // It does not say when, it was before the question, or it is somebody else.
    assert_eq!(problem(confirm(&|_, _| {}).await), SsoProblem::Unproven);
    assert_eq!(
        problem(confirm(&|says, now| says.claims["auth_time"] = json!(now - 300)).await),
        SsoProblem::Unproven
    );
    let other = confirm(&|says, now| {
        says.claims["auth_time"] = json!(now);
        says.claims["sub"] = json!("grace-2");
    });
    assert_eq!(problem(other.await), SsoProblem::SomebodyElse);
    assert_eq!(seen().await, Timestamp(0));
    let end = confirm(&|says, now| says.claims["auth_time"] = json!(now)).await.unwrap();
    assert!(matches!(end.next, Next::Confirmed) && end.wish == "/account", "{:?}", end.next);
    assert!(seen().await > Timestamp(0));
    // An owner confirms with something of their own.
    let owner = scene.owner().await;
    link_owner_is_refused(&scene, &owner).await;
    assert!(matches!(
        scene.identity.begin_sso_confirmation(&scene.nobody(), "work", None, "/").await,
        Err(Error::Denied(_))
    ));
}

async fn link_owner_is_refused(scene: &Scene, owner: &Ctx) {
    assert!(scene.identity.services_to_confirm_by(owner).await.unwrap().is_empty());
    let end = scene.identity.begin_sso_confirmation(owner, "work", None, "/").await;
    assert!(matches!(end, Err(Error::Sso(SsoProblem::OwnFactor))), "{end:?}");
}

#[tokio::test]
async fn a_factor_step_without_a_passkey_asks_for_none() {
    let scene = Scene::new(|_| {}).await;
    link(&scene, NAME).await;
    let Next::Factor { ticket, .. } = scene.sign_in(|_| {}).await.unwrap().next else { panic!() };
    let end = scene.identity.begin_sso_passkey(&scene.nobody(), &ticket, "localhost").await;
    assert!(matches!(end, Err(Error::NoPasskeysHere)), "{end:?}");
    let gone = scene.identity.begin_sso_passkey(&scene.nobody(), &secret("nothing"), "localhost").await;
    assert!(matches!(gone, Err(Error::TicketGone)), "{gone:?}");
    let (ticket, nothing) = (&ticket, &secret("nothing"));
    let end = scene.identity.finish_sso_passkey(&scene.nobody(), ticket, nothing, "{}", DEVICE).await;
    assert!(matches!(end, Err(Error::TicketGone)), "{end:?}");
    assert!(Roles::NONE.with(Role::Owner).are_administrative());
}
