//! A thousand readers of one answer at once, and one more than there may be.

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
