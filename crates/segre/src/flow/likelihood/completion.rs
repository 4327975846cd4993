//! The probability with which the sequential sampler completes rows as they are, averaged over random orders.

use rand::seq::SliceRandom;
use rayon::prelude::*;
use segre_kernels::Place;

use crate::data::{Dataset, PartialDataset};
use crate::flow::channel::Denoiser;
use crate::flow::error::Result;
use crate::flow::known::{KnownLabels, conditionals};
use crate::flow::model::Model;
use crate::progress::{Observer, Progress};
use crate::random::{Purpose, generator, row_generator};

/// States per evaluation of the network.
const BATCH: usize = 4096;

/// `log (1/K) Σ_k Q_{σ_k}(β_unknown | β_known)` of every row, nats, over `K` random orders of its unknown sites.
///
/// `Q_σ` is the chain rule in the order `σ`, so this estimates the logarithm of the probability with which
/// [`Sampler::Sequential`](crate::flow::sampling::Sampler::Sequential) with one site per step draws the row's
/// unknown labels. The mean is unbiased, hence its logarithm is too small on average, the less so the more orders;
/// with one unknown site there is one order and no error. Costs `K` evaluations for every unknown site.
///
/// # Errors
/// [`FlowError::ConditionNeedsPosterior`](crate::flow::FlowError::ConditionNeedsPosterior) for a field head or a
/// path on the simplex, [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) for rows of another
/// schema, [`Interrupted`](crate::Interrupted) if stopped.
///
/// # Panics
/// If `given` has another number of rows than `rows`, or there is no order.
///
/// Source: Uria et al. 2014 (orderless NADE), arXiv 1310.1757, section 4.1.
pub fn completion_log_probabilities(
    model: &Model,
    given: &PartialDataset,
    rows: &Dataset,
    orders: usize,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<Vec<f64>> {
    model.check_conditions()?;
    let found = log_probabilities(model, model, given, rows, orders, seed, observer)?;
    Ok(found.iter().map(|own| log_mean_exp(own)).collect())
}

/// `log Q_σ(β_unknown | β_known)` of every row in each of some random orders `σ` of its unknown sites, nats, with any denoiser; the
/// model gives sites and levels.
///
/// # Errors and panics
/// As [`completion_log_probabilities`].
pub(super) fn log_probabilities(
    denoiser: &dyn Denoiser,
    model: &Model,
    given: &PartialDataset,
    rows: &Dataset,
    orders: usize,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<Vec<Vec<f64>>> {
    model.schema.same_as(&given.schema)?;
    model.schema.same_as(&rows.schema)?;
    assert_eq!(given.rows(), rows.rows(), "rows and what is given of them");
    assert!(orders > 0, "an average needs an order");
    let together = (BATCH.min(model.most_rows()) / orders).max(1);
    let chunks: Vec<usize> = (0..rows.rows()).step_by(together).collect();
    let mut found = Vec::with_capacity(rows.rows());
    Progress::pieces("conditionals", "row", 0, rows.rows()).tell(observer)?;
    for wave in chunks.chunks(rayon::current_num_threads()) {
        let logs: Vec<Vec<Vec<f64>>> = wave
            .par_iter()
            .map(|&from| {
                let members: Vec<usize> = (from..rows.rows().min(from + together)).collect();
                let part = (given.select(&members), rows.select(&members));
                let denoise = (denoiser, model);
                of_chunk(denoise, &part.0, &part.1, orders, (seed, from as u64))
            })
            .collect();
        found.extend(logs.concat());
        Progress::pieces("conditionals", "row", found.len(), rows.rows()).tell(observer)?;
    }
    Ok(found)
}

/// The same for a few rows; `orders` states for each of them go through the network together.
fn of_chunk(
    (denoiser, model): (&dyn Denoiser, &Model),
    given: &PartialDataset,
    rows: &Dataset,
    orders: usize,
    (seed, counter): (u64, u64),
) -> Vec<Vec<f64>> {
    let sites = model.manifold.sites();
    let size = rows.rows() * orders;
    let mut known = KnownLabels::of(given, (0..size).map(|state| state / orders));
    let rng = generator(seed, Purpose::Completion, counter);
    let order = |state: usize| {
        let hidden = (0..sites).filter(|site| given.label(state / orders, *site).is_none());
        let mut order: Vec<usize> = hidden.collect();
        order.shuffle(&mut row_generator(&rng, state));
        order
    };
    let order: Vec<Vec<usize>> = (0..size).map(order).collect();
    let mut logs = vec![0.0_f64; size];
    let steps = order.iter().map(Vec::len).max().unwrap_or(0);
    for step in 0..steps {
        let open = (0..size).filter_map(|state| {
            let column = *order[state].get(step)?;
            Some(Place { row: state, column })
        });
        let places: Vec<Place> = open.collect();
        let found = conditionals(denoiser, model, &known, &places);
        for (at, Place { row: state, column }) in places.into_iter().enumerate() {
            let own = found.of(at);
            let label = rows.row(state / orders)[column];
            let total: f64 = own.iter().copied().map(f64::from).sum();
            logs[state] += (f64::from(own[usize::from(label)]) / total).ln();
            known.labels_mut()[state * sites + column] = Some(label);
        }
    }
    logs.chunks(orders).map(<[f64]>::to_vec).collect()
}

/// `log mean exp`, minus infinity if all are.
fn log_mean_exp(logs: &[f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    let sum: f64 = logs.iter().map(|log| (log - largest).exp()).sum();
    largest + (sum / logs.len() as f64).ln()
}
