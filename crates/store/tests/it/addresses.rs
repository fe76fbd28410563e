//! Networks kept out or let in, on both engines.

use domain::{Action, Job, id::AddressRuleId};
use store::{
    Error,
    addresses::{self, AddressRow},
};
use testkit::both_engines;

use crate::{entry, later};

both_engines!(address_rules_are_kept_sealed_end_and_are_only_for_those_who_manage_the_edge, |home| {
    let eve = home.person("Eve").await;
    let manage = home.instance(Job::Operator, Action::ManageEdge);
    let before = addresses::stamp(&home.store, &manage).await.unwrap();
    let rule = |network: &str, ends| AddressRow {
        id: AddressRuleId::fresh(&eve.ctx),
        verdict: "deny".to_owned(),
        network: network.to_owned(),
        note: "knocked all night".to_owned(),
        created: later(&home, 0),
        ends,
    };
    let (short, long) = (rule("192.0.2.0/24", Some(later(&home, 60))), rule("2001:db8::/32", None));
    let mut tx = home.store.begin(&eve.ctx).await.unwrap();
    let refused = addresses::add(&mut tx, &eve.permit(Action::WriteAccount), &short).await;
    assert!(matches!(refused, Err(Error::Denied(_))));
    addresses::add(&mut tx, &manage, &short).await.unwrap();
    addresses::add(&mut tx, &manage, &long).await.unwrap();
    tx.commit(entry()).await.unwrap();
    let both = addresses::stamp(&home.store, &manage).await.unwrap();
    assert_ne!(before, both);
    let home = home.reopen().await;
    assert_eq!(addresses::list(&home.store, &manage).await.unwrap(), [short, long.clone()]);

    let mut tx = home.store.begin(&eve.ctx).await.unwrap();
    assert_eq!(addresses::remove_ended(&mut tx, &manage, later(&home, 59)).await.unwrap(), 0);
    assert_eq!(addresses::remove_ended(&mut tx, &manage, later(&home, 60)).await.unwrap(), 1);
    tx.commit(entry()).await.unwrap();
    assert_ne!(both, addresses::stamp(&home.store, &manage).await.unwrap());
    assert_eq!(addresses::list(&home.store, &manage).await.unwrap(), std::slice::from_ref(&long));
    let mut tx = home.store.begin(&eve.ctx).await.unwrap();
    assert!(addresses::remove(&mut tx, &manage, long.id).await.unwrap());
    assert!(!addresses::remove(&mut tx, &manage, long.id).await.unwrap());
    tx.commit(entry()).await.unwrap();
    let reads = addresses::list(&home.store, &home.instance(Job::Checks, Action::ReadInstance)).await;
    assert!(matches!(reads, Err(Error::Denied(_))));
});
