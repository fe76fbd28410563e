//! Who counts as one of two people when factors are given back.

use domain::{access::Role, verifies};
use identity::{Error, Granted, Next, Unfit, Waiting};
use testkit::both_engines;

use crate::{
    factors::{enrol, somebody},
    recovery::lost,
    scene::{ctx_of, stranger},
};

const HOUR: i64 = 3600;
const ADMINISTRATOR: Granted = Granted::BuiltIn(Role::Administrator);

both_engines!(two_accounts_of_one_hand_are_one_person, |home| {
    let _proof = verifies!(AUT11);
    let lost = lost(&home).await;
    let identity = &lost.owned.identity;
    // Hedy's role was given anew, by Grace as it were; so the two are one.
    let (grace, hedy) = (lost.grace.actor.user().unwrap(), lost.hedy.actor.user().unwrap());
    home.spoil(&format!("UPDATE role_grants SET granted_by = 'person:{grace}' WHERE account = '{hedy}'"))
        .await;
    let asked = lost.ask(&home).await;
    lost.agree(&lost.grace, &asked).await.unwrap();
    let end = lost.agree(&lost.hedy, &asked).await;
    assert!(matches!(end, Err(Error::Unfit(Unfit::NotSecond))), "{end:?}");
    let end = lost.claim(&home, &asked).await;
    assert!(matches!(end, Err(Error::NotYet(Waiting::Agreement))), "{end:?}");
    assert_eq!(identity.recoveries(&lost.hedy).await.unwrap()[0].agreed, 1);
});

both_engines!(who_was_closed_or_lost_the_right_since_does_not_count, |home| {
    let _proof = verifies!(AUT11);
    let lost = lost(&home).await;
    let identity = &lost.owned.identity;
    somebody(&home, &lost.owned, "Ida", Some(Role::SecurityOfficer)).await;
    home.clockwork.advance(8 * 24 * HOUR);
    let (session, _) = enrol(identity, &home, "Ida").await;
    let ida = ctx_of(identity, &home, &session).await;
    let (grace, hedy) = (lost.grace.actor.user().unwrap(), lost.hedy.actor.user().unwrap());
    let asked = lost.ask(&home).await;
    // Grace agreed, then her account was closed: her word is no word of the two.
    let id = identity.recoveries(&ida).await.unwrap()[0].id;
    home.spoil(&format!(
        "INSERT INTO recovery_approvals (recovery, approver, at) VALUES ('{id}', '{grace}', 1)"
    ))
    .await;
    home.spoil(&format!("UPDATE accounts SET active = 0 WHERE id = '{grace}'")).await;
    lost.agree(&ida, &asked).await.unwrap();
    let end = lost.claim(&home, &asked).await;
    assert!(matches!(end, Err(Error::NotYet(Waiting::Agreement))), "{end:?}");
    home.spoil(&format!("UPDATE accounts SET active = 1 WHERE id = '{grace}'")).await;
    // And with everything agreed, one who loses the right takes their word along.
    home.spoil(&format!("UPDATE recoveries SET agreed = {} WHERE id = '{id}'", home.clockwork.now().0)).await;
    home.clockwork.advance(24 * HOUR);
    home.spoil(&format!("UPDATE accounts SET roles = 'user' WHERE id = '{grace}'")).await;
    let end = lost.claim(&home, &asked).await;
    assert!(matches!(end, Err(Error::NotYet(Waiting::Agreement))), "{end:?}");
    home.spoil(&format!("UPDATE accounts SET roles = 'user,administrator' WHERE id = '{grace}'")).await;
    assert!(matches!(lost.claim(&home, &asked).await, Ok(Next::Enrol(_))));
    assert_ne!(grace, hedy);
});

both_engines!(nobody_is_asked_for_whom_two_could_not_agree, |home| {
    let lost = lost(&home).await;
    let identity = &lost.owned.identity;
    let hedy = lost.hedy.actor.user().unwrap();
    // Her role is over, though it still stands in the rows: it does not count.
    home.spoil(&format!("UPDATE role_grants SET ends = 1 WHERE account = '{hedy}' AND role <> 'user'")).await;
    let ticket = lost.owned.ticket(&home, crate::scene::PASSWORD).await.unwrap();
    let end = identity.ask_recovery(&stranger(&home), &ticket).await;
    assert!(matches!(end, Err(Error::NobodyToAsk)), "{end:?}");
    let owner = lost.owned.ctx(&home).await;
    identity.grant_role(&owner, hedy, ADMINISTRATOR, None).await.unwrap();
    let ticket = lost.owned.ticket(&home, crate::scene::PASSWORD).await.unwrap();
    let end = identity.ask_recovery(&stranger(&home), &ticket).await;
    assert!(matches!(end, Err(Error::NobodyToAsk)), "the role is a moment old: {end:?}");
});

both_engines!(the_word_is_not_there_to_be_guessed, |home| {
    let lost = lost(&home).await;
    let identity = &lost.owned.identity;
    lost.ask(&home).await;
    let id = identity.recoveries(&lost.grace).await.unwrap()[0].id;
    let mut ends = Vec::new();
    for _ in 0..8 {
        ends.push(identity.approve_recovery(&lost.grace, id, "AAAAAA").await);
    }
    assert!(matches!(ends[0], Err(Error::Refused)), "{ends:?}");
    assert!(matches!(ends[7], Err(Error::Throttled { .. })), "{ends:?}");
});
