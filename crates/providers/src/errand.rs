//! A bounded client for what other rooms must ask outside: the sign-in services of an organisation.
//!
//! `server` makes one for each connection and hands it to `identity` as a closure. Invariants: TLS is
//! verified, no redirect is followed, answers end at a size and a time, and plain HTTP goes to this
//! machine alone, when the configuration allows even that.

use std::{path::Path, time::Duration};

use futures::StreamExt;
use reqwest::{Client, Request, Url};

use crate::{Error, http};

const CONNECT: Duration = Duration::from_secs(5);
/// Longest a whole answer may take.
const WHOLE: Duration = Duration::from_secs(10);
/// Largest answer: documents and key sets are a few kilobytes.
const MOST_BYTES: usize = 256 * 1024;

/// The client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Errand {
    client: Client,
    allow_plain: bool,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The address may not be gone to.
    #[error("it named an address without TLS, or none at all")]
    Address,
    /// Nobody is there, or its certificate is not trusted.
    #[error("it cannot be reached over a connection that can be trusted")]
    Unreachable,
    /// It took too long.
    #[error("it took too long to answer")]
    TimedOut,
    /// It sent more than it may.
    #[error("its answer is too large")]
    TooLarge,
    /// The answer ended early.
    #[error("its answer broke off")]
    Broke,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The value of `Content-Type`, if there was one.
    pub content_type: Option<String>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// What is to be sent.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The whole address.
    pub url: &'a str,
    /// Headers, in order.
    pub headers: Vec<(&'a str, &'a [u8])>,
    /// The body.
    pub body: Vec<u8>,
}

impl Errand {
    /// A client that trusts the public authorities, or the one in `ca_file` alone.
    ///
    /// # Errors
    /// [`Error::Config`] when the file cannot be used.
    pub fn new(ca_file: Option<&Path>, allow_plain_http_loopback: bool) -> Result<Self, Error> {
        Ok(Self { client: http::client(CONNECT, ca_file)?, allow_plain: allow_plain_http_loopback })
    }

    /// Checks an address such a client may be configured with.
    ///
    /// # Errors
    /// [`Error::Config`] naming `name`.
    pub fn check_url(name: &str, url: &str, allow_plain_http_loopback: bool) -> Result<(), Error> {
        http::checked_url(name, url, allow_plain_http_loopback).map(drop)
    }

    /// Asks, and reads the answer to its end within the limits.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn run(&self, question: Question<'_>) -> Result<Answer, Failed> {
        match tokio::time::timeout(WHOLE, self.ask(question)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failed::TimedOut),
        }
    }

    async fn ask(&self, question: Question<'_>) -> Result<Answer, Failed> {
        let request = self.request(question)?;
        let response = self.client.execute(request).await.map_err(|_| Failed::Unreachable)?;
        let status = response.status().as_u16();
        let content_type = response.headers().get(reqwest::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece.map_err(|_| Failed::Broke)?);
            if body.len() > MOST_BYTES {
                return Err(Failed::TooLarge);
            }
        }
        Ok(Answer { status, content_type, body })
    }

    fn request(&self, question: Question<'_>) -> Result<Request, Failed> {
        let url = Url::parse(question.url).map_err(|_| Failed::Address)?;
        let plain = url.scheme() == "http" && self.allow_plain && http::is_loopback(&url);
        if url.scheme() != "https" && !plain {
            return Err(Failed::Address);
        }
        let method = question.method.parse().map_err(|_| Failed::Address)?;
        let mut request = self.client.request(method, url).body(question.body);
        for (name, value) in question.headers {
            request = request.header(name, value);
        }
        request.build().map_err(|_| Failed::Address)
    }
}
