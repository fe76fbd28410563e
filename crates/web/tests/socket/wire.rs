//! The bare wire of a socket: frames as bytes, sound or not, and what comes back.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// A frame of a client (RFC 6455 §5.2), with the reserved bits and the opcode one likes.
pub(crate) fn frame(last: bool, reserved: u8, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![u8::from(last) << 7 | reserved << 4 | opcode];
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
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    frame(true, 0, 1, text.as_bytes())
}

/// A frame of the server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn of(opcode: u8, payload: &[u8]) -> Self {
        Self { opcode, payload: payload.to_vec() }
    }

    /// The code of a goodbye that has one.
    pub(crate) fn code(&self) -> Option<u16> {
        let code = self.payload.get(..2).filter(|_| self.opcode == 8)?;
        Some(u16::from_be_bytes(code.try_into().unwrap()))
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.payload[..self.payload.len().min(24)];
        write!(f, "{}: {} bytes {shown:02x?}", self.opcode, self.payload.len())
    }
}

/// One end of a socket.
pub(crate) struct Wire {
    reader: Reader,
    writer: WriteHalf<TlsStream<TcpStream>>,
}

/// What comes.
pub(crate) struct Reader {
    stream: ReadHalf<TlsStream<TcpStream>>,
    held: Vec<u8>,
}

impl Wire {
    pub(crate) fn new(stream: TlsStream<TcpStream>) -> Self {
        let (reader, writer) = split(stream);
        Self { reader: Reader { stream: reader, held: Vec::new() }, writer }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes).await?;
        self.writer.flush().await
    }

    /// The head of the answer to the handshake.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.reader.held.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.reader.held.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.reader.more().await.unwrap() > 0, "no answer");
        }
    }

    /// The next frame; `None` at a clean end.
    pub(crate) async fn frame(&mut self) -> io::Result<Option<Frame>> {
        self.reader.frame().await
    }

    /// All frames up to a clean end.
    pub(crate) async fn rest(&mut self) -> io::Result<Vec<Frame>> {
        self.reader.rest().await
    }

    /// Sends these pieces one after the other, as far as there is somebody to take them, and gives everything
    /// that comes back meanwhile and afterwards.
    pub(crate) async fn exchange(self, pieces: &[Vec<u8>]) -> io::Result<Vec<Frame>> {
        let Self { mut reader, mut writer } = self;
        let sending = async {
            for piece in pieces {
                // Who broke the protocol may find nobody there any more.
                if writer.write_all(piece).await.is_err() || writer.flush().await.is_err() {
                    return;
                }
            }
        };
        tokio::join!(reader.rest(), sending).0
    }
}

impl Reader {
    async fn more(&mut self) -> io::Result<usize> {
        self.held.reserve(64 << 10);
        self.stream.read_buf(&mut self.held).await
    }

    async fn frame(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some((frame, length)) = parsed(&self.held) {
                self.held.drain(..length);
                return Ok(Some(frame));
            }
            if self.more().await? == 0 {
                assert!(self.held.is_empty(), "an end in the middle of a frame");
                return Ok(None);
            }
        }
    }

    async fn rest(&mut self) -> io::Result<Vec<Frame>> {
        let mut frames = Vec::new();
        while let Some(frame) = self.frame().await? {
            frames.push(frame);
        }
        Ok(frames)
    }
}

/// The first frame of these bytes, if it is whole, and how long it is.
fn parsed(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    assert_eq!(first & 0xf0, 0x80, "what we send is whole and has no reserved bits");
    let (length, head) = match second {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap())), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()), 10),
        length => (u64::from(length), 2),
    };
    assert!(second & 0x80 == 0, "servers do not mask");
    let end = head + usize::try_from(length).unwrap();
    let payload = bytes.get(head..end)?.to_vec();
    Some((Frame { opcode: first & 0x0f, payload }, end))
}
