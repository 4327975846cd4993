//! What is missing in rows, filled in.

use super::Model;
use crate::data::{Dataset, PartialDataset};
use crate::error::Result;
use crate::flow::sampling::{SamplingOptions, complete_with};
use crate::flow::{ConditionalMarginals, Denoiser, LegalOnly, legal_marginals};
use crate::progress::{Observer, Silent};

/// How missing labels are chosen. None becomes the category that missing fields had in the fit's data.
#[derive(Clone, Debug, PartialEq)]
pub enum Filling {
    /// All missing labels of a row are drawn together, so many times, copies of a row side by side.
    Draws(usize, SamplingOptions),
    /// Each at its most probable category, by itself, given the known ones.
    MostProbable,
}

impl Model {
    /// Fills in what is unknown with one draw of every row.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    pub fn impute(&self, given: &PartialDataset) -> Result<Dataset> {
        let draws = Filling::Draws(1, self.sampling_options());
        self.fill(given, &draws, &mut Silent)
    }

    /// Fills in what is unknown.
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    pub fn fill(
        &self,
        given: &PartialDataset,
        how: &Filling,
        observer: &mut dyn Observer,
    ) -> Result<Dataset> {
        let (draws, options) = match how {
            Filling::Draws(draws, options) => (*draws, options),
            Filling::MostProbable => {
                let marginals = self.marginals(given, observer)?;
                return Ok(given.filled(|row, site| marginals.most_probable(row, site))?);
            }
        };
        let repeated = given.repeat_rows(draws);
        if repeated.unknown() == 0 {
            return Ok(repeated.filled(|_, _| 0)?);
        }
        let legal = LegalOnly::of_fields(&self.flow);
        let denoiser = legal
            .as_ref()
            .map_or(&self.flow as &dyn Denoiser, |legal| legal);
        Ok(complete_with(denoiser, &self.flow, &repeated, options, observer)?.data)
    }

    /// The probability of every category of every unknown label, each by itself, given the known ones of its row.
    ///
    /// # Errors
    /// As [`conditional_marginals`](crate::flow::conditional_marginals).
    pub fn marginals(
        &self,
        given: &PartialDataset,
        observer: &mut dyn Observer,
    ) -> Result<ConditionalMarginals> {
        Ok(legal_marginals(&self.flow, given, observer)?)
    }
}
