//! Damaged files, full disks and strange addresses: refused with a sentence, and nothing overwritten.

use std::{fs, path::PathBuf, process::Command};

use domain::{Action, Actor, Job, Secret, verifies};
use store::{Error, Location, Store, messages};
use testkit::{Home, Shut, ctx};

use crate::{begin_conversation, entry, message, say};

/// A closed store with something in it.
async fn closed(messages: usize) -> Shut {
    let home = Home::sqlite().await;
    let ada = home.person("Ada").await;
    let conversation = begin_conversation(&home, &ada).await;
    for number in 0..messages {
        say(&home, &ada, conversation, None, &format!("message {number} {}", "with some length ".repeat(20)))
            .await;
    }
    home.shut().await
}

/// Where the rows of a closed store are.
fn file(shut: &Shut) -> PathBuf {
    shut.folder().join("data/troth.db")
}

/// Opens a spoilt store: it must refuse with a sentence that says what to do, and leave the file alone.
async fn refused(shut: &Shut) -> Error {
    let before = fs::read(file(shut)).unwrap();
    let error = shut.try_open().await.unwrap_err();
    assert_eq!(fs::read(file(shut)).unwrap(), before, "the file was touched");
    let said = error.to_string();
    assert!(said.contains("troth.db") && said.contains("Nothing was changed"), "{said}");
    assert!(said.contains("restore it from a backup") || said.contains("put back"), "{said}");
    error
}

#[test]
fn a_file_cut_short_is_refused() {
    testkit::run(async {
        let shut = closed(50).await;
        let whole = fs::read(file(&shut)).unwrap();
        for length in [0, 1, 100, 4095, 4096, 8192, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
            fs::write(file(&shut), &whole[..length]).unwrap();
            let error = refused(&shut).await;
            assert!(matches!(error, Error::Damaged { .. }), "{length} of {}: {error:?}", whole.len());
        }
        fs::write(file(&shut), &whole).unwrap();
        shut.try_open().await.expect("the whole file opens");
    });
}

#[test]
fn a_changed_byte_is_noticed() {
    testkit::run(async {
        let shut = closed(50).await;
        let whole = fs::read(file(&shut)).unwrap();
        for at in [0, 20, 2000, 5000, whole.len() / 2, whole.len() - 10] {
            let mut spoilt = whole.clone();
            spoilt[at] ^= 1;
            fs::write(file(&shut), &spoilt).unwrap();
            let error = refused(&shut).await;
            assert!(matches!(error, Error::Damaged { .. } | Error::WrongKey { .. }), "{at}: {error:?}");
        }
        fs::write(file(&shut), vec![7; whole.len()]).unwrap();
        assert!(matches!(refused(&shut).await, Error::WrongKey { .. }));
    });
}

#[test]
fn damage_shows_also_when_a_crash_left_a_log() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ada = home.person("Ada").await;
        let conversation = begin_conversation(&home, &ada).await;
        for _ in 0..200 {
            say(&home, &ada, conversation, None, &"a few words ".repeat(50)).await;
        }
        let home = home.reopen().await;
        say(&home, &ada, conversation, None, "one more, in the log").await;
        // The files as a crash would leave them: the log beside the file.
        let copy = |name: &str| fs::read(home.folder().join("data").join(name)).unwrap();
        let (whole, log) = (copy("troth.db"), copy("troth.db-wal"));
        assert!(log.len() > 4096);
        let shut = home.shut().await;
        let lay = |bytes: &[u8]| {
            fs::write(file(&shut), bytes).unwrap();
            fs::write(file(&shut).with_file_name("troth.db-wal"), &log).unwrap();
        };
        lay(&whole);
        shut.try_open().await.expect("a crash alone is no damage").close().await;
        for length in [4096, whole.len() / 2, whole.len() / 4 * 3] {
            lay(&whole[..length]);
            let opened = shut.try_open().await;
            assert!(matches!(opened, Err(Error::Damaged { .. })), "{length} of {}: {opened:?}", whole.len());
        }
        let mut spoilt = whole.clone();
        let middle = whole.len() / 2;
        spoilt[middle] ^= 1;
        lay(&spoilt);
        let opened = shut.try_open().await;
        assert!(matches!(opened, Err(Error::Damaged { .. } | Error::WrongKey { .. })), "{opened:?}");
    });
}

#[test]
fn a_lost_file_beside_its_log_is_not_made_anew() {
    testkit::run(async {
        let shut = closed(1).await;
        let data = shut.folder().join("data");
        fs::rename(data.join("troth.db"), data.join("troth.db-wal")).unwrap();
        let opened = shut.try_open().await;
        assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
        assert!(!data.join("troth.db").exists());
    });
}

#[test]
fn a_start_that_was_cut_off_is_done_again() {
    testkit::run(async {
        let shut = closed(1).await;
        let data = shut.folder().join("data");
        // As a crash in the first moments leaves it: a draft, never named.
        fs::rename(data.join("troth.db"), data.join("troth.db.draft")).unwrap();
        fs::write(data.join("troth.db.draft"), b"half").unwrap();
        let store = shut.try_open().await.unwrap();
        assert_eq!(store.verify_chain().await.unwrap().entries, 1);
        assert!(!data.join("troth.db.draft").exists());
    });
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    testkit::run(async {
        let home = Home::sqlite().await;
        home.spoil(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (999, 'the future', TRUE, x'00', 0)",
        )
        .await;
        let opened = home.shut().await.try_open().await;
        assert!(matches!(opened, Err(Error::Newer { .. })), "{opened:?}");
    });
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let blocked = home.folder().join("root.key/data");
        let location = Location::Embedded { folder: blocked.clone() };
        let opened = Store::open(&location, home.keyring.clone(), &ctx(Actor::System(Job::Setup))).await;
        assert!(matches!(&opened, Err(Error::Io { path, .. }) if *path == blocked), "{opened:?}");
    });
}

#[test]
fn a_network_database_without_verified_tls_is_refused() {
    let _proof = verifies!(STO01);
    testkit::run(async {
        let home = Home::sqlite().await;
        for url in [
            "postgres://troth:hunter2@192.0.2.7/troth",
            "postgres://troth:hunter2@db.example.org/troth?sslmode=require",
        ] {
            let location = Location::Postgres { url: Secret::new(url.to_owned()) };
            let opened = Store::open(&location, home.keyring.clone(), &ctx(Actor::System(Job::Setup))).await;
            let error = opened.unwrap_err();
            assert!(matches!(error, Error::Insecure { .. }), "{error:?}");
            let said = format!("{error} {error:?}");
            assert!(
                said.contains("verify-full") && !said.contains("hunter2") && !said.contains("192.0.2.7"),
                "{said}"
            );
        }
    });
}

#[test]
fn a_database_that_is_not_there_is_named_without_its_password() {
    testkit::run(async {
        let home = Home::sqlite().await;
        // A listener that was closed again: nobody answers at its port.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("postgres://troth:hunter2@127.0.0.1:{port}/troth");
        let location = Location::Postgres { url: Secret::new(url) };
        let opened = Store::open(&location, home.keyring.clone(), &ctx(Actor::System(Job::Setup))).await;
        let error = opened.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    });
}

/// A file system of 3 MiB, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(folder.path()).status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "this test mounts a small disk; run it as root"
        );
        Self(folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

/// Whether this process may mount, if only in a namespace of its own.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    if !is_root() {
        // Ordinary people may mount in a namespace where they are root; the test runs itself in one.
        let mut again = Command::new("unshare");
        again.args(["--user", "--map-root-user", "--mount"]).arg(std::env::current_exe().unwrap());
        let ran = again.args(["--exact", "damage::a_full_disk_is_said_and_loses_nothing"]).status();
        assert!(
            ran.is_ok_and(|status| status.success()),
            "as root, or where user namespaces are allowed, this test runs"
        );
        return;
    }
    testkit::run(async {
        let disk = SmallDisk::mount();
        let home = Home::at(disk.0.path()).await;
        let ada = home.person("Ada").await;
        let conversation = begin_conversation(&home, &ada).await;
        let permit = ada.permit(Action::WriteChat);
        let (mut acknowledged, mut full) = (Vec::new(), None);
        for _ in 0..2000 {
            let said = message(&ada, None, &"words that fill the disk ".repeat(400));
            let written = async {
                let mut tx = home.store.begin(&ada.ctx).await?;
                messages::append(&mut tx, &permit, conversation, &said).await?;
                tx.commit(entry()).await
            };
            match written.await {
                Ok(()) => acknowledged.push(said.id),
                Err(error) => {
                    full = Some(error);
                    break;
                }
            }
        }
        assert!(matches!(full, Some(Error::Full)), "{full:?} after {}", acknowledged.len());
        assert!(acknowledged.len() > 20);
        let read = ada.permit(Action::ReadChat);
        let tree = messages::tree(&home.store, &read, conversation).await.expect("reading goes on");
        assert_eq!(tree.messages().iter().map(|m| m.id).collect::<Vec<_>>(), acknowledged);
        let home = home.shut().await.open().await;
        let tree = messages::tree(&home.store, &read, conversation).await.expect("it opens on a full disk");
        assert_eq!(tree.messages().len(), acknowledged.len());
        assert_eq!(home.store.verify_chain().await.unwrap().broken, None);
        home.shut().await;
    });
}
