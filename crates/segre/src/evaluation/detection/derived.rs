//! Rows made strange on purpose: what a detector should find at least.

use std::fmt::{self, Display};

use rand::seq::SliceRandom;

use crate::data::Dataset;
use crate::evaluation::error::{EvaluationError, Result};
use crate::random::{Purpose, generator};

/// What is done to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derived {
    /// The sites of every row in a random order of its own.
    Shuffled,
    /// The last category for the first, and so on.
    Inverted,
    /// One category everywhere, the next one in the next row.
    Constant,
}

impl Derived {
    /// What a word stands for.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Shuffled, Self::Inverted, Self::Constant]
            .into_iter()
            .find(|own| own.to_string() == word)
    }

    /// The rows with this done to them.
    ///
    /// # Errors
    /// [`EvaluationError::NotOneVocabulary`] if the sites have vocabularies of their own.
    pub fn of(self, data: &Dataset, seed: u64) -> Result<Dataset> {
        let cardinalities = data.schema.cardinalities();
        let categories = cardinalities[0];
        if cardinalities.iter().any(|own| *own != categories) {
            return Err(EvaluationError::NotOneVocabulary {
                what: self.to_string(),
            });
        }
        let mut labels = Vec::with_capacity(data.labels().len());
        for (place, row) in data.iter().enumerate() {
            match self {
                Self::Shuffled => {
                    let mut row = row.to_vec();
                    let counter = place as u64;
                    row.shuffle(&mut generator(seed, Purpose::Strange, counter));
                    labels.extend(row);
                }
                Self::Inverted => {
                    let last = (categories - 1) as u16;
                    labels.extend(row.iter().map(|label| last - label));
                }
                Self::Constant => {
                    let label = (place % categories) as u16;
                    labels.extend(std::iter::repeat_n(label, row.len()));
                }
            }
        }
        Ok(Dataset::new(data.schema.clone(), labels)?)
    }
}

impl Display for Derived {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Shuffled => "shuffled",
            Self::Inverted => "inverted",
            Self::Constant => "constant",
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{Layout, Schema, Vocabulary};
    use crate::evaluation::detection::{background, deflated_bits, foreground_sites};

    #[test]
    fn derived_rows_are_what_they_are_called() {
        let names = (0..300).map(|site| format!("s{site}")).collect();
        let schema = Schema::shared(Layout::Sequence, names, Vocabulary::Integers { count: 3 });
        let row = |step: usize| (0..300).map(move |site| (site / 100 + step) as u16 % 3);
        let data = Dataset::new(schema, row(0).chain(row(1)).collect()).unwrap();
        let shuffled = Derived::Shuffled.of(&data, 4).unwrap();
        for (own, before) in shuffled.iter().zip(data.iter()) {
            let sorted = |row: &[u16]| {
                let mut row = row.to_vec();
                row.sort_unstable();
                row
            };
            assert_ne!(own, before);
            assert_eq!(sorted(own), sorted(before));
        }
        assert_ne!(
            shuffled.row(0),
            Derived::Shuffled.of(&data, 5).unwrap().row(0)
        );
        let inverted = Derived::Inverted.of(&data, 0).unwrap();
        let sums = inverted
            .labels()
            .iter()
            .zip(data.labels())
            .map(|(a, b)| a + b);
        assert!(sums.into_iter().all(|sum| sum == 2));
        let constant = Derived::Constant.of(&data, 0).unwrap();
        assert!(constant.row(0).iter().all(|label| *label == 0));
        assert!(constant.row(1).iter().all(|label| *label == 1));
        // What has structure is short, and nothing is shorter than a constant.
        let [plain, noise, blank] =
            [&data, &shuffled, &constant].map(|rows| deflated_bits(rows)[0]);
        assert!(
            blank < plain && plain < 0.4 * noise,
            "{blank}, {plain}, {noise}"
        );
        assert_eq!(foreground_sites(&constant, 1), [300.0, 0.0]);
        assert_eq!(background(&constant.select(&[1])), 1);
        assert_eq!(Derived::named("constant"), Some(Derived::Constant));
        assert_eq!(Derived::named("images"), None);
    }
}
