//! A PostgreSQL that takes TLS on a port of this machine, under a certificate of an authority of its own.

use std::{fs, io, net::TcpListener, os::unix::fs::PermissionsExt, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sqlx::postgres::PgConnection;

use super::{Cluster, connect, give};

/// The only name its certificate is for.
const NAME: &str = "localhost";

/// A database behind TLS. It goes with this process, its certificates with this value.
pub struct TlsDatabase {
    cluster: Cluster,
    port: u16,
    folder: tempfile::TempDir,
}

impl TlsDatabase {
    /// Starts it, and waits until it takes connections.
    ///
    /// # Panics
    /// When PostgreSQL is not on this machine, or does not start.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (certificate, key) = certify(folder.path()).expect("certificates");
        // A port that was free a moment ago; PostgreSQL cannot choose its own.
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr());
        let port = port.expect("a free port").port();
        let settings = ["listen_addresses=127.0.0.1".to_owned(), format!("port={port}"), "ssl=on".to_owned()];
        let cluster = Cluster::start_with(&settings, |data| {
            fs::write(data.join("server.crt"), &certificate)?;
            fs::write(data.join("server.key"), &key)?;
            // Whoever comes over the network speaks TLS.
            fs::write(data.join("pg_hba.conf"), "local all all trust\nhostssl all all 127.0.0.1/32 trust\n")?;
            fs::set_permissions(data.join("server.key"), fs::Permissions::from_mode(0o600))?;
            ["server.crt", "server.key"].iter().try_for_each(|name| give(&data.join(name)))
        });
        let started = Self { cluster: cluster.expect("PostgreSQL with TLS"), port, folder };
        started.connect().await;
        started
    }

    /// The address under `host`, trusting the certificates in `authority`; nobody needs a password here, but a
    /// store asks for one.
    #[must_use]
    pub fn url(&self, host: &str, authority: &Path) -> String {
        let (port, authority) = (self.port, authority.display());
        format!("postgres://troth:x@{host}:{port}/postgres?sslmode=verify-full&sslrootcert={authority}")
    }

    /// The certificate of the authority that vouches for it.
    #[must_use]
    pub fn authority(&self) -> std::path::PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// The certificate of another authority of the same name.
    #[must_use]
    pub fn stranger(&self) -> std::path::PathBuf {
        self.folder.path().join("stranger.pem")
    }

    /// A connection past TLS, on the socket.
    pub async fn connect(&self) -> PgConnection {
        connect(&format!("{}&port={}", self.cluster.url("postgres"), self.port)).await
    }
}

/// Writes the certificates of two authorities to `folder`; gives the server's own, of the first, and its key.
fn certify(folder: &Path) -> io::Result<(String, String)> {
    let authority = authority(&folder.join("authority.pem"))?;
    self::authority(&folder.join("stranger.pem"))?;
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let server = CertificateParams::new([NAME.to_owned()]).map_err(io::Error::other)?;
    let server = server.signed_by(&key, &authority).map_err(io::Error::other)?;
    Ok((server.pem(), key.serialize_pem()))
}

fn authority(path: &Path) -> io::Result<Issuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "An authority of a test");
    let key = KeyPair::generate().map_err(io::Error::other)?;
    fs::write(path, params.self_signed(&key).map_err(io::Error::other)?.pem())?;
    Ok(Issuer::new(params, key))
}
