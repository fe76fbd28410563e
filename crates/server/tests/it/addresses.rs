//! Addresses kept out and let in, by the page, the terminal, the configuration and another replica; and
//! other origins that may call the API.

use std::time::Duration;

use domain::{Actor, Ctx, Job, verifies};
use identity::{NewAddressRule, Verdict};
use reqwest::{Method, StatusCode};
use testkit::Client;

use crate::house::{Place, Stranger};

const TRUSTED: &str = "[web]\ntrusted_proxies = [\"127.0.0.1\"]\n";

async fn status(stranger: &Stranger, address: &str) -> StatusCode {
    stranger.get("/openapi.json").header("x-forwarded-for", address).send().await.unwrap().status()
}

#[test]
fn an_owner_keeps_a_range_out_on_a_page_and_lets_it_in_again() {
    let _proof = verifies!(WEB11);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start(TRUSTED).await.unwrap();
        let stranger = Stranger::at(&instance);
        let mut owner = Client::new(&instance.url(), &instance.authority().unwrap());
        let code = instance.setup_code().unwrap().expose().clone();
        owner.set_up(&code, "ann", "Correct-Horse-7-Battery").await;
        let page = owner.open("/admin/addresses").await.expect_status(StatusCode::OK);
        assert!(page.text.contains("everybody may knock"));

        let form = |network: &'static str, verdict: &'static str| {
            [("network", network), ("verdict", verdict), ("time", "hour"), ("note", "knocks all night")]
        };
        let done = owner.submit("/admin/addresses", &form("203.0.113.0/24", "deny")).await;
        done.expect_status(StatusCode::SEE_OTHER);
        assert_eq!(status(&stranger, "203.0.113.5").await, StatusCode::FORBIDDEN);
        assert_eq!(status(&stranger, "203.0.114.5").await, StatusCode::OK);
        let refused =
            stranger.get("/openapi.json").header("x-forwarded-for", "203.0.113.5").send().await.unwrap();
        let problem: serde_json::Value = refused.json().await.unwrap();
        assert_eq!(problem["type"], "/problems/address-denied");
        assert!(!problem.to_string().contains("203.0"), "{problem}");

        let done = owner.submit("/admin/addresses", &form("203.0.113.5", "allow")).await;
        done.expect_status(StatusCode::SEE_OTHER);
        assert_eq!(status(&stranger, "203.0.113.5").await, StatusCode::OK, "the narrower rule decides");

        for (network, word) in
            [("127.0.0.0/8", "keep yourself out"), ("nonsense", "range"), ("203.0.113.0/33", "range")]
        {
            let refused = owner.submit("/admin/addresses", &form(network, "deny")).await;
            let refused = refused.expect_status(StatusCode::UNPROCESSABLE_ENTITY);
            assert!(refused.text.contains(word), "{network}: {}", refused.text);
        }
        let page = owner.open("/admin/addresses").await.expect_status(StatusCode::OK);
        for removal in page.all_between("action=\"/admin/addresses/", "\"") {
            let path = format!("/admin/addresses/{removal}");
            owner.submit::<&str, &str>(&path, &[]).await.expect_status(StatusCode::SEE_OTHER);
        }
        assert_eq!(status(&stranger, "203.0.113.9").await, StatusCode::OK);
        let nobody = stranger.get("/admin/addresses").send().await.unwrap();
        assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
        instance.stop().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_keeps_addresses_out_of_the_running_instance() {
    let _proof = verifies!(WEB11);
    let place = Place::new();
    let instance = place.start(&format!("{TRUSTED}deny = [\"198.51.100.0/24\"]")).await.unwrap();
    let stranger = Stranger::at(&instance);
    assert_eq!(status(&stranger, "198.51.100.1").await, StatusCode::FORBIDDEN, "by the configuration");
    let troth = |arguments: &[&str]| {
        let output = place.troth(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = troth(&["addresses", "deny", "203.0.113.7", "--for", "2h", "--note", "knocks"]);
    assert!(code == 0 && said.starts_with("203.0.113.7/32 is kept out until 2"), "{said}");
    assert_eq!(status(&stranger, "203.0.113.7").await, StatusCode::FORBIDDEN);
    assert_eq!(troth(&["addresses", "allow", "198.51.100.1", "--until-removed"]).0, 0);
    assert_eq!(status(&stranger, "198.51.100.1").await, StatusCode::OK);
    let (_, list) = troth(&["addresses", "list"]);
    assert!(
        list.contains("by the configuration") && list.contains("knocks") && list.contains("until removed")
    );
    let (_, json) = troth(&["addresses", "list", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap().as_array().unwrap().len(), 3);
    assert_eq!(troth(&["addresses", "remove", "203.0.113.7"]).0, 0);
    assert_eq!(status(&stranger, "203.0.113.7").await, StatusCode::OK);
    for wrong in [
        &["addresses", "remove", "203.0.113.7"][..],
        &["addresses", "deny", "203.0.113.7"],
        &["addresses", "deny", "203.0.113.7", "--for", "soon"],
        &["addresses", "deny", "here", "--for", "1h"],
    ] {
        assert_eq!(troth(wrong).0, 2, "{wrong:?}");
    }
    instance.stop().await;
    assert_eq!(troth(&["addresses", "list"]).0, 1, "no instance runs");
}

#[tokio::test]
async fn what_another_replica_wrote_counts_here_within_seconds() {
    let _proof = verifies!(WEB11);
    let place = Place::new();
    let instance = place.start(TRUSTED).await.unwrap();
    let stranger = Stranger::at(&instance);
    let outside = server::Outside::real();
    let ctx = Ctx::new(Actor::System(Job::Operator), outside.clock, outside.entropy);
    let new = NewAddressRule { network: "203.0.113.7", verdict: Verdict::Deny, note: "", seconds: None };
    instance.identity().set_address_rule(&ctx, new).await.unwrap();
    let known = async {
        while status(&stranger, "203.0.113.7").await != StatusCode::FORBIDDEN {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), known).await.unwrap();
    instance.stop().await;
}

#[tokio::test]
async fn a_listed_origin_may_call_the_api_and_nothing_else() {
    let _proof = verifies!(WEB09);
    let place = Place::new();
    let instance = place.start("[web]\ncors_origins = [\"https://app.example\"]").await.unwrap();
    let stranger = Stranger::at(&instance);
    let preflight = async |path: &str, origin: &str| {
        let asked = stranger.ask(Method::OPTIONS, path).header("origin", origin);
        let asked = asked.header("access-control-request-method", "POST");
        asked.header("access-control-request-headers", "authorization, content-type").send().await.unwrap()
    };
    let answer = preflight("/v1/chat/completions", "https://app.example").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let headers = answer.headers();
    assert_eq!(headers["access-control-allow-origin"], "https://app.example");
    assert_eq!(headers["access-control-allow-headers"], "authorization, content-type");
    assert_eq!(headers["vary"], "origin");
    assert!(!headers.contains_key("access-control-allow-credentials"));
    for (path, origin) in [
        ("/v1/chat/completions", "https://evil.example"),
        ("/v1/chat/completions", "null"),
        ("/chat/api/ask", "https://app.example"),
        ("/sign-in", "https://app.example"),
    ] {
        let refused = preflight(path, origin).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path} {origin}");
        assert!(!refused.headers().keys().any(|name| name.as_str().starts_with("access-control-")));
    }
    let read = stranger.get("/v1/models").header("origin", "https://app.example").send().await.unwrap();
    assert_eq!(read.status(), StatusCode::UNAUTHORIZED, "with a key or not at all");
    assert_eq!(read.headers()["access-control-allow-origin"], "https://app.example");
    let page = stranger.get("/openapi.json").header("origin", "https://app.example").send().await.unwrap();
    assert!(!page.headers().contains_key("access-control-allow-origin"));
    instance.stop().await;
}
