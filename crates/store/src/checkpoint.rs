//! Moves what was written from SQLite's log into its file, beside the writing.
//!
//! SQLite does this by itself within whichever commit makes the log a thousand pages long; that one person then
//! waits for thousands of pages to be synced. Here a task of the store does it on a connection that only reads
//! otherwise, so that a commit costs one sync of the log and no more. Spawned by `Store::open`. Invariant: nothing
//! that was acknowledged depends on it; without it the log is only longer.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::store::Inner;

/// How long what is written may gather.
const GATHERS: Duration = Duration::from_millis(500);
/// Times in a row: the first moves the most, the next what was written meanwhile. A log that is moved whole is
/// begun anew instead of growing.
const PASSES: usize = 4;

/// Does it after every while in which something was written, until the store is closed.
pub(crate) async fn keep_moving(store: Weak<Inner>, stop: CancellationToken) {
    let Some(changed) = store.upgrade().map(|store| Arc::clone(store.changed())) else { return };
    let work = async {
        loop {
            changed.notified().await;
            sleep(GATHERS).await;
            let Some(store) = store.upgrade() else { return };
            for _ in 0..PASSES {
                match store.move_log().await {
                    Ok(false) => {}
                    Ok(true) => break,
                    Err(error) => {
                        tracing::warn!(%error, "the write-ahead log could not be moved into the file");
                        break;
                    }
                }
            }
        }
    };
    tokio::select! {
        () = work => (),
        () = stop.cancelled() => (),
    }
}
