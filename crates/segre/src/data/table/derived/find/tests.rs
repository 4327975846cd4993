//! Tests of what is found to decide columns.

use std::path::Path;

use super::*;
use crate::data::table::frame::FrameBuilder;
use crate::data::table::inspect::inspect;

/// The sentences of what is found in rows of fields, `-` where they are missing.
fn found(names: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Vec<String> {
    let names = names.iter().map(|name| (*name).to_owned());
    let mut builder = FrameBuilder::new(Path::new("t.csv"), names, 2);
    for (line, row) in (2..).zip(rows) {
        let fields = row.iter().map(|field| Some(field.as_str()));
        builder.push(line, fields.map(|field| field.filter(|word| *word != "-")));
    }
    let frame = builder.finish();
    let findings = frame.columns.iter().map(|own| inspect(own, None, None));
    let findings: Vec<Finding> = findings.collect::<Result<_, _>>().expect("no wishes");
    let found = find(&frame, &findings, |name| name == "stays");
    let sentence = |own: Found| {
        let (name, place) = (frame.columns[own.column].name.clone(), 0);
        let (rule, rows) = (own.rule, own.rows);
        let derived = crate::data::table::Derived {
            name,
            place,
            rule,
            rows,
        };
        derived.sentence()
    };
    found.into_iter().map(sentence).collect()
}

fn strings(fields: &[&dyn ToString]) -> Vec<String> {
    fields.iter().map(|field| field.to_string()).collect()
}

#[test]
fn the_finer_column_decides_and_both_ways_the_first_stays() {
    let row = |k: usize| {
        let city = k * 7 % 12;
        strings(&[
            &format!("c{city}"),
            &(city / 3),
            &format!("C{city}"),
            &(k / 12 % 4),
        ])
    };
    assert_eq!(
        found(&["city", "country", "code", "other"], (0..400).map(row)),
        [
            "\"country\" is decided by \"city\"",
            "\"code\" is decided by \"city\""
        ]
    );
    assert!(found(&["city", "stays", "stays", "other"], (0..400).map(row)).is_empty());
    // One row that says otherwise, and too few rows.
    let broken = |k: usize| {
        let mut fields = row(k);
        fields[1] = if k == 399 {
            "9".to_owned()
        } else {
            fields[1].clone()
        };
        fields
    };
    let few = found(&["city", "country", "code", "other"], (0..400).map(broken));
    assert_eq!(few, ["\"code\" is decided by \"city\""]);
    assert!(found(&["city", "country", "code", "other"], (0..60).map(row)).is_empty());
}

#[test]
fn keys_decide_nothing() {
    let row = |k: usize| strings(&[&format!("k{}", k * 2 / 3), &(k % 3), &(k * 5 % 7)]);
    assert!(found(&["key", "a", "b"], (0..400).map(row)).is_empty());
}

#[test]
fn what_is_missing_is_a_value() {
    let row = |k: usize| {
        let city = if k.is_multiple_of(5) {
            "-".to_owned()
        } else {
            format!("c{}", k % 5)
        };
        let country = if k % 5 < 2 { "-" } else { "DE" };
        strings(&[&city, &country])
    };
    let expected = ["\"country\" is decided by \"city\""];
    assert_eq!(found(&["city", "country"], (0..600).map(row)), expected);
}

#[test]
fn sums_differences_and_products_are_found_exactly() {
    let cents = |units: usize| format!("{}.{:02}", units / 100, units % 100);
    let row = |k: usize| {
        let (price, count, tax) = (k * 7919 % 10_000 + 101, k * 31 % 9 + 1, k * 613 % 997);
        let net = price * count;
        strings(&[
            &cents(price),
            &count,
            &cents(net),
            &cents(tax),
            &cents(net + tax),
        ])
    };
    let names = ["price", "count", "net", "tax", "total"];
    assert_eq!(
        found(&names, (0..500).map(row)),
        [
            "\"net\" is \"price\" · \"count\"",
            "\"total\" is \"net\" + \"tax\""
        ]
    );
    let rounded = |k: usize| {
        let mut fields = row(k);
        fields[4] = if k == 250 {
            "1.00".to_owned()
        } else {
            fields[4].clone()
        };
        fields
    };
    let expected = ["\"net\" is \"price\" · \"count\""];
    assert_eq!(found(&names, (0..500).map(rounded)), expected);
}

#[test]
fn days_between_dates_are_a_difference_and_copies_are_copies() {
    let date = |day: usize| format!("2024-{:02}-{:02}", day / 28 + 1, day % 28 + 1);
    let row = |k: usize| {
        // Within a month days are what they look like.
        let (start, days) = (k * 11 % 200 / 28 * 28 + k % 5, k * 3 % 23);
        strings(&[&date(start), &days, &date(start + days), &date(start)])
    };
    let names = ["start", "days", "end", "again"];
    let found = found(&names, (0..500).map(row));
    assert!(
        found.contains(&"\"end\" is \"start\" + \"days\"".to_owned()),
        "{found:?}"
    );
    assert_eq!(found.len(), 2, "{found:?}");
}
