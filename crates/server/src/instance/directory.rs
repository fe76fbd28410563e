//! Hands `identity` the client it asks sign-in services with: one for each connection, with its own
//! authority, from the room where the HTTP client lives.

use identity::{Fetch, FetchFailed, HttpRequest, HttpResponse, Sso, SsoConfig};
use providers::errand::{Errand, Failed, Question};

use crate::failure::Failure;

/// A connection of the configuration and its client.
pub(super) fn sso(config: &SsoConfig) -> Result<Sso, Failure> {
    let errand = Errand::new(config.ca_file.as_deref(), config.allow_plain_http_loopback)?;
    let connection = config.name.clone();
    let fetch = Fetch::new(move |request| {
        let (errand, connection) = (errand.clone(), connection.clone());
        async move {
            send(&errand, request).await.map_err(|failed| {
                tracing::warn!(connection, %failed, "a sign-in service could not be asked");
                FetchFailed
            })
        }
    });
    Ok(Sso { config: config.clone(), fetch })
}

async fn send(errand: &Errand, request: HttpRequest) -> Result<HttpResponse, Failed> {
    let (parts, body) = request.into_parts();
    let url = parts.uri.to_string();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let question = Question { method: parts.method.as_str(), url: &url, headers, body };
    let answer = errand.run(question).await?;
    let mut response = HttpResponse::new(answer.body);
    *response.status_mut() = answer.status.try_into().map_err(|_| Failed::Broke)?;
    if let Some(kind) = answer.content_type {
        let kind = kind.parse().map_err(|_| Failed::Broke)?;
        response.headers_mut().insert("content-type", kind);
    }
    Ok(response)
}
