//! What an operator can get wrong: each is refused with one sentence, one suggestion and its exit code,
//! and nothing that was there is changed.

use std::{fs, process::Stdio};

use domain::verifies;
use server::Exit;

use crate::house::Place;

/// Every file of an instance, to see that a refusal changed none of them.
fn picture(place: &Place) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![place.data()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            // SQLite's shared memory is scratch, remade at every opening.
            let name = entry.path().display().to_string();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if !name.ends_with("-shm") && !name.ends_with("-wal") {
                files.push((name, fs::read(entry.path()).unwrap()));
            }
        }
    }
    files.sort();
    files
}

async fn made() -> Place {
    let place = Place::new();
    place.start("").await.unwrap().stop().await;
    place
}

#[test]
fn an_unknown_key_stops_the_start_and_is_named() {
    let place = Place::new();
    fs::create_dir(place.data()).unwrap();
    fs::write(place.data().join("troth.toml"), "[web]\nidle_secs = 5\n").unwrap();
    let output = place.troth(&["serve"]).output().unwrap();
    insta::assert_snapshot!(place.refusal(&output), @"troth: The configuration has no key `web.idle_secs`. Did you mean `web.idle_seconds`? (exit 2)");
    assert!(!place.key_file().exists(), "nothing was made");
}

#[test]
fn an_unknown_variable_stops_the_start_and_is_named() {
    let place = Place::new();
    let output = place.troth(&["serve"]).env("TROTH_WEB__STREEMS", "5").output().unwrap();
    insta::assert_snapshot!(place.refusal(&output), @"troth: The configuration has no key `web.streems`. Did you mean `web.streams`? (exit 2)");
}

#[test]
fn a_port_in_use_is_named() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = place.troth(&["serve", "--listen", &address]).output().unwrap();
    let said = place.refusal(&output).replace(&address, "ADDRESS");
    insta::assert_snapshot!(said, @"troth: The address ADDRESS is in use by another program. Stop that program, or choose another port, for example --listen localhost:9443. (exit 4)");
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused() {
    let _proof = verifies!(STO02);
    let place = Place::new();
    let first = place.start("").await.unwrap();
    let refused = place.start("").await.err().unwrap();
    assert_eq!(refused.exit, Exit::InUse);
    let output = place.troth(&["serve"]).output().unwrap();
    insta::assert_snapshot!(place.refusal(&output), @"troth: Another server is using PLACE/data; stop it first, or give this one its own data folder. (exit 4)");
    first.stop().await;
    place.start("").await.unwrap().stop().await;
}

#[tokio::test]
async fn a_folder_belongs_to_one_server_also_when_the_rows_are_elsewhere() {
    let _proof = verifies!(STO02);
    let place = Place::new();
    let database = testkit::Database::fresh().await;
    let start = || {
        let mut config = server::Config::for_tests(&place.data(), "").unwrap();
        config.store.postgres = Some(domain::Secret::new(database.url().to_owned()));
        server::Instance::start(config, server::Outside::real())
    };
    let first = start().await.unwrap();
    assert_eq!(start().await.err().unwrap().exit, Exit::InUse);
    first.stop().await;
    start().await.unwrap().stop().await;
}

#[tokio::test]
async fn a_wrong_passphrase_is_refused() {
    let place = Place::new();
    let serve = |phrase: &str| {
        let mut command = place.troth(&["serve", "--passphrase-stdin"]);
        let mut child =
            command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), phrase.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let mut config = server::Config::for_tests(&place.data(), "").unwrap();
    config.keys.passphrase = Some(domain::Secret::new("the right passphrase".to_owned()));
    server::Instance::start(config, server::Outside::real()).await.unwrap().stop().await;
    let before = picture(&place);
    let refusals = [
        place.refusal(&serve("the wrong passphrase\n")),
        place.refusal(&serve("\n")),
        place.refusal(&place.troth(&["serve"]).stdin(Stdio::null()).output().unwrap()),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
    assert_eq!(picture(&place), before);
}

#[tokio::test]
async fn a_damaged_or_missing_key_file_is_refused() {
    let place = made().await;
    let key = fs::read(place.key_file()).unwrap();
    let before = picture(&place);
    let serve = || place.refusal(&place.troth(&["serve"]).output().unwrap());
    let mut refusals = Vec::new();
    fs::write(place.key_file(), &key[..20]).unwrap();
    refusals.push(serve());
    fs::write(place.key_file(), [7; 32]).unwrap();
    refusals.push(serve());
    fs::remove_file(place.key_file()).unwrap();
    refusals.push(serve());
    assert!(!place.key_file().exists(), "no new key is made where an old one is missing");
    insta::assert_snapshot!(refusals.join("\n"));
    assert_eq!(picture(&place), before);
}

#[tokio::test]
async fn a_damaged_or_missing_keyring_is_refused() {
    let place = made().await;
    let keyring = place.data().join("keyring.json");
    let whole = fs::read(&keyring).unwrap();
    let serve = || place.refusal(&place.troth(&["serve"]).output().unwrap());
    let mut refusals = Vec::new();
    fs::write(&keyring, &whole[..whole.len() / 2]).unwrap();
    refusals.push(serve());
    assert_eq!(fs::read(&keyring).unwrap(), &whole[..whole.len() / 2]);
    fs::remove_file(&keyring).unwrap();
    refusals.push(serve());
    assert!(!keyring.exists(), "a store without its keyring gets no new one");
    insta::assert_snapshot!(refusals.join("\n"));
    fs::write(&keyring, &whole).unwrap();
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o600)).unwrap();
    place.start("").await.unwrap().stop().await;
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_left_as_it_is() {
    let place = made().await;
    let database = place.data().join("troth.db");
    let whole = fs::read(&database).unwrap();
    let mut torn = whole.clone();
    torn[100..200].fill(0);
    for damaged in [torn, whole[..whole.len() / 2].to_vec(), b"not a database at all".repeat(400)] {
        fs::write(&database, &damaged).unwrap();
        let refused = place.start("").await.err().expect("a damaged store does not open");
        assert_eq!(refused.exit, Exit::Store, "{refused}");
        assert!(refused.to_string().contains("Nothing was changed"), "{refused}");
        assert_eq!(fs::read(&database).unwrap(), damaged);
    }
    fs::write(&database, &whole).unwrap();
    place.start("").await.unwrap().stop().await;
}

#[test]
fn folders_that_cannot_be_used_are_refused() {
    let place = Place::new();
    fs::write(place.0.path().join("a-file"), "").unwrap();
    fs::create_dir(place.0.path().join("full")).unwrap();
    fs::write(place.0.path().join("full/thesis.odt"), "years of work").unwrap();
    let serve = |data: &str| {
        let data = place.0.path().join(data).display().to_string();
        place.refusal(&place.troth(&["serve", "--data", &data]).output().unwrap())
    };
    let mut refusals = ["a-file", "a-file/below", "full"].map(serve).to_vec();
    let proc = place.troth(&["serve", "--data", "/proc/troth"]).output().unwrap();
    refusals.push(place.refusal(&proc));
    insta::assert_snapshot!(refusals.join("\n"));
}

#[tokio::test]
async fn a_key_file_in_the_data_folder_is_refused() {
    let place = Place::new();
    let inside = format!("[keys]\nkey_file = {:?}\n", place.data().join("root.key"));
    let refused = place.start(&inside).await.err().unwrap();
    assert_eq!(refused.exit, Exit::Configuration);
    assert!(refused.to_string().contains("keys.key_file"), "{refused}");
}

#[test]
fn commands_without_an_instance_say_so() {
    let place = Place::new();
    let output = place.troth(&["verify"]).output().unwrap();
    insta::assert_snapshot!(place.refusal(&output), @"troth: There is no instance in PLACE/data. Run `troth serve` first, or name its folder with --data. (exit 2)");
    let output = place.troth(&["models", "fetch", "no-such-model"]).output().unwrap();
    insta::assert_snapshot!(place.refusal(&output), @r#"troth: There is no model called "no-such-model". `troth models list` names them all. (exit 2)"#);
}
