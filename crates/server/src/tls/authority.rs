//! The local certificate authority: one per instance, for its own hosts and no others.
//!
//! Its certificate may be trusted by a browser without much thought: it is constrained to this
//! instance's names (RFC 5280 §4.2.1.10) and may not make further authorities, and its key is sealed.

use std::net::IpAddr;

use domain::{Ctx, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
    SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{CA, DAY, Desk, Facts, given, key_name, odd, pem, sealed};
use crate::{failure::Failure, folder};

const KEY: &str = "authority";
const FACTS: &str = "authority.json";
/// How long an authority lives, and how early it is replaced.
const LIFE_DAYS: i64 = 3650;
const LAST_DAYS: i64 = 120;
/// Clocks of other machines may be a little behind.
const SKEW_SECONDS: i64 = 300;

/// An authority that can sign.
pub(super) struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// What the certificate itself does not tell conveniently.
#[derive(Serialize, Deserialize)]
struct Remembered {
    name: String,
    hosts: Vec<String>,
}

impl Authority {
    /// The authority of last time if it may sign for today's hosts, else a new one; and whether it is new.
    pub(super) fn open_or_make(desk: &Desk, ctx: &Ctx) -> Result<(Self, bool), Failure> {
        let key = sealed::open(&desk.file(&key_name(KEY)), &desk.keyring, KEY)?;
        let at_hand = key.and_then(|key| Self::at_hand(desk, &key, ctx));
        match at_hand {
            Some(authority) => Ok((authority, false)),
            None => Ok((Self::make(desk, ctx)?, true)),
        }
    }

    /// Its certificate, the second of every chain.
    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate for `hosts`, valid for `days` from a little before now, and its key.
    pub(super) fn issue(
        &self,
        hosts: &[String],
        days: u32,
        ctx: &Ctx,
    ) -> Result<(CertificateDer<'static>, Zeroizing<Vec<u8>>), Failure> {
        let key = KeyPair::generate().map_err(|_| odd())?;
        let mut params = CertificateParams::new(hosts.to_vec()).map_err(|_| odd())?;
        params.distinguished_name = called("Troth on this machine");
        valid(&mut params, ctx, i64::from(days));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &self.issuer).map_err(|_| odd())?;
        Ok((leaf.der().clone(), Zeroizing::new(key.serialize_der())))
    }

    fn at_hand(desk: &Desk, key: &[u8], ctx: &Ctx) -> Option<Self> {
        let remembered: Remembered = serde_json::from_slice(&std::fs::read(desk.file(FACTS)).ok()?).ok()?;
        let certificate = given::chain(&std::fs::read(desk.file(CA)).ok()?)?.into_iter().next()?;
        let left = Facts::read(&certificate)?.not_after.seconds_since(ctx.now());
        if left < LAST_DAYS * DAY || !desk.hosts.iter().all(|host| remembered.hosts.contains(host)) {
            return None;
        }
        let key =
            KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key), &PKCS_ECDSA_P256_SHA256);
        let params = params(&remembered.name, &remembered.hosts, ctx);
        Some(Self { certificate, issuer: Issuer::new(params, key.ok()?) })
    }

    fn make(desk: &Desk, ctx: &Ctx) -> Result<Self, Failure> {
        let key = KeyPair::generate().map_err(|_| odd())?;
        let name = format!("Troth local authority {}", hex::encode(ctx.random::<4>()));
        let params = params(&name, &desk.hosts, ctx);
        let certificate = params.self_signed(&key).map_err(|_| odd())?.der().clone();
        let secret = Zeroizing::new(key.serialize_der());
        let remembered =
            serde_json::to_vec(&Remembered { name, hosts: desk.hosts.clone() }).unwrap_or_default();
        sealed::write(&desk.file(&key_name(KEY)), &desk.keyring, KEY, &secret, ctx)?;
        folder::write(&desk.file(FACTS), &remembered, true)?;
        folder::write(&desk.file(CA), pem(std::slice::from_ref(&certificate)).as_bytes(), true)?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }
}

fn params(name: &str, hosts: &[String], ctx: &Ctx) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = called(name);
    valid(&mut params, ctx, LIFE_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let permitted_subtrees = hosts.iter().map(|host| subtree(host)).collect();
    params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    params
}

fn subtree(host: &str) -> GeneralSubtree {
    match host.parse::<IpAddr>() {
        Ok(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, bits))
        }
        Err(_) => GeneralSubtree::DnsName(host.to_owned()),
    }
}

fn valid(params: &mut CertificateParams, ctx: &Ctx, days: i64) {
    let from = ctx.now().plus_seconds(-SKEW_SECONDS);
    params.not_before = at(from);
    params.not_after = at(from.plus_seconds(days * DAY));
    params.serial_number = Some(SerialNumber::from_slice(&ctx.random::<16>()));
}

fn at(moment: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(moment.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}
