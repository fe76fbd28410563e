//! An instance whose clock the test moves, and its owner at a browser.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::{Clock, Timestamp};
use server::{Config, Instance, Outside};
use testkit::Client;

pub(crate) const NAME: &str = "Ada Lovelace";
pub(crate) const PASSWORD: &str = "Quiet-Harbour-47";

/// An instance of one test's own, with its owner signed in.
pub(crate) struct House {
    pub(crate) instance: Instance,
    pub(crate) person: Client,
    clock: Clock,
    ahead: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl House {
    /// Starts it with `more` configuration.
    pub(crate) async fn open(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = format!("{more}\n[keys]\nkey_file = {:?}\n", folder.path().join("root.key"));
        let config = Config::for_tests(&folder.path().join("data"), &settings).unwrap();
        let (real, ahead) = (Outside::real(), Arc::new(AtomicI64::new(0)));
        let clock = Clock::new({
            let (clock, ahead) = (real.clock.clone(), Arc::clone(&ahead));
            move || Timestamp(clock.now().0 + ahead.load(Ordering::SeqCst))
        });
        let outside = Outside { clock: clock.clone(), entropy: real.entropy };
        let instance = Instance::start(config, outside).await.unwrap();
        let mut person =
            Client::new(&instance.url(), &instance.authority().unwrap()).with_clock(clock.clone());
        let code = instance.setup_code().unwrap().expose().clone();
        person.set_up(&code, NAME, PASSWORD).await;
        Self { instance, person, clock, ahead, _folder: folder }
    }

    /// Moves the clock.
    pub(crate) fn pass(&self, seconds: i64) {
        self.ahead.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Another browser in front of the same instance.
    pub(crate) fn browser(&self) -> Client {
        Client::new(&self.instance.url(), &self.instance.authority().unwrap()).with_clock(self.clock.clone())
    }
}
