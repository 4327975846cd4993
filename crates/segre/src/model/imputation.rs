//! What is missing in rows, filled in.

use std::collections::HashMap;

use super::Model;
use super::conditions::conditions;
use super::constraints::{keeping, note_broken};
use crate::data::{Dataset, PartialDataset, Spread, solved};
use crate::error::Result;
use crate::flow::sampling::{Samples, SamplingOptions, complete_with};
use crate::flow::{ConditionalMarginals, Denoiser, LegalOnly, legal_marginals};
use crate::progress::{Observer, Silent};

/// How missing labels are chosen. None becomes the category that missing fields had in the fit's data.
#[derive(Clone, Debug, PartialEq)]
pub enum Filling {
    /// All missing labels of a row are drawn together, so many times, copies of a row side by side.
    Draws(usize, SamplingOptions),
    /// Each at its most probable category, a number at its median, by itself, given the known ones.
    MostProbable,
    /// The same, but a number at its mean, which has the least squared error.
    Expected,
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
                return self.fill_by_marginals(given, |spread| spread.median, observer);
            }
            Filling::Expected => {
                return self.fill_by_marginals(
                    given,
                    |spread| spread.mean.round() as i64,
                    observer,
                );
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
        let mut draw = |given: &PartialDataset, options: &SamplingOptions| -> Result<Samples> {
            let given = self.settled(given, options.seed, observer)?;
            Ok(complete_with(
                denoiser, &self.flow, &given, options, observer,
            )?)
        };
        let samples = draw(&repeated, options)?;
        let kept = keeping(samples, options, |rows, options| {
            draw(&repeated.select(rows), options)
        })?;
        Ok(kept.data)
    }

    /// Every unknown label by itself: a number at a centre of its distribution, others at their most probable category.
    fn fill_by_marginals(
        &self,
        given: &PartialDataset,
        centre: impl Fn(Spread) -> i64,
        observer: &mut dyn Observer,
    ) -> Result<Dataset> {
        let given = &self.with_likely_words(&solved(given))?;
        let marginals = self.marginals(given, observer)?;
        let (schema, conditions) = (self.schema(), conditions(given)?);
        let mut numbers = HashMap::new();
        let mut said = Vec::new();
        for column in (0..schema.column_count()).filter(|_| schema.has_codings()) {
            let (_, Some(coding)) = schema.column(column) else {
                continue;
            };
            let site = schema.sites_of(column).start;
            for row in (0..given.rows()).filter(|row| given.label(*row, site).is_none()) {
                if let Some(spread) = coding.spread(marginals.of(row, site)) {
                    let within = conditions[row].iter().find(|(own, _)| *own == column);
                    let number = centre(spread);
                    let number = within.map_or(number, |(_, own)| own.nearest(number));
                    said.push((row, column, number));
                    numbers.insert((row, site), coding.label_of_number(number));
                }
            }
        }
        let filled = given.filled(|row, site| match numbers.get(&(row, site)) {
            Some(label) => *label,
            None => marginals.most_probable(row, site),
        })?;
        let mut filled = match said.is_empty() {
            true => filled,
            false => filled.with_numbers_at(said),
        };
        let names: Vec<String> = schema.constraints.iter().map(|own| own.text()).collect();
        let broken = filled.breaking().len();
        note_broken(&mut filled, broken, &names.join(", "));
        Ok(filled)
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
        self.marginals_where(given, None, observer, |rows, observer| {
            Ok(legal_marginals(&self.flow, rows, observer)?)
        })
    }
}
