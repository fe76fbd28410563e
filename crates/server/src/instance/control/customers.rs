//! `customers {…}` on the control socket: what `troth customers` and `troth demo` ask a running instance to do.

use std::{fmt::Write as _, io::Read, path::Path};

use assistant::{
    Error,
    customers::{Imported, Kind, MAX_IMPORT_BYTES},
};
use domain::{Ctx, Job};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Answer;
use crate::instance::House;

/// The word such a line begins with.
pub(super) const WORD: &str = "customers ";

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Bring customers in.
    Import {
        /// The file, from the root.
        file: String,
        /// Only look whether it is right.
        dry_run: bool,
        /// As JSON.
        json: bool,
    },
    /// Put the samples in, or take them out.
    Samples {
        /// Take them out.
        remove: bool,
        /// As JSON.
        json: bool,
    },
}

/// Does it as the operator of the machine.
pub(super) async fn answer(house: &House, order: &str) -> Answer {
    let Ok(order) = serde_json::from_str(order) else {
        return refused("The running instance does not understand this.");
    };
    let ctx = house.outside.ctx(Job::Operator);
    match order {
        Order::Import { file, dry_run, json } => import(house, &ctx, &file, dry_run, json).await,
        Order::Samples { remove, json } => samples(house, &ctx, remove, json).await,
    }
}

fn refused(text: impl std::fmt::Display) -> Answer {
    Answer { exit: 2, text: format!("{text}\n") }
}

fn failed(error: &Error) -> Answer {
    let words = error.to_string();
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    refused(format_args!("{first}{}.", letters.as_str()))
}

async fn import(house: &House, ctx: &Ctx, file: &str, dry_run: bool, json: bool) -> Answer {
    let Some(kind) = Kind::of_name(file) else {
        return refused("The name of the file must end in .csv or .json.");
    };
    let path = Path::new(file).to_owned();
    // Reading a file may block.
    let read = tokio::task::spawn_blocking(move || read(&path)).await;
    let bytes = match read {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(why)) => return refused(why),
        Err(_) => return refused("The file could not be read."),
    };
    match house.assistant.customers().import(ctx, &bytes, kind, dry_run).await {
        Ok(report) => {
            let exit = if report.problems.is_empty() { 0 } else { 2 };
            let text = if json {
                serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
            } else {
                told(&report, dry_run)
            };
            Answer { exit, text }
        }
        Err(error) => failed(&error),
    }
}

/// A plain file, whole, in memory that is wiped.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let cannot = "The file cannot be read. Check its name, and that the account of the server may read it.";
    // Looked at before it is opened: opening a pipe would wait for a writer.
    let about = std::fs::metadata(path).map_err(|_| cannot)?;
    if !about.is_file() {
        return Err("That is no plain file.");
    }
    let file = std::fs::File::open(path).map_err(|_| cannot)?;
    let most = u64::try_from(MAX_IMPORT_BYTES).unwrap_or(u64::MAX);
    let mut bytes =
        Zeroizing::new(Vec::with_capacity(usize::try_from(about.len().min(most)).unwrap_or(0) + 1));
    // One more than is taken, so that a longer file is told from one that fits.
    file.take(most + 1).read_to_end(&mut bytes).map_err(|_| cannot)?;
    Ok(bytes)
}

/// The report in words: a line for each problem, aligned.
fn told(report: &Imported, dry_run: bool) -> String {
    let mut text = String::new();
    let places: Vec<String> = report.problems.iter().map(|problem| problem.at.to_string()).collect();
    let width = places.iter().map(String::len).max().unwrap_or(0);
    let fields = report.problems.iter().map(|problem| problem.field.len()).max().unwrap_or(0);
    for (place, problem) in places.iter().zip(&report.problems) {
        let _ = match problem.field {
            "" => writeln!(text, "{place:width$}  {}", problem.what),
            field => writeln!(text, "{place:width$}  {field:fields$}  {}", problem.what),
        };
    }
    if report.more_problems > 0 {
        let _ = writeln!(text, "… and {} more.", report.more_problems);
    }
    let count = format!(
        "{}, {}, {}",
        counted(report.customers, "customer"),
        counted(report.orders, "order"),
        counted(report.appointments, "appointment"),
    );
    let said = match (report.problems.is_empty(), report.taken, dry_run) {
        (false, ..) => {
            format!("\nThe file holds {count}. Nothing was taken: correct it and import it again.")
        }
        (true, true, _) => format!("Taken: {count}."),
        (true, false, true) => format!("The file is right: {count}. Nothing was taken; this was a dry run."),
        (true, false, false) => "The file holds nobody.".to_owned(),
    };
    text + &said + "\n"
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

async fn samples(house: &House, ctx: &Ctx, remove: bool, json: bool) -> Answer {
    let customers = house.assistant.customers();
    let done =
        if remove { customers.remove_samples(ctx).await } else { customers.fill_with_samples(ctx).await };
    let count = match done {
        Ok(count) => count,
        Err(error) => return failed(&error),
    };
    let text = match (json, remove) {
        (true, _) => serde_json::json!({ "samples": if remove { 0 } else { count }, "removed": if remove { count } else { 0 } }).to_string(),
        (false, true) if count == 0 => "There were no sample customers.".to_owned(),
        (false, true) => format!("{} taken out; their keys are destroyed.", counted(count, "sample customer")),
        (false, false) => format!(
            "{} put in, CUST0001 to CUST{count:04}, marked as samples. See them at /desk/customers;\n\
             `troth demo --remove` takes them out again.",
            counted(count, "sample customer")
        ),
    };
    Answer { exit: 0, text: text + "\n" }
}

#[cfg(test)]
mod tests {
    use assistant::customers::{Problem, Where};

    use super::*;

    #[test]
    fn a_report_reads_well_and_says_what_happened() {
        let problem = |line, field, what| Problem { at: Where::Line(line), field, what };
        let report = Imported {
            customers: 2,
            problems: vec![
                problem(2, "phone", "is no telephone number"),
                problem(13, "", "the line has more or fewer fields than there are columns"),
            ],
            more_problems: 4,
            ..Imported::default()
        };
        insta::assert_snapshot!(told(&report, false), @r"
        line 2   phone  is no telephone number
        line 13  the line has more or fewer fields than there are columns
        … and 4 more.

        The file holds 2 customers, 0 orders, 0 appointments. Nothing was taken: correct it and import it again.
        ");
        let good = Imported { customers: 1, orders: 2, taken: true, ..Imported::default() };
        assert_eq!(told(&good, false), "Taken: 1 customer, 2 orders, 0 appointments.\n");
        let looked_at = Imported { taken: false, ..good };
        assert!(told(&looked_at, true).contains("dry run"));
    }
}
