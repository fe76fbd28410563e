//! The line to a vendor of speech elsewhere: one request, timed and bounded, behind a circuit breaker.
//!
//! Nothing is asked twice: speech that comes late is of no use. TLS is verified, no redirect followed, and
//! no error carries a key, an address or anything that was said.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use domain::{Clock, Secret, enforced};
use reqwest::{
    Client, Response, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde::Serialize;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::{
    Error, Limits,
    endpoint::breaker::{Breaker, Try},
    http,
};

/// A line.
pub(super) struct Line {
    name: String,
    base: Url,
    authorization: Option<HeaderValue>,
    limits: Limits,
    client: Client,
    breaker: Arc<Breaker>,
}

/// Where a line leads.
pub(super) struct Where<'a> {
    /// The configured name.
    pub(super) name: &'a str,
    /// The address its paths are added to.
    pub(super) base_url: &'a str,
    /// How the key is introduced, and the key.
    pub(super) key: Option<(&'a str, &'a Secret<String>)>,
    pub(super) ca_file: Option<&'a Path>,
    pub(super) allow_plain: bool,
}

/// A request that was taken, and the body of its answer, which is still to be read.
pub(super) struct Taken {
    response: Response,
    verdict: Option<Try>,
    limits: Limits,
    bytes: usize,
    until: Instant,
}

impl Line {
    pub(super) fn new(leads: &Where<'_>, limits: Limits, clock: &Clock) -> Result<Self, Error> {
        let name = leads.name;
        let authorization = leads.key.map(|(scheme, key)| {
            let mut value =
                HeaderValue::from_str(&format!("{scheme} {}", key.expose().trim())).map_err(|_| {
                    Error::Config { why: format!("the API key of `{name}` has characters no key has") }
                })?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        });
        Ok(Self {
            name: name.to_owned(),
            base: http::checked_url(name, leads.base_url, leads.allow_plain)?,
            authorization: authorization.transpose()?,
            limits,
            client: http::client(limits.connect(), leads.ca_file)?,
            breaker: Arc::new(Breaker::new(&limits, clock.clone())),
        })
    }

    /// The host it leads to, and whether that is this machine.
    pub(super) fn place(&self) -> domain::model::Place {
        let host = self.base.host_str().unwrap_or_default().to_owned();
        domain::model::Place::Endpoint { host, loopback: http::is_loopback(&self.base) }
    }

    /// Posts `body` to `path`, which may hold a query, and waits for the head of the answer.
    pub(super) async fn post(&self, path: &str, kind: &str, body: Bytes) -> Result<Taken, Error> {
        let admitted = self.breaker.admit()?;
        let asked = Instant::now();
        match self.send(path, kind, body).await {
            Ok(response) => Ok(Taken {
                response,
                verdict: Some(admitted.accepted()),
                limits: self.limits,
                bytes: 0,
                until: asked + self.limits.answer(),
            }),
            Err(error) => {
                match error {
                    // A refusal is an answer; only trouble counts against it.
                    Error::Refused { status, .. } if status < 500 => admitted.succeeded(),
                    _ => admitted.failed(),
                }
                Err(error)
            }
        }
    }

    async fn send(&self, path: &str, kind: &str, body: Bytes) -> Result<Response, Error> {
        let url = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self.client.post(url).header(CONTENT_TYPE, kind).body(body);
        if let Some(key) = &self.authorization {
            request = request.header(AUTHORIZATION, key.clone());
        }
        enforced!(MOD02);
        let sent = timeout(self.limits.first_byte(), request.send()).await;
        let response = match sent.map_err(|_| Error::TimedOut)? {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return Err(Error::Unreachable { endpoint: self.name.clone() });
            }
            Err(error) if error.is_timeout() => return Err(Error::TimedOut),
            Err(_) => return Err(Error::Broke),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(Error::Refused { endpoint: self.name.clone(), status: status.as_u16() })
    }
}

impl Taken {
    /// The next piece of the answer; `None` at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let next = self.read().await;
        match (&next, self.verdict.take()) {
            (Ok(Some(_)), verdict) => self.verdict = verdict,
            (Ok(None), Some(verdict)) => verdict.succeeded(),
            (Err(_), Some(verdict)) => verdict.failed(),
            (_, None) => (),
        }
        next
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Error> {
        let until = self.until.min(Instant::now() + self.limits.idle());
        let chunk = timeout_at(until, self.response.chunk()).await.map_err(|_| Error::TimedOut)?;
        let chunk = chunk.map_err(|_| Error::Broke)?;
        self.bytes = self.bytes.saturating_add(chunk.as_ref().map_or(0, Bytes::len));
        if self.bytes > self.limits.answer_bytes {
            enforced!(MOD02);
            return Err(Error::TooLarge);
        }
        Ok(chunk)
    }

    /// The whole answer.
    pub(super) async fn whole(mut self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut whole = Zeroizing::new(Vec::new());
        while let Some(piece) = self.next().await? {
            append(&mut whole, &piece);
        }
        Ok(whole)
    }
}

/// Appends without leaving copies behind: a vector that grows by itself frees what it held unwiped.
fn append(whole: &mut Zeroizing<Vec<u8>>, piece: &[u8]) {
    let needed = whole.len() + piece.len();
    if needed > whole.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
        larger.extend_from_slice(whole);
        *whole = larger;
    }
    whole.extend_from_slice(piece);
}

/// The body of a request in JSON that holds `text`, wiped when it was sent.
pub(super) fn json(text: &str, request: &impl Serialize) -> Result<Bytes, Error> {
    // Room for a text of nothing but escapes, and all else: it never grows.
    let mut body = Zeroizing::new(Vec::with_capacity(6 * text.len() + 1_024));
    serde_json::to_writer(&mut *body, request).map_err(|_| Error::Broke)?;
    Ok(Bytes::from_owner(body))
}
