//! Certificates from files: an operator's own, and the PEM we wrote ourselves.

use std::path::Path;

use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::{Facts, Issued};
use crate::failure::{Exit, Failure, disk};

/// The certificate chain in a PEM text; `None` when there is none.
pub(super) fn chain(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    chain.ok().filter(|chain| !chain.is_empty())
}

/// Loads an operator's chain and key.
///
/// # Errors
/// [`Exit::Configuration`] when a file is not what it should be or the two do not belong together.
pub(super) fn load(chain_file: &Path, key_file: &Path) -> Result<Issued, Failure> {
    let read = |path: &Path| {
        std::fs::read(path)
            .map_err(|error| disk("read the certificate file", path, &error).exiting(Exit::Configuration))
    };
    let wrong = |path: &Path, what: &str| {
        Failure::new(Exit::Configuration, format!("{} {what}.", path.display())).then(
            "Correct `web.certificate` and `web.certificate_key`, or remove both to use the local authority.",
        )
    };
    let chain = chain(&read(chain_file)?).ok_or_else(|| wrong(chain_file, "holds no certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&read(key_file)?)
        .map_err(|_| wrong(key_file, "holds no private key in PEM form"))?;
    if chain.first().and_then(Facts::read).is_none() {
        return Err(wrong(chain_file, "holds no readable certificate"));
    }
    let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
        .map_err(|_| wrong(key_file, "does not belong to the certificate"))?;
    Ok(Issued { key, is_new_authority: false })
}
