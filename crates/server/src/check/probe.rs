//! The client the checks ask with. It trusts one certificate: the very one this instance shows.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use assure::Unanswered;
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use rustls::{
    DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::instance::Face;

/// Asks one instance over its own HTTPS.
pub(super) struct Probe {
    client: Client,
    port: u16,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    /// A header, empty when it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether any header's name begins so.
    pub(super) fn has_header_like(&self, start: &str) -> bool {
        self.headers.keys().any(|name| name.as_str().starts_with(start))
    }
}

impl Probe {
    /// Sends a request. Where a limit or a list is in the way, nothing was learnt about anything else.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, Unanswered> {
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await?;
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Unanswered::because(
                "too many requests come from this machine; ask again in a minute",
            ));
        }
        if status == StatusCode::FORBIDDEN && text.contains("address-denied") {
            return Err(Unanswered::because("this machine's own address is kept out by the address lists"));
        }
        Ok(Answer { status, headers, text })
    }

    pub(super) fn of(face: &Face) -> Result<Self, Unanswered> {
        let address = local(face)?;
        let leaf = face.certificate.current().cert.first().cloned();
        let leaf = leaf.ok_or_else(|| Unanswered::because("there is no certificate"))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned { leaf, provider }))
            .with_no_client_auth();
        // HTTP/1.1, so that a check can say any Host it likes; redirects are answers, not invitations.
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .no_proxy()
            .resolve("localhost", address)
            .redirect(Policy::none())
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { client, port: address.port() })
    }

    pub(super) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("https://localhost:{}{path}", self.port))
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.ask(Method::GET, path)
    }
}

/// An address this machine reaches the instance at.
pub(super) fn local(face: &Face) -> Result<SocketAddr, Unanswered> {
    let mut address = *face.addresses.first().ok_or_else(|| Unanswered::because("nothing listens"))?;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    Ok(address)
}

/// Accepts one certificate, whoever issued it, and checks that the other side holds its key.
struct Pinned {
    leaf: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pinned")
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *shown == self.leaf {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
