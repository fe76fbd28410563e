//! Files on their way in and out: one of each kind for a person, and no more memory than there is room for.

use futures::{SinkExt, channel::mpsc};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, header::COOKIE};
use serde_json::json;
use server::Instance;
use testkit::Client;
use tokio::task::JoinSet;

use crate::house::{Place, Stranger};

/// Tries until something that was begun has come far enough; each is a request of its own.
const TRIES: usize = 2000;

/// Somebody who reads and writes as slowly as they like.
struct Slow {
    browser: Client,
    http: Stranger,
}

impl Slow {
    async fn new(instance: &Instance) -> Self {
        let mut browser = Client::new(&instance.url(), &instance.authority().unwrap());
        browser.set_up(instance.setup_code().unwrap().expose(), "Asha", "Quiet-Harbour-47").await;
        let http = Stranger::with(instance, |builder| builder.http2_initial_stream_window_size(16 << 10));
        Self { browser, http }
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.ask(method, path).header("sec-fetch-site", "same-origin");
        request.header(COOKIE, self.browser.cookie().unwrap())
    }

    /// Begins a file whose end comes when what is given back is dropped.
    async fn begins(
        &self,
        path: &str,
        sending: &mut JoinSet<reqwest::Result<Response>>,
    ) -> mpsc::Sender<Result<Vec<u8>, std::io::Error>> {
        let (mut pieces, body) = mpsc::channel(1);
        let file = self.ask(Method::POST, path).header("content-type", "multipart/form-data; boundary=x");
        sending.spawn(file.body(Body::wrap_stream(body)).send());
        pieces.send(Ok(b"--x\r\n".to_vec())).await.unwrap();
        pieces
    }

    async fn status(&self, method: Method, path: &str, body: &str) -> StatusCode {
        self.ask(method, path).body(body.to_owned()).send().await.unwrap().status()
    }
}

/// Asks again and again until the answer is `wanted`.
async fn until(wanted: StatusCode, ask: impl AsyncFn() -> StatusCode) {
    let mut last = None;
    for _ in 0..TRIES {
        let status = ask().await;
        if status == wanted {
            return;
        }
        last = Some(status);
    }
    assert_eq!(last, Some(wanted), "it never was");
}

#[tokio::test]
async fn there_is_room_for_an_import_before_any_of_it_is_read() {
    let place = Place::new();
    let instance = place.start("[policy]\ntransfers_a_minute = 100000").await.unwrap();
    let asha = Slow::new(&instance).await;
    // One connection for all that follows.
    assert_eq!(asha.status(Method::GET, "/healthz", "").await, StatusCode::OK);
    for path in ["/chat/api/import", "/account/import"] {
        let mut sending = JoinSet::new();
        let mut pieces = asha.begins(path, &mut sending).await;
        let mut full = false;
        for _ in 0..TRIES {
            full =
                asha.status(Method::POST, "/chat/api/import", "{}").await == StatusCode::SERVICE_UNAVAILABLE;
            if full {
                break;
            }
            // It came while one of these had the room, and was refused itself.
            if sending.try_join_next().is_some() {
                pieces = asha.begins(path, &mut sending).await;
            }
        }
        assert!(full, "{path}: there was always room");
        assert!(sending.try_join_next().is_none(), "{path} was answered before its body came");
        drop(pieces);
        let first = sending.join_next().await.unwrap().unwrap().unwrap();
        assert!(first.status().is_client_error(), "{path}: it was no export");
        let refused = asha.status(Method::POST, "/chat/api/import", "{}").await;
        assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{path}: there is room again");
    }
    instance.stop().await;
}

#[tokio::test]
async fn an_export_has_its_room_until_it_was_read() {
    let place = Place::new();
    let instance = place.start("[policy]\ntransfers_a_minute = 100000").await.unwrap();
    let asha = Slow::new(&instance).await;
    let message = |n: usize| {
        json!({ "id": format!("01890a5d-ac96-774b-bcce-{n:012x}"), "author": "user",
            "at": "2026-01-31T12:00:00Z", "text": "x".repeat(60_000) })
    };
    let file = json!({ "format": "troth.conversations/1", "conversations": [{
        "id": "01890a5d-ac96-774b-bcce-000000000000", "created": "2026-01-31T12:00:00Z",
        "updated": "2026-01-31T12:00:00Z", "messages": (1..40).map(message).collect::<Vec<_>>(),
    }] });
    assert_eq!(asha.status(Method::POST, "/chat/api/import", &file.to_string()).await, StatusCode::OK);
    let export = || asha.ask(Method::GET, "/chat/api/export?format=json").send();
    let first = export().await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    for _ in 0..3 {
        assert_eq!(export().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE, "nobody read it yet");
    }
    assert!(first.bytes().await.unwrap().len() > 39 * 60_000);
    until(StatusCode::OK, async || export().await.unwrap().status()).await;
    instance.stop().await;
}
