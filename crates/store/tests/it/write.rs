//! Many writers at once: no error, no stall, no lost update; and one server per store.

use std::time::{Duration, Instant};

use domain::{Action, Actor, Job, verifies};
use store::{Error, Location, Store, conversations, credentials, messages};
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
        writers.spawn(async move {
            let permit = ada.permit(Action::WriteAccount);
            let mut tx = store.begin(&ada.ctx).await.unwrap();
            credentials::record_failure(&mut tx, &permit, ada.ctx.now()).await.unwrap();
            // Some think again; their turn passes on.
            if step % 5 == 0 { drop(tx) } else { tx.commit(entry()).await.unwrap() }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let counted = credentials::failures(&home.store, &ada.permit(Action::ReadAccount)).await.unwrap();
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
