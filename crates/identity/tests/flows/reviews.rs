//! Access reviews from their beginning to their evidence.

use domain::{
    Action,
    access::{Rights, Role, Roles},
    audit::Act,
    bounds::Bounds,
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
        .save_custom_role(&ann.ctx, None, ("Edge", ""), Rights::NONE.with(Action::ManageEdge))
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

both_engines!(of_two_who_begin_a_review_at_once_one_does, |home| {
    let identity = open(&home);
    let ann = home.owner("Ann").await;
    let (one, two) = tokio::join!(identity.begin_review(&ann.ctx), identity.begin_review(&ann.ctx));
    assert_eq!([&one, &two].into_iter().filter(|end| end.is_ok()).count(), 1, "{one:?} {two:?}");
    assert_eq!(identity.reviews(&ann.ctx).await.unwrap().reviews.len(), 1);
});

both_engines!(what_was_confirmed_at_the_last_moment_does_not_lapse, |home| {
    let _proof = verifies!(REV02);
    let identity = open(&home);
    let ann = home.owner("Ann").await;
    let mut officers = Vec::new();
    for number in 0..12 {
        officers.push(holding(&home, &format!("Officer {number}"), Role::SecurityOfficer).await);
    }
    holding(&home, "Nobody's concern", Role::Auditor).await;
    let id = identity.begin_review(&ann.ctx).await.unwrap();
    home.clockwork.advance(14 * DAY);
    // Confirmed one after the other while the sweep ends what it found to be undecided.
    let job = upkeep(&home);
    let confirm = async {
        for officer in officers.iter().rev() {
            let what = (officer.id, role(Role::SecurityOfficer));
            drop(identity.decide_review(&ann.ctx, id, what, true).await);
        }
    };
    let (swept, ()) = tokio::join!(identity.keep_access(&job), confirm);
    swept.unwrap();
    let page = identity.review(&ann.ctx, id).await.unwrap();
    for officer in &officers {
        let item = page.items.iter().find(|item| item.account == officer.id).unwrap();
        let verdict = item.decision.as_ref().unwrap().verdict;
        let holder = page.held.holders.iter().find(|holder| holder.user == officer.id).unwrap();
        let holds = holder.grants.len() == 2;
        assert_eq!(holds, verdict == ReviewVerdict::Confirmed, "{verdict:?}");
    }
});

both_engines!(places_in_groups_are_reviewed_as_well, |home| {
    let _proof = verifies!(REV02);
    let identity = open(&home);
    let (ann, bob, cy) = (home.owner("Ann").await, home.person("Bob").await, home.person("Cy").await);
    let group = identity.make_group(&ann.ctx, "Pilots", &Bounds::default()).await.unwrap();
    for person in [&ann, &bob, &cy] {
        identity.put_in_group(&ann.ctx, group, person.id).await.unwrap();
    }
    let id = identity.begin_review(&ann.ctx).await.unwrap();
    let page = identity.review(&ann.ctx, id).await.unwrap();
    let places = page.items.iter().filter(|item| item.subject == Subject::Group(group)).collect::<Vec<_>>();
    assert_eq!(places.len(), 3);
    assert!(places.iter().all(|item| !item.unused && item.granted > domain::Timestamp(0)));
    assert_eq!(page.groups[0].name, "Pilots");
    let decide = |person: &Person, confirm| {
        let (identity, ctx, of) = (identity.clone(), ann.ctx.clone(), person.id);
        async move { identity.decide_review(&ctx, id, (of, Subject::Group(group)), confirm).await }
    };
    assert_eq!(unfit(decide(&ann, true).await), Unfit::OwnGrant);
    decide(&bob, false).await.unwrap();
    let inside = async || identity.members(&ann.ctx, group).await.unwrap();
    assert!(!inside().await.contains(&bob.id), "revoked: out of it at once");
    home.clockwork.advance(14 * DAY);
    identity.keep_access(&upkeep(&home)).await.unwrap();
    assert!(inside().await.is_empty(), "unconfirmed: out of it");
    let report = identity.review_report(&ann.ctx, id).await.unwrap();
    assert!(report.contains(&format!("group/{group}")) && !report.contains("Pilots"), "{report}");
});

both_engines!(who_is_limited_by_a_group_does_not_leave_it_because_nobody_looked, |home| {
    let _proof = verifies!(REV02);
    let identity = open(&home);
    let (ann, bob, cy) = (home.owner("Ann").await, home.person("Bob").await, home.person("Cy").await);
    let bounds = Bounds { temporary_only: true, ..Bounds::default() };
    let group = identity.make_group(&ann.ctx, "Interns", &bounds).await.unwrap();
    for person in [&bob, &cy] {
        identity.put_in_group(&ann.ctx, group, person.id).await.unwrap();
    }
    let id = identity.begin_review(&ann.ctx).await.unwrap();
    // To take somebody out is a decision a reviewer may make, in words of their own.
    identity.decide_review(&ann.ctx, id, (cy.id, Subject::Group(group)), false).await.unwrap();
    home.clockwork.advance(14 * DAY);
    identity.keep_access(&upkeep(&home)).await.unwrap();
    assert_eq!(identity.members(&ann.ctx, group).await.unwrap(), [bob.id]);
    let limited = identity.acting_within_bounds(&bob.ctx, bob.ctx.actor.clone()).await.unwrap();
    assert!(limited.bounds.temporary_only);
    let page = identity.review(&ann.ctx, id).await.unwrap();
    let verdict = |person: &Person| {
        let item = page.items.iter().find(|item| item.account == person.id).unwrap();
        item.decision.as_ref().unwrap().verdict
    };
    assert_eq!((verdict(&bob), verdict(&cy)), (ReviewVerdict::KeptLimits, ReviewVerdict::Revoked));
    assert!(page.review.closed.is_some());
    assert!(identity.review_report(&ann.ctx, id).await.unwrap().contains("kept_limits"));
});

both_engines!(a_grant_that_was_given_anew_does_not_end_with_its_old_end, |home| {
    let identity = open(&home);
    let (ann, bob) = (home.owner("Ann").await, home.person("Bob").await);
    let what = Granted::BuiltIn(Role::Auditor);
    identity.grant_role(&ann.ctx, bob.id, what, Some(ann.ctx.now().plus_seconds(60))).await.unwrap();
    home.clockwork.advance(61);
    let permit = home.instance(domain::Job::Upkeep, Action::ReviewAccess);
    let found = store::roles::ended(&home.store, &permit, home.clockwork.now()).await.unwrap();
    assert_eq!(found, [(bob.id, what)]);
    // Between finding it and ending it, it is given anew.
    identity.grant_role(&ann.ctx, bob.id, what, None).await.unwrap();
    let mut tx = home.store.begin(&upkeep(&home)).await.unwrap();
    assert!(!store::roles::take_ended(&mut tx, &permit, bob.id, what).await.unwrap());
    drop(tx);
    identity.keep_access(&upkeep(&home)).await.unwrap();
    let held = identity.held_roles(&ann.ctx).await.unwrap();
    assert_eq!(held.holders.iter().find(|holder| holder.user == bob.id).unwrap().grants.len(), 2);
});
