//! The ledger of consent: added to alone, sealed, its person's, and gone with the account.

use domain::{
    Action, Job,
    audit::{Act, Entry},
    consent::Purpose,
    verifies,
};
use sqlx::{AssertSqlSafe, Row};
use store::{
    Error,
    consents::{self, Consent},
    people, probe,
};
use testkit::{Home, Person, both_engines};

fn consent(agreed: &[Purpose]) -> Consent {
    let shared_with = vec!["speech.example".to_owned()];
    Consent { version: 7, language: "hi".to_owned(), agreed: agreed.to_vec(), shared_with }
}

async fn add(home: &Home, person: &Person, agreed: &[Purpose]) {
    let mut tx = home.store.begin(&person.ctx).await.unwrap();
    consents::add(&mut tx, &person.permit(Action::WriteAccount), &consent(agreed)).await.unwrap();
    tx.commit(Entry::new(Act::ConsentGiven, person.id)).await.unwrap();
}

both_engines!(the_ledger_says_what_each_person_agreed_to, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let read = ada.permit(Action::ReadAccount);
    assert_eq!(consents::list(&home.store, &read, 10).await.unwrap(), []);
    add(&home, &ada, &Purpose::ALL).await;
    add(&home, &ada, &[Purpose::ProcessCall]).await;
    add(&home, &eve, &[Purpose::ProcessCall, Purpose::KeepTranscript]).await;
    let kept = consents::list(&home.store, &read, 10).await.unwrap();
    let numbers: Vec<_> = kept.iter().map(|kept| (kept.number, kept.consent.agreed.len())).collect();
    assert_eq!(numbers, [(2, 1), (1, 4)]);
    assert_eq!(kept[1].consent, consent(&Purpose::ALL));
    assert_eq!(consents::list(&home.store, &read, 1).await.unwrap(), kept[..1]);
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let newest = consents::newest_within(&mut tx, &ada.permit(Action::WriteAccount)).await.unwrap();
    assert_eq!(newest.as_ref(), kept.first());
    drop(tx);
    for stranger in [ada.permit(Action::ReadChat), home.instance(Job::Checks, Action::ReadInstance)] {
        let refused = consents::list(&home.store, &stranger, 1).await;
        assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
    }
    let mut raw = home.raw().await;
    let found = sqlx::query("SELECT consent FROM consents").fetch_all(&mut raw).await.unwrap();
    for value in found.iter().map(|row| row.try_get::<Vec<u8>, _>("consent").unwrap()) {
        assert!(!String::from_utf8_lossy(&value).contains("process_call"), "it lies sealed");
    }
});

both_engines!(rows_stay_as_they_are_until_their_account_goes, |home| {
    let _proof = verifies!(CON02);
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    for person in [&ada, &ada, &eve] {
        add(&home, person, &[Purpose::ProcessCall]).await;
    }
    let mut statements = vec![
        "UPDATE consents SET at = 0",
        "UPDATE consents SET consent = (SELECT consent FROM consents LIMIT 1)",
        "DELETE FROM consents",
        "DELETE FROM consents WHERE number = 1",
    ];
    if home.database().is_some() {
        statements.push("TRUNCATE consents");
    }
    for statement in statements {
        let mut raw = home.raw().await;
        let refused = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut raw).await;
        let said = refused.expect_err(statement).to_string();
        assert!(said.contains("append-only"), "{said}");
    }
    let look = home.instance(Job::Checks, Action::ReadInstance);
    let ledger = probe::ledger(&home.store, &look).await.unwrap();
    assert_eq!((ledger.rows, ledger.entries, ledger.gaps, ledger.guarded), (3, 3, 0, true));

    // Under the account a server has, as in running code.
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    people::remove(&mut tx, &ada.permit(Action::ManageCredentials), ada.id).await.unwrap();
    tx.commit(Entry::new(Act::AccountDeleted, ada.id)).await.unwrap();
    let ledger = probe::ledger(&home.store, &look).await.unwrap();
    assert_eq!(
        (ledger.rows, ledger.gaps, ledger.guarded),
        (1, 0, true),
        "hers are gone, another's are there"
    );
    assert_eq!(consents::list(&home.store, &eve.permit(Action::ReadAccount), 9).await.unwrap().len(), 1);
});

both_engines!(what_was_done_past_the_guards_is_seen, |home| {
    let ada = home.person("Ada").await;
    for _ in 0..3 {
        add(&home, &ada, &[Purpose::ProcessCall]).await;
    }
    let look = home.instance(Job::Checks, Action::ReadInstance);
    let unguard = match home.database() {
        Some(_) => "ALTER TABLE consents DISABLE TRIGGER USER",
        None => "DROP TRIGGER consents_are_never_changed; DROP TRIGGER consents_go_with_their_account",
    };
    home.spoil(unguard).await;
    let ledger = probe::ledger(&home.store, &look).await.unwrap();
    assert!(!ledger.guarded && ledger.gaps == 0);
    home.spoil("DELETE FROM consents WHERE number = 2").await;
    assert_eq!(probe::ledger(&home.store, &look).await.unwrap().gaps, 1);
});
