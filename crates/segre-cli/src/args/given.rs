//! Values of columns that are given: `age=40`, ranges `age=30..40`, sets `city=A|B`.

use anyhow::{Context, Result, anyhow};
use clap::Args;
use segre::Model;
use segre::data::PartialDataset;

use super::names;

/// What is given of all rows beside what their file says.
#[derive(Debug, Args)]
pub struct GivenValues {
    /// Tables: what moreover holds of every row, where its file does not say: values, as 'income=">50K"', ranges, as age=30..40 or
    /// age=..40, or sets, as city=A|B
    #[arg(long, value_name = "NAME=VALUE")]
    pub given: Option<String>,
}

impl GivenValues {
    /// The rows with what is given.
    ///
    /// # Errors
    /// If it is nothing that the model knows, or a row says otherwise.
    pub fn and(&self, model: &Model, rows: PartialDataset) -> Result<PartialDataset> {
        match &self.given {
            None => Ok(rows),
            Some(given) => {
                let given = given_values(model, given)?;
                rows.and_given(&given).context("--given")
            }
        }
    }
}

/// One row of which these values are known.
///
/// # Errors
/// If they are nothing that the model knows.
pub fn given_values(model: &Model, given: &str) -> Result<PartialDataset> {
    let refused = |problem: String| anyhow!("--given: {problem}");
    let words = names::names(given).map_err(refused)?;
    let pairs: Vec<(String, String)> = names::all(&[words])
        .iter()
        .map(|word| names::pair(word, false).map_err(refused))
        .collect::<Result<_>>()?;
    model.given(&pairs).context("--given")
}
