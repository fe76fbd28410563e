//! Temporary chats: they work like others and leave nothing anywhere.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use assistant::{Error, Keeping, Place};
use domain::{
    Action, Job,
    chat::Ending,
    verifies,
    voice::{Command, Spoken},
};
use testkit::{Home, both_engines};
use zeroize::Zeroizing;

use crate::{
    house::{again, ask, assistant, say},
    talk::{Talk, silent},
};

const MARK: &str = "zanzibarquagga";

both_engines!(a_temporary_chat_never_reaches_the_store, |home| {
    let _proof = verifies!(DAT03);
    let person = home.person("ann").await;
    let ctx = &person.ctx;
    let assistant = assistant(&home);
    let entries = || async {
        let permit = home.instance(Job::Checks, Action::ReadInstance);
        store::audit::list(&home.store, &permit, 0, 10_000).await.unwrap().len()
    };
    let before = entries().await;
    let on_disk = contents(home.folder());
    let id = assistant.begin_temporary(ctx).unwrap();
    let place = Place::Temporary(id);
    let first = ask(&assistant, ctx, say(place, MARK)).await;
    assert_eq!(first.ending, Ending::Complete);
    assert!(first.text.contains(MARK));
    let other = ask(&assistant, ctx, again(place, first.answer)).await;
    let failed = ask(&assistant, ctx, say(place, "fail-midstream")).await;
    assert_eq!(failed.ending, Ending::Failed);
    assistant.choose_branch(ctx, id, first.answer).await.unwrap();
    let opened = assistant.open_temporary(ctx, id).unwrap();
    assert!(opened.temporary && opened.tree.messages().len() == 5);
    assert_eq!(opened.conversation.head, Some(first.answer));
    assert_eq!(opened.tree.get(other.answer).unwrap().parent, first.question);

    assert_eq!(entries().await, before, "no transaction was begun for it");
    assert!(contents(home.folder()) == on_disk, "not one byte of the store's files changed");
    assert!(assistant.list(ctx, false).await.unwrap().is_empty());
    assert!(assistant.search(ctx, MARK).await.unwrap().is_empty());
    assert!(matches!(assistant.open(ctx, id).await, Err(Error::NotFound)));
    let export = assistant.export(ctx, None, assistant::Format::Json).await.unwrap();
    assert!(!str::from_utf8(export.as_ref()).unwrap().contains(MARK));
});

/// Every file below `folder` and what is in it. They are encrypted, so that looking for the text would
/// prove nothing; that nothing changed does. With PostgreSQL the audit log alone tells.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = BTreeMap::new();
    for path in entries {
        if path.is_dir() {
            found.append(&mut contents(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    // Readers of the write-ahead log note themselves there; it holds no rows.
    found.retain(|path, _| !path.to_string_lossy().ends_with("-shm"));
    found
}

#[test]
fn a_call_in_a_temporary_chat_never_reaches_the_store() {
    let _proof = verifies!(DAT03);
    testkit::run(async {
        let home = Home::sqlite().await;
        let (ann, assistant) = (home.person("ann").await, assistant(&home));
        let entries = || async {
            let permit = home.instance(Job::Checks, Action::ReadInstance);
            store::audit::list(&home.store, &permit, 0, 10_000).await.unwrap().len()
        };
        let talk = Talk::begin(&assistant, &ann, Keeping::Temporary(None), silent()).await;
        talk.introduced().await;
        let before = entries().await;
        talk.talk(MARK).await;
        let typed = Zeroizing::new("It rains.".to_owned());
        talk.ask(Command::Text { item: None, by: Spoken::Caller, text: typed, answer: false }).await;
        talk.talk("long 3").await;
        let kept = talk.kept(&assistant, &ann);
        assert!(kept[0].1 == MARK && kept.iter().any(|(_, text)| text == "It rains."), "{kept:?}");
        assert_eq!(entries().await, before, "no transaction was begun for it");
    });
}

#[test]
fn a_temporary_chat_ends_with_its_person_or_its_half_hour() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let (ann, bob) = (home.person("ann").await, home.person("bob").await);
        let assistant = assistant(&home);
        let begin = |ctx| assistant.begin_temporary(ctx).unwrap();
        let (ended, signed_out, his) = (begin(&ann.ctx), begin(&ann.ctx), begin(&bob.ctx));
        let turn = assistant.respond(&ann.ctx, say(Place::Temporary(ended), "hang")).await.unwrap().turn;
        assistant.end_temporary(&ann.ctx, ended).unwrap();
        assert!(matches!(assistant.open_temporary(&ann.ctx, ended), Err(Error::NotFound)));
        assert!(matches!(assistant.watch(&ann.ctx, turn, 0).map(drop), Err(Error::NotFound)));
        assistant.forget_person(&ann.id);
        assert!(matches!(assistant.open_temporary(&ann.ctx, signed_out), Err(Error::NotFound)));

        home.clockwork.advance(29 * 60);
        assert!(assistant.open_temporary(&bob.ctx, his).is_ok(), "touched");
        home.clockwork.advance(29 * 60);
        assert!(assistant.open_temporary(&bob.ctx, his).is_ok());
        home.clockwork.advance(31 * 60);
        assistant.sweep(home.clockwork.now());
        assert!(matches!(assistant.open_temporary(&bob.ctx, his), Err(Error::NotFound)));
    });
}

#[test]
fn temporary_chats_are_few() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        for _ in 0..8 {
            assistant.begin_temporary(&ann.ctx).unwrap();
        }
        assert!(matches!(assistant.begin_temporary(&ann.ctx), Err(Error::Full { .. })));
    });
}
