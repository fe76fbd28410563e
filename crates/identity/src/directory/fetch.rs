//! How this room asks another service without an HTTP client of its own: the server hands one in.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use openidconnect::AsyncHttpClient;

pub use openidconnect::{HttpRequest, HttpResponse};

/// The service could not be asked. The client that was handed in has said why in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service could not be asked")]
pub struct FetchFailed;

/// An answer on its way.
type Sent = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchFailed>> + Send>>;

/// Sends one request and reads its answer, within limits of its own.
#[derive(Clone)]
pub struct Fetch(Arc<dyn Fn(HttpRequest) -> Sent + Send + Sync>);

impl Fetch {
    /// A client made of a closure.
    pub fn new<F, Fut>(send: F) -> Self
    where
        F: Fn(HttpRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HttpResponse, FetchFailed>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(send(request))))
    }
}

impl<'c> AsyncHttpClient<'c> for Fetch {
    type Error = FetchFailed;
    type Future = Sent;

    fn call(&'c self, request: HttpRequest) -> Sent {
        (self.0)(request)
    }
}

impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetch")
    }
}
