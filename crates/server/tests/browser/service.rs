//! A certified OpenID provider from the npm registry, on loopback with TLS of an authority of the test's own.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

const SECRET: &str = "a secret of this test alone";

/// The provider. It ends with this.
pub(crate) struct Service {
    issuer: String,
    ca: PathBuf,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
    _folder: TempDir,
}

impl Service {
    /// Starts it; it waits for the address to send people back to.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = certificates(folder.path());
        let packages = super::house::target().join("sdk/js/node_modules");
        assert!(packages.join("oidc-provider").exists(), "oidc-provider; run `cargo xtask test --install`");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/oidc.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .env("TROTH_TEST_PACKAGES", packages)
            .env("TLS_KEY", folder.path().join("key.pem"))
            .env("TLS_CERTIFICATE", folder.path().join("leaf.pem"))
            .env("CLIENT_SECRET", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let issuer = lines.next_line().await.unwrap().expect("the provider says where it is");
        Self { issuer, ca, input, lines, _child: child, _folder: folder }
    }

    /// What an instance is configured with to use it.
    pub(crate) fn config(&self) -> String {
        format!(
            "[[identity.sso]]\nname = \"work\"\nlabel = \"Example Inc.\"\nissuer = {:?}\nclient_id = \"troth\"\n\
             client_secret = {SECRET:?}\nca_file = {:?}\ncreate_accounts = true\nsign_out = true\n\
             allowed_domains = [\"work.example\"]\n\
             [[identity.sso.roles]]\nclaim = \"groups\"\nvalue = \"auditors\"\nrole = \"auditor\"\n",
            self.issuer,
            self.ca.display().to_string(),
        )
    }

    /// Tells it where to send people back to; it answers from then on.
    pub(crate) async fn serve(&mut self, redirect: &str) {
        self.input.write_all(format!("{redirect}\n").as_bytes()).await.unwrap();
        while self.lines.next_line().await.unwrap().expect("the provider gets ready") != "ready" {}
    }
}

/// An authority, and a certificate of it for this machine.
fn certificates(folder: &Path) -> PathBuf {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.distinguished_name.push(DnType::CommonName, "An authority of this test");
    let certificate = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let leaf_key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    std::fs::write(folder.join("key.pem"), leaf_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("leaf.pem"), leaf.pem()).unwrap();
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, certificate.pem()).unwrap();
    ca
}
