//! Calls over real sockets that go wrong, and what is left behind: nothing. Also how they end with the key that
//! opened them, with the server, and what a ticket that found no room is still good for.

use std::{
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::verifies;
use futures::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};
use server::Instance;
use testkit::Client;
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

use crate::house::{Place, Stranger};

const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const REALTIME: &str = "/v1/realtime";
const AGENT: &str = "/v1/agent/converse";

/// Somebody with a key, and what connects to their instance.
pub(crate) struct Program {
    owner: Client,
    key: String,
    connector: Connector,
    address: SocketAddr,
}

impl Program {
    async fn at(instance: &Instance) -> Self {
        let code = instance.setup_code().unwrap().expose();
        Self::of(instance.addresses()[0], &instance.authority().unwrap(), code).await
    }

    /// The same for an instance in another process.
    pub(crate) async fn of(address: SocketAddr, authority: &Path, code: &str) -> Self {
        let mut owner = Client::new(&format!("https://localhost:{}", address.port()), authority);
        owner.set_up(code, "Asha", "Quiet-Harbour-47").await;
        let key = owner.make_key("a program").await;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let connector = Connector::Rustls(Arc::new(config));
        Self { owner, key, connector, address }
    }

    /// Opens a call with this secret, or says how it was refused.
    async fn open_as(&self, path: &str, secret: &str, origin: Option<&str>) -> Result<Talk, StatusCode> {
        let url = format!("wss://localhost:{}{path}", self.address.port());
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer {secret}").parse().unwrap());
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().unwrap());
        }
        let tcp = TcpSocket::new_v4().unwrap();
        // A client that does not read has soon as much as it may.
        tcp.set_recv_buffer_size(64 << 10).unwrap();
        let tcp = tcp.connect(self.address).await.unwrap();
        match client_async_tls_with_config(request, tcp, None, Some(self.connector.clone())).await {
            Ok((socket, _)) => Ok(Talk { socket }),
            Err(Error::Http(refused)) => Err(refused.status()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Opens a call; the place of one that has just ended may come back a moment later.
    pub(crate) async fn open(&self, path: &str) -> Talk {
        let opened = async {
            loop {
                match self.open_as(path, &self.key, None).await {
                    Ok(talk) => return talk,
                    Err(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        };
        timeout(PATIENCE, opened).await.unwrap()
    }

    /// An Agent call whose settings hold.
    async fn agent(&self, settings: Value) -> Talk {
        let mut talk = self.open(AGENT).await;
        talk.says(&settings).await;
        talk.until("SettingsApplied").await;
        talk
    }

    async fn ticket(&self, stranger: &Stranger, call: Value) -> String {
        let asked = stranger.ask(Method::POST, "/v1/realtime/client_secrets").bearer_auth(&self.key);
        let told: Value = asked.json(&json!({ "call": call })).send().await.unwrap().json().await.unwrap();
        told["value"].as_str().unwrap().to_owned()
    }
}

/// One connection.
pub(crate) struct Talk {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Talk {
    pub(crate) async fn says(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// Sends this; a connection that has ended takes nothing more, and says so when it is read.
    pub(crate) async fn sends(&mut self, message: Message) {
        drop(self.socket.send(message).await);
    }

    /// What comes next: a message of JSON, sound, or the code of the goodbye.
    async fn next(&mut self) -> Result<Value, Option<CloseCode>> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("something comes in time") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Binary(_))) => return Ok(json!({ "type": "sound" })),
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code)),
                Some(Ok(_)) => (),
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        loop {
            let told = self.next().await;
            let told = told.unwrap_or_else(|code| panic!("it ended by {code:?} before {kind}"));
            if told["type"] == kind {
                return told;
            }
        }
    }

    /// Everything that is told until the goodbye, and its code.
    pub(crate) async fn end(&mut self) -> (Vec<Value>, Option<CloseCode>) {
        let mut all = Vec::new();
        loop {
            match self.next().await {
                Ok(told) => all.push(told),
                Err(code) => return (all, code),
            }
        }
    }

    /// Whether it is still held.
    async fn lives(&mut self) {
        self.says(&json!({ "type": "session.update", "session": { "instructions": "Still here." } })).await;
        let updated = self.until("session.updated").await;
        assert_eq!(updated["session"]["instructions"], "Still here.");
    }
}

fn settings() -> Value {
    let sound = json!({ "encoding": "linear16", "sample_rate": 16_000 });
    json!({ "type": "Settings", "audio": { "input": sound }, "agent": {} })
}

/// Waits until no call is held.
async fn empties(instance: &Instance, left: usize) {
    let empty = async {
        while instance.assistant().calls() > left {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, empty).await.expect("the places come back");
}

/// Sound that means nothing: white noise, then a chord with a beat, two seconds each at 16 kHz.
fn noise_and_music() -> Vec<u8> {
    let mut seed = 7_u32;
    let noise = (0..32_000).map(move |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 18) as i16 - 8_192
    });
    let chord = (0..32_000).map(|at: u32| {
        let time = f64::from(at) / 16_000.0;
        let tone = |hertz: f64| (std::f64::consts::TAU * hertz * time).sin();
        let beat = if time.fract() < 0.5 { 1.0 } else { 0.2 };
        (beat * 4_000.0 * (tone(261.6) + tone(329.6) + tone(392.0))) as i16
    });
    noise.chain(chord).flat_map(i16::to_le_bytes).collect()
}

#[test]
fn a_call_ends_at_once_with_the_key_it_was_opened_with() {
    let _proof = verifies!(VOI02);
    testkit::run(async {
        let place = Place::new();
        // Far longer than the test waits: whoever ends a key here does not wait for the next look.
        let instance = place.start("[policy]\nstream_recheck_seconds = 600").await.unwrap();
        let mut program = Program::at(&instance).await;
        let (mut realtime, mut agent) = (program.open(REALTIME).await, program.agent(settings()).await);
        realtime.until("session.created").await;
        let page = program.owner.open("/account").await;
        let id = page.between("action=\"/account/keys/", "/");
        let since = Instant::now();
        let revoked = program.owner.submit::<&str, &str>(&format!("/account/keys/{id}/revoke"), &[]).await;
        revoked.expect_status(StatusCode::SEE_OTHER);
        assert_eq!(realtime.end().await.1, Some(CloseCode::Policy));
        assert_eq!(agent.end().await.1, Some(CloseCode::Policy));
        assert!(since.elapsed() < Duration::from_secs(30));
        empties(&instance, 0).await;
        instance.stop().await;
    });
}

#[test]
fn a_server_that_ends_says_goodbye_to_its_calls_and_leaves_none() {
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let program = Program::at(&instance).await;
        let (mut realtime, mut agent) = (program.open(REALTIME).await, program.agent(settings()).await);
        realtime.until("session.created").await;
        let assistant = instance.assistant().clone();
        // Ends only when every task has.
        let (_, realtime, agent) = tokio::join!(instance.stop(), realtime.end(), agent.end());
        assert_eq!((realtime.1, agent.1), (Some(CloseCode::Away), Some(CloseCode::Away)));
        assert_eq!(assistant.calls(), 0);
    });
}

#[test]
fn a_ticket_that_found_no_room_is_still_good_and_opens_one_call() {
    let _proof = verifies!(VOI10);
    testkit::run(async {
        let place = Place::new();
        let own = "https://app.example";
        let more = format!("[policy]\ncalls = 1\n[web]\ncors_origins = [\"{own}\"]");
        let instance = place.start(&more).await.unwrap();
        let program = Program::at(&instance).await;
        let stranger = Stranger::at(&instance);
        let ticket = program.ticket(&stranger, json!({})).await;
        let mut first = program.open(REALTIME).await;
        first.until("session.created").await;
        for _ in 0..2 {
            let refused = program.open_as(AGENT, &ticket, None).await.err();
            assert_eq!(refused, Some(StatusCode::TOO_MANY_REQUESTS), "there is no room");
        }
        first.sends(Message::Close(None)).await;
        first.end().await;
        empties(&instance, 0).await;
        // What is no upgrade uses nothing up either.
        let plain = stranger.get(AGENT).bearer_auth(&ticket).send().await.unwrap();
        assert_eq!(plain.status(), StatusCode::UPGRADE_REQUIRED);
        let mut second = program.open_as(AGENT, &ticket, None).await.unwrap();
        second.until("Welcome").await;
        second.sends(Message::Close(None)).await;
        second.end().await;
        empties(&instance, 0).await;
        assert_eq!(program.open_as(AGENT, &ticket, None).await.err(), Some(StatusCode::UNAUTHORIZED));

        let bound = program.ticket(&stranger, json!({ "origin": own })).await;
        let evil = program.open_as(REALTIME, &bound, Some("https://evil.example")).await.err();
        assert_eq!(evil, Some(StatusCode::UNAUTHORIZED));
        let leaked = program.open_as(REALTIME, &bound, Some(own)).await.err();
        assert_eq!(leaked, Some(StatusCode::UNAUTHORIZED), "it was shown elsewhere and is over");
        instance.stop().await;
    });
}

#[test]
fn whatever_comes_as_sound_nobody_elses_call_notices() {
    let _proof = verifies!(VOI01);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("[policy]\ncalls_per_person = 16").await.unwrap();
        let program = Program::at(&instance).await;
        let mut beside = program.open(REALTIME).await;
        beside.until("conversation.created").await;
        beside.lives().await;

        // Noise and music are sound like any other; the call goes on.
        let mut agent = program.agent(settings()).await;
        for piece in noise_and_music().chunks(3_001) {
            agent.sends(Message::binary(piece.to_vec())).await;
        }
        agent.says(&json!({ "type": "UpdatePrompt", "prompt": "Be kind." })).await;
        agent.until("PromptUpdated").await;
        beside.lives().await;

        // A hundred times as fast as anybody speaks, in odd pieces.
        for _ in 0..100 {
            agent.sends(Message::binary(vec![0; 32_001])).await;
        }
        let (said, code) = agent.end().await;
        assert_eq!(code, Some(CloseCode::Policy));
        assert_eq!(said.last().map(|last| last["type"].clone()), Some(json!("Error")), "{said:?}");
        beside.lives().await;

        // The same on the other wire.
        let mut realtime = program.open(REALTIME).await;
        let second = STANDARD.encode(vec![0; 48_000]);
        for _ in 0..100 {
            let append = json!({ "type": "input_audio_buffer.append", "audio": second });
            realtime.sends(Message::text(append.to_string())).await;
        }
        let (said, code) = realtime.end().await;
        assert_eq!(code, Some(CloseCode::Policy));
        let error = said.iter().rfind(|told| told["type"] == "error").unwrap();
        assert_eq!(error["error"]["code"], "rate_limit_exceeded");
        beside.lives().await;

        // A message of 10 MB, on both.
        for path in [REALTIME, AGENT] {
            let mut large = program.open(path).await;
            large.sends(Message::binary(vec![0; 10 << 20])).await;
            assert!(matches!(large.end().await.1, Some(CloseCode::Size) | None), "{path}");
        }
        // One that dies in the middle of a word.
        let mut dying = program.agent(settings()).await;
        dying.sends(Message::binary(noise_and_music()[..32_001].to_vec())).await;
        drop(dying);
        empties(&instance, 1).await;
        beside.lives().await;
        instance.stop().await;
    });
}

#[test]
fn who_asks_for_an_answer_before_anything_was_said_gets_one() {
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let program = Program::at(&instance).await;
        let mut talk = program.open(REALTIME).await;
        let session = json!({ "output_modalities": ["text"], "instructions": "Greet the caller." });
        talk.says(&json!({ "type": "session.update", "session": session })).await;
        talk.until("session.updated").await;
        // That an AI answers is told first.
        talk.until("response.done").await;
        talk.says(&json!({ "type": "response.create", "response": { "metadata": { "mine": "1" } } })).await;
        let done = talk.until("response.done").await;
        assert_eq!(done["response"]["metadata"]["mine"], "1");
        assert_eq!(done["response"]["status"], "completed", "{done}");
        instance.stop().await;
    });
}

#[test]
fn a_client_that_never_reads_loses_its_call_and_nobody_elses() {
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let program = Program::at(&instance).await;
        let mut beside = program.open(REALTIME).await;
        beside.until("conversation.created").await;
        let mut deaf = program.open(REALTIME).await;
        let session = json!({ "instructions": "x".repeat(60 << 10) });
        let update = json!({ "type": "session.update", "session": session }).to_string();
        // Each is told back, until no more fits between us.
        let floods = async { while deaf.socket.send(Message::text(update.clone())).await.is_ok() {} };
        let alone = async {
            empties(&instance, 1).await;
            beside.lives().await;
        };
        tokio::select! {
            () = async { floods.await; std::future::pending().await } => (),
            () = alone => (),
        }
        instance.stop().await;
    });
}

/// What this process holds of the machine's memory, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn fifty_calls_leave_no_task_no_place_and_no_memory_behind() {
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let program = Program::at(&instance).await;
        let sound = noise_and_music();
        let mut before = 0;
        for number in 0..60 {
            let mut talk = program.agent(settings()).await;
            for piece in sound.chunks(6_400) {
                talk.sends(Message::binary(piece.to_vec())).await;
            }
            talk.until("sound").await;
            if number % 2 == 0 {
                talk.sends(Message::Close(None)).await;
                talk.end().await;
            }
            drop(talk);
            empties(&instance, 0).await;
            if number == 9 {
                before = resident_kib();
            }
        }
        let grown = resident_kib().saturating_sub(before);
        assert!(grown < 32 << 10, "{grown} KiB more than after the first ten calls");
        instance.stop().await;
    });
}
