//! Endpoints that are slow, endless or broken: each ends in its own error, in bounded time and memory.

use std::time::{Duration, Instant};

use domain::verifies;
use providers::{Error, Limits};

use crate::{
    double::{Double, Step, say, stream_head, text},
    samples::{ask, endpoint, error_of, text_of, vendors},
};

const AGES: Duration = Duration::from_secs(60);

async fn error_with(limits: Limits, steps: Vec<Step>) -> (Error, String) {
    let double = Double::scenes(vec![steps]).await;
    let mut config = endpoint(&double.url());
    config.limits = limits;
    let begun = Instant::now();
    let pieces = ask(&vendors(config)).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "bounded in time");
    assert_eq!(double.requests().len(), 1);
    (error_of(&pieces), text_of(&pieces))
}

fn short() -> Limits {
    Limits { connect_ms: 1_000, first_byte_ms: 300, idle_ms: 300, answer_ms: 10_000, ..Limits::default() }
}

#[tokio::test]
async fn a_head_that_never_comes_times_out() {
    let _proof = verifies!(MOD02);
    assert_eq!(error_with(short(), vec![Step::Pause(AGES)]).await, (Error::TimedOut, String::new()));
}

#[tokio::test]
async fn a_first_piece_that_never_comes_times_out() {
    let steps = vec![stream_head(), Step::Pause(AGES)];
    assert_eq!(error_with(short(), steps).await, (Error::TimedOut, String::new()));
}

#[tokio::test]
async fn a_silence_in_the_middle_times_out_and_keeps_what_came() {
    let steps = vec![stream_head(), text("Hello"), Step::Pause(AGES)];
    assert_eq!(error_with(short(), steps).await, (Error::TimedOut, "Hello".to_owned()));
}

#[tokio::test]
async fn a_drip_of_single_bytes_ends_when_the_whole_answer_takes_too_long() {
    let mut steps = vec![stream_head()];
    for _ in 0..200 {
        steps.extend([say(":"), Step::Pause(Duration::from_millis(50))]);
    }
    let limits = Limits { answer_ms: 700, ..short() };
    assert_eq!(error_with(limits, steps).await.0, Error::TimedOut);
}

#[tokio::test]
async fn slow_bytes_within_the_limits_are_no_error() {
    let whole = "data: {\"choices\":[{\"delta\":{\"content\":\"é\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let mut steps = vec![stream_head()];
    for byte in whole.as_bytes() {
        steps.extend([Step::Say(vec![*byte]), Step::Pause(Duration::from_millis(2))]);
    }
    let double = Double::scenes(vec![steps]).await;
    let pieces = ask(&vendors(endpoint(&double.url()))).await;
    assert_eq!(text_of(&pieces), "é");
    assert!(pieces.last().unwrap().is_ok());
}

#[tokio::test]
async fn a_giant_line_is_cut_off() {
    let steps = vec![stream_head(), text("Hello"), say(&format!("data: {}", "x".repeat(50_000)))];
    let limits = Limits { line_bytes: 10_000, ..Limits::default() };
    assert_eq!(error_with(limits, steps).await, (Error::TooLarge, "Hello".to_owned()));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let mut steps = vec![stream_head()];
    steps.extend((0..1_000).map(|_| text("and on ")));
    let limits = Limits { answer_bytes: 5_000, ..Limits::default() };
    let (error, kept) = error_with(limits, steps).await;
    assert_eq!(error, Error::TooLarge);
    assert!(kept.len() < 5_000);
}

#[tokio::test]
async fn an_endless_answer_that_is_not_streamed_is_cut_off() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    let limits = Limits { answer_bytes: 5_000, ..Limits::default() };
    assert_eq!(error_with(limits, vec![say(head), say(&" ".repeat(9_000))]).await.0, Error::TooLarge);
}

#[tokio::test]
async fn broken_utf8_and_broken_json_break_the_answer() {
    for garbage in
        [&b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}\n\n"[..], b"data: {\"choices\":[}\n\n"]
    {
        let steps = vec![stream_head(), text("Hello"), Step::Say(garbage.to_vec())];
        assert_eq!(error_with(Limits::default(), steps).await, (Error::Broke, "Hello".to_owned()));
    }
}

#[tokio::test]
async fn an_error_inside_the_stream_is_not_repeated_to_anyone() {
    let error = "data: {\"error\":{\"message\":\"the body of a refusal, which nobody repeats\"}}\n\n";
    let steps = vec![stream_head(), text("Hello"), say(error)];
    assert_eq!(error_with(Limits::default(), steps).await, (Error::Broke, "Hello".to_owned()));
}

#[tokio::test]
async fn what_is_no_http_at_all_breaks() {
    assert_eq!(error_with(Limits::default(), vec![say("hello?\r\n\r\n")]).await.0, Error::Broke);
}
