//! `kill -9` at random moments under write load: what was acknowledged is there, every time.
//!
//! The child is this test program itself, asked for [`writes_until_killed`]. It is told on its standard
//! input where to write, and names on its standard output each message that was acknowledged.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use domain::{
    Action, Actor, Job, Resource,
    audit::{Act, Entry},
    authorize,
    id::{ConversationId, MessageId, UserId},
    verifies,
};
use keys::{Keyring, Protector};
use store::{Location, Store, conversations, messages, search};
use testkit::{Clockwork, Home};

use crate::{begin_conversation, message};

/// How often the writer is killed.
const KILLS: u64 = 50;
/// Tasks that write at once in the child.
const WRITERS: usize = 4;

#[test]
fn acknowledged_messages_survive_being_killed() {
    let _proof = verifies!(STO03);
    testkit::run(async {
        let mut home = Home::sqlite().await;
        let ada = home.person("Ada").await;
        let conversation = begin_conversation(&home, &ada).await;
        let mut acknowledged = HashSet::new();
        let mut random = 0x5eed_u64;
        for kill in 0..KILLS {
            let shut = home.shut().await;
            let (mut child, mut said) = start(shut.folder(), ada.id, conversation);
            let mut line = String::new();
            said.read_line(&mut line).expect("the child says its first word");
            assert_eq!(line, "ready\n");
            // xorshift: some moments fall into the first commit, some after many.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            std::thread::sleep(Duration::from_micros(random % 120_000));
            child.kill().expect("SIGKILL");
            child.wait().expect("its end");
            let mut rest = String::new();
            said.read_to_string(&mut rest).expect("what it said");
            // A word cut off at the end is no acknowledgement.
            let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
            acknowledged.extend(whole.lines().map(|id| id.parse::<MessageId>().expect("an identifier")));
            home = shut.open().await;
            let tree =
                messages::tree(&home.store, &ada.permit(Action::ReadChat), conversation).await.unwrap();
            let there: HashSet<MessageId> = tree.messages().iter().map(|m| m.id).collect();
            let lost = acknowledged.difference(&there).count();
            assert_eq!(lost, 0, "kill {kill}: {lost} of {} are lost", acknowledged.len());
            let report = home.store.verify_chain().await.unwrap();
            assert_eq!(report.broken, None, "kill {kill}");
            // One entry per message, and those of the store, the account and the conversation.
            assert_eq!(
                report.entries,
                there.len() as u64 + 3,
                "kill {kill}: no message without entry, nor the other way"
            );
        }
        assert!(acknowledged.len() > 100, "only {} were written", acknowledged.len());
        let found =
            search::find(&home.store, &ada.permit(Action::ReadChat), "durable", 20_000).await.unwrap();
        assert!(found.len() >= acknowledged.len(), "the index survives with them");
    });
}

/// Starts the child, which writes until it is killed.
fn start(folder: &Path, user: UserId, conversation: ConversationId) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "crash::writes_until_killed", "--nocapture", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a child");
    let mut stdin = child.stdin.take().expect("its input");
    writeln!(stdin, "{}\n{user}\n{conversation}", folder.display()).expect("its orders");
    let mut said = BufReader::new(child.stdout.take().expect("its output"));
    // The test harness greets first; our words begin after the mark.
    let mut line = String::new();
    while line != "begin\n" {
        line.clear();
        assert_ne!(said.read_line(&mut line).expect("its words"), 0, "the child died before it began");
    }
    (child, said)
}

#[test]
#[ignore = "the child of acknowledged_messages_survive_being_killed"]
fn writes_until_killed() {
    let mut orders = std::io::stdin().lines().map(|line| line.expect("an order"));
    let mut order = || orders.next().expect("an order");
    let folder = PathBuf::from(order());
    let user: UserId = order().parse().expect("a person");
    let conversation: ConversationId = order().parse().expect("a conversation");
    testkit::run(async move {
        let clockwork = Clockwork::new();
        let ctx = clockwork.ctx(Actor::System(Job::Turn));
        let protector = Protector::KeyFile(folder.join("root.key"));
        let keyring = Arc::new(Keyring::open(&folder.join("keyring.json"), &protector).expect("the keyring"));
        let location = Location::Embedded { folder: folder.join("data") };
        let store = Store::open(&location, keyring, &ctx).await.expect("no start fails");
        let permit = authorize(&ctx, Action::WriteChat, Resource::Of(user)).expect("the turn may write");
        say("\nbegin\nready\n");
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..WRITERS {
            let (store, ctx, permit) = (store.clone(), ctx.clone(), permit.clone());
            let person = testkit::Person { id: user, ctx: ctx.clone() };
            writers.spawn(async move {
                loop {
                    let said =
                        message(&person, None, "durable words, acknowledged only when they are on disk");
                    let mut tx = store.begin(&ctx).await.expect("a turn");
                    messages::append(&mut tx, &permit, conversation, &said).await.expect("a message");
                    tx.commit(Entry::new(Act::MessageWritten, said.id)).await.expect("a commit");
                    say(&format!("{}\n", said.id));
                }
            });
        }
        while writers.join_next().await.is_some() {}
    });
}

/// Writes to standard output itself, past what the test harness captures, in one piece.
fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(words.as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
}

#[test]
fn a_conversation_is_whole_after_a_kill_in_the_middle_of_a_deletion() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ada = home.person("Ada").await;
        let conversation = begin_conversation(&home, &ada).await;
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        conversations::delete(&mut tx, &ada.permit(Action::WriteChat), conversation).await.unwrap();
        // Nothing was committed when the files are copied, as a crash would leave them.
        let home_folder = home.folder().to_owned();
        let copied = tempfile::tempdir().unwrap();
        let status =
            Command::new("cp").arg("-a").arg(home_folder.join("data")).arg(copied.path()).status().unwrap();
        assert!(status.success());
        drop(tx);
        let location = Location::Embedded { folder: copied.path().join("data") };
        let store = Store::open(&location, home.keyring.clone(), &ada.ctx).await.unwrap();
        conversations::get(&store, &ada.permit(Action::ReadChat), conversation)
            .await
            .expect("it is still there");
    });
}
