//! Model files from a hub over HTTP, continued with `Range` (RFC 9110, 14.2) where they stopped.

use std::time::Duration;

use domain::enforced;
use futures::StreamExt;
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{Error, OnProgress, Progress, Sources, part::Part};
use crate::http;

/// For a connection to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// Between two pieces.
const IDLE: Duration = Duration::from_secs(60);
/// Failures in a row, without a byte between them, after which it is given up.
const TRIES: u32 = 4;
/// Bytes between two reports of progress.
const REPORT_BYTES: u64 = 1 << 20;
const SOURCE: &str = "the model hub";
const UNREACHABLE: Error = Error::Unreachable { source_name: SOURCE };

/// Adds the bytes that are missing. `false` when there is no hub or it does not have this file.
pub(super) async fn fetch(
    part: &Part,
    sources: &Sources,
    progress: OnProgress<'_>,
    cancel: &CancellationToken,
) -> Result<bool, Error> {
    let (Some(hub), Some(address)) = (&sources.hub_url, &part.file.hub) else { return Ok(false) };
    let plain = sources.allow_plain_http_loopback;
    let bad = |error: crate::Error| Error::BadAddress { why: error.to_string() };
    let base = http::checked_url("hub", hub, plain).map_err(bad)?;
    let url = format!(
        "{}/{}/resolve/main/{}",
        base.as_str().trim_end_matches('/'),
        address.repository,
        address.path
    );
    let client = http::following_client(CONNECT, plain).map_err(bad)?;
    let mut failures = 0;
    while part.len() < part.file.bytes {
        let before = part.len();
        let tried = fetch_on(part, &client, &url, progress, cancel).await;
        failures = if part.len() > before { 0 } else { failures + 1 };
        match tried {
            Err(Error::Unreachable { .. }) if failures < TRIES => {
                tokio::select! {
                    () = cancel.cancelled() => return Err(Error::Cancelled),
                    () = tokio::time::sleep(Duration::from_millis(500) * (1 << failures)) => (),
                }
            }
            settled => settled?,
        }
    }
    Ok(true)
}

/// Fetches from where the part ends until the end or until the connection breaks.
async fn fetch_on(
    part: &Part,
    client: &Client,
    url: &str,
    progress: OnProgress<'_>,
    cancel: &CancellationToken,
) -> Result<(), Error> {
    let not_offered = || Error::NotOffered { source_name: SOURCE, what: part.file.name.to_owned() };
    let response = tokio::select! {
        () = cancel.cancelled() => return Err(Error::Cancelled),
        response = ask(client, url, part.len()) => response?,
    };
    let mut here = match response.status() {
        StatusCode::PARTIAL_CONTENT if starts_at(&response, part.len()) => part.len(),
        StatusCode::OK => 0,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => return Err(UNREACHABLE),
        status if status.is_server_error() => return Err(UNREACHABLE),
        _ => return Err(not_offered()),
    };
    enforced!(MOD02);
    let mut handle = tokio::fs::File::from_std(part.cut(here)?);
    let failed = |error| Error::io(part.path(), error);
    let (mut pieces, mut reported) = (response.bytes_stream(), here);
    let ended = loop {
        let next = tokio::select! {
            () = cancel.cancelled() => break Err(Error::Cancelled),
            next = timeout(IDLE, pieces.next()) => next,
        };
        let piece = match next {
            Ok(Some(Ok(piece))) => piece,
            Ok(None) if here == part.file.bytes => break Ok(()),
            Ok(None | Some(Err(_))) | Err(_) => break Err(UNREACHABLE),
        };
        here += piece.len() as u64;
        if here > part.file.bytes {
            // More than there should be: not this file. What was written is not trusted.
            drop(part.cut(0)?);
            return Err(not_offered());
        }
        handle.write_all(&piece).await.map_err(failed)?;
        if here - reported >= REPORT_BYTES {
            reported = here;
            progress(Progress { done: here, total: part.file.bytes });
        }
    };
    // Whatever ended it: what came is on the disk before another may continue.
    handle.flush().await.map_err(failed)?;
    handle.sync_data().await.map_err(failed)?;
    progress(Progress { done: here, total: part.file.bytes });
    ended
}

/// Asks for the file from byte `from` on.
async fn ask(client: &Client, url: &str, from: u64) -> Result<Response, Error> {
    let mut request = client.get(url);
    if from > 0 {
        request = request.header(RANGE, format!("bytes={from}-"));
    }
    timeout(IDLE, request.send()).await.map_err(|_| UNREACHABLE)?.map_err(|_| UNREACHABLE)
}

/// Whether a partial answer begins where it was asked to: `bytes 5-9/10`.
fn starts_at(response: &Response, here: u64) -> bool {
    let range =
        response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
    range.strip_prefix("bytes ").and_then(|range| range.split('-').next()?.parse().ok()) == Some(here)
}
