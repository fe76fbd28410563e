//! Speech over HTTP, in both formats: what is spoken is heard, what is too much or none is refused in the format's
//! own words, and a quota of voice is kept to. With the scripted voice, whose whistling every format carries.

use domain::verifies;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use server::Instance;
use testkit::Client;

use crate::house::{Place, Stranger};

const TEXT: &str = "Your order ORD-0089 is on its way. It comes on Tuesday.";
const BOUNDARY: &str = "a-boundary-of-this-test";

/// A program with a key.
struct Program {
    stranger: Stranger,
    key: String,
}

impl Program {
    async fn at(instance: &Instance) -> Self {
        let mut owner = Client::new(&instance.url(), &instance.authority().unwrap());
        owner.set_up(instance.setup_code().unwrap().expose(), "Asha", "Quiet-Harbour-47").await;
        Self { stranger: Stranger::at(instance), key: owner.make_key("a program").await }
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.stranger.ask(Method::POST, path).bearer_auth(&self.key)
    }

    /// `text` as OpenAI's clients have it spoken.
    async fn speak(&self, text: &str, more: &Value) -> Response {
        let mut asked = json!({ "model": "scripted-voice", "voice": "whistle", "input": text });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/v1/audio/speech").json(&asked).send().await.unwrap()
    }

    async fn transcribe(&self, file: &[u8], fields: &[(&str, &str)]) -> Response {
        let mut form = Vec::new();
        for (name, value) in [("model", "scripted-ear")].iter().chain(fields) {
            let field =
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            form.extend_from_slice(field.as_bytes());
        }
        let head =
            "Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav";
        form.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes());
        form.extend_from_slice(file);
        form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.post("/v1/audio/transcriptions").header("content-type", kind).body(form).send().await.unwrap()
    }
}

/// The status and the field at fault, of a failure in OpenAI's envelope.
async fn refused(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let told: Value = response.json().await.unwrap();
    (status, told["error"]["param"].as_str().unwrap_or_default().to_owned())
}

/// A WAV file of silence.
fn silence(seconds: u32) -> Vec<u8> {
    let mut file =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data".to_vec();
    file.extend_from_slice(&(16_000 * seconds).to_le_bytes());
    file.resize(44 + 16_000 * seconds as usize, 0);
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn what_openais_clients_have_spoken_is_written_down_again() {
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    let program = Program::at(&instance).await;
    let spoken = program.speak(TEXT, &json!({})).await;
    assert_eq!(
        (spoken.status(), &spoken.headers()["content-type"]),
        (StatusCode::OK, &"audio/wav".parse().unwrap())
    );
    let file = spoken.bytes().await.unwrap();
    let answer: Value = program.transcribe(&file, &[]).await.json().await.unwrap();
    assert_eq!(answer["text"], TEXT);
    assert_eq!(answer["usage"]["type"], "duration");

    let whole: Value =
        program.transcribe(&file, &[("response_format", "verbose_json")]).await.json().await.unwrap();
    assert_eq!(whole["segments"].as_array().unwrap().len(), 2);
    let plain = program.transcribe(&file, &[("response_format", "text")]).await.text().await.unwrap();
    assert_eq!(plain.trim_end(), TEXT);
    let titles = program.transcribe(&file, &[("response_format", "srt")]).await.text().await.unwrap();
    assert!(titles.starts_with("1\n00:00:00,") && titles.contains("\nIt comes on Tuesday.\n"), "{titles}");
    let events = program.transcribe(&file, &[("stream", "true")]).await.text().await.unwrap();
    assert_eq!(events.matches("transcript.text.delta").count(), 2, "{events}");
    assert_eq!(events.matches("transcript.text.done").count(), 1, "{events}");

    let pcm = program.speak(TEXT, &json!({ "response_format": "pcm" })).await.bytes().await.unwrap();
    assert_eq!(pcm.len() + 44, file.len());
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_deepgrams_clients_have_spoken_is_written_down_again() {
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    let program = Program::at(&instance).await;
    let token = format!("Token {}", program.key);
    for format in ["encoding=mulaw", "encoding=alaw", "encoding=linear16&sample_rate=48000"] {
        let speak = format!("/v1/speak?model=aura-2-thalia-en&container=none&{format}");
        let asked = program.stranger.ask(Method::POST, &speak).header("authorization", &token);
        let spoken = asked.json(&json!({ "text": TEXT })).send().await.unwrap();
        assert_eq!(spoken.status(), StatusCode::OK, "{format}");
        assert_eq!(spoken.headers()["dg-model-name"], "scripted-voice", "it says which model it was");
        let bytes = spoken.bytes().await.unwrap();
        let listen = format!("/v1/listen?model=nova-3&smart_format=true&{format}");
        let asked = program.stranger.ask(Method::POST, &listen).header("authorization", &token);
        let heard: Value = asked.body(bytes).send().await.unwrap().json().await.unwrap();
        let best = &heard["results"]["channels"][0]["alternatives"][0];
        assert_eq!(best["transcript"], TEXT, "{format}");
        assert_eq!(best["words"].as_array().unwrap().len(), TEXT.split(' ').count());
        assert!(heard["metadata"]["duration"].as_f64().unwrap() > 1.0);
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_and_none_is_refused_in_the_formats_own_words() {
    let _proof = verifies!(SPE03);
    let place = Place::new();
    let instance = place.start("[policy]\nrecording_seconds = 2\n").await.unwrap();
    let program = Program::at(&instance).await;
    for (text, more, param) in [
        ("", json!({}), "input"),
        (&*"a".repeat(4_097), json!({}), "input"),
        ("a", json!({ "response_format": "mp3" }), "response_format"),
        ("a", json!({ "speed": 9 }), "speed"),
        ("a", json!({ "voice": "nobody" }), "voice"),
        ("a", json!({ "instructions": "Whisper." }), "instructions"),
        ("a", json!({ "stream_format": "sse" }), "stream_format"),
    ] {
        assert_eq!(refused(program.speak(text, &more).await).await, (400, param.to_owned()));
    }
    let nobody = program.speak("a", &json!({ "model": "scripted" })).await;
    assert_eq!(refused(nobody).await, (404, "model".to_owned()));
    let (short, long) = (silence(2), silence(3));
    for (file, fields, param) in [
        (&long[..], &[][..], "file"),
        (b"ID3 an mp3", &[], "file"),
        (b"", &[], "file"),
        (&short, &[("response_format", "pdf")], "response_format"),
        (&short, &[("timestamp_granularities[]", "word")], "timestamp_granularities"),
        (&short, &[("stream", "true"), ("response_format", "srt")], "stream"),
    ] {
        assert_eq!(refused(program.transcribe(file, fields).await).await, (400, param.to_owned()));
    }
    let heard: Value = program.transcribe(&short, &[]).await.json().await.unwrap();
    assert_eq!(heard["text"], "", "silence says nothing");

    for (path, body, status) in [
        ("/v1/listen", vec![0; 100], 400),
        ("/v1/listen?encoding=opus", vec![0; 100], 400),
        ("/v1/listen?encoding=linear16&sample_rate=8000", vec![0; 101], 400),
        ("/v1/listen?encoding=linear16&sample_rate=8000", vec![0; 40_000], 400),
        ("/v1/listen?redact=pci", short.clone(), 400),
        ("/v1/listen", vec![0; (32 << 20) + 1], 413),
        ("/v1/speak", b"{\"text\":\"\"}".to_vec(), 400),
    ] {
        let asked = program.post(path).body(body);
        let asked =
            if path == "/v1/speak" { asked.header("content-type", "application/json") } else { asked };
        let told = asked.send().await.unwrap();
        assert_eq!(told.status().as_u16(), status, "{path}");
        let told: Value = told.json().await.unwrap();
        assert!(told["err_code"].is_string() && told["err_msg"].is_string(), "{path}: {told}");
    }
    let url = program.post("/v1/listen").json(&json!({ "url": "https://elsewhere.example/a.wav" }));
    let told: Value = url.send().await.unwrap().json().await.unwrap();
    assert!(told["err_msg"].as_str().unwrap().contains("fetches nothing"), "{told}");
    instance.stop().await;
}
