//! Where the tree is, which files are ours, and how the packages depend on each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

/// Folders that hold no source of ours.
const SKIPPED: [&str; 4] = ["target", ".git", "node_modules", "data"];

/// The root of the workspace this xtask was built from or is run in.
pub(crate) fn root() -> Result<PathBuf> {
    let here = std::env::current_dir()?;
    here.ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file() && folder.join("crates").is_dir())
        .map(Path::to_path_buf)
        .context("run this inside the workspace")
}

/// Where build products go: what the environment says, or `target` in the tree.
#[expect(clippy::disallowed_methods, reason = "cargo itself is configured through the environment")]
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target))
}

/// A file of ours: its path from the root, with `/` between, and its text.
pub(crate) struct File {
    pub path: String,
    pub text: String,
}

/// Every text file of the tree, in order; binary files and [`SKIPPED`] folders are left out.
pub(crate) fn files(root: &Path) -> Result<Vec<File>> {
    let mut found = Vec::new();
    collect(root, root, &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name();
        if kind.is_dir() {
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                collect(root, &path, found)?;
            }
        } else if kind.is_file()
            && name != ".env"
            && let Ok(text) = String::from_utf8(fs::read(&path)?)
        {
            let path = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            found.push(File { path, text });
        }
    }
    Ok(())
}

/// The dependencies of one of our packages, as its manifest states them.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub normal: BTreeSet<String>,
    pub dev: BTreeSet<String>,
}

/// The manifest of every crate under `crates/`.
pub(crate) fn manifests(root: &Path) -> Result<BTreeMap<String, Manifest>> {
    let mut manifests = BTreeMap::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let folder = entry?.path();
        let path = folder.join("Cargo.toml");
        if !path.is_file() {
            continue;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let manifest = parse_manifest(&name, &fs::read_to_string(&path)?);
        manifests.insert(name, manifest.with_context(|| path.display().to_string())?);
    }
    Ok(manifests)
}

/// Reads one manifest; the package must be named after its folder.
pub(crate) fn parse_manifest(folder: &str, text: &str) -> Result<Manifest> {
    let table: toml::Table = toml::from_str(text)?;
    let name = table.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    ensure!(name == Some(folder), "the package in crates/{folder} must be called {folder}");
    let names = |tables: Vec<Option<&toml::Value>>| -> BTreeSet<String> {
        let tables = tables.into_iter().flatten().filter_map(toml::Value::as_table);
        tables.flat_map(|table| table.keys().cloned()).collect()
    };
    let mut normal = vec![table.get("dependencies"), table.get("build-dependencies")];
    let targets = table.get("target").and_then(toml::Value::as_table);
    normal.extend(targets.into_iter().flat_map(|targets| targets.values().map(|t| t.get("dependencies"))));
    Ok(Manifest { normal: names(normal), dev: names(vec![table.get("dev-dependencies")]) })
}

/// Runs a program with its output visible.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = format!("{command:?}").replace('"', "");
    let status = command.status().with_context(|| format!("{name} did not start"))?;
    ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}

/// The output of a program, or an error with what it said.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = format!("{command:?}").replace('"', "");
    let output = command.output().with_context(|| format!("{name} did not start"))?;
    ensure!(output.status.success(), "{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether a program of this name is on the path.
#[expect(clippy::disallowed_methods, reason = "the path is where programs are looked for")]
pub(crate) fn has_program(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}
