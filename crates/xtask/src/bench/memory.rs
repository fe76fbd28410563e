//! What the server weighs, idle and for each stream that is open.

use std::{fs, path::Path, time::Duration};

use anyhow::Context;
use reqwest::{Certificate, Client, ClientBuilder};
use serde::Serialize;

use crate::{instance::Instance, load::Plan, routes, upstream::Upstream};

/// Streams that share one HTTP/2 connection; the server takes no more than a hundred on one.
const STREAMS_OF_ONE: usize = 40;

/// After that long a fresh server has looked at itself.
const FIRST_CHECKS: Duration = Duration::from_secs(15);

/// What was found, in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) idle_bytes: u64,
    pub(crate) streams: usize,
    /// For each stream with a TLS connection of its own.
    pub(crate) per_stream_bytes: u64,
    /// For each stream when forty share one HTTP/2 connection.
    pub(crate) per_shared_stream_bytes: u64,
}

/// Measures each way on a fresh instance.
pub(crate) async fn measure(server: &Path, upstream: &Upstream, plan: &Plan) -> anyhow::Result<Memory> {
    let mut instance = Instance::start(server, upstream).await.context("the server")?;
    let idle_bytes = instance.idle_bytes;
    let own = weigh(&instance, plan, 1, || Client::builder().http1_only()).await?;
    instance.stop().await?;
    instance = Instance::start(server, upstream).await.context("the server")?;
    let shared = weigh(&instance, plan, STREAMS_OF_ONE, Client::builder).await?;
    instance.stop().await?;
    Ok(Memory { idle_bytes, streams: plan.streams, per_stream_bytes: own, per_shared_stream_bytes: shared })
}

/// What one more stream weighs, where `together` share a connection: the second half of all that are opened. What a
/// server takes up once, when it is first used by many, is no stream's, and neither is what its checks of
/// itself take up, the first of which come ten seconds after its start.
async fn weigh(
    instance: &Instance,
    plan: &Plan,
    together: usize,
    builder: impl Fn() -> ClientBuilder,
) -> anyhow::Result<u64> {
    let (route, certificates) = (routes::completions(instance)?, trusted(instance)?);
    tokio::time::sleep(FIRST_CHECKS).await;
    let mut open = Vec::new();
    let mut weights = Vec::new();
    for _ in 0..2 {
        for _ in 0..plan.streams.div_ceil(2 * together) {
            let client = builder().tls_certs_only(certificates.clone()).no_proxy().build()?;
            for _ in 0..together {
                open.push(route.with_client(client.clone()).open("hold").await?);
            }
        }
        // Long enough for each to have carried a few more words.
        tokio::time::sleep(Duration::from_secs(3)).await;
        weights.push(instance.resident()?);
    }
    let more = weights[1].saturating_sub(weights[0]);
    Ok(more * 2 / open.len().max(1) as u64)
}

fn trusted(instance: &Instance) -> anyhow::Result<Vec<Certificate>> {
    Ok(vec![Certificate::from_pem(&fs::read(&instance.authority)?)?])
}
