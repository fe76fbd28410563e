//! An instance of one test's own, and a person who set it up and made an API key.

use std::path::PathBuf;

use server::{Config, Instance, Outside};
use testkit::Client;

/// A running instance with the scripted model, and a key to it.
pub(crate) struct Caller {
    pub(crate) instance: Instance,
    pub(crate) key: String,
    folder: tempfile::TempDir,
}

impl Caller {
    /// Starts an instance, sets it up and makes a key, as a person does in the browser.
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same with `more` configuration.
    pub(crate) async fn start_with(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key_file = format!("[keys]\nkey_file = {:?}\n{more}", folder.path().join("root.key"));
        let config = Config::for_tests(&folder.path().join("data"), &key_file).expect("a configuration");
        let instance = Instance::start(config, Outside::real()).await.expect("an instance that listens");
        let mut person = Client::new(&instance.url(), &authority(&instance));
        let code = instance.setup_code().expect("a new instance has a setup code").expose().clone();
        person.set_up(&code, "ann", "Correct-Horse-7-Battery").await;
        let key = person.make_key("a test").await;
        Self { instance, key, folder }
    }

    /// The address OpenAI's clients call `base_url`.
    pub(crate) fn base_url(&self) -> String {
        format!("{}/v1", self.instance.url())
    }

    /// The certificate authority to trust.
    pub(crate) fn authority(&self) -> PathBuf {
        authority(&self.instance)
    }

    /// Ends the instance and removes everything.
    pub(crate) async fn stop(self) {
        self.instance.stop().await;
        drop(self.folder);
    }
}

fn authority(instance: &Instance) -> PathBuf {
    instance.authority().expect("a local authority")
}
