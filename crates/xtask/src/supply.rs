//! SUP01 on every build: the dependency graph against `deny.toml`, from what cargo itself says.
//!
//! Licences, bans and sources need no network and no tool. Advisories need a database; cargo-deny
//! brings one, and runs here when it is installed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::workspace;

/// The part of `deny.toml` that is checked here.
#[derive(Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: BTreeSet<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

/// A crate of the graph, with who uses it.
#[derive(Debug, Default)]
struct Crate {
    versions: BTreeSet<String>,
    licence: String,
    used_by: BTreeSet<String>,
}

type Graph = BTreeMap<String, Crate>;

/// Holds the graph of the workspace at `root` against its rules.
pub(crate) fn run(root: &Path) -> Result<()> {
    let rules: Rules = toml::from_str(&fs::read_to_string(root.join("deny.toml"))?).context("deny.toml")?;
    let mut tree = Command::new("cargo");
    tree.args(["tree", "--workspace", "--locked", "--edges", "normal,build,dev", "--no-dedupe"]);
    tree.args(["--prefix", "depth", "--format", "|{p}|{l}"]).current_dir(root);
    let graph = graph(&workspace::output(&mut tree)?)?;
    let mut problems = broken_rules(&rules, &graph);
    problems.extend(strange_sources(&fs::read_to_string(root.join("Cargo.lock"))?)?);
    for manifest in workspace::files(root)?.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        let named = named_registries(&manifest.text).with_context(|| manifest.path.clone())?;
        problems.extend(named.iter().map(|name| format!("{}: {name} names a registry", manifest.path)));
    }
    let twice = graph.values().filter(|found| found.versions.len() > 1).count();
    println!("{} crates, {twice} of them in more than one version", graph.len());
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    if workspace::has_program("cargo-deny") {
        return workspace::run(Command::new("cargo").args(["deny", "check"]).current_dir(root));
    }
    println!("advisories not checked: cargo-deny is not installed (cargo install --locked cargo-deny)");
    Ok(())
}

/// Reads `cargo tree` lines: depth, then name and version, then licence.
fn graph(tree: &str) -> Result<Graph> {
    let mut graph = Graph::new();
    let mut path: Vec<String> = Vec::new();
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let mut parts = line.splitn(3, '|');
        let (Some(depth), Some(package), Some(licence)) = (parts.next(), parts.next(), parts.next()) else {
            bail!("cargo tree said {line:?}");
        };
        let mut words = package.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        path.truncate(depth.parse()?);
        let found = graph.entry(name.clone()).or_default();
        found.versions.extend(words.next().map(str::to_owned));
        found.licence = licence.trim().trim_end_matches("(*)").trim_end().to_owned();
        found.used_by.extend(path.last().cloned());
        path.push(name);
    }
    Ok(graph)
}

fn broken_rules(rules: &Rules, graph: &Graph) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, found) in graph {
        let exception = rules.licenses.exceptions.iter().find(|exception| exception.name == *name);
        let allowed = |id: &str| {
            rules.licenses.allow.contains(id)
                || exception.is_some_and(|exception| exception.allow.contains(id))
        };
        // A crate may carry its licence in a file alone: who made the exception has read that file.
        let read = found.licence.is_empty() && exception.is_some();
        if !read && !licence_allowed(&found.licence, &allowed) {
            problems.push(format!("{name}: the licence {:?} is not allowed", found.licence));
        }
    }
    for exception in rules.licenses.exceptions.iter().filter(|exception| !graph.contains_key(&exception.name))
    {
        problems.push(format!("deny.toml excepts {}, which nobody uses any more", exception.name));
    }
    for ban in &rules.bans.deny {
        let used_by = graph.get(&ban.name).map(|found| &found.used_by);
        for user in used_by.into_iter().flatten().filter(|user| !ban.wrappers.contains(user)) {
            problems.push(format!("{user} brings {}: {}", ban.name, ban.reason));
        }
    }
    problems
}

/// Evaluates an SPDX expression: OR binds weaker than AND; `/` is the old spelling of OR.
fn licence_allowed(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let expression = expression.replace('/', " OR ");
    let any = split_outside_brackets(&expression, " OR ");
    if any.len() > 1 {
        return any.iter().any(|part| licence_allowed(part, allowed));
    }
    let all = split_outside_brackets(&expression, " AND ");
    if all.len() > 1 {
        return all.iter().all(|part| licence_allowed(part, allowed));
    }
    let single = expression.trim();
    match single.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => licence_allowed(inner, allowed),
        None => allowed(single),
    }
}

fn split_outside_brackets<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && at >= start && text[at..].starts_with(separator) => {
                parts.push(&text[start..at]);
                start = at + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Packages of Cargo.lock that come from elsewhere than cargo's own registry: where no manifest names another,
/// that is the one registry there is.
fn strange_sources(lock: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        source: Option<String>,
    }
    let lock: Lock = toml::from_str(lock).context("Cargo.lock")?;
    let mut from: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Package { name, source } in lock.package {
        if let Some(source) = source {
            from.entry(source).or_default().push(name);
        }
    }
    let registries = from.iter().filter(|(source, _)| source.starts_with("registry+"));
    let own = registries.max_by_key(|(_, names)| names.len()).map(|(source, _)| source.clone());
    let strange = from.iter().filter(|(source, _)| own.as_ref() != Some(source));
    Ok(strange
        .flat_map(|(source, names)| names.iter().map(move |n| format!("{n} comes from {source}")))
        .collect())
}

/// The dependencies of a manifest that name a registry.
fn named_registries(manifest: &str) -> Result<Vec<String>> {
    fn look(name: &str, value: &toml::Value, found: &mut Vec<String>) {
        let Some(table) = value.as_table() else { return };
        if table.contains_key("registry") || table.contains_key("registry-index") {
            found.push(name.to_owned());
        }
        table.iter().for_each(|(name, value)| look(name, value, found));
    }
    let mut found = Vec::new();
    look("the manifest", &toml::from_str(manifest)?, &mut found);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
[licenses]
allow = ["MIT", "Apache-2.0"]
exceptions = [{ crate = "weak", allow = ["MPL-2.0"] }]
[bans]
deny = [{ crate = "openssl-sys", wrappers = ["sqlite"], reason = "no" }]
"#;

    fn rules() -> Rules {
        toml::from_str(RULES).unwrap()
    }

    fn problems(tree: &str) -> Vec<String> {
        broken_rules(&rules(), &graph(&format!("0|weak v1.0.0|MPL-2.0\n{tree}")).unwrap())
    }

    #[test]
    fn expressions_are_evaluated() {
        let allowed = |id: &str| matches!(id, "MIT" | "Apache-2.0 WITH LLVM-exception");
        for good in
            ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR MIT", "(MIT OR X) AND MIT", "Apache-2.0 WITH LLVM-exception"]
        {
            assert!(licence_allowed(good, &allowed), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR X) AND (Y OR Z)", "", "Apache-2.0"] {
            assert!(!licence_allowed(bad, &allowed), "{bad}");
        }
    }

    #[test]
    fn licences_and_their_exceptions_are_held() {
        assert_eq!(problems("0|good v1.0.0|MIT"), [""; 0]);
        assert_eq!(problems("0|bad v1.0.0|MPL-2.0"), ["bad: the licence \"MPL-2.0\" is not allowed"]);
        let nameless = broken_rules(&rules(), &graph("0|weak v1.0.0|\n0|other v1.0.0|").unwrap());
        assert_eq!(nameless, ["other: the licence \"\" is not allowed"]);
        let unused = broken_rules(&rules(), &graph("0|good v1.0.0|MIT").unwrap());
        assert_eq!(unused, ["deny.toml excepts weak, which nobody uses any more"]);
    }

    #[test]
    fn banned_crates_come_in_through_their_wrappers_alone() {
        let through = "0|app v1|MIT\n1|sqlite v1|MIT\n2|openssl-sys v1|MIT";
        assert_eq!(problems(through), [""; 0]);
        let around = format!("{through}\n1|tls v1|MIT\n2|openssl-sys v1|MIT");
        assert_eq!(problems(&around), ["tls brings openssl-sys: no"]);
    }

    #[test]
    fn other_sources_are_named() {
        let package = |name: &str, source: &str| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"1\"\nsource = \"{source}\"\n")
        };
        let own = "registry+https://example.org/index";
        let lock = [
            package("a", "git+https://x"),
            package("b", own),
            package("c", own),
            package("d", "registry+https://elsewhere.example/index"),
            "[[package]]\nname = \"ours\"\nversion = \"1\"\n".to_owned(),
        ];
        let strange = ["a comes from git+https://x", "d comes from registry+https://elsewhere.example/index"];
        assert_eq!(strange_sources(&lock.concat()).unwrap(), strange);
    }

    #[test]
    fn a_manifest_that_names_a_registry_is_found() {
        let plain = "[dependencies]\na = \"1\"\nb = { version = \"1\", features = [\"registry\"] }\n";
        assert_eq!(named_registries(plain).unwrap(), [""; 0]);
        let named = "[dependencies]\na = { version = \"1\", registry = \"x\" }\n\
                     [target.'cfg(unix)'.dependencies.b]\nregistry-index = \"https://x\"\n";
        assert_eq!(named_registries(named).unwrap(), ["a", "b"]);
    }
}
