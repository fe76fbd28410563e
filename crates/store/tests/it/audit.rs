//! The audit log: complete, append-only, and telling where it was touched.

use domain::{
    Action, Job,
    audit::{Act, Entry},
    verifies,
};
use sqlx::AssertSqlSafe;
use store::{Error, audit};
use testkit::{Home, both_engines};

use crate::{begin_conversation, entry, say};

/// A home whose log has some entries.
async fn with_history(home: &Home) -> i64 {
    let ada = home.person("Ada").await;
    let conversation = begin_conversation(home, &ada).await;
    for number in 0..10 {
        say(home, &ada, conversation, None, &format!("message {number}")).await;
    }
    i64::try_from(home.store.verify_chain().await.unwrap().entries).unwrap()
}

both_engines!(every_commit_leaves_its_entry, |home| {
    let _proofs = (verifies!(AUD01), verifies!(AUD02));
    let ada = home.person("Ada").await;
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    store::folders::create(
        &mut tx,
        &ada.permit(Action::WriteChat),
        domain::id::FolderId::fresh(&ada.ctx),
        "x",
    )
    .await
    .unwrap();
    tx.commit(Entry::new(Act::FolderChanged, "a-target").times(7)).await.unwrap();
    let read = home.instance(Job::Checks, Action::ReadInstance);
    let log = audit::list(&home.store, &read, 0, 100).await.unwrap();
    let acts: Vec<&str> = log.iter().map(|record| record.act.as_str()).collect();
    assert_eq!(acts, ["instance-created", "account-created", "folder-changed"]);
    let last = &log[2];
    assert_eq!((last.seq, last.target.as_str(), last.count), (3, "a-target", 7));
    assert_eq!(
        (last.actor.as_str(), last.request.as_str()),
        (format!("person:{}", ada.id).as_str(), ada.ctx.request.to_string().as_str())
    );
    assert_eq!(audit::list(&home.store, &read, 2, 100).await.unwrap(), log[2..]);
    let denied = audit::list(&home.store, &ada.permit(Action::ReadAccount), 0, 1).await;
    assert!(matches!(denied, Err(Error::Denied(_))));
    let report = home.store.verify_chain().await.unwrap();
    assert_eq!((report.entries, report.broken, report.head.as_slice()), (3, None, last.hash.as_slice()));
});

both_engines!(the_log_refuses_change, |home| {
    with_history(&home).await;
    let mut statements = vec!["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit WHERE seq = 2"];
    if home.database().is_some() {
        statements.push("TRUNCATE audit");
    }
    for statement in statements {
        let mut raw = home.raw().await;
        let refused = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut raw).await;
        let said = refused.expect_err(statement).to_string();
        assert!(said.contains("append-only"), "{said}");
    }
});

both_engines!(tampering_is_found_where_it_happened, |home| {
    let entries = with_history(&home).await;
    if home.database().is_some() {
        home.spoil("ALTER TABLE audit DISABLE TRIGGER ALL").await;
    } else {
        home.spoil("DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_deleted").await;
    }
    home.spoil("CREATE TABLE kept AS SELECT * FROM audit").await;
    let restore = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept";
    for (tampering, place) in [
        ("UPDATE audit SET actor = 'person:x' WHERE seq = 5", 5),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1),
        ("UPDATE audit SET count = 2 WHERE seq = 7", 7),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("UPDATE audit SET prev = hash WHERE seq = 6", 6),
        (
            "UPDATE audit SET seq = 1000 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 8; \
          UPDATE audit SET seq = 8 WHERE seq = 1000",
            3,
        ),
    ] {
        home.spoil(tampering).await;
        let report = home.store.verify_chain().await.unwrap();
        let broken = report.broken.expect(tampering);
        assert_eq!(broken.seq, place, "{tampering}: {}", broken.why);
        assert_eq!(report.entries, u64::try_from(place - 1).unwrap(), "{tampering}");
        home.spoil(restore).await;
    }
    assert_eq!(home.store.verify_chain().await.unwrap().broken, None, "all is as before");

    // Cut short at the end, with the head moved back to fit: only the keyed hash tells.
    let cut = format!(
        "DELETE FROM audit WHERE seq = {entries}; UPDATE audit_head SET seq = seq - 1, \
         hash = (SELECT hash FROM audit WHERE seq = {entries} - 1)"
    );
    home.spoil(&cut).await;
    let broken = home.store.verify_chain().await.unwrap().broken.expect("the cut shows");
    assert_eq!((broken.seq, broken.why), (entries - 1, "the log was written without this keyring"));
    home.spoil("DELETE FROM audit_head").await;
    assert!(home.store.verify_chain().await.unwrap().broken.is_some());
});

both_engines!(a_long_log_is_verified_in_batches, |home| {
    let ada = home.person("Ada").await;
    for _ in 0..1100 {
        let tx = home.store.begin(&ada.ctx).await.unwrap();
        tx.commit(entry()).await.unwrap();
    }
    let report = home.store.verify_chain().await.unwrap();
    assert_eq!((report.entries, report.broken), (1102, None));
});
