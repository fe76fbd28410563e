//! How many frames come. tungstenite gives whole messages; this counts what they are made of, so that a
//! message in a million pieces, or none that ever ends, is seen as well.

use std::{
    io,
    num::NonZeroU32,
    pin::Pin,
    task::{Context, Poll},
};

use domain::enforced;
use governor::{
    Quota, RateLimiter,
    clock::MonotonicClock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// Longest header of a frame: two bytes, eight of a length, four of a mask.
const LONGEST_HEADER: usize = 14;

type Limiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<std::time::Instant>>;

/// A stream of frames that come from a client.
pub(super) struct Metered<S> {
    stream: S,
    limiter: Limiter,
    frames: Frames,
    is_over: bool,
    heard: Instant,
}

impl<S> Metered<S> {
    /// `frames` in a minute may be read from `stream`.
    pub(super) fn new(stream: S, frames: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(frames).unwrap_or(NonZeroU32::MIN));
        Self {
            stream,
            limiter: Limiter::direct_with_clock(quota, MonotonicClock),
            frames: Frames::default(),
            is_over: false,
            heard: Instant::now(),
        }
    }

    /// Whether more came than may.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// When the last byte came.
    pub(super) const fn heard(&self) -> Instant {
        self.heard
    }

    /// The stream, for whoever reads no frames any more.
    pub(super) const fn stream(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let came = &buf.filled()[before..];
        if came.is_empty() {
            return read;
        }
        self.heard = Instant::now();
        let begun = self.frames.begun_in(came);
        let admitted =
            NonZeroU32::new(begun).is_none_or(|begun| matches!(self.limiter.check_n(begun), Ok(Ok(()))));
        if admitted {
            return read;
        }
        enforced!(WEB15);
        self.is_over = true;
        Poll::Ready(Err(io::Error::other("too many frames")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where in a frame the stream is (RFC 6455 §5.2). It is no judge: what is no frame, tungstenite refuses.
#[derive(Default)]
struct Frames {
    header: [u8; LONGEST_HEADER],
    /// Bytes of the header that came.
    have: usize,
    /// Bytes of the payload that are to come.
    payload: u64,
}

impl Frames {
    /// How many frames' headers end in these bytes.
    fn begun_in(&mut self, mut bytes: &[u8]) -> u32 {
        let mut begun = 0;
        while let Some((first, rest)) = bytes.split_first() {
            if self.payload > 0 {
                let most = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
                self.payload -= most as u64;
                bytes = &bytes[most..];
                continue;
            }
            self.header[self.have] = *first;
            self.have += 1;
            bytes = rest;
            if let Some(length) = self.whole() {
                (self.have, self.payload) = (0, length);
                begun += 1;
            }
        }
        begun
    }

    /// The length of the payload, when the header is whole.
    fn whole(&self) -> Option<u64> {
        let second = *self.header[..self.have].get(1)?;
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let number = self.header[..self.have].get(2..2 + extended)?;
        let length = number.iter().fold(0, |length: u64, byte| (length << 8) | u64::from(*byte));
        let length = if extended == 0 { u64::from(second & 0x7f) } else { length };
        (self.have == 2 + extended + mask).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of a masked frame with `length` bytes, and as many.
    fn frame(length: usize) -> Vec<u8> {
        let mut frame = vec![0x82];
        match length {
            0..=125 => frame.push(0x80 | u8::try_from(length).unwrap()),
            126..=65_535 => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend([0x82; 4]);
        frame.extend(vec![0x82; length]);
        frame
    }

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let lengths = [0, 1, 125, 126, 1_000, 65_535, 65_536, 0, 0];
        let bytes: Vec<u8> = lengths.iter().flat_map(|length| frame(*length)).collect();
        for cut in [1, 2, 3, 7, 1_000, bytes.len()] {
            let mut frames = Frames::default();
            let begun: u32 = bytes.chunks(cut).map(|piece| frames.begun_in(piece)).sum();
            assert_eq!(begun, 9, "in pieces of {cut}");
            assert_eq!((frames.have, frames.payload), (0, 0));
        }
    }
}
