//! The listener: our own accept loop, because no defence against slow clients comes with the framework.
//!
//! The server binds the sockets and makes the certificate; [`serve`] does the rest: a cap on connections, and on
//! those of one address, TLS 1.3 with a time limit, HTTP/1.1 and HTTP/2 by ALPN, limits on headers, idleness and stalled reading,
//! and a drain with a bound. [`redirect::serve`] is the optional plain listener that only points here.
//! Invariant: whatever a client does or leaves undone, its connection ends after a bounded time without
//! a request, and nothing but TLS 1.3 reaches the router.

mod activity;
mod connection;
mod patience;
mod peers;
pub mod probe;
pub mod redirect;
pub mod tls;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::Router;
use domain::enforced;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

use crate::edge::{address::Peer, shares::Share};

/// The shortest time between two lines of the log about connections that were turned away.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// Connections the kernel keeps for us until we accept them. The usual 128 is less than one burst.
const BACKLOG: u32 = 4096;
/// What the kernel holds of one connection's answers, in bytes; it doubles this. Left to itself it holds
/// megabytes, and says that there is room again only when a third is gone: a slow but steady reader would
/// look like one that has stopped.
const SEND_BUFFER: u32 = 128 << 10;

/// The bounds every connection lives within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most connections at once; more are closed as they come.
    pub connections: usize,
    /// Most of them from one address, IPv6 by /64.
    pub connections_per_address: usize,
    /// Proxies that speak for many, whose connections only count together.
    pub proxies: Vec<ipnet::IpNet>,
    /// Longest TLS handshake.
    pub handshake: Duration,
    /// Longest wait for a connection's first request, and for the whole of any request's headers.
    pub headers: Duration,
    /// Longest a connection stays open with no request running.
    pub idle: Duration,
    /// Longest a client may take for a piece of 16 KiB, or leave less than that unread.
    pub stalled: Duration,
    /// Longest a running response is waited for at the end.
    pub drain: Duration,
    /// Largest headers of one request, in bytes.
    pub header_bytes: u32,
    /// Most requests at once on one HTTP/2 connection.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 512,
            proxies: Vec::new(),
            handshake: Duration::from_secs(5),
            headers: Duration::from_secs(5),
            idle: Duration::from_secs(75),
            stalled: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            header_bytes: 16 << 10,
            streams: 100,
        }
    }
}

/// Binds `address` with room for a burst of connections that wait to be accepted.
///
/// # Errors
/// When the address is in use, not ours, or not allowed. Must be called inside the runtime.
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart may bind while old connections linger; a second running server still may not.
    socket.set_reuseaddr(true)?;
    // Connections that are accepted take this over.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Answers HTTPS on every one of `sockets` until `shutdown`, then drains and returns.
///
/// # Errors
/// When a socket cannot be given to the runtime; nothing is served then.
pub async fn serve(
    sockets: Vec<std::net::TcpListener>,
    tls: Arc<rustls::ServerConfig>,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let house = House::new(Some(TlsAcceptor::from(tls)), router, limits, shutdown);
    house.open(sockets).await
}

/// What every connection of one listener shares.
struct House {
    tls: Option<TlsAcceptor>,
    router: Router,
    limits: Limits,
    places: Arc<Semaphore>,
    peers: peers::Peers,
    connections: TaskTracker,
    shutdown: CancellationToken,
    turned_away: TurnedAway,
}

/// The place of one connection. It goes with the socket, which may be upgraded and outlive its HTTP; the end
/// waits for both.
struct Place {
    _place: OwnedSemaphorePermit,
    _share: Option<Share<IpAddr>>,
    _token: TaskTrackerToken,
}

/// Connections that were closed as they came. A flood of them must not become a flood in the log.
#[derive(Default)]
struct TurnedAway(Mutex<(u64, Option<Instant>)>);

impl TurnedAway {
    /// Counts one more at `now`. Gives how many nobody was told of, when it is time to tell.
    fn one_more(&self, now: Instant) -> Option<u64> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (untold, told) = &mut *inner;
        *untold += 1;
        if told.is_some_and(|told| now.saturating_duration_since(told) < TOLD_EVERY) {
            return None;
        }
        *told = Some(now);
        Some(std::mem::take(untold))
    }
}

impl House {
    fn new(
        tls: Option<TlsAcceptor>,
        router: Router,
        limits: Limits,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(limits.connections));
        let peers = peers::Peers::new(limits.connections_per_address, limits.proxies.clone());
        let (connections, turned_away) = (TaskTracker::new(), TurnedAway::default());
        Arc::new(Self { tls, router, limits, places, peers, connections, shutdown, turned_away })
    }

    /// Accepts on all sockets until the end, then waits for the connections, which bound themselves.
    async fn open(self: Arc<Self>, sockets: Vec<std::net::TcpListener>) -> io::Result<()> {
        let mut listeners = Vec::with_capacity(sockets.len());
        for socket in sockets {
            socket.set_nonblocking(true)?;
            listeners.push(TcpListener::from_std(socket)?);
        }
        let doors = TaskTracker::new();
        for listener in listeners {
            doors.spawn(self.clone().accept(listener));
        }
        doors.close();
        doors.wait().await;
        self.connections.close();
        self.connections.wait().await;
        Ok(())
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.shutdown.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer.ip()),
                Err(error) => {
                    // Out of file handles, or the client left already: neither is a reason to stop.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Begins a connection if there is room. Without room it is closed before it costs a handshake.
    fn admit(self: &Arc<Self>, stream: tokio::net::TcpStream, peer: IpAddr) {
        let places = (self.places.clone().try_acquire_owned(), self.peers.enter(peer));
        let (Ok(place), Ok(share)) = places else {
            enforced!(WEB05);
            if let Some(closed) = self.turned_away.one_more(Instant::now()) {
                tracing::warn!(closed, "too many connections: some were closed as they came");
            }
            return;
        };
        let place = Place { _place: place, _share: share, _token: self.connections.token() };
        let house = self.clone();
        self.connections.spawn(async move { connection::run(&house, stream, Peer(peer), place).await });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_are_turned_away_are_told_of_once_a_second_and_all_are_counted() {
        let (turned_away, start) = (TurnedAway::default(), Instant::now());
        assert_eq!(turned_away.one_more(start), Some(1));
        for millis in 0..1_000 {
            assert_eq!(turned_away.one_more(start + Duration::from_millis(millis)), None);
        }
        assert_eq!(turned_away.one_more(start + TOLD_EVERY), Some(1_001));
    }
}
