//! The counts all replicas share, in Redis or Valkey. One script, one round trip for each limit.
//!
//! The server opens it when `[web.limits] redis` is set. Invariant: it can only refuse more than the
//! process does by itself. While it is away, which one line of the log says, nobody waits for it.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use domain::{Secret, enforced};
use redis::{
    Client, ConnectionAddr, IntoConnectionInfo, Script, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::time::timeout;

use super::{Reading, WINDOW_S, until_full};

/// Longest a request waits for the shared count.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a store that failed is left alone.
const REST: Duration = Duration::from_secs(2);
/// Where the counts stand in the store.
const PREFIX: &str = "troth:limit:";

/// Why the shared counts cannot be used at all. Never says the address, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharedError {
    /// It is no address of a Redis.
    #[error("`web.limits.redis` is not an address like rediss://user:password@host:6379/0")]
    Address,
    /// It would go over the network in the clear.
    #[error("`web.limits.redis` goes over the network without TLS; write rediss:// instead of redis://")]
    Clear,
    /// The certificates cannot be used.
    #[error("`web.limits.redis_authority` is not a PEM file with a certificate")]
    Authority,
}

/// The store of all replicas.
pub struct Shared {
    connection: ConnectionManager,
    script: Script,
    started: Instant,
    /// Milliseconds after `started` until which it is left alone; 0 while it answers.
    rests_until: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    /// The store at `address`, trusting `authority` (PEM) instead of the system's authorities where it is
    /// given. Connects when it is first asked. Must be called inside the runtime.
    ///
    /// # Errors
    /// [`SharedError`] when it cannot be used at all.
    pub fn open(address: &Secret<String>, authority: Option<Vec<u8>>) -> Result<Self, SharedError> {
        let info = address.expose().as_str().into_connection_info().map_err(|_| SharedError::Address)?;
        let is_clear = match info.addr() {
            ConnectionAddr::Tcp(host, _) => !is_loopback(host),
            ConnectionAddr::TcpTls { insecure, .. } => *insecure,
            _ => false,
        };
        if is_clear {
            return Err(SharedError::Clear);
        }
        let client = match authority {
            Some(root_cert) => {
                let certificates = TlsCertificates { client_tls: None, root_cert: Some(root_cert) };
                Client::build_with_tls(info, certificates).map_err(|_| SharedError::Authority)
            }
            None => Client::open(info).map_err(|_| SharedError::Address),
        }?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(REST))
            .set_response_timeout(Some(PATIENCE));
        let connection =
            ConnectionManager::new_lazy_with_config(client, config).map_err(|_| SharedError::Address)?;
        let script = Script::new(include_str!("gcra.lua"));
        Ok(Self { connection, script, started: Instant::now(), rests_until: AtomicU64::new(0) })
    }

    /// Finds the way to the store once, with more patience than any request has; says in the log when there
    /// is none. The server calls this before it listens.
    pub async fn greet(&self) {
        if !matches!(timeout(REST, self.ask("greeting", u32::MAX)).await, Ok(Ok(_))) {
            tracing::warn!(
                "the shared rate limits cannot be reached; each replica counts for itself until they can"
            );
        }
    }

    /// Counts one request under `key` by the limit of `here`, which has counted it for this process.
    /// `None` while the store is away.
    pub(super) async fn count(&self, key: &str, here: Reading) -> Option<Reading> {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let rests_until = self.rests_until.load(Ordering::Relaxed);
        if now < rests_until {
            return None;
        }
        let answer = timeout(PATIENCE, self.ask(key, here.limit)).await;
        let Ok(Ok((admitted, left, wait))) = answer else {
            let rest = u64::try_from(REST.as_millis()).unwrap_or(u64::MAX);
            if self.rests_until.swap(now.saturating_add(rest).max(1), Ordering::Relaxed) == 0 {
                tracing::warn!("the shared rate limits are away; each replica counts for itself meanwhile");
            }
            return None;
        };
        if rests_until != 0 && self.rests_until.swap(0, Ordering::Relaxed) != 0 {
            tracing::info!("the shared rate limits are back");
        }
        let (admitted, left) = (admitted != 0, u32::try_from(left).unwrap_or(0).min(here.left));
        let seconds = match admitted {
            true => until_full(here.limit, left),
            false => {
                enforced!(WEB10);
                u32::try_from(wait.div_ceil(1_000_000)).unwrap_or(u32::MAX).max(1)
            }
        };
        Some(Reading { left, seconds, admitted, ..here })
    }

    async fn ask(&self, key: &str, limit: u32) -> redis::RedisResult<(u64, u64, u64)> {
        let interval = u64::from(WINDOW_S) * 1_000_000 / u64::from(limit.max(1));
        let mut connection = self.connection.clone();
        let key = format!("{PREFIX}{key}");
        self.script.key(key).arg(interval.max(1)).arg(limit).invoke_async(&mut connection).await
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(address: &str) -> Option<SharedError> {
        Shared::open(&Secret::new(address.to_owned()), None).err()
    }

    #[tokio::test]
    async fn the_counts_do_not_travel_in_the_clear() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        assert_eq!(open("redis://cache.example/"), Some(SharedError::Clear));
        assert_eq!(open("rediss://cache.example/#insecure"), Some(SharedError::Clear));
        assert_eq!(open("redis://127.0.0.1:6379/"), None);
        assert_eq!(open("redis://[::1]:6379/"), None);
        assert_eq!(open("rediss://cache.example/"), None);
        assert_eq!(open("http://cache.example/"), Some(SharedError::Address));
    }
}
