//! A thousand answers streaming at once, and one more than there may be.

use std::{sync::Arc, time::Duration};

use domain::verifies;
use reqwest::{Response, StatusCode};
use serde_json::json;
use testkit::Client;
use tokio::task::JoinSet;

use crate::house::Place;

/// Answers that stream at the same time.
const MANY: usize = 1000;
/// HTTP/2 takes 100 requests on a connection.
const PER_CONNECTION: usize = 90;

async fn stream(client: reqwest::Client, url: Arc<str>, key: Arc<str>) -> Response {
    let body =
        json!({"model": "scripted", "stream": true, "messages": [{"role": "user", "content": "hang"}]});
    client.post(&*url).bearer_auth(&key).json(&body).send().await.unwrap()
}

#[test]
fn a_thousand_open_streams_are_held_and_the_next_one_gets_a_503() {
    let _proof = verifies!(WEB05);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start(&format!("[web]\nstreams = {MANY}")).await.unwrap();
        let mut person = Client::new(&instance.url(), &instance.authority().unwrap());
        let code = instance.setup_code().unwrap().expose().clone();
        person.set_up(&code, "ann", "Correct-Horse-7-Battery").await;
        let key: Arc<str> = person.make_key("streams").await.into();
        let url: Arc<str> = format!("{}/v1/chat/completions", instance.url()).into();

        let mut opening = JoinSet::new();
        for number in 0..MANY {
            let fresh = number % PER_CONNECTION == 0;
            let client = if fresh {
                Client::new(&instance.url(), &instance.authority().unwrap()).http().clone()
            } else {
                continue;
            };
            for _ in 0..PER_CONNECTION.min(MANY - number) {
                opening.spawn(stream(client.clone(), url.clone(), key.clone()));
            }
        }
        let open: Vec<Response> = opening.join_all().await;
        assert_eq!(open.len(), MANY);
        assert!(open.iter().all(|answer| answer.status() == StatusCode::OK));

        let one_more = stream(person.http().clone(), url.clone(), key.clone()).await;
        assert_eq!(one_more.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(one_more.headers().contains_key("retry-after"));
        // The server lives, and the places come back when the readers leave.
        person.open("/chat").await.expect_status(StatusCode::OK);
        drop(open);
        let back = async {
            while stream(person.http().clone(), url.clone(), key.clone()).await.status() != StatusCode::OK {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), back).await.unwrap();
        instance.stop().await;
    });
}
