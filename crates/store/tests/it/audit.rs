//! The audit log: complete, append-only, and telling where it was touched.

use domain::{
    Action, Job,
    audit::{Act, Entry},
    verifies,
};
use sqlx::AssertSqlSafe;
use store::{Error, audit, conversations};
use testkit::{Home, Person, both_engines};

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

/// Takes away what keeps the log from being changed.
async fn unguard(home: &Home) {
    if home.database().is_some() {
        home.spoil("ALTER TABLE audit DISABLE TRIGGER ALL").await;
    } else {
        home.spoil("DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_deleted").await;
    }
}

both_engines!(tampering_is_found_where_it_happened, |home| {
    let _proof = verifies!(AUD02);
    let entries = with_history(&home).await;
    unguard(&home).await;
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

/// Tries to write; the end of the log is not ours, so it must be refused and leave nothing.
async fn refuses_to_write(home: &Home, ada: &Person, tampering: &str) {
    let read = ada.permit(Action::ReadChat);
    let before = conversations::count(&home.store, &read).await.unwrap();
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let id = domain::id::ConversationId::fresh(&ada.ctx);
    let write = ada.permit(Action::WriteChat);
    conversations::create(&mut tx, &write, id, ada.ctx.now()).await.unwrap();
    let error = tx.commit(entry()).await.expect_err(tampering);
    assert!(matches!(error, Error::Damaged { .. }), "{tampering}: {error:?}");
    let said = error.to_string();
    assert!(said.contains("audit log") && said.contains("restore it from a backup"), "{said}");
    assert!(said.contains("troth.db") || said.contains("the PostgreSQL database"), "{said}");
    assert_eq!(conversations::count(&home.store, &read).await.unwrap(), before, "{tampering}");
}

both_engines!(nothing_is_appended_to_a_log_that_is_not_ours, |home| {
    let _proof = verifies!(AUD02);
    let ada = home.person("Ada").await;
    for _ in 0..3 {
        begin_conversation(&home, &ada).await;
    }
    unguard(&home).await;
    home.spoil(
        "CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_head AS SELECT * FROM audit_head",
    )
    .await;
    let restore = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; \
                   DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM kept_head";

    // The last entry is rewritten, and its plain hash computed anew, as anybody can.
    let read = home.instance(Job::Checks, Action::ReadInstance);
    let mut last = audit::list(&home.store, &read, 0, 100).await.unwrap().pop().unwrap();
    last.actor = "person:somebody-else".to_owned();
    let forged: String = last.expected_hash().iter().map(|byte| format!("{byte:02x}")).collect();
    let forged = if home.database().is_some() { format!("'\\x{forged}'") } else { format!("x'{forged}'") };
    let rewrite =
        format!("UPDATE audit SET actor = '{}', hash = {forged} WHERE seq = {}", last.actor, last.seq);
    let with_head = format!("{rewrite}; UPDATE audit_head SET hash = {forged}");
    for tampering in [
        with_head.as_str(),
        rewrite.as_str(),
        "DELETE FROM audit_head",
        "DELETE FROM audit; DELETE FROM audit_head",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq > 3",
        "INSERT INTO audit SELECT seq + 1, at, actor, act, target, count, request, prev, hash FROM audit \
         WHERE seq = (SELECT MAX(seq) FROM audit)",
    ] {
        home.spoil(tampering).await;
        assert!(home.store.verify_chain().await.unwrap().broken.is_some(), "{tampering}");
        refuses_to_write(&home, &ada, tampering).await;
        home.spoil(restore).await;
    }
    begin_conversation(&home, &ada).await;
    assert_eq!(home.store.verify_chain().await.unwrap().broken, None, "all is as before");
});

both_engines!(a_log_taken_away_does_not_begin_anew_at_the_next_start, |home| {
    let ada = home.person("Ada").await;
    unguard(&home).await;
    home.spoil("DELETE FROM audit; DELETE FROM audit_head").await;
    let postgres = home.database().is_some();
    let shut = home.shut().await;
    if postgres {
        let refused = shut.try_open().await;
        assert!(matches!(&refused, Err(Error::Damaged { .. })), "{refused:?}");
    } else {
        refuses_to_write(&shut.open().await, &ada, "a restart").await;
    }
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
