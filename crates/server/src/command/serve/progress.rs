//! How far a model is: a bar with rate and time left on a terminal, a line now and then elsewhere.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicU64, Ordering},
};

use domain::model::Readiness;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use crate::outside;

/// A bar, or its stand-in where nobody watches.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    title: String,
    told: AtomicU64,
}

/// A bar for `title`, of `total` bytes.
pub(crate) fn bar(title: &str, total: u64) -> Bar {
    let bar = std::io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::new(total);
        let template = "  {msg}  {wide_bar}  {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_message(title.to_owned());
        bar
    });
    Bar { bar, title: title.to_owned(), told: AtomicU64::new(0) }
}

impl Bar {
    /// Shows `done` of `total`.
    pub(crate) fn show(&self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            return;
        }
        let tenths = done.saturating_mul(10).checked_div(total).unwrap_or(0);
        if self.told.fetch_max(tenths, Ordering::Relaxed) < tenths {
            outside::say(format_args!("  {}: {} %", self.title, tenths * 10));
        }
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Tells how far the default model is until it is ready or will not be.
pub(super) async fn watch(mut readiness: watch::Receiver<Readiness>) {
    let mut fetching: Option<Bar> = None;
    loop {
        let now = readiness.borrow_and_update().clone();
        match &now {
            Readiness::Fetching { done, total } => {
                fetching
                    .get_or_insert_with(|| bar("Fetching the language model", *total))
                    .show(*done, *total);
            }
            other => {
                if let Some(bar) = fetching.take() {
                    bar.clear();
                }
                say(other);
            }
        }
        if matches!(now, Readiness::Ready) || readiness.changed().await.is_err() {
            return;
        }
    }
}

fn say(readiness: &Readiness) {
    match readiness {
        Readiness::Ready => outside::say("  Model    The language model is ready."),
        Readiness::Loading => outside::say("  Model    Reading the language model into memory."),
        Readiness::Missing { how } => {
            outside::say(format_args!("  Model    There is no language model yet: {how}"));
        }
        Readiness::Failed { why } => outside::say(format_args!("  Model    {why}")),
        Readiness::Fetching { .. } => (),
    }
}
