//! A thousand readers of one answer at once, one more than there may be, and the answer that comes with its question.

use std::{sync::Arc, time::Duration};

use domain::verifies;
use reqwest::{Method, Response, StatusCode};
use serde_json::json;
use testkit::Client;
use tokio::task::JoinSet;

use crate::house::Place;

/// Streams that are open at the same time.
const MANY: usize = 1000;
/// HTTP/2 takes 100 requests on a connection.
const PER_CONNECTION: usize = 50;

/// Opens one more stream over the connection of `client`.
async fn open(client: reqwest::Client, url: Arc<str>, cookie: Arc<str>) -> Response {
    client.get(&*url).header("cookie", &*cookie).send().await.unwrap()
}

#[test]
fn a_thousand_open_streams_are_held_and_the_next_one_gets_a_503() {
    let _proof = verifies!(WEB05);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start(&format!("[web]\nstreams = {MANY}")).await.unwrap();
        let browser = || Client::new(&instance.url(), &instance.authority().unwrap());
        let mut person = browser();
        let code = instance.setup_code().unwrap().expose().clone();
        person.set_up(&code, "ann", "Correct-Horse-7-Battery").await;
        let question = json!({"temporary": false, "say": {"text": "hang"}, "model": "scripted"});
        let begun = person.send_json(Method::POST, "/chat/api/ask", &question).await;
        let begun = begun.expect_status(StatusCode::OK).json();
        let (turn, conversation) = (begun["turn"].as_str().unwrap(), begun["conversation"].as_str().unwrap());
        let url = format!("{}/chat/api/turns/{turn}/events?conversation={conversation}", instance.url());
        let (url, cookie): (Arc<str>, Arc<str>) = (url.into(), person.cookie().unwrap().into());

        let mut opening = JoinSet::new();
        for _ in 0..MANY / PER_CONNECTION {
            let client = browser().http().clone();
            for _ in 0..PER_CONNECTION {
                opening.spawn(open(client.clone(), url.clone(), cookie.clone()));
            }
        }
        let streams: Vec<Response> = opening.join_all().await;
        assert_eq!(streams.iter().filter(|stream| stream.status() == StatusCode::OK).count(), MANY);

        let one_more = || open(person.http().clone(), url.clone(), cookie.clone());
        let refused = one_more().await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "2");
        let health = person.request(Method::GET, "/healthz").send().await.unwrap();
        assert_eq!(health.status(), StatusCode::OK, "and the server lives");

        // The places come back when the readers leave.
        drop(streams);
        let back = async {
            while one_more().await.status() != StatusCode::OK {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), back).await.unwrap();
        instance.stop().await;
    });
}

/// Asks as the page does.
async fn ask(person: &Client, text: &str) -> Response {
    let question = json!({"temporary": false, "say": {"text": text}, "model": "scripted"});
    let request = person.request(Method::POST, "/chat/api/ask").header("accept", "text/event-stream");
    request.json(&question).send().await.unwrap()
}

#[test]
fn an_answer_comes_with_its_question_and_without_a_place_the_question_is_still_kept() {
    let _proof = verifies!(WEB05);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("[web]\nstreams = 1").await.unwrap();
        let mut person = Client::new(&instance.url(), &instance.authority().unwrap());
        let code = instance.setup_code().unwrap().expose().clone();
        person.set_up(&code, "ann", "Correct-Horse-7-Battery").await;

        let whole = ask(&person, "hello").await;
        assert_eq!(whole.headers()["content-type"], "text/event-stream");
        let whole = whole.text().await.unwrap();
        let names: Vec<&str> = whole.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!((names[0], names[names.len() - 1]), ("begun", "ended"), "{whole}");

        let _held = ask(&person, "hang").await;
        let crowded = ask(&person, "hang").await;
        assert_eq!(crowded.status(), StatusCode::OK, "the question is kept");
        assert_eq!(crowded.headers()["content-type"], "application/json");
        let begun: serde_json::Value = crowded.json().await.unwrap();
        let (turn, conversation) = (begun["turn"].as_str().unwrap(), begun["conversation"].as_str().unwrap());
        let events = format!("/chat/api/turns/{turn}/events?conversation={conversation}");
        let refused = person.request(Method::GET, &events).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "to be asked again");
        instance.stop().await;
    });
}
