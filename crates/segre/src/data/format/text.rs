//! Running text cut in windows: every character is a site.

use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::schema::{Layout, Schema, Vocabulary};
use crate::stream;
use std::collections::HashMap;
use std::path::Path;

/// Reads a text in non-overlapping windows; a shorter rest at the end is left out.
///
/// The vocabulary is the characters seen, sorted; line breaks are characters like any other.
pub(super) fn read(path: &Path, window: usize) -> Result<Dataset> {
    let text = stream::read_text(path)?;
    let mut categories: Vec<char> = text.chars().collect();
    let found = categories.len();
    if found < window || window == 0 {
        return Err(too_short(path, found, window));
    }
    categories.sort_unstable();
    categories.dedup();
    let categories = categories.into_iter().map(String::from).collect();
    let names = (1..=window)
        .map(|place| format!("character {place}"))
        .collect();
    let schema = Schema::shared(Layout::Text, names, Vocabulary::Words { categories });
    labels(path, &text, &schema)
}

/// Reads a text into a schema, which also gives the length of a window.
///
/// If the schema's vocabulary has no line break, every line of the file is one window, as
/// [`write`](super::write()) lays such samples out.
pub(super) fn read_as(path: &Path, schema: &Schema) -> Result<Dataset> {
    let text = stream::read_text(path)?;
    let window = schema.sites();
    let known =
        |character: &str| (0..window).any(|site| schema.label_of(site, character).is_some());
    if known("\n") || !text.contains('\n') {
        let found = text.chars().count();
        if found < window {
            return Err(too_short(path, found, window));
        }
        return labels(path, &text, schema);
    }
    for (content, line) in text.lines().zip(1_u64..) {
        let found = content.chars().count();
        if found != window {
            let (path, record) = (path.to_path_buf(), format!("line {line}"));
            return Err(DataError::UnalignedRecord {
                path,
                line,
                record,
                found,
                expected: window,
                hint: "",
            });
        }
    }
    labels(path, &text, schema)
}

fn too_short(path: &Path, found: usize, window: usize) -> DataError {
    DataError::TextTooShort {
        path: path.to_path_buf(),
        found,
        window,
    }
}

/// The labels of all whole windows; line breaks that the vocabulary lacks are skipped.
fn labels(path: &Path, text: &str, schema: &Schema) -> Result<Dataset> {
    let index: Vec<HashMap<&str, u16>> = schema.vocabularies.iter().map(character_index).collect();
    let window = schema.sites();
    let mut labels: Vec<u16> = Vec::new();
    let (mut line, mut column) = (1, 0);
    for (start, character) in text.char_indices() {
        column += 1;
        let known = &index[schema.sites[labels.len() % window].vocabulary];
        match known.get(&text[start..start + character.len_utf8()]) {
            Some(&label) => labels.push(label),
            None if character == '\n' || character == '\r' => {}
            None => {
                return Err(DataError::UnseenCategory {
                    path: path.to_path_buf(),
                    line,
                    site: format!("character {column}"),
                    value: character.to_string(),
                    known: known.len(),
                    more: String::new(),
                });
            }
        }
        if character == '\n' {
            (line, column) = (line + 1, 0);
        }
    }
    let rest = labels.len() % window;
    labels.truncate(labels.len() - rest);
    if labels.is_empty() {
        return Err(too_short(path, text.chars().count(), window));
    }
    let mut schema = schema.clone();
    schema.notes = (rest > 0)
        .then(|| {
            format!(
                "the last {rest} characters are less than a window of {window} and are left out"
            )
        })
        .into_iter()
        .collect();
    Dataset::new(schema, labels)
}

/// Label by character; integers are no characters.
fn character_index(vocabulary: &Vocabulary) -> HashMap<&str, u16> {
    let words = vocabulary.words().unwrap_or_default();
    words.into_iter().zip(0..=u16::MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataSource, ReadOptions};

    fn read_windows(text: &str, window: usize, schema: Option<&Schema>) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, text).unwrap();
        let options = ReadOptions {
            text_window: window,
            ..ReadOptions::default()
        };
        match schema {
            Some(schema) => crate::data::read_as(&DataSource::File(path), schema, &options),
            None => crate::data::read(&DataSource::File(path), &options),
        }
    }

    #[test]
    fn windows_do_not_overlap_and_the_rest_is_left_out() {
        let data = read_windows("bä\nab ä", 3, None).unwrap();
        assert_eq!(data.rows(), 2);
        let characters: Vec<_> = (0..5)
            .map(|label| data.schema.category_name(2, label).into_owned())
            .collect();
        assert_eq!(characters, ["\n", " ", "a", "b", "ä"]);
        assert_eq!(data.labels(), [3, 4, 0, 2, 3, 1]);
        assert_eq!(data.schema.sites[2].name, "character 3");
    }

    #[test]
    fn bad_texts_are_placed() {
        let short = read_windows("ab", 3, None).unwrap_err();
        assert!(
            matches!(
                short,
                DataError::TextTooShort {
                    found: 2,
                    window: 3,
                    ..
                }
            ),
            "{short}"
        );
        assert!(read_windows("ab", 0, None).is_err());
        assert!(read_windows("", 1, None).is_err());
        let schema = read_windows("ab\nc", 2, None).unwrap().schema;
        let unseen = read_windows("ab\nad", 2, Some(&schema)).unwrap_err();
        assert!(
            matches!(&unseen, DataError::UnseenCategory { line: 2, site, value, known: 4, .. }
                if site == "character 2" && value == "d"),
            "{unseen}"
        );
    }

    #[test]
    fn without_line_breaks_in_the_vocabulary_lines_are_windows() {
        let schema = read_windows("abcab", 2, None).unwrap().schema;
        assert_eq!(
            read_windows("ab\r\nca\n", 2, Some(&schema))
                .unwrap()
                .labels(),
            [0, 1, 2, 0]
        );
        let error = read_windows("ab\ncab\n", 2, Some(&schema)).unwrap_err();
        assert!(
            matches!(
                error,
                DataError::UnalignedRecord {
                    line: 2,
                    found: 3,
                    ..
                }
            ),
            "{error}"
        );
    }
}
