//! An instance of one test's own, its owner's API key, and a client that trusts it.

use std::path::PathBuf;

use domain::{Job, Secret};
use server::{Config, Instance, Outside};

const NAME: &str = "ann";
const PASSWORD: &str = "Correct-Horse-7-Battery";

/// A running instance with the scripted model, and a key to it.
pub(crate) struct Caller {
    pub(crate) instance: Instance,
    pub(crate) key: Secret<String>,
    folder: tempfile::TempDir,
}

impl Caller {
    /// Starts an instance, sets it up and makes a key.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key_file = format!("[keys]\nkey_file = {:?}", folder.path().join("root.key"));
        let config = Config::for_tests(&folder.path().join("data"), &key_file).expect("a configuration");
        let outside = Outside::real();
        let instance = Instance::start(config, outside.clone()).await.expect("an instance that listens");
        let key = key(&instance, &outside).await;
        Self { instance, key, folder }
    }

    /// The address OpenAI's clients call `base_url`.
    pub(crate) fn base_url(&self) -> String {
        format!("{}/v1", self.instance.url())
    }

    /// The certificate authority to trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.instance.authority().expect("a local authority")
    }

    /// A client that trusts the instance.
    pub(crate) fn client(&self) -> reqwest::Client {
        // Another part of the process may have chosen the same one already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let pem = std::fs::read(self.authority()).expect("the authority's certificate");
        let authority = reqwest::Certificate::from_pem(&pem).expect("a certificate");
        let builder = reqwest::Client::builder().tls_certs_only([authority]).no_proxy();
        builder.build().expect("a client")
    }

    /// Ends the instance and removes everything.
    pub(crate) async fn stop(self) {
        self.instance.stop().await;
        drop(self.folder);
    }
}

/// Goes through setup as a person with an authenticator would, then makes a key.
async fn key(instance: &Instance, outside: &Outside) -> Secret<String> {
    let identity = instance.identity();
    let ctx = outside.ctx(Job::Authentication);
    let code = instance.setup_code().expect("a new instance has a setup code");
    let password = Secret::new(PASSWORD.to_owned());
    let pending = identity.begin_setup(&ctx, code, NAME, &password).await.expect("setup begins");
    let typed = pending.secret_base32.expose().replace(' ', "");
    let secret = totp_rs::Secret::try_from_base32(typed).expect("a base32 secret");
    let app = totp_rs::Builder::new().with_secret(secret).build().expect("an authenticator");
    let seconds = u64::try_from(ctx.now().seconds()).expect("a time after 1970");
    let shown = app.generate(seconds).to_string();
    let done = identity.finish_setup(&ctx, &pending.ticket, &shown, "a test").await.expect("setup ends");
    let known =
        identity.recognise_session(&ctx, done.session.token.expose()).await.expect("the store answers");
    let owner = ctx.acting_as(known.expect("the new session is known").actor);
    identity.create_api_key(&owner, "a test").await.expect("a key").token
}
