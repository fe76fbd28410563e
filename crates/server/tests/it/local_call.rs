//! A whole call with the models of this machine: a sentence the local voice speaks is sent as sound, understood,
//! answered aloud and written down, and the call ends when the caller hangs up. Nothing is asked of a network.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    Secret,
    model::{ModelFacts, Place as RunsAt, Readiness},
};
use futures::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use server::Instance;
use testkit::Client;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::house::{Place, Stranger};

/// What the caller says.
const SENTENCE: &str = "Where is the order that I made on Tuesday?";
/// Nothing in a call takes longer, on however busy a machine.
const LONGEST: Duration = Duration::from_secs(180);
/// Bytes of a second at the wire's usual rate.
const SECOND: usize = 48_000;

/// A program's end of a call.
struct Phone(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What was said and heard in one answer.
#[derive(Default)]
struct Answer {
    status: String,
    /// The caller's words as they were understood.
    heard: String,
    /// The agent's words.
    said: String,
    /// The agent's sound.
    sound: Vec<u8>,
}

impl Phone {
    async fn dial(instance: &Instance, key: &Secret<String>, model: &str) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(instance.authority().unwrap()).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = format!("{}/v1/realtime?model={model}", instance.url().replace("https", "wss"));
        let mut request = address.into_client_request().unwrap();
        let bearer = format!("Bearer {}", key.expose());
        request.headers_mut().insert("authorization", bearer.parse().unwrap());
        let connector = Connector::Rustls(Arc::new(tls));
        let opened = connect_async_tls_with_config(request, None, true, Some(connector)).await;
        Self(opened.unwrap().0)
    }

    async fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Sends sound, and silence behind it in which the turn ends.
    async fn speak(&mut self, sound: &[u8]) {
        let silence = vec![0; 3 * SECOND];
        for piece in sound.chunks(SECOND).chain(silence.chunks(SECOND)) {
            let audio = STANDARD.encode(piece);
            self.say(&json!({ "type": "input_audio_buffer.append", "audio": audio })).await;
        }
    }

    /// Everything up to the end of the next answer.
    async fn answer(&mut self) -> Answer {
        let mut answer = Answer::default();
        let listening = async {
            loop {
                let Message::Text(text) = self.0.next().await.unwrap().unwrap() else { continue };
                let told: Value = serde_json::from_str(&text).unwrap();
                let words = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
                match told["type"].as_str().unwrap() {
                    "error" => return Err(told),
                    "response.output_audio_transcript.delta" => answer.said.push_str(&words("delta")),
                    "response.output_audio.delta" => {
                        answer.sound.extend(STANDARD.decode(words("delta")).unwrap());
                    }
                    "conversation.item.input_audio_transcription.completed" => {
                        answer.heard.push_str(&words("transcript"));
                    }
                    "response.done" => {
                        answer.status = told["response"]["status"].as_str().unwrap().to_owned();
                        return Ok(());
                    }
                    _ => (),
                }
            }
        };
        timeout(LONGEST, listening).await.unwrap().unwrap();
        answer
    }
}

/// An instance that hears and speaks with models of this machine, once they are there.
async fn started(place: &Place) -> Instance {
    // target/debug/deps/it-… → target; `cargo xtask test --install` puts models there.
    let here = std::env::current_exe().unwrap();
    let folder = here.ancestors().nth(3).unwrap().join("models");
    assert!(folder.is_dir(), "{} is missing; run `cargo xtask test --install`", folder.display());
    let more = format!(
        "[models]\nmodels_folder = {folder:?}\ndefault_model = \"scripted\"\nlocal.enabled = true\n\
         local.model = \"smollm2-135m-instruct\"\nlocal.fetch = false\nspeech.enabled = true\n\
         speech.recognition = \"moonshine-tiny-en\"\nspeech.voice = \"hibari-heart\"\n"
    );
    let instance = place.start(&more).await.unwrap();
    let ready = async {
        let models = instance.providers();
        let answers = || models.models().iter().all(|model| model.readiness == Readiness::Ready);
        while models.speech().readiness() != Readiness::Ready || !answers() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONGEST, ready).await.expect("the models are there");
    instance
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_the_models_of_this_machine_is_heard_answered_and_ended() {
    let place = Place::new();
    let instance = started(&place).await;
    let mut owner = Client::new(&instance.url(), &instance.authority().unwrap());
    owner.set_up(instance.setup_code().unwrap().expose(), "Asha", "Quiet-Harbour-47").await;
    let key = Secret::new(owner.make_key("a program").await);
    let stranger = Stranger::at(&instance);

    let asked = json!({
        "model": "hibari-heart", "voice": "heart", "input": SENTENCE, "response_format": "pcm",
    });
    let spoken = stranger.ask(Method::POST, "/v1/audio/speech").bearer_auth(key.expose()).json(&asked);
    let spoken = spoken.send().await.unwrap();
    assert_eq!(spoken.status(), StatusCode::OK);
    let sentence = spoken.bytes().await.unwrap();

    for model in ["scripted", "smollm2-135m-instruct"] {
        let mut phone = Phone::dial(&instance, &key, model).await;
        let session = json!({
            "type": "realtime", "max_output_tokens": 24,
            "audio": { "input": { "transcription": { "model": "moonshine-tiny-en" } } },
        });
        phone.say(&json!({ "type": "session.update", "session": session })).await;
        let disclosure = phone.answer().await;
        assert!(disclosure.said.contains("AI") && disclosure.sound.len() > SECOND, "{}", disclosure.said);

        phone.speak(&sentence).await;
        let answer = phone.answer().await;
        assert_eq!(answer.status, "completed", "{model}");
        let heard = answer.heard.to_lowercase();
        for word in ["where", "order", "tuesday"] {
            assert!(heard.contains(word), "{word} is not in the caption {heard:?}");
        }
        assert!(answer.said.chars().any(char::is_alphabetic) && answer.sound.len() > SECOND / 4, "{model}");
        if model == "scripted" {
            // It repeats the question, so this is what the model was asked.
            assert!(answer.said.contains(answer.heard.trim()), "{} is not in {}", answer.heard, answer.said);
        }
        assert!(loudest(&answer.sound) > 1_000, "the answer of {model} is silence");

        phone.0.close(None).await.unwrap();
        let ended = async {
            while instance.assistant().calls() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(LONGEST, ended).await.expect("the call ends with its connection");
    }
    let here = |model: &ModelFacts| model.place == RunsAt::ThisMachine;
    assert!(instance.providers().models().iter().all(here));
    instance.stop().await;
}

/// The loudest sample.
fn loudest(sound: &[u8]) -> u16 {
    let samples = sound.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair).unsigned_abs());
    samples.max().unwrap_or_default()
}
