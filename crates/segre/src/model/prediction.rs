//! One column predicted from the others.

use super::Model;
use crate::data::PartialDataset;
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
    /// [`DataError::NoSuchColumn`](crate::data::DataError::NoSuchColumn), and as [`conditional_marginals`].
    pub fn predict_with(
        &self,
        rows: &PartialDataset,
        column: &str,
        observer: &mut dyn Observer,
    ) -> Result<Prediction> {
        let schema = self.schema();
        let site = schema.site_named(column)?;
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
            report: prediction::run(&marginals, &rows, site),
            site,
            marginals,
        })
    }
}
