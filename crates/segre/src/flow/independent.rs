//! The marginals of the training data, and the sites as if they were independent.

use burn::tensor::{Tensor, activation};

use super::channel::{Denoiser, evidence};
use super::model::Model;
use crate::data::Dataset;
use crate::geometry::PADDING_LOGIT;

/// The model's marginals as a factorising distribution: the control variate of the likelihood, and the
/// denoiser beyond the last level.
#[derive(Clone, Copy, Debug)]
pub struct IndependentSites<'a> {
    model: &'a Model,
}

impl<'a> IndependentSites<'a> {
    pub(super) fn of(model: &'a Model) -> Self {
        Self { model }
    }

    /// `−log Π_i p_i(β_i)` over the sites with a `true` in `targets`, in nats.
    pub(crate) fn negative_log_probability(&self, row: &[u16], targets: &[bool]) -> f64 {
        let categories = self.model.manifold.categories();
        let log = |(site, label): (usize, &u16)| {
            f64::from(self.model.log_marginals[site * categories + usize::from(*label)])
        };
        let scored = row.iter().enumerate().filter(|(site, _)| targets[*site]);
        -scored.map(log).sum::<f64>()
    }
}

impl Denoiser for IndependentSites<'_> {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        let evidence = evidence(&self.model.manifold, state, root_snr.clone());
        self.posterior(evidence, root_snr)
    }

    fn posterior(&self, evidence: Tensor<3>, _level: Tensor<2>) -> Tensor<3> {
        activation::softmax(self.model.local_logits(evidence), 2)
    }
}

/// Logarithms of the marginals with half a count added to every category (Krichevsky–Trofimov),
/// normalised in f64; padding [`PADDING_LOGIT`].
pub(super) fn log_marginals(train: &Dataset) -> Vec<f32> {
    let categories = train.schema.max_categories();
    let mut counts = vec![0.0_f64; train.sites() * categories];
    for row in train.iter() {
        for (site, label) in row.iter().enumerate() {
            counts[site * categories + usize::from(*label)] += 1.0;
        }
    }
    let mut logs = vec![PADDING_LOGIT as f32; counts.len()];
    for (site, own) in train.schema.cardinalities().into_iter().enumerate() {
        let total = train.rows() as f64 + 0.5 * own as f64;
        for place in site * categories..site * categories + own {
            logs[place] = ((counts[place] + 0.5) / total).ln() as f32;
        }
    }
    logs
}
