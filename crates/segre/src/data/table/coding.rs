//! A column as sites: its values have indices, and many of them are written in two digits.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::cells::Cells;
use super::frame::FrameColumn;
use super::number::Notation;
use crate::data::schema::{MISSING, Vocabulary};

/// A column of a table whose values are not the categories of one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coding {
    /// What has indices.
    pub values: Values,
    /// Values under each first digit; empty if the column is one site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<usize>,
    /// Whether the last index stands for missing fields.
    missing: bool,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// Numbers or moments, in cells.
    Numbers {
        /// How they are written.
        notation: Notation,
        /// Which of them belong together.
        cells: Cells,
    },
    /// Words, the frequent ones first.
    Words(Vec<String>),
}

impl Coding {
    /// Numbers that are written in a notation: one site, whose categories are ordered, so that what is learned of a cell
    /// serves its neighbours. The more columns of numbers a table has, the fewer cells each can have.
    ///
    /// # Panics
    /// If a word is not.
    pub fn numbers(column: &FrameColumn, notation: Notation, columns: usize) -> Self {
        let mut counts: Vec<(i64, usize)> = column
            .words
            .iter()
            .zip(column.counts())
            .map(|(word, count)| (notation.units(word).expect("a number"), count))
            .collect();
        counts.sort_unstable();
        // `1.0` and `1.00` are one number.
        counts.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        let cells = Cells::of(&counts, columns);
        Self {
            values: Values::Numbers { notation, cells },
            groups: Vec::new(),
            missing: column.missing() > 0,
        }
    }

    /// Words of which there are many: two sites, as all sites of a table are as wide as its widest.
    pub fn words(column: &FrameColumn) -> Self {
        let mut words: Vec<(usize, &str)> = column
            .counts()
            .into_iter()
            .zip(column.words.iter())
            .collect();
        words
            .sort_unstable_by(|left, right| right.0.cmp(&left.0).then_with(|| left.1.cmp(right.1)));
        let weights: Vec<usize> = words.iter().map(|(count, _)| *count).collect();
        let words = words.into_iter().map(|(_, word)| word.to_owned()).collect();
        let missing = column.missing() > 0;
        Self {
            values: Values::Words(words),
            groups: groups(&weights, missing),
            missing,
        }
    }

    /// Number of sites: one or two.
    pub fn sites(&self) -> usize {
        if self.groups.is_empty() { 1 } else { 2 }
    }

    /// The categories of each site.
    pub fn vocabularies(&self) -> Vec<Vocabulary> {
        let digits = |count: usize| match self.values {
            Values::Numbers { .. } => Vocabulary::Integers { count },
            Values::Words(_) => Vocabulary::Words {
                categories: (0..count).map(|digit| digit.to_string()).collect(),
            },
        };
        match self.groups.iter().max() {
            None => vec![digits(self.indices())],
            Some(widest) => vec![digits(self.groups.len()), digits(*widest)],
        }
    }

    /// Number of indices, that of missing fields among them.
    pub fn indices(&self) -> usize {
        self.known() + usize::from(self.missing)
    }

    /// Number of cells or words.
    pub fn known(&self) -> usize {
        match &self.values {
            Values::Numbers { cells, .. } => cells.len(),
            Values::Words(words) => words.len(),
        }
    }

    /// The labels of an index, the second 0 where there is one site.
    pub(super) fn labels(&self, index: usize) -> [u16; 2] {
        let mut rest = index;
        for (group, &count) in self.groups.iter().enumerate() {
            if rest < count {
                return [group as u16, rest as u16];
            }
            rest -= count;
        }
        [rest as u16, 0]
    }

    /// The index of labels: the cell or the word, and after all of them that of missing fields. A second digit that its first
    /// does not have, which a model may draw, is the last that it has.
    pub fn index(&self, labels: &[u16]) -> usize {
        match *labels {
            [first, second] => {
                let first = usize::from(first);
                let before: usize = self.groups[..first].iter().sum();
                before + usize::from(second).min(self.groups[first] - 1)
            }
            [first] => usize::from(first),
            _ => panic!("{} digits", labels.len()),
        }
    }

    /// Whether labels stand for a missing field.
    pub fn is_missing(&self, labels: &[u16]) -> bool {
        self.index(labels) >= self.known()
    }

    /// The labels of a missing field, if there were any.
    pub fn missing(&self) -> Option<[u16; 2]> {
        self.missing.then(|| self.labels(self.known()))
    }

    /// The label of a number's cell.
    ///
    /// # Panics
    /// For a column of words.
    pub fn label_of_number(&self, number: i64) -> u16 {
        let Values::Numbers { cells, .. } = &self.values else {
            panic!("a number of a column of words");
        };
        self.labels(cells.find(number))[0]
    }

    /// What each of many words stands for; `None` for those that the column does not know.
    pub fn read<'a>(&self, words: impl Iterator<Item = &'a str>) -> Vec<Option<Field>> {
        match &self.values {
            Values::Numbers { notation, cells } => {
                let read = |word: &str| {
                    let number = notation.units(word)?;
                    let labels = self.labels(cells.find(number));
                    Some(Field {
                        labels,
                        number: Some(number),
                    })
                };
                words.map(read).collect()
            }
            Values::Words(known) => {
                let index: HashMap<&str, usize> =
                    known.iter().map(String::as_str).zip(0..).collect();
                let read = |word: &str| {
                    let labels = self.labels(*index.get(word)?);
                    Some(Field {
                        labels,
                        number: None,
                    })
                };
                words.map(read).collect()
            }
        }
    }

    /// The number of a field: the known one, or one that is drawn from the labels' cell; `None` for words and missing fields.
    pub fn number(&self, labels: &[u16], known: Option<i64>, rng: &mut ChaCha8Rng) -> Option<i64> {
        match &self.values {
            Values::Numbers { cells, .. } if !self.is_missing(labels) => {
                Some(known.unwrap_or_else(|| cells.draw(self.index(labels), rng)))
            }
            _ => None,
        }
    }

    /// The text of labels and of their number, `None` for a missing field.
    ///
    /// # Panics
    /// If the column holds numbers and there is none.
    pub fn write(&self, labels: &[u16], number: Option<i64>) -> Option<String> {
        let index = self.index(labels);
        if index >= self.known() {
            return None;
        }
        Some(match &self.values {
            Values::Numbers { notation, .. } => notation.write(number.expect("a number")),
            Values::Words(words) => words[index].clone(),
        })
    }

    /// What an index of a column with one site stands for: a number, the first and the last of a cell, a word, or `?`.
    pub fn describe(&self, index: usize) -> String {
        match &self.values {
            _ if index >= self.known() => MISSING.to_owned(),
            Values::Words(words) => words[index].clone(),
            Values::Numbers { notation, cells } => {
                let cell = cells.get(index);
                match cell.low == cell.high {
                    true => notation.write(cell.low),
                    false => format!(
                        "{}..{}",
                        notation.write(cell.low),
                        notation.write(cell.high)
                    ),
                }
            }
        }
    }

    /// What the column holds, in a word.
    pub fn kind(&self) -> &'static str {
        match &self.values {
            Values::Words(_) => "words",
            Values::Numbers { notation, .. } if notation.is_moment() => "dates or times",
            Values::Numbers { notation, .. } if notation.is_integer() => "whole numbers",
            Values::Numbers { .. } => "numbers",
        }
    }

    /// The values in a few words.
    pub fn summary(&self) -> String {
        let missing = if self.missing { ", some missing" } else { "" };
        match &self.values {
            Values::Words(words) => {
                format!(
                    "{} categories, {:?} most often{missing}",
                    words.len(),
                    words[0]
                )
            }
            Values::Numbers { notation, cells } => {
                let (first, last) = cells.ends();
                let (first, last) = (notation.write(first), notation.write(last));
                format!("{first} to {last} in {} cells{missing}", cells.len())
            }
        }
    }

    /// `log p(number | labels)` of a number that is known, in nats; 0 for words and missing fields.
    pub fn log_probability(&self, labels: &[u16], number: i64) -> f64 {
        match &self.values {
            Values::Numbers { cells, .. } if !self.is_missing(labels) => {
                cells.log_probability(self.index(labels), number)
            }
            _ => 0.0,
        }
    }
}

/// A field that is understood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// The labels of its sites; the second is 0 where there is one.
    pub labels: [u16; 2],
    /// The number itself, in units.
    pub number: Option<i64>,
}

/// How many indices each first digit has: about as many digits as indices under one, a value with the weight of several
/// alone, and missing fields alone.
fn groups(weights: &[usize], missing: bool) -> Vec<usize> {
    let size = (weights.len() as f64).sqrt().ceil() as usize;
    let heavy = weights.iter().sum::<usize>() / size;
    let mut groups: Vec<usize> = Vec::new();
    let mut open = false;
    for weight in weights {
        match groups.last_mut() {
            Some(last) if open && *weight < heavy && *last < size => *last += 1,
            _ => {
                groups.push(1);
                open = *weight < heavy;
            }
        }
    }
    if missing {
        groups.push(1);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::frame::FrameBuilder;
    use crate::random::{Purpose, generator};
    use std::path::Path;

    fn column(fields: impl IntoIterator<Item = Option<String>>) -> FrameColumn {
        let mut builder = FrameBuilder::new(Path::new("t.csv"), ["a".to_owned()], 2);
        for (line, field) in (2..).zip(fields) {
            builder.push(line, [field.as_deref()]);
        }
        builder.finish().columns.remove(0)
    }

    fn number_coding(fields: impl IntoIterator<Item = Option<String>>) -> (FrameColumn, Coding) {
        let column = column(fields);
        let notation = Notation::find(column.words.iter()).expect("numbers");
        let coding = Coding::numbers(&column, notation, 1);
        (column, coding)
    }

    #[test]
    fn numbers_go_to_labels_and_back() {
        let zeros = std::iter::repeat_n(Some("0".to_owned()), 3000);
        let many = (0..5000).map(|k| Some(format!("{}.5", k + 7)));
        let (column, coding) = number_coding(zeros.chain(many).chain([None]));
        assert_eq!(coding.sites(), 1);
        let vocabularies = coding.vocabularies();
        let read = coding.read(column.words.iter());
        let mut rng = generator(0, Purpose::Cells, 0);
        for (word, field) in column.words.iter().zip(read) {
            let field = field.expect("known");
            let labels = [field.labels[0]];
            assert!(usize::from(labels[0]) < vocabularies[0].count());
            assert_eq!(coding.write(&labels, field.number).as_deref(), Some(word));
            let drawn = coding.number(&labels, None, &mut rng);
            let drawn = coding.write(&labels, drawn).expect("a number");
            assert_eq!(
                coding.read([drawn.as_str()].into_iter())[0].map(|field| field.labels),
                Some([labels[0], 0])
            );
            assert!(!coding.is_missing(&labels));
        }
        let missing = &coding.missing().expect("a field is missing")[..1];
        let written = coding.write(missing, None);
        assert_eq!((coding.is_missing(missing), written), (true, None));
    }

    #[test]
    fn few_numbers_are_one_site_and_unknown_ones_belong_to_a_neighbour() {
        let (_, coding) = number_coding((0..40).map(|k| Some((2 * k).to_string())));
        assert_eq!((coding.sites(), coding.vocabularies()[0].count()), (1, 40));
        let read = coding.read(["7", "-3", "500", "x"].into_iter());
        let labels = read.iter().map(|field| field.map(|field| field.labels[0]));
        assert_eq!(
            labels.collect::<Vec<_>>(),
            [Some(3), Some(0), Some(39), None]
        );
    }

    #[test]
    fn many_words_have_two_digits() {
        let words =
            (0..2000).flat_map(|k| std::iter::repeat_n(Some(format!("w{k}")), 1 + 2000 / (k + 1)));
        let column = column(words);
        let coding = Coding::words(&column);
        assert_eq!(coding.sites(), 2);
        assert!(
            coding
                .vocabularies()
                .iter()
                .all(|vocabulary| vocabulary.count() < 60)
        );
        for (word, field) in column.words.iter().zip(coding.read(column.words.iter())) {
            let labels = field.expect("known").labels;
            assert_eq!(coding.write(&labels, None).as_deref(), Some(word));
        }
        assert_eq!(coding.read(["new"].into_iter()), [None]);
        // The most frequent word is told by the first digit alone; a second digit that is not there is taken for the last.
        assert_eq!(coding.groups[0], 1);
        assert_eq!(coding.write(&[0, 9], None).as_deref(), Some("w0"));
    }
}
