//! The line to one endpoint: requests out, bounded and timed; events in.
//!
//! Trying again happens in [`Link::ask`] alone, which ends before the first byte of an answer is
//! read. [`Link::stream`] has no way to ask a second time.

use std::{sync::Arc, time::Duration};

use domain::{
    Clock, Secret, enforced,
    model::{Delta, Usage},
};
use futures::StreamExt;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    breaker::{Breaker, Try},
    sse,
    wire::{self, Reader},
};
use crate::{EndpointConfig, Error, Limits, TokenLimit, answer::Out, http};

/// The longest wait before another try, whatever `Retry-After` says; beyond it the caller decides.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The first wait; doubled with each try.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// What a question on its way needs of its endpoint.
pub(super) struct Link {
    name: String,
    base: Url,
    authorization: Option<HeaderValue>,
    token_limit: TokenLimit,
    limits: Limits,
    client: Client,
    breaker: Arc<Breaker>,
    clock: Clock,
}

/// A question the endpoint has taken, and the verdict on it that is still to be given.
pub(super) struct Accepted {
    response: Response,
    verdict: Try,
}

/// Why a try failed.
struct Failure {
    error: Error,
    /// Whether another try may help, and how long the endpoint asks to be left alone.
    again: Option<Duration>,
}

impl Link {
    pub(super) fn new(config: &EndpointConfig, base: Url, clock: &Clock) -> Result<Self, Error> {
        Ok(Self {
            name: config.name.clone(),
            base,
            authorization: config.api_key.as_ref().map(|key| bearer(&config.name, key)).transpose()?,
            token_limit: config.token_limit,
            limits: config.limits,
            client: http::client(config.limits.connect(), config.ca_file.as_deref())?,
            breaker: Arc::new(Breaker::new(&config.limits, clock.clone())),
            clock: clock.clone(),
        })
    }

    pub(super) const fn token_limit(&self) -> TokenLimit {
        self.token_limit
    }

    /// Sends `body` to `path` until the endpoint accepts it or the tries are used up.
    pub(super) async fn ask(&self, path: &str, body: &Value) -> Result<Accepted, Error> {
        let mut tries = 1;
        let mut last = None;
        loop {
            let admitted = self.breaker.admit().map_err(|open| last.take().unwrap_or(open))?;
            let failure = match self.ask_once(path, body).await {
                Ok(response) => return Ok(Accepted { response, verdict: admitted.accepted() }),
                Err(failure) => failure,
            };
            match failure.error {
                // A refusal is an answer; only trouble counts against the endpoint.
                Error::Refused { status, .. } if status < 500 => admitted.succeeded(),
                _ => admitted.failed(),
            }
            match failure.again {
                Some(wait) if tries < self.limits.tries && wait <= LONGEST_WAIT => {
                    tokio::time::sleep(wait.max(self.pause(tries))).await;
                    tries += 1;
                    last = Some(failure.error);
                }
                _ => return Err(failure.error),
            }
        }
    }

    /// One try: sends, and waits for the answer's head.
    async fn ask_once(&self, path: &str, body: &Value) -> Result<Response, Failure> {
        let url = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self.client.post(url).json(body);
        if let Some(key) = &self.authorization {
            request = request.header(AUTHORIZATION, key.clone());
        }
        let last = |error| Failure { error, again: None };
        let sent = timeout(self.limits.first_byte(), request.send()).await;
        enforced!(MOD02);
        let response = match sent.map_err(|_| last(Error::TimedOut))? {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                let error = Error::Unreachable { endpoint: self.name.clone() };
                return Err(Failure { error, again: Some(Duration::ZERO) });
            }
            // The question may have arrived: it is not asked twice.
            Err(error) if error.is_timeout() => return Err(last(Error::TimedOut)),
            Err(_) => return Err(last(Error::Broke)),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let error = Error::Refused { endpoint: self.name.clone(), status: status.as_u16() };
        Err(Failure { error, again: may_try_again(status).then(|| retry_after(&response)) })
    }

    /// How long to wait after `tries` tries: doubling, and up to as much again so that callers who
    /// failed together do not come back together. The spread is taken from the clock's microseconds.
    fn pause(&self, tries: u32) -> Duration {
        let base = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(5));
        let share = u32::try_from(self.clock.now().0.rem_euclid(1_000)).unwrap_or(0);
        (base + base.saturating_mul(share) / 1_000).min(LONGEST_WAIT)
    }

    /// Reads an accepted answer to its end and writes it to `out`.
    pub(super) async fn stream(
        &self,
        accepted: Accepted,
        prompt_tokens: u32,
        asked: Instant,
        out: &Out,
    ) -> Result<(), Error> {
        let Accepted { response, verdict } = accepted;
        let read = timeout_at(asked + self.limits.answer(), self.read(response, prompt_tokens, asked, out));
        let ended = read.await.unwrap_or(Err(Error::TimedOut));
        match &ended {
            Ok(()) => verdict.succeeded(),
            Err(Error::Broke | Error::TimedOut | Error::TooLarge) => verdict.failed(),
            // The reader left: nothing is known about the endpoint.
            Err(_) => drop(verdict),
        }
        ended
    }

    async fn read(
        &self,
        response: Response,
        prompt_tokens: u32,
        asked: Instant,
        out: &Out,
    ) -> Result<(), Error> {
        let streamed = is_event_stream(&response);
        let mut bytes = response.bytes_stream();
        let (mut parser, mut reader) = (sse::Parser::new(self.limits.line_bytes), Reader::default());
        let (mut whole, mut taken) = (Vec::new(), 0_usize);
        let mut deadline = asked + self.limits.first_byte();
        let mut deltas = Vec::new();
        while !reader.is_done() {
            let next = timeout_at(deadline, bytes.next()).await.map_err(|_| Error::TimedOut)?;
            let Some(chunk) = next else { break };
            let chunk = chunk.map_err(|_| Error::Broke)?;
            deadline = Instant::now() + self.limits.idle();
            taken = taken.saturating_add(chunk.len());
            if taken > self.limits.answer_bytes {
                return Err(Error::TooLarge);
            }
            if streamed {
                let parsed = parser.push(&chunk, &mut |data| reader.read(data, &mut deltas));
                // What came before the trouble is the reader's all the same.
                write_all(&mut deltas, out).await?;
                parsed?;
            } else {
                whole.extend_from_slice(&chunk);
            }
        }
        if !streamed {
            reader.read(std::str::from_utf8(&whole).map_err(|_| Error::Broke)?, &mut deltas)?;
        }
        deltas.extend(reader.end(prompt_tokens)?);
        write_all(&mut deltas, out).await
    }

    /// Asks for embeddings of `inputs`.
    pub(super) async fn embed(
        &self,
        model: &str,
        inputs: &[String],
    ) -> Result<(Vec<Vec<f32>>, Usage), Error> {
        let body = serde_json::json!({"model": model, "input": inputs, "encoding_format": "float"});
        let asked = Instant::now();
        let Accepted { response, verdict } = self.ask("embeddings", &body).await?;
        let whole = timeout_at(asked + self.limits.answer(), self.body(response));
        let whole = match whole.await.unwrap_or(Err(Error::TimedOut)) {
            Ok(whole) => whole,
            Err(error) => {
                verdict.failed();
                return Err(error);
            }
        };
        verdict.succeeded();
        let answer: Embeddings = serde_json::from_slice(&whole).map_err(|_| Error::Broke)?;
        let mut vectors = vec![Vec::new(); inputs.len()];
        for (at, item) in answer.data.into_iter().enumerate() {
            *vectors.get_mut(item.index.unwrap_or(at)).ok_or(Error::Broke)? = item.embedding;
        }
        if vectors.iter().any(Vec::is_empty) {
            return Err(Error::Broke);
        }
        let counted = answer.usage.map(|usage| usage.prompt_tokens);
        let prompt_tokens = counted.unwrap_or_else(|| wire::estimate(inputs.iter().map(String::len).sum()));
        Ok((vectors, Usage { prompt_tokens, completion_tokens: 0 }))
    }

    /// A whole body within the limits.
    async fn body(&self, response: Response) -> Result<Vec<u8>, Error> {
        let (mut bytes, mut whole) = (response.bytes_stream(), Vec::new());
        while let Some(chunk) =
            timeout(self.limits.idle(), bytes.next()).await.map_err(|_| Error::TimedOut)?
        {
            let chunk = chunk.map_err(|_| Error::Broke)?;
            if whole.len() + chunk.len() > self.limits.answer_bytes {
                return Err(Error::TooLarge);
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }
}

#[derive(Deserialize)]
struct Embeddings {
    data: Vec<Embedding>,
    #[serde(default)]
    usage: Option<EmbeddingUsage>,
}

#[derive(Deserialize)]
struct Embedding {
    #[serde(default)]
    index: Option<usize>,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct EmbeddingUsage {
    #[serde(default)]
    prompt_tokens: u32,
}

/// Hands over what has been read.
async fn write_all(deltas: &mut Vec<Delta>, out: &Out) -> Result<(), Error> {
    for delta in deltas.drain(..) {
        out.write(delta).await?;
    }
    Ok(())
}

/// The header that carries the key, marked so that no log prints it.
fn bearer(name: &str, key: &Secret<String>) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose().trim()))
        .map_err(|_| Error::Config { why: format!("the API key of `{name}` has characters no key has") })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Statuses that pass by themselves.
fn may_try_again(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// `Retry-After` in seconds (RFC 9110, 10.2.3). Its other form, a date, counts as "not soon".
fn retry_after(response: &Response) -> Duration {
    let Some(value) = response.headers().get(RETRY_AFTER) else { return Duration::ZERO };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<u32>().ok());
    seconds.map_or(Duration::MAX, |seconds| Duration::from_secs(seconds.into()))
}

fn is_event_stream(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    !kind.trim_start().to_ascii_lowercase().starts_with("application/json")
}
