//! A program that holds a call over the Agent wire, in writing, for tests of what staff see of it.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{SinkExt, StreamExt};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde_json::{Value, json};
use server::Instance;
use tokio::{
    sync::{Notify, mpsc},
    time::timeout,
};
use tokio_tungstenite::{
    Connector, connect_async_tls_with_config,
    tungstenite::{Message, client::IntoClientRequest},
};
use tokio_util::task::TaskTracker;

/// How long anything may take, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the wire wants to hear that somebody is there.
const ALIVE: Duration = Duration::from_secs(5);

/// One call.
pub(crate) struct Line {
    says: mpsc::UnboundedSender<Message>,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    messages: Mutex<Vec<Value>>,
    over: Mutex<bool>,
    more: Notify,
}

impl Line {
    /// Calls `instance` with `key`; `authority` is the certificate to trust.
    pub(crate) async fn call(instance: &Instance, authority: &Path, key: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let address = format!("wss://localhost:{}/v1/agent/converse", instance.addresses()[0].port());
        let mut request = address.into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Token {key}").parse().unwrap());
        let connector = Connector::Rustls(Arc::new(config));
        let opened = connect_async_tls_with_config(request, None, false, Some(connector)).await;
        let (mut sink, mut stream) = opened.unwrap().0.split();
        let (says, mut said) = mpsc::unbounded_channel::<Message>();
        let told = Arc::<Told>::default();
        let tasks = TaskTracker::new();
        tasks.spawn(async move {
            let alive = Message::text(json!({ "type": "KeepAlive" }).to_string());
            loop {
                let next = match timeout(ALIVE, said.recv()).await {
                    Ok(Some(message)) => message,
                    Ok(None) => break,
                    Err(_) => alive.clone(),
                };
                if sink.send(next).await.is_err() {
                    break;
                }
            }
            drop(sink.close().await);
        });
        let hears = Arc::clone(&told);
        tasks.spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                if let Message::Text(text) = message {
                    hears.messages.lock().unwrap().push(serde_json::from_str(&text).unwrap());
                    hears.more.notify_waiters();
                }
            }
            *hears.over.lock().unwrap() = true;
            hears.more.notify_waiters();
        });
        let line = Self { says, told };
        let voice = json!({ "encoding": "linear16", "sample_rate": 16_000 });
        let out = json!({ "encoding": "linear16", "sample_rate": 8_000, "container": "none" });
        line.send(&json!({ "type": "Settings", "audio": { "input": voice, "output": out }, "agent": {} }));
        line.until(|one| one["type"] == "SettingsApplied").await;
        line
    }

    fn send(&self, message: &Value) {
        self.says.send(Message::text(message.to_string())).unwrap();
    }

    /// Says something in writing.
    pub(crate) fn write(&self, text: &str) {
        self.send(&json!({ "type": "InjectUserMessage", "content": text }));
    }

    /// Waits until something was told.
    pub(crate) async fn until(&self, what: impl Fn(&Value) -> bool) {
        self.wait(|told| told.messages.lock().unwrap().iter().any(&what)).await;
    }

    /// Waits until the agent has said `text`.
    pub(crate) async fn hears(&self, text: &str) {
        let said = |one: &Value| one["content"].as_str().is_some_and(|said| said.contains(text));
        self.until(|one| one["type"] == "ConversationText" && one["role"] == "assistant" && said(one)).await;
    }

    /// Waits until a warning of this code came.
    pub(crate) async fn warned(&self, code: &str) {
        self.until(|one| one["type"] == "Warning" && one["code"] == code).await;
    }

    /// Waits for the end.
    pub(crate) async fn ends(&self) {
        self.wait(|told| *told.over.lock().unwrap()).await;
    }

    async fn wait(&self, what: impl Fn(&Told) -> bool) {
        let wait = async {
            loop {
                let more = self.told.more.notified();
                tokio::pin!(more);
                // Before looking, or what comes in between would not be noticed.
                more.as_mut().enable();
                if what(&self.told) {
                    return;
                }
                more.await;
            }
        };
        let came = timeout(PATIENCE, wait).await;
        assert!(came.is_ok(), "it was never told: {:?}", self.told.messages.lock().unwrap());
    }
}
