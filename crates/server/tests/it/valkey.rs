//! A throw-away Redis or Valkey on loopback, over TLS with an authority of its own.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// A running one; it ends with its test.
pub(crate) struct Valkey {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Valkey {
    pub(crate) async fn start() -> Self {
        // Another program may take the port meanwhile.
        for _ in 0..5 {
            let folder = tempfile::tempdir().unwrap();
            certificates(&folder);
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            // Whichever of both is installed; they speak the same.
            let names = ["valkey-server", "redis-server"];
            let child = names.iter().find_map(|name| run(name, port, &folder));
            let child = child.expect("Valkey or Redis; `cargo xtask test --install` installs it");
            let mut valkey = Self { child, port, folder };
            if valkey.listens().await {
                return valkey;
            }
        }
        unreachable!("it does not start")
    }

    /// The configuration that leads to it.
    pub(crate) fn settings(&self) -> String {
        let authority = self.folder.path().join("ca.pem");
        format!(
            "[web.limits]\nredis = \"rediss://127.0.0.1:{}/\"\nredis_authority = {authority:?}\n",
            self.port
        )
    }

    pub(crate) fn stop(&mut self) {
        // Gone already is stopped as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    async fn listens(&mut self) -> bool {
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }
}

impl Drop for Valkey {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(name: &str, port: u16, folder: &TempDir) -> Option<Child> {
    let file = |name: &str| folder.path().join(name).display().to_string();
    let port = port.to_string();
    let settings = [
        ["--port", "0"],
        ["--tls-port", &port],
        ["--bind", "127.0.0.1"],
        ["--tls-cert-file", &file("cert.pem")],
        ["--tls-key-file", &file("key.pem")],
        ["--tls-ca-cert-file", &file("ca.pem")],
        ["--tls-auth-clients", "no"],
        ["--save", ""],
        ["--dir", &file("")],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect::<Vec<_>>();
    Command::new(name)
        .args(settings)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

fn certificates(folder: &TempDir) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let ca = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().unwrap();
    let leaf =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
    for (name, text) in [("ca.pem", ca.pem()), ("cert.pem", leaf.pem()), ("key.pem", own.serialize_pem())] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
}
