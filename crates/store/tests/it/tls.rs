//! PostgreSQL over a network: verified TLS, or nothing.

use std::sync::Arc;

use domain::{Actor, Job, Secret, verifies};
use keys::{Keyring, Protector};
use sqlx::Row;
use store::{Error, Location, Store};
use testkit::{Clockwork, TlsDatabase};

/// A keyring of one test's own, and who opens stores with it.
struct Opener {
    folder: tempfile::TempDir,
    clockwork: Clockwork,
    keyring: Arc<Keyring>,
}

impl Opener {
    fn new() -> Self {
        let (folder, clockwork) = (tempfile::tempdir().unwrap(), Clockwork::new());
        let protector = Protector::KeyFile(folder.path().join("root.key"));
        let ctx = clockwork.ctx(Actor::System(Job::Setup));
        let keyring = Keyring::create(&folder.path().join("keyring.json"), &protector, ctx.entropy());
        Self { folder, clockwork, keyring: Arc::new(keyring.unwrap()) }
    }

    async fn open(&self, url: String) -> Result<Store, Error> {
        let ctx = self.clockwork.ctx(Actor::System(Job::Setup));
        Store::open(&Location::Postgres { url: Secret::new(url) }, self.keyring.clone(), &ctx).await
    }
}

#[test]
fn a_store_over_a_network_is_reached_through_verified_tls_alone() {
    testkit::run(async {
        let (database, opener) = (TlsDatabase::start().await, Opener::new());
        let own = database.authority();

        let stranger = opener.open(database.url("localhost", &database.stranger())).await;
        assert!(
            matches!(stranger, Err(Error::Unavailable { why: "no trusted TLS connection" })),
            "{stranger:?}"
        );
        let other_name = opener.open(database.url("127.0.0.1", &own)).await;
        assert!(
            matches!(other_name, Err(Error::Unavailable { why: "no trusted TLS connection" })),
            "{other_name:?}"
        );
        let nowhere = opener.open(database.url("localhost", &opener.folder.path().join("none.pem"))).await;
        assert!(nowhere.is_err());
        let tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
        let mut beside = database.connect().await;
        let made: i64 = sqlx::query(tables).fetch_one(&mut beside).await.unwrap().get(0);
        assert_eq!(made, 0, "nothing was written to a server that was not verified");

        let store = opener.open(database.url("localhost", &own)).await.expect("the right authority and name");
        store.ping().await.unwrap();
        let spoken = sqlx::query(
            "SELECT COALESCE(s.version, 'in the clear') FROM pg_stat_activity a \
             JOIN pg_stat_ssl s ON s.pid = a.pid WHERE a.client_addr IS NOT NULL",
        );
        let spoken = spoken.fetch_all(&mut beside).await.unwrap();
        let spoken: Vec<String> = spoken.iter().map(|row| row.get(0)).collect();
        assert!(!spoken.is_empty() && spoken.iter().all(|version| version == "TLSv1.3"), "{spoken:?}");
        store.close().await;
    });
}

#[test]
fn a_store_on_another_machine_is_not_even_asked_without_verified_tls() {
    let _proof = verifies!(STO01);
    testkit::run(async {
        let opener = Opener::new();
        for end in ["", "?sslmode=require", "?sslmode=verify-ca", "?sslmode=disable"] {
            let refused = opener.open(format!("postgres://troth:x@db.example.org/troth{end}")).await;
            assert!(matches!(refused, Err(Error::Insecure { .. })), "{end}: {refused:?}");
        }
    });
}
