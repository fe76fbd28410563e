//! The sections the server itself owns. Those of other rooms have their types there.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use domain::Secret;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use crate::failure::{Exit, Failure};

/// `[web]`: where and to whom the instance answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebSection {
    /// Addresses to answer HTTPS on.
    #[serde(deserialize_with = "listed")]
    pub listen: Vec<SocketAddr>,
    /// Addresses to answer plain HTTP on, with redirects alone; none unless set.
    #[serde(deserialize_with = "listed")]
    pub redirect: Vec<SocketAddr>,
    /// More names it is reached by; `localhost`, `127.0.0.1` and `::1` always are.
    #[serde(deserialize_with = "words")]
    pub hosts: Vec<String>,
    /// A PEM file with a certificate chain to use instead of the local authority's.
    pub certificate: Option<PathBuf>,
    /// The PEM file with its key.
    pub certificate_key: Option<PathBuf>,
    /// Seconds browsers remember to come by HTTPS only; 0 does not tell them.
    pub hsts_seconds: u32,
    /// Most connections at once.
    pub connections: usize,
    /// Most connections at once from one address (IPv6: one /64).
    pub connections_per_address: usize,
    /// Most answers streaming at once.
    pub streams: usize,
    /// Most answers streaming to one person at once.
    pub streams_per_person: usize,
    /// Proxies in front of the instance, as addresses or ranges.
    #[serde(deserialize_with = "ranges")]
    pub trusted_proxies: Vec<IpNet>,
    /// Which header they write: `x-forwarded-for` or `forwarded`.
    pub proxy_header: ProxyHeader,
    /// Addresses or ranges that are kept out.
    #[serde(deserialize_with = "ranges")]
    pub deny: Vec<IpNet>,
    /// Addresses or ranges that are let in whatever wider range is kept out, and not counted by address.
    #[serde(deserialize_with = "ranges")]
    pub allow: Vec<IpNet>,
    /// Origins whose pages may call the API with a key.
    #[serde(deserialize_with = "words")]
    pub cors_origins: Vec<String>,
    /// `[web.limits]`
    pub limits: LimitsSection,
    /// Seconds a TLS handshake may take.
    pub handshake_seconds: u64,
    /// Seconds a request's headers may take.
    pub header_seconds: u64,
    /// Seconds a connection may lie idle.
    pub idle_seconds: u64,
    /// Seconds running answers are waited for at the end.
    pub drain_seconds: u64,
}

impl Default for WebSection {
    fn default() -> Self {
        let limits = web::listener::Limits::default();
        let settings = web::Settings::default();
        Self {
            listen: vec![([127, 0, 0, 1], 8443).into(), (std::net::Ipv6Addr::LOCALHOST, 8443).into()],
            redirect: Vec::new(),
            hosts: Vec::new(),
            certificate: None,
            certificate_key: None,
            hsts_seconds: settings.hsts_seconds,
            connections: limits.connections,
            connections_per_address: limits.connections_per_address,
            streams: settings.streams,
            streams_per_person: settings.streams_per_person,
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::default(),
            deny: Vec::new(),
            allow: Vec::new(),
            cors_origins: Vec::new(),
            limits: LimitsSection::default(),
            handshake_seconds: limits.handshake.as_secs(),
            header_seconds: limits.headers.as_secs(),
            idle_seconds: limits.idle.as_secs(),
            drain_seconds: limits.drain.as_secs(),
        }
    }
}

impl WebSection {
    /// Every name the instance answers to.
    #[must_use]
    pub fn all_hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        for host in &self.hosts {
            let host = host.to_ascii_lowercase();
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }

    /// The bounds for the listener.
    #[must_use]
    pub fn limits(&self) -> web::listener::Limits {
        web::listener::Limits {
            connections: self.connections,
            connections_per_address: self.connections_per_address,
            proxies: self.trusted_proxies.clone(),
            handshake: Duration::from_secs(self.handshake_seconds),
            headers: Duration::from_secs(self.header_seconds),
            idle: Duration::from_secs(self.idle_seconds),
            drain: Duration::from_secs(self.drain_seconds),
            ..web::listener::Limits::default()
        }
    }

    /// The proxies the edge believes.
    #[must_use]
    pub fn proxies(&self) -> web::edge::address::Proxies {
        use web::edge::address::{Proxies, ProxyHeader as Header};
        let header = match self.proxy_header {
            ProxyHeader::XForwardedFor => Header::XForwardedFor,
            ProxyHeader::Forwarded => Header::Forwarded,
        };
        Proxies { trusted: self.trusted_proxies.clone(), header }
    }

    pub(super) fn validate(&self) -> Result<(), Failure> {
        let wrong = |what: &str| Err(Failure::new(Exit::Configuration, what));
        let is_name = |host: &String| {
            host.parse::<std::net::IpAddr>().is_ok()
                || (!host.is_empty()
                    && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)))
        };
        if self.listen.is_empty() {
            return wrong(
                "`web.listen` is empty. Name at least one address, for example \"127.0.0.1:8443\".",
            );
        }
        if !self.hosts.iter().all(is_name) {
            return wrong(
                "`web.hosts` takes names and addresses without a port, for example \"troth.example\".",
            );
        }
        if !self.cors_origins.iter().all(|origin| is_origin(origin)) {
            return wrong(
                "`web.cors_origins` takes whole origins without a path, for example \"https://app.example\".",
            );
        }
        if self.certificate.is_some() != self.certificate_key.is_some() {
            return wrong(
                "`web.certificate` and `web.certificate_key` belong together. Set both, or neither.",
            );
        }
        let times = [self.handshake_seconds, self.header_seconds, self.idle_seconds];
        let places = [self.connections, self.connections_per_address, self.streams, self.streams_per_person];
        if places.contains(&0) || times.contains(&0) {
            return wrong("A limit of `[web]` is 0, so nobody could ever connect. Use 1 or more.");
        }
        Ok(())
    }
}

/// An origin as browsers send it: lower case, HTTPS (plain HTTP for this machine alone), no path.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let plain =
        host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:".contains(&byte));
    let local = name == "localhost" || name == "127.0.0.1";
    plain && !name.is_empty() && (scheme == "https" || (scheme == "http" && local))
}

/// Which header the trusted proxies write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// `[web.limits]`: where several replicas count together. How much each limit allows stands in `[policy]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// `rediss://…`, a secret: the Redis or Valkey all replicas share; each counts for itself when absent.
    pub redis: Option<Secret<String>>,
    /// A PEM file with the authority of its certificate, instead of the system's authorities.
    pub redis_authority: Option<PathBuf>,
}

/// `[keys]`: what protects the keyring.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeysSection {
    /// How the keyring is sealed when it is made.
    pub protector: ProtectorKind,
    /// The key file, outside the data folder; in this account's configuration folder unless set.
    pub key_file: Option<PathBuf>,
    /// The passphrase, when the environment brought one.
    #[serde(skip)]
    pub passphrase: Option<Secret<String>>,
}

impl KeysSection {
    /// Whether somebody must give a passphrase before the keyring opens.
    #[must_use]
    pub fn asks_for_passphrase(&self) -> bool {
        self.protector == ProtectorKind::Passphrase
    }
}

/// What seals the keyring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProtectorKind {
    /// A file with random bytes, so that the instance starts by itself.
    #[default]
    KeyFile,
    /// A passphrase, asked for at every start.
    Passphrase,
}

/// `[store]`: where the rows are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSection {
    /// `postgres://…`, a secret; the embedded store when absent.
    pub postgres: Option<Secret<String>>,
}

/// `[identity]`: what people show to get in, and how passwords are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySection {
    /// What authenticator apps call this instance.
    pub issuer: String,
    /// KiB of memory for one password hash.
    pub hash_memory_kib: u32,
    /// Passes over that memory.
    pub hash_passes: u32,
    /// Password hashes at once.
    pub hashes_at_once: usize,
    /// Milliseconds to whose multiples answers to a sign-in are delayed.
    pub answer_grid_ms: u64,
    /// The address people reach the instance at, when it is not the first name and port of `[web]`.
    pub address: Option<String>,
    /// The sign-in services of the organisation.
    pub sso: Vec<identity::SsoConfig>,
    /// Whose accounts must have a second factor.
    pub require_second_factor: identity::Require,
    /// Which rules passwords follow.
    pub password_profile: identity::Profile,
    /// The number of the pepper new password verifiers are made with.
    pub pepper: u32,
    /// More addresses passkeys are made for, beside the names and ports of `[web]`.
    #[serde(deserialize_with = "words")]
    pub passkey_origins: Vec<String>,
    /// A folder with policies of the organisation's own (`*.cedar`), which narrow what roles allow.
    pub policies: Option<PathBuf>,
    /// Minutes the clock of these policies is ahead of UTC.
    pub policies_utc_offset_minutes: i32,
}

impl Default for IdentitySection {
    fn default() -> Self {
        let config = identity::Config::default();
        Self {
            issuer: config.issuer,
            hash_memory_kib: config.hashing.memory_kib,
            hash_passes: config.hashing.passes,
            hashes_at_once: config.hashing.at_once,
            answer_grid_ms: u64::try_from(config.answer_grid.as_millis()).unwrap_or(u64::MAX),
            address: None,
            sso: Vec::new(),
            require_second_factor: config.require_second_factor,
            password_profile: config.password_profile,
            pepper: config.pepper,
            passkey_origins: config.passkey_origins,
            policies: None,
            policies_utc_offset_minutes: 0,
        }
    }
}

impl IdentitySection {
    /// The organisation's own policies, every one of them found right.
    ///
    /// # Errors
    /// [`Exit::Configuration`] with each fault's file and line.
    pub fn policies(&self) -> Result<Option<identity::Policies>, Failure> {
        let Some(folder) = &self.policies else { return Ok(None) };
        identity::Policies::load(folder, self.policies_utc_offset_minutes).map(Some).map_err(|problems| {
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Failure::new(Exit::Configuration, format!("The policies are not right. {}", told.join("\n")))
                .then("Correct them; `troth config check` tells whether they are right.")
        })
    }

    pub(super) fn validate(&self) -> Result<(), Failure> {
        // No place on Earth is further from UTC.
        match (-12 * 60..=14 * 60).contains(&self.policies_utc_offset_minutes) {
            true => self.validate_directory(),
            false => Err(Failure::new(
                Exit::Configuration,
                "`identity.policies_utc_offset_minutes` takes -720 to 840, for example 330 for India.",
            )),
        }
    }

    fn validate_directory(&self) -> Result<(), Failure> {
        let wrong = |what: String| Failure::new(Exit::Configuration, what);
        identity::check_sso(&self.sso).map_err(wrong)?;
        for one in &self.sso {
            let name = format!("identity.sso.{}.issuer", one.name);
            providers::errand::Errand::check_url(&name, &one.issuer, one.allow_plain_http_loopback)?;
        }
        let shaped = self.address.as_deref().is_none_or(|address| {
            address
                .strip_prefix("https://")
                .is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@']))
        });
        if !shaped {
            return Err(wrong(
                "`identity.address` is a name with a port at most, for example \"https://troth.example\"."
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// `[mail]`: how e-mail leaves. Without a server, links are shown to whoever makes them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailSection {
    /// The mail server's name, which its certificate must carry.
    pub server: Option<String>,
    /// Its port; 587, or 465 with TLS from the start.
    pub port: Option<u16>,
    /// How the connection comes under TLS.
    pub tls: MailTls,
    /// Whom mail comes from: `name@example.org`, or `Troth <name@example.org>`.
    pub from: Option<String>,
    /// The user to sign in as.
    pub user: Option<String>,
    /// That user's password, a secret.
    pub password: Option<Secret<String>>,
    /// A PEM file with the authority to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// The address links in mails begin with; where people reach this instance, unless set.
    pub links: Option<String>,
}

/// How a connection to the mail server comes under TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// It begins plain and goes under TLS before anything is said (RFC 3207), or ends.
    #[default]
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// None; only to this machine itself.
    NoneOnLoopback,
}

impl MailSection {
    /// The port of the mail server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.tls == MailTls::Implicit { 465 } else { 587 })
    }

    /// Whom mail comes from.
    #[must_use]
    pub(crate) fn from(&self) -> Option<lettre::message::Mailbox> {
        self.from.as_deref()?.parse().ok()
    }

    pub(super) fn validate(&self) -> Result<(), Failure> {
        let wrong = |what: &str| Err(Failure::new(Exit::Configuration, what));
        let Some(server) = &self.server else {
            let is_empty = self.from.is_none() && self.user.is_none() && self.password.is_none();
            return if is_empty {
                Ok(())
            } else {
                wrong("`mail.server` is missing; the rest of `[mail]` needs it.")
            };
        };
        if self.from().is_none() {
            return wrong("`mail.from` must be an address like \"Troth <troth@example.org>\".");
        }
        if self.user.is_some() != self.password.is_some() {
            return wrong("`mail.user` and TROTH_MAIL__PASSWORD belong together. Set both, or neither.");
        }
        let is_loopback = server == "localhost"
            || server.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        if self.tls == MailTls::NoneOnLoopback && !is_loopback {
            return wrong(
                "`mail.tls` is \"none-on-loopback\" and `mail.server` is another machine. Use \"starttls\" or \"implicit\".",
            );
        }
        if self.links.as_ref().is_some_and(|links| !links.starts_with("https://") || links.ends_with('/')) {
            return wrong("`mail.links` must be like \"https://troth.example\", without a slash at the end.");
        }
        Ok(())
    }
}

/// `[log]`: what is told on standard error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// `error`, `warn`, `info`, `debug`, or per room, e.g. `info,store=debug`; `warn` on a terminal and
    /// `info` elsewhere when absent.
    pub level: Option<String>,
    /// `text` or `json`; text on a terminal and JSON elsewhere when absent.
    pub format: Option<LogFormat>,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors: one JSON object a line.
    Json,
}

/// A list of words, or one text with commas, which is easier in a variable.
pub(super) fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a list of texts")]
    enum Words {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Words::deserialize(deserializer)? {
        Words::List(list) => list,
        Words::Text(text) => {
            text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
    })
}

/// Ranges of addresses; a lone address is a range of one.
fn ranges<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let range =
        |word: &String| word.parse().ok().or_else(|| Some(word.parse::<std::net::IpAddr>().ok()?.into()));
    let found: Option<Vec<IpNet>> = words(deserializer)?.iter().map(range).collect();
    found.ok_or_else(|| serde::de::Error::custom("expected addresses or ranges like 10.0.0.0/8 or fd00::/8"))
}

fn listed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    addresses(&words(deserializer)?)
        .ok_or_else(|| serde::de::Error::custom("expected addresses like 127.0.0.1:8443 or [::1]:8443"))
}

/// Addresses with ports; `localhost` stands for both of its addresses. `None` when one is no address.
pub fn addresses(words: &[String]) -> Option<Vec<SocketAddr>> {
    let mut found = Vec::new();
    for word in words {
        match word.strip_prefix("localhost:") {
            Some(port) => {
                let port = port.parse().ok()?;
                found.push(([127, 0, 0, 1], port).into());
                found.push((std::net::Ipv6Addr::LOCALHOST, port).into());
            }
            None => found.push(word.parse().ok()?),
        }
    }
    Some(found)
}
