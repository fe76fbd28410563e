//! Places: connections of one address, streams of one person, and streams whose session has ended.

use std::time::Duration;

use domain::verifies;
use reqwest::{Method, Response, StatusCode};
use serde_json::json;
use testkit::Client;
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use crate::house::Place;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn one_address_gets_no_more_than_its_share_of_connections() {
    let _proof = verifies!(WEB13);
    let place = Place::new();
    let instance = place.start("[web]\nconnections_per_address = 3").await.unwrap();
    let address = instance.addresses()[0];
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    let mut refused = TcpStream::connect(address).await.unwrap();
    let mut byte = [0];
    let read = timeout(Duration::from_secs(3), refused.read(&mut byte)).await;
    assert!(matches!(read, Ok(Ok(0) | Err(_))), "the fourth is closed before it costs a handshake");
    let open = timeout(Duration::from_millis(50), held[0].read(&mut byte)).await;
    assert!(open.is_err(), "the first three stay");
    instance.stop().await;
}

/// A person, and the address of a stream that does not end by itself.
async fn hanging(instance: &server::Instance) -> (Client, String) {
    let mut person = Client::new(&instance.url(), &instance.authority().unwrap());
    let code = instance.setup_code().unwrap().expose().clone();
    person.set_up(&code, "ann", "Correct-Horse-7-Battery").await;
    let question = json!({"temporary": false, "say": {"text": "hang"}, "model": "scripted"});
    let begun = person.send_json(Method::POST, "/chat/api/ask", &question).await;
    let begun = begun.expect_status(StatusCode::OK).json();
    let (turn, conversation) = (begun["turn"].as_str().unwrap(), begun["conversation"].as_str().unwrap());
    let url = format!("{}/chat/api/turns/{turn}/events?conversation={conversation}", instance.url());
    (person, url)
}

async fn open(person: &Client, url: &str) -> Response {
    person.http().get(url).header("cookie", person.cookie().unwrap()).send().await.unwrap()
}

#[test]
fn one_person_gets_no_more_than_their_share_of_streams() {
    let _proof = verifies!(WEB13);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("[web]\nstreams_per_person = 2").await.unwrap();
        let (person, url) = hanging(&instance).await;
        let streams = [open(&person, &url).await, open(&person, &url).await];
        assert!(streams.iter().all(|stream| stream.status() == StatusCode::OK));
        assert_eq!(open(&person, &url).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(streams);
        let back = async {
            while open(&person, &url).await.status() != StatusCode::OK {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, back).await.unwrap();
        instance.stop().await;
    });
}

#[test]
fn a_stream_ends_soon_after_the_session_it_was_opened_with() {
    let _proof = verifies!(WEB13);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("[policy]\nstream_recheck_seconds = 1").await.unwrap();
        let (mut person, url) = hanging(&instance).await;
        let mut stream = open(&person, &url).await;
        assert_eq!(stream.status(), StatusCode::OK);
        // Several looks pass while the session lives, and the stream goes on.
        let read = async { while stream.chunk().await.unwrap().is_some() {} };
        assert!(timeout(Duration::from_secs(3), read).await.is_err(), "it ended while its session lived");
        // Signed in again, the same person ends the first session from the second.
        person.sign_in("ann", "Correct-Horse-7-Battery").await;
        let ended = person.submit::<&str, &str>("/account/sessions/end", &[]).await;
        ended.expect_status(StatusCode::SEE_OTHER);
        let read = async { while stream.chunk().await.unwrap().is_some() {} };
        timeout(PATIENCE, read).await.expect("the stream outlived its session");
        instance.stop().await;
    });
}
