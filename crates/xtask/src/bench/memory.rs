//! What the server weighs, idle and for each stream that is open.

use std::{fs, time::Duration};

use reqwest::{Certificate, Client};
use serde::Serialize;

use crate::{instance::Instance, load::Plan, routes};

/// Streams that share one HTTP/2 connection; the server takes no more than a hundred on one.
const STREAMS_OF_ONE: usize = 50;

/// What was found, in bytes.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) idle_bytes: u64,
    pub(crate) streams: usize,
    /// For each stream with a TLS connection of its own.
    pub(crate) per_stream_bytes: u64,
    /// For each stream when fifty share one HTTP/2 connection.
    pub(crate) per_shared_stream_bytes: u64,
}

/// Opens the streams on a fresh instance, first over few connections, then each over its own. What the
/// allocator keeps from the first round makes the second look smaller by no more than that.
pub(crate) async fn measure(instance: &mut Instance, plan: &Plan) -> anyhow::Result<Memory> {
    let route = routes::completions(instance)?;
    route.ask("words-32").await?;
    let certificates = trusted(instance)?;
    let few = (0..plan.streams.div_ceil(STREAMS_OF_ONE)).map(|_| {
        let client = Client::builder().tls_certs_only(certificates.clone()).no_proxy();
        Ok(client.build()?)
    });
    let few = few.collect::<anyhow::Result<Vec<_>>>()?;
    let shared = weigh(instance, plan, |at| Ok(few[at / STREAMS_OF_ONE].clone())).await?;
    drop(few);
    let own = weigh(instance, plan, |_| {
        let client = Client::builder().tls_certs_only(certificates.clone()).no_proxy().http1_only();
        Ok(client.build()?)
    })
    .await?;
    Ok(Memory {
        idle_bytes: instance.idle_bytes,
        streams: plan.streams,
        per_stream_bytes: own,
        per_shared_stream_bytes: shared,
    })
}

/// The difference that the open streams make, for each.
async fn weigh(
    instance: &Instance,
    plan: &Plan,
    client: impl Fn(usize) -> anyhow::Result<Client>,
) -> anyhow::Result<u64> {
    let route = routes::completions(instance)?;
    let before = instance.resident()?;
    let mut open = Vec::new();
    for at in 0..plan.streams {
        open.push(route.with_client(client(at)?).open("hold").await?);
    }
    // Long enough for each to have carried a few more words.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let with = instance.resident()?;
    drop(open);
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(with.saturating_sub(before) / plan.streams.max(1) as u64)
}

fn trusted(instance: &Instance) -> anyhow::Result<Vec<Certificate>> {
    Ok(vec![Certificate::from_pem(&fs::read(&instance.authority)?)?])
}
