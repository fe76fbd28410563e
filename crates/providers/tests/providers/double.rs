//! A small HTTP server on loopback that says exactly the bytes a test wants, when it wants.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    task::JoinSet,
};

/// What is done after a request was read.
#[derive(Clone)]
pub(crate) enum Step {
    /// These bytes are sent.
    Say(Vec<u8>),
    /// Nothing happens for so long.
    Pause(Duration),
    /// The connection stays open for the next request.
    Keep,
    /// Nothing more is said until the other side hangs up, which is reported.
    AwaitHangup,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    /// The value of a header, by its lowercase name.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }
}

/// A server that answers the n-th request (from 0) with what the test's function gives.
pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    hangups: mpsc::UnboundedReceiver<()>,
    connections: Arc<Mutex<usize>>,
    _tasks: JoinSet<()>,
}

type Play = dyn Fn(usize, &Request) -> Vec<Step> + Send + Sync;

impl Double {
    /// A server that plays `play`.
    pub(crate) async fn play(play: impl Fn(usize, &Request) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start(Arc::new(play), None).await
    }

    /// A server that plays one list of steps after another; the last is repeated.
    pub(crate) async fn scenes(scenes: Vec<Vec<Step>>) -> Self {
        Self::play(move |n, _| scenes[n.min(scenes.len() - 1)].clone()).await
    }

    /// The same behind TLS.
    pub(crate) async fn tls(scenes: Vec<Vec<Step>>, tls: Arc<rustls::ServerConfig>) -> Self {
        let play = move |n: usize, _: &Request| scenes[n.min(scenes.len() - 1)].clone();
        Self::start(Arc::new(play), Some(tls.into())).await
    }

    async fn start(play: Arc<Play>, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (requests, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (hung_up, hangups) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let (seen, counted) = (Arc::clone(&requests), Arc::clone(&connections));
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                *counted.lock().unwrap() += 1;
                let (play, seen, hung_up, tls) =
                    (Arc::clone(&play), Arc::clone(&seen), hung_up.clone(), tls.clone());
                open.spawn(async move {
                    match tls {
                        None => serve(stream, &*play, &seen, &hung_up).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            serve(stream, &*play, &seen, &hung_up).await;
                        }
                    }
                });
            }
        });
        Self { address, requests, hangups, connections, _tasks: tasks }
    }

    /// Its address as a base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    /// Waits until a client hung up during [`Step::AwaitHangup`].
    pub(crate) async fn hangup(&mut self) {
        let waited = tokio::time::timeout(Duration::from_secs(10), self.hangups.recv()).await;
        assert!(matches!(waited, Ok(Some(()))), "the client did not hang up");
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    play: &Play,
    seen: &Mutex<Vec<Request>>,
    hung_up: &mpsc::UnboundedSender<()>,
) {
    while let Some(request) = read(&mut stream).await {
        let n = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let mut keep = false;
        for step in play(n, &request) {
            match step {
                Step::Say(bytes) => {
                    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                        return;
                    }
                }
                Step::Pause(pause) => tokio::time::sleep(pause).await,
                Step::Keep => keep = true,
                Step::AwaitHangup => {
                    let mut rest = [0; 64];
                    while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
                    let _ = hung_up.send(());
                }
            }
        }
        if !keep {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let mut request = Request { head, body: String::new() };
            let length = request.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
            while bytes.len() < end + 4 + length {
                let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
                bytes.extend_from_slice(&buffer[..read]);
            }
            request.body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
            return Some(request);
        }
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
}

/// The head of an event stream, after which the connection's end is the body's end.
pub(crate) fn stream_head() -> Step {
    say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
}

/// An event with a piece of text.
pub(crate) fn text(text: &str) -> Step {
    let chunk = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    say(&format!("data: {chunk}\n\n"))
}

/// The events that end an answer.
pub(crate) fn end() -> Step {
    let finish = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":2}}"#;
    say(&format!("data: {finish}\n\ndata: {usage}\n\ndata: [DONE]\n\n"))
}

/// A whole answer of two words.
pub(crate) fn good() -> Vec<Step> {
    vec![stream_head(), text("Hello "), text("there"), end()]
}

/// A refusal with more headers.
pub(crate) fn refusal(status: u16, headers: &str) -> Vec<Step> {
    let secret = "the body of a refusal, which nobody repeats";
    vec![say(&format!(
        "HTTP/1.1 {status} No\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{secret}",
        secret.len()
    ))]
}

/// Text as a step.
pub(crate) fn say(text: &str) -> Step {
    Step::Say(text.as_bytes().to_vec())
}
