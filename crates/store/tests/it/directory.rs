//! What a directory says about people: links, provisioned accounts and groups, tokens.

use domain::{
    Action, Actor, Job, Permit, Resource,
    access::{Role, Roles},
    authorize,
    bounds::Bounds,
    id::GroupId,
};
use store::{
    Error, accounts,
    directory::{
        self, groups as directory_groups,
        people::{self, Email, Record},
        tokens::{self, Token},
    },
    groups,
};
use testkit::{Home, Person, both_engines};

use crate::{entry, later};

/// The directory's job acting on one account.
fn on(home: &Home, person: &Person) -> Permit {
    let ctx = home.ctx(Actor::System(Job::Provisioning));
    authorize(&ctx, Action::WriteAccount, Resource::Of(person.id)).unwrap()
}

fn record(external: &str) -> Record {
    Record {
        external: Some(external.to_owned()),
        display: Some("Marked-Display".to_owned()),
        emails: vec![Email { value: "marked@example.com".to_owned(), kind: None, primary: Some(true) }],
        ..Record::default()
    }
}

both_engines!(a_subject_belongs_to_one_account_and_its_name_stands_nowhere, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let given = Roles::NONE.with(Role::Auditor);
    for roles in [Roles::NONE, given] {
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        let write = ada.permit(Action::WriteAccount);
        directory::put_link(&mut tx, &write, "https://id.example", "sub-1", "work", roles).await.unwrap();
        tx.commit(entry()).await.unwrap();
    }
    let found = directory::link(&home.store, &authenticate, "https://id.example", "sub-1").await.unwrap();
    let found = found.expect("a link");
    assert_eq!((found.account, found.connection.as_str(), found.given), (ada.id, "work", given));
    let mut tx = home.store.begin(&eve.ctx).await.unwrap();
    let write = eve.permit(Action::WriteAccount);
    let stolen = directory::put_link(&mut tx, &write, "https://id.example", "sub-1", "work", given).await;
    assert!(matches!(stolen, Err(Error::Conflict)), "{stolen:?}");
    drop(tx);
    for (issuer, subject) in [("https://id.example", "sub-2"), ("https://id.examples", "ub-1"), ("", "sub-1")]
    {
        assert_eq!(directory::link(&home.store, &authenticate, issuer, subject).await.unwrap(), None);
    }
    let refused = directory::link(&home.store, &ada.permit(Action::ReadAccount), "", "").await;
    assert!(matches!(refused, Err(Error::Denied(_))));
});

both_engines!(roles_and_state_change_by_the_directorys_job_alone_and_never_an_owners, |home| {
    let (owner, ada) = (home.owner("Owner").await, home.person("Ada").await);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let own = directory::set_roles(&mut tx, &ada.permit(Action::WriteAccount), Roles::NONE).await;
    assert!(matches!(own, Err(Error::Denied(_))), "{own:?}");
    directory::set_roles(&mut tx, &on(&home, &owner), Roles::NONE).await.unwrap();
    directory::set_roles(&mut tx, &on(&home, &ada), Roles::NONE.with(Role::Owner).with(Role::Auditor))
        .await
        .unwrap();
    tx.commit(entry()).await.unwrap();
    let roles = |person: &Person| {
        let (store, permit) = (home.store.clone(), person.permit(Action::ReadAccount));
        async move { accounts::get(&store, &permit).await.unwrap().roles }
    };
    assert_eq!(roles(&owner).await, Roles::NONE.with(Role::Owner), "an owner stays one");
    assert_eq!(roles(&ada).await, Roles::NONE.with(Role::Auditor), "nobody becomes one");
});

both_engines!(what_a_directory_tells_is_kept_sealed_and_found_by_its_identifier, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let sees = home.instance(Job::Provisioning, Action::ReadPeople);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    people::put(&mut tx, &on(&home, &ada), &record("ext-1")).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(people::count(&home.store, &sees).await.unwrap(), 1);
    assert_eq!(people::external(&home.store, &sees, "ext-1").await.unwrap(), Some((ada.id, false)));
    assert_eq!(people::external(&home.store, &sees, "EXT-1").await.unwrap(), None);
    assert_eq!(people::named(&home.store, &sees, "ADA").await.unwrap(), Some((ada.id, true)));
    assert_eq!(people::named(&home.store, &sees, "Eve").await.unwrap(), Some((eve.id, false)));
    let found = people::get(&home.store, &ada.permit(Action::ReadAccount)).await.unwrap();
    assert_eq!((found.record, found.version, found.gone), (record("ext-1"), 1, false));
    let other = people::get(&home.store, &eve.permit(Action::ReadAccount)).await;
    assert!(matches!(other, Err(Error::NotFound)));
    let mut tx = home.store.begin(&eve.ctx).await.unwrap();
    let taken = people::put(&mut tx, &on(&home, &eve), &record("ext-1")).await;
    assert!(matches!(taken, Err(Error::Conflict)), "{taken:?}");
    drop(tx);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    people::rename(&mut tx, &on(&home, &ada), "Ada L.").await.unwrap();
    people::put_gone(&mut tx, &on(&home, &ada)).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let found = people::get(&home.store, &ada.permit(Action::ReadAccount)).await.unwrap();
    assert_eq!((found.account.name.as_str(), found.gone), ("Ada L.", true));
    assert_eq!(people::list(&home.store, &sees, 0, 10).await.unwrap(), []);
    // Who is gone keeps the identifier, and nothing to sign in with, until somebody else is called so.
    assert_eq!(people::external(&home.store, &sees, "ext-1").await.unwrap(), Some((ada.id, true)));
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    people::strip(&mut tx, &on(&home, &ada)).await.unwrap();
    people::put(&mut tx, &on(&home, &eve), &record("ext-1")).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(people::external(&home.store, &sees, "ext-1").await.unwrap(), Some((eve.id, false)));
});

both_engines!(tokens_are_found_by_hash_shortened_and_revoked, |home| {
    let owner = home.owner("Owner").await;
    let manages = authorize(&owner.ctx, Action::ManageDirectory, Resource::Instance).unwrap();
    let looks = authorize(&owner.ctx, Action::WriteInstance, Resource::Instance).unwrap();
    let authenticate = home.instance(Job::Authentication, Action::Authenticate);
    let now = home.clockwork.now();
    let token = |id: &str, seconds| Token {
        id: id.to_owned(),
        prefix: "troth_scim_abcd".to_owned(),
        created: now,
        expires: now.plus_seconds(seconds),
        last_used: None,
    };
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    tokens::create(&mut tx, &manages, &token("one", 900), [1; 32]).await.unwrap();
    tokens::create(&mut tx, &manages, &token("two", 900), [2; 32]).await.unwrap();
    tokens::shorten_others(&mut tx, &manages, "two", now.plus_seconds(60)).await.unwrap();
    tokens::touch(&mut tx, &authenticate, "two", later(&home, 5)).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let found = tokens::by_hash(&home.store, &authenticate, [1; 32]).await.unwrap();
    assert_eq!(found, Some(token("one", 60)));
    assert_eq!(tokens::by_hash(&home.store, &authenticate, [3; 32]).await.unwrap(), None);
    let all = tokens::list(&home.store, &looks).await.unwrap();
    assert_eq!(all.len(), 2);
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    assert!(tokens::revoke(&mut tx, &manages, "one").await.unwrap());
    assert!(!tokens::revoke(&mut tx, &manages, "one").await.unwrap());
    let refused = tokens::revoke(&mut tx, &authenticate, "two").await;
    assert!(matches!(refused, Err(Error::Denied(_))));
    drop(tx);
});

both_engines!(a_provisioned_group_goes_with_its_group, |home| {
    let owner = home.owner("Owner").await;
    let manages = authorize(&owner.ctx, Action::ManageGroups, Resource::Instance).unwrap();
    let (ours, local) = (GroupId::fresh(&owner.ctx), GroupId::fresh(&owner.ctx));
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    groups::create(&mut tx, &manages, ours, "Guides", &Bounds::default()).await.unwrap();
    groups::create(&mut tx, &manages, local, "Local", &Bounds::default()).await.unwrap();
    directory_groups::put(&mut tx, &manages, ours, Some("g-1")).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(directory_groups::list(&home.store, &manages, 0, 10).await.unwrap(), [ours]);
    assert_eq!(directory_groups::external(&home.store, &manages, "g-1").await.unwrap(), Some(ours));
    let found = directory_groups::get(&home.store, &manages, ours).await.unwrap();
    assert_eq!((found.group.name.as_str(), found.external.as_deref()), ("Guides", Some("g-1")));
    let other = directory_groups::get(&home.store, &manages, local).await;
    assert!(matches!(other, Err(Error::NotFound)));
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    groups::delete(&mut tx, &manages, ours).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(directory_groups::count(&home.store, &manages).await.unwrap(), 0);
});
