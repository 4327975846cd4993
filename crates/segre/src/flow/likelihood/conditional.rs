//! How far a model's conditionals are from those of a known distribution.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::completion::completion_log_probabilities;
use crate::data::{Dataset, PartialDataset};
use crate::estimate::Estimate;
use crate::flow::error::{FlowError, Result};
use crate::flow::model::Model;
use crate::progress::Observer;
use crate::random::{Purpose, generator, row_generator};
use crate::setting::InvalidSetting;

/// Most completions of a row that are listed.
const MOST_COMPLETIONS: usize = 1 << 20;

/// What is compared, and how much work to spend on it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionalOptions {
    /// Number of sites that are given, drawn at random for every row.
    pub given: usize,
    /// Completions to compare for every row; all of them where there are no more.
    pub draws: usize,
    /// Orders over which the sampler's probabilities are averaged.
    pub orders: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for ConditionalOptions {
    fn default() -> Self {
        Self {
            given: 1,
            draws: 128,
            orders: 64,
            seed: 0,
        }
    }
}

/// `KL(P(· | β_A) ‖ Q(· | β_A))` of some patterns `A`, nats.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionalDivergence {
    /// Of every row with its pattern.
    pub rows: Vec<Estimate>,
    /// The mean over the rows; its error is that of the draws, not that of the choice of patterns.
    pub mean: Estimate,
}

/// Compares the sequential sampler's conditionals with the exact ones of `P ∝ exp(log_weight)`.
///
/// For each of `rows`, which should be draws of `P`, some sites `A` are given. All completions are listed, so `P(·
/// | β_A)` is exact, and `log P − log Q` is averaged over completions drawn from it (over all, weighted by their
/// probabilities, if there are no more than `draws`). `Q` is the sampler's law, the chain rule averaged over random
/// orders, estimated with [`completion_log_probabilities`]: its logarithm is too small on average, so the
/// divergence is too large rather than too small.
///
/// # Errors
/// As [`completion_log_probabilities`]; [`InvalidSetting`] if no site is hidden or their completions are too many
/// to list.
pub fn conditional_divergence(
    model: &Model,
    log_weight: &dyn Fn(&[u16]) -> f64,
    rows: &Dataset,
    options: &ConditionalOptions,
    observer: &mut dyn Observer,
) -> Result<ConditionalDivergence> {
    let base = generator(options.seed, Purpose::Completion, u64::from(u32::MAX));
    let (mut labels, mut known, mut shares, mut logs) = (vec![], vec![], vec![], vec![]);
    let mut whole = Vec::with_capacity(rows.rows());
    for (number, row) in rows.iter().enumerate() {
        let mut rng = row_generator(&base, number);
        let hidden = hidden_sites(row.len(), options.given, &mut rng)?;
        let listed = Completions::list(model, log_weight, row, &hidden)?;
        whole.push(listed.is_whole(options.draws));
        for (place, share) in &listed.choose(options.draws, &mut rng) {
            labels.extend(listed.row(*place));
            let site = |site: usize| (!hidden.contains(&site)).then_some(row[site]);
            known.extend((0..row.len()).map(site));
            shares.push((number, *share));
            logs.push(listed.log_probabilities[*place]);
        }
    }
    let data = Dataset::new(model.schema.clone(), labels)?;
    let given = PartialDataset::new(model.schema.clone(), known)?;
    let (orders, seed) = (options.orders, options.seed);
    let found = completion_log_probabilities(model, &given, &data, orders, seed, observer)?;
    let mut terms = vec![Vec::new(); rows.rows()];
    for (((row, share), log_p), log_q) in shares.into_iter().zip(&logs).zip(&found) {
        terms[row].push((share, log_p - log_q));
    }
    let of_rows = terms.iter().zip(whole);
    let of_rows: Vec<Estimate> = of_rows
        .map(|(terms, whole)| mean_of(terms, whole))
        .collect();
    let count = of_rows.len() as f64;
    let error = of_rows.iter().map(|row| row.std_error.powi(2)).sum::<f64>();
    let mean = Estimate {
        value: of_rows.iter().map(|row| row.value).sum::<f64>() / count,
        std_error: error.sqrt() / count,
        samples: of_rows.iter().map(|row| row.samples).sum(),
    };
    Ok(ConditionalDivergence {
        rows: of_rows,
        mean,
    })
}

/// A random choice of sites that are not given.
fn hidden_sites(sites: usize, given: usize, rng: &mut impl Rng) -> Result<Vec<usize>> {
    if given >= sites {
        return Err(FlowError::NothingToScore);
    }
    let mut order: Vec<usize> = (0..sites).collect();
    order.shuffle(rng);
    let mut hidden = order.split_off(given);
    hidden.sort_unstable();
    Ok(hidden)
}

/// All completions of a row with their conditional probabilities.
struct Completions<'a> {
    row: &'a [u16],
    /// The hidden sites and their numbers of categories.
    hidden: Vec<(usize, usize)>,
    /// `log P(β_hidden | β_given)`.
    log_probabilities: Vec<f64>,
}

impl<'a> Completions<'a> {
    fn list(
        model: &Model,
        log_weight: &dyn Fn(&[u16]) -> f64,
        row: &'a [u16],
        hidden: &[usize],
    ) -> Result<Self> {
        let cardinalities = model.manifold.cardinalities();
        let hidden: Vec<(usize, usize)> = hidden.iter().map(|i| (*i, cardinalities[*i])).collect();
        let count = hidden
            .iter()
            .try_fold(1_usize, |n, (_, categories)| n.checked_mul(*categories));
        let Some(count) = count.filter(|count| *count <= MOST_COMPLETIONS) else {
            return Err(InvalidSetting {
                name: "hidden sites",
                value: hidden.len() as f64,
                expected: "so few that a row has at most 2²⁰ completions; give more sites",
            }
            .into());
        };
        let mut listed = Self {
            row,
            hidden,
            log_probabilities: Vec::new(),
        };
        let weights: Vec<f64> = (0..count).map(|k| log_weight(&listed.row(k))).collect();
        let largest = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = weights.iter().map(|log| (log - largest).exp()).sum();
        let log_z = largest + sum.ln();
        listed.log_probabilities = weights.into_iter().map(|log| log - log_z).collect();
        Ok(listed)
    }

    /// The row completed in one of the ways.
    fn row(&self, mut number: usize) -> Vec<u16> {
        let mut row = self.row.to_vec();
        for (site, categories) in &self.hidden {
            row[*site] = (number % categories) as u16;
            number /= categories;
        }
        row
    }

    /// Some completions and their shares: all that are possible, or draws.
    fn choose(&self, draws: usize, rng: &mut impl Rng) -> Vec<(usize, f64)> {
        let probabilities = self.log_probabilities.iter().map(|log| log.exp());
        let possible: Vec<(usize, f64)> = probabilities
            .enumerate()
            .filter(|(_, p)| *p > 0.0)
            .collect();
        if possible.len() <= draws {
            return possible;
        }
        let mut sum = 0.0;
        let cumulative: Vec<f64> = possible
            .iter()
            .map(|(_, p)| {
                sum += p;
                sum
            })
            .collect();
        let draw = |_| {
            let dice = rng.random::<f64>() * sum;
            let place = cumulative.partition_point(|edge| *edge <= dice);
            (
                possible[place.min(possible.len() - 1)].0,
                1.0 / draws as f64,
            )
        };
        (0..draws).map(draw).collect()
    }

    /// Whether so many draws are listed in full.
    fn is_whole(&self, draws: usize) -> bool {
        let possible = self.log_probabilities.iter().filter(|log| log.exp() > 0.0);
        possible.count() <= draws
    }
}

/// The mean of terms with shares: exact if they are the whole, else with the error of the draws' spread.
fn mean_of(terms: &[(f64, f64)], whole: bool) -> Estimate {
    let value: f64 = terms.iter().map(|(share, term)| share * term).sum();
    let count = terms.len() as f64;
    let squares: f64 = terms.iter().map(|(_, term)| (term - value).powi(2)).sum();
    Estimate {
        value,
        std_error: match whole {
            true => 0.0,
            false => (squares / (count - 1.0).max(1.0) / count).sqrt(),
        },
        samples: terms.len() as u64,
    }
}
