//! The ways an answer can take to the same client.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Context;
use futures::StreamExt;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    instance::Instance,
    proxy::Proxy,
    upstream::{FIRST, Upstream},
};

/// The longest one answer may take.
const LONGEST: Duration = Duration::from_secs(30);

/// Questions to one conversation before the next is begun.
const QUESTIONS: usize = 10;

/// One way.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) name: &'static str,
    way: Way,
}

#[derive(Clone)]
enum Way {
    /// `POST …/chat/completions`, as programs ask.
    Completions { client: Client, url: String, key: Option<String>, prefix: &'static str },
    /// The chat page's own request: its answer begins when the question is durable, then comes word by word.
    Chat { instance: Arc<Instance>, going_on: Arc<Mutex<Vec<Conversation>>> },
}

/// A conversation that has room for more questions.
struct Conversation {
    id: String,
    questions: usize,
}

/// A question on its way.
struct Sent {
    response: Response,
    taken: Instant,
    /// What was read of it already.
    head: Vec<u8>,
    conversation: Option<Conversation>,
}

/// When things happened, in seconds since the question was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// The question was taken; in the chat: it is durable.
    pub(crate) taken: f64,
    pub(crate) first: f64,
    pub(crate) whole: f64,
}

/// All routes there are, the direct one first.
pub(crate) fn all(
    upstream: &Upstream,
    proxy: Option<&Proxy>,
    instance: Instance,
) -> anyhow::Result<Vec<Route>> {
    let direct = Way::Completions {
        client: client(None)?,
        url: format!("http://{}/v1/chat/completions", upstream.address),
        key: None,
        prefix: "",
    };
    let mut routes = vec![Route { name: "upstream, no TLS", way: direct }];
    if let Some(proxy) = proxy {
        let way = Way::Completions {
            client: client(Some(&proxy.certificate))?,
            url: format!("https://localhost:{}/v1/chat/completions", proxy.address.port()),
            key: None,
            prefix: "",
        };
        routes.push(Route { name: "nginx, TLS", way });
    }
    routes.push(completions(&instance)?);
    routes.push(chat(Arc::new(instance)));
    Ok(routes)
}

/// The route through the chat page.
pub(crate) fn chat(instance: Arc<Instance>) -> Route {
    Route { name: "Troth, chat", way: Way::Chat { instance, going_on: Arc::default() } }
}

/// The route through `/v1`.
pub(crate) fn completions(instance: &Instance) -> anyhow::Result<Route> {
    let way = Way::Completions {
        client: client(Some(&instance.authority))?,
        url: format!("{}/v1/chat/completions", instance.base),
        key: Some(instance.key.clone()),
        prefix: "bench/",
    };
    Ok(Route { name: "Troth, /v1", way })
}

/// The one kind of client: HTTP/2 where the other side offers it, connections kept.
pub(crate) fn client(trusted: Option<&Path>) -> anyhow::Result<Client> {
    let mut builder = Client::builder().no_proxy().tcp_nodelay(true);
    if let Some(path) = trusted {
        builder = builder.tls_certs_only([Certificate::from_pem(&fs::read(path)?)?]);
    }
    Ok(builder.build()?)
}

/// A client that speaks HTTP/1.1 alone, over which a socket can be opened.
pub(crate) fn http1(trusted: &Path) -> anyhow::Result<Client> {
    let authority = Certificate::from_pem(&fs::read(trusted)?)?;
    Ok(Client::builder().no_proxy().tcp_nodelay(true).http1_only().tls_certs_only([authority]).build()?)
}

impl Route {
    /// Asks `model` and reads the answer to its end.
    pub(crate) async fn ask(&self, model: &str) -> anyhow::Result<Times> {
        let asking = timeout(LONGEST, self.ask_at_leisure(model)).await;
        asking.with_context(|| format!("{}: no end within {LONGEST:?}", self.name))?
    }

    /// Asks `model` and reads up to the first word; the answer stays open.
    pub(crate) async fn open(&self, model: &str) -> anyhow::Result<Response> {
        let opening = timeout(LONGEST, self.open_at_leisure(model)).await;
        opening.with_context(|| format!("{}: no first word within {LONGEST:?}", self.name))?
    }

    async fn ask_at_leisure(&self, model: &str) -> anyhow::Result<Times> {
        let asked = Instant::now();
        let Sent { response, taken, head, conversation } = self.send(model).await?;
        let taken = taken.duration_since(asked).as_secs_f64();
        let mut watch = FirstWord::default();
        let mut first = watch.seen_in(&head).then_some(taken);
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            if first.is_none() && watch.seen_in(&piece?) {
                first = Some(asked.elapsed().as_secs_f64());
            }
        }
        let first = first.with_context(|| format!("{}: an answer without its first word", self.name))?;
        self.go_on_with(conversation);
        Ok(Times { taken, first, whole: asked.elapsed().as_secs_f64() })
    }

    /// Leaves a conversation whose answer has come for the next question, unless it is long by now.
    fn go_on_with(&self, conversation: Option<Conversation>) {
        let Way::Chat { going_on, .. } = &self.way else { return };
        let short = conversation.filter(|conversation| conversation.questions < QUESTIONS);
        if let (Some(conversation), Ok(mut going_on)) = (short, going_on.lock()) {
            going_on.push(conversation);
        }
    }

    async fn open_at_leisure(&self, model: &str) -> anyhow::Result<Response> {
        let Sent { mut response, head, .. } = self.send(model).await?;
        let mut watch = FirstWord::default();
        if watch.seen_in(&head) {
            return Ok(response);
        }
        while let Some(piece) = response.chunk().await? {
            if watch.seen_in(&piece) {
                return Ok(response);
            }
        }
        anyhow::bail!("{}: an answer without its first word", self.name)
    }

    /// A route with connections of its own.
    pub(crate) fn with_client(&self, fresh: Client) -> Self {
        let mut route = self.clone();
        if let Way::Completions { client, .. } = &mut route.way {
            *client = fresh;
        }
        route
    }

    /// Whether this is the chat, where one person's answers at once are few.
    pub(crate) const fn is_chat(&self) -> bool {
        matches!(self.way, Way::Chat { .. })
    }

    async fn send(&self, model: &str) -> anyhow::Result<Sent> {
        let response = match &self.way {
            Way::Completions { client, url, key, prefix } => {
                let body = json!({
                    "model": format!("{prefix}{model}"),
                    "stream": true,
                    "messages": [{"role": "user", "content": "A question of an ordinary length, is it not?"}],
                });
                let mut request = client.post(url).json(&body);
                if let Some(key) = key {
                    request = request.bearer_auth(key);
                }
                good(request).await.map(|response| Sent {
                    response,
                    taken: Instant::now(),
                    head: Vec::new(),
                    conversation: None,
                })
            }
            Way::Chat { instance, going_on } => in_chat(instance, going_on, model).await,
        };
        response.with_context(|| self.name)
    }
}

/// Asks in the chat, in a conversation that nobody else is using, and begins to watch.
async fn in_chat(
    instance: &Instance,
    going_on: &Mutex<Vec<Conversation>>,
    model: &str,
) -> anyhow::Result<Sent> {
    let before = going_on.lock().ok().and_then(|mut conversations| conversations.pop());
    let question = json!({
        "conversation": before.as_ref().map(|before| &before.id),
        "temporary": false,
        "model": format!("bench/{model}"),
        "say": {"text": "A question of an ordinary length, is it not?"},
        "edit": null,
        "regenerate": null,
    });
    let asking = instance.client.request(Method::POST, "/chat/api/ask");
    let mut response = good(asking.header("accept", "text/event-stream").json(&question)).await?;
    let taken = Instant::now();
    let begun = response.chunk().await?.context("no turn was begun")?;
    let id = begun_in(&begun)?;
    let questions = before.map_or(0, |before| before.questions) + 1;
    Ok(Sent { response, taken, head: begun.to_vec(), conversation: Some(Conversation { id, questions }) })
}

/// The conversation named by the first event of an answer.
fn begun_in(event: &[u8]) -> anyhow::Result<String> {
    let event = std::str::from_utf8(event)?;
    let data = event.lines().find_map(|line| line.strip_prefix("data: ")).context("no turn was begun")?;
    let begun: Value = serde_json::from_str(data)?;
    Ok(begun["conversation"].as_str().context("a turn without a conversation")?.to_owned())
}

async fn good(request: RequestBuilder) -> anyhow::Result<Response> {
    let response = request.send().await?;
    let status = response.status();
    if !status.is_success() {
        let said = response.text().await.unwrap_or_default();
        let said: String = said.chars().take(300).collect();
        anyhow::bail!("status {status}: {said}");
    }
    Ok(response)
}

/// Looks for the first word, which may be cut by the network.
#[derive(Default)]
struct FirstWord(Vec<u8>);

impl FirstWord {
    fn seen_in(&mut self, piece: &[u8]) -> bool {
        self.0.extend_from_slice(piece);
        let seen = self.0.windows(FIRST.len()).any(|window| window == FIRST.as_bytes());
        let keep = self.0.len().saturating_sub(FIRST.len());
        self.0.drain(..keep);
        seen
    }
}
