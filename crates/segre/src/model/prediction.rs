//! One column predicted from the others.

use super::Model;
use crate::data::{Coding, DataError, Dataset, Notation, PartialDataset, Spread, Values};
use crate::error::Result;
use crate::evaluation::prediction::{self, PredictionReport};
use crate::flow::{ConditionalMarginals, conditional_marginals};
use crate::progress::{Observer, Silent};

/// Predictions of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The column.
    pub column: String,
    /// Its categories, as the user writes them.
    pub categories: Vec<String>,
    /// How good the predictions are, over the rows in which the column is known.
    pub report: PredictionReport,
    site: usize,
    /// Of a column of numbers.
    numbers: Option<(Coding, Notation)>,
    marginals: ConditionalMarginals,
}

impl Prediction {
    /// The probabilities of the categories in a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn probabilities(&self, row: usize) -> &[f32] {
        self.marginals.of(row, self.site)
    }

    /// What is predicted of a number; `None` where the column holds words.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn spread(&self, row: usize) -> Option<Spread> {
        let (coding, _) = self.numbers.as_ref()?;
        coding.spread(self.probabilities(row))
    }

    /// How the numbers of the column are written; `None` where it holds words.
    pub fn notation(&self) -> Option<&Notation> {
        self.numbers.as_ref().map(|(_, notation)| notation)
    }

    /// What is predicted, in the column of rows of the model's own types: the most probable categories, of numbers what `centre`
    /// takes of their distribution. Only that column means anything.
    ///
    /// # Errors
    /// As [`PartialDataset::filled`].
    ///
    /// # Panics
    /// If there are more rows than were predicted.
    pub fn rows(&self, rows: &PartialDataset, centre: impl Fn(Spread) -> i64) -> Result<Dataset> {
        let column = rows.schema.column_of(self.site);
        let numbers = |row| self.spread(row).map(&centre);
        let blank = rows.without(|_, site| site == self.site);
        let filled = blank.filled(|row, site| match (site == self.site, &self.numbers) {
            (false, _) => 0,
            (true, None) => self.marginals.most_probable(row, site),
            (true, Some((coding, _))) => {
                numbers(row).map_or(0, |number| coding.label_of_number(number))
            }
        })?;
        let numbers = (0..rows.rows()).filter_map(|row| Some((row, column, numbers(row)?)));
        Ok(match self.numbers {
            None => filled,
            Some(_) => filled.with_numbers_at(numbers),
        })
    }

    /// The most probable category of a row, the first among equals.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn category(&self, row: usize) -> &str {
        let label = self.marginals.most_probable(row, self.site);
        &self.categories[usize::from(label)]
    }
}

impl Model {
    /// Predicts a column of rows; what they say of it is not looked at but for the report.
    ///
    /// # Errors
    /// As [`predict_with`](Self::predict_with).
    pub fn predict(&self, rows: &PartialDataset, column: &str) -> Result<Prediction> {
        self.predict_with(rows, column, &mut Silent)
    }

    /// [`predict`](Self::predict), watched.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`], and as [`conditional_marginals`].
    pub fn predict_with(
        &self,
        rows: &PartialDataset,
        column: &str,
        observer: &mut dyn Observer,
    ) -> Result<Prediction> {
        let schema = self.schema();
        let place = schema.column_named(column)?;
        let sites = schema.sites_of(place);
        if sites.len() > 1 {
            let name = column.to_owned();
            return Err(DataError::ManyWords { name }.into());
        }
        let site = sites.start;
        let numbers = schema
            .column(place)
            .1
            .and_then(|coding| match &coding.values {
                Values::Numbers { notation, .. } => Some((coding.clone(), notation.clone())),
                Values::Words(_) => None,
            });
        // A field that was missing in the fit's data too is no value to predict.
        let rows = rows.without(|row, own| {
            own == site && rows.label(row, own) == schema.missing_category(own)
        });
        let given = rows.without(|_, own| own == site);
        let marginals = conditional_marginals(&self.flow, &given, observer)?;
        let categories = (0..).take(schema.cardinality(site));
        Ok(Prediction {
            column: column.to_owned(),
            categories: categories
                .map(|label| schema.category_name(site, label).into_owned())
                .collect(),
            report: match &numbers {
                None => prediction::run(&marginals, &rows, site),
                Some((coding, notation)) => {
                    prediction::of_numbers(&marginals, &rows, place, coding, notation)
                }
            },
            site,
            numbers,
            marginals,
        })
    }
}
