//! Model files from a hub: continued, verified, and never under their own name before that.

use std::{path::Path, sync::Mutex};

use aws_lc_rs::digest;
use domain::verifies;
use inference::catalog::{File, Hub, Piece};
use providers::fetch::{Error, Progress, Sources, fetch_file};
use tokio_util::sync::CancellationToken;

use crate::double::{Double, Request, Step, refusal, say};

/// Content that does not repeat itself, so that a piece in the wrong place is noticed.
pub(crate) fn content(bytes: usize) -> Vec<u8> {
    (0..bytes as u64).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

/// A file of the catalogue with that content.
pub(crate) fn file(content: &[u8], package: Vec<Piece>, hub: Option<Hub>) -> &'static File {
    let sha256 = hex::encode(digest::digest(&digest::SHA256, content));
    Box::leak(Box::new(File {
        name: "model.gguf",
        bytes: content.len() as u64,
        sha256: Box::leak(sha256.into_boxed_str()),
        package: Box::leak(package.into_boxed_slice()),
        hub,
    }))
}

fn hub_file(content: &[u8]) -> &'static File {
    file(content, Vec::new(), Some(Hub { repository: "maker/model", path: "model.gguf" }))
}

fn sources(double: &Double) -> Sources {
    Sources {
        hub_url: Some(format!("http://{}", double.address)),
        allow_plain_http_loopback: true,
        packages: false,
        package_client: None,
    }
}

async fn fetch(file: &'static File, folder: &Path, sources: &Sources) -> Result<Vec<Progress>, Error> {
    let seen = Mutex::new(Vec::new());
    let progress = |progress| seen.lock().unwrap().push(progress);
    let verified = fetch_file(file, folder, sources, &progress, &CancellationToken::new()).await?;
    assert_eq!(verified.path(), folder.join(file.name));
    Ok(seen.into_inner().unwrap())
}

/// A hub that serves ranges of `content`, at most `most` bytes of each request before it hangs up.
fn hub(content: &[u8], most: usize) -> impl Fn(usize, &Request) -> Vec<Step> + Send + Sync + use<> {
    let content = content.to_vec();
    move |_, request| {
        assert!(request.head.starts_with("GET /maker/model/resolve/main/model.gguf "), "{}", request.head);
        let range = request.header("range");
        let from: usize = range.map_or(0, |range| {
            range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')).unwrap().parse().unwrap()
        });
        let total = content.len();
        let head = if from == 0 {
            format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n")
        } else {
            let left = total - from;
            let range = format!("bytes {from}-{}/{total}", total - 1);
            format!("HTTP/1.1 206 Partial\r\nContent-Range: {range}\r\nContent-Length: {left}\r\n\r\n")
        };
        let end = total.min(from.saturating_add(most));
        vec![say(&head), Step::Say(content[from..end].to_vec())]
    }
}

#[tokio::test]
async fn a_file_is_fetched_verified_and_then_named() {
    let _proof = verifies!(MOD01);
    let content = content(3_000_000);
    let (file, double) = (hub_file(&content), Double::play(hub(&content, usize::MAX)).await);
    let folder = tempfile::tempdir().unwrap();
    let progress = fetch(file, folder.path(), &sources(&double)).await.unwrap();
    assert_eq!(std::fs::read(folder.path().join("model.gguf")).unwrap(), content);
    assert!(!folder.path().join("model.gguf.part").exists());
    assert_eq!(progress.last(), Some(&Progress { done: 3_000_000, total: 3_000_000 }));
    assert!(progress.len() > 2 && progress.windows(2).all(|two| two[0].done <= two[1].done));
    fetch(file, folder.path(), &sources(&double)).await.unwrap();
    assert_eq!(double.requests().len(), 1, "what is here is not fetched again");
}

#[tokio::test]
async fn a_connection_that_breaks_is_taken_up_where_it_broke() {
    let content = content(100_000);
    let (file, double) = (hub_file(&content), Double::play(hub(&content, 40_000)).await);
    let folder = tempfile::tempdir().unwrap();
    fetch(file, folder.path(), &sources(&double)).await.unwrap();
    assert_eq!(std::fs::read(folder.path().join("model.gguf")).unwrap(), content);
    let ranges: Vec<_> = double.requests().iter().map(|request| request.header("range")).collect();
    assert_eq!(ranges, [None, Some("bytes=40000-".into()), Some("bytes=80000-".into())]);
}

#[tokio::test]
async fn a_fetch_that_was_stopped_continues_the_next_time() {
    let content = content(100_000);
    let file = hub_file(&content);
    let folder = tempfile::tempdir().unwrap();
    let silent = {
        let serve = hub(&content, 60_000);
        Double::play(move |n, request| {
            let mut steps = serve(n, request);
            steps.push(Step::AwaitHangup);
            steps
        })
        .await
    };
    let cancel = CancellationToken::new();
    let stop_when_something_is_here = async {
        let part = folder.path().join("model.gguf.part");
        while std::fs::metadata(&part).map_or(0, |facts| facts.len()) < 60_000 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let at = sources(&silent);
    let (stopped, ()) =
        tokio::join!(fetch_file(file, folder.path(), &at, &|_| (), &cancel), stop_when_something_is_here);
    assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");

    let double = Double::play(hub(&content, usize::MAX)).await;
    fetch(file, folder.path(), &sources(&double)).await.unwrap();
    assert_eq!(double.requests()[0].header("range").as_deref(), Some("bytes=60000-"));
    assert_eq!(std::fs::read(folder.path().join("model.gguf")).unwrap(), content);
}

#[tokio::test]
async fn a_wrong_file_is_removed_and_never_gets_the_name() {
    let _proof = verifies!(MOD01);
    let content = content(50_000);
    let mut wrong = content.clone();
    wrong[25_000] ^= 1;
    let (file, double) = (hub_file(&content), Double::play(hub(&wrong, usize::MAX)).await);
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(file, folder.path(), &sources(&double)).await.unwrap_err();
    assert!(matches!(error, Error::WrongFetch { .. }), "{error}");
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".model.gguf.lock"]);
}

#[tokio::test]
async fn a_part_of_something_else_is_not_continued() {
    let content = content(50_000);
    let (file, double) = (hub_file(&content), Double::play(hub(&content, usize::MAX)).await);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.gguf.part"), vec![0; 30_000]).unwrap();
    fetch(file, folder.path(), &sources(&double)).await.unwrap();
    assert_eq!(double.requests()[0].header("range"), None);
}

#[tokio::test]
async fn a_hub_that_sends_too_much_or_nothing_is_given_up() {
    let content = content(50_000);
    let file = hub_file(&content);
    let folder = tempfile::tempdir().unwrap();
    let endless = Double::play(|_, _| {
        vec![say("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), Step::Say(vec![7; 80_000])]
    })
    .await;
    assert!(matches!(fetch(file, folder.path(), &sources(&endless)).await, Err(Error::NotOffered { .. })));
    let missing = Double::scenes(vec![refusal(404, "")]).await;
    assert!(matches!(fetch(file, folder.path(), &sources(&missing)).await, Err(Error::NotOffered { .. })));
    let mut ill = sources(&missing);
    ill.allow_plain_http_loopback = false;
    assert!(matches!(fetch(file, folder.path(), &ill).await, Err(Error::BadAddress { .. })));
}

#[tokio::test]
async fn a_hub_may_send_one_on_to_safe_addresses_only() {
    let content = content(50_000);
    let file = hub_file(&content);
    let store = Double::play({
        let whole = content.clone();
        move |_, _| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", whole.len());
            vec![say(&head), Step::Say(whole.clone())]
        }
    })
    .await;
    let hub = Double::scenes(vec![refusal(302, &format!("Location: http://{}/x\r\n", store.address))]).await;
    let folder = tempfile::tempdir().unwrap();
    fetch(file, folder.path(), &sources(&hub)).await.unwrap();

    let unsafe_hub = Double::scenes(vec![refusal(302, "Location: http://models.example/x\r\n")]).await;
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(fetch(file, folder.path(), &sources(&unsafe_hub)).await, Err(Error::NotOffered { .. })));
}
