//! The API as a program meets it: over TLS, through the real router, with the scripted model.

#![expect(clippy::unwrap_used, reason = "a test whose steps do not succeed has failed")]

#[path = "api/caller.rs"]
mod caller;

use caller::Caller;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use testkit::Client;

/// One instance, and short ways to ask it.
struct Api {
    caller: Caller,
    client: reqwest::Client,
}

impl Api {
    async fn start() -> Self {
        let caller = Caller::start().await;
        Self { client: connection(&caller), caller }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.caller.base_url())).bearer_auth(&self.caller.key)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.caller.base_url())).bearer_auth(&self.caller.key)
    }

    async fn chat(&self, body: &Value) -> Response {
        self.post("/chat/completions").json(body).send().await.unwrap()
    }
}

/// A client that trusts the instance; HTTP/2 keeps it to one connection.
fn connection(caller: &Caller) -> reqwest::Client {
    Client::new(&caller.instance.url(), &caller.authority()).http().clone()
}

fn says(text: &str) -> Value {
    json!({"model": "scripted", "messages": [{"role": "user", "content": text}]})
}

fn with(mut body: Value, more: Value) -> Value {
    let more = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(more);
    body
}

/// The envelope of a failure, after checking that it is one.
async fn failure(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    assert!(response.headers().contains_key("x-request-id"), "{status}");
    assert_eq!(response.headers()["content-type"], "application/json", "{status}");
    let body: Value = response.json().await.unwrap();
    let error = body["error"].clone();
    assert!(error["message"].is_string() && error["type"].is_string(), "{body}");
    assert!(error.get("param").is_some() && error.get("code").is_some(), "{body}");
    (status, error)
}

/// The data of every server-sent event.
fn events(body: &str) -> Vec<String> {
    let events = body.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    events.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_and_found() {
    let api = Api::start().await;
    let list: Value = api.get("/models").send().await.unwrap().json().await.unwrap();
    assert_eq!((&list["object"], &list["data"][0]["id"]), (&json!("list"), &json!("scripted")));
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(
        ids,
        ["scripted", "scripted-ear", "scripted-voice"],
        "the first once, though it chats and embeds"
    );
    let one: Value = api.get("/models/scripted").send().await.unwrap().json().await.unwrap();
    assert_eq!((&one["object"], &one["place"]), (&json!("model"), &json!("on this machine")));
    for gone in ["/models/work/gone", "/models/work%2Fgone"] {
        let (status, error) = failure(api.get(gone).send().await.unwrap()).await;
        assert_eq!((status, &error["code"]), (StatusCode::NOT_FOUND, &json!("model_not_found")));
    }
    api.caller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_whole() {
    let api = Api::start().await;
    let answer: Value = api.chat(&says("hello there")).await.json().await.unwrap();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert!(answer["choices"][0]["message"]["content"].as_str().unwrap().contains("> hello there"));
    let usage = &answer["usage"];
    let sum = usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"].as_u64().unwrap(), sum);
    let short = with(says("long 9"), json!({"max_tokens": 2}));
    let answer: Value = api.chat(&short).await.json().await.unwrap();
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["choices"][0]["message"]["content"], "word1 word2 ");
    api.caller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_as_a_stream() {
    let api = Api::start().await;
    let streamed = with(says("long 5"), json!({"stream": true, "stream_options": {"include_usage": true}}));
    let response = api.chat(&streamed).await;
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let events = events(&response.text().await.unwrap());
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let chunks: Vec<Value> =
        events[..events.len() - 1].iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({"role": "assistant", "content": ""}));
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, "word1 word2 word3 word4 word5 ");
    let [.., last, usage] = chunks.as_slice() else { panic!("too few chunks") };
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!((&usage["choices"], &usage["usage"]["completion_tokens"]), (&json!([]), &json!(5)));
    assert!(chunks[1].as_object().unwrap().get("usage").is_some_and(Value::is_null));
    let id = chunks[0]["id"].as_str().unwrap();
    assert!(id.starts_with("chatcmpl-") && chunks.iter().all(|chunk| chunk["id"] == id));
    api.caller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_are_called_and_their_results_read() {
    let api = Api::start().await;
    let tool = json!({"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}});
    let asked = with(says("call weather {\"city\":\"Pune\"}"), json!({"tools": [tool]}));
    let answer: Value = api.chat(&asked).await.json().await.unwrap();
    let choice = &answer["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(call["type"], "function");
    assert_eq!(call["function"], json!({"name": "weather", "arguments": "{\"city\":\"Pune\"}"}));
    assert!(call.get("index").is_none());

    let events = events(&api.chat(&with(asked.clone(), json!({"stream": true}))).await.text().await.unwrap());
    let called: Value = serde_json::from_str(&events[1]).unwrap();
    assert_eq!(called["choices"][0]["delta"]["tool_calls"][0]["index"], 0);

    let mut messages = asked["messages"].as_array().unwrap().clone();
    messages.push(choice["message"].clone());
    messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "31 degrees"}));
    let answer: Value = api.chat(&with(asked, json!({"messages": messages}))).await.json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "The tool said: 31 degrees");
    api.caller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_become_vectors() {
    let api = Api::start().await;
    let ask = |body: Value| api.post("/embeddings").json(&body).send();
    let made: Value =
        ask(json!({"model": "scripted", "input": ["one", "two"]})).await.unwrap().json().await.unwrap();
    assert_eq!((&made["object"], &made["data"][1]["index"]), (&json!("list"), &json!(1)));
    let numbers = made["data"][0]["embedding"].as_array().unwrap();
    let base64 = json!({"model": "scripted", "input": "one", "encoding_format": "base64"});
    let packed: Value = ask(base64).await.unwrap().json().await.unwrap();
    assert_eq!(packed["data"][0]["embedding"].as_str().unwrap().len(), (numbers.len() * 4).div_ceil(3) * 4);
    let tokens = json!({"model": "scripted", "input": [[1, 2]]});
    let (status, error) = failure(ask(tokens).await.unwrap()).await;
    assert_eq!((status, &error["param"]), (StatusCode::BAD_REQUEST, &json!("input")));
    let (status, _) = failure(ask(json!({"model": "gone", "input": "x"})).await.unwrap()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    api.caller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_wears_the_same_envelope() {
    let api = Api::start().await;
    let (status, error) = failure(api.chat(&with(says("hi"), json!({"model": "gone"}))).await).await;
    assert_eq!((status, &error["code"]), (StatusCode::NOT_FOUND, &json!("model_not_found")));
    let (status, error) = failure(api.chat(&with(says("hi"), json!({"n": 2}))).await).await;
    assert_eq!((status, &error["param"]), (StatusCode::BAD_REQUEST, &json!("n")));
    let (status, error) = failure(api.chat(&says("fail")).await).await;
    assert_eq!((status, &error["type"]), (StatusCode::BAD_GATEWAY, &json!("server_error")));
    let (status, _) = failure(api.chat(&says("fail-midstream")).await).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "half an answer is none");

    let raw = |kind: &'static str, body: Vec<u8>| {
        api.post("/chat/completions").header("content-type", kind).body(body)
    };
    let (status, error) =
        failure(raw("application/json", b"{\"model\": SECRET".to_vec()).send().await.unwrap()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(!error.to_string().contains("SECRET"), "{error}");
    for odd in [&b"[1]"[..], b"\xff\xff", b"", b"{\"model\": 7}"] {
        let (status, _) = failure(raw("application/json", odd.to_vec()).send().await.unwrap()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    let (status, _) = failure(raw("text/plain", b"hello".to_vec()).send().await.unwrap()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (status, _) = failure(raw("application/json", vec![b' '; (1 << 20) + 1]).send().await.unwrap()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let (status, _) = failure(api.get("/chat/completions").send().await.unwrap()).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    let (status, _) = failure(api.get("/assistants").send().await.unwrap()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    for key in [None, Some("troth_wrong"), Some("")] {
        let request = api.client.get(format!("{}/models", api.caller.base_url()));
        let request = key.map_or(request.try_clone().unwrap(), |key| request.bearer_auth(key));
        let (status, error) = failure(request.send().await.unwrap()).await;
        assert_eq!((status, &error["code"]), (StatusCode::UNAUTHORIZED, &json!("invalid_api_key")));
    }
    api.caller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_on_the_way_is_told_in_the_stream() {
    let api = Api::start().await;
    let response = api.chat(&with(says("fail-midstream"), json!({"stream": true}))).await;
    assert_eq!(response.status(), StatusCode::OK);
    let events = events(&response.text().await.unwrap());
    let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "model_failed");
    assert!(events.iter().any(|event| event.contains("word3")), "what had come was delivered");
    api.caller.stop().await;
}

/// More than may be asked at once: the rest is told to wait, and leaving makes room again.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_stops_the_model_and_makes_room() {
    let api = Api::start().await;
    let hanging = with(says("hang"), json!({"stream": true}));
    let most = assistant::Limits::default().completions_per_person;
    let mut open = Vec::new();
    // A connection carries 100 requests at most.
    let clients: Vec<_> = (0..=most / 64).map(|_| connection(&api.caller)).collect();
    for n in 0..most {
        let url = format!("{}/chat/completions", api.caller.base_url());
        let request = clients[n / 64].post(url).bearer_auth(&api.caller.key).json(&hanging);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        open.push(response);
    }
    let refused = api.chat(&hanging).await;
    assert!(refused.headers().contains_key("retry-after"));
    let (status, error) = failure(refused).await;
    assert_eq!((status, &error["type"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limit_error")));
    drop(open);
    // The server notices each closed stream a little later; nothing tells us when.
    for _ in 0..200 {
        if api.chat(&says("hello")).await.status() == StatusCode::OK {
            api.caller.stop().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("streams that were left still take up room");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_open_to_everybody() {
    let api = Api::start().await;
    let url = format!("{}/openapi.json", api.caller.instance.url());
    let description: Value = api.client.get(url).send().await.unwrap().json().await.unwrap();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(description["paths"]["/v1/chat/completions"]["post"].is_object());
    api.caller.stop().await;
}
