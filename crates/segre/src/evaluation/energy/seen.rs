//! Samples of a fit beside exact ones: to be looked at, not measured.

use super::EnergyTarget;
use super::fitted::{Fitted, complete_options};
use super::truth::Truth;
use crate::data::Dataset;
use crate::evaluation::error::Result;
use crate::flow::sampling::SamplingOptions;
use crate::progress::Observer;

/// Samples and marginals.
pub(in crate::evaluation) struct Seen {
    /// Of what was fitted.
    pub samples: Dataset,
    /// Of the energy model, where inference is exact.
    pub exact: Option<Dataset>,
    /// Marginals of the energy model.
    pub marginals: Vec<Vec<f64>>,
}

impl Seen {
    /// Draws as many samples of both.
    pub fn of(
        fitted: &Fitted,
        target: &EnergyTarget,
        memory: u64,
        [count, seed]: [u64; 2],
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        let truth = Truth::find(target.model, memory, seed, observer)?;
        let (schema, count) = (target.schema, count as usize);
        let sampling = match fitted {
            Fitted::Randomized(_) => SamplingOptions::default(),
            Fitted::Neural { model, .. } => {
                let options = SamplingOptions::default();
                complete_options(&options, model, seed, schema.sites())
            }
        };
        let exact = match &truth.plan {
            Some(plan) => {
                let labels = plan.sample_labels(count, seed.wrapping_add(1), observer)?;
                Some(Dataset::new(schema.clone(), labels)?)
            }
            None => None,
        };
        Ok(Self {
            samples: fitted.sample(count, seed, schema, &sampling, observer)?,
            exact,
            marginals: truth.result.marginals,
        })
    }
}
