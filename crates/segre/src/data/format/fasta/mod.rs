//! Aligned sequences in FASTA: every symbol is a site, letters are read as upper case. In A3M lower case is an insertion.

use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::schema::{Layout, Schema, Vocabulary};
use crate::stream;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// The gap symbol, which comes first in the vocabulary.
const GAP: char = '-';
/// What stands for a gap in some file or other.
const GAPS: [char; 3] = [GAP, '.', '~'];
/// What `grep` writes between records.
const SEPARATOR: &str = "--";
/// First words of alignments of other formats.
const OTHER_FORMATS: [(&str, &str); 5] = [
    ("# STOCKHOLM", "Stockholm"),
    ("CLUSTAL", "Clustal"),
    ("#NEXUS", "NEXUS"),
    ("LOCUS ", "GenBank"),
    ("@", "FASTQ"),
];

/// Digits of a word that is a block of symbols rather than a number, at least.
const MANY_DIGITS: usize = 5;

/// What lower-case letters are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LowerCase {
    /// Letters like others.
    Letters,
    /// Insertions, which are in no column; so are points.
    Insertions,
}

/// One sequence within the text of the file.
struct Record<'a> {
    name: &'a str,
    line: u64,
    /// The lines after the name.
    body: &'a str,
}

impl Record<'_> {
    /// The lines after the name, and their numbers.
    fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        (self.line + 1..).zip(self.body.lines())
    }

    /// Everything but blanks, with its line, as it stands in the file.
    fn written(&self) -> impl Iterator<Item = (u64, char)> {
        self.lines().flat_map(|(line, content)| {
            let symbols = content.chars().filter(|symbol| !symbol.is_whitespace());
            symbols.map(move |symbol| (line, symbol))
        })
    }

    /// The symbols of the columns, with their lines.
    fn symbols(&self, lower: LowerCase) -> impl Iterator<Item = (u64, char)> {
        let inserted = move |symbol: char| {
            lower == LowerCase::Insertions && (symbol.is_ascii_lowercase() || symbol == '.')
        };
        let kept = self.written().filter(move |(_, symbol)| !inserted(*symbol));
        kept.map(|(line, symbol)| (line, symbol.to_ascii_uppercase()))
    }

    /// The lines that hold anything.
    fn full_lines(&self) -> impl Iterator<Item = (u64, &str)> {
        let trimmed = self.lines().map(|(line, content)| (line, content.trim()));
        trimmed.filter(|(_, content)| !content.is_empty())
    }
}

/// Reads an alignment, into a schema if one is given.
///
/// The vocabulary is the symbols seen: `-` first if it occurs, then the others sorted.
pub(super) fn read(path: &Path, lower: LowerCase, schema: Option<&Schema>) -> Result<Dataset> {
    let text = stream::read_text(path)?;
    let records = records(path, &text)?;
    refuse_separators(path, &records)?;
    refuse_numbers(path, &records)?;
    if lower == LowerCase::Letters && schema.is_none() {
        refuse_shifted(path, &records)?;
    }
    let expected = match (schema, records.first()) {
        (_, None) => {
            return Err(DataError::NoData {
                path: path.to_path_buf(),
                what: "there is no record",
            });
        }
        (Some(schema), _) => schema.sites(),
        (None, Some(first)) => first.symbols(lower).count(),
    };
    for record in &records {
        let found = record.symbols(lower).count();
        if found != expected || expected == 0 {
            return Err(DataError::UnalignedRecord {
                path: path.to_path_buf(),
                line: record.line,
                record: record.name.to_owned(),
                found,
                expected: expected.max(1),
                hint: hint(record, found, lower, &records),
            });
        }
    }
    let mut schema = match schema {
        Some(schema) => schema.clone(),
        None => learn_schema(&records, expected, lower),
    };
    let index: Vec<HashMap<char, u16>> = schema.vocabularies.iter().map(symbol_index).collect();
    let mut labels = Vec::with_capacity(records.len() * expected);
    for record in &records {
        for (position, (line, symbol)) in record.symbols(lower).enumerate() {
            let known = &index[schema.sites[position].vocabulary];
            let label = known
                .get(&symbol)
                .ok_or_else(|| DataError::UnseenCategory {
                    path: path.to_path_buf(),
                    line,
                    site: format!("position {} of {:?}", position + 1, record.name),
                    value: symbol.to_string(),
                    known: known.len(),
                    more: String::new(),
                })?;
            labels.push(*label);
        }
    }
    schema.notes = notes(&records, lower);
    Dataset::new(schema, labels)
}

/// Splits the text in records.
fn records<'a>(path: &Path, text: &'a str) -> Result<Vec<Record<'a>>> {
    let mut starts: Vec<(u64, usize)> = Vec::new();
    let mut place = 0;
    for (line, content) in (1_u64..).zip(text.split_inclusive('\n')) {
        let problem = match content.trim_start().chars().next() {
            Some('>') if content.starts_with('>') => {
                starts.push((line, place));
                None
            }
            None => None,
            Some(_) if starts.is_empty() => {
                return Err(DataError::NotFasta {
                    path: path.to_path_buf(),
                    line,
                    hint: other_format(text),
                });
            }
            Some(';') => Some("a line starts with ';', as comments did once; remove it".to_owned()),
            Some(_) => content.find('>').map(|at| {
                let column = content[..at].chars().count() + 1;
                format!(
                    "a '>' stands in the middle of a line, at character {column}; break the line before it"
                )
            }),
        };
        if let Some(problem) = problem {
            return Err(bad(path, line, problem));
        }
        place += content.len();
    }
    let ends = starts.iter().skip(1).map(|(_, start)| *start);
    let spans = starts.iter().zip(ends.chain([text.len()]));
    let record = |(&(line, start), end): (&(u64, usize), usize)| {
        let (name, body) = text[start..end]
            .split_once('\n')
            .unwrap_or((&text[start..end], ""));
        let name = name.trim_start_matches('>').trim();
        Record { name, line, body }
    };
    Ok(spans.map(record).collect())
}

/// Refuses lines that `grep` writes between records and that would be two gaps: every record but the last ends with one then,
/// and no line of two symbols tells that lines break there.
fn refuse_separators(path: &Path, records: &[Record]) -> Result<()> {
    let last_line = |record: &Record| {
        let (line, last) = record.full_lines().skip(1).last()?;
        (last.chars().count() == SEPARATOR.len()).then(|| (line, last == SEPARATOR))
    };
    let ends: Vec<Option<(u64, bool)>> = records.iter().map(last_line).collect();
    let separated = |end: &Option<(u64, bool)>| matches!(end, Some((_, true)));
    let but_last = ends.len().saturating_sub(1);
    let all = but_last > 0 && ends[..but_last].iter().all(separated);
    let Some(Some((line, true))) = ends.first().filter(|_| all) else {
        return Ok(());
    };
    if matches!(ends.last(), Some(Some((_, false)))) {
        return Ok(());
    }
    let problem = "the records end with a line of two hyphens, which grep writes between what it finds; remove these lines, or, \
                   if they are gaps, join each to the line before it";
    Err(bad(path, *line, problem.to_owned()))
}

/// Refuses numbers between the symbols, as positions and qualities are: words of digits beside words of letters, or several of
/// a few digits in a line.
fn refuse_numbers(path: &Path, records: &[Record]) -> Result<()> {
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    for (line, content) in records.iter().flat_map(Record::full_lines) {
        let words = || content.split_whitespace();
        let letters = words().any(|word| word.contains(char::is_alphabetic));
        let is_value =
            |word: &&str| is_number(word) && (letters || (2..MANY_DIGITS).contains(&word.len()));
        let Some(number) = words().find(is_value).filter(|_| words().count() > 1) else {
            continue;
        };
        let problem = format!(
            "the number {number} stands by itself among the symbols, as positions and qualities do, and each of its digits would be \
             a symbol; remove the numbers, or, if digits are the symbols, the blanks between them"
        );
        return Err(bad(path, line, problem));
    }
    Ok(())
}

/// Refuses insertions that keep the records of one length, so that only the columns after them are wrong: all records have as
/// many lower-case letters, and in different places.
fn refuse_shifted(path: &Path, records: &[Record]) -> Result<()> {
    let places = |record: &Record| -> BTreeSet<usize> {
        let lower = record.written().enumerate();
        let lower = lower.filter(|(_, (_, symbol))| symbol.is_ascii_lowercase());
        lower.map(|(place, _)| place).collect()
    };
    let Some((first, others)) = records.split_first() else {
        return Ok(());
    };
    let expected = places(first);
    let whole = first.written().count();
    if expected.is_empty() || expected.len() == whole {
        return Ok(());
    }
    let mut moved = None;
    for record in others {
        let found = places(record);
        if found.len() != expected.len() || record.written().count() != whole {
            return Ok(());
        }
        if found != expected {
            moved.get_or_insert(record.line);
        }
    }
    let problem = "all records have as many lower-case letters, in different places: if they are insertions, the columns after them \
                   are shifted; call the file .a3m then, or else write the letters in capitals";
    moved.map_or(Ok(()), |line| Err(bad(path, line, problem.to_owned())))
}

/// What else may be the matter with a record of another length.
fn hint(record: &Record, found: usize, lower: LowerCase, records: &[Record]) -> &'static str {
    if found == 0 && record.name.contains(char::is_whitespace) {
        return "; its sequence may stand in the line of its name, for want of a line break";
    }
    if lower == LowerCase::Letters {
        let columns = |record: &Record| record.symbols(LowerCase::Insertions).count();
        let first = records.first().map_or(0, columns);
        if first > 0 && records.iter().all(|record| columns(record) == first) {
            return ", or, if lower-case letters are insertions, call the file .a3m";
        }
    }
    ""
}

/// What of the symbols may be meant otherwise.
fn notes(records: &[Record], lower: LowerCase) -> Vec<String> {
    let written = || {
        records
            .iter()
            .flat_map(Record::written)
            .map(|(_, symbol)| symbol)
    };
    let small = written().filter(char::is_ascii_lowercase).count();
    let mut notes = Vec::new();
    match lower {
        _ if small == 0 => {}
        LowerCase::Letters => notes.push("lower-case letters are read as capitals".to_owned()),
        LowerCase::Insertions => {
            notes.push(format!(
                "{small} lower-case letters are insertions and left out"
            ));
        }
    }
    if written().any(|symbol| symbol.is_ascii_digit()) {
        notes.push("digits are read as symbols, each for itself".to_owned());
    }
    let gaps: Vec<char> = GAPS
        .into_iter()
        .filter(|gap| written().any(|symbol| symbol == *gap))
        .collect();
    if lower == LowerCase::Letters && gaps.len() > 1 {
        let gaps: Vec<String> = gaps.iter().map(|gap| format!("{gap:?}")).collect();
        notes.push(format!(
            "{} are read as different symbols",
            gaps.join(" and ")
        ));
    }
    notes
}

/// The format of a text that is not FASTA, if it is known.
fn other_format(text: &str) -> String {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let named = OTHER_FORMATS
        .iter()
        .find(|(start, _)| first.starts_with(start));
    let counts = first.split_whitespace().map(str::parse::<u64>);
    let phylip = counts.clone().count() == 2 && counts.clone().all(|count| count.is_ok());
    let name = match named {
        Some((_, name)) => name,
        None if phylip => "PHYLIP",
        None => return String::new(),
    };
    format!("; this looks like {name}'s format: convert it to FASTA")
}

fn bad(path: &Path, line: u64, problem: String) -> DataError {
    DataError::BadAlignment {
        path: path.to_path_buf(),
        line,
        problem,
    }
}

/// One vocabulary for all positions.
fn learn_schema(records: &[Record], positions: usize, lower: LowerCase) -> Schema {
    let symbols: BTreeSet<(bool, char)> = records
        .iter()
        .flat_map(|record| record.symbols(lower))
        .map(|(_, symbol)| (symbol != GAP, symbol))
        .collect();
    let categories = symbols
        .into_iter()
        .map(|(_, symbol)| symbol.to_string())
        .collect();
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
mod tests;
