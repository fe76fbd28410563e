//! Finds the marks that tie code to controls: `enforced!`, `verifies!` and the controls of checks.
//!
//! It reads the sources as text. That is simple, needs no compiler and finds a mark wherever it
//! stands; what it takes for a mark but is none (a comment, the macros' own examples) it leaves out.

use std::collections::BTreeMap;

use crate::workspace::File;

/// Where each control is kept: file and line of every mark.
#[derive(Default)]
pub(super) struct Marks {
    enforced: BTreeMap<String, Vec<Place>>,
    verifies: BTreeMap<String, Vec<Place>>,
    checks: BTreeMap<String, Vec<Place>>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub path: String,
    pub line: usize,
}

/// The home of the macros; its examples are no marks.
const HOME: &str = "crates/domain/src/control.rs";

impl Marks {
    /// The marks of all Rust files among `files`.
    pub(super) fn of(files: &[File]) -> Self {
        let mut marks = Self::default();
        for file in files {
            if file.path.ends_with(".rs") && file.path != HOME && !file.path.starts_with("crates/xtask/") {
                marks.scan(file);
            }
        }
        marks
    }

    fn scan(&mut self, file: &File) {
        let makes_checks = file.text.contains("Check::new(");
        let mut in_tests = false;
        for (index, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            // Unit tests stand at the end of a file; elsewhere the attribute may stand over one item.
            in_tests |= code.starts_with("mod tests {");
            let place = Place { path: file.path.clone(), line: index + 1 };
            // A test that says "enforced" of itself would have nothing to keep.
            let runs = !in_tests && file.path.contains("/src/") && !file.path.ends_with("/tests.rs");
            for token in after(code, "enforced!(").into_iter().filter(|_| runs) {
                self.enforced.entry(token).or_default().push(place.clone());
            }
            for token in after(code, "verifies!(") {
                self.verifies.entry(token).or_default().push(place.clone());
            }
            if makes_checks && runs {
                for token in after(code, "Control::") {
                    self.checks.entry(token).or_default().push(place.clone());
                }
            }
        }
    }

    /// The lines that decide for `control`.
    pub(super) fn enforced(&self, control: &str) -> &[Place] {
        self.enforced.get(control).map_or(&[], Vec::as_slice)
    }

    /// The tests that fail when those lines never ran.
    pub(super) fn verifies(&self, control: &str) -> &[Place] {
        self.verifies.get(control).map_or(&[], Vec::as_slice)
    }

    /// The first place of each file that asks the running system about `control`.
    pub(super) fn checks(&self, control: &str) -> Vec<Place> {
        let mut places = self.checks.get(control).cloned().unwrap_or_default();
        places.dedup_by(|later, first| later.path == first.path);
        places
    }
}

/// The control tokens that follow `mark` in a line.
fn after(code: &str, mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(mark) {
        let rest = code[at + mark.len()..].trim_start();
        let token: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        let looks_right = token.len() == 5
            && token[..3].bytes().all(|b| b.is_ascii_uppercase())
            && token[3..].bytes().all(|b| b.is_ascii_digit());
        if looks_right {
            found.push(token);
        }
    }
    found
}

/// Whether any Rust file outside `domain` reads the field `name` of the policy's numbers.
pub(super) fn reads_number(files: &[File], name: &str) -> bool {
    let field = format!(".{name}");
    files.iter().any(|file| {
        file.path.ends_with(".rs")
            && file.path.contains("/src/")
            && !file.path.starts_with("crates/domain/src/control")
            && file.text.match_indices(&field).any(|(at, _)| {
                let next = file.text[at + field.len()..].chars().next();
                !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn marks_are_found_with_their_lines_and_comments_are_not() {
        let marks = Marks::of(&[file(
            "crates/a/src/lib.rs",
            "fn f() {\n    enforced!(CRY01);\n}\n// enforced!(CRY02);\n    let _p = verifies!(CRY01);\n",
        )]);
        assert_eq!(marks.enforced("CRY01")[0].line, 2);
        assert_eq!(marks.verifies("CRY01")[0].line, 5);
        assert!(marks.enforced("CRY02").is_empty());
    }

    #[test]
    fn a_test_keeps_no_control_by_its_own_word() {
        let inside = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    enforced!(CRY01);\n}\n";
        let marks = Marks::of(&[
            file("crates/a/src/lib.rs", inside),
            file("crates/a/src/b/tests.rs", "enforced!(CRY01);"),
            file("crates/a/tests/t.rs", "enforced!(CRY01);"),
        ]);
        assert!(marks.enforced("CRY01").is_empty());
    }

    #[test]
    fn checks_are_controls_named_where_checks_are_made() {
        let marks = Marks::of(&[
            file("crates/a/src/checks.rs", "Check::new(\n    Control::WEB02, every, run)\nControl::WEB02"),
            file("crates/a/src/other.rs", "Control::WEB03"),
            file("crates/a/tests/t.rs", "Check::new(Control::WEB04, every, run)"),
        ]);
        assert_eq!(marks.checks("WEB02").len(), 1);
        assert!(marks.checks("WEB03").is_empty());
        assert!(marks.checks("WEB04").is_empty());
    }

    #[test]
    fn a_number_must_be_read_as_a_whole_word() {
        let files = [file("crates/a/src/lib.rs", "let x = numbers.idle_minutes_left;")];
        assert!(!reads_number(&files, "idle_minutes"));
        let files = [file("crates/a/src/lib.rs", "let x = numbers.idle_minutes;")];
        assert!(reads_number(&files, "idle_minutes"));
    }
}
