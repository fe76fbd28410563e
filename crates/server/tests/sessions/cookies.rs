//! The two cookies of a session: renewed on whatever is answered, ended at once, never mixed.

use domain::verifies;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::house::{House, NAME, PASSWORD};

const ACCESS: &str = "__Host-troth";
const REFRESH: &str = "__Host-troth-refresh";

#[test]
fn a_page_whose_token_is_over_opens_and_brings_the_next_pair() {
    let _proof = verifies!(SES03);
    testkit::run(async {
        let mut house = House::open("").await;
        let before = house.person.cookies().clone();
        assert_eq!(before.keys().collect::<Vec<_>>(), [ACCESS, REFRESH]);
        house.pass(4 * 60);
        house.person.open("/account").await.expect_status(StatusCode::OK);
        assert_eq!(*house.person.cookies(), before, "nothing to renew yet");
        house.pass(2 * 60);
        // A refusal brings them as well, so that the pair is not lost with it.
        let answer = house.person.open("/nothing").await;
        assert_eq!((answer.status, house.person.cookies() == &before), (StatusCode::NOT_FOUND, true));
        let answer = house.person.open("/chat/01890a5d-ac96-774b-bcce-b302099a8057").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        let after = house.person.cookies().clone();
        assert!(after[ACCESS] != before[ACCESS] && after[REFRESH] != before[REFRESH]);
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            assert!(line.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{line}");
        }
        // Ten requests of a page at once, all with what it held before: all are answered.
        house.pass(6 * 60);
        let asked = (0..10).map(|_| house.person.request(Method::GET, "/chat/api/rail").send());
        for answer in futures::future::join_all(asked).await {
            assert_eq!(answer.unwrap().status(), StatusCode::OK);
        }
        house.instance.stop().await;
    });
}

#[test]
fn a_replayed_refresh_token_ends_the_session_of_thief_and_person() {
    let _proof = verifies!(SES05);
    testkit::run(async {
        let mut house = House::open("").await;
        let stolen = house.person.cookies().clone();
        for _ in 0..2 {
            house.pass(6 * 60);
            house.person.open("/account").await.expect_status(StatusCode::OK);
        }
        let mut thief = house.browser();
        *thief.cookies() = stolen;
        thief.open("/account").await.expect_status(StatusCode::UNAUTHORIZED);
        house.person.open("/account").await.expect_status(StatusCode::UNAUTHORIZED);
        house.person.cookies().clear();
        house.person.sign_in(NAME, PASSWORD).await;
        let account = house.person.open("/account").await.expect_status(StatusCode::OK);
        assert!(account.text.contains("somebody showed a copy"), "its person is told");
        house.instance.stop().await;
    });
}

#[test]
fn a_session_ended_from_another_browser_is_over_at_once() {
    let _proof = verifies!(SES04);
    testkit::run(async {
        let mut house = House::open("").await;
        let mut other = house.browser();
        std::mem::swap(&mut other, &mut house.person);
        house.person.sign_in_as(&mut other, NAME, PASSWORD).await;
        let page = house.person.open("/account").await.expect_status(StatusCode::OK);
        assert!(page.text.contains("second factor shown"), "{}", page.text);
        other.open("/account").await.expect_status(StatusCode::OK);
        // The access token of the other browser is good for minutes, and worth nothing from now on.
        house.person.submit::<&str, &str>("/account/sessions/end", &[]).await;
        other.open("/account").await.expect_status(StatusCode::UNAUTHORIZED);
        // Two people's cookies in one browser are nobody's.
        let theirs = other.cookies()[REFRESH].clone();
        house.person.cookies().insert(REFRESH.to_owned(), theirs);
        house.person.open("/account").await.expect_status(StatusCode::UNAUTHORIZED);
        house.instance.stop().await;
    });
}

#[test]
fn what_the_chat_page_asks_by_itself_keeps_no_session_alive() {
    let _proof = verifies!(SES01);
    testkit::run(async {
        let mut house = House::open("").await;
        let asked = ["/chat/api/readiness", "/chat/api/rail", "/session/left"];
        for path in asked.into_iter().cycle().take(9) {
            house.pass(3 * 60);
            house.person.open(path).await.expect_status(StatusCode::OK);
        }
        house.pass(3 * 60);
        house.person.open("/chat/api/readiness").await.expect_status(StatusCode::UNAUTHORIZED);
        house.instance.stop().await;
    });
}

#[test]
fn who_signs_in_over_a_session_leaves_none_behind() {
    testkit::run(async {
        let mut house = House::open("").await;
        let (name, before) = (NAME, house.person.cookies().clone());
        house.person.sign_in(name, PASSWORD).await;
        assert_ne!(*house.person.cookies(), before);
        let mut former = house.browser();
        *former.cookies() = before;
        former.open("/account").await.expect_status(StatusCode::UNAUTHORIZED);
        house.person.open("/account").await.expect_status(StatusCode::OK);
        house.instance.stop().await;
    });
}

#[test]
fn staying_takes_nothing_from_the_tries_to_sign_in() {
    let _proof = verifies!(WEB10);
    testkit::run(async {
        let mut house = House::open("[policy]\nsign_ins_a_minute = 8\n").await;
        for _ in 0..20 {
            house.person.submit::<&str, &str>("/session/stay", &[]).await.expect_status(StatusCode::OK);
        }
        let mut said = Vec::new();
        for _ in 0..10 {
            let wrong = [("name", NAME), ("password", "Wrong-Guess-11")];
            said.push(house.browser().submit("/sign-in", &wrong).await.status);
        }
        assert_eq!(said[0], StatusCode::UNAUTHORIZED, "not 429 yet");
        assert_eq!(said[9], StatusCode::TOO_MANY_REQUESTS, "these are tries");
        house.instance.stop().await;
    });
}

#[test]
fn who_may_not_leave_loses_nothing() {
    testkit::run(async {
        let mut house = House::open("").await;
        let question = json!({ "temporary": true, "say": { "text": "in passing" } });
        let begun = house.person.send_json(Method::POST, "/chat/api/ask", &question).await.json();
        let chat = format!("/chat/temporary/{}", begun["conversation"].as_str().unwrap());
        house.person.open(&chat).await.expect_status(StatusCode::OK);
        // The only owner stays: then so does what lives in memory for them.
        let refused = house.person.submit("/account/leave", &[("sure", "yes")]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
        house.person.open(&chat).await.expect_status(StatusCode::OK);
        house.instance.stop().await;
    });
}
