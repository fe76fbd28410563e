//! `cargo xtask layers`: the walls drawn in ARCHITECTURE.md against the walls in the manifests.
//!
//! Both ways: an arrow that is drawn and not used is as wrong as one that is used and not drawn.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, Result, bail};

use crate::workspace::{self, Manifest};

/// What is drawn: for each room, the rooms it may use; `None` stands for all of them.
type Drawing = BTreeMap<String, Option<BTreeSet<String>>>;

/// Heavy crates and the only rooms that may use them.
const HOMES: [(&str, &[&str]); 12] = [
    ("sqlx", &["store", "testkit"]),
    ("libsqlite3-sys", &["store"]),
    ("reqwest", &["providers", "server", "testkit", "xtask"]),
    ("axum", &["web"]),
    ("hyper", &["web"]),
    ("maud", &["web"]),
    ("candle-core", &["inference"]),
    ("candle-nn", &["inference"]),
    ("rten", &["inference"]),
    ("tokenizers", &["inference"]),
    ("argon2", &["identity", "keys"]),
    ("anyhow", &["server", "xtask", "testkit"]),
];

/// Rooms outside the drawing: chores are no part of the product.
const OUTSIDE: [&str; 1] = ["xtask"];

/// Holds ARCHITECTURE.md and the manifests under `root` against each other.
pub(crate) fn run(root: &Path) -> Result<()> {
    let drawing = drawing(&fs::read_to_string(root.join("ARCHITECTURE.md"))?)?;
    let problems = compare(&drawing, &workspace::manifests(root)?);
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{}", problems.join("\n"))
}

/// Reads the ```layers block.
fn drawing(text: &str) -> Result<Drawing> {
    let block = text.split("```layers").nth(1).and_then(|rest| rest.split("```").next());
    let block = block.context("ARCHITECTURE.md has no ```layers block")?;
    let mut drawing = Drawing::new();
    for line in block.lines().map(|line| line.split('(').next().unwrap_or_default().trim()) {
        if line.is_empty() {
            continue;
        }
        let (room, uses) = line.split_once("->").with_context(|| format!("no arrow in {line:?}"))?;
        let uses = uses.trim();
        let uses = (uses != "*").then(|| uses.split_whitespace().map(str::to_owned).collect());
        drawing.insert(room.trim().to_owned(), uses);
    }
    Ok(drawing)
}

fn compare(drawing: &Drawing, manifests: &BTreeMap<String, Manifest>) -> Vec<String> {
    let rooms: BTreeSet<&str> = manifests.keys().map(String::as_str).collect();
    let mut problems = Vec::new();
    for room in drawing.keys().filter(|room| !rooms.contains(room.as_str())) {
        problems.push(format!("ARCHITECTURE.md draws the room {room}, which does not exist"));
    }
    for (room, manifest) in manifests {
        problems.extend(arrows(room, manifest, drawing, &rooms));
        for (heavy, homes) in HOMES {
            if manifest.normal.contains(heavy) && !homes.contains(&room.as_str()) {
                problems.push(format!("{room} uses {heavy}, whose home is {}", homes.join(", ")));
            }
        }
    }
    problems.extend(circle(manifests));
    problems
}

/// The arrows of one room.
fn arrows(room: &str, manifest: &Manifest, drawing: &Drawing, rooms: &BTreeSet<&str>) -> Vec<String> {
    let mut problems = Vec::new();
    let used: BTreeSet<&str> = ours(&manifest.normal, rooms);
    if OUTSIDE.contains(&room) {
        return problems;
    }
    match drawing.get(room) {
        None => problems.push(format!("ARCHITECTURE.md does not draw the room {room}")),
        Some(None) => {}
        Some(Some(allowed)) => {
            for used in used.iter().filter(|used| !allowed.contains(**used)) {
                problems.push(format!("{room} -> {used} is used but not drawn"));
            }
            for drawn in allowed.iter().filter(|drawn| !used.contains(drawn.as_str())) {
                problems.push(format!("{room} -> {drawn} is drawn but not used"));
            }
            // Tests may lean on testkit and on whatever the room itself may use.
            let in_tests = ours(&manifest.dev, rooms);
            for used in in_tests.iter().filter(|used| **used != "testkit" && !allowed.contains(**used)) {
                problems.push(format!("the tests of {room} use {used}, which the room may not"));
            }
        }
    }
    if used.contains("testkit") {
        problems.push(format!("{room} uses testkit outside its tests"));
    }
    problems
}

fn ours<'a>(names: &'a BTreeSet<String>, rooms: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    names.iter().map(String::as_str).filter(|name| rooms.contains(name)).collect()
}

/// A circle among the normal dependencies, if there is one: what is left when rooms that lean on
/// nothing are taken away again and again.
fn circle(manifests: &BTreeMap<String, Manifest>) -> Option<String> {
    let mut left: BTreeMap<&str, &Manifest> = manifests.iter().map(|(room, m)| (room.as_str(), m)).collect();
    loop {
        let free: Vec<&str> = left
            .iter()
            .filter(|(_, manifest)| !manifest.normal.iter().any(|used| left.contains_key(used.as_str())))
            .map(|(room, _)| *room)
            .collect();
        if free.is_empty() {
            break;
        }
        left.retain(|room, _| !free.contains(room));
    }
    let rooms: Vec<&str> = left.into_keys().collect();
    (!rooms.is_empty()).then(|| format!("these rooms lean on each other in a circle: {}", rooms.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWING: &str =
        "x\n```layers\ndomain ->\nstore -> domain\nweb -> domain   (seen)\nserver -> *\n```\n";

    fn manifests(rooms: &[(&str, &[&str], &[&str])]) -> BTreeMap<String, Manifest> {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let manifest = |(room, normal, dev): &(&str, &[&str], &[&str])| {
            ((*room).to_owned(), Manifest { normal: set(normal), dev: set(dev) })
        };
        rooms.iter().map(manifest).collect()
    }

    fn problems(rooms: &[(&str, &[&str], &[&str])]) -> Vec<String> {
        compare(&drawing(DRAWING).unwrap(), &manifests(rooms))
    }

    const DOMAIN: (&str, &[&str], &[&str]) = ("domain", &["serde"], &[]);
    const STORE: (&str, &[&str], &[&str]) = ("store", &["domain", "sqlx"], &[]);
    const WEB: (&str, &[&str], &[&str]) = ("web", &["domain", "axum"], &[]);
    const SERVER: (&str, &[&str], &[&str]) = ("server", &["web", "store"], &[]);

    #[test]
    fn a_house_as_drawn_has_no_problems() {
        assert_eq!(problems(&[DOMAIN, STORE, WEB, SERVER]), [""; 0]);
    }

    #[test]
    fn arrows_must_be_drawn_and_used() {
        let undrawn = ("web", &["domain", "store"][..], &[][..]);
        assert_eq!(problems(&[DOMAIN, STORE, undrawn, SERVER]), ["web -> store is used but not drawn"]);
        let unused = ("store", &["sqlx"][..], &[][..]);
        assert_eq!(problems(&[DOMAIN, unused, WEB, SERVER]), ["store -> domain is drawn but not used"]);
    }

    #[test]
    fn rooms_must_be_drawn_and_exist() {
        assert_eq!(
            problems(&[DOMAIN, STORE, WEB]),
            ["ARCHITECTURE.md draws the room server, which does not exist"]
        );
        let extra = ("cellar", &[][..], &[][..]);
        let found = problems(&[DOMAIN, STORE, WEB, SERVER, extra]);
        assert_eq!(found, ["ARCHITECTURE.md does not draw the room cellar"]);
    }

    #[test]
    fn heavy_crates_stay_at_home() {
        let astray = ("web", &["domain", "sqlx"][..], &[][..]);
        assert_eq!(
            problems(&[DOMAIN, STORE, astray, SERVER]),
            ["web uses sqlx, whose home is store, testkit"]
        );
    }

    #[test]
    fn tests_may_use_testkit_and_nothing_hidden() {
        let testkit = ("testkit", &["domain"][..], &[][..]);
        let drawing = drawing(&DRAWING.replace("server -> *", "server -> *\ntestkit -> *")).unwrap();
        let web = ("web", &["domain"][..], &["testkit", "store"][..]);
        let found = compare(&drawing, &manifests(&[DOMAIN, STORE, web, SERVER, testkit]));
        assert_eq!(found, ["the tests of web use store, which the room may not"]);
    }

    #[test]
    fn circles_are_named() {
        let domain = ("domain", &["store"][..], &[][..]);
        let found = problems(&[domain, STORE, WEB, SERVER]);
        assert!(found.iter().any(|p| p.contains("circle: domain, server, store, web")), "{found:?}");
    }
}
