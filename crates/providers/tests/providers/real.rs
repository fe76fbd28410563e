//! The local vendor with the smallest real models: what the queue, the thread and the files do together.
//!
//! The files lie in the folder `TROTH_TEST_MODELS` (by default `target/models`), where
//! `cargo xtask test --install` puts them.

use std::{path::PathBuf, time::Duration};

use domain::{
    Clock, Timestamp,
    model::{Delta, Finish, Line, Prompt, Readiness, Speaker},
    verifies,
};
use futures::StreamExt;
use providers::{Config, Error, LocalConfig, Providers};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::samples::{embed_permit, permit};

const MODEL: &str = "smollm2-135m-instruct";
/// Longer than any wait here on a busy machine.
const LONG: Duration = Duration::from_secs(60);

async fn ready(tasks: &TaskTracker) -> Providers {
    #[expect(clippy::disallowed_methods, reason = "tests may be told where the models are")]
    let folder = std::env::var("TROTH_TEST_MODELS").map_or_else(
        |_| {
            std::env::current_exe()
                .expect("a test runs from a file")
                .ancestors()
                .nth(3)
                .expect("TARGET/debug/deps/NAME")
                .join("models")
        },
        PathBuf::from,
    );
    let local = LocalConfig { model: Some(MODEL.to_owned()), fetch: false, ..LocalConfig::default() };
    let config = Config { models_folder: folder, local, ..Config::default() };
    let vendors = Providers::start(config, tasks, Clock::new(|| Timestamp(77))).unwrap();
    let mut readiness = vendors.readiness();
    let settled = readiness.wait_for(|now| !matches!(now, Readiness::Loading));
    let now = tokio::time::timeout(LONG, settled).await.expect("in time").expect("alive").clone();
    assert_eq!(now, Readiness::Ready, "run `cargo xtask test --install` once to fetch the test models");
    vendors
}

fn question(text: &str, tokens: u32) -> Prompt {
    let mut prompt = Prompt::new(MODEL, vec![Line::new(Speaker::User, text)]);
    (prompt.max_tokens, prompt.temperature) = (Some(tokens), Some(0.0));
    prompt
}

#[tokio::test]
async fn it_answers_in_turn_and_stops_when_told() {
    let _proof = verifies!(MOD01);
    let tasks = TaskTracker::new();
    let vendors = ready(&tasks).await;
    assert_eq!(vendors.default_model().as_deref(), Some(MODEL));
    assert_eq!(vendors.models()[0].readiness, Readiness::Ready);

    // A long answer holds the model; the short one behind it waits its turn, and is told when there is
    // no room to wait.
    let cancel = CancellationToken::new();
    let story = question("Tell a very long story about the sea.", 2_000);
    let mut long = vendors.answer(&permit(), story, cancel.clone()).await.unwrap();
    assert!(matches!(long.next().await, Some(Ok(Delta::Text(_)))));
    let capital = || question("What is the capital of France? Answer in one short sentence.", 30);
    let short = vendors.answer(&permit(), capital(), CancellationToken::new()).await.unwrap();
    let mut waiting = Vec::new();
    let refused = loop {
        match vendors.answer(&permit(), capital(), CancellationToken::new()).await {
            Ok(answer) => waiting.push(answer),
            Err(error) => break error,
        }
        assert!(waiting.len() < 100, "the queue is bounded");
    };
    assert_eq!(refused, Error::Busy);
    // Whoever leaves is passed over.
    drop(waiting);
    cancel.cancel();
    let rest: Vec<_> = long.collect().await;
    assert_eq!(rest.last(), Some(&Err(Error::Cancelled)));
    let whole = tokio::time::timeout(LONG, short.whole(10_000)).await.expect("in time").unwrap();
    assert!(whole.text.contains("Paris"), "{}", whole.text);
    assert_eq!(whole.finish, Finish::Stop);
    assert!(whole.usage.prompt_tokens > 10 && whole.usage.completion_tokens > 2);

    vendors.stop();
    tasks.close();
    tokio::time::timeout(LONG, tasks.wait()).await.expect("the model's thread ended");
}

#[tokio::test]
async fn sentences_of_like_meaning_are_close() {
    let tasks = TaskTracker::new();
    let vendors = ready(&tasks).await;
    let model = vendors.embedding_models()[0].id.clone();
    let texts = || ["a cat", "a kitten", "a tax form"].map(str::to_owned).to_vec();
    let found = tokio::time::timeout(LONG, async {
        loop {
            match vendors.embed(&embed_permit(), &model, texts()).await {
                // Its files are verified after the language model is there.
                Err(Error::NotReady(Readiness::Loading)) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                found => return found,
            }
        }
    });
    let (vectors, usage) = found.await.expect("in time").expect("run `cargo xtask test --install` once");
    let near = |a: usize, b: usize| vectors[a].iter().zip(&vectors[b]).map(|(x, y)| x * y).sum::<f32>();
    assert!(near(0, 1) > near(0, 2) + 0.2, "{} {}", near(0, 1), near(0, 2));
    assert!(usage.prompt_tokens > 0);
    vendors.stop();
}
