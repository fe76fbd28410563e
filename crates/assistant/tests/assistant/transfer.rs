//! Export and import: everything there and back, and nothing of a bad file.

use assistant::{Assistant, Error, Format, ImportReport, Limits, Place};
use domain::{
    Ctx,
    chat::{Ending, Message},
    id::{ConversationId, MessageId},
};
use proptest::prelude::*;
use providers::Providers;
use serde_json::{Value, json};
use testkit::{Home, both_engines};
use tokio_util::task::TaskTracker;

use crate::house::{again, ask, assistant, import, one_question, say, scripted, with_limits};

async fn exported(assistant: &Assistant, ctx: &Ctx) -> Value {
    let export = assistant.export(ctx, None, Format::Json).await.unwrap();
    serde_json::from_slice(export.as_ref()).unwrap()
}

/// An export with every identifier replaced by its place, so that two can be compared.
fn nameless(mut file: Value) -> Value {
    file["exported"] = Value::Null;
    let mut names = Vec::new();
    rename(&mut file, &mut names);
    file
}

fn rename(value: &mut Value, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(id) if ["id", "parent", "head", "folder"].contains(&key.as_str()) => {
                        if !names.contains(id) {
                            names.push(id.clone());
                        }
                        *value = json!(names.iter().position(|name| name == id));
                    }
                    other => rename(other, names),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, names)),
        _ => (),
    }
}

both_engines!(what_is_exported_can_be_imported_by_somebody_else, |home| {
    let (ann, bob) = (home.person("ann").await, home.person("bob").await);
    let assistant = assistant(&home);
    let (first, seen) = one_question(&assistant, &ann.ctx, "Kept with **all** its branches: नमस्ते").await;
    ask(&assistant, &ann.ctx, again(Place::Kept(first), seen.answer)).await;
    ask(&assistant, &ann.ctx, say(Place::Kept(first), "fail-midstream")).await;
    assistant.choose_branch(&ann.ctx, first, seen.answer).await.unwrap();
    let (second, _) = one_question(&assistant, &ann.ctx, "put away").await;
    let folder = assistant.make_folder(&ann.ctx, "Work").await.unwrap();
    assistant.file(&ann.ctx, first, Some(folder)).await.unwrap();
    assistant.pin(&ann.ctx, first, true).await.unwrap();
    assistant.archive(&ann.ctx, second, true).await.unwrap();

    let export = assistant.export(&ann.ctx, None, Format::Json).await.unwrap();
    assert_eq!(export.file_name, "troth-conversations-2026-01-01.json");
    let file = export.as_ref().to_vec();
    drop(export);
    let report = import(&assistant, &bob.ctx, &file).await.unwrap();
    assert_eq!(report, ImportReport { conversations: 2, messages: 7, skipped: 0 });
    let (hers, his) = (exported(&assistant, &ann.ctx).await, exported(&assistant, &bob.ctx).await);
    assert_eq!(nameless(hers), nameless(his));

    // Twice is beside, not over; the folder of the same name is used again.
    import(&assistant, &bob.ctx, &file).await.unwrap();
    assert_eq!(assistant.list(&bob.ctx, false).await.unwrap().len(), 2);
    assert_eq!(assistant.folders(&bob.ctx).await.unwrap().len(), 1);
    assert!(!assistant.search(&bob.ctx, "branches").await.unwrap().is_empty());

    let one = assistant.export(&ann.ctx, Some(second), Format::Markdown).await.unwrap();
    let text = String::from_utf8(one.as_ref().to_vec()).unwrap();
    assert!(text.starts_with("# put away\n") && text.contains("## You\n") && !text.contains("Kept with"));
    assert!(text.contains("## AI assistant (scripted, on this machine)"));
});

/// The example of the documentation, which must be importable as it stands there.
#[test]
fn the_documented_example_is_imported() {
    testkit::run(async {
        let page = include_str!("../../../../docs/export-format.md");
        let example = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let report = import(&assistant, &ann.ctx, example.as_bytes()).await.unwrap();
        assert_eq!(report, ImportReport { conversations: 1, messages: 3, skipped: 0 });
        let again = exported(&assistant, &ann.ctx).await;
        let documented: Value = serde_json::from_str(example).unwrap();
        assert_eq!(nameless(again), nameless(documented), "the page shows what is written");
    });
}

fn file() -> Value {
    let id = |n: u8| format!("01890a5d-ac96-774b-bcce-b302099a80{n:02x}");
    let at = "2026-01-31T12:00:00Z";
    let message = |n: u8, parent: Option<u8>| json!({"id": id(n), "parent": parent.map(id), "author": "user", "at": at, "text": "hello"});
    json!({
        "format": "troth.conversations/1",
        "folders": [{"id": id(1), "name": "Work"}],
        "conversations": [{
            "id": id(2), "title": "A title", "folder": id(1), "created": at, "updated": at, "head": id(4),
            "messages": [message(3, None), message(4, Some(3)), message(5, Some(3))],
        }, {"id": id(6), "created": at, "updated": at, "messages": []}],
    })
}

#[test]
fn a_bad_file_is_refused_where_it_is_bad_and_nothing_of_it_is_kept() {
    let long = "x".repeat(64 * 1024 + 1);
    let spoilt: Vec<(&str, Value, &str)> = vec![
        ("/format", json!("troth.conversations/2"), "format"),
        ("/folders/0/name", json!(" "), "folders[0]"),
        ("/conversations/0/folder", json!("01890a5d-ac96-774b-bcce-b302099a80ff"), "conversations[0]"),
        ("/conversations/1/id", json!("01890a5d-ac96-774b-bcce-b302099a8002"), "conversations[1]"),
        ("/conversations/0/created", json!("long ago"), "conversations[0].created"),
        ("/conversations/0/title", json!("x".repeat(121)), "conversations[0].title"),
        ("/conversations/0/head", json!("01890a5d-ac96-774b-bcce-b302099a80ff"), "conversations[0]"),
        ("/conversations/0/messages/1/at", json!(""), "conversations[0].messages[1].at"),
        ("/conversations/0/messages/1/text", json!(long), "conversations[0].messages[1]"),
        (
            "/conversations/0/messages/0/parent",
            json!("01890a5d-ac96-774b-bcce-b302099a8004"),
            "conversations[0].messages",
        ),
        (
            "/conversations/0/messages/2/parent",
            json!("01890a5d-ac96-774b-bcce-b302099a80ff"),
            "conversations[0].messages",
        ),
        (
            "/conversations/0/messages/2/id",
            json!("01890a5d-ac96-774b-bcce-b302099a8004"),
            "conversations[0].messages",
        ),
        ("/conversations/0/messages/0/author", json!("somebody SECRET"), "line 1, column"),
        ("/conversations/0/pinned", json!("SECRET"), "line 1, column"),
        ("/conversations/0/messages/0/id", json!("SECRET"), "line 1, column"),
    ];
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        for (at, value, named) in spoilt {
            let mut file = file();
            match file.pointer_mut(at) {
                Some(field) => *field = value,
                None => {
                    let (parent, key) = at.rsplit_once('/').unwrap();
                    file.pointer_mut(parent).unwrap()[key] = value;
                }
            }
            let error = import(&assistant, &ann.ctx, file.to_string().as_bytes()).await.expect_err(at);
            let told = error.to_string();
            assert!(matches!(&error, Error::BadImport { at, .. } if at.starts_with(named)), "{at}: {told}");
            assert!(!told.contains("SECRET"), "an error repeats the file: {told}");
        }
        let whole = file().to_string();
        for cut in [&whole.as_bytes()[..whole.len() - 9], b"{}", b"", b"[1]", b"\xff\xfe", b"null"] {
            let refused = import(&assistant, &ann.ctx, cut).await;
            assert!(matches!(refused, Err(Error::BadImport { .. })));
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(import(&assistant, &ann.ctx, deep.as_bytes()).await, Err(Error::BadImport { .. })));
        let large = vec![b' '; assistant::MAX_IMPORT_BYTES + 1];
        assert!(matches!(import(&assistant, &ann.ctx, &large).await, Err(Error::TooLong { .. })));
        assert!(assistant.list(&ann.ctx, false).await.unwrap().is_empty());
        assert!(assistant.folders(&ann.ctx).await.unwrap().is_empty());

        let report = import(&assistant, &ann.ctx, whole.as_bytes()).await.unwrap();
        assert_eq!(report, ImportReport { conversations: 1, messages: 3, skipped: 1 });
    });
}

/// A file with `count` conversations of three messages.
fn many(count: u32) -> Value {
    let mut whole = file();
    let one = whole["conversations"][0].clone();
    let all = (0..count).map(|n| {
        let mut one = one.clone();
        one["id"] = json!(format!("01890a5d-ac96-774b-bcce-{n:012x}"));
        one
    });
    whole["conversations"] = all.collect();
    whole
}

#[test]
fn an_import_nobody_waits_for_any_more_is_still_whole() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let tasks = TaskTracker::new();
        let providers = Providers::start(scripted(), &tasks, home.clockwork.clock()).unwrap();
        let assistant = Assistant::new(home.store.clone(), providers.clone(), tasks.clone());
        let file = many(20).to_string();
        {
            let importing = std::pin::pin!(import(&assistant, &ann.ctx, file.as_bytes()));
            assert!(futures::poll!(importing).is_pending(), "it has begun");
        }
        providers.stop();
        tasks.close();
        tasks.wait().await;
        assert_eq!(assistant.list(&ann.ctx, false).await.unwrap().len(), 20);
    });
}

#[test]
fn too_many_folders_are_refused_before_any_is_looked_at() {
    let mut file = file();
    let id = |n: usize| format!("01890a5d-ac96-774b-bcce-{n:012x}");
    file["folders"] = (0..=assistant::MAX_FOLDERS).map(|n| json!({"id": id(n), "name": " "})).collect();
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let refused = import(&assistant(&home), &ann.ctx, file.to_string().as_bytes()).await;
        assert!(matches!(refused, Err(Error::BadImport { at, .. }) if at == "folders"));
    });
}

#[test]
fn only_so_many_files_are_made_or_read_at_once() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let none = with_limits(&home, Limits { exports: 0, imports: 0, ..Limits::default() });
        let refused = none.export(&ann.ctx, None, Format::Json).await;
        assert!(matches!(refused, Err(Error::Transferring { .. })));
        let file = file().to_string();
        let refused = import(&none, &ann.ctx, file.as_bytes()).await;
        assert!(matches!(refused, Err(Error::Transferring { .. })));

        let one = with_limits(&home, Limits { exports: 1, imports: 1, ..Limits::default() });
        for _ in 0..2 {
            import(&one, &ann.ctx, file.as_bytes()).await.unwrap();
            import(&one, &ann.ctx, b"{}").await.unwrap_err();
            one.export(&ann.ctx, None, Format::Json).await.unwrap();
        }
    });
}

#[test]
fn a_person_has_one_room_of_each_kind_for_as_long_as_the_file_is_in_memory() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let (ann, bob, cat) = (home.person("ann").await, home.person("bob").await, home.person("cat").await);
        let two = with_limits(&home, Limits { exports: 2, imports: 2, ..Limits::default() });
        let goes_out = async |ctx| match two.export(ctx, None, Format::Json).await {
            Ok(export) => Some(export),
            Err(Error::Transferring { .. }) => None,
            Err(error) => panic!("{error}"),
        };
        let hers = goes_out(&ann.ctx).await.unwrap();
        assert!(goes_out(&ann.ctx).await.is_none(), "what was made has not been sent yet");
        let his = goes_out(&bob.ctx).await.expect("one person does not keep the others out");
        assert!(goes_out(&cat.ctx).await.is_none(), "two in all");
        drop(his);
        drop(goes_out(&cat.ctx).await.unwrap());
        drop(hers);
        assert!(goes_out(&ann.ctx).await.is_some());

        let comes_in = |ctx| two.begin_import(ctx).ok();
        let hers = comes_in(&ann.ctx).unwrap();
        assert!(comes_in(&ann.ctx).is_none());
        let his = comes_in(&bob.ctx).unwrap();
        assert!(comes_in(&cat.ctx).is_none());
        drop(his);
        his_turn_again(comes_in(&bob.ctx)).await;
        hers.take(file().to_string()).await.unwrap();
        his_turn_again(comes_in(&ann.ctx)).await;
    });
}

/// A room that was given back.
async fn his_turn_again(import: Option<assistant::Import>) {
    import.expect("a room").take(file().to_string()).await.unwrap();
}

/// Any conversation: some parents, times, endings and texts.
fn conversations() -> impl Strategy<Value = Value> {
    let message = (any::<prop::sample::Index>(), any::<bool>(), 0i64..50, "\\PC{0,20}", 0..4usize);
    let messages = proptest::collection::vec(message, 1..12);
    proptest::collection::vec((messages, "\\PC{0,20}", any::<bool>(), any::<bool>()), 1..4).prop_map(|all| {
        let id = |conversation: usize, message: usize| {
            format!("01890a5d-ac96-774b-bcce-{:012x}", conversation * 1_000 + message)
        };
        let all = all.into_iter().enumerate().map(|(c, (messages, title, pinned, archived))| {
            let messages: Vec<_> = messages
                .into_iter()
                .enumerate()
                .map(|(m, (parent, person, second, text, ending))| {
                    let parent = (m > 0).then(|| id(c, 1 + parent.index(m)));
                    let ending = ["complete", "stopped", "failed", "length"][ending];
                    let author = if person { "user" } else { "assistant" };
                    let at = format!("2026-01-31T12:00:{second:02}Z");
                    json!({"id": id(c, 1 + m), "parent": parent, "author": author, "at": at, "text": text, "ending": ending})
                })
                .collect();
            let (created, updated) = ("2026-01-31T12:00:00Z", format!("2026-02-0{}T12:00:00Z", c + 1));
            json!({"id": id(c, 0), "title": title.trim(), "pinned": pinned, "archived": archived,
                "created": created, "updated": updated, "messages": messages})
        });
        json!({"format": "troth.conversations/1", "conversations": all.collect::<Vec<_>>()})
    })
}

/// What matters about a message beside its name: texts of its ancestors down to its own, and facts.
fn story(tree: &domain::chat::Tree, message: &Message) -> (Vec<String>, String, i64, Ending) {
    let path = tree.path(message.id).iter().map(|message| message.body.text.clone()).collect();
    (path, format!("{:?}", message.author), message.at.0, message.body.ending)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Import, export, import: the second person has what the first has.
    #[test]
    fn any_conversation_survives_the_journey(file in conversations()) {
        testkit::run(async move {
            let home = Home::sqlite().await;
            let (ann, bob) = (home.person("ann").await, home.person("bob").await);
            let assistant = assistant(&home);
            import(&assistant, &ann.ctx, file.to_string().as_bytes()).await.unwrap();
            let export = assistant.export(&ann.ctx, None, Format::Json).await.unwrap();
            import(&assistant, &bob.ctx, export.as_ref()).await.unwrap();
            let (hers, his) = (all(&assistant, &ann.ctx).await, all(&assistant, &bob.ctx).await);
            assert_eq!(hers.len(), file["conversations"].as_array().unwrap().len());
            assert_eq!(stories(&assistant, &ann.ctx, &hers).await, stories(&assistant, &bob.ctx, &his).await);
        });
    }
}

async fn all(assistant: &Assistant, ctx: &Ctx) -> Vec<ConversationId> {
    let mut all = assistant.list(ctx, false).await.unwrap();
    all.extend(assistant.list(ctx, true).await.unwrap());
    all.into_iter().map(|conversation| conversation.id).collect()
}

async fn stories(assistant: &Assistant, ctx: &Ctx, ids: &[ConversationId]) -> Vec<String> {
    let mut told = Vec::new();
    for id in ids {
        let opened = assistant.open(ctx, *id).await.unwrap();
        let head: Option<MessageId> = opened.conversation.head;
        let shown = head.map(|head| story(&opened.tree, opened.tree.get(head).unwrap()));
        let messages: Vec<_> = opened.tree.messages().iter().map(|m| story(&opened.tree, m)).collect();
        let facts = opened.conversation;
        told.push(format!(
            "{:?}",
            (facts.title, facts.pinned, facts.archived, facts.created, facts.updated, shown, messages)
        ));
    }
    told
}
