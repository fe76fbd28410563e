//! Access reviews from their beginning to their evidence.

use domain::{
    Action,
    access::{Rights, Role, Roles},
    audit::Act,
    verifies,
};
use identity::{Error, Granted, ReviewVerdict, Subject, Unfit, hash_of};
use testkit::{Home, Person, both_engines};

use crate::scene::{open, upkeep};

const DAY: i64 = 24 * 3600;

async fn holding(home: &Home, name: &str, role: Role) -> Person {
    home.person_with(name, Roles::NONE.with(Role::User).with(role)).await
}

fn role(role: Role) -> Subject {
    Subject::Role(Granted::BuiltIn(role))
}

fn unfit<T: std::fmt::Debug>(result: Result<T, Error>) -> Unfit {
    match result {
        Err(Error::Unfit(unfit)) => unfit,
        other => panic!("a rule was to stand against it: {other:?}"),
    }
}

both_engines!(a_review_confirms_revokes_and_leaves_evidence, |home| {
    let identity = open(&home);
    let (ann, ida, bob) = (
        home.owner("Ann").await,
        holding(&home, "Ida", Role::SecurityOfficer).await,
        holding(&home, "Bob", Role::Administrator).await,
    );
    let own = identity
        .save_custom_role(&ann.ctx, None, "Edge", Rights::NONE.with(Action::ManageEdge))
        .await
        .unwrap();
    identity.grant_role(&ann.ctx, bob.id, Granted::Custom(own), None).await.unwrap();
    let key = identity.create_api_key(&bob.ctx, "notebook").await.unwrap();
    home.person("Eve").await;

    let id = identity.begin_review(&ida.ctx).await.unwrap();
    assert_eq!(unfit(identity.begin_review(&ann.ctx).await), Unfit::ReviewOpen);
    let page = identity.review(&ida.ctx, id).await.unwrap();
    // Two of Bob's roles and his key, Ann's and Ida's role; nothing of Eve's, who is a user.
    assert_eq!(page.items.len(), 5, "{:?}", page.items);
    assert!(page.items.iter().all(|item| !item.unused));

    let decide = |by: &Person, of: &Person, subject, confirm| {
        let (identity, ctx, of) = (identity.clone(), by.ctx.clone(), of.id);
        async move { identity.decide_review(&ctx, id, (of, subject), confirm).await }
    };
    assert_eq!(unfit(decide(&ida, &ida, role(Role::SecurityOfficer), true).await), Unfit::OwnGrant);
    assert_eq!(unfit(decide(&ida, &ann, role(Role::Owner), false).await), Unfit::LastOwner);
    assert!(matches!(decide(&bob, &ida, role(Role::SecurityOfficer), false).await, Err(Error::Denied(_))));
    assert_eq!(unfit(decide(&ida, &bob, role(Role::Auditor), true).await), Unfit::Decided);

    decide(&ida, &bob, role(Role::Administrator), true).await.unwrap();
    decide(&ida, &bob, Subject::Role(Granted::Custom(own)), false).await.unwrap();
    decide(&ida, &bob, Subject::Key(key.id), false).await.unwrap();
    decide(&ida, &ann, role(Role::Owner), true).await.unwrap();
    assert_eq!(unfit(decide(&ida, &bob, role(Role::Administrator), false).await), Unfit::Decided);
    assert!(matches!(identity.review_report(&ida.ctx, id).await, Err(Error::NotFound)), "it is open");
    decide(&ann, &ida, role(Role::SecurityOfficer), true).await.unwrap();

    // What was revoked is gone; what was decided stands in the report, and its hash in the log.
    assert!(identity.api_keys(&bob.ctx).await.unwrap().is_empty());
    let held = identity.held_roles(&ann.ctx).await.unwrap();
    let bobs = held.holders.iter().find(|holder| holder.user == bob.id).unwrap();
    assert!(bobs.grants.iter().all(|grant| grant.what != Granted::Custom(own)));
    let report = identity.review_report(&ann.ctx, id).await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((json["confirmed"].as_u64(), json["revoked"].as_u64()), (Some(3), Some(2)), "{report}");
    assert!(["Ann", "Ida", "Bob", "notebook"].iter().all(|name| !report.contains(name)), "{report}");
    let permit = home.instance(domain::Job::Checks, Action::ReadInstance);
    let records = store::audit::list(&home.store, &permit, 0, 1000).await.unwrap();
    let closed: Vec<_> = records.iter().filter(|r| r.act == Act::ReviewClosed.name()).collect();
    assert_eq!((closed.len(), closed[0].target.clone()), (1, format!("{id}:{}", hash_of(&report))));
});

both_engines!(what_nobody_confirms_lapses_but_the_last_owner_stays, |home| {
    let _proof = verifies!(REV02);
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, holding(&home, "Bob", Role::Administrator).await);
    let job = upkeep(&home);
    identity.keep_access(&job).await.unwrap();
    assert!(identity.reviews(&ann.ctx).await.unwrap().reviews.is_empty(), "not due yet");
    home.clockwork.advance(90 * DAY);
    identity.keep_access(&job).await.unwrap();
    let begun = identity.reviews(&ann.ctx).await.unwrap().reviews;
    assert_eq!((begun.len(), begun[0].begun_by.as_str(), begun[0].closed), (1, "system:upkeep", None));
    let page = identity.review(&ann.ctx, begun[0].id).await.unwrap();
    assert!(
        page.items.iter().all(|item| item.unused),
        "unused for as long as a review is apart: proposed for removal"
    );
    identity.keep_access(&job).await.unwrap();
    assert_eq!(identity.reviews(&ann.ctx).await.unwrap().reviews.len(), 1, "one at a time");

    home.clockwork.advance(14 * DAY);
    identity.keep_access(&job).await.unwrap();
    let page = identity.review(&ann.ctx, begun[0].id).await.unwrap();
    let verdict = |person: &Person| {
        let item = page.items.iter().find(|item| item.account == person.id).unwrap();
        item.decision.as_ref().unwrap().verdict
    };
    assert_eq!((verdict(&ann), verdict(&bob)), (ReviewVerdict::KeptLastOwner, ReviewVerdict::Lapsed));
    assert!(page.review.closed.is_some());
    let held = identity.held_roles(&ann.ctx).await.unwrap();
    let of = |person: &Person| held.holders.iter().find(|h| h.user == person.id).unwrap().grants.len();
    assert_eq!((of(&ann), of(&bob)), (2, 1));
    // The next begins as long after this one began.
    home.clockwork.advance(76 * DAY);
    identity.keep_access(&job).await.unwrap();
    assert_eq!(identity.reviews(&ann.ctx).await.unwrap().reviews.len(), 2);
});

both_engines!(an_account_that_went_meanwhile_holds_nothing_up, |home| {
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, holding(&home, "Bob", Role::Administrator).await);
    let id = identity.begin_review(&ann.ctx).await.unwrap();
    home.spoil(&format!("DELETE FROM accounts WHERE id = '{}'", bob.id)).await;
    identity.decide_review(&ann.ctx, id, (bob.id, role(Role::Administrator)), false).await.unwrap();
    let page = identity.review(&ann.ctx, id).await.unwrap();
    let bobs = page.items.iter().find(|item| item.account == bob.id).unwrap();
    assert_eq!(bobs.decision.as_ref().unwrap().verdict, ReviewVerdict::Gone);
    home.clockwork.advance(14 * DAY);
    identity.keep_access(&upkeep(&home)).await.unwrap();
    assert!(identity.review(&ann.ctx, id).await.unwrap().review.closed.is_some());
});
