//! Speech: by rote, from an endpoint and from Deepgram (doubles that answer what their public message tables say),
//! and from the real models.

use std::{path::PathBuf, time::Duration};

use domain::{
    Action, Clock, Permit, Secret, Timestamp,
    model::{Place, Readiness},
    verifies,
};
use providers::{
    Config, Error, Limits, LocalConfig, Providers,
    speech::{
        DeepgramConfig, FRAME_SAMPLES, Say, Sound, SpeechConfig, SpeechKind, Spoken, marked, read_wav,
        wav_head,
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use zeroize::Zeroizing;

use crate::{
    double::{Double, Request, Step, refusal, say as says},
    samples::{KEY, endpoint, permit_for},
};

const LONG: Duration = Duration::from_secs(120);

fn permit() -> Permit {
    permit_for(Action::Speech)
}

fn start(config: Config) -> Providers {
    let local = LocalConfig { enabled: false, ..LocalConfig::default() };
    let config = Config { local, ..config };
    Providers::start(config, &TaskTracker::new(), Clock::new(|| Timestamp(77))).unwrap()
}

fn sound(samples: &[f32], model: Option<&str>) -> Sound {
    let samples = Zeroizing::new(samples.to_vec());
    Sound { samples, model: model.map(str::to_owned), language: Some("en".to_owned()) }
}

fn say(text: &str, voice: Option<&str>) -> Say {
    Say { text: Zeroizing::new(text.to_owned()), voice: voice.map(str::to_owned), pace: 1.0 }
}

async fn whole(mut spoken: Spoken) -> Result<Vec<f32>, Error> {
    let mut all = Vec::new();
    while let Some(piece) = spoken.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(all)
}

fn at_16k(samples: &[f32]) -> Zeroizing<Vec<f32>> {
    use providers::speech::{Encoder, Format};
    let mut encoder = Encoder::new(24_000, Format::pcm(16_000)).unwrap();
    let mut file = wav_head(Format::pcm(16_000), None);
    file.extend_from_slice(&encoder.encode(samples).unwrap());
    file.extend_from_slice(&encoder.finish().unwrap());
    read_wav(&file, 600).unwrap()
}

#[tokio::test]
async fn what_is_spoken_by_rote_is_heard_by_rote() {
    let vendors = start(Config { scripted: true, ..Config::default() });
    let speech = vendors.speech();
    assert_eq!(speech.readiness(), Readiness::Ready);
    let text = "Your order is ORD-0089. Anything else?";
    let spoken = speech.speak(&permit(), say(text, None), CancellationToken::new()).await.unwrap();
    assert_eq!(spoken.rate, 24_000);
    let samples = at_16k(&whole(spoken).await.unwrap());
    let heard = speech.recognise(&permit(), sound(&samples, None), CancellationToken::new()).await.unwrap();
    assert_eq!(heard.text.as_str(), text);
    assert_eq!(heard.segments.len(), 2);

    let mut hearing = speech.hearing(&permit()).await.unwrap();
    let mut judged = Vec::new();
    for piece in samples.chunks(777) {
        judged.extend(hearing.hear(piece).unwrap());
    }
    assert_eq!(judged.len(), samples.len() / FRAME_SAMPLES);
    assert!(judged.iter().filter(|probability| **probability > 0.5).count() * 10 > judged.len() * 9);
    assert!(hearing.finished(samples).await.unwrap() > 0.5);
}

#[tokio::test]
async fn a_permit_for_something_else_is_none_for_speech() {
    let vendors = start(Config { scripted: true, ..Config::default() });
    let (speech, other, stop) = (vendors.speech(), permit_for(Action::UseModel), CancellationToken::new());
    let heard = speech.recognise(&other, sound(&marked("a"), None), stop.clone()).await;
    assert!(matches!(heard.err(), Some(Error::Denied(_))));
    assert!(matches!(speech.speak(&other, say("a", None), stop).await.err(), Some(Error::Denied(_))));
    assert!(matches!(speech.hearing(&other).await.err(), Some(Error::Denied(_))));
}

#[tokio::test]
async fn what_is_not_there_says_what_to_do_and_what_hangs_can_be_stopped() {
    let nothing = start(Config::default());
    let (stop, speech) = (CancellationToken::new(), nothing.speech());
    let refused = speech.speak(&permit(), say("a", None), stop.clone()).await.err().unwrap();
    assert!(refused.to_string().contains("models.speech.enabled"), "{refused}");
    assert!(matches!(speech.readiness(), Readiness::Missing { .. }));
    assert!(speech.hearing(&permit()).await.is_err() && speech.facts().is_empty());

    let scripted = start(Config { scripted: true, ..Config::default() });
    let speech = scripted.speech();
    let refused = speech.speak(&permit(), say("a", Some("nobody")), stop.clone()).await;
    assert_eq!(refused.err(), Some(Error::UnknownModel));
    let mut spoken = speech.speak(&permit(), say("hang", None), stop.clone()).await.unwrap();
    stop.cancel();
    assert!(spoken.next().await.is_none());
    assert_eq!(
        speech.speak(&permit(), say("fail", None), CancellationToken::new()).await.err(),
        Some(Error::Broke)
    );
}

/// 200 with a body.
fn answer(kind: &str, body: &[u8]) -> Vec<Step> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    vec![Step::Say([head.as_bytes(), body].concat()), Step::Keep]
}

fn is_for(request: &Request, path: &str) -> bool {
    request.head.starts_with(&format!("POST {path}"))
}

/// A quarter of full scale, 0.1 s of it.
fn pcm() -> Vec<u8> {
    std::iter::repeat_n([0, 0x20], 2_400).flatten().collect()
}

#[tokio::test]
async fn an_endpoint_hears_and_speaks_when_its_models_for_that_are_named() {
    let double = Double::play(|_, request| match request {
        request if is_for(request, "/v1/audio/transcriptions") => {
            answer("application/json", br#"{"text":" The words. ","usage":{"type":"duration","seconds":1}}"#)
        }
        _ => answer("audio/pcm", &pcm()),
    })
    .await;
    let vendors = start(Config { endpoints: vec![endpoint(&double.url())], ..Config::default() });
    let (speech, stop) = (vendors.speech(), CancellationToken::new());
    let facts = speech.facts();
    assert!(facts.iter().all(|facts| matches!(facts.place, Place::Endpoint { loopback: true, .. })));
    let heard =
        speech.recognise(&permit(), sound(&[0.5; 16_000], Some("work/ear")), stop.clone()).await.unwrap();
    assert_eq!((heard.text.as_str(), heard.seconds, heard.segments.len()), ("The words.", 1.0, 1));
    let spoken = speech.speak(&permit(), say("Say this", Some("work/voice/onyx")), stop).await.unwrap();
    let samples = whole(spoken).await.unwrap();
    assert!(samples.len() == 2_400 && samples.iter().all(|sample| (sample - 0.25).abs() < 1e-6));

    let requests = double.requests();
    let (form, text) = (&requests[0], &requests[1]);
    assert_eq!(form.header("authorization").as_deref(), Some(&*format!("Bearer {KEY}")));
    for field in
        ["name=\"model\"\r\n\r\near\r\n", "name=\"language\"\r\n\r\nen\r\n", "filename=\"sound.wav\"", "RIFF"]
    {
        assert!(form.body.contains(field), "{field}");
    }
    let asked: serde_json::Value = serde_json::from_str(&text.body).unwrap();
    assert_eq!(asked["voice"], "onyx");
    assert_eq!((&asked["input"], &asked["response_format"]), (&"Say this".into(), &"pcm".into()));
}

#[tokio::test]
async fn an_endpoint_that_was_named_for_writing_alone_gets_no_sound() {
    let _proof = verifies!(SPE02);
    let mut writes = endpoint("http://127.0.0.1:9/v1");
    (writes.recognition_models, writes.speech_models) = (Vec::new(), Vec::new());
    let vendors = start(Config { endpoints: vec![writes], scripted: true, ..Config::default() });
    let speech = vendors.speech();
    assert!(speech.facts().iter().all(|facts| facts.place == Place::ThisMachine));
    assert!(speech.named(SpeechKind::Recognition, "work/ear").is_none());
    assert_eq!(speech.usual(SpeechKind::Recognition).unwrap().id, "scripted-ear");
}

#[tokio::test]
async fn trouble_at_an_endpoint_is_told_without_secrets_and_opens_the_circuit() {
    let _proof = verifies!(MOD02);
    let double = Double::scenes(vec![refusal(500, "")]).await;
    let mut config = endpoint(&double.url());
    config.limits = Limits { failures_to_open: 2, ..config.limits };
    let vendors = start(Config { endpoints: vec![config], ..Config::default() });
    let ask = || async {
        let (permit, stop) = (permit(), CancellationToken::new());
        vendors.speech().recognise(&permit, sound(&[0.5; 160], None), stop).await.err().unwrap()
    };
    for _ in 0..2 {
        let error = ask().await;
        assert_eq!(error, Error::Refused { endpoint: "work".to_owned(), status: 500 });
        assert!(!format!("{error} {error:?}").contains(KEY));
    }
    assert!(matches!(ask().await, Error::CircuitOpen { .. }));
    assert_eq!(double.requests().len(), 2, "nothing is asked twice, and nothing once the circuit is open");
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_never_ends_or_begins_is_cut() {
    let _proof = verifies!(MOD02);
    let long = Double::scenes(vec![answer("audio/pcm", &[0; 10_000])]).await;
    let mut config = endpoint(&long.url());
    config.limits = Limits { answer_bytes: 5_000, ..config.limits };
    let vendors = start(Config { endpoints: vec![config], ..Config::default() });
    let spoken = vendors.speech().speak(&permit(), say("a", None), CancellationToken::new()).await.unwrap();
    assert_eq!(whole(spoken).await.err(), Some(Error::TooLarge));

    let head = "HTTP/1.1 200 OK\r\nContent-Type: audio/pcm\r\nContent-Length: 10000\r\n\r\n";
    let stuck = Double::scenes(vec![vec![says(head), Step::AwaitHangup]]).await;
    let mut config = endpoint(&stuck.url());
    config.limits = Limits { idle_ms: 100, ..config.limits };
    let vendors = start(Config { endpoints: vec![config], ..Config::default() });
    let spoken = vendors.speech().speak(&permit(), say("a", None), CancellationToken::new()).await.unwrap();
    assert_eq!(whole(spoken).await.err(), Some(Error::TimedOut));

    let silent = Double::scenes(vec![vec![Step::AwaitHangup]]).await;
    let mut config = endpoint(&silent.url());
    config.limits = Limits { first_byte_ms: 100, ..config.limits };
    let vendors = start(Config { endpoints: vec![config], ..Config::default() });
    let permit = permit();
    let spoken = vendors.speech().speak(&permit, say("a", None), CancellationToken::new());
    let ended = tokio::time::timeout(Duration::from_secs(30), spoken).await.expect("it is given up");
    assert_eq!(ended.err(), Some(Error::TimedOut));
}

fn deepgram(address: std::net::SocketAddr) -> Config {
    let deepgram = DeepgramConfig {
        base_url: format!("http://{address}"),
        api_key: Some(Secret::new(KEY.to_owned())),
        allow_plain_http_loopback: true,
        ..DeepgramConfig::default()
    };
    Config {
        speech: SpeechConfig { deepgram: Some(deepgram), ..SpeechConfig::default() },
        ..Config::default()
    }
}

#[tokio::test]
async fn deepgram_hears_and_speaks_and_is_told_to_learn_nothing() {
    let _proof = verifies!(SPE01);
    let heard = br#"{"metadata":{"transaction_key":"deprecated","request_id":"r","sha256":"s","created":"c","duration":1.0,
        "channels":1,"models":["m"],"model_info":{"m":{"name":"general-nova-3","version":"v","arch":"nova-3"}}},
        "results":{"channels":[{"alternatives":[{"transcript":"The words.","confidence":0.98,"words":[
        {"word":"the","start":0.25,"end":0.5,"confidence":0.99,"punctuated_word":"The"},
        {"word":"words","start":0.5,"end":0.75,"confidence":0.97,"punctuated_word":"words."}]}]}]}}"#;
    let double = Double::play(move |_, request| match is_for(request, "/v1/listen?") {
        true => answer("application/json", heard),
        false => answer("audio/l16", &pcm()),
    })
    .await;
    let vendors = start(deepgram(double.address));
    let (speech, stop) = (vendors.speech(), CancellationToken::new());
    let heard =
        speech.recognise(&permit(), sound(&[0.5; 16_000], Some("deepgram/nova-3")), stop.clone()).await;
    let heard = heard.unwrap();
    assert_eq!(heard.text.as_str(), "The words.");
    assert_eq!(heard.segments[0].from, Duration::from_millis(250));
    assert_eq!(heard.segments[0].to, Duration::from_millis(750));
    // Longer than the service takes at once: it goes in two parts, one after the other.
    let text = format!("{}. {}.", "a".repeat(1_500), "b".repeat(1_500));
    let spoken = speech.speak(&permit(), say(&text, Some("deepgram/aura-2-thalia-en")), stop).await.unwrap();
    assert_eq!(whole(spoken).await.unwrap().len(), 4_800);

    let requests = double.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        let line = request.head.lines().next().unwrap();
        assert!(line.contains("?mip_opt_out=true&"), "{line}");
        assert!(!line.contains("mip_opt_out=false") && !line.contains(KEY), "{line}");
        assert_eq!(request.header("authorization").as_deref(), Some(&*format!("Token {KEY}")));
    }
    assert!(requests[0].head.contains("&encoding=linear16&sample_rate=16000&channels=1"));
    assert!(requests[1].head.contains("/v1/speak?") && requests[1].head.contains("&container=none"));
}

#[tokio::test]
async fn deepgram_without_a_key_is_a_mistake_of_the_configuration() {
    let mut config = deepgram("127.0.0.1:9".parse().unwrap());
    config.speech.deepgram.as_mut().unwrap().api_key = None;
    let local = LocalConfig { enabled: false, ..LocalConfig::default() };
    let config = Config { local, ..config };
    let refused = Providers::start(config, &TaskTracker::new(), Clock::new(|| Timestamp(0)));
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("TROTH_MODELS__SPEECH__DEEPGRAM__API_KEY"), "{refused}");
}

/// The models in the folder `TROTH_TEST_MODELS` (by default `target/models`).
async fn real() -> Providers {
    #[expect(clippy::disallowed_methods, reason = "tests may be told where the models are")]
    let folder = std::env::var("TROTH_TEST_MODELS").map_or_else(
        |_| {
            let here = std::env::current_exe().expect("a test runs from a file");
            here.ancestors().nth(3).expect("TARGET/debug/deps/NAME").join("models")
        },
        PathBuf::from,
    );
    let local = LocalConfig { enabled: false, fetch: false, ..LocalConfig::default() };
    let speech = SpeechConfig { enabled: Some(true), ..SpeechConfig::default() };
    let config = Config { models_folder: folder, local, speech, ..Config::default() };
    let vendors = Providers::start(config, &TaskTracker::new(), Clock::new(|| Timestamp(77))).unwrap();
    let ready = async {
        while vendors.speech().readiness() != Readiness::Ready {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, ready).await.expect("run `cargo xtask test --install` to fetch the models");
    vendors
}

#[tokio::test(flavor = "multi_thread")]
async fn the_models_of_this_machine_hear_what_they_say_and_no_word_in_noise_behind_it() {
    let vendors = real().await;
    let (speech, stop) = (vendors.speech(), CancellationToken::new());
    let text = "The appointment is on Tuesday at half past nine. Please bring your papers.";
    let spoken = speech.speak(&permit(), say(text, Some("heart")), stop.clone()).await.unwrap();
    let mut samples = at_16k(&whole(spoken).await.unwrap()).to_vec();
    let length = samples.len();
    // A second and a half of soft noise behind the last word.
    let mut state = 1_u32;
    samples.extend((0..24_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state) / f64::from(u32::MAX) - 0.5) as f32 * 0.01
    }));
    let heard = speech.recognise(&permit(), sound(&samples, None), stop.clone()).await.unwrap();
    let plain = |text: &str| -> Vec<String> {
        let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        text.split_whitespace().map(bare).collect()
    };
    let (said, got) = (plain(text), plain(&heard.text));
    let wrong = said.iter().filter(|word| !got.contains(word)).count();
    assert!(wrong <= 2 && got.len() <= said.len() + 1, "{}", heard.text.as_str());
    assert!(!heard.text.trim_end().ends_with("You"), "{}", heard.text.as_str());

    let mut hearing = speech.hearing(&permit()).await.unwrap();
    let judged = hearing.hear(&samples).unwrap();
    let speaking = judged.iter().take(length / FRAME_SAMPLES).filter(|likely| **likely > 0.5).count();
    assert!(speaking * 2 > length / FRAME_SAMPLES, "{speaking}");
    let whole_turn = Zeroizing::new(samples[..length + 3_200].to_vec());
    assert!(hearing.finished(whole_turn).await.unwrap() > 0.5);

    let silence = speech.recognise(&permit(), sound(&samples[length + 4_000..], None), stop.clone()).await;
    assert_eq!(silence.unwrap().text.as_str(), "", "noise holds no word");
    stop.cancel();
    let cancelled = speech.recognise(&permit(), sound(&samples, None), stop).await;
    assert_eq!(cancelled.err(), Some(Error::Cancelled));
}
