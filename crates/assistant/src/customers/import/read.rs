//! From bytes to rows: CSV and JSON, each into the same fields, none of them looked at yet.

use std::{collections::BTreeSet, fmt, marker::PhantomData};

use domain::customer::MAX_ITEMS;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{
    super::{MAX_CUSTOMERS, MAX_RECORDS},
    Imported, Kind, Where,
};

/// The columns of a file of customers.
const CUSTOMER: [&str; 8] =
    ["customer_id", "name", "phone", "email", "address", "since", "date_of_birth", "note"];
/// The columns of a file of orders.
const ORDER: [&str; 7] = ["order_number", "customer_id", "placed", "status", "expected", "items", "total"];

/// A customer as the file has them.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCustomer {
    pub(super) customer_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) email: Option<String>,
    pub(super) address: Option<String>,
    pub(super) since: Option<String>,
    pub(super) date_of_birth: Option<String>,
    pub(super) note: Option<String>,
    #[serde(deserialize_with = "records")]
    pub(super) orders: Vec<RawOrder>,
    #[serde(deserialize_with = "records")]
    pub(super) appointments: Vec<RawAppointment>,
}

/// An order as the file has it; `customer_id` in a file of orders alone.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawOrder {
    pub(super) order_number: Option<String>,
    pub(super) customer_id: Option<String>,
    pub(super) placed: Option<String>,
    pub(super) status: Option<String>,
    pub(super) expected: Option<String>,
    #[serde(deserialize_with = "items")]
    pub(super) items: Vec<String>,
    pub(super) total: Option<String>,
}

/// An appointment as the file has it.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawAppointment {
    pub(super) appointment_number: Option<String>,
    pub(super) start: Option<String>,
    pub(super) service: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(deserialize_with = "customers")]
    customers: Vec<RawCustomer>,
}

/// Reads a list and keeps no more than the first thing that is too much; `full` says how much is too much.
/// What comes after is read over, so that the file is refused for its length and not for its end.
struct Bounded<T, F>(F, PhantomData<T>);

impl<'de, T: Deserialize<'de>, F: Fn(&[T]) -> bool> Visitor<'de> for Bounded<T, F> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut kept = Vec::new();
        while let Some(next) = list.next_element()? {
            kept.push(next);
            if (self.0)(&kept) {
                while list.next_element::<IgnoredAny>()?.is_some() {}
            }
        }
        Ok(kept)
    }
}

fn customers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RawCustomer>, D::Error> {
    let records = std::cell::Cell::new(0);
    let is_full = |kept: &[RawCustomer]| {
        records
            .set(records.get() + kept.last().map_or(0, |last| last.orders.len() + last.appointments.len()));
        kept.len() > MAX_CUSTOMERS || records.get() > MAX_RECORDS
    };
    from.deserialize_seq(Bounded(is_full, PhantomData))
}

fn records<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    from.deserialize_seq(Bounded(|kept: &[T]| kept.len() > MAX_RECORDS, PhantomData))
}

fn items<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    from.deserialize_seq(Bounded(|kept: &[String]| kept.len() > MAX_ITEMS, PhantomData))
}

/// The rows of a file, with where each is.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) customers: Vec<(Where, RawCustomer)>,
    pub(super) orders: Vec<(Where, RawOrder)>,
}

/// Reads `bytes`. What cannot be read stands in `report`, and nothing of it in the rows.
pub(super) fn rows(kind: Kind, bytes: &[u8], report: &mut Imported) -> Rows {
    // What spreadsheets put before everything else.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let rows = match kind {
        Kind::Json => json(bytes, report),
        Kind::Csv => csv(bytes, report),
    };
    report.customers = rows.customers.len();
    report.orders = rows.orders.len() + rows.customers.iter().map(|(_, raw)| raw.orders.len()).sum::<usize>();
    report.appointments = rows.customers.iter().map(|(_, raw)| raw.appointments.len()).sum();
    if report.customers > MAX_CUSTOMERS || report.orders + report.appointments > MAX_RECORDS {
        report.bad(Where::Line(1), "", "the file holds more than one import takes; cut it into several");
        return Rows::default();
    }
    rows
}

fn json(bytes: &[u8], report: &mut Imported) -> Rows {
    match serde_json::from_slice::<Document>(bytes) {
        Ok(document) => {
            let numbered = (1_u64..).zip(document.customers);
            let customers = numbered.map(|(at, raw)| (Where::Customer(at), raw)).collect();
            Rows { customers, orders: Vec::new() }
        }
        // Its own words may quote what stood there.
        Err(error) => {
            let what = if error.is_data() {
                "there is a field that is not known, comes twice, or is not text"
            } else {
                "this is not JSON"
            };
            report.bad(Where::Line(u64::try_from(error.line()).unwrap_or(0).max(1)), "", what);
            Rows::default()
        }
    }
}

fn csv(bytes: &[u8], report: &mut Imported) -> Rows {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut records = reader.byte_records();
    let mut rows = Rows::default();
    let Some(Ok(header)) = records.next() else {
        report.bad(Where::Line(1), "", "there is no line with the names of the columns");
        return rows;
    };
    let Some(columns) = columns(&header, report) else { return rows };
    let of_orders = columns.contains(&"order_number");
    for record in records {
        let Ok(record) = record else {
            report.bad(Where::Line(1), "", "the file cannot be read to its end");
            break;
        };
        let at = Where::Line(record.position().map_or(1, csv::Position::line));
        if record.len() != columns.len() {
            report.bad(at, "", "the line has more or fewer fields than there are columns");
            continue;
        }
        let Some(fields) = fields(&columns, &record) else {
            report.bad(at, "", "the line is not UTF-8 text");
            continue;
        };
        let fits = if of_orders {
            serde_json::from_value(fields).map(|raw| rows.orders.push((at, raw)))
        } else {
            serde_json::from_value(fields).map(|raw| rows.customers.push((at, raw)))
        };
        if fits.is_err() {
            report.bad(at, "", "the line does not fit the columns");
        }
        if rows.customers.len() > MAX_CUSTOMERS || rows.orders.len() > MAX_RECORDS {
            break;
        }
    }
    rows
}

/// The columns the first line names: those of customers or those of orders, each once.
fn columns(header: &csv::ByteRecord, report: &mut Imported) -> Option<Vec<&'static str>> {
    let named: Vec<String> =
        header.iter().map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase()).collect();
    let known: &[&str] = if named.iter().any(|name| name == "order_number") { &ORDER } else { &CUSTOMER };
    let columns: Option<Vec<&'static str>> =
        named.iter().map(|name| known.iter().find(|one| *one == name).copied()).collect();
    let Some(columns) = columns else {
        report.bad(
            Where::Line(1),
            "",
            "the first line names a column that is not known; docs/customers.md lists them all",
        );
        return None;
    };
    if columns.iter().collect::<BTreeSet<_>>().len() != columns.len() {
        report.bad(Where::Line(1), "", "the first line names a column twice");
        return None;
    }
    if !columns.contains(&"customer_id") {
        report.bad(Where::Line(1), "customer_id", "is not among the columns");
        return None;
    }
    Some(columns)
}

/// A line as the JSON it would be; `None` when it is not text.
fn fields(columns: &[&'static str], record: &csv::ByteRecord) -> Option<Value> {
    let mut fields = Map::new();
    for (name, value) in columns.iter().zip(record.iter()) {
        let value = std::str::from_utf8(value).ok()?.trim();
        if value.is_empty() {
            continue;
        }
        let value = if *name == "items" {
            value.split(';').map(|item| Value::from(item.trim())).collect()
        } else {
            Value::from(value)
        };
        fields.insert((*name).to_owned(), value);
    }
    Some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(customer: &str, times: usize) -> Vec<u8> {
        format!("{{\"customers\":[{}]}}", vec![customer; times].join(",")).into_bytes()
    }

    #[test]
    fn what_is_too_much_is_not_kept_to_be_counted() {
        let kept = |bytes: &[u8]| serde_json::from_slice::<Document>(bytes).unwrap().customers;
        assert_eq!(kept(&file("{}", MAX_CUSTOMERS + 10)).len(), MAX_CUSTOMERS + 1);
        let orders = format!("{{\"orders\":[{}]}}", vec!["{}"; 1_000].join(","));
        assert_eq!(kept(&file(&orders, 30)).len(), 21, "the list ends where the records are too many");
        let one = format!("{{\"appointments\":[{}]}}", vec!["{}"; MAX_RECORDS + 10].join(","));
        assert_eq!(kept(&file(&one, 1))[0].appointments.len(), MAX_RECORDS + 1);
        let items = format!("{{\"orders\":[{{\"items\":[{}]}}]}}", vec!["\"a\""; 1_000].join(","));
        assert_eq!(kept(&file(&items, 1))[0].orders[0].items.len(), MAX_ITEMS + 1);
        for bytes in [file("{}", MAX_CUSTOMERS + 1), file(&orders, 30), file(&one, 1)] {
            let mut report = Imported::default();
            assert!(rows(Kind::Json, &bytes, &mut report).customers.is_empty());
            assert_eq!(report.problems.len(), 1);
        }
    }
}
