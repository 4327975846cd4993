//! What is known of an image before anything is learned: how neighbouring pixels go together.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData, activation};
use rand_chacha::ChaCha8Rng;
use segre_kernels::Scanlines;

use crate::data::{DataError, Dataset, Layout, Schema};
use crate::flow::channel::{NoisyBatch, SCORING_REST, decisive_root_snr, evidence};
use crate::flow::error::Result;
use crate::geometry::AssignmentManifold;
use crate::learning::LearningError;
use crate::learning::parameters::Values;

/// Most pixels of the images that the tables are counted in.
const COUNTED: usize = 1 << 24;
/// Most pixels of the images that the weight is chosen by, and the levels at which they are seen.
const WEIGHED: usize = 1 << 16;
const LEVELS: usize = 12;
/// Names of the tensors in a file; no network's parameter is called so.
const RATIOS: &str = "scanline_ratios";
const WEIGHT: &str = "scanline_weight";
/// Weights to choose from, in tenths.
const WEIGHTS: std::ops::RangeInclusive<u8> = 3..=12;

/// Messages along the rows and columns of an image, whose tables are those of neighbouring pixels in the training data.
///
/// A model with them has the posterior logits `b + w Σ_d log M_d + g_θ`, where `b` is evidence + log marginals and `M_d` are the
/// messages that come to a pixel from the left, the right, above and below. A message belongs to its line: with
/// `p_s ∝ e^{b_s} M_s` for the pixel before,
///
/// `M_t(j) = Σ_i p_s(i) R(i, j) / S_t(j)`, `R(i, j) = P(i, j)/(P(i) P(j))`,
///
/// where `R` is counted over all neighbours along the axis, and `S_t` is what the marginals at `s` would say: who knows nothing says
/// nothing. Along one line that is the exact posterior of a Markov chain. The sum over two axes counts evidence twice that
/// comes by both, so it has a weight `w`, which is chosen by the training rows. What is left to learn is everything else:
/// of 32 × 64 label maps that start is worth more than 400 steps of a UNet.
///
/// Source: semi-global matching, Hirschmüller 2008 (doi 10.1109/TPAMI.2007.1166), as sums of products; Drory et al., GCPR
/// 2014, derive it as belief propagation on trees with such a weight. Beyond the papers.
#[derive(Clone, Debug)]
pub(in crate::flow) struct ScanlinePrior {
    /// `R` along rows and along columns, `[2, categories, categories]`, the left or upper pixel's label first.
    ratios: Vec<f32>,
    weight: f32,
    lines: Arc<Scanlines>,
}

impl ScanlinePrior {
    /// Counts neighbours and chooses the weight.
    ///
    /// # Panics
    /// If the data are no images of one vocabulary, which [`check`] refuses.
    pub fn fit(train: &Dataset, log_marginals: &[f32], device: &Device, rng: &ChaCha8Rng) -> Self {
        let few = train.spread((COUNTED / train.sites()).clamp(1, train.rows()));
        let ratios = [0, 1]
            .map(|axis| ratios(&few, log_marginals, axis))
            .concat();
        let mut prior = Self::of(&train.schema, ratios, 1.0, log_marginals);
        prior.weight = prior.best_weight(train, log_marginals, device, rng);
        prior
    }

    /// The prior of its tables.
    fn of(schema: &Schema, ratios: Vec<f32>, weight: f32, log_marginals: &[f32]) -> Self {
        let marginals: Vec<f32> = log_marginals.iter().map(|log| log.exp()).collect();
        Self {
            lines: Arc::new(Scanlines::new(image_size(schema), &ratios, &marginals)),
            ratios,
            weight,
        }
    }

    /// What a file keeps: the tables, `[2, categories, categories]`, and the weight.
    pub fn stored(&self) -> Vec<(&'static str, Values)> {
        let categories = (self.ratios.len() / 2).isqrt();
        let ratios = Values {
            shape: vec![2, categories, categories],
            values: self.ratios.clone(),
        };
        let weight = Values {
            shape: vec![1],
            values: vec![self.weight],
        };
        vec![(RATIOS, ratios), (WEIGHT, weight)]
    }

    /// The prior of what a file keeps.
    ///
    /// # Errors
    /// Those of `take`, which finds the tensor of a name and a shape.
    pub fn of_stored(
        schema: &Schema,
        log_marginals: &[f32],
        mut take: impl FnMut(&str, Vec<usize>) -> Result<Vec<f32>, LearningError>,
    ) -> Result<Self, LearningError> {
        let categories = schema.max_categories();
        let ratios = take(RATIOS, vec![2, categories, categories])?;
        let weight = take(WEIGHT, vec![1])?[0];
        Ok(Self::of(schema, ratios, weight, log_marginals))
    }

    /// Logits of the beliefs from those of the pixels by themselves.
    ///
    /// # Shapes
    /// `local [batch, sites, categories]` → the same.
    pub fn beliefs(&self, local: Tensor<3>) -> Tensor<3> {
        local.clone() + segre_kernels::scanlines(local, &self.lines) * self.weight
    }

    /// The weight of least error: that of the I-MMSE bound, from some training rows at levels over the whole range.
    fn best_weight(
        &self,
        train: &Dataset,
        log_marginals: &[f32],
        device: &Device,
        rng: &ChaCha8Rng,
    ) -> f32 {
        let rows = train.spread((WEIGHED / train.sites()).clamp(1, train.rows()));
        let manifold = AssignmentManifold::new(&train.schema.cardinalities(), device);
        let end_root_snr = decisive_root_snr(manifold.cardinalities(), SCORING_REST);
        let shape = [1, train.sites(), manifold.categories()];
        let marginals = TensorData::new(log_marginals.to_vec(), shape);
        let marginals = Tensor::<3>::from_data(marginals, device);
        let mut errors = WEIGHTS
            .map(|tenths| (f32::from(tenths) / 10.0, 0.0))
            .collect::<Vec<_>>();
        let labels: Vec<&[u16]> = rows.iter().collect();
        for level in 0..LEVELS {
            let root_snr = end_root_snr * (level as f64 + 0.5) / LEVELS as f64;
            let levels = vec![root_snr as f32; labels.len() * train.sites()];
            let mut batch = NoisyBatch::draw(&manifold, &labels, 0..labels.len(), levels, rng);
            let (corners, levels) = (batch.corners(device), batch.root_snr(device));
            let seen = evidence(&manifold, batch.states(device), levels);
            let local = seen + marginals.clone();
            let said = segre_kernels::scanlines(local.clone(), &self.lines);
            for (weight, error) in &mut errors {
                let logits = local.clone() + said.clone() * *weight;
                let missed = (corners.clone() - activation::softmax(logits, 2)).square();
                // ½ dγ = √γ d√γ.
                *error += root_snr * f64::from(missed.mean().into_scalar::<f32>());
            }
        }
        let best = errors.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or(1.0, |(weight, _)| weight)
    }
}

/// Refuses data that are no images of one vocabulary.
pub(super) fn check(schema: &Schema) -> Result<()> {
    match matches!(schema.layout, Layout::Image { .. }) && schema.vocabularies.len() == 1 {
        true => Ok(()),
        false => Err(DataError::NotAnImage {
            what: "`scanlines`",
            remedy: "leave it out",
            found: schema.layout.describe(),
        }
        .into()),
    }
}

/// Height and width of images.
fn image_size(schema: &Schema) -> [usize; 2] {
    let shape = schema.row_shape();
    shape.try_into().expect("scanlines are for images")
}

/// How much more often labels are neighbours along an axis (0: left and right, 1: upper and lower) than the marginals at
/// their places say, with half a count added to both.
fn ratios(data: &Dataset, log_marginals: &[f32], axis: usize) -> Vec<f32> {
    let ([height, width], c) = (image_size(&data.schema), data.schema.max_categories());
    let stride = [1, width][axis];
    let has_next = |site: &usize| match axis {
        0 => site % width + 1 < width,
        _ => site / width + 1 < height,
    };
    let places: Vec<usize> = (0..height * width).filter(has_next).collect();
    let marginals: Vec<f64> = log_marginals
        .iter()
        .map(|log| f64::from(*log).exp())
        .collect();
    let (mut seen, mut expected) = (vec![0.5; c * c], vec![0.5; c * c]);
    for &site in &places {
        let [own, next] = [site, site + stride].map(|site| &marginals[site * c..][..c]);
        for (row, p) in expected.chunks_exact_mut(c).zip(own) {
            for (sum, q) in row.iter_mut().zip(next) {
                *sum += data.rows() as f64 * p * q;
            }
        }
    }
    for row in data.iter() {
        for &site in &places {
            seen[usize::from(row[site]) * c + usize::from(row[site + stride])] += 1.0;
        }
    }
    let pairs = seen.iter().zip(&expected);
    pairs
        .map(|(seen, expected)| (seen / expected) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::parameters::host_values;
    use crate::random::{Purpose, generator};

    const STATES: usize = 3;
    /// A symmetric chain with the uniform law at rest.
    const CHAIN: [f64; 9] = [0.7, 0.2, 0.1, 0.2, 0.5, 0.3, 0.1, 0.3, 0.6];

    fn images(height: usize, width: usize) -> Schema {
        Schema::integers(&[height, width], true, STATES)
    }

    fn uniform(sites: usize) -> Vec<f32> {
        vec![-(STATES as f32).ln(); sites * STATES]
    }

    /// `P(a, b)/(P(a) P(b))` of the chain along rows, and nothing along columns.
    fn chain_ratios() -> Vec<f32> {
        let along = CHAIN.map(|p| (p * STATES as f64) as f32);
        [along, [1.0; 9]].concat()
    }

    fn tensor(values: &[f32]) -> Tensor<3> {
        let shape = [1, values.len() / STATES, STATES];
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
    }

    fn some_evidence(sites: usize) -> Vec<f32> {
        (0..sites * STATES)
            .map(|k| (1.7 * k as f32 + 0.3).sin() * 2.0)
            .collect()
    }

    #[test]
    fn along_one_line_beliefs_are_the_posterior_of_the_chain() {
        let sites = 5;
        let evidence = some_evidence(sites);
        let prior = ScanlinePrior::of(&images(1, sites), chain_ratios(), 1.0, &uniform(sites));
        let local = tensor(&evidence) - (STATES as f32).ln();
        let found = host_values(activation::softmax(prior.beliefs(local), 2));
        let mut exact = vec![0.0_f64; sites * STATES];
        for index in 0..STATES.pow(sites as u32) {
            let label = |site: usize| index / STATES.pow(site as u32) % STATES;
            let mut mass = 1.0;
            for site in 0..sites {
                mass *= f64::from(evidence[site * STATES + label(site)]).exp();
                if site > 0 {
                    mass *= CHAIN[label(site - 1) * STATES + label(site)];
                }
            }
            (0..sites).for_each(|site| exact[site * STATES + label(site)] += mass);
        }
        for (found, exact) in found.chunks(STATES).zip(exact.chunks(STATES)) {
            let total: f64 = exact.iter().sum();
            for (p, mass) in found.iter().zip(exact) {
                assert!((f64::from(*p) - mass / total).abs() < 1e-5, "{found:?}");
            }
        }
    }

    #[test]
    fn who_knows_nothing_says_nothing() {
        let marginals: Vec<f32> = [[0.2, 0.3, 0.5_f32], [0.6, 0.3, 0.1]]
            .iter()
            .cycle()
            .take(6)
            .flat_map(|site| site.map(f32::ln))
            .collect();
        let ratios: Vec<f32> = (0..18).map(|k| 0.5 + (k % 5) as f32).collect();
        let prior = ScanlinePrior::of(&images(2, 3), ratios, 0.8, &marginals);
        let found = host_values(prior.beliefs(tensor(&marginals)));
        for (found, own) in found.iter().zip(&marginals) {
            assert!((found - own).abs() < 1e-5, "{found} {own}");
        }
    }

    /// Rows of the chain, 400 images of 4 × 30, every row of pixels by itself.
    fn chain_images() -> Dataset {
        let (height, width, count) = (4, 30, 400);
        let mut rng = generator(1, Purpose::Noise, 0);
        let mut labels = Vec::new();
        for _ in 0..count * height {
            let mut label = 0;
            for column in 0..width {
                let weights = match column {
                    0 => [1.0 / 3.0; STATES],
                    _ => std::array::from_fn(|next| CHAIN[label * STATES + next]),
                };
                let mut left: f64 = rand::RngExt::random(&mut rng);
                label = (0..STATES - 1)
                    .find(|k| {
                        left -= weights[*k];
                        left < 0.0
                    })
                    .unwrap_or(STATES - 1);
                labels.push(label as u16);
            }
        }
        Dataset::new(images(height, width), labels).unwrap()
    }

    #[test]
    fn tables_are_those_of_the_data_and_the_weight_is_whole_where_nothing_is_counted_twice() {
        let data = chain_images();
        let device = Device::flex();
        let rng = generator(0, Purpose::Initialise, 0);
        let prior = ScanlinePrior::fit(&data, &uniform(data.sites()), &device, &rng);
        for (found, exact) in prior.ratios.iter().zip(chain_ratios()) {
            assert!((found - exact).abs() < 0.05, "{found} {exact}");
        }
        assert!((prior.weight - 1.0).abs() < 0.15, "{}", prior.weight);
    }
}
