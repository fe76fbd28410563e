//! Nothing readable at rest, and nothing readable without the key.

use std::{fs, path::Path};

use domain::{
    Action, Actor, Job,
    access::Rights,
    audit::{Act, Entry},
    id::{ApiKeyId, FolderId, SessionId},
    verifies,
};
use sqlx::{AssertSqlSafe, Column, Row};
use store::{
    Error, accounts, accounts::Settings, api_keys, conversations, credentials, drafts, folders, messages,
    notices, search, sessions, settings,
};
use testkit::{Home, Person, both_engines};

use crate::{begin_conversation, entry, later, message, say};

/// Stands in everything that must not be readable; no chance text holds it.
const MARK: &str = "Xq7zVkMark";

/// Writes a mark into every place where people's words are kept, a thousand of them into messages.
async fn fill(home: &Home) -> Person {
    let ada = home.person(&format!("{MARK} name")).await;
    let (account, chat) = (ada.permit(Action::WriteAccount), ada.permit(Action::WriteChat));
    let conversation = begin_conversation(home, &ada).await;
    let mut tx = home.store.begin(&ada.ctx).await.unwrap();
    let chosen = Settings { model: Some(format!("{MARK} model")), ..Settings::default() };
    accounts::save_settings(&mut tx, &account, &chosen).await.unwrap();
    credentials::set_password(&mut tx, &account, &format!("{MARK} verifier"), ada.ctx.now()).await.unwrap();
    credentials::set_totp(&mut tx, &account, format!("{MARK} secret").as_bytes(), true).await.unwrap();
    let session = SessionId::fresh(&ada.ctx);
    let device = format!("{MARK} device");
    let begins = sessions::Beginning {
        id: session,
        device: &device,
        address: None,
        network: [0; 32],
        second_factor: true,
        now: ada.ctx.now(),
        expires: later(home, 60),
    };
    sessions::create(&mut tx, &account, begins).await.unwrap();
    let (key, label) = (ApiKeyId::fresh(&ada.ctx), format!("{MARK} label"));
    let making = api_keys::Making {
        id: key,
        hash: [2; 32],
        prefix: "troth_",
        label: &label,
        scopes: Rights::NONE,
        now: ada.ctx.now(),
        expires: later(home, 60),
    };
    api_keys::create(&mut tx, &ada.permit(Action::ManageCredentials), making).await.unwrap();
    let notice = notices::Notice::TokenReused { device: device.clone() };
    notices::add(&mut tx, &account, &notice, ada.ctx.now()).await.unwrap();
    let draft = format!("{MARK} draft");
    drafts::keep(&mut tx, &chat, Some(conversation), &draft, ada.ctx.now()).await.unwrap();
    folders::create(&mut tx, &chat, FolderId::fresh(&ada.ctx), &format!("{MARK} folder")).await.unwrap();
    conversations::rename(&mut tx, &chat, conversation, &format!("{MARK} title")).await.unwrap();
    let instance = home.instance(Job::Setup, Action::WriteInstance);
    settings::set(&mut tx, &instance, "provider.key", &format!("{MARK} setting")).await.unwrap();
    let mut parent = None;
    for number in 0..1000 {
        let said = message(&ada, parent, &format!("{MARK}{number} is a secret"));
        messages::append(&mut tx, &chat, conversation, &said).await.unwrap();
        parent = Some(said.id);
    }
    tx.commit(Entry::new(Act::MessageWritten, conversation).times(1000)).await.unwrap();
    ada
}

/// Whether any form of the mark stands in `bytes`.
fn shows(bytes: &[u8]) -> bool {
    let needles = [MARK.to_owned(), MARK.to_lowercase(), hex(MARK.as_bytes())];
    needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn no_file_shows_a_thousand_marked_messages() {
    let _proof = verifies!(CRY02);
    testkit::run(async {
        let home = Home::sqlite().await;
        fill(&home).await;
        let looked = look_through(&home.folder().join("data"));
        assert!(looked.iter().any(|name| name == "troth.db-wal"), "the log was there to be read: {looked:?}");
        let home = home.reopen().await;
        look_through(&home.folder().join("data"));
        // The same look does find a mark where one is.
        fs::write(home.folder().join("data/plain"), format!("… {MARK} …")).unwrap();
        assert!(shows(&fs::read(home.folder().join("data/plain")).unwrap()));
    });
}

/// Asserts that no file of `folder` shows a mark, a table's name or SQLite's header; names the files.
fn look_through(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for file in files(folder) {
        let bytes = fs::read(&file).unwrap();
        assert!(!shows(&bytes), "{} shows a mark", file.display());
        for plain in ["SQLite format 3", "conversations", "audit"] {
            let found = bytes.windows(plain.len()).any(|window| window == plain.as_bytes());
            assert!(!found, "{} shows {plain:?}", file.display());
        }
        names.push(file.file_name().unwrap().to_string_lossy().into_owned());
    }
    names
}

both_engines!(no_row_shows_a_thousand_marked_messages, |home| {
    let _proofs = (verifies!(CRY01), verifies!(CRY03), verifies!(CRY06));
    let ada = fill(&home).await;
    let mut raw = home.raw().await;
    let tables = if home.database().is_some() {
        "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    };
    let mut looked = 0;
    for table in sqlx::query(AssertSqlSafe(tables)).fetch_all(&mut raw).await.unwrap() {
        let table: String = table.try_get(0).unwrap();
        if table == "_sqlx_migrations" {
            continue;
        }
        for row in
            sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}"))).fetch_all(&mut raw).await.unwrap()
        {
            for column in 0..row.columns().len() {
                let name = row.columns()[column].name().to_owned();
                let bytes = row.try_get::<Option<Vec<u8>>, _>(column).ok().flatten();
                let text = row.try_get::<Option<String>, _>(column).ok().flatten().map(String::into_bytes);
                for value in [bytes, text].into_iter().flatten() {
                    assert!(!shows(&value), "{table}.{name} shows a mark");
                    looked += 1;
                }
            }
        }
    }
    assert!(looked > 5000, "only {looked} values were looked at");
    let found = search::find(&home.store, &ada.permit(Action::ReadChat), "secret xq7", 2000).await.unwrap();
    assert_eq!(found.len(), 1000, "and yet they are all there");
});

both_engines!(without_its_key_a_person_is_unreadable, |home| {
    let _proof = verifies!(CRY03);
    let (ada, eve) = (fill(&home).await, home.person("Eve").await);
    let hers = begin_conversation(&home, &eve).await;
    say(&home, &eve, hers, None, "still here").await;
    let read = ada.permit(Action::ReadChat);
    let conversation = conversations::list(&home.store, &read, false, 1, None).await.unwrap()[0].id;
    home.spoil(&format!("DELETE FROM deks WHERE subject = '{}'", ada.id)).await;
    let home = home.reopen().await;
    let account = ada.permit(Action::ReadAccount);
    assert!(matches!(accounts::get(&home.store, &account).await, Err(Error::NotFound)));
    assert!(matches!(credentials::password(&home.store, &account).await, Err(Error::NotFound)));
    assert!(matches!(credentials::totp(&home.store, &account).await, Err(Error::NotFound)));
    assert!(matches!(sessions::list(&home.store, &account).await, Err(Error::NotFound)));
    assert!(matches!(api_keys::list(&home.store, &account).await, Err(Error::NotFound)));
    assert!(matches!(folders::list(&home.store, &read).await, Err(Error::NotFound)));
    assert!(matches!(conversations::list(&home.store, &read, false, 9, None).await, Err(Error::NotFound)));
    assert!(matches!(messages::tree(&home.store, &read, conversation).await, Err(Error::NotFound)));
    assert!(matches!(search::find(&home.store, &read, "secret", 9).await, Err(Error::NotFound)));
    let others = messages::tree(&home.store, &eve.permit(Action::ReadChat), hers).await.unwrap();
    assert_eq!(others.messages()[0].body.text, "still here");
});

both_engines!(a_value_moved_to_another_row_does_not_open, |home| {
    let ada = home.person("Ada").await;
    let conversation = begin_conversation(&home, &ada).await;
    let (one, other) = (
        say(&home, &ada, conversation, None, "one").await,
        say(&home, &ada, conversation, None, "other").await,
    );
    home.spoil(&format!(
        "UPDATE messages SET body = (SELECT m.body FROM messages m WHERE m.id = '{one}') WHERE id = '{other}'"
    ))
    .await;
    let read = ada.permit(Action::ReadChat);
    assert!(messages::get(&home.store, &read, conversation, one).await.is_ok());
    let moved = messages::get(&home.store, &read, conversation, other).await;
    assert!(matches!(moved, Err(Error::Damaged { .. })), "{moved:?}");
});

both_engines!(another_keyring_opens_nothing, |home| {
    home.person("Ada").await;
    let ctx = home.ctx(Actor::System(Job::Setup));
    let strange = keys::Keyring::create(
        &home.folder().join("strange.json"),
        &keys::Protector::KeyFile(home.folder().join("strange.key")),
        ctx.entropy(),
    );
    let strange = std::sync::Arc::new(strange.unwrap());
    let opened = home.shut().await.try_open_with(strange).await;
    assert!(matches!(opened, Err(Error::WrongKey { .. })), "{opened:?}");
    let said = opened.unwrap_err().to_string();
    assert!(said.contains("keyring") && !said.contains("postgres://"), "{said}");
});

both_engines!(an_unaudited_commit_leaves_no_entry, |home| {
    let ada = home.person("Ada").await;
    let before = home.store.verify_chain().await.unwrap().entries;
    home.store.begin(&ada.ctx).await.unwrap().commit_unaudited("a test").await.unwrap();
    assert_eq!(home.store.verify_chain().await.unwrap().entries, before);
    home.store.begin(&ada.ctx).await.unwrap().commit(entry()).await.unwrap();
    assert_eq!(home.store.verify_chain().await.unwrap().entries, before + 1);
});
