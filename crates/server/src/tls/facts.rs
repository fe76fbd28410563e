//! What a certificate says: for whom, from when, until when.

use std::net::IpAddr;

use domain::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_parser::{extensions::GeneralName, prelude::*};

/// The parts of a certificate we decide by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The start of its validity.
    pub(crate) not_before: Timestamp,
    /// The end of its validity.
    pub(crate) not_after: Timestamp,
    /// The names and addresses it is for.
    pub(crate) names: Vec<String>,
}

impl Facts {
    /// Reads a DER certificate; `None` when it is none.
    #[must_use]
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let mut names = Vec::new();
        if let Ok(Some(subject)) = certificate.subject_alternative_name() {
            names.extend(subject.value.general_names.iter().filter_map(name));
        }
        Some(Self {
            not_before: Timestamp::default().plus_seconds(validity.not_before.timestamp()),
            not_after: Timestamp::default().plus_seconds(validity.not_after.timestamp()),
            names,
        })
    }

    /// How long it is valid in all, in days, counted up.
    #[must_use]
    pub(crate) fn days(&self) -> u32 {
        let seconds = u64::try_from(self.not_after.seconds_since(self.not_before)).unwrap_or(0);
        u32::try_from(seconds.div_ceil(86_400)).unwrap_or(u32::MAX)
    }

    /// Whether it is for every one of `hosts`.
    #[must_use]
    pub(crate) fn covers(&self, hosts: &[String]) -> bool {
        hosts.iter().all(|host| self.names.contains(host))
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let address = <[u8; 4]>::try_from(*bytes)
                .map(IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            Some(address.ok()?.to_string())
        }
        _ => None,
    }
}
