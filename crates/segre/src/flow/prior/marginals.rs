//! The marginals of the training data, and the sites as if they were independent.

use burn::tensor::{Device, Tensor, activation};

use crate::data::Dataset;
use crate::flow::channel::{Denoiser, evidence};
use crate::geometry::{AssignmentManifold, PADDING_LOGIT};

/// Smoothed logarithms of the training marginals, nats, `[sites · categories]`; padding [`PADDING_LOGIT`].
#[derive(Clone, Debug)]
pub(in crate::flow) struct Marginals {
    logs: Vec<f32>,
    categories: usize,
}

impl Marginals {
    /// Those of the rows with half a count added to every category (Krichevsky–Trofimov), normalised in f64.
    pub fn of_rows(train: &Dataset) -> Self {
        let categories = train.schema.max_categories();
        let mut counts = vec![0.0_f64; train.sites() * categories];
        let weights = train.weights();
        for (place, row) in train.iter().enumerate() {
            let weight = weights.as_ref().map_or(1.0, |weights| weights[place]);
            for (site, label) in row.iter().enumerate() {
                counts[site * categories + usize::from(*label)] += weight;
            }
        }
        let mut logs = vec![PADDING_LOGIT as f32; counts.len()];
        for (site, own) in train.schema.cardinalities().into_iter().enumerate() {
            let total = train.rows() as f64 + 0.5 * own as f64;
            for place in site * categories..site * categories + own {
                logs[place] = ((counts[place] + 0.5) / total).ln() as f32;
            }
        }
        Self { logs, categories }
    }

    /// Those of sites of which nothing is known.
    pub fn uniform(cardinalities: &[usize]) -> Self {
        let categories = cardinalities.iter().copied().max().unwrap_or(0);
        let mut logs = vec![PADDING_LOGIT as f32; cardinalities.len() * categories];
        for (site, &own) in logs.chunks_mut(categories.max(1)).zip(cardinalities) {
            site[..own].fill(-(own as f32).ln());
        }
        Self { logs, categories }
    }

    /// Those of their logarithms, `[sites · categories]`.
    pub fn of_logs(logs: Vec<f32>, categories: usize) -> Self {
        Self { logs, categories }
    }

    /// All logarithms, `[sites · categories]`.
    pub fn logs(&self) -> &[f32] {
        &self.logs
    }

    /// The logarithms of a site of so many categories.
    pub fn of(&self, site: usize, categories: usize) -> &[f32] {
        &self.logs[site * self.categories..][..categories]
    }

    /// The logarithm of one label of one site.
    pub fn log(&self, site: usize, label: usize) -> f64 {
        f64::from(self.logs[site * self.categories + label])
    }

    /// The logarithms on a device, `[1, sites, categories]`.
    pub fn tensor(&self, device: &Device) -> Tensor<3> {
        let shape = [1, self.logs.len() / self.categories, self.categories];
        segre_kernels::constant(&self.logs, shape, device)
    }

    /// Logits of the posterior if the sites were independent: evidence + log marginals.
    ///
    /// # Shapes
    /// `evidence [batch, sites, categories]` → the same.
    pub fn logits(&self, evidence: Tensor<3>, manifold: &AssignmentManifold) -> Tensor<3> {
        let own = self.tensor(&evidence.device());
        manifold.mask_logits(evidence + own)
    }
}

/// The marginals as a factorising distribution: the control variate of the likelihood, and the denoiser beyond the last
/// level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndependentSites<'a> {
    marginals: &'a Marginals,
    manifold: &'a AssignmentManifold,
}

impl<'a> IndependentSites<'a> {
    pub(in crate::flow) fn new(marginals: &'a Marginals, manifold: &'a AssignmentManifold) -> Self {
        Self {
            marginals,
            manifold,
        }
    }

    /// `−log Π_i p_i(β_i)` over the sites with a `true` in `targets`, in nats.
    pub fn negative_log_probability(&self, row: &[u16], targets: &[bool]) -> f64 {
        let log = |(site, label): (usize, &u16)| self.marginals.log(site, usize::from(*label));
        let scored = row.iter().enumerate().filter(|(site, _)| targets[*site]);
        -scored.map(log).sum::<f64>()
    }
}

impl Denoiser for IndependentSites<'_> {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        let evidence = evidence(self.manifold, state, root_snr.clone());
        self.posterior(evidence, root_snr)
    }

    fn posterior(&self, evidence: Tensor<3>, _level: Tensor<2>) -> Tensor<3> {
        activation::softmax(self.marginals.logits(evidence, self.manifold), 2)
    }
}
