//! What training minimises: forward and reverse divergence of mixtures of products, with their gradients.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::arithmetic::add_multiple;

/// Estimators of the entropy inside the reverse divergence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntropyGradient {
    /// As published: the smoothed plug-in of the rounded draws, differentiated through the draws, with the
    /// Miller–Madow correction for the support smoothed by the mean entropy of the sites.
    ///
    /// Source: RAF (20)–(23).
    SmoothedPlugIn,
    /// Of labels drawn from the ends of the flow, by the logarithmic derivative: without bias but for that of
    /// the mixture's own logarithm, so no mode is lost because the draws happened to miss it.
    #[default]
    LogDerivative,
}

/// What training minimises.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Objective {
    /// `KL(P* : P)` up to a constant: minus the mean log-likelihood of samples of `P*`.
    Forward,
    /// `KL(P : P*) − log Z = ⟨E⟩ − H(P)`, RAF (14).
    Reverse {
        /// The estimator of `H`.
        entropy: EntropyGradient,
    },
    /// The sum of both, the reverse one by [`EntropyGradient::LogDerivative`].
    Both,
}

impl Objective {
    /// Whether samples of the target are needed.
    pub fn needs_samples(self) -> bool {
        !matches!(self, Self::Reverse { .. })
    }

    /// Whether the target's energy is needed.
    pub fn needs_energy(self) -> bool {
        self != Self::Forward
    }
}

/// Labelings with weights, equal ones merged.
pub(super) struct Labelings {
    /// Flat places `offset_i + α_i`, `[count, sites]`.
    places: Vec<u32>,
    pub weights: Vec<f64>,
    /// Which of them each of the given rows is.
    pub index: Vec<usize>,
    sites: usize,
}

impl Labelings {
    /// Of rows of labels, each of weight `1 / rows`, in the order of their first appearance.
    pub fn of<'a>(rows: impl Iterator<Item = &'a [u16]>, offsets: &[usize]) -> Self {
        let (mut known, mut index) = (BTreeMap::new(), Vec::new());
        let (mut places, mut counts) = (Vec::new(), Vec::new());
        for row in rows {
            let number = *known.entry(row).or_insert_with(|| {
                let of_site = row.iter().zip(offsets);
                places.extend(of_site.map(|(label, offset)| *offset as u32 + u32::from(*label)));
                counts.push(0.0);
                counts.len() - 1
            });
            counts[number] += 1.0;
            index.push(number);
        }
        let total = index.len() as f64;
        Self {
            places,
            weights: counts.into_iter().map(|count: f64| count / total).collect(),
            index,
            sites: offsets.len() - 1,
        }
    }

    pub fn count(&self) -> usize {
        self.weights.len()
    }

    pub fn places(&self, number: usize) -> &[u32] {
        &self.places[number * self.sites..(number + 1) * self.sites]
    }
}

/// `log (1/m) Σ_l T(S^l)_α` of labelings, and whose share it is.
pub(super) struct Mixture {
    /// `[labelings]`.
    pub log_probabilities: Vec<f64>,
    /// `T(S^l)_α / Σ_k T(S^k)_α`, `[draws][labelings]`.
    shares: Vec<Vec<f32>>,
}

impl Mixture {
    /// Log-sum-exp over the draws.
    ///
    /// Source: RAF (23b).
    pub fn new(log_ends: &[&[f32]], labelings: &Labelings) -> Self {
        let mut shares: Vec<Vec<f32>> = log_ends
            .par_iter()
            .map(|log_end| {
                let product = |number| {
                    let places = labelings.places(number).iter();
                    places.map(|place| log_end[*place as usize]).sum()
                };
                (0..labelings.count()).map(product).collect()
            })
            .collect();
        let mut largest = vec![f32::NEG_INFINITY; labelings.count()];
        for share in &shares {
            for (largest, value) in largest.iter_mut().zip(share) {
                *largest = largest.max(*value);
            }
        }
        // A labeling of a probability below all numbers has a logarithm all the same.
        shares.par_iter_mut().for_each(|share| {
            for (value, largest) in share.iter_mut().zip(&largest) {
                *value = (*value - largest).exp();
            }
        });
        let mut sums = vec![0.0_f64; labelings.count()];
        for share in &shares {
            for (sum, value) in sums.iter_mut().zip(share) {
                *sum += f64::from(*value);
            }
        }
        shares.par_iter_mut().for_each(|share| {
            for (value, sum) in share.iter_mut().zip(&sums) {
                *value /= *sum as f32;
            }
        });
        let draws = log_ends.len() as f64;
        let log_probabilities = sums
            .iter()
            .zip(&largest)
            .map(|(sum, largest)| f64::from(*largest) + (sum / draws).ln())
            .collect();
        Self {
            log_probabilities,
            shares,
        }
    }

    /// Adds the gradient of `Σ_α coefficient_α log P(α)` with respect to every `log S^l`.
    pub fn add_gradient(
        &self,
        labelings: &Labelings,
        coefficients: &[f64],
        gradients: &mut [Vec<f32>],
    ) {
        gradients
            .par_iter_mut()
            .zip(&self.shares)
            .for_each(|(gradient, share)| {
                for (number, coefficient) in coefficients.iter().enumerate() {
                    let value = *coefficient as f32 * share[number];
                    for place in labelings.places(number) {
                        gradient[*place as usize] += value;
                    }
                }
            });
    }

    /// `Σ_α weight_α log P(α)`.
    pub fn mean(&self, labelings: &Labelings) -> f64 {
        let pairs = self.log_probabilities.iter().zip(&labelings.weights);
        pairs.map(|(log, weight)| log * weight).sum()
    }
}

/// An energy as multilinear terms: tables over few sites.
pub(super) struct Terms {
    /// Sites, their strides in the table, and energies.
    terms: Vec<(Vec<usize>, Vec<usize>, Vec<f64>)>,
    offsets: Vec<usize>,
}

impl Terms {
    /// Of the factors of a model; every entry must be finite.
    pub fn of(model: &crate::energy::EnergyModel, offsets: &[usize]) -> Self {
        let term = |factor: &crate::energy::Factor| {
            let energies = factor.log_values().iter().map(|log| -log).collect();
            (factor.variables().to_vec(), factor.strides(), energies)
        };
        Self {
            terms: model.factors().iter().map(term).collect(),
            offsets: offsets.to_vec(),
        }
    }

    /// `⟨T(S), E⟩`, the mean-field energy; its gradient with respect to `log S`, times `scale`, is added.
    ///
    /// Source: RAF (17).
    pub fn mean_field(&self, log_end: &[f32], scale: f64, gradient: &mut [f32]) -> f64 {
        let state: Vec<f64> = log_end.iter().map(|log| f64::from(*log).exp()).collect();
        let mut energy = 0.0;
        for (sites, strides, energies) in &self.terms {
            let label = |index: usize, place: usize| {
                let (site, stride) = (sites[place], strides[place]);
                let states = self.offsets[site + 1] - self.offsets[site];
                self.offsets[site] + index / stride % states
            };
            for (index, value) in energies.iter().enumerate() {
                let probability: f64 = (0..sites.len())
                    .map(|place| state[label(index, place)])
                    .product();
                let part = probability * value;
                energy += part;
                // Each of the probabilities is a factor of the product: its logarithm's derivative is the product.
                for place in 0..sites.len() {
                    gradient[label(index, place)] += (scale * part) as f32;
                }
            }
        }
        energy
    }
}

/// Mean entropy of the sites of a draw, in nats; its gradient with respect to `log S`, times `scale`, is added.
pub(super) fn site_entropy(log_end: &[f32], sites: usize, scale: f64, out: &mut [f32]) -> f64 {
    let mut entropy = 0.0;
    let mut gradient = vec![0.0; log_end.len()];
    for (log, gradient) in log_end.iter().zip(&mut gradient) {
        let part = log.exp() * log;
        entropy -= f64::from(part);
        *gradient = -(part + log.exp());
    }
    add_multiple(out, (scale / sites as f64) as f32, &gradient);
    entropy / sites as f64
}

#[cfg(test)]
mod tests {
    use super::super::arithmetic::log_softmax;
    use super::*;
    use crate::energy::GridModel;

    fn ends() -> Vec<Vec<f32>> {
        (0..3)
            .map(|draw| {
                let mut end: Vec<f32> = (0..8)
                    .map(|k| ((k * 5 + draw * 3) % 7) as f32 / 3.0)
                    .collect();
                end.chunks_mut(2).for_each(log_softmax);
                end
            })
            .collect()
    }

    #[test]
    fn the_mixture_is_the_mean_of_the_products() {
        let (ends, offsets) = (ends(), [0, 2, 4, 6, 8]);
        let rows: [&[u16]; 3] = [&[0, 1, 1, 0], &[1, 1, 0, 0], &[0, 1, 1, 0]];
        let labelings = Labelings::of(rows.into_iter(), &offsets);
        assert_eq!(
            (labelings.count(), &labelings.index[..]),
            (2, &[0, 1, 0][..])
        );
        assert!((labelings.weights[0] - 2.0 / 3.0).abs() < 1e-12);
        let views: Vec<&[f32]> = ends.iter().map(Vec::as_slice).collect();
        let mixture = Mixture::new(&views, &labelings);
        for (row, log) in rows.iter().zip(&mixture.log_probabilities) {
            let product = |end: &Vec<f32>| -> f32 {
                (0..4)
                    .map(|site| end[2 * site + usize::from(row[site])].exp())
                    .product()
            };
            let expected = ends.iter().map(product).sum::<f32>() / 3.0;
            assert!((log.exp() - f64::from(expected)).abs() < 1e-6);
        }
        let mut gradients = vec![vec![0.0; 8]; 3];
        mixture.add_gradient(&labelings, &[1.0, 0.0], &mut gradients);
        // Shares of one labeling add to 1 at each of its sites.
        let total: f32 = gradients.iter().flatten().sum();
        assert!((total - 4.0).abs() < 1e-5, "{total}");
    }

    #[test]
    fn the_mean_field_energy_is_the_mean_and_its_gradient_its_derivative() {
        let model = GridModel::parse("ising:2x2,coupling=0.7,field=0.3").expect("legal");
        let model = model.expect("a grid").build();
        let terms = Terms::of(&model, &[0, 2, 4, 6, 8]);
        let end = ends().remove(1);
        let mut gradient = vec![0.0; 8];
        let energy = terms.mean_field(&end, 1.0, &mut gradient);
        let mut expected = 0.0;
        for index in 0..16_usize {
            let labels: Vec<usize> = (0..4).map(|site| index >> site & 1).collect();
            let log: f32 = labels
                .iter()
                .enumerate()
                .map(|(site, label)| end[2 * site + label])
                .sum();
            expected += f64::from(log).exp() * model.energy(&labels);
        }
        assert!((energy - expected).abs() < 1e-6);
        for place in 0..8 {
            let by = 1e-3;
            let moved = |by: f32| {
                let mut moved = end.clone();
                moved[place] += by;
                terms.mean_field(&moved, 0.0, &mut [0.0; 8])
            };
            let slope = (moved(by) - moved(-by)) / f64::from(2.0 * by);
            assert!((slope - f64::from(gradient[place])).abs() < 1e-3);
        }
    }
}
