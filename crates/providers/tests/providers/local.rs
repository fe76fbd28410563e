//! The life of the local model, as far as it goes without a real one: every state has its sentence.

use std::{fs, path::Path, time::Duration};

use aws_lc_rs::digest;
use domain::{
    Clock, Timestamp,
    model::{Line, Prompt, Readiness, Speaker},
    verifies,
};
use inference::catalog;
use providers::{Config, Error, LocalConfig, Providers};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::samples::{embed_permit, permit};

fn start(folder: &Path, local: LocalConfig) -> Result<Providers, Error> {
    let config = Config { models_folder: folder.to_owned(), local, ..Config::default() };
    Providers::start(config, &TaskTracker::new(), Clock::new(|| Timestamp(0)))
}

fn own(path: &Path, content: &[u8]) -> LocalConfig {
    let sha256 = hex::encode(digest::digest(&digest::SHA256, content));
    LocalConfig { model: Some(path.display().to_string()), sha256: Some(sha256), fetch: false, enabled: true }
}

/// Waits for a state that is not on the way to another.
async fn settled(vendors: &Providers) -> Readiness {
    let mut readiness = vendors.readiness();
    let settled =
        readiness.wait_for(|now| matches!(now, Readiness::Missing { .. } | Readiness::Failed { .. }));
    let settled = tokio::time::timeout(Duration::from_secs(20), settled).await.expect("in time");
    settled.expect("alive").clone()
}

async fn refusal(vendors: &Providers) -> Error {
    let model = vendors.default_model().expect("a model");
    let prompt = Prompt::new(model, vec![Line::new(Speaker::User, "hello")]);
    vendors.answer(&permit(), prompt, CancellationToken::new()).await.expect_err("not ready")
}

#[tokio::test]
async fn a_missing_model_says_all_ways_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalConfig { fetch: false, ..LocalConfig::default() };
    let vendors = start(folder.path(), local).unwrap();
    let Readiness::Missing { how } = settled(&vendors).await else { panic!("not missing") };
    for word in
        ["troth models fetch", "package", "hub", "by hand", "endpoint", &folder.path().display().to_string()]
    {
        assert!(how.contains(word), "{word} in {how}");
    }
    assert_eq!(refusal(&vendors).await, Error::NotReady(Readiness::Missing { how }));
    assert_eq!(vendors.models()[0].readiness, settled(&vendors).await);
    let texts = vec!["a".to_owned()];
    let embedding = &vendors.embedding_models()[0].id;
    assert!(matches!(vendors.embed(&embed_permit(), embedding, texts).await, Err(Error::NotReady(_))));
    vendors.stop();
    assert_eq!(refusal(&vendors).await, Error::Cancelled);
}

#[tokio::test]
async fn a_model_file_that_was_cut_short_is_never_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let entry = &catalog::entries()[0];
    let path = folder.path().join(entry.files[0].name);
    fs::write(&path, "GGUF").unwrap();
    let local = LocalConfig { model: Some(entry.id.into()), ..LocalConfig::default() };
    let vendors = start(folder.path(), local).unwrap();
    let Readiness::Failed { why } = settled(&vendors).await else { panic!("not failed") };
    assert!(why.contains("damaged") && why.contains("4 bytes instead of 1117320768"), "{why}");
    assert!(matches!(refusal(&vendors).await, Error::NotReady(Readiness::Failed { .. })));
    assert_eq!(fs::read(&path).unwrap(), b"GGUF", "left for its owner to look at");
}

#[tokio::test]
async fn a_file_with_another_hash_is_never_loaded_and_a_replacement_is_noticed() {
    let _proof = verifies!(MOD01);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.gguf");
    fs::write(&path, "something else").unwrap();
    let vendors = start(folder.path(), own(&path, b"what was meant")).unwrap();
    let Readiness::Failed { why } = settled(&vendors).await else { panic!("not failed") };
    assert!(why.contains("SHA-256 differs"), "{why}");

    // The right bytes, which are no model: now the loader itself is reached, and says so.
    fs::write(&path, "what was meant").unwrap();
    let mut readiness = vendors.readiness();
    let other = |now: &Readiness| matches!(now, Readiness::Failed { why } if !why.contains("SHA-256"));
    let loaded = tokio::time::timeout(Duration::from_secs(20), readiness.wait_for(other)).await;
    let now = loaded.expect("in time").expect("alive").clone();
    let Readiness::Failed { why } = now else { panic!("not failed") };
    assert!(why.contains("own.gguf") && !why.contains("what was meant"), "{why}");
}

#[tokio::test]
async fn a_stop_ends_the_background_work() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = TaskTracker::new();
    let local = LocalConfig { fetch: false, ..LocalConfig::default() };
    let config = Config { models_folder: folder.path().to_owned(), local, ..Config::default() };
    let vendors = Providers::start(config, &tasks, Clock::new(|| Timestamp(0))).unwrap();
    vendors.stop();
    tasks.close();
    tokio::time::timeout(Duration::from_secs(10), tasks.wait()).await.expect("all tasks ended");
}

#[tokio::test]
async fn a_configuration_that_contradicts_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalConfig { model: Some("gpt-9".into()), ..LocalConfig::default() };
    assert!(matches!(start(folder.path(), local), Err(Error::Config { .. })));
    let off = LocalConfig { enabled: false, ..LocalConfig::default() };
    let config =
        Config { local: off.clone(), default_model: Some("nobody/knows".into()), ..Config::default() };
    let refused = Providers::start(config, &TaskTracker::new(), Clock::new(|| Timestamp(0)));
    assert!(matches!(refused, Err(Error::Config { .. })));
    let nothing = Config { local: off, ..Config::default() };
    let vendors = Providers::start(nothing, &TaskTracker::new(), Clock::new(|| Timestamp(0))).unwrap();
    assert_eq!(vendors.default_model(), None);
    assert!(matches!(&*vendors.readiness().borrow(), Readiness::Missing { how } if how.contains("endpoint")));
}
