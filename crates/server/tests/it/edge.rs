//! The edge of a real instance: what is refused, in which form, and what every answer carries.

use domain::verifies;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::house::{Place, Stranger};

#[tokio::test]
async fn failures_read_as_their_caller_needs_them_and_carry_a_reference() {
    let _proof = verifies!(WEB07);
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    let stranger = Stranger::at(&instance);

    let answer = stranger.get("/no/such/thing?with=secret").send().await.unwrap();
    let reference = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!((&problem["status"], &problem["type"]), (&404.into(), &"/problems/not-found".into()));
    assert_eq!(problem["reference"], reference.as_str());
    assert!(!problem.to_string().contains("secret"));

    let answer = stranger.get("/no/such/thing").header("accept", "text/html").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let reference = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(answer.text().await.unwrap().contains(&reference));

    let answer = stranger.get("/v1/nothing").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let envelope: Value = answer.json().await.unwrap();
    assert!(envelope["error"]["message"].is_string(), "{envelope}");

    let answer = stranger
        .ask(Method::DELETE, "/healthz")
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET,HEAD".parse().unwrap())
    );
    instance.stop().await;
}

#[tokio::test]
async fn people_are_led_to_the_sign_in_page_and_programs_are_told() {
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    let stranger = Stranger::at(&instance);
    let page = stranger.get("/account").header("accept", "text/html").send().await.unwrap();
    assert_eq!(
        (page.status(), &page.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/sign-in?next=/account".parse().unwrap())
    );
    let program = stranger.get("/account").send().await.unwrap();
    assert_eq!(program.status(), StatusCode::UNAUTHORIZED);
    let api = stranger.get("/v1/models").send().await.unwrap();
    assert_eq!(
        (api.status(), &api.headers()["www-authenticate"]),
        (StatusCode::UNAUTHORIZED, &"Bearer".parse().unwrap())
    );
    // A session's cookie is nothing on the API, and a key is nothing on a page.
    let cookie = stranger.get("/v1/models").header("cookie", "__Host-troth=x").send().await.unwrap();
    assert_eq!(cookie.status(), StatusCode::UNAUTHORIZED);
    instance.stop().await;
}

#[tokio::test]
async fn every_answer_carries_the_headers_and_a_nonce_of_its_own() {
    let (_headers, _store, _cors) = (verifies!(WEB02), verifies!(WEB08), verifies!(WEB09));
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    let stranger = Stranger::at(&instance);
    let mut nonces = Vec::new();
    for path in ["/healthz", "/sign-in", "/v1/models", "/nowhere", "/assets/0/none.js"] {
        let answer = stranger.get(path).header("origin", "https://strange.invalid").send().await.unwrap();
        let headers = answer.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("require-trusted-types-for 'script'")
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        nonces.push(policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned());
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert!(!headers.contains_key("strict-transport-security"), "localhost is not ours alone");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control")), "{path}");
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 5);
    instance.stop().await;
}

#[tokio::test]
async fn strange_hosts_are_refused_by_host_and_by_authority() {
    let (_hosts, _headers) = (verifies!(WEB03), verifies!(WEB02));
    let place = Place::new();
    let instance = place.start("[web]\nhosts = [\"troth.example\"]").await.unwrap();
    let http1 = Stranger::with(&instance, reqwest::ClientBuilder::http1_only);
    for (host, status) in [("strange.invalid", 421), ("troth.example", 200), ("localhost:1", 200), ("", 421)]
    {
        let answer = http1.get("/healthz").header("host", host).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{host:?}");
        let hsts = answer.headers().get("strict-transport-security").map(|value| value.to_str().unwrap());
        if status == 200 {
            assert_eq!(hsts, (host == "troth.example").then_some("max-age=63072000"), "{host:?}");
        }
    }
    // HTTP/2 names the host in :authority, which the client takes from the address it asks.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let http2 = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .resolve("strange.invalid", instance.addresses()[0])
        .no_proxy()
        .build()
        .unwrap();
    let strange = format!("https://strange.invalid:{}/healthz", instance.addresses()[0].port());
    let answer = http2.get(strange).send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (reqwest::Version::HTTP_2, 421));
    instance.stop().await;
}

#[tokio::test]
async fn bodies_too_large_and_broken_ones_are_refused_and_the_server_lives() {
    let _proof = verifies!(WEB05);
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    let stranger = Stranger::at(&instance);
    let form = "application/x-www-form-urlencoded";
    let large = "name=".to_owned() + &"a".repeat(65 << 10);
    let answer =
        stranger.post("/sign-in").header("content-type", form).body(large.clone()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/too-large");

    // Without a length announced the body is cut when it has grown too large.
    let pieces = futures::stream::iter([Ok::<_, std::io::Error>(large)]);
    let request = stranger.post("/sign-in").header("content-type", form);
    let answer = request.body(reqwest::Body::wrap_stream(pieces)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);

    for broken in [&b"name=%ff%fe&password=%C3%28"[..], b"\xff\xfe\x00", b"name"] {
        let answer = stranger
            .post("/sign-in")
            .header("content-type", form)
            .body(broken.to_vec())
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_client_error(), "{}", answer.status());
    }
    let answer = stranger
        .post("/setup/advice")
        .header("content-type", "application/json")
        .body("{\"a\":")
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_client_error());
    assert_eq!(stranger.get("/healthz").send().await.unwrap().status(), StatusCode::OK);
    instance.stop().await;
}

#[tokio::test]
async fn the_plain_listener_leads_to_this_very_instance() {
    let _proof = verifies!(WEB01);
    let place = Place::new();
    let instance = place.start("[web]\nredirect = [\"127.0.0.1:0\"]").await.unwrap();
    let plain = format!("http://{}", instance.redirects()[0]);
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    let answer = client.get(format!("{plain}/sign-in?a=b")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
    let port = instance.addresses()[0].port();
    assert_eq!(answer.headers()["location"], format!("https://127.0.0.1:{port}/sign-in?a=b").as_str());
    let api =
        client.post(format!("{plain}/v1/chat/completions")).bearer_auth("troth_x").send().await.unwrap();
    assert_eq!((api.status(), api.headers().get("location")), (StatusCode::FORBIDDEN, None));
    instance.stop().await;
}
