//! One connection from its first byte to its last.

use std::{convert::Infallible, pin::Pin, time::Duration};

use axum::{Router, body::Body};
use domain::enforced;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::ServiceExt;

use super::{
    House, Limits, Place,
    activity::{Activity, Counted},
    patience::{Heard, Patience},
};
use crate::edge::address::Peer;

/// How long a connection that was told to end may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Serves one accepted socket until it ends, falls idle, or the house closes. What it was upgraded to goes
/// on without us, in the place it has.
pub(super) async fn run(house: &House, stream: TcpStream, peer: Peer, place: Place) {
    // Small answers leave at once; without this a streamed word waits for the next one.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let stream = Patience::new(stream, house.limits.stalled, place);
    let Some(tls) = &house.tls else {
        return talk(house, stream, peer, false).await;
    };
    // In boxes, so that a connection that is open does not carry the room of its beginning.
    let Some(stream) = Box::pin(shake(house, tls, stream)).await else { return };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    talk(house, stream, peer, http2).await;
}

/// The handshake, within its time.
async fn shake(house: &House, tls: &TlsAcceptor, stream: Patience) -> Option<Box<TlsStream<Patience>>> {
    let handshake = timeout(house.limits.handshake, tls.accept(stream));
    let shaken = tokio::select! {
        () = house.shutdown.cancelled() => return None,
        shaken = handshake => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => return Some(Box::new(stream)),
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => {
            enforced!(WEB05);
            tracing::debug!("a TLS handshake took too long");
        }
    }
    None
}

/// Speaks HTTP, as ALPN agreed it, on a stream that is ready for it.
async fn talk(
    house: &House,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    http2: bool,
) {
    let activity = Activity::new();
    let (router, counting) = (house.router.clone(), activity.clone());
    let service = service_fn(move |request| answer(router.clone(), counting.clone(), peer, request));
    // In HTTP/2 later headers share the idle limit.
    let stream = TokioIo::new(Heard::new(stream, activity.clone(), !http2));
    // Boxed as well: each has the room of its own version, not of both.
    if http2 {
        let mut connection = Box::pin(second(&house.limits).serve_connection(stream, service));
        bound(house, &activity, connection.as_mut(), http2::Connection::graceful_shutdown).await;
    } else {
        let mut connection = Box::pin(first(&house.limits).serve_connection(stream, service).with_upgrades());
        bound(house, &activity, connection.as_mut(), http1::UpgradeableConnection::graceful_shutdown).await;
    }
}

/// Lets a connection go on until it ends, and sees to it that it does; `finish` tells it to take nothing new.
async fn bound<C: Future<Output = hyper::Result<()>>>(
    house: &House,
    activity: &Activity,
    mut connection: Pin<&mut C>,
    finish: impl FnOnce(Pin<&mut C>),
) {
    let goodbye = tokio::select! {
        ended = connection.as_mut() => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
            return;
        }
        () = activity.fell_idle(house.limits.headers, house.limits.idle) => {
            enforced!(WEB05);
            GOODBYE
        }
        () = activity.left_waiting(house.limits.stalled) => {
            enforced!(WEB05);
            tracing::debug!("a connection was cut: its peer left an answer lying");
            return;
        }
        () = house.shutdown.cancelled() => house.limits.drain,
    };
    finish(connection.as_mut());
    if timeout(goodbye, connection).await.is_err() {
        tracing::debug!("a connection was cut: it did not end in time");
    }
}

/// HTTP/1.1 with every limit hyper offers.
fn first(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // Without a timer hyper does not enforce the time limit at all. It counts from the end of the
        // last answer, so it must leave room for idleness; `Activity` counts from the first byte.
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle + limits.headers)
        .max_buf_size(limits.header_bytes as usize)
        .max_headers(100);
    builder
}

/// HTTP/2 with every limit hyper offers.
fn second(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes)
        .max_send_buf_size(32 << 10)
        // What a client may send ahead of a handler that has not asked for it yet.
        .initial_stream_window_size(128 << 10)
        .initial_connection_window_size(256 << 10)
        .keep_alive_interval(Some(Duration::from_secs(20)))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

/// Hands one request to the router and keeps count until its response is out.
async fn answer(
    router: Router,
    activity: Activity,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Result<Response<Counted>, Infallible> {
    let running = activity.begin();
    request.extensions_mut().insert(peer);
    let response = router.oneshot(request.map(Body::new)).await?;
    Ok(response.map(|body| Counted::new(body, running)))
}
