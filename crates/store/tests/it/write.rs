//! Many writers at once: no error, no stall, no lost update; and one server per store.

use std::time::{Duration, Instant};

use domain::{Action, Actor, Job, Timestamp, verifies};
use store::{Error, FolderLock, Location, Store, conversations, credentials, messages};
use testkit::{Home, both_engines};
use tokio::task::JoinSet;

use crate::{begin_conversation, entry, message};

/// Writers at once.
const WRITERS: usize = 64;
/// Messages of each.
const EACH: usize = 8;
/// Longest time one write may take while 63 others wait with it, on a busy machine.
const STALL: Duration = Duration::from_secs(10);

both_engines!(sixty_four_writers_neither_fail_nor_stall, |home| {
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let person = home.person(&format!("writer {number}")).await;
        let conversation = begin_conversation(&home, &person).await;
        let store = home.store.clone();
        writers.spawn(async move {
            let permit = person.permit(Action::WriteChat);
            let (mut parent, mut slowest) = (None, Duration::ZERO);
            for _ in 0..EACH {
                let begun = Instant::now();
                let said = message(&person, parent, "a few words from one of many writers");
                let mut tx = store.begin(&person.ctx).await.expect("a turn");
                messages::append(&mut tx, &permit, conversation, &said).await.expect("a message");
                tx.commit(entry()).await.expect("a commit");
                slowest = slowest.max(begun.elapsed());
                parent = Some(said.id);
                let tree = messages::tree(&store, &person.permit(Action::ReadChat), conversation)
                    .await
                    .expect("a tree");
                assert_eq!(tree.messages().last().map(|m| m.id), parent, "one reads what one wrote");
            }
            (person, conversation, slowest)
        });
    }
    let mut slowest = Duration::ZERO;
    while let Some(done) = writers.join_next().await {
        let (person, conversation, took) = done.expect("no writer failed");
        slowest = slowest.max(took);
        let tree = messages::tree(&home.store, &person.permit(Action::ReadChat), conversation).await.unwrap();
        assert_eq!(tree.messages().len(), EACH);
    }
    assert!(slowest < STALL, "a write took {slowest:?}");
    let report = home.store.verify_chain().await.unwrap();
    assert_eq!((report.entries, report.broken), ((1 + WRITERS * (2 + EACH)) as u64, None));
});

both_engines!(no_update_is_lost, |home| {
    let ada = home.person("Ada").await;
    let mut writers = JoinSet::new();
    for step in 1..=100 {
        let (store, ada) = (home.store.clone(), ada.clone());
        let permit = home.instance(Job::Authentication, Action::Authenticate);
        writers.spawn(async move {
            let mut tx = store.begin(&ada.ctx).await.unwrap();
            credentials::record_failure(&mut tx, &permit, &[1; 32], Timestamp(0), ada.ctx.now())
                .await
                .unwrap();
            // Some think again; their turn passes on.
            if step % 5 == 0 { drop(tx) } else { tx.commit(entry()).await.unwrap() }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let permit = home.instance(Job::Authentication, Action::Authenticate);
    let counted = credentials::failures(&home.store, &permit, &[1; 32]).await.unwrap();
    assert_eq!(counted.0, 80);
});

#[test]
fn two_servers_on_one_postgres_write_in_turn() {
    testkit::run(async {
        let home = Home::postgres().await;
        let ada = home.person("Ada").await;
        let second = Store::open(home.location(), home.keyring.clone(), &ada.ctx).await.unwrap();
        let mut writers = JoinSet::new();
        for number in 0..40 {
            let store = if number % 2 == 0 { home.store.clone() } else { second.clone() };
            let ada = ada.clone();
            writers.spawn(async move {
                let mut tx = store.begin(&ada.ctx).await.unwrap();
                let id = domain::id::ConversationId::fresh(&ada.ctx);
                conversations::create(&mut tx, &ada.permit(Action::WriteChat), id, ada.ctx.now())
                    .await
                    .unwrap();
                tx.commit(entry()).await.unwrap();
            });
        }
        while let Some(done) = writers.join_next().await {
            done.unwrap();
        }
        assert_eq!(conversations::count(&second, &ada.permit(Action::ReadChat)).await.unwrap(), 40);
        assert_eq!(second.verify_chain().await.unwrap().broken, None);
    });
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let _proof = verifies!(STO02);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ctx = home.ctx(Actor::System(Job::Setup));
        let Location::Embedded { folder } = home.location().clone() else { unreachable!() };
        let second = Store::open(home.location(), home.keyring.clone(), &ctx).await;
        assert!(matches!(&second, Err(Error::InUse { folder: named }) if *named == folder), "{second:?}");
        home.store.ping().await.unwrap();
        home.reopen().await.store.ping().await.unwrap();
    });
}

both_engines!(a_folder_taken_before_is_handed_to_the_store, |home| {
    let _proof = verifies!(STO02);
    let ctx = home.ctx(Actor::System(Job::Setup));
    let location = home.location().clone();
    let folder = match &location {
        Location::Embedded { folder } => folder.clone(),
        Location::Postgres { .. } => home.folder().join("data"),
    };
    let shut = home.shut().await;
    let lock = FolderLock::take(&folder).unwrap();
    let in_use = |taken: Result<FolderLock, Error>| {
        assert!(matches!(&taken, Err(Error::InUse { folder: named }) if *named == folder), "{taken:?}");
    };
    in_use(FolderLock::take(&folder));
    let store = Store::open_locked(&location, lock, shut.keyring.clone(), &ctx).await.unwrap();
    in_use(FolderLock::take(&folder));
    store.close().await;
    let lock = FolderLock::take(&folder).expect("a closed store lets go of its folder");
    drop(lock);
    if let Location::Embedded { .. } = location {
        let other = FolderLock::take(&shut.folder().join("other")).unwrap();
        let refused = Store::open_locked(&location, other, shut.keyring.clone(), &ctx).await;
        assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
    }
});

#[test]
fn a_deletion_does_not_wait_for_readers() {
    let _proof = verifies!(DAT02);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ada = home.person("Ada").await;
        let conversation = begin_conversation(&home, &ada).await;
        let log = home.folder().join("data/troth.db-wal");
        let log_is_cut = || std::fs::metadata(&log).is_ok_and(|log| log.len() == 0);
        let mut reader = home.raw().await;
        for statement in ["BEGIN", "SELECT COUNT(*) FROM messages"] {
            sqlx::raw_sql(statement).execute(&mut reader).await.unwrap();
        }
        let begun = Instant::now();
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        conversations::delete(&mut tx, &ada.permit(Action::WriteChat), conversation).await.unwrap();
        tx.commit(entry()).await.unwrap();
        begin_conversation(&home, &ada).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "writing waited {:?}", begun.elapsed());
        assert!(!log_is_cut(), "the reader still needs it");
        sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
        let begun = Instant::now();
        while !log_is_cut() {
            assert!(begun.elapsed() < Duration::from_secs(30), "what was deleted still lies in the log");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[test]
fn what_was_written_moves_into_the_file_beside_the_writing() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ada = home.person("Ada").await;
        let file = home.folder().join("data/troth.db");
        let length = || std::fs::metadata(&file).unwrap().len();
        let before = length();
        let conversation = begin_conversation(&home, &ada).await;
        // Much less than what makes a commit move it, and nothing else is written afterwards.
        let text = "some words ".repeat(20_000);
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        let said = message(&ada, None, &text);
        messages::append(&mut tx, &ada.permit(Action::WriteChat), conversation, &said).await.unwrap();
        tx.commit(entry()).await.unwrap();
        let begun = Instant::now();
        while length() < before + 200_000 {
            assert!(begun.elapsed() < Duration::from_secs(30), "all of it still lies in the log");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_look_into_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    testkit::run(async {
        let home = Home::sqlite().await;
        home.person("Ada").await;
        let data = home.folder().join("data");
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        for entry in std::fs::read_dir(&data).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    });
}
