//! A running instance: everything wired together, from the data folder to the listening socket.
//!
//! The binary and the tests start the same thing. Invariant: [`Instance::start`] either returns an
//! instance that listens, or a sentence, and in that case nothing that was there before was changed.

mod background;
mod control;
mod directory;

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use domain::{Job, Secret, model::Place};
use keys::Keyring;
use providers::{Providers, speech::Speech};
use store::{FolderLock, Location, Store};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use web::{
    edge::{
        limit::{Limits, shared::Shared},
        lists::Lists,
    },
    listener::{self, redirect, tls::Certificate},
};

use crate::{
    check,
    config::{Config, LimitsSection},
    failure::{Exit, Failure, disk},
    folder::Folder,
    mail::Post,
    outside::Outside,
    protector,
    tls::{Desk, Issued},
};

pub use control::{AddressOrder, Answer, CustomerOrder, ask};

/// Longest wait for background work after the listener has drained.
const LAST_WORK: Duration = Duration::from_secs(5);

/// What an instance shows to the outside and leaves on disk: all that a check may look at. It holds no
/// service, so that checks, which services hold, do not keep the instance alive.
#[derive(Clone)]
pub(crate) struct Face {
    pub(crate) config: Arc<Config>,
    pub(crate) folder: Folder,
    pub(crate) certificate: Arc<Certificate>,
    pub(crate) addresses: Arc<[SocketAddr]>,
    pub(crate) redirects: Arc<[SocketAddr]>,
    pub(crate) limits: Limits,
    pub(crate) lists: Arc<Lists>,
}

impl Face {
    /// The address for people.
    pub(crate) fn url(&self) -> String {
        url(&self.config, &self.addresses)
    }

    /// The way to the mail server, when one is configured.
    ///
    /// # Errors
    /// [`Exit::Configuration`] when its authority cannot be read.
    pub(crate) fn post(&self) -> Result<Option<Post>, Failure> {
        let address = || self.config.identity.address.clone().unwrap_or_else(|| self.url());
        let links = self.config.mail.links.clone().unwrap_or_else(address);
        Post::new(&self.config.mail, links, self.config.identity.issuer.clone())
    }
}

/// What everything in the background may need.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) face: Face,
    pub(crate) outside: Outside,
    pub(crate) store: Store,
    providers: Providers,
    identity: identity::Identity,
    assistant: assistant::Assistant,
    privacy: privacy::Privacy,
    assure: assure::Assure,
    desk: Arc<Desk>,
    pub(crate) shutdown: CancellationToken,
}

/// What an instance is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// To be one: what is due is done.
    ToServe,
    /// To be looked at: nothing about it is changed.
    ToLook,
}

/// An instance that listens.
pub struct Instance {
    house: House,
    tasks: TaskTracker,
    serving: Vec<tokio::task::JoinHandle<std::io::Result<()>>>,
    setup_code: Option<Secret<String>>,
    is_new_authority: bool,
}

impl Instance {
    /// Opens everything, begins to listen and to work. Models are fetched and loaded afterwards, in the
    /// background.
    ///
    /// # Errors
    /// One sentence and one suggestion, with the exit code for it.
    pub async fn start(config: Config, outside: Outside) -> Result<Self, Failure> {
        let mut instance = Self::open(config, outside, Opening::ToServe).await?;
        let house = &instance.house;
        house.identity.note_profile(&house.outside.ctx(Job::Setup)).await?;
        instance.setup_code = house.identity.issue_setup_code(&house.outside.ctx(Job::Setup)).await?;
        background::start(house, &instance.tasks, house.face.post()?);
        Ok(instance)
    }

    /// Opens an instance that is not running and listens, for a look at it: it does nothing by itself, sends no
    /// mail, clears nothing away, and leaves its folder, its tables and its certificate as they are.
    ///
    /// # Errors
    /// As for [`Self::start`], and when another version or nobody has brought them into their form.
    pub(crate) async fn look(config: Config, outside: Outside) -> Result<Self, Failure> {
        Self::open(config, outside, Opening::ToLook).await
    }

    async fn open(config: Config, outside: Outside, opening: Opening) -> Result<Self, Failure> {
        let policies = config.identity.policies()?;
        let folder = match opening {
            Opening::ToServe => Folder::prepare(&config.data)?,
            Opening::ToLook => Folder::existing(&config.data)?,
        };
        // Wherever the rows are: the keyring, the certificates and the control socket are in this folder.
        let lock = FolderLock::take(folder.path())?;
        let (keyring, _is_new) = protector::keyring(&folder, &config.keys, &outside.entropy)?;
        let keyring = Arc::new(keyring);
        let store = open_store(&config, lock, keyring.clone(), &outside, opening).await?;
        let sockets = bind(&config.web.listen)?;
        let plain = bind(&config.web.redirect)?;
        let desk = Desk::new(folder.clone(), keyring, &config.web, config.numbers.certificate_days);
        let Issued { key, is_new_authority, .. } = match opening {
            Opening::ToServe => desk.certificate(&outside.ctx(Job::Setup))?,
            Opening::ToLook => desk.as_it_is()?,
        };
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let providers = Providers::start(config.models.clone(), &tasks, outside.clock.clone())?;
        let shared = shared_limits(&config.web.limits).await?;
        let house = House {
            identity: identity::Identity::new(store.clone(), identity_config(&config, policies, &sockets)?)?,
            assistant: assistant::Assistant::with_desk(
                store.clone(),
                providers.clone(),
                tasks.clone(),
                assistant::Limits::of(&config.numbers),
                config.desk.desk(&config.numbers, config.mail.server.is_some())?,
            ),
            privacy: privacy::Privacy::new(store.clone(), offer(providers.speech()))?,
            assure: assure::Assure::new(store.clone(), config.numbers.clone())?,
            face: Face {
                limits: Limits::new(&config.numbers, shared),
                lists: Arc::new(Lists::new(&config.web.deny, &config.web.allow)),
                certificate: Certificate::new(key),
                addresses: addresses(&sockets),
                redirects: addresses(&plain),
                config: Arc::new(config),
                folder,
            },
            desk: Arc::new(desk),
            outside,
            store,
            providers,
            shutdown,
        };
        let (speech, started) = (house.providers.speech(), house.outside.ctx(Job::Checks).now());
        let House { assure, face, identity, assistant, store, .. } = &house;
        check::register(assure, face, identity, speech, assistant, store, started);
        house.face.lists.refresh(&house.identity, &house.outside.ctx(Job::Upkeep)).await?;
        let serving = serve(&house, &tasks, sockets, plain)?;
        Ok(Self { house, tasks, serving, setup_code: None, is_new_authority })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.house.face.addresses
    }

    /// Where its plain listener leads people from, if it has one.
    #[must_use]
    pub fn redirects(&self) -> &[SocketAddr] {
        &self.house.face.redirects
    }

    /// The address for people.
    #[must_use]
    pub fn url(&self) -> String {
        self.house.face.url()
    }

    /// The code that makes the first account, while there is none. Works once.
    #[must_use]
    pub fn setup_code(&self) -> Option<&Secret<String>> {
        self.setup_code.as_ref()
    }

    /// The local authority's certificate, for browsers to trust; `None` with an operator's own.
    #[must_use]
    pub fn authority(&self) -> Option<PathBuf> {
        self.house.desk.authority_file()
    }

    /// Whether that authority was made just now.
    #[must_use]
    pub fn is_new_authority(&self) -> bool {
        self.is_new_authority
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.house.face.folder
    }

    /// The models, for showing how far they are.
    #[must_use]
    pub fn providers(&self) -> &Providers {
        &self.house.providers
    }

    /// Who people are, for tests that need an account without clicking one together.
    #[must_use]
    pub fn identity(&self) -> &identity::Identity {
        &self.house.identity
    }

    /// Conversations and customers, for tests that need some nobody has typed in.
    #[must_use]
    pub fn assistant(&self) -> &assistant::Assistant {
        &self.house.assistant
    }

    /// What people agree to, for tests that need somebody who has.
    #[must_use]
    pub fn privacy(&self) -> &privacy::Privacy {
        &self.house.privacy
    }

    /// The rows, for tests that need people nobody has clicked together.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.house.store
    }

    /// Asks every check of the policy.
    ///
    /// # Errors
    /// When the findings cannot be kept.
    pub async fn verify(&self) -> Result<assure::Report, Failure> {
        Ok(self.house.assure.run_checks(&self.house.outside.ctx(Job::Checks)).await?)
    }

    /// Ends: takes nothing new, lets running answers finish within the drain time, closes the store.
    pub async fn stop(self) {
        let Self { house, tasks, serving, .. } = self;
        house.shutdown.cancel();
        for served in serving {
            // A listener that broke has said so in the log already; the end goes on.
            let _ = served.await;
        }
        house.assistant.drain();
        house.providers.stop();
        tasks.close();
        if tokio::time::timeout(LAST_WORK, tasks.wait()).await.is_err() {
            tracing::warn!("some work in the background did not end in time");
        }
        house.store.close().await;
    }
}

async fn open_store(
    config: &Config,
    lock: FolderLock,
    keyring: Arc<Keyring>,
    outside: &Outside,
    opening: Opening,
) -> Result<Store, Failure> {
    let location = match &config.store.postgres {
        Some(url) => Location::Postgres { url: url.clone() },
        None => Location::Embedded { folder: lock.folder().to_owned() },
    };
    let ctx = outside.ctx(Job::Setup);
    Ok(match opening {
        Opening::ToServe => Store::open_locked(&location, lock, keyring, &ctx).await?,
        Opening::ToLook => Store::open_as_it_is(&location, lock, keyring, &ctx).await?,
    })
}

/// What people can be asked about here: third parties that hear or speak, by the hosts they are reached at.
fn offer(speech: &Speech) -> privacy::Offer {
    let away = speech.facts().into_iter().filter_map(|facts| match facts.place {
        Place::Endpoint { host, loopback: false } => Some(host),
        Place::Endpoint { .. } | Place::ThisMachine => None,
    });
    privacy::Offer { shares_with: away.collect() }
}

/// The address for people: the first name of the configuration, the first port that listens.
fn url(config: &Config, addresses: &[SocketAddr]) -> String {
    let port = addresses.first().map_or(443, SocketAddr::port);
    let host = config.web.hosts.first().map_or("localhost", String::as_str);
    if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") }
}

fn identity_config(
    config: &Config,
    policies: Option<identity::Policies>,
    sockets: &[TcpListener],
) -> Result<identity::Config, Failure> {
    let section = &config.identity;
    let defaults = identity::Hashing::default();
    let sso = section.sso.iter().map(directory::sso).collect::<Result<_, _>>()?;
    Ok(identity::Config {
        numbers: config.numbers.clone(),
        hashing: identity::Hashing {
            memory_kib: section.hash_memory_kib,
            passes: section.hash_passes,
            at_once: section.hashes_at_once,
            ..defaults
        },
        answer_grid: Duration::from_millis(section.answer_grid_ms),
        issuer: section.issuer.clone(),
        address: section.address.clone().unwrap_or_else(|| url(config, &addresses(sockets))),
        sso,
        require_second_factor: section.require_second_factor,
        password_profile: section.password_profile,
        pepper: section.pepper,
        passkey_origins: passkey_origins(config, sockets),
        sends_mail: config.mail.server.is_some(),
        policies,
    })
}

/// Where passkeys are made and shown: every host name we answer to, at the ports we listen on and at the
/// usual one, and what the configuration adds. Browsers give none to bare addresses.
fn passkey_origins(config: &Config, sockets: &[TcpListener]) -> Vec<String> {
    let ports: Vec<u16> = addresses(sockets).iter().map(SocketAddr::port).chain([443]).collect();
    let is_name = |host: &String| host.parse::<std::net::IpAddr>().is_err();
    let hosts = config.web.all_hosts().into_iter().filter(is_name);
    let at_ports = |host: String| ports.clone().into_iter().map(move |port| format!("https://{host}:{port}"));
    let mut origins: Vec<String> = hosts.flat_map(at_ports).collect();
    origins.extend(config.identity.passkey_origins.iter().cloned());
    origins.sort();
    origins.dedup();
    origins
}

/// Binds every address. One that this machine has no such protocol for is left out if another is there.
fn bind(wanted: &[SocketAddr]) -> Result<Vec<TcpListener>, Failure> {
    use std::io::ErrorKind as K;
    let (mut bound, mut missing) = (Vec::new(), None);
    for address in wanted {
        match listener::bind(*address) {
            Ok(socket) => bound.push(socket),
            Err(error) if error.kind() == K::AddrInUse => {
                return Err(Failure::new(
                    Exit::InUse,
                    format!("The address {address} is in use by another program."),
                )
                .then("Stop that program, or choose another port, for example --listen localhost:9443."));
            }
            Err(error) if error.kind() == K::PermissionDenied => {
                return Err(Failure::new(Exit::InUse, format!("This account may not listen on {address}."))
                    .then("Choose a port above 1023, for example --listen localhost:8443."));
            }
            Err(error) => missing = Some((address, error.kind())),
        }
    }
    match missing {
        Some((address, kind)) if bound.is_empty() => {
            Err(Failure::new(Exit::Configuration, format!("Cannot listen on {address} ({kind})."))
                .then("Use an address of this machine in `web.listen`."))
        }
        Some((address, kind)) => {
            tracing::warn!(%address, %kind, "an address is not there on this machine; the others are used");
            Ok(bound)
        }
        None => Ok(bound),
    }
}

/// The counts all replicas share, where a store for them is configured.
async fn shared_limits(section: &LimitsSection) -> Result<Option<Shared>, Failure> {
    let Some(address) = &section.redis else { return Ok(None) };
    let read = |path: &PathBuf| std::fs::read(path).map_err(|error| disk("read", path, &error));
    let authority = section.redis_authority.as_ref().map(read).transpose()?;
    let shared = Shared::open(address, authority);
    let shared = shared.map_err(|error| Failure::new(Exit::Configuration, format!("{error}.")))?;
    shared.greet().await;
    Ok(Some(shared))
}

fn addresses(sockets: &[TcpListener]) -> Arc<[SocketAddr]> {
    sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
}

fn serve(
    house: &House,
    tasks: &TaskTracker,
    sockets: Vec<TcpListener>,
    plain: Vec<TcpListener>,
) -> Result<Vec<tokio::task::JoinHandle<std::io::Result<()>>>, Failure> {
    let web = &house.face.config.web;
    let tls = listener::tls::config(house.face.certificate.clone())
        .map_err(|_| Failure::new(Exit::Unforeseen, "The cryptography library offers no TLS 1.3."))?;
    let router = web::router(web::App::new(web::Parts {
        identity: house.identity.clone(),
        assistant: house.assistant.clone(),
        privacy: house.privacy.clone(),
        assure: house.assure.clone(),
        settings: web::Settings {
            hosts: web.all_hosts(),
            streams: web.streams,
            hsts_seconds: web.hsts_seconds,
            proxies: web.proxies(),
            cors_origins: web.cors_origins.clone(),
            streams_per_person: web.streams_per_person,
            ..web::Settings::default()
        },
        lists: house.face.lists.clone(),
        limits: house.face.limits.clone(),
        clock: house.outside.clock.clone(),
        entropy: house.outside.entropy.clone(),
        tasks: tasks.clone(),
        shutdown: house.shutdown.clone(),
    }));
    let mut serving = Vec::new();
    if !plain.is_empty() {
        let port = house.face.addresses.first().map_or(443, SocketAddr::port);
        let target = redirect::Target { port, hosts: web.all_hosts() };
        serving.push(tasks.spawn(redirect::serve(plain, target, web.limits(), house.shutdown.clone())));
    }
    serving.push(tasks.spawn(listener::serve(sockets, tls, router, web.limits(), house.shutdown.clone())));
    Ok(serving)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        os::unix::fs::{MetadataExt, PermissionsExt},
    };

    use domain::{
        Action, Control, Resource,
        access::{Role, Roles},
        audit::{Act, Entry},
        authorize,
        check::State,
        id::UserId,
    };
    use store::{accounts, drafts};

    use super::*;
    use crate::folder;

    /// What lies in a folder, by name; what SQLite keeps of its own and the lock are left out.
    fn lies_in(folder: &Folder) -> BTreeMap<PathBuf, Vec<u8>> {
        let tls = std::fs::read_dir(folder.file(folder::TLS)).unwrap();
        let files = tls.chain(std::fs::read_dir(folder.path()).unwrap()).map(|entry| entry.unwrap().path());
        let kept = files.filter(|path| path.is_file() && !path.to_string_lossy().contains("/troth."));
        kept.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
    }

    #[test]
    fn an_instance_that_is_only_looked_at_does_and_changes_nothing() {
        testkit::run(async {
            let home = tempfile::tempdir().unwrap();
            let config = || Config::for_tests(&home.path().join("data"), "").unwrap();
            let nothing = Instance::look(config(), Outside::real()).await.err().unwrap();
            assert!(nothing.exit == Exit::Configuration && !home.path().join("data").exists());

            Instance::start(config(), Outside::real()).await.unwrap().stop().await;
            let folder = Folder::existing(&home.path().join("data")).unwrap();
            let (before, open) = (lies_in(&folder), std::fs::Permissions::from_mode(0o755));
            assert!(before.len() >= 6, "{:?}", before.keys());
            std::fs::set_permissions(folder.path(), open).unwrap();
            // A hundred days later the certificate is over, and a server would make another one.
            let mut later = Outside::real();
            later.clock = domain::Clock::new({
                let clock = later.clock.clone();
                move || clock.now().plus_seconds(100 * 24 * 3600)
            });
            let instance = Instance::look(config(), later).await.unwrap();
            let report = instance.verify().await.unwrap();
            assert!(instance.setup_code().is_none());
            assert!(!instance.folder().file(folder::SOCKET).exists(), "nobody is told about it");
            instance.stop().await;
            assert_eq!(lies_in(&folder), before);
            assert_eq!(std::fs::metadata(folder.path()).unwrap().mode() & 0o777, 0o755);
            for control in [Control::DAT01, Control::CRY05] {
                let finding = report.control(control).finding.clone().unwrap();
                assert_eq!(finding.state, State::NotSatisfied, "and it says so: {finding:?}");
            }
        });
    }

    #[test]
    fn a_chore_that_fails_holds_up_no_other() {
        testkit::run(async {
            let home = tempfile::tempdir().unwrap();
            let database = testkit::Database::fresh().await;
            let more = format!("[store]\npostgres = {:?}\n", database.url());
            let config = Config::for_tests(&home.path().join("data"), &more).unwrap();
            let instance = Instance::start(config, Outside::real()).await.unwrap();
            let (setup, turn) = (Outside::real().ctx(Job::Setup), Outside::real().ctx(Job::Turn));
            let user = UserId::fresh(&setup);
            let may = |ctx, action| authorize(ctx, action, Resource::Of(user)).unwrap();
            let mut tx = instance.store().begin(&setup).await.unwrap();
            let roles = Roles::NONE.with(Role::User);
            accounts::create(&mut tx, &may(&setup, Action::WriteAccount), user, "Ann", roles).await.unwrap();
            let long_ago = setup.now().plus_seconds(-2 * 24 * 3600);
            drafts::keep(&mut tx, &may(&turn, Action::WriteChat), None, "half a word", long_ago)
                .await
                .unwrap();
            tx.commit(Entry::new(Act::AccountCreated, user)).await.unwrap();
            // Ending old recoveries fails, and comes before the drafts.
            database.spoil("ALTER TABLE recoveries RENAME TO elsewhere").await;
            background::sweep(instance.house.clone()).await;
            assert_eq!(database.spoil("UPDATE drafts SET at = at").await, 0, "the old draft is gone");
            instance.stop().await;
        });
    }
}
