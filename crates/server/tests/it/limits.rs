//! How often somebody may ask a real instance, whatever they say about where they come from.

use std::time::{Duration, Instant};

use domain::verifies;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use testkit::Client;

use crate::{
    house::{Place, Stranger},
    valkey::Valkey,
};

const TRUSTED: &str = "[web]\ntrusted_proxies = [\"127.0.0.1\"]\n";

/// The status of one page for somebody whom a header says to come from `address`.
async fn from(stranger: &Stranger, address: &str) -> StatusCode {
    stranger.get("/sign-in").header("x-forwarded-for", address).send().await.unwrap().status()
}

#[tokio::test]
async fn one_page_too_many_waits_and_says_how_long() {
    let _proof = verifies!(WEB10);
    let place = Place::new();
    let instance = place.start("[policy]\npages_a_minute = 3\naddress_times = 1").await.unwrap();
    let stranger = Stranger::at(&instance);
    for left in [2, 1, 0] {
        let answer = stranger.get("/openapi.json").send().await.unwrap();
        assert!(answer.status().is_success());
        assert_eq!(answer.headers()["ratelimit-policy"], "\"address\";q=3;w=60");
        let now = answer.headers()["ratelimit"].to_str().unwrap().to_owned();
        assert!(now.starts_with(&format!("\"address\";r={left};t=")), "{now}");
    }
    let answer = stranger.get("/openapi.json").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u32 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/too-many-requests");
    assert!(problem["reference"].is_string());
    assert_eq!(stranger.get("/healthz").send().await.unwrap().status(), StatusCode::OK);
    instance.stop().await;
}

#[tokio::test]
async fn a_forged_header_is_no_new_address() {
    let (_limits, _address) = (verifies!(WEB10), verifies!(WEB12));
    let place = Place::new();
    let instance = place.start("[policy]\npages_a_minute = 2\naddress_times = 1").await.unwrap();
    let stranger = Stranger::at(&instance);
    let mut passed = 0;
    for number in 0..6 {
        passed +=
            usize::from(from(&stranger, &format!("192.0.2.{number}")).await != StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(passed, 2);
    instance.stop().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_count() {
    let (_limits, _address) = (verifies!(WEB10), verifies!(WEB12));
    let place = Place::new();
    let more = format!("{TRUSTED}[policy]\npages_a_minute = 1\naddress_times = 1");
    let instance = place.start(&more).await.unwrap();
    let stranger = Stranger::at(&instance);
    let limited = StatusCode::TOO_MANY_REQUESTS;
    assert_ne!(from(&stranger, "192.0.2.1").await, limited);
    assert_eq!(from(&stranger, "192.0.2.1").await, limited);
    assert_eq!(from(&stranger, "203.0.113.9, 192.0.2.1").await, limited, "its own words do not help it");
    assert_ne!(from(&stranger, "192.0.2.2").await, limited);
    assert_ne!(from(&stranger, "2001:db8::1").await, limited);
    assert_eq!(from(&stranger, "2001:db8::2").await, limited, "one network of version 6");
    instance.stop().await;
}

#[test]
fn a_key_has_a_limit_of_its_own_told_as_openai_tells_it() {
    let _proof = verifies!(WEB10);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("[policy]\napi_calls_a_minute = 2").await.unwrap();
        let mut person = Client::new(&instance.url(), &instance.authority().unwrap());
        let code = instance.setup_code().unwrap().expose().clone();
        person.set_up(&code, "ann", "Correct-Horse-7-Battery").await;
        let keys = [person.make_key("one").await, person.make_key("two").await];
        let ask = |key: &str| person.request(Method::GET, "/v1/models").bearer_auth(key).send();
        for left in ["1", "0"] {
            let answer = ask(&keys[0]).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.headers()["x-ratelimit-limit-requests"], "2");
            assert_eq!(answer.headers()["x-ratelimit-remaining-requests"], left);
        }
        let answer = ask(&keys[0]).await.unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(answer.headers().contains_key("retry-after"));
        let error: Value = answer.json().await.unwrap();
        assert_eq!(error["error"]["type"], "rate_limit_error");
        assert_eq!(ask(&keys[1]).await.unwrap().status(), StatusCode::OK, "another key is another count");
        instance.stop().await;
    });
}

#[tokio::test]
async fn a_token_of_a_directory_has_a_limit_of_its_own() {
    let _proof = verifies!(WEB10);
    let place = Place::new();
    let instance = place.start("[policy]\napi_calls_a_minute = 2").await.unwrap();
    let mut owner = Client::new(&instance.url(), &instance.authority().unwrap());
    owner.set_up(instance.setup_code().unwrap().expose(), "Ada", "Quiet-Harbour-47").await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let made = owner.submit::<&str, &str>("/admin/directory/tokens", &[]).await;
        tokens.push(made.expect_status(StatusCode::OK).between("id=\"key\">", "<"));
    }
    let http = Stranger::at(&instance);
    let ask = |token: &str| http.get("/scim/v2/Users").bearer_auth(token).send();
    for _ in 0..2 {
        assert_eq!(ask(&tokens[0]).await.unwrap().status(), StatusCode::OK);
    }
    let answer = ask(&tokens[0]).await.unwrap();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(ask(&tokens[1]).await.unwrap().status(), StatusCode::OK, "another token is another count");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_count_together_and_each_by_itself_while_the_store_is_away() {
    let _proof = verifies!(WEB10);
    let mut valkey = Valkey::start().await;
    let places = [Place::new(), Place::new()];
    let more = format!("{TRUSTED}{}[policy]\npages_a_minute = 6\naddress_times = 1", valkey.settings());
    let (first, second) = (places[0].start(&more).await.unwrap(), places[1].start(&more).await.unwrap());
    let strangers = [Stranger::at(&first), Stranger::at(&second)];
    // How many of twelve requests in turn pass, where each replica alone would let all of them in.
    let passing = async |address: &str| {
        let mut passed = 0;
        for number in 0..12 {
            passed +=
                usize::from(from(&strangers[number % 2], address).await != StatusCode::TOO_MANY_REQUESTS);
        }
        passed
    };
    // On a machine that is hardly moving one answer of the store may come too late; then it rests.
    let mut together = false;
    for number in 0..20 {
        let passed = passing(&format!("192.0.2.{number}")).await;
        together = (1..=7).contains(&passed);
        if together {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(together, "two replicas counted apart");

    valkey.stop();
    let started = Instant::now();
    assert_eq!(passing("198.51.100.1").await, 12, "each lets in what it may by itself");
    assert!(started.elapsed() < Duration::from_secs(10), "nobody waits long for a store that is away");
    assert_eq!(passing("198.51.100.1").await, 0, "and no more: the limits are not open");
    first.stop().await;
    second.stop().await;
}
