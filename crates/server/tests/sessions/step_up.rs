//! Confirming at the page and by a script.

use domain::verifies;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::house::{House, PASSWORD};

const PAGE: &str = "text/html,application/xhtml+xml";

#[test]
fn a_stolen_session_makes_no_key_and_its_person_is_led_to_confirm_and_back() {
    let _proof = verifies!(AUT08);
    testkit::run(async {
        let mut house = House::open("").await;
        house.pass(10 * 60);
        let person = &mut house.person;
        let form = "label=theirs";
        let make = |from: String| {
            let request = person.request(Method::POST, "/account/keys").header("referer", from);
            request.header("content-type", "application/x-www-form-urlencoded").body(form)
        };
        // A script hears what is missing.
        let refused = make(String::new()).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("/problems/step-up-needed"));
        // A person is led to confirm, told that nothing was done, and back to where they were.
        for (from, back) in [
            (format!("{}/account", person.base()), "/account"),
            ("https://strange.invalid/deep".to_owned(), "/account"),
            (format!("{}/confirm", person.base()), "/account"),
            (format!("{}/models", person.base()), "/models"),
        ] {
            let led = make(from).header("accept", PAGE).send().await.unwrap();
            assert_eq!(led.status(), StatusCode::SEE_OTHER);
            assert_eq!(led.headers()["location"], format!("/confirm?next={back}&again=1").as_str());
        }
        let page = person.open("/confirm?next=/account&again=1").await.expect_status(StatusCode::OK);
        assert!(page.text.contains("Nothing was done yet"), "{}", page.text);
        assert!(person.open("/account").await.text.contains("/confirm?next=/account%23keys"));

        let wrong = [("next", "/account"), ("password", "Wrong-Guess-11")];
        person.submit("/confirm", &wrong).await.expect_status(StatusCode::UNAUTHORIZED);
        let right = [("next", "/account"), ("again", "1"), ("password", PASSWORD)];
        let done = person.submit("/confirm", &right).await.expect_status(StatusCode::SEE_OTHER);
        assert_eq!(done.headers["location"], "/account");
        assert!(person.make_key("mine").await.starts_with("troth_"));
        house.instance.stop().await;
    });
}

#[test]
fn a_script_confirms_with_a_code_and_nothing_else_is_taken() {
    testkit::run(async {
        let mut house = House::open("").await;
        house.pass(10 * 60);
        let person = &mut house.person;
        let code = person.recovery_codes()[0].clone();
        for bad in [
            json!({}),
            json!({ "password": "a", "code": "b" }),
            json!({ "code": 7 }),
            json!({ "code": code, "session": "another" }),
        ] {
            let answer = person.send_json(Method::POST, "/confirm/api", &bad).await;
            assert!(answer.status.is_client_error(), "{bad}: {}", answer.status);
        }
        let open = [("next", "//strange.invalid"), ("password", "x")];
        assert!(!person.submit("/confirm", &open).await.headers.contains_key("location"));
        let body = json!({ "code": code });
        person.send_json(Method::POST, "/confirm/api", &body).await.expect_status(StatusCode::NO_CONTENT);
        let again = person.send_json(Method::POST, "/confirm/api", &body).await;
        assert_eq!(again.status, StatusCode::UNAUTHORIZED, "a code confirms once");
        // Confirmed already: the page leads on, and never to another site.
        let led = person.open("/confirm?next=//strange.invalid").await;
        assert_eq!(led.headers["location"], "/account");
        assert!(person.make_key("mine").await.starts_with("troth_"));
        house.instance.stop().await;
    });
}
