//! The scripted upstream: an OpenAI-compatible streaming endpoint on loopback that costs next to nothing.
//!
//! The model's name says what to do: `words-64` streams 64 words at once, `hold` streams one word and
//! then one each second until the reader leaves. The first word of every answer is [`FIRST`].

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// The first word of every answer, which occurs nowhere else.
pub(crate) const FIRST: &str = "w0rd-the-f1rst";
/// The models it offers.
pub(crate) const MODELS: [&str; 3] = ["words-32", "words-256", "hold"];
/// Largest request it reads.
const MAX_REQUEST: usize = 1 << 20;

/// The running upstream. Ends when dropped.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Upstream {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("a free port")?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(async move {
                    // A reader that left is no news.
                    let _ = serve(stream).await;
                });
                while open.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, _tasks: tasks })
    }
}

/// Answers request after request on one connection.
async fn serve(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    loop {
        let Some(body) = read(&mut stream, &mut buffer).await? else { return Ok(()) };
        let model =
            body.split("\"model\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&word(FIRST)).await?;
        if model == "hold" {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                stream.write_all(&word("still")).await?;
            }
        }
        let words: usize = model.strip_prefix("words-").and_then(|n| n.parse().ok()).unwrap_or(1);
        for _ in 1..words {
            stream.write_all(&word("word")).await?;
        }
        let finish = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
        let usage = format!(r#"{{"choices":[],"usage":{{"prompt_tokens":9,"completion_tokens":{words}}}}}"#);
        let end = format!("data: {finish}\n\ndata: {usage}\n\ndata: [DONE]\n\n");
        stream.write_all(&chunk(&end)).await?;
        stream.write_all(b"0\r\n\r\n").await?;
    }
}

/// Reads one request and gives its body; `None` when the other side hung up.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<Option<String>> {
    let mut piece = [0; 8192];
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(Ok(0), |length| length.trim().parse())?;
            let whole = end + 4 + length;
            anyhow::ensure!(whole <= MAX_REQUEST, "a request too large to be ours");
            if buffer.len() >= whole {
                let rest = buffer.split_off(whole);
                let body = String::from_utf8_lossy(&buffer[end + 4..]).into_owned();
                *buffer = rest;
                return Ok(Some(body));
            }
        }
        match stream.read(&mut piece).await? {
            0 => return Ok(None),
            read => buffer.extend_from_slice(&piece[..read]),
        }
    }
}

fn word(word: &str) -> Vec<u8> {
    chunk(&format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word} \"}}}}]}}\n\n"))
}

/// A piece of a chunked body.
fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}
