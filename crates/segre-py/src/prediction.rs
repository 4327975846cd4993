//! Predictions of a column.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use segre::data::{Notation, PartialDataset};
use segre::model::Prediction;
use serde_json::json;

use crate::errors::raise;
use crate::rows::{Rows, bytes};

/// A column that was predicted.
#[pyclass(frozen)]
pub struct Predicted {
    pub(crate) prediction: Prediction,
    pub(crate) rows: PartialDataset,
}

#[pymethods]
impl Predicted {
    /// Names of the categories.
    fn categories(&self) -> Vec<String> {
        self.prediction.categories.clone()
    }

    /// Their probabilities in every row, row after row, as bytes of 32-bit numbers.
    fn probabilities<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let rows = 0..self.rows.rows();
        let all = rows.flat_map(|row| self.prediction.probabilities(row).iter().copied());
        bytes(py, &all.collect::<Vec<f32>>())
    }

    /// How good the predictions are where the truth is known, as JSON.
    fn report(&self) -> String {
        json!(self.prediction.report).to_string()
    }

    /// Whether the column is one of numbers.
    fn is_number(&self) -> bool {
        self.prediction.notation().is_some()
    }

    /// Rows whose column is what is predicted: the most probable category; of numbers the `median`, `mean`, or the end of the interval
    /// that is `low` or `high`.
    fn column(&self, what: &str) -> PyResult<Rows> {
        let rows = self.prediction.rows(&self.rows, |spread| match what {
            "mean" => spread.mean.round() as i64,
            "low" => spread.interval.0,
            "high" => spread.interval.1,
            _ => spread.median,
        });
        Ok(Rows::new(rows.map_err(raise)?, &self.rows.schema))
    }

    /// Means of numbers as bytes, in the column's own units (of dates days, of times seconds); empty where the column holds words.
    fn means<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let unit = self.prediction.notation().map_or(1.0, Notation::unit);
        let rows = 0..self.rows.rows();
        let means = rows.filter_map(|row| Some(unit * self.prediction.spread(row)?.mean));
        bytes(py, &means.collect::<Vec<f64>>())
    }
}
