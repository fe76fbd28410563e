//! The listener against real sockets: what it refuses, what it cuts, what it lets finish.

#![expect(clippy::unwrap_used, reason = "a test whose steps do not succeed has failed")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use domain::verifies;
use http::{Request, StatusCode, Version, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types, sign::CertifiedKey};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Notify,
    task::{JoinHandle, JoinSet},
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use web::listener::{self, Limits, probe, redirect, tls::Certificate};

/// A listener on a free port, and what its clients need to trust it.
struct House {
    at: SocketAddr,
    trust: Arc<RootCertStore>,
    certificate: Arc<Certificate>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    served: JoinHandle<std::io::Result<()>>,
}

fn certificate() -> (CertifiedKey, pki_types::CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let der = made.cert.der().clone();
    (CertifiedKey::from_der(vec![der.clone()], key, &aws_lc_rs::default_provider()).unwrap(), der)
}

impl House {
    fn open(limits: Limits, router: Router) -> Self {
        let (key, der) = certificate();
        let mut trust = RootCertStore::empty();
        trust.add(der).unwrap();
        let certificate = Certificate::new(key);
        let tls = listener::tls::config(certificate.clone()).unwrap();
        let socket = listener::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let at = socket.local_addr().unwrap();
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        let served = tasks.spawn(listener::serve(vec![socket], tls, router, limits, shutdown.clone()));
        Self { at, trust: Arc::new(trust), certificate, shutdown, tasks, served }
    }

    async fn shake(&self, alpn: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
        self.shake_over(TcpStream::connect(self.at).await?, alpn).await
    }

    async fn shake_over(&self, stream: TcpStream, alpn: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.trust.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let name = pki_types::ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// One request over HTTP/2; the version it was answered in, the status and the body.
    async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Option<(Version, StatusCode, Bytes)> {
        let stream = self.shake(b"h2").await.ok()?;
        let io = TokioIo::new(stream);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.ok()?;
        self.tasks.spawn(connection);
        let mut request = Request::get(format!("https://localhost{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.ok()?;
        let (version, status) = (response.version(), response.status());
        Some((version, status, response.into_body().collect().await.ok()?.to_bytes()))
    }

    async fn close(self) {
        self.shutdown.cancel();
        self.served.await.unwrap().unwrap();
    }
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

/// Whether the peer hangs up within `limit`, whatever it says before.
async fn is_cut(mut stream: impl tokio::io::AsyncRead + Unpin, limit: Duration) -> bool {
    let mut sink = Vec::new();
    timeout(limit, stream.read_to_end(&mut sink)).await.is_ok()
}

fn quick() -> Limits {
    let quick = Duration::from_millis(400);
    Limits { handshake: quick, headers: quick, idle: quick, ..Limits::default() }
}

#[tokio::test]
async fn nothing_older_than_tls_1_3_is_spoken() {
    let _proof = verifies!(CRY04);
    let house = House::open(Limits::default(), hello());
    assert_eq!(probe::old_tls(house.at).await.unwrap(), probe::OldTls::Refused);
    let stream = house.shake(b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    drop(stream);
    house.close().await;
}

#[tokio::test]
async fn plain_http_gets_no_answer_from_the_tls_listener() {
    let house = House::open(quick(), hello());
    let mut stream = TcpStream::connect(house.at).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut said)).await.unwrap().ok();
    assert!(!said.windows(5).any(|part| part == b"HTTP/"), "only a TLS alert may come back");
    house.close().await;
}

#[tokio::test]
async fn http_2_and_http_1_are_agreed_by_alpn() {
    let house = House::open(Limits::default(), hello());
    let (version, status, body) = house.ask("/", &[]).await.unwrap();
    assert_eq!((version, status, &body[..]), (Version::HTTP_2, StatusCode::OK, &b"hello"[..]));

    let mut stream = house.shake(b"http/1.1").await.unwrap();
    let ask = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 200 OK") && said.ends_with("hello"), "{said}");
    house.close().await;
}

/// A hundred that say nothing, a hundred that shake hands and say nothing, a hundred that dribble headers.
#[tokio::test]
async fn three_hundred_half_open_connections_are_all_cut() {
    let _proof = verifies!(WEB05);
    let house = Arc::new(House::open(quick(), hello()));
    let limit = Duration::from_secs(20);
    let mut clients = JoinSet::new();
    for number in 0..300 {
        let house = house.clone();
        clients.spawn(async move {
            match number % 3 {
                0 => is_cut(TcpStream::connect(house.at).await.unwrap(), limit).await,
                // A handshake that was itself too slow on a busy machine was cut as well.
                1 => match house.shake(if number % 2 == 0 { b"h2" } else { b"http/1.1" }).await {
                    Ok(stream) => is_cut(stream, limit).await,
                    Err(_) => true,
                },
                _ => match house.shake(b"http/1.1").await {
                    Ok(stream) => dribble(stream, limit).await,
                    Err(_) => true,
                },
            }
        });
    }
    let cut = clients.join_all().await.into_iter().filter(|cut| *cut).count();
    assert_eq!(cut, 300);
    Arc::into_inner(house).unwrap().close().await;
}

/// Sends a header a byte at a time, for ever; whether that was cut.
async fn dribble(stream: TlsStream<TcpStream>, limit: Duration) -> bool {
    let (read, mut write) = tokio::io::split(stream);
    let feed = async {
        let bytes =
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".iter().copied().chain(std::iter::repeat(b'a'));
        for byte in bytes {
            if write.write_all(&[byte]).await.is_err() || write.flush().await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        cut = is_cut(read, limit) => cut,
        () = feed => false,
    }
}

#[tokio::test]
async fn an_answered_connection_is_closed_when_it_falls_idle() {
    let _proof = verifies!(WEB05);
    let house = House::open(quick(), hello());
    let mut stream = house.shake(b"http/1.1").await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert!(is_cut(stream, Duration::from_secs(10)).await);

    let io = TokioIo::new(house.shake(b"h2").await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), io).await.unwrap();
    let connection = house.tasks.spawn(connection);
    let request = Request::get("https://localhost/").body(Empty::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), StatusCode::OK);
    assert!(timeout(Duration::from_secs(10), connection).await.is_ok(), "the server said goodbye");
    house.close().await;
}

#[tokio::test]
async fn between_requests_a_connection_may_rest_longer_than_its_headers_may_take() {
    let limits = Limits { headers: Duration::from_millis(300), ..Limits::default() };
    let house = House::open(limits, hello());
    let mut stream = house.shake(b"http/1.1").await.unwrap();
    let ask = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut said = [0; 4096];
    for _ in 0..2 {
        stream.write_all(ask).await.unwrap();
        let length = stream.read(&mut said).await.unwrap();
        assert!(said[..length].starts_with(b"HTTP/1.1 200"));
        assert!(!is_cut(&mut stream, Duration::from_millis(900)).await, "it rests, and is not cut");
    }
    // But a second request that dribbles is cut like a first one.
    assert!(dribble(stream, Duration::from_secs(20)).await);
    house.close().await;
}

#[tokio::test]
async fn more_connections_than_the_cap_are_closed_at_once() {
    let _proof = verifies!(WEB05);
    let house = House::open(Limits { connections: 2, ..Limits::default() }, hello());
    let first = house.shake(b"h2").await.unwrap();
    let second = house.shake(b"h2").await.unwrap();
    let third = TcpStream::connect(house.at).await.unwrap();
    assert!(is_cut(third, Duration::from_secs(2)).await, "long before any handshake limit");
    drop((first, second));
    // The places come back when the two are gone.
    let back = async {
        while house.shake(b"h2").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), back).await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn headers_over_sixteen_kibibytes_are_refused_in_both_protocols() {
    let house = House::open(Limits::default(), hello());
    let long = "a".repeat(20 << 10);
    assert!(house.ask("/", &[("x-long", &long)]).await.is_none_or(|answer| answer.1.is_client_error()));

    let mut stream = house.shake(b"http/1.1").await.unwrap();
    let ask = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut said)).await.unwrap().ok();
    assert!(said.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&said));
    assert_eq!(house.ask("/", &[]).await.unwrap().1, StatusCode::OK, "and the server lives");
    house.close().await;
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_restart() {
    let mut house = House::open(Limits::default(), hello());
    assert!(house.shake(b"h2").await.is_ok());
    let (key, der) = certificate();
    house.certificate.replace(key);
    assert!(house.shake(b"h2").await.is_err(), "the old trust no longer fits");
    let mut trust = RootCertStore::empty();
    trust.add(der).unwrap();
    house.trust = Arc::new(trust);
    assert!(house.shake(b"h2").await.is_ok());
    house.close().await;
}

#[tokio::test]
async fn a_drain_lets_a_running_answer_finish_and_takes_no_new_ones() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (begun.clone(), go_on.clone());
    let slow = Router::new().route(
        "/",
        get(move || async move {
            tell.notify_one();
            wait.notified().await;
            "whole"
        }),
    );
    let house = House::open(Limits::default(), slow);
    let (shutdown, at) = (house.shutdown.clone(), house.at);
    let ending = async {
        begun.notified().await;
        shutdown.cancel();
        while TcpStream::connect(at).await.is_ok() {
            tokio::task::yield_now().await;
        }
        go_on.notify_one();
    };
    let (answer, ()) = tokio::join!(house.ask("/", &[]), ending);
    assert_eq!(answer.unwrap().2, "whole");
    timeout(Duration::from_secs(5), house.close()).await.unwrap();
}

#[tokio::test]
async fn a_drain_does_not_wait_for_ever() {
    let begun = Arc::new(Notify::new());
    let tell = begun.clone();
    let endless = Router::new().route(
        "/",
        get(move || async move {
            tell.notify_one();
            std::future::pending::<&str>().await
        }),
    );
    let house = House::open(Limits { drain: Duration::from_millis(200), ..Limits::default() }, endless);
    let start = Instant::now();
    let shutdown = house.shutdown.clone();
    let ending = async {
        begun.notified().await;
        shutdown.cancel();
    };
    let (answer, ()) = tokio::join!(house.ask("/", &[]), ending);
    assert!(answer.is_none());
    house.close().await;
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_cut() {
    let _proof = verifies!(WEB05);
    let endless = || async {
        let piece = Bytes::from(vec![0u8; 64 << 10]);
        let pieces = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
        ([(header::CONTENT_TYPE, "application/octet-stream")], Body::from_stream(pieces))
    };
    let limits = Limits { stalled: Duration::from_millis(300), connections: 1, ..Limits::default() };
    let house = House::open(limits, Router::new().route("/", get(endless)));
    let mut stream = house.shake(b"http/1.1").await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    // Its place is the only one: somebody else gets in once it was cut, though it never hung up.
    let back = async {
        while house.shake(b"h2").await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), back).await.unwrap();
    drop(stream);
    house.close().await;
}

/// A connection over HTTP/2 that makes `window` bytes of room for each answer and no more until they are read.
async fn narrow(house: &House, window: u32) -> (SendRequest<Empty<Bytes>>, JoinHandle<hyper::Result<()>>) {
    let io = TokioIo::new(house.shake(b"h2").await.unwrap());
    let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(window)
        .handshake(io)
        .await
        .unwrap();
    (sender, house.tasks.spawn(connection))
}

fn root() -> Request<Empty<Bytes>> {
    Request::get("https://localhost/").body(Empty::new()).unwrap()
}

/// With no room at all the answer is ready, but not one byte of it may be sent; with room for one, the rest
/// lies in the server. Pings are answered all the while.
#[tokio::test]
async fn an_http_2_client_that_makes_no_room_for_its_answer_is_cut() {
    let _proof = verifies!(WEB05);
    let limits = Limits { stalled: Duration::from_millis(300), ..Limits::default() };
    let house = House::open(limits, hello());
    for window in [0, 1] {
        let (mut sender, connection) = narrow(&house, window).await;
        let response = sender.send_request(root()).await;
        assert!(response.is_ok(), "the head of the answer needs no window");
        let ended = timeout(Duration::from_secs(20), connection).await;
        assert!(ended.is_ok(), "the connection is still held with a window of {window}");
    }
    house.close().await;
}

/// An answer that takes much longer than a connection may be idle, and is never left lying for long.
#[tokio::test]
async fn a_slow_but_steady_reader_gets_everything() {
    const WHOLE: usize = 2 << 20;
    let long = || Router::new().route("/", get(|| async { Bytes::from(vec![7; WHOLE]) }));
    let limits = Limits { idle: Duration::from_millis(100), ..Limits::default() };
    let house = House::open(limits, long());
    let pace = Duration::from_millis(30);

    let over_http_2 = async {
        let (mut sender, _connection) = narrow(&house, 16 << 10).await;
        let mut body = sender.send_request(root()).await.unwrap().into_body();
        let mut came = 0;
        while let Some(frame) = body.frame().await {
            came += frame.unwrap().into_data().unwrap().len();
            tokio::time::sleep(pace).await;
        }
        came
    };
    let over_http_1 = async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 << 10).unwrap();
        let mut stream =
            house.shake_over(socket.connect(house.at).await.unwrap(), b"http/1.1").await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let (mut came, mut piece) = (0, vec![0; 16 << 10]);
        while came < WHOLE {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(length) => came += length,
            }
            tokio::time::sleep(pace).await;
        }
        came
    };
    let (second, first) = tokio::join!(over_http_2, over_http_1);
    assert_eq!(second, WHOLE);
    assert!(first >= WHOLE, "{first}");
    house.close().await;
}

#[tokio::test]
async fn the_plain_listener_leads_pages_and_refuses_the_api() {
    let _proof = verifies!(WEB01);
    let socket = listener::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let at = socket.local_addr().unwrap();
    let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
    let target = redirect::Target { port: 8443, hosts: vec!["localhost".to_owned()] };
    let served = tasks.spawn(redirect::serve(vec![socket], target, Limits::default(), shutdown.clone()));
    for (ask, answer) in
        [("GET /chat", "HTTP/1.1 308"), ("GET /v1/models", "HTTP/1.1 403"), ("POST /sign-in", "HTTP/1.1 403")]
    {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let ask = format!("{ask} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut said = String::new();
        timeout(Duration::from_secs(5), stream.read_to_string(&mut said)).await.unwrap().unwrap();
        assert!(said.starts_with(answer), "{said}");
        assert_eq!(said.contains("location: https://localhost:8443/chat\r\n"), answer.ends_with("308"));
    }
    shutdown.cancel();
    served.await.unwrap().unwrap();
}
