//! The first start makes everything; later ones find it as it was.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, Instant as Moment},
};

use domain::verifies;

use crate::house::{Place, Stranger, mode};

#[tokio::test]
async fn the_first_start_makes_everything_for_its_own_account_alone() {
    let _proof = verifies!(DAT01);
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    assert!(instance.is_new_authority() && instance.setup_code().is_some());
    assert_eq!(mode(&place.data()), 0o700);
    for private in ["keyring.json", "troth.db", "tls/authority.key.json", "tls/server.key.json"] {
        assert_eq!(mode(&place.data().join(private)), 0o600, "{private}");
    }
    assert_eq!((mode(&place.key_file()), std::fs::read(place.key_file()).unwrap().len()), (0o600, 32));
    let answer = Stranger::at(&instance).get("/healthz").send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "ok\n");
    instance.stop().await;
    assert!(!place.data().join("control.sock").exists(), "nothing is left behind");
}

#[tokio::test]
async fn a_second_start_finds_everything_as_it_was() {
    let place = Place::new();
    let first = place.start("").await.unwrap();
    let code = first.setup_code().unwrap().expose().clone();
    first.stop().await;
    let read = |name: &str| std::fs::read(place.data().join(name)).unwrap();
    let before = ["keyring.json", "tls/ca.pem", "tls/server.pem", "tls/server.key.json"].map(read);

    let second = place.start("").await.unwrap();
    assert!(!second.is_new_authority());
    assert_ne!(second.setup_code().unwrap().expose(), &code, "each start gives its own link");
    assert_eq!(Stranger::at(&second).get("/healthz").send().await.unwrap().status(), 200);
    second.stop().await;
    assert_eq!(["keyring.json", "tls/ca.pem", "tls/server.pem", "tls/server.key.json"].map(read), before);
}

#[tokio::test]
async fn an_open_data_folder_is_closed_at_the_next_start() {
    let _proof = verifies!(DAT01);
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.start("").await.unwrap().stop().await;
    std::fs::set_permissions(place.data(), std::fs::Permissions::from_mode(0o755)).unwrap();
    place.start("").await.unwrap().stop().await;
    assert_eq!(mode(&place.data()), 0o700);
}

#[tokio::test]
async fn a_passphrase_can_stand_in_for_the_key_file() {
    let place = Place::new();
    let start = |phrase: &str| {
        let mut config = server::Config::for_tests(&place.data(), "").unwrap();
        config.keys.passphrase = Some(domain::Secret::new(phrase.to_owned()));
        server::Instance::start(config, server::Outside::real())
    };
    start("a long enough passphrase").await.unwrap().stop().await;
    assert!(!place.key_file().exists());
    start("a long enough passphrase").await.unwrap().stop().await;
    assert_eq!(start("another long passphrase").await.err().unwrap().exit, server::Exit::Keys);
}

/// The binary itself: prints where to go, listens within a second the second time, ends on SIGTERM with 0.
#[test]
fn the_binary_listens_within_a_second_and_ends_cleanly() {
    let place = Place::new();
    let mut slowest = Duration::ZERO;
    for round in 0..2 {
        let started = Moment::now();
        let mut child =
            place.troth(&["serve"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listening = lines.find(|line| line.as_ref().unwrap().contains("is listening")).unwrap();
        if round == 1 {
            slowest = started.elapsed();
        }
        drop(listening);
        let link = lines.find(|line| line.as_ref().unwrap().contains("/setup#")).unwrap().unwrap();
        assert!(link.contains("https://localhost:"), "{link}");
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(lines.map_while(Result::ok).any(|line| line == "Ended."));
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}
