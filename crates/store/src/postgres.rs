//! The store in a PostgreSQL server.
//!
//! Called by `Store::open`. Invariant: rows cross a network only inside verified TLS, to a server that
//! asks who we are.

use std::{net::IpAddr, str::FromStr};

use domain::{Ctx, Secret, enforced};
use keys::Keyring;
use sqlx::{
    AnyConnection, Connection, Row,
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::{
    Error,
    db::{Engine, Target},
    schema::{self, Tables},
    store,
};

/// How errors call it: the URL holds a password.
pub(crate) const PLACE: &str = "the PostgreSQL database";

/// Connects, brings the tables up to date and, in an empty database, writes the first rows, as far as `tables`
/// allows it.
pub(crate) async fn open(
    url: &Secret<String>,
    keyring: &Keyring,
    tables: Tables,
    ctx: &Ctx,
) -> Result<Target, Error> {
    refuse_unsafe(url.expose())?;
    let first = "SET TIME ZONE 'UTC'; SET statement_timeout = 30000; SET synchronous_commit = on;".to_owned();
    let target = Target { engine: Engine::Postgres, url: url.clone(), first: Secret::new(first) };
    let opened = async {
        let mut connection = target.connect().await?;
        let filled = match tables {
            Tables::BroughtUpToDate => fill(&mut connection, keyring, ctx).await,
            Tables::LeftAlone => schema::ready(&mut connection, Engine::Postgres, tables).await,
        };
        Target::end(connection, filled).await
    };
    Box::pin(opened).await.map_err(|error: Error| error.at(PLACE))?;
    Ok(target)
}

/// Makes the tables and, where there are none yet, the first rows.
async fn fill(connection: &mut AnyConnection, keyring: &Keyring, ctx: &Ctx) -> Result<(), Error> {
    schema::ready(connection, Engine::Postgres, Tables::BroughtUpToDate).await?;
    let mut tx = connection.begin().await?;
    // Two servers may start on an empty database at once; one of them writes the first rows.
    sqlx::raw_sql("LOCK TABLE audit_head IN EXCLUSIVE MODE").execute(&mut *tx).await?;
    if is_new(&mut tx).await? {
        store::first_rows(&mut tx, keyring, ctx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Whether the tables are empty. Where others are not, a missing head of the audit log is damage.
async fn is_new(connection: &mut AnyConnection) -> Result<bool, Error> {
    let counted = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM audit_head), (SELECT COUNT(*) FROM audit), \
         (SELECT COUNT(*) FROM deks) + (SELECT COUNT(*) FROM accounts)",
    )
    .fetch_one(connection)
    .await?;
    let (heads, entries, others): (i64, i64, i64) =
        (counted.try_get(0)?, counted.try_get(1)?, counted.try_get(2)?);
    if heads == 0 && entries + others > 0 {
        return Err(Error::damaged("the head of its audit log is gone"));
    }
    Ok(heads == 0)
}

/// Refuses an address whose data would cross a network unprotected, or to a server that asks for no proof.
fn refuse_unsafe(url: &str) -> Result<(), Error> {
    let malformed = Error::Insecure { why: "it is not a URL like postgres://user:password@host/name" };
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(malformed);
    }
    let Ok(options) = PgConnectOptions::from_str(url) else { return Err(malformed) };
    if options.get_socket().is_some() || is_here(options.get_host()) {
        return Ok(());
    }
    if !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
        enforced!(STO01);
        return Err(Error::Insecure {
            why: "a database on another machine needs verified TLS; add sslmode=verify-full (and sslrootcert=… for a \
                  private authority) to the URL",
        });
    }
    if !shows_credentials(url) {
        return Err(Error::Insecure {
            why: "a database on another machine needs a password or a client certificate in the URL",
        });
    }
    Ok(())
}

/// Whether a host is this machine: a socket's folder, `localhost`, or a loopback address.
fn is_here(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.starts_with('/') || bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn shows_credentials(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let (authority, query) =
        (rest.split(['/', '?']).next().unwrap_or(""), rest.split_once('?').map_or("", |(_, q)| q));
    let password = authority
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, p)| !p.is_empty());
    // A parameter stands above the part before the host, and the last of its name above the others.
    let given = |name| {
        let mut values = query.split('&').rev().filter_map(|pair| pair.split_once('='));
        values.find(|(key, _)| *key == name).map(|(_, value)| !value.is_empty())
    };
    given("password").unwrap_or(password) || given("sslcert").unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_or_verified_tls_with_a_password_is_accepted() {
        let _proof = domain::verifies!(STO01);
        for accepted in [
            "postgres://troth:x@localhost/troth",
            "postgres://troth@127.0.0.1:5433/troth",
            "postgres://troth@[::1]/troth",
            "postgres://troth@localhost/troth?host=/var/run/postgresql",
            "postgresql://troth:x@db.example.org/troth?sslmode=verify-full",
            "postgres://troth@db.example.org/troth?sslmode=verify-full&sslcert=/c.pem&sslkey=/k.pem",
            "postgres://troth@db.example.org/troth?sslmode=verify-full&password=x",
        ] {
            assert!(refuse_unsafe(accepted).is_ok(), "{accepted}");
        }
        for refused in [
            "postgres://troth:x@db.example.org/troth",
            "postgres://troth:x@db.example.org/troth?sslmode=require",
            "postgres://troth:x@db.example.org/troth?sslmode=verify-ca",
            "postgres://troth:x@10.0.0.5/troth?sslmode=prefer",
            "postgres://troth:x@localhost/troth?host=db.example.org",
            "postgres://troth:x@localhost.example.org/troth",
            "postgres://troth@db.example.org/troth?sslmode=verify-full",
            "postgres://troth:@db.example.org/troth?sslmode=verify-full",
            "postgres://troth@db.example.org/troth?sslmode=verify-full&password=",
            "postgres://troth:x@db.example.org/troth?sslmode=verify-full&password=",
            "postgres://troth@db.example.org/troth?sslmode=verify-full&sslcert=&sslkey=/k.pem",
            "mysql://troth:x@localhost/troth",
            "sqlite:///tmp/troth.db",
            "",
        ] {
            assert!(matches!(refuse_unsafe(refused), Err(Error::Insecure { .. })), "{refused}");
        }
    }
}
