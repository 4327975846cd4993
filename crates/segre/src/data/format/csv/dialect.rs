//! How a table is written: what stands between fields, found by looking, and quotes that open and do not close.

use std::ops::{Range, RangeInclusive};
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

/// A field in quotes.
struct Quoted {
    /// Where the opening quote is, and the closing one or the end of the text.
    bytes: Range<usize>,
    /// The lines of both, from 1.
    lines: RangeInclusive<u64>,
    /// Whether the field ends with the closing quote.
    ends: bool,
}

/// The fields in quotes, in order.
fn quoted(text: &str, delimiter: u8) -> impl Iterator<Item = Quoted> {
    let bytes = text.as_bytes();
    let (mut at, mut line) = (0, 1_u64);
    let mut starts_field = true;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let (start, opened) = (at, line);
            let opens = starts_field && bytes[at] == b'"';
            let mut closed = false;
            if opens {
                at += 1;
                closed = loop {
                    match bytes.get(at) {
                        Some(b'"') if bytes.get(at + 1) == Some(&b'"') => at += 1,
                        Some(b'"') => break true,
                        Some(b'\n') => line += 1,
                        Some(_) => {}
                        None => break false,
                    }
                    at += 1;
                };
            }
            let end = at;
            starts_field = !opens && (bytes[end] == delimiter || bytes[end] == b'\n');
            line += u64::from(!opens && bytes[end] == b'\n');
            at += 1;
            if opens {
                let after = bytes.get(at..).unwrap_or_default();
                let blanks = after.iter().take_while(|byte| **byte == b' ').count();
                let next = after.get(blanks);
                let ends = next.is_none_or(|next| *next == delimiter || *next == b'\n');
                return Some(Quoted {
                    bytes: start..end,
                    lines: opened..=line,
                    ends: closed && ends,
                });
            }
        }
        None
    })
}

/// Refuses a field that opens with a quote and does not end with one: what follows it, rows and all, would be taken for a part
/// of it.
///
/// # Errors
/// [`DataError::OpenQuote`] with the line on which the quote opens.
pub(super) fn check_quotes(path: &Path, text: &str, delimiter: u8) -> Result<()> {
    match quoted(text, delimiter).find(|field| !field.ends) {
        None => Ok(()),
        Some(field) => Err(DataError::OpenQuote {
            path: path.to_path_buf(),
            line: *field.lines.start(),
        }),
    }
}

/// The lines of the first field in quotes that holds line breaks, if each of the lines would be a row by itself: two stray quotes
/// are more likely then.
pub(super) fn swallowed(text: &str, delimiter: u8, columns: usize) -> Option<RangeInclusive<u64>> {
    let is_row = |line: &str| columns == 1 + line.bytes().filter(|byte| *byte == delimiter).count();
    let found = quoted(text, delimiter).find(|field| {
        let (lines, bytes) = (&field.lines, &field.bytes);
        let start = text[..bytes.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[bytes.end..].find('\n');
        let end = end.map_or(text.len(), |at| bytes.end + at);
        columns > 1 && lines.start() < lines.end() && text[start..end].lines().all(is_row)
    });
    found.map(|field| field.lines)
}

/// What is to be said of a text that is read as one column: lines without anything, and words that may be columns.
pub(super) fn of_one_column(text: &str) -> Option<String> {
    let text = text.trim_end();
    let empty = text.lines().filter(|line| line.trim().is_empty()).count();
    if empty > 0 {
        return Some(format!(
            "{empty} empty lines are left out; write ? for a missing value"
        ));
    }
    let mut counts = text
        .lines()
        .take(ROWS)
        .map(|line| line.split_whitespace().count());
    let words = counts.next()?;
    (words > 1 && counts.all(|count| count == words)).then(|| {
        format!(
            "there is one column, and every line has {words} words with blanks between them; if these are columns, separate them \
             by commas or tabulators"
        )
    })
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

    #[test]
    fn rows_between_two_stray_quotes_are_told_and_texts_of_several_lines_are_not() {
        let text = "a,b,c\n\"1,2,3\n4,5,6\n7,8,9\"\n1,2,3\n";
        assert_eq!(swallowed(text, b',', 3), Some(2..=4));
        let text = "a,b,c\n1,2,3\n1,\"one\ntwo, three\nfour\",3\n";
        assert_eq!(swallowed(text, b',', 3), None);
        assert_eq!(swallowed("a,b,c\n\"1\",\"2\",\"3\"\n", b',', 3), None);
        assert_eq!(swallowed("a\n\"1\n2\"\n", b',', 1), None);
    }

    #[test]
    fn one_column_that_may_be_several_is_told() {
        let said = |text| of_one_column(text).unwrap_or_default();
        assert!(said("a b c\n1 2 3\n4 5 6\n").contains("3 words"));
        assert!(said("a\n\n1\n\n2\n\n").starts_with("2 empty lines"));
        for quiet in ["a\n1\n2\n", "a b\n1 2\n4\n", ""] {
            assert_eq!(said(quiet), "", "{quiet:?}");
        }
    }
}
