//! A person at the real pages of a running instance, over TLS: setup, sign-in, sign-out, an API key.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect has failed")]

use domain::verifies;
use reqwest::{Method, StatusCode};
use server::{Config, Instance, Outside};
use testkit::{Answer, Client};

const NAME: &str = "Ada Lovelace";
const PASSWORD: &str = "Quiet-Harbour-47";

/// An instance of one test's own, with a person in front of it who has not begun.
struct House {
    instance: Instance,
    person: Client,
    _folder: tempfile::TempDir,
}

async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let key_file = format!("[keys]\nkey_file = {:?}\n", folder.path().join("root.key"));
    let config = Config::for_tests(&folder.path().join("data"), &key_file).unwrap();
    let instance = Instance::start(config, Outside::real()).await.unwrap();
    let person = Client::new(&instance.url(), &instance.authority().unwrap());
    House { instance, person, _folder: folder }
}

/// An instance with its owner, signed in.
async fn owned() -> House {
    let mut house = house().await;
    let code = house.instance.setup_code().unwrap().expose().clone();
    house.person.set_up(&code, NAME, PASSWORD).await;
    house
}

#[test]
fn a_person_sets_up_signs_out_and_in_again() {
    testkit::run(async {
        let mut house = owned().await;
        let person = &mut house.person;
        person.open("/chat").await.expect_status(StatusCode::OK);
        let cookie = person.cookie().unwrap().to_owned();
        assert!(cookie.starts_with("__Host-troth="));
        person.sign_out().await;
        assert_ne!(person.open("/chat").await.status, StatusCode::OK);
        // The old cookie is worth nothing any more.
        let replayed = person.request(Method::GET, "/chat").header("cookie", cookie).send().await.unwrap();
        assert_ne!(replayed.status(), StatusCode::OK);
        person.sign_in(NAME, PASSWORD).await;
        person.open("/chat").await.expect_status(StatusCode::OK);
        // With the authenticator's codes used up for now, recovery codes open as well.
        person.sign_out().await;
        person.sign_in(NAME, PASSWORD).await;
        person.sign_in(NAME, PASSWORD).await;
        assert!(person.recovery_codes().len() < 10);
        house.instance.stop().await;
    });
}

#[test]
fn the_cookie_has_every_mark_that_keeps_it_in() {
    let _proof = verifies!(SES03);
    testkit::run(async {
        let mut house = owned().await;
        let person = &mut house.person;
        person.sign_out().await;
        let second = person.submit("/sign-in", &[("name", NAME), ("password", PASSWORD)]).await;
        let ticket = second.between("name=\"ticket\" value=\"", "\"");
        let code = person.recovery_codes()[0].clone();
        let done = person.submit("/sign-in/factor", &[("ticket", &ticket), ("code", &code)]).await;
        let cookie = done.headers["set-cookie"].to_str().unwrap().to_owned();
        let mut marks: Vec<_> = cookie.split("; ").skip(1).collect();
        marks.sort_unstable();
        assert_eq!(marks, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
        house.instance.stop().await;
    });
}

#[test]
fn a_key_opens_the_api_and_no_page_and_a_cookie_no_api() {
    let _proof = verifies!(KEY01);
    testkit::run(async {
        let mut house = owned().await;
        let person = &mut house.person;
        let key = person.make_key("notebook").await;
        assert!(key.starts_with("troth_") && key.len() == 55);
        assert!(!person.open("/account").await.text.contains(&key), "it is shown once");
        let with_key = |path: &str| {
            let url = format!("{}{path}", person.base());
            person.http().get(url).bearer_auth(&key).send()
        };
        assert_eq!(with_key("/v1/models").await.unwrap().status(), StatusCode::OK);
        assert_ne!(with_key("/account").await.unwrap().status(), StatusCode::OK);
        assert_eq!(person.open("/v1/models").await.status, StatusCode::UNAUTHORIZED);
        house.instance.stop().await;
    });
}

#[test]
fn the_page_says_the_same_to_an_unknown_name_and_a_wrong_password() {
    let _proof = verifies!(AUT05);
    testkit::run(async {
        let mut house = owned().await;
        let person = &mut house.person;
        person.sign_out().await;
        let mut answers = Vec::new();
        for (name, password) in [(NAME, "Wrong-Guess-11"), ("Nobody Atall", PASSWORD)] {
            let refused = person.submit("/sign-in", &[("name", name), ("password", password)]).await;
            answers.push((refused.status, plain(&refused, name)));
        }
        assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
        assert_eq!(answers[0], answers[1]);
        house.instance.stop().await;
    });
}

/// A page without what differs by nature: the name that was typed, and the nonces.
fn plain(page: &Answer, name: &str) -> String {
    let text = page.text.replace(name, "NAME");
    let mut parts = text.split("nonce=\"");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('"').map_or(part, |(_, rest)| rest));
    }
    plain
}

#[test]
fn setup_is_closed_to_who_lacks_the_code_and_once_there_is_an_owner() {
    testkit::run(async {
        let mut house = house().await;
        let who =
            |code: &str| [("code", code.to_owned()), ("name", NAME.into()), ("password", PASSWORD.into())];
        let wrong = house.person.submit("/setup", &who("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let code = house.instance.setup_code().unwrap().expose().clone();
        house.person.set_up(&code, NAME, PASSWORD).await;
        let late = house.person.submit("/setup", &who(&code)).await;
        assert_eq!(late.status, StatusCode::SEE_OTHER);
        house.instance.stop().await;
    });
}
