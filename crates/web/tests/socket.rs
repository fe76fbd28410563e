//! WebSockets over the real listener: the rules of the ground, and the conformance cases of RFC 6455. Voice is
//! to stand on this ground; here an echo does.

#![expect(clippy::unwrap_used, reason = "a test whose steps do not succeed has failed")]

#[path = "socket/cases.rs"]
mod cases;
#[path = "socket/wire.rs"]
mod wire;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    response::{IntoResponse, Response},
    routing::get,
};
use domain::verifies;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types, sign::CertifiedKey};
use tokio::{
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_rustls::TlsConnector;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use web::{
    Settings,
    edge::streams::Places,
    listener::{self, tls::Certificate},
    socket::{Ground, Limits, Opening, Reason, Socket},
};

use crate::wire::{Frame, Wire, frame, text};

/// Long enough for anything that has to happen soon.
const SOON: Duration = Duration::from_secs(20);

/// A listener whose `/v1/echo` says everything back.
pub(crate) struct House {
    at: SocketAddr,
    tls: TlsConnector,
    /// Ends the session of one open socket.
    end: Arc<Notify>,
    shutdown: CancellationToken,
    served: JoinHandle<std::io::Result<()>>,
    tasks: TaskTracker,
}

fn usual() -> Limits {
    Limits { message_bytes: 1 << 20, frames_a_minute: 12_000, silent: Duration::from_secs(60) }
}

impl House {
    pub(crate) fn open(limits: Limits) -> Self {
        Self::with(limits, &Settings::default(), listener::Limits::default())
    }

    fn with(limits: Limits, settings: &Settings, edge: listener::Limits) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let der = made.cert.der().clone();
        let provider = aws_lc_rs::default_provider();
        let certificate = CertifiedKey::from_der(vec![der.clone()], key, &provider).unwrap();
        let mut trust = RootCertStore::empty();
        trust.add(der).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trust)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];

        let (shutdown, tasks, end) = (CancellationToken::new(), TaskTracker::new(), Arc::new(Notify::new()));
        let places = Arc::new(Places::new(settings));
        let origins = vec!["https://app.example".to_owned()];
        let ground = Ground::new(limits, origins, places, tasks.clone(), shutdown.clone());
        let router = Router::new()
            .route("/v1/echo", get(echo))
            .layer(Extension(End(end.clone())))
            .layer(Extension(ground));
        let socket = listener::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let at = socket.local_addr().unwrap();
        let tls = listener::tls::config(Certificate::new(certificate)).unwrap();
        let served = tasks.spawn(listener::serve(vec![socket], tls, router, edge, shutdown.clone()));
        Self { at, tls: TlsConnector::from(Arc::new(config)), end, shutdown, served, tasks }
    }

    /// Asks for a socket with these headers beside the usual ones; the status, and the wire.
    async fn ask(&self, headers: &str) -> (u16, String, Wire) {
        let stream = TcpStream::connect(self.at).await.unwrap();
        let name = pki_types::ServerName::try_from("localhost").unwrap();
        let mut wire = Wire::new(self.tls.connect(name, stream).await.unwrap());
        wire.send(
            format!(
                "GET /v1/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
            )
            .as_bytes(),
        )
        .await;
        let head = wire.head().await;
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head, wire)
    }

    /// A socket of a program.
    pub(crate) async fn socket(&self) -> Wire {
        let (status, head, wire) = self.ask("Authorization: Bearer troth_x\r\n").await;
        assert_eq!(status, 101, "{head}");
        wire
    }

    pub(crate) async fn close(self) {
        self.shutdown.cancel();
        self.served.await.unwrap().unwrap();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[derive(Clone)]
struct End(Arc<Notify>);

async fn echo(opening: Opening, Extension(End(end)): Extension<End>) -> Response {
    let ended = Box::pin(async move { end.notified().await });
    let user = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    let talk = |mut socket: Socket| async move {
        while let Some(message) = socket.next().await {
            if message == web::socket::Message::Text("enough".into()) {
                return socket.close(Reason::Done).await;
            }
            if socket.send(message).await.is_err() {
                return;
            }
        }
    };
    let opened = opening.open_until(Some(user), ended, &["echo"], talk);
    opened.unwrap_or_else(IntoResponse::into_response)
}

/// The code of the goodbye that comes within a while, and nothing after it.
async fn goodbye(mut wire: Wire) -> Option<u16> {
    let rest = timeout(SOON, wire.rest()).await.unwrap().unwrap();
    assert_eq!(rest.len(), 1, "{rest:?}");
    rest[0].code()
}

#[tokio::test]
async fn only_friends_open_one_and_only_what_is_offered_is_agreed() {
    let _proof = verifies!(WEB15);
    let house = House::open(usual());
    let key = "Authorization: Bearer troth_x\r\n";
    for (headers, status) in [
        ("Origin: https://localhost\r\n".to_owned(), 101),
        ("Origin: https://app.example\r\n".to_owned(), 101),
        (key.to_owned(), 101),
        ("Origin: https://evil.example\r\n".to_owned(), 403),
        (format!("Origin: https://evil.example\r\n{key}"), 403),
        ("Cookie: __Host-troth=x\r\n".to_owned(), 403),
        (String::new(), 403),
    ] {
        assert_eq!(house.ask(&headers).await.0, status, "{headers:?}");
    }
    let (_, head, _wire) = house.ask(&format!("{key}Sec-WebSocket-Protocol: secret, echo\r\n")).await;
    assert!(head.to_lowercase().contains("sec-websocket-protocol: echo\r\n") && !head.contains("secret"));
    house.close().await;
}

#[tokio::test]
async fn what_was_said_comes_back_and_goodbyes_are_returned() {
    let house = House::open(usual());
    let mut wire = house.socket().await;
    wire.send(&text("hello")).await;
    assert_eq!(wire.frame().await.unwrap(), Some(Frame::of(1, b"hello")));
    wire.send(&text("enough")).await;
    assert_eq!(wire.frame().await.unwrap().unwrap().code(), Some(1000));
    wire.send(&frame(true, 0, 8, &1000_u16.to_be_bytes())).await;
    assert_eq!(wire.rest().await.unwrap(), Vec::new(), "it ends cleanly");
    house.close().await;
}

#[tokio::test]
async fn too_much_at_once_and_too_many_frames_are_refused() {
    let _proof = verifies!(WEB15);
    let house = House::open(Limits { message_bytes: 1_000, frames_a_minute: 5, ..usual() });
    let mut wire = house.socket().await;
    wire.send(&frame(true, 0, 2, &[7; 1_001])).await;
    assert_eq!(goodbye(wire).await, Some(1009));
    // In pieces it is as much.
    let mut wire = house.socket().await;
    wire.send(&[frame(false, 0, 2, &[7; 900]), frame(true, 0, 0, &[7; 900])].concat()).await;
    assert_eq!(goodbye(wire).await, Some(1009));
    // A message that never ends counts as well.
    let mut wire = house.socket().await;
    wire.send(&frame(false, 0, 1, b"")).await;
    wire.send(&frame(false, 0, 0, b"").repeat(5)).await;
    assert_eq!(goodbye(wire).await, Some(1008));
    house.close().await;
}

#[tokio::test]
async fn frames_without_a_mask_are_refused() {
    let house = House::open(usual());
    let mut wire = house.socket().await;
    wire.send(&[0x81, 2, b'h', b'i']).await;
    assert_eq!(goodbye(wire).await, Some(1002));
    house.close().await;
}

#[tokio::test]
async fn silence_ends_it_and_signs_of_life_keep_it() {
    let _proof = verifies!(WEB15);
    let silent = Duration::from_millis(300);
    let house = House::open(Limits { silent, ..usual() });
    let (mut dead, mut living) = (house.socket().await, house.socket().await);
    let alive = async {
        let start = Instant::now();
        while start.elapsed() < 4 * silent {
            let ping = living.frame().await.unwrap().unwrap();
            assert_eq!(ping, Frame::of(9, b""));
            living.send(&frame(true, 0, 10, b"")).await;
        }
    };
    let silence = async {
        let said = timeout(SOON, dead.rest()).await.unwrap().unwrap();
        assert_eq!(said.last().unwrap().code(), Some(1008));
    };
    tokio::join!(alive, silence);
    drop((dead, living));
    house.close().await;
}

#[tokio::test]
async fn it_ends_with_its_session_and_with_the_server() {
    let _proof = verifies!(WEB15);
    let house = House::open(usual());
    let wire = house.socket().await;
    house.end.notify_one();
    assert_eq!(goodbye(wire).await, Some(1008));

    let (mut polite, mut rude) = (house.socket().await, house.socket().await);
    let leaving = async {
        assert_eq!(polite.frame().await.unwrap().unwrap().code(), Some(1001));
        polite.send(&frame(true, 0, 8, &1001_u16.to_be_bytes())).await;
        assert_eq!(polite.rest().await.unwrap(), Vec::new());
    };
    // The other one goes on talking, and nobody waits for it for long.
    rude.send(&frame(false, 0, 1, b"once upon a time")).await;
    let ending = async { timeout(SOON, house.close()).await.unwrap() };
    tokio::join!(leaving, ending);
}

#[tokio::test]
async fn sockets_take_their_places_among_the_streams_and_give_them_back() {
    let (_all, _each) = (verifies!(WEB05), verifies!(WEB13));
    for settings in [
        Settings { streams: 1, ..Settings::default() },
        Settings { streams_per_person: 1, ..Settings::default() },
    ] {
        let house = House::with(usual(), &settings, listener::Limits::default());
        let first = house.socket().await;
        let key = "Authorization: Bearer troth_x\r\n";
        assert_eq!(house.ask(key).await.0, 503);
        drop(first);
        let back = async {
            while house.ask(key).await.0 != 101 {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, back).await.unwrap();
        house.close().await;
    }
}

/// The connection of a socket is one of the listener's, as long as it is open.
#[tokio::test]
async fn a_socket_keeps_its_connection_and_a_reader_that_does_not_read_is_cut() {
    let _proof = verifies!(WEB05);
    let stalled = Duration::from_millis(300);
    let edge = listener::Limits { connections: 1, stalled, ..listener::Limits::default() };
    let house = House::with(usual(), &Settings::default(), edge);
    let mut wire = house.socket().await;
    let stream = TcpStream::connect(house.at).await.unwrap();
    let name = || pki_types::ServerName::try_from("localhost").unwrap();
    assert!(house.tls.connect(name(), stream).await.is_err(), "there is no place for a second one");
    // Everything is said back, and nothing of it read.
    let big = frame(true, 0, 2, &vec![7; 256 << 10]);
    let flood = async { while wire.try_send(&big).await.is_ok() {} };
    timeout(SOON, flood).await.unwrap();
    let back = async {
        loop {
            let stream = TcpStream::connect(house.at).await.unwrap();
            if house.tls.connect(name(), stream).await.is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, back).await.unwrap();
    house.close().await;
}
