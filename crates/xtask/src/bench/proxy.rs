//! nginx as a bare TLS proxy in front of the upstream: what others would put there.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use crate::upstream::Upstream;

/// Where nginx is found beside the search path.
const PLACES: [&str; 2] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"];

/// The running proxy. Ends when dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: PathBuf,
    child: Child,
    _folder: TempDir,
}

impl Proxy {
    /// Starts nginx, if it is here.
    pub(crate) async fn start(upstream: &Upstream) -> anyhow::Result<Option<Self>> {
        let Some(program) = program() else { return Ok(None) };
        let folder = tempfile::tempdir()?;
        let at = folder.path();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let certificate = at.join("certificate.pem");
        fs::write(&certificate, made.cert.pem())?;
        fs::write(at.join("key.pem"), made.signing_key.serialize_pem())?;
        let address = free_port()?;
        fs::write(at.join("nginx.conf"), configuration(at, address, upstream.address))?;
        let child = Command::new(program)
            .arg("-p")
            .arg(at)
            .arg("-c")
            .arg(at.join("nginx.conf"))
            .args(["-e", "errors.log"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("nginx does not start")?;
        let mut proxy = Self { address, certificate, child, _folder: folder };
        proxy.answers().await?;
        Ok(Some(proxy))
    }

    /// Waits until it listens.
    async fn answers(&mut self) -> anyhow::Result<()> {
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(self.address).await.is_ok() {
                return Ok(());
            }
            ensure!(self.child.try_wait()?.is_none(), "nginx ended at once");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("nginx does not listen")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The master ends its workers; killed, it would leave them behind.
        let _ = Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let runs = |program: &Path| Command::new(program).arg("-v").stderr(Stdio::null()).status().is_ok();
    let found = PLACES.iter().map(PathBuf::from).find(|path| path.exists());
    found.or_else(|| Some(PathBuf::from("nginx")).filter(|name| runs(name)))
}

/// A port that was free a moment ago; nginx cannot choose its own.
fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// TLS 1.3, HTTP/2, kept connections on both sides, nothing buffered, nothing logged.
fn configuration(folder: &Path, address: SocketAddr, upstream: SocketAddr) -> String {
    let at = folder.display();
    format!(
        "daemon off;
worker_processes auto;
pid {at}/pid;
error_log {at}/errors.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {at}/body;
  proxy_temp_path {at}/proxy;
  fastcgi_temp_path {at}/fastcgi;
  uwsgi_temp_path {at}/uwsgi;
  scgi_temp_path {at}/scgi;
  upstream scripted {{ server {upstream}; keepalive 256; }}
  server {{
    listen {address} ssl http2;
    server_name localhost;
    ssl_certificate {at}/certificate.pem;
    ssl_certificate_key {at}/key.pem;
    ssl_protocols TLSv1.3;
    http2_max_requests 1000000;
    keepalive_requests 1000000;
    location / {{
      proxy_pass http://scripted;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      proxy_buffering off;
    }}
  }}
}}
"
    )
}
