//! The catalogue the program carries is whole, and a broken one is refused.

use std::collections::BTreeMap;

use super::*;

const ONE: &str = "id = \"XX\"\ntitle = \"X\"\n[[clause]]\nid = \"XX-1\"\nkind = \"E\"\nwords = \"Kept.\"\n";

fn refusal(text: &str) -> String {
    Catalogue::parse(&[("x.toml", text)]).unwrap_err().to_string()
}

#[test]
fn every_published_clause_is_there_with_its_kind() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for source in catalogue.sources() {
        for clause in &source.clauses {
            assert!(
                clause.id.starts_with(&format!("{}-", source.id)),
                "{} stands under {}",
                clause.id,
                source.id
            );
            *counts.entry((&source.id, clause.kind.letter())).or_default() += 1;
        }
    }
    let expected = [
        (("AZ", "E"), 31),
        (("AZ", "O"), 5),
        (("AZ", "W"), 11),
        (("CA", "E"), 16),
        (("CA", "W"), 7),
        (("CY", "E"), 8),
        (("CY", "O"), 2),
        (("CY", "W"), 1),
        (("IV", "E"), 25),
        (("IV", "W"), 9),
        (("MA", "E"), 12),
        (("MA", "O"), 1),
        (("MA", "W"), 8),
    ];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn every_file_of_the_folder_is_compiled_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy/sources");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    files.sort();
    let mut embedded: Vec<_> = EMBEDDED.iter().map(|(name, _)| (*name).to_owned()).collect();
    embedded.sort();
    assert_eq!(files, embedded);
}

#[test]
fn every_control_keeps_some_promise() {
    let catalogue = Catalogue::embedded().unwrap();
    let used: BTreeSet<Control> = catalogue.clauses().flat_map(|clause| clause.controls.clone()).collect();
    // These guard the store's own health; no published clause speaks of it.
    let unpublished = [Control::MOD01, Control::MOD03, Control::STO02, Control::STO03, Control::AUT05];
    for control in Control::ALL {
        assert!(
            used.contains(&control) || unpublished.contains(&control),
            "no clause names {}",
            control.token()
        );
    }
}

#[test]
fn unknown_controls_kinds_and_keys_are_refused() {
    assert!(refusal(&format!("{ONE}controls = [\"NIX01\"]\n")).contains("NIX01"));
    assert!(refusal(&ONE.replace("\"E\"", "\"Z\"")).contains("x.toml"));
    assert!(refusal(&format!("{ONE}control = [\"ACC01\"]\n")).contains("control"));
}

#[test]
fn a_clause_twice_and_an_empty_sentence_are_refused() {
    let twice = format!("{ONE}[[clause]]\nid = \"XX-1\"\nkind = \"E\"\nwords = \"Again.\"\n");
    assert_eq!(refusal(&twice), "the clause XX-1 is defined twice");
    assert_eq!(refusal(&ONE.replace("Kept.", " ")), "the clause XX-1 has an empty sentence");
    assert_eq!(refusal(&format!("{ONE}missing = \"\"\n")), "the clause XX-1 has an empty sentence");
}

#[test]
fn a_number_of_an_unknown_clause_is_refused() {
    assert!(refusal(ONE).contains("which no policy holds"));
}
