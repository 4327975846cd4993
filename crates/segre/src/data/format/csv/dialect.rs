//! How a table is written: what stands between fields, found by looking, and quotes that open and do not close.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use crate::data::error::{DataError, Result};

/// What may stand between fields.
const DELIMITERS: [u8; 4] = *b",;\t|";
/// Rows that are looked at.
const ROWS: usize = 100;

/// What stands between the fields of a text, if the usual one of its kind of file does not: all first rows have the same number
/// of fields then, at least two, and with the usual one they have not.
pub(super) fn delimiter(text: &str, usual: u8) -> u8 {
    if fields(text, usual).is_some_and(|count| count > 1) {
        return usual;
    }
    let others = DELIMITERS.into_iter().filter(|other| *other != usual);
    let found = others.filter_map(|other| Some((fields(text, other)?, other)));
    // The first among equals.
    let most = found.rev().max_by_key(|(count, _)| *count);
    most.filter(|(count, _)| *count > 1)
        .map_or(usual, |(_, delimiter)| delimiter)
}

/// How many fields all of the first rows have; `None` if they differ, or there are none.
fn fields(text: &str, delimiter: u8) -> Option<usize> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut common = None;
    for _ in 0..ROWS {
        match reader.read_record(&mut record) {
            Ok(true) if common.is_none_or(|count| count == record.len()) => {
                common = Some(record.len());
            }
            Ok(true) | Err(_) => return None,
            Ok(false) => break,
        }
    }
    common
}

/// Refuses a field that opens with a quote and does not end with one: what follows it, rows and all, would be taken for a part
/// of it.
///
/// # Errors
/// [`DataError::OpenQuote`] with the line on which the quote opens.
pub(super) fn check_quotes(path: &Path, text: &str, delimiter: u8) -> Result<()> {
    let bytes = text.as_bytes();
    let (mut at, mut line) = (0, 1_u64);
    let mut starts_field = true;
    while at < bytes.len() {
        let byte = bytes[at];
        if starts_field && byte == b'"' {
            let opened = line;
            at += 1;
            let closed = loop {
                match bytes.get(at) {
                    Some(b'"') if bytes.get(at + 1) == Some(&b'"') => at += 1,
                    Some(b'"') => break true,
                    Some(b'\n') => line += 1,
                    Some(_) => {}
                    None => break false,
                }
                at += 1;
            };
            let after = bytes.get(at + 1..).unwrap_or_default();
            let blanks = after.iter().take_while(|byte| **byte == b' ').count();
            let ends = match after.get(blanks) {
                None => true,
                Some(next) => *next == delimiter || *next == b'\n',
            };
            if !closed || !ends {
                let path = path.to_path_buf();
                return Err(DataError::OpenQuote { path, line: opened });
            }
        }
        starts_field = byte == delimiter || byte == b'\n';
        line += u64::from(bytes.get(at) == Some(&b'\n'));
        at += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_found_where_the_usual_one_separates_nothing() {
        for (text, usual, expected) in [
            ("a,b\n1,2\n", b',', b','),
            ("a;b\n1,5;2,5\n3,5;4,0\n", b',', b';'),
            ("a|b|c\n1|2|3\n", b',', b'|'),
            ("a\tb\n1\t2\n", b',', b'\t'),
            ("a,b\n1,2\n", b'\t', b','),
            // One column; rows that differ in their fields.
            ("a\nb\n", b',', b','),
            ("a;b\n1;2;3\n", b',', b','),
            ("a,b\n1,2,3\n", b',', b','),
            ("a,\"b;c\"\n1,\"2;3\"\n", b',', b','),
        ] {
            assert_eq!(delimiter(text, usual), expected, "{text:?}");
        }
    }

    #[test]
    fn quotes_that_do_not_close_are_told_by_the_line_on_which_they_open() {
        let check = |text: &str, delimiter| check_quotes(Path::new("t.csv"), text, delimiter);
        for whole in [
            "a,\"b\"\n\"1\n2\",\"said \"\"yes\"\"\"\n",
            "a,5\" b\n",
            "\"a\" ,\"\"\n",
            "",
            "\"\"",
        ] {
            assert!(check(whole, b',').is_ok(), "{whole:?}");
        }
        for (broken, expected) in [
            ("a\tb\nx\t\"y\nz\tw\n", 2),
            ("a\tb\nx\ty\n\"z\tw\nu\t\"v\n", 3),
            ("\"a\"b\tc\n", 1),
            ("a\n\"", 2),
        ] {
            let found = check(broken, b'\t');
            assert!(
                matches!(found, Err(DataError::OpenQuote { line, .. }) if line == expected),
                "{broken:?}: {found:?}"
            );
        }
    }
}
