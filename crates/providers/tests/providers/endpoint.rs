//! Asking an endpoint: what is sent, what comes back, and when it is asked again.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use domain::{
    Action,
    model::{Delta, Finish, Usage},
    verifies,
};
use futures::StreamExt;
use providers::{Error, Limits};
use tokio_util::sync::CancellationToken;

use crate::{
    double::{Double, Step, end, good, refusal, say, stream_head, text},
    samples::{
        KEY, ask, embed_permit, endpoint, error_of, permit, permit_for, question, text_of, vendors,
        with_clock,
    },
};

#[tokio::test]
async fn an_answer_streams_and_is_counted() {
    let double = Double::scenes(vec![good()]).await;
    let vendors = vendors(endpoint(&double.url()));
    let pieces = ask(&vendors).await;
    let usage = Usage { prompt_tokens: 11, completion_tokens: 2 };
    let done = Delta::Done { finish: Finish::Stop, usage };
    assert_eq!(pieces, [Ok(Delta::Text("Hello ".into())), Ok(Delta::Text("there".into())), Ok(done)]);
    let request = &double.requests()[0];
    assert!(request.head.starts_with("POST /v1/chat/completions "));
    assert_eq!(request.header("authorization").as_deref(), Some(format!("Bearer {KEY}").as_str()));
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!((&body["model"], &body["stream"]), (&"big".into(), &true.into()));
}

#[tokio::test]
async fn the_text_that_arrived_before_a_break_is_kept_and_nothing_is_asked_twice() {
    let _proof = verifies!(MOD02);
    let double = Double::scenes(vec![vec![stream_head(), text("Hello ")], good()]).await;
    let pieces = ask(&vendors(endpoint(&double.url()))).await;
    assert_eq!(text_of(&pieces), "Hello ");
    assert_eq!(error_of(&pieces), Error::Broke);
    assert_eq!(double.requests().len(), 1, "never asked again after the first piece");
}

#[tokio::test]
async fn an_answer_that_was_not_streamed_is_taken_too() {
    let body = r#"{"choices":[{"message":{"content":"All at once"},"finish_reason":"length"}]}"#;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let double = Double::scenes(vec![vec![say(&head), say(body)]]).await;
    let pieces = ask(&vendors(endpoint(&double.url()))).await;
    assert_eq!(text_of(&pieces), "All at once");
    assert!(
        matches!(pieces.last(), Some(Ok(Delta::Done { finish: Finish::Length, usage })) if usage.completion_tokens > 0)
    );
}

#[tokio::test]
async fn an_overloaded_endpoint_is_asked_again_after_the_time_it_names() {
    let double = Double::scenes(vec![refusal(429, "Retry-After: 1\r\n"), good()]).await;
    let begun = Instant::now();
    let pieces = ask(&vendors(endpoint(&double.url()))).await;
    assert_eq!(text_of(&pieces), "Hello there");
    assert!(begun.elapsed() >= Duration::from_secs(1), "the endpoint's own wish was heard");
    assert_eq!(double.requests().len(), 2);
}

#[tokio::test]
async fn nobody_waits_an_hour_for_another_try() {
    let double = Double::scenes(vec![refusal(429, "Retry-After: 3600\r\n"), good()]).await;
    let pieces = ask(&vendors(endpoint(&double.url()))).await;
    assert!(matches!(error_of(&pieces), Error::Refused { status: 429, .. }));
    assert_eq!(double.requests().len(), 1);
}

#[tokio::test]
async fn it_is_tried_three_times_at_most_and_only_when_that_may_help() {
    let double = Double::scenes(vec![refusal(503, "")]).await;
    assert!(matches!(
        error_of(&ask(&vendors(endpoint(&double.url()))).await),
        Error::Refused { status: 503, .. }
    ));
    assert_eq!(double.requests().len(), 3);
    for status in [400, 401, 404, 500] {
        let double = Double::scenes(vec![refusal(status, "")]).await;
        let error = error_of(&ask(&vendors(endpoint(&double.url()))).await);
        assert_eq!(error, Error::Refused { endpoint: "work".into(), status });
        assert_eq!(double.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Double::scenes(vec![good()]).await;
    let location = format!("Location: {}/chat/completions\r\n", elsewhere.url());
    let double = Double::scenes(vec![refusal(307, &location)]).await;
    let error = error_of(&ask(&vendors(endpoint(&double.url()))).await);
    assert!(matches!(error, Error::Refused { status: 307, .. }));
    assert!(elsewhere.requests().is_empty(), "the key went nowhere else");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let body = format!("{}{}", event("one"), "data: [DONE]\n\n");
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let double = Double::scenes(vec![vec![say(&chunked), Step::Keep]]).await;
    let vendors = vendors(endpoint(&double.url()));
    for _ in 0..3 {
        assert_eq!(text_of(&ask(&vendors).await), "one");
    }
    assert_eq!((double.requests().len(), double.connections()), (3, 1));
}

#[tokio::test]
async fn a_cancelled_answer_ends_and_the_line_is_hung_up() {
    let mut double = Double::scenes(vec![vec![stream_head(), text("Hello "), Step::AwaitHangup]]).await;
    let vendors = vendors(endpoint(&double.url()));
    let cancel = CancellationToken::new();
    let mut answer = vendors.answer(&permit(), question(), cancel.clone()).await.unwrap();
    assert_eq!(answer.next().await, Some(Ok(Delta::Text("Hello ".into()))));
    cancel.cancel();
    assert_eq!(answer.next().await, Some(Err(Error::Cancelled)));
    assert_eq!(answer.next().await, None);
    double.hangup().await;
    drop(vendors.answer(&permit(), question(), CancellationToken::new()).await.unwrap());
    double.hangup().await;
}

#[tokio::test]
async fn stopping_the_house_ends_what_waits_for_a_head() {
    let mut double = Double::scenes(vec![vec![Step::AwaitHangup]]).await;
    let vendors = vendors(endpoint(&double.url()));
    let asking = ask(&vendors);
    let stopping = async {
        while double.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        vendors.stop();
        double.hangup().await;
    };
    let (pieces, ()) = tokio::join!(asking, stopping);
    assert_eq!(error_of(&pieces), Error::Cancelled);
}

#[tokio::test]
async fn a_dead_endpoint_is_left_in_peace_and_tried_again_later() {
    let _proof = verifies!(MOD02);
    let double = Double::scenes(vec![refusal(500, ""), refusal(500, ""), good()]).await;
    let mut config = endpoint(&double.url());
    config.limits = Limits { tries: 1, failures_to_open: 2, open_ms: 30_000, ..config.limits };
    let (vendors, now) = with_clock(config);
    for _ in 0..2 {
        assert!(matches!(error_of(&ask(&vendors).await), Error::Refused { status: 500, .. }));
    }
    assert_eq!(error_of(&ask(&vendors).await), Error::CircuitOpen { retry_after_s: 30 });
    assert_eq!(double.requests().len(), 2, "nothing was sent while it is open");
    now.fetch_add(30_000_000, Ordering::Relaxed);
    assert_eq!(text_of(&ask(&vendors).await), "Hello there");
    assert_eq!(text_of(&ask(&vendors).await), "Hello there");
}

#[tokio::test]
async fn answers_that_keep_breaking_off_open_the_circuit() {
    let double = Double::scenes(vec![vec![stream_head(), text("Hel")]]).await;
    let mut config = endpoint(&double.url());
    config.limits.failures_to_open = 3;
    let vendors = vendors(config);
    for _ in 0..3 {
        assert_eq!(error_of(&ask(&vendors).await), Error::Broke);
    }
    assert!(matches!(error_of(&ask(&vendors).await), Error::CircuitOpen { .. }));
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = error_of(&ask(&vendors(endpoint(&format!("http://{free}/v1")))).await);
    assert_eq!(error, Error::Unreachable { endpoint: "work".into() });
    assert!(error.is_temporary());
}

#[tokio::test]
async fn embeddings_come_back_in_their_order() {
    let body = r#"{"data":[{"index":1,"embedding":[0.5,1]},{"index":0,"embedding":[1,0]}],"usage":{"prompt_tokens":4,"total_tokens":4}}"#;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let double = Double::scenes(vec![vec![say(&head), say(body)]]).await;
    let vendors = vendors(endpoint(&double.url()));
    let texts = vec!["a".to_owned(), "b".to_owned()];
    let (vectors, usage) = vendors.embed(&embed_permit(), "work/vectors", texts.clone()).await.unwrap();
    assert_eq!((vectors, usage.prompt_tokens), (vec![vec![1.0, 0.0], vec![0.5, 1.0]], 4));
    assert!(double.requests()[0].head.starts_with("POST /v1/embeddings "));
    assert_eq!(vendors.embed(&embed_permit(), "work/big", texts.clone()).await, Err(Error::UnknownModel));
    assert_eq!(
        vendors.embed(&embed_permit(), "work/vectors", vec![String::new(); 257]).await,
        Err(Error::TooLarge)
    );
    // Two vectors for one text: not an answer to the question.
    assert_eq!(vendors.embed(&embed_permit(), "work/vectors", vec!["a".to_owned()]).await, Err(Error::Broke));
}

#[tokio::test]
async fn a_permit_for_something_else_asks_nothing() {
    let double = Double::scenes(vec![vec![stream_head(), end()]]).await;
    let vendors = vendors(endpoint(&double.url()));
    let other = permit_for(Action::ReadChat);
    let refused = vendors.answer(&other, question(), CancellationToken::new()).await;
    assert!(matches!(refused, Err(Error::Denied(_))));
    assert!(matches!(vendors.embed(&other, "work/vectors", Vec::new()).await, Err(Error::Denied(_))));
    assert!(double.requests().is_empty());
}

fn event(text: &str) -> String {
    format!("data: {}\n\n", serde_json::json!({"choices": [{"delta": {"content": text}}]}))
}
