//! The smallest real models, from their files: what only real weights can show.
//!
//! The files lie in the folder `TROTH_TEST_MODELS` (by default `target/models`), under their names in the catalog.

use std::path::PathBuf;

use inference::catalog;

mod language;
mod measure;
mod speech;

/// The folder of the test models.
#[expect(clippy::disallowed_methods, reason = "tests may be told where the models are")]
fn folder() -> PathBuf {
    std::env::var("TROTH_TEST_MODELS").map_or_else(
        |_| {
            std::env::current_exe()
                .expect("a test runs from a file")
                .ancestors()
                .nth(3)
                .expect("TARGET/debug/deps/NAME")
                .join("models")
        },
        PathBuf::from,
    )
}

/// Where a model's files are.
fn files(id: &str) -> Vec<PathBuf> {
    let folder = folder();
    let entry = catalog::find(id).expect("in the catalog");
    let paths: Vec<PathBuf> = entry.files.iter().map(|file| folder.join(file.name)).collect();
    for (path, file) in paths.iter().zip(entry.files) {
        let bytes = std::fs::metadata(path).map(|facts| facts.len()).ok();
        assert_eq!(
            bytes,
            Some(file.bytes),
            "the test model {} is not there or not whole: run `cargo xtask test --install` once to fetch it",
            path.display()
        );
    }
    paths
}
