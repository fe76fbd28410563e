//! How long a durable message takes: `cargo run -p store --example append [messages]`.
//!
//! Appends messages of about 40 words one after the other, each with its index, head and audit entry in one
//! synced commit, and prints the 50th, 95th and 99th percentile; then the time of a search and a tree.

#![expect(clippy::print_stdout, reason = "an example speaks to the person who runs it")]

use std::time::{Duration, Instant};

use domain::{
    Action,
    audit::{Act, Entry},
    chat::{Author, Body, Message},
    id::{ConversationId, MessageId},
};
use store::{conversations, messages, search};
use testkit::{Home, Person};

/// Words to make messages of; enough of them that the index grows as a real one does.
const SYLLABLES: [&str; 16] = [
    "ka", "lo", "mi", "ren", "tas", "vel", "dor", "fin", "gu", "hal", "jo", "nep", "qui", "sor", "wy", "zen",
];

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(2000);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ada = home.person("Ada").await;
        let permit = ada.permit(Action::WriteChat);
        let mut seed = 1_u64;
        let (mut begun, mut parent) = (ConversationId::fresh(&ada.ctx), None);
        let mut times = Vec::with_capacity(count);
        for number in 0..count {
            if number % 20 == 0 {
                (begun, parent) = (begin(&home, &ada).await, None);
            }
            let message = Message {
                id: MessageId::fresh(&ada.ctx),
                parent,
                author: Author::User,
                body: Body { text: words(&mut seed, 40), ..Body::default() },
                at: ada.ctx.now(),
            };
            parent = Some(message.id);
            let start = Instant::now();
            let mut tx = home.store.begin(&ada.ctx).await.expect("a turn");
            messages::append(&mut tx, &permit, begun, &message).await.expect("a message");
            tx.commit(Entry::new(Act::MessageWritten, message.id)).await.expect("a commit");
            times.push(start.elapsed());
        }
        report("first half", &mut times[..count / 2].to_vec());
        report("second half", &mut times[count / 2..].to_vec());
        let read = ada.permit(Action::ReadChat);
        for query in ["kalo", "ka", "kalomi re"] {
            let start = Instant::now();
            let hits = search::find(&home.store, &read, query, 20).await.expect("an answer").len();
            println!("search {query:12} {:8.2} ms, {hits} hits", millis(start.elapsed()));
        }
        titles(&home, &ada).await;
        let start = Instant::now();
        messages::tree(&home.store, &read, begun).await.expect("a tree");
        println!("tree of 20          {:8.2} ms", millis(start.elapsed()));
        let size = std::fs::metadata(home.folder().join("data/troth.db")).map_or(0, |file| file.len());
        println!("file                {:8.2} MiB for {count} messages", size as f64 / 1_048_576.0);
    });
}

/// What titles cost a search that finds none, with as many of them as a search looks at.
async fn titles(home: &Home, person: &Person) {
    let permit = person.permit(Action::WriteChat);
    let mut tx = home.store.begin(&person.ctx).await.expect("a turn");
    for number in 0..2000 {
        let id = ConversationId::fresh(&person.ctx);
        conversations::create(&mut tx, &permit, id, person.ctx.now()).await.expect("a conversation");
        let title = format!("The title of conversation {number}, as long as they are");
        conversations::rename(&mut tx, &permit, id, &title).await.expect("a title");
    }
    tx.commit(Entry::new(Act::ConversationChanged, "").times(2000)).await.expect("a commit");
    for query in ["qqqq", "title"] {
        let start = Instant::now();
        search::find(&home.store, &person.permit(Action::ReadChat), query, 20).await.expect("an answer");
        println!("2000 titles, {query:6} {:8.2} ms", millis(start.elapsed()));
    }
}

async fn begin(home: &Home, person: &Person) -> ConversationId {
    let id = ConversationId::fresh(&person.ctx);
    let mut tx = home.store.begin(&person.ctx).await.expect("a turn");
    conversations::create(&mut tx, &person.permit(Action::WriteChat), id, person.ctx.now())
        .await
        .expect("a conversation");
    tx.commit(Entry::new(Act::ConversationChanged, id)).await.expect("a commit");
    id
}

/// Words of one to three syllables, the same in every run.
fn words(seed: &mut u64, count: usize) -> String {
    let mut text = String::new();
    for _ in 0..count {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        let syllables = 1 + (*seed >> 8) % 3;
        for place in 0..syllables {
            text.push_str(SYLLABLES[((*seed >> (12 + 4 * place)) & 15) as usize]);
        }
        text.push(' ');
    }
    text
}

fn report(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).copied().map_or(0.0, millis);
    println!("{name:12} p50 {:7.2} ms  p95 {:7.2} ms  p99 {:7.2} ms", at(50), at(95), at(99));
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
