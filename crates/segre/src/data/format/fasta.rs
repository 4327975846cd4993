//! Aligned sequences in FASTA: every symbol is a site, letters are read as upper case.

use super::input;
use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::schema::{Layout, Schema, Vocabulary};
use std::collections::HashMap;
use std::path::Path;

/// The gap symbol, which comes first in the vocabulary.
const GAP: char = '-';

/// One sequence with the places of its symbols.
struct Record {
    name: String,
    line: u64,
    symbols: Vec<char>,
    /// Line of the file of each symbol.
    lines: Vec<u64>,
}

/// Reads an alignment, into a schema if one is given.
///
/// The vocabulary is the symbols seen: `-` first if it occurs, then the others sorted.
pub(super) fn read(path: &Path, schema: Option<&Schema>) -> Result<Dataset> {
    let records = records(path)?;
    let expected = match (schema, records.first()) {
        (_, None) => {
            return Err(DataError::NoData {
                path: path.to_path_buf(),
                what: "there is no record",
            });
        }
        (Some(schema), _) => schema.sites(),
        (None, Some(first)) => first.symbols.len(),
    };
    for record in &records {
        if record.symbols.len() != expected || expected == 0 {
            return Err(DataError::UnalignedRecord {
                path: path.to_path_buf(),
                line: record.line,
                record: record.name.clone(),
                found: record.symbols.len(),
                expected: expected.max(1),
            });
        }
    }
    let schema = match schema {
        Some(schema) => schema.clone(),
        None => learn_schema(&records, expected),
    };
    let index: Vec<HashMap<char, u16>> = schema.vocabularies.iter().map(symbol_index).collect();
    let mut labels = Vec::with_capacity(records.len() * expected);
    for record in &records {
        for (position, symbol) in record.symbols.iter().enumerate() {
            let known = &index[schema.sites[position].vocabulary];
            let label = known.get(symbol).ok_or_else(|| DataError::UnseenCategory {
                path: path.to_path_buf(),
                line: record.lines[position],
                site: format!("position {} of {:?}", position + 1, record.name),
                value: symbol.to_string(),
                known: known.len(),
                more: String::new(),
            })?;
            labels.push(*label);
        }
    }
    Dataset::new(schema, labels)
}

/// Splits the file in records.
fn records(path: &Path) -> Result<Vec<Record>> {
    let text = input::read_text(path)?;
    let mut records: Vec<Record> = Vec::new();
    for (content, line) in text.lines().zip(1_u64..) {
        if let Some(header) = content.strip_prefix('>') {
            let (symbols, lines) = (Vec::new(), Vec::new());
            records.push(Record {
                name: header.trim().to_string(),
                line,
                symbols,
                lines,
            });
            continue;
        }
        let symbols = content.chars().filter(|symbol| !symbol.is_whitespace());
        for symbol in symbols {
            let Some(record) = records.last_mut() else {
                return Err(DataError::NotFasta {
                    path: path.to_path_buf(),
                    line,
                });
            };
            record.symbols.push(symbol.to_ascii_uppercase());
            record.lines.push(line);
        }
    }
    Ok(records)
}

/// One vocabulary for all positions.
fn learn_schema(records: &[Record], positions: usize) -> Schema {
    let mut symbols: Vec<char> = records
        .iter()
        .flat_map(|record| record.symbols.clone())
        .collect();
    symbols.sort_unstable_by_key(|&symbol| (symbol != GAP, symbol));
    symbols.dedup();
    let categories = symbols.into_iter().map(String::from).collect();
    let names = (1..=positions)
        .map(|position| format!("position {position}"))
        .collect();
    Schema::shared(Layout::Sequence, names, Vocabulary::Words { categories })
}

/// Label by symbol; words of more than one character are never met in a sequence.
fn symbol_index(vocabulary: &Vocabulary) -> HashMap<char, u16> {
    match vocabulary {
        Vocabulary::Integers { .. } | Vocabulary::Classes { .. } => HashMap::new(),
        Vocabulary::Words { categories } => categories
            .iter()
            .zip(0..=u16::MAX)
            .filter_map(|(word, label)| {
                let mut characters = word.chars();
                let symbol = characters.next()?;
                characters.next().is_none().then_some((symbol, label))
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataSource, ReadOptions};

    fn read_fasta(contents: &str, schema: Option<&Schema>) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fasta");
        std::fs::write(&path, contents).unwrap();
        match schema {
            Some(schema) => {
                crate::data::read_as(&DataSource::File(path), schema, &ReadOptions::default())
            }
            None => crate::data::read(&DataSource::File(path), &ReadOptions::default()),
        }
    }

    #[test]
    fn records_may_span_lines_and_the_gap_comes_first() {
        let data = read_fasta(">one x\r\nACg\r\nU-\r\n\r\n>two\n.-\n  ACA\n", None).unwrap();
        let symbols: Vec<_> = (0..6)
            .map(|label| data.schema.category_name(0, label).into_owned())
            .collect();
        assert_eq!(symbols, ["-", ".", "A", "C", "G", "U"]);
        assert_eq!(data.labels(), [2, 3, 4, 5, 0, 1, 0, 2, 3, 2]);
        assert_eq!(data.schema.sites[4].name, "position 5");
        assert_eq!(data.schema.layout, Layout::Sequence);
    }

    #[test]
    fn bad_alignments_are_placed() {
        let fail = |contents: &str| read_fasta(contents, None).unwrap_err();
        let short = fail(">one\nACG\n>two\nAC\n");
        assert!(
            matches!(&short, DataError::UnalignedRecord { line: 3, record, found: 2, expected: 3, .. }
                if record == "two"),
            "{short}"
        );
        assert!(matches!(
            fail("ACG\n>one\nACG\n"),
            DataError::NotFasta { line: 1, .. }
        ));
        assert!(matches!(fail("\n\n"), DataError::NoData { .. }));
        assert!(matches!(
            fail(">one\n>two\n"),
            DataError::UnalignedRecord { found: 0, .. }
        ));
        let schema = read_fasta(">one\nAC-\n", None).unwrap().schema;
        let unseen = read_fasta(">one\nACA\n>two\nAC\nX\n", Some(&schema)).unwrap_err();
        assert!(
            matches!(&unseen, DataError::UnseenCategory { line: 5, value, known: 3, .. } if value == "X"),
            "{unseen}"
        );
        assert!(unseen.to_string().contains("position 3"), "{unseen}");
        let long = read_fasta(">one\nACAA\n", Some(&schema)).unwrap_err();
        assert!(
            matches!(long, DataError::UnalignedRecord { expected: 3, .. }),
            "{long}"
        );
        assert_eq!(
            read_fasta(">x\nca-\n", Some(&schema)).unwrap().labels(),
            [2, 1, 0]
        );
    }
}
