//! The certificate the instance shows: from its own local authority, or from files an operator gives.
//!
//! `instance` asks for one at the start and then daily; a renewed one is put in place without a restart.
//! Invariant: a certificate of ours is never valid longer than `certificate_days` of the policy and is
//! renewed while at least a third of that is left.

mod authority;
mod facts;
mod given;
mod sealed;

use std::{path::PathBuf, sync::Arc};

use domain::{Ctx, enforced};
use keys::Keyring;
use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::{
    config::WebSection,
    failure::{Exit, Failure},
    folder::{self, Folder},
};

pub(crate) use facts::Facts;

/// Where the local authority's public certificate lies, for browsers to trust.
pub(crate) const CA: &str = "ca.pem";
const CHAIN: &str = "server.pem";
const SERVER_KEY: &str = "server";
const DAY: i64 = 86_400;

/// Everything it takes to have a certificate.
pub(crate) struct Desk {
    folder: Folder,
    keyring: Arc<Keyring>,
    hosts: Vec<String>,
    days: u32,
    given: Option<(PathBuf, PathBuf)>,
}

/// A certificate that may be shown.
pub(crate) struct Issued {
    /// For the listener.
    pub(crate) key: CertifiedKey,
    /// Whether the local authority was made just now, so that browsers must be told to trust it.
    pub(crate) is_new_authority: bool,
}

impl Desk {
    /// A desk for the hosts of `web`, with certificates of `days`.
    #[must_use]
    pub(crate) fn new(folder: Folder, keyring: Arc<Keyring>, web: &WebSection, days: u32) -> Self {
        let given = web.certificate.clone().zip(web.certificate_key.clone());
        Self { folder, keyring, hosts: web.all_hosts(), days, given }
    }

    /// The certificate to show now: the one at hand while it is good, otherwise a new one.
    ///
    /// # Errors
    /// [`Exit::Keys`] when a key does not open, [`Exit::Disk`], [`Exit::Configuration`] for given files.
    pub(crate) fn certificate(&self, ctx: &Ctx) -> Result<Issued, Failure> {
        if let Some((chain, key)) = &self.given {
            return given::load(chain, key);
        }
        let tls = self.folder.file(folder::TLS);
        if !tls.is_dir() {
            let mut builder = std::fs::DirBuilder::new();
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(&tls).map_err(|error| crate::failure::disk("make", &tls, &error))?;
        }
        let (authority, is_new_authority) = authority::Authority::open_or_make(self, ctx)?;
        enforced!(CRY05);
        let at_hand = if is_new_authority { None } else { self.at_hand(&authority, ctx)? };
        let (chain, key) = match at_hand {
            Some(good) => good,
            None => self.issue(&authority, ctx)?,
        };
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|_| odd())?;
        Ok(Issued { key, is_new_authority })
    }

    /// The certificate of the last time, however old it is: for a look that changes nothing.
    ///
    /// # Errors
    /// [`Exit::Configuration`] when there is none; otherwise as for [`Self::certificate`].
    pub(crate) fn as_it_is(&self) -> Result<Issued, Failure> {
        if let Some((chain, key)) = &self.given {
            return given::load(chain, key);
        }
        let none = || {
            Failure::new(Exit::Configuration, "This instance has no certificate yet.")
                .then("Run `troth serve` once; it makes one.")
        };
        let chain =
            std::fs::read(self.file(CHAIN)).ok().and_then(|pem| given::chain(&pem)).ok_or_else(none)?;
        let key = sealed::open(&self.file(&key_name(SERVER_KEY)), &self.keyring, SERVER_KEY)?;
        let key = key.and_then(|der| PrivateKeyDer::try_from(der.to_vec()).ok()).ok_or_else(none)?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|_| odd())?;
        Ok(Issued { key, is_new_authority: false })
    }

    /// The local authority's certificate file, when there is a local authority.
    #[must_use]
    pub(crate) fn authority_file(&self) -> Option<PathBuf> {
        self.given.is_none().then(|| self.file(CA))
    }

    /// The certificate of the last time, if it fits today's hosts and is not near its end.
    fn at_hand(&self, authority: &authority::Authority, ctx: &Ctx) -> Result<Option<Certified>, Failure> {
        let Ok(pem) = std::fs::read(self.file(CHAIN)) else { return Ok(None) };
        let Some(chain) = given::chain(&pem) else { return Ok(None) };
        let Some(facts) = chain.first().and_then(Facts::read) else { return Ok(None) };
        let left = facts.not_after.seconds_since(ctx.now());
        let renew_below = i64::from(self.days) * DAY / 3;
        let is_good = left > renew_below
            && facts.days() <= self.days
            && facts.covers(&self.hosts)
            && chain.get(1) == Some(authority.certificate());
        if !is_good {
            return Ok(None);
        }
        Ok(sealed::open(&self.file(&key_name(SERVER_KEY)), &self.keyring, SERVER_KEY)?
            .and_then(|der| Some((chain, PrivateKeyDer::try_from(der.to_vec()).ok()?))))
    }

    fn issue(&self, authority: &authority::Authority, ctx: &Ctx) -> Result<Certified, Failure> {
        let (leaf, key) = authority.issue(&self.hosts, self.days, ctx)?;
        let chain = vec![leaf, authority.certificate().clone()];
        // The key first: a chain without its key is replaced at the next start, never shown.
        sealed::write(&self.file(&key_name(SERVER_KEY)), &self.keyring, SERVER_KEY, &key, ctx)?;
        folder::write(&self.file(CHAIN), pem(&chain).as_bytes(), true)?;
        let key = PrivateKeyDer::try_from(key.to_vec()).map_err(|_| odd())?;
        Ok((chain, key))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.file(folder::TLS).join(name)
    }
}

type Certified = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn key_name(of: &str) -> String {
    format!("{of}.key.json")
}

/// Certificates as PEM text (RFC 7468).
fn pem(chain: &[CertificateDer<'_>]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut text = String::new();
    for certificate in chain {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in STANDARD.encode(certificate).as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

/// What should not happen: a certificate library that refuses what it made.
fn odd() -> Failure {
    Failure::new(Exit::Unforeseen, "The server certificate could not be made.")
        .then("Check `web.hosts`, then start again.")
}

#[cfg(test)]
mod tests;
