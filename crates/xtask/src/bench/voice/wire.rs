//! One socket of the Agent wire as a client has it, in the least code that does: what makes the load shares the
//! machine with what is measured.
//!
//! [`super::call`] holds one for each call. Frames to be sent are made once, masked with a fixed mask.

use anyhow::{Context, bail};
use reqwest::{StatusCode, Upgraded, header};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};

use crate::{instance::Instance, routes};

/// Kinds of frames (RFC 6455, section 5.2).
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// What every frame is masked with. It hides nothing; a server only looks whether there is one.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// What is read at once.
const READ: usize = 16 << 10;

/// A frame as it stands on the wire.
pub(super) struct Frame(Vec<u8>);

impl Frame {
    /// Sound.
    pub(super) fn sound(bytes: &[u8]) -> Self {
        Self::of(BINARY, bytes)
    }

    fn of(kind: u8, payload: &[u8]) -> Self {
        let mut frame = vec![0x80 | kind];
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(length @ 0..=125), _) => frame.push(0x80 | length),
            (_, Ok(length)) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend((payload.len() as u64).to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        Self(frame)
    }
}

/// What the server said.
pub(super) enum Heard {
    /// A message.
    Message(Value),
    /// Sound.
    Sound,
    /// It wants to know whether we are there; this says so.
    Asked(Frame),
}

/// What is sent.
pub(super) struct Writer(WriteHalf<Upgraded>);

/// What comes.
pub(super) struct Reader {
    stream: ReadHalf<Upgraded>,
    held: Vec<u8>,
}

/// Opens a socket. `None` while the server takes no calls.
pub(super) async fn open(instance: &Instance) -> anyhow::Result<Option<(Reader, Writer)>> {
    let client = routes::http1(&instance.authority)?;
    let asked = client.get(format!("{}/v1/agent/converse", instance.base)).bearer_auth(&instance.key);
    let asked = asked
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
    let answer = asked.send().await?;
    match answer.status() {
        StatusCode::SWITCHING_PROTOCOLS => (),
        StatusCode::SERVICE_UNAVAILABLE => return Ok(None),
        status => bail!("the server opens no call: {status}"),
    }
    let (reader, writer) = split(answer.upgrade().await?);
    Ok(Some((Reader { stream: reader, held: Vec::new() }, Writer(writer))))
}

impl Writer {
    pub(super) async fn send(&mut self, frame: &Frame) -> anyhow::Result<()> {
        self.0.write_all(&frame.0).await?;
        Ok(self.0.flush().await?)
    }

    pub(super) async fn say(&mut self, message: &Value) -> anyhow::Result<()> {
        self.send(&Frame::of(TEXT, message.to_string().as_bytes())).await
    }

    /// Hangs up.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        self.send(&Frame::of(CLOSE, &1_000_u16.to_be_bytes())).await
    }
}

impl Reader {
    /// What comes next. Can be dropped and asked again without loss.
    pub(super) async fn next(&mut self) -> anyhow::Result<Heard> {
        loop {
            if let Some((kind, from, to)) = whole(&self.held) {
                let payload = self.held.get(from..to).unwrap_or_default();
                let heard = match kind {
                    TEXT => Heard::Message(serde_json::from_slice(payload)?),
                    BINARY => Heard::Sound,
                    PING => Heard::Asked(Frame::of(PONG, payload)),
                    CLOSE => bail!("the server hung up: {}", String::from_utf8_lossy(payload)),
                    other => bail!("a frame of kind {other}, which nobody asked for"),
                };
                self.held.drain(..to);
                return Ok(heard);
            }
            self.held.reserve(READ);
            if self.stream.read_buf(&mut self.held).await.context("the socket broke")? == 0 {
                bail!("the server hung up without a word");
            }
        }
    }
}

/// The first frame of these bytes, when it is whole: its kind, where what it carries begins, and where it ends.
fn whole(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (length, from) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        length => (u64::from(length), 2),
    };
    let to = from + usize::try_from(length).ok()?;
    (bytes.len() >= to).then_some((first & 0x0f, from, to))
}
