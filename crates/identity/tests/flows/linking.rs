//! Whose account it is that a directory and a sign-in service speak of: never another's by a directory's word.

use domain::{
    Action,
    access::{Role, Roles},
    audit::{Act, Entry},
    id::UserId,
    verifies,
};
use identity::{Error, PersonChange, Record, SsoProblem};
use serde_json::json;

use crate::directory::{Scene, problem};

fn named(name: &str, external: Option<&str>) -> PersonChange {
    PersonChange {
        name: name.to_owned(),
        active: true,
        record: Record { external: external.map(str::to_owned), ..Record::default() },
    }
}

async fn scene() -> Scene {
    Scene::new(|config| {
        config.create_accounts = false;
        config.match_provisioned = Some("sub".to_owned());
    })
    .await
}

/// What the service says of the person `sub`.
async fn who_is(scene: &Scene, sub: &str) -> Result<Option<UserId>, SsoProblem> {
    match scene.sign_in(|says| says.claims["sub"] = json!(sub)).await {
        Ok(end) => Ok(scene.who(end).await.0.actor.user()),
        refused => Err(problem(refused)),
    }
}

#[tokio::test]
async fn a_directory_gives_nobodys_account_to_another_identity() {
    let _proof = verifies!(SSO02);
    let scene = scene().await;
    let ctx = scene.provisioning();
    let grace = scene.identity.provision(&ctx, &named("Grace", Some("grace-1"))).await.unwrap().account.id;
    assert_eq!(who_is(&scene, "grace-1").await, Ok(Some(grace)));
    // The token's holder calls her account by the identifier of an identity of their own.
    scene.identity.change_provisioned(&ctx, grace, &named("Grace", Some("mallory")), None).await.unwrap();
    assert_eq!(who_is(&scene, "mallory").await, Err(SsoProblem::NoAccount));
    assert_eq!(who_is(&scene, "grace-1").await, Ok(Some(grace)), "and it stays hers");
    // Nor by deleting it and making it again, with or without the name and the identifier.
    scene.identity.unprovision(&ctx, grace).await.unwrap();
    assert_eq!(who_is(&scene, "grace-1").await, Err(SsoProblem::Closed));
    let again = scene.identity.provision(&ctx, &named("Grace", Some("mallory"))).await.unwrap();
    assert_eq!(again.account.id, grace, "the identifier it went with");
    assert_eq!(who_is(&scene, "mallory").await, Err(SsoProblem::NoAccount));
    assert_eq!(who_is(&scene, "grace-1").await, Ok(Some(grace)));
    // Somebody who may manage the directory says that it may be another identity's, and then it may.
    let owner = scene.owner().await;
    scene.identity.forget_links(&owner, grace).await.unwrap();
    assert_eq!(who_is(&scene, "mallory").await, Ok(Some(grace)));
    let nobody = scene.identity.forget_links(&scene.nobody(), grace).await;
    assert!(matches!(nobody, Err(Error::Denied(_))), "{nobody:?}");
}

#[tokio::test]
async fn a_name_brings_nobodys_old_account_back() {
    let _proof = verifies!(SSO02);
    let scene = scene().await;
    let ctx = scene.provisioning();
    for (before, after) in [(Some("g1"), Some("g2")), (Some("g3"), None), (None, None), (None, Some("g4"))] {
        let first = scene.identity.provision(&ctx, &named("Grace", before)).await.unwrap();
        scene.identity.unprovision(&ctx, first.account.id).await.unwrap();
        let second = scene.identity.provision(&ctx, &named("Grace", after)).await.unwrap();
        assert_ne!(second.account.id, first.account.id, "{before:?} {after:?}");
        assert_eq!(second.account.name, "Grace");
        scene.identity.unprovision(&ctx, second.account.id).await.unwrap();
    }
    let owner = scene.owner().await;
    let people = scene.identity.people(&owner, "grace (left", 0).await.unwrap();
    assert!(people.found >= 4 && people.people.iter().all(|person| !person.active), "{people:?}");
}

#[tokio::test]
async fn who_comes_back_comes_without_what_they_held() {
    let scene = scene().await;
    let ctx = scene.provisioning();
    let id = scene.identity.provision(&ctx, &named("Grace", Some("grace-1"))).await.unwrap().account.id;
    let permit = domain::authorize(&ctx, Action::WriteAccount, domain::Resource::Of(id)).unwrap();
    let mut tx = scene.home.store.begin(&ctx).await.unwrap();
    store::credentials::set_password(&mut tx, &permit, "a verifier", ctx.now()).await.unwrap();
    store::credentials::set_totp(&mut tx, &permit, &[7; 20], true).await.unwrap();
    let address = domain::mail::Address::read("grace@example.org").unwrap();
    store::emails::set(&mut tx, &permit, &address).await.unwrap();
    store::directory::set_roles(&mut tx, &permit, Roles::NONE.with(Role::User).with(Role::Administrator))
        .await
        .unwrap();
    tx.commit(Entry::new(Act::RolesChanged, id)).await.unwrap();
    scene.identity.unprovision(&ctx, id).await.unwrap();
    let back = scene.identity.provision(&ctx, &named("Grace Hopper", Some("grace-1"))).await.unwrap();
    assert_eq!((back.account.id, back.account.active), (id, true));
    assert_eq!(
        (back.account.name.as_str(), back.account.roles),
        ("Grace Hopper", Roles::NONE.with(Role::User))
    );
    let reads = domain::authorize(&ctx, Action::ReadAccount, domain::Resource::Of(id)).unwrap();
    assert!(store::credentials::password(&scene.home.store, &reads).await.unwrap().is_none());
    assert!(store::credentials::totp(&scene.home.store, &reads).await.unwrap().is_none());
    assert!(store::emails::get(&scene.home.store, &reads).await.unwrap().is_none());
}

#[tokio::test]
async fn the_identifier_of_somebody_who_left_may_be_somebody_elses() {
    let scene = scene().await;
    let ctx = scene.provisioning();
    let one = scene.identity.provision(&ctx, &named("One", Some("e1"))).await.unwrap().account.id;
    scene.identity.unprovision(&ctx, one).await.unwrap();
    let two = scene.identity.provision(&ctx, &named("Two", Some("e2"))).await.unwrap().account.id;
    scene.identity.change_provisioned(&ctx, two, &named("Two", Some("e1")), None).await.unwrap().unwrap();
    assert_eq!(scene.identity.provisioned_external(&ctx, "e1").await.unwrap().unwrap().account.id, two);
    let again = scene.identity.provision(&ctx, &named("One", Some("e3"))).await.unwrap().account.id;
    assert_ne!(again, one, "nothing says any more that this is them");
}
