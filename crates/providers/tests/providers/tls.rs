//! Certificates are verified: a stranger's is refused, the configured authority's is taken.

use std::sync::Arc;

use domain::verifies;
use providers::Error;

use crate::{
    double::{Double, good},
    samples::{ask, endpoint, error_of, text_of, vendors},
};

#[tokio::test]
async fn only_a_certificate_that_can_be_trusted_gets_the_question() {
    let _proof = verifies!(MOD02);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let double = Double::tls(vec![good()], Arc::new(tls)).await;
    let mut config = endpoint(&format!("https://localhost:{}/v1", double.address.port()));

    let error = error_of(&ask(&vendors(config.clone())).await);
    assert_eq!(error, Error::Unreachable { endpoint: "work".into() });
    assert!(double.requests().is_empty(), "neither key nor question was sent");

    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, made.cert.pem()).unwrap();
    config.ca_file = Some(authority);
    assert_eq!(text_of(&ask(&vendors(config)).await), "Hello there");
}
