//! The edge every request crosses, in and out: one middleware around the whole router.
//!
//! On the way in: a request id and a nonce, where it comes from, the Host allow-list, whether and how often
//! that address may ask, no cross-site writes, bounded bodies. On the way out: no panic, no foreign words in errors, the security headers, a line in
//! the log without content. Invariant: no response leaves without having passed [`cross`].

pub mod address;
pub mod answer;
pub mod body;
pub mod cors;
pub mod headers;
pub mod host;
pub mod limit;
pub mod lists;
pub mod origin;
pub(crate) mod shares;
pub mod streams;

use std::{fmt, net::IpAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Ctx, enforced};
use futures::FutureExt;
use http::{StatusCode, request::Parts};
use identity::Verdict;

use crate::{
    App, Problem,
    public::{self, Known},
    session::Jar,
    socket,
};

/// What allows one response's own scripts to run: 128 random bits, fresh for every response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(Arc<str>);

impl Nonce {
    /// A fresh nonce from the randomness of `ctx`.
    #[must_use]
    pub fn fresh(ctx: &Ctx) -> Self {
        Self(URL_SAFE_NO_PAD.encode(ctx.random::<16>()).into())
    }

    /// As it stands in the `nonce` attribute.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the edge gave a request when it arrived; the extractors begin with it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Nobody yet, under this request's id.
    pub ctx: Ctx,
    /// The nonce of the response.
    pub nonce: Nonce,
    /// Cookies for the response.
    pub jar: Jar,
    /// Whether the request was recognised as somebody's.
    pub known: Known,
    /// What the limits say about it.
    pub meter: limit::Meter,
}

impl Arrival {
    /// The arrival of this request; a fresh one where the edge was left out, as in a handler's own test.
    pub fn of(parts: &Parts, app: &App) -> Self {
        parts.extensions.get().cloned().unwrap_or_else(|| Self::now(app))
    }

    fn now(app: &App) -> Self {
        let ctx = app.anonymous();
        let nonce = Nonce::fresh(&ctx);
        Self { ctx, nonce, known: Known::default(), meter: limit::Meter::default(), jar: Jar::default() }
    }

    /// The arrival of a request at the edge.
    fn at_the_edge(app: &App, request: &Request) -> Self {
        let mut arrival = Self::now(app);
        let peer = request.extensions().get::<address::Peer>();
        arrival.ctx.address = peer.map(|peer| app.settings.proxies.client(peer.0, request.headers()));
        arrival.meter = limit::Meter::of(limit::Class::of(request.method(), request.uri().path()));
        arrival
    }
}

/// What the middleware needs beside the application.
#[derive(Clone)]
struct Edge {
    app: App,
    streams: Arc<streams::Places>,
    ground: socket::Ground,
}

/// Puts the edge around every route, and a 404 where there is none.
pub fn around(routes: Router<App>, app: &App) -> Router<App> {
    let streams = Arc::new(streams::Places::new(&app.settings));
    let edge = Edge { app: app.clone(), ground: socket::Ground::of(app, streams.clone()), streams };
    routes
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { StatusCode::METHOD_NOT_ALLOWED })
        // The edge limits bodies itself, raw ones too; a second limit would only contradict it.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(edge, cross))
}

/// One request's way in and out.
async fn cross(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let Edge { app, streams, ground } = edge;
    let arrival = Arrival::at_the_edge(&app, &request);
    let started = arrival.ctx.now();
    let caller = answer::Caller::of(&request, &app.settings);
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    request.extensions_mut().insert(arrival.clone());
    request.extensions_mut().insert(ground);

    let mut fate = body::Fate::default();
    let response = match admit(&app, &arrival, request).await {
        Err(problem) => problem.into_response(),
        Ok((admitted, watched)) => {
            fate = watched;
            match cors::is_preflight(&admitted) {
                true => cors::answer(),
                false => survive(next.run(admitted)).await,
            }
        }
    };
    let response = fate.overrule(response);
    let response = public::hold(&caller.method, route.as_deref(), &arrival.known, response);
    let response = streams.hold(response, &app.identity, arrival.meter.known());
    let mut response = answer::render(response, &caller, &arrival);
    arrival.jar.clone().pour(&mut response);
    headers::put(&mut response, &caller, &arrival, &app.settings);
    arrival.meter.tell(response.headers_mut(), origin::is_api(&caller.path));
    tracing::info!(
        request = %arrival.ctx.request,
        method = %caller.method,
        route = route.as_deref().unwrap_or("none"),
        status = response.status().as_u16(),
        micros = arrival.ctx.now().0 - started.0,
        "answered"
    );
    response
}

/// Everything a request must pass before a handler sees it.
async fn admit(app: &App, arrival: &Arrival, request: Request) -> Result<(Request, body::Fate), Problem> {
    host::check(&request, &app.settings.hosts)?;
    if let Some(address) = arrival.ctx.address {
        receive(app, arrival, address).await?;
    }
    origin::check(&request, &app.settings.cors_origins)?;
    body::bound(request, &app.settings.bodies)
}

/// Whether anything is said about an address, and else how often it asks.
async fn receive(app: &App, arrival: &Arrival, address: IpAddr) -> Result<(), Problem> {
    match app.lists.verdict(address, arrival.ctx.now()) {
        Some(Verdict::Allow) => Ok(()),
        Some(Verdict::Deny) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "address-denied",
            "Not from this address",
            "Requests from your address are not answered at present. \
             If that is a mistake, tell whoever runs this server the reference below.",
        )),
        None => arrival.meter.charge(&app.limits, limit::Who::at(address)).await,
    }
}

/// Runs the handler; a panic becomes a 500 and one line in the log, without what the panic said.
async fn survive(handler: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(response) => response,
        Err(_payload) => {
            enforced!(WEB07);
            tracing::error!("a handler panicked; the line above says where");
            Problem::broken().into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::verifies;

    #[tokio::test]
    async fn a_panic_is_an_answer_without_its_words() {
        let _proof = verifies!(WEB07);
        let response = survive(async { panic!("hunter2") }).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let problem = response.extensions().get::<Problem>().unwrap();
        assert!(problem.code == "internal" && !problem.detail.contains("hunter2"));
    }
}
