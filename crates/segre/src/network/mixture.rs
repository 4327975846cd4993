//! Context by Bayes' rule under a mixture of products: sharp dependences that dense layers learn slowly.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation};

use super::{SiteSpec, initialise};

/// A learned logarithm is this much its parameter: Adam moves all parameters at one rate, and
/// probabilities have farther to go than weights.
const SCALE: f64 = 32.0;

/// A mixture of `K` distributions with independent sites, as ratios to the marginals:
/// `p(β) = Π_i m_i(β_i) Σ_k π_k Π_i R_{ik}(β_i)`.
///
/// Given the local posteriors `q_i ∝ evidence · m_i` of the sites, the exact context of the mixture is
/// `g_i(j) = log Σ_k r_{ik} R_{ik}(j)`, where the responsibilities
/// `r_{ik} ∝ π_k Π_{i'≠i} Σ_j q_{i'}(j) R_{i'k}(j)` leave out the site's own evidence.
///
/// The ratios are free positive numbers, not normalised: the logits are, later.
#[derive(Module, Debug)]
pub struct ProductMixture {
    /// `log π_k` over [`SCALE`], `[components]`.
    log_weights: Param<Tensor<1>>,
    /// `log R_{ik}(j)` over [`SCALE`], `[sites, components, categories]`.
    log_ratios: Param<Tensor<3>>,
}

impl ProductMixture {
    /// A mixture without context: all ratios are 1.
    pub(super) fn new(components: usize, sites: &SiteSpec, device: &Device) -> Self {
        let shape = [sites.sites(), components, sites.categories()];
        Self {
            log_weights: initialise::zeros([components], device),
            log_ratios: initialise::zeros(shape, device),
        }
    }

    /// How many rows of the data it starts from: one for each component but that of independent sites.
    pub(super) fn starting_rows(&self) -> usize {
        self.log_weights.dims()[0] - 1
    }

    /// The mixture started from data: one component is that of independent sites, each of the others lies
    /// around one of the rows.
    pub(super) fn started_from(
        self,
        rows: &[Vec<u16>],
        spec: &SiteSpec,
        log_marginals: &[f32],
    ) -> Self {
        let [sites, components, categories] = self.log_ratios.dims();
        assert_eq!(rows.len(), components - 1, "rows to start from");
        let device = self.log_ratios.device();
        // Many sites agree on a row as much as two do.
        let strength = (2.0 / sites as f64).min(1.0);
        let mut logs = vec![0.0_f32; sites * components * categories];
        for (component, row) in (1..components).zip(rows) {
            for (site, &label) in row.iter().enumerate() {
                let (from, own) = (
                    (site * components + component) * categories,
                    spec.cardinalities[site],
                );
                let kernel = kernel(own, usize::from(label), spec.ordinal[site]);
                let marginals = &log_marginals[site * categories..][..own];
                for ((log, kernel), marginal) in logs[from..].iter_mut().zip(kernel).zip(marginals)
                {
                    let ratio =
                        BACKGROUND + (1.0 - BACKGROUND) * kernel / f64::from(*marginal).exp();
                    *log = (strength * ratio.ln() / SCALE) as f32;
                }
            }
        }
        // Half of the weight is with independent sites.
        let mut weights = vec![0.0_f32; components];
        weights[0] = ((components - 1).max(1) as f32).ln() / SCALE as f32;
        Self {
            log_weights: initialise::parameter(weights, [components], &device),
            log_ratios: initialise::parameter(logs, [sites, components, categories], &device),
        }
    }

    /// # Shapes
    /// `points [batch, sites, categories]`, local posteriors `q` → context `g`, the same shape.
    pub fn forward(&self, points: Tensor<3>) -> Tensor<3> {
        let ratios = (self.log_ratios.val() * SCALE).exp(); // [sites, components, categories]
        let support = points
            .swap_dims(0, 1)
            .matmul(ratios.clone().swap_dims(1, 2))
            .log(); // [sites, batch, components]
        let all = support.clone().sum_dim(0) + self.log_weights.val().unsqueeze::<3>() * SCALE;
        let responsibilities = activation::softmax(all - support, 2);
        responsibilities.matmul(ratios).log().swap_dims(0, 1)
    }
}

/// Share of the marginals in a component at the start.
const BACKGROUND: f64 = 0.05;

/// Probabilities around a label: of the label itself, or of the neighbours too if categories are ordered.
fn kernel(categories: usize, label: usize, ordinal: bool) -> Vec<f64> {
    let width = if ordinal {
        0.02 * categories as f64
    } else {
        0.0
    };
    let weight = |j: usize| match j.abs_diff(label) as f64 {
        0.0 => 1.0,
        distance if width > 0.0 => (-0.5 * (distance / width).powi(2)).exp(),
        _ => 0.0,
    };
    let weights: Vec<f64> = (0..categories).map(weight).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;
    use rand_chacha::ChaCha8Rng;

    fn values(count: usize, seed: u64) -> Vec<f32> {
        use rand::SeedableRng;
        initialise::normal(count, 1.0, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    /// Against the sum over all configurations of `Π q · Σ_k π_k Π R`, site by site.
    #[test]
    fn the_context_is_bayes_rule_by_enumeration() {
        let (sites, components, categories) = (3, 2, 3);
        let device = Device::flex();
        let logs: Vec<f32> = values(sites * components * categories, 1);
        let weights = [0.3_f32.ln(), 0.7_f32.ln()];
        let scaled = |values: &[f32]| values.iter().map(|v| v / SCALE as f32).collect::<Vec<_>>();
        let mixture = ProductMixture {
            log_weights: initialise::parameter(scaled(&weights), [components], &device),
            log_ratios: initialise::parameter(
                scaled(&logs),
                [sites, components, categories],
                &device,
            ),
        };
        let shape = [1, sites, categories];
        let points = Tensor::<3>::from_data(TensorData::new(values(9, 2), shape), &device);
        let points = activation::softmax(points, 2);
        let q: Vec<f32> = points.clone().into_data().try_to_vec().unwrap();
        let context: Vec<f32> = mixture.forward(points).into_data().try_to_vec().unwrap();
        let ratio = |site: usize, k: usize, j: usize| {
            f64::from(logs[(site * components + k) * categories + j]).exp()
        };
        let mut marginals = [0.0_f64; 9];
        for index in 0..27 {
            let row = [index / 9, index / 3 % 3, index % 3];
            let local: f64 = (0..3).map(|i| f64::from(q[i * 3 + row[i]])).product();
            let component = |k: usize| {
                f64::from(weights[k]).exp() * (0..3).map(|i| ratio(i, k, row[i])).product::<f64>()
            };
            let mass = local * (component(0) + component(1));
            for (site, &label) in row.iter().enumerate() {
                marginals[site * 3 + label] += mass;
            }
        }
        for site in 0..3 {
            // log p − log q is the context, up to a constant per site.
            let own = site * 3..site * 3 + 3;
            let exact: Vec<f64> = own
                .clone()
                .map(|k| (marginals[k] / f64::from(q[k])).ln())
                .collect();
            let found = &context[own];
            for j in 1..3 {
                let difference = f64::from(found[j] - found[0]) - (exact[j] - exact[0]);
                assert!(difference.abs() < 1e-5, "site {site}: {found:?} {exact:?}");
            }
        }
    }

    #[test]
    fn kernels_are_probabilities_around_the_label() {
        for (categories, label, ordinal) in [(1, 0, true), (5, 2, false), (91, 90, true)] {
            let kernel = kernel(categories, label, ordinal);
            assert!((kernel.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(kernel.iter().all(|p| *p <= kernel[label]));
        }
        assert_eq!(kernel(3, 1, false), [0.0, 1.0, 0.0]);
    }
}
