//! Settings of the instance, findings, and the small questions.

use domain::{Action, Control, Job, check::Finding};
use store::{
    Engine, Error, findings,
    probe::{self, Link, Sealed},
    settings,
};
use testkit::{Home, both_engines};

use crate::{begin_conversation, entry, later, say};

both_engines!(settings_are_sealed_and_only_for_those_who_run_the_instance, |home| {
    let (owner, eve) = (home.owner("Ada").await, home.person("Eve").await);
    let write = home.instance(Job::Setup, Action::WriteInstance);
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    settings::set(&mut tx, &write, "provider.key", "sk-first").await.unwrap();
    settings::set(&mut tx, &write, "provider.key", "sk-second").await.unwrap();
    let refused = settings::set(&mut tx, &eve.permit(Action::WriteAccount), "provider.key", "sk-third").await;
    assert!(matches!(refused, Err(Error::Denied(_))));
    tx.commit(entry()).await.unwrap();
    let home = home.reopen().await;
    assert_eq!(settings::get(&home.store, "provider.key").await.unwrap().as_deref(), Some("sk-second"));
    assert_eq!(settings::get(&home.store, "other").await.unwrap(), None);
    // A value moved to another name does not open there.
    home.spoil(
        "INSERT INTO settings (name, value) SELECT 'other', value FROM settings WHERE name = 'provider.key'",
    )
    .await;
    let moved = settings::get(&home.store, "other").await;
    assert!(matches!(moved, Err(Error::Damaged { .. })), "{moved:?}");
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    assert!(settings::remove(&mut tx, &write, "provider.key").await.unwrap());
    assert!(!settings::remove(&mut tx, &write, "provider.key").await.unwrap());
    tx.commit(entry()).await.unwrap();
    assert_eq!(settings::get(&home.store, "provider.key").await.unwrap(), None);
});

both_engines!(the_latest_findings_are_known, |home| {
    let (write, read) =
        (home.instance(Job::Checks, Action::WriteInstance), home.instance(Job::Checks, Action::ReadInstance));
    let owner = home.owner("Ada").await;
    let (early, late) = (later(&home, 1), later(&home, 2));
    let first = Finding::not_satisfied(Control::CRY02, early, "not yet").fact("pages", 3);
    let second = Finding::satisfied(Control::CRY02, late, "now it is");
    let other = Finding::not_applicable(Control::AUD01, early, "nothing written");
    let mut tx = home.store.begin(&owner.ctx).await.unwrap();
    findings::record(&mut tx, &write, &[first.clone(), other.clone()]).await.unwrap();
    findings::record(&mut tx, &write, std::slice::from_ref(&second)).await.unwrap();
    tx.commit(entry()).await.unwrap();
    assert_eq!(findings::latest(&home.store, &read).await.unwrap(), [other, second.clone()]);
    let history = findings::history(&home.store, &read, Control::CRY02, early).await.unwrap();
    assert_eq!(history, [first, second]);
});

both_engines!(the_probes_see_what_is_there, |home| {
    let ada = home.person("Ada").await;
    let conversation = begin_conversation(&home, &ada).await;
    let said = say(&home, &ada, conversation, None, "sealed words").await;
    let look = home.instance(Job::Checks, Action::ReadInstance);
    let sealed = probe::sealed_values(&home.store, &look).await.unwrap();
    assert_eq!(sealed, Sealed { looked_at: 4, bare: 0 }, "a message, a title, a name, settings");
    assert_eq!(probe::wrapped_keys(&home.store, &look).await.unwrap(), Sealed { looked_at: 2, bare: 0 });
    assert!(probe::opens_only_in_place(&home.store, &look, &ada.ctx).unwrap());
    assert_eq!(probe::link(&home.store, &look).await.unwrap(), Link::Local);
    assert_eq!(probe::last_audit_entry(&home.store, &look).await.unwrap(), 4);
    let files = probe::raw_files(&home.store, &look, 4096).unwrap();
    assert_eq!(files.is_some(), home.database().is_none());
    for start in files.into_iter().flatten() {
        assert!(start.len() == 4096 && !start.starts_with(b"SQLite format 3"));
    }
    home.store.ping().await.unwrap();
    // What is not sealed, or not wrapped by this keyring, shows.
    home.spoil(&format!("UPDATE messages SET body = {} WHERE id = '{said}'", plain(&home))).await;
    assert_eq!(probe::sealed_values(&home.store, &look).await.unwrap(), Sealed { looked_at: 4, bare: 1 });
    home.spoil(&format!("UPDATE deks SET wrapped = {} WHERE subject = '{}'", plain(&home), ada.id)).await;
    assert_eq!(probe::wrapped_keys(&home.store, &look).await.unwrap(), Sealed { looked_at: 2, bare: 1 });
    let denied = probe::sealed_values(&home.store, &ada.permit(Action::ReadChat)).await;
    assert!(matches!(denied, Err(Error::Denied(_))));
});

/// Plain bytes as each engine spells them.
fn plain(home: &Home) -> &'static str {
    if home.database().is_some() { "'plain'::bytea" } else { "CAST('plain' AS BLOB)" }
}

both_engines!(the_store_says_what_it_is, |home| {
    home.store.ping().await.unwrap();
    let expected = if home.database().is_some() { Engine::Postgres } else { Engine::Sqlite };
    assert_eq!(home.store.engine(), expected);
    assert_eq!(home.store.mac("pepper", b"x"), home.keyring.mac("pepper", b"x"));
    assert!(!format!("{:?}", home.store).contains("root.key"));
});
