//! Context from sites that repeat each other's labels: belief propagation with learned Potts couplings.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::initialise;

/// A coupling is this much its parameter, see `mixture.rs`.
const SCALE: f64 = 32.0;
/// Most rounds of messages: chains and trees of this diameter are exact.
const ROUNDS: usize = 3;
/// Most sites: the work grows with their square, and products of as many messages must fit single precision.
pub const MOST_SITES: usize = 8;

/// Couplings `J_{ts} = J_{st}` between all pairs of sites of one vocabulary, as in the Potts model
/// `p(β) ∝ Π_i m_i(β_i) · Π_{t<s} exp(J_{ts} [β_t = β_s])`.
///
/// Given the local posteriors `q_s`, the message from `s` to `t` is, with `w = e^J − 1`,
/// `F_{ts}(j) = 1 + w_{ts} Q_{ts}(j)`, where the cavity marginal `Q_{ts} ∝ q_s Π_{t'≠t} F_{st'}` leaves out what
/// came from `t`. The context is `g_t(j) = Σ_s log F_{ts}(j)`: exact on trees up to the number of rounds.
///
/// One number per pair serves all categories, so what is learned from one label holds for all: with thousands
/// of categories nothing else can be learned from fewer rows than pairs of labels.
///
/// Source: belief propagation, Pearl 1988; beyond the papers.
#[derive(Module, Debug)]
pub struct LabelAffinity {
    /// `J` over twice [`SCALE`] above and below the diagonal, `[sites, sites]`.
    couplings: Param<Tensor<2>>,
}

impl LabelAffinity {
    /// No couplings yet: the context is 0.
    pub(super) fn new(sites: usize, device: &Device) -> Self {
        Self {
            couplings: initialise::zeros([sites, sites], device),
        }
    }

    /// # Shapes
    /// `points [batch, sites, categories]`, local posteriors `q` → context `g`, the same shape.
    pub fn forward(&self, points: &Tensor<3>) -> Tensor<3> {
        let [_, sites, _] = points.dims();
        let couplings = self.couplings.val();
        let weights = ((couplings.clone() + couplings.transpose()) * SCALE).exp() - 1.0;
        let weight = |t: usize, s: usize| weights.clone().slice([t..t + 1, s..s + 1]); // [1, 1]
        let site = |s: usize| points.clone().slice_dim(1, s..s + 1).squeeze_dim::<2>(1); // [batch, categories]
        let local: Vec<Tensor<2>> = (0..sites).map(site).collect();
        // cavities[s][t]: the marginal of s without what t said.
        let mut cavities: Vec<Vec<Tensor<2>>> =
            local.iter().map(|q| vec![q.clone(); sites]).collect();
        let mut gathered = Vec::new();
        for round in 1..=ROUNDS.min(sites - 1) {
            let messages: Vec<Vec<Option<Tensor<2>>>> = (0..sites)
                .map(|t| {
                    let message =
                        |s: usize| (s != t).then(|| cavities[s][t].clone() * weight(t, s) + 1.0);
                    (0..sites).map(message).collect()
                })
                .collect();
            gathered = messages
                .iter()
                .map(|received| {
                    let known = received.iter().flatten().cloned();
                    known.reduce(|product, message| product * message)
                })
                .collect();
            if round == ROUNDS.min(sites - 1) {
                break;
            }
            for (s, q) in local.iter().enumerate() {
                for t in (0..sites).filter(|t| *t != s) {
                    let others = messages[s]
                        .iter()
                        .enumerate()
                        .filter(|(from, _)| *from != t);
                    let known = others.filter_map(|(_, message)| message.clone());
                    let product = known.fold(q.clone(), |product, message| product * message);
                    cavities[s][t] = product.clone() / product.sum_dim(1);
                }
            }
        }
        let context = |product: Option<Tensor<2>>| match product {
            Some(product) => product.log(),
            None => local[0].zeros_like(),
        };
        Tensor::stack(gathered.into_iter().map(context).collect(), 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, activation};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// On a chain, against the sum over all configurations.
    #[test]
    fn the_context_of_a_chain_is_bayes_rule_by_enumeration() {
        let (sites, categories) = (4_usize, 3_usize);
        let device = Device::flex();
        let couplings = [0.7, -0.4, 1.9];
        let mut values = vec![0.0_f32; sites * sites];
        for (s, coupling) in couplings.iter().enumerate() {
            values[s * sites + s + 1] = (coupling / SCALE) as f32;
        }
        let affinity = LabelAffinity {
            couplings: initialise::parameter(values, [sites, sites], &device),
        };
        let noise = initialise::normal(sites * categories, 1.0, &mut ChaCha8Rng::seed_from_u64(1));
        let shape = [1, sites, categories];
        let points = Tensor::<3>::from_data(TensorData::new(noise, shape), &device);
        let points = activation::softmax(points, 2);
        let q: Vec<f32> = points.clone().into_data().try_to_vec().unwrap();
        let context: Vec<f32> = affinity.forward(&points).into_data().try_to_vec().unwrap();
        let mut marginals = vec![0.0_f64; sites * categories];
        for index in 0..categories.pow(sites as u32) {
            let label = |site: usize| index / categories.pow(site as u32) % categories;
            let agree = |s: usize| {
                if label(s) == label(s + 1) {
                    couplings[s]
                } else {
                    0.0
                }
            };
            let energy: f64 = (0..sites - 1).map(agree).sum();
            let local = |site: usize| f64::from(q[site * categories + label(site)]);
            let mass = energy.exp() * (0..sites).map(local).product::<f64>();
            for site in 0..sites {
                marginals[site * categories + label(site)] += mass;
            }
        }
        for site in 0..sites {
            let own = site * categories..(site + 1) * categories;
            // log p − log q is the context, up to a constant per site.
            let exact: Vec<f64> = own
                .clone()
                .map(|k| (marginals[k] / f64::from(q[k])).ln())
                .collect();
            let found = &context[own];
            for j in 1..categories {
                let difference = f64::from(found[j] - found[0]) - (exact[j] - exact[0]);
                assert!(difference.abs() < 1e-5, "site {site}: {found:?} {exact:?}");
            }
        }
    }
}
