//! An instance in this process, and the binary in another.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use reqwest::{Client, Method, RequestBuilder};
use server::{Config, Failure, Instance, Outside};
use tempfile::TempDir;

/// A place on disk for one instance, gone with its test.
pub(crate) struct Place(pub(crate) TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.0.path().join("root.key")
    }

    /// Starts an instance here, with `more` configuration.
    pub(crate) async fn start(&self, more: &str) -> Result<Instance, Failure> {
        Instance::start(Config::for_tests(&self.data(), more)?, Outside::real()).await
    }

    /// The binary, on this place, with nothing of this machine's own settings.
    pub(crate) fn troth(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_troth"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.0.path())
            .env("TROTH_DATA", self.data())
            .env("TROTH_KEYS__KEY_FILE", self.key_file())
            .env("TROTH_WEB__LISTEN", "127.0.0.1:0")
            .env("TROTH_MODELS__LOCAL__ENABLED", "false")
            .env("TROTH_MODELS__SCRIPTED", "true")
            .current_dir(self.0.path());
        command
    }

    /// What the binary said when it was refused: its sentence, without this test's paths, and its exit code.
    pub(crate) fn refusal(&self, output: &Output) -> String {
        let said =
            String::from_utf8_lossy(&output.stderr).replace(&self.0.path().display().to_string(), "PLACE");
        format!("{} (exit {})", said.trim(), output.status.code().unwrap())
    }
}

/// A client that trusts the instance and nothing else, follows nothing and keeps nothing.
pub(crate) struct Stranger {
    http: Client,
    url: String,
}

impl Stranger {
    pub(crate) fn at(instance: &Instance) -> Self {
        Self::with(instance, |builder| builder)
    }

    pub(crate) fn with(
        instance: &Instance,
        more: fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let pem = std::fs::read(instance.authority().unwrap()).unwrap();
        let builder = Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
            .redirect(reqwest::redirect::Policy::none())
            .resolve("localhost", instance.addresses()[0])
            .no_proxy();
        Self {
            http: more(builder).build().unwrap(),
            url: format!("https://localhost:{}", instance.addresses()[0].port()),
        }
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.ask(Method::GET, path)
    }

    /// A write as our own pages send it.
    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.ask(Method::POST, path).header("sec-fetch-site", "same-origin")
    }
}

/// The permission bits of a path.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).unwrap().mode() & 0o777
}
