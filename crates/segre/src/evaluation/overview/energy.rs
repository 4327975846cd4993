//! What was fitted to an energy beside it: marginals, energies, correlations of pairs, log Z.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rows::histogram;
use crate::data::Dataset;
use crate::energy::EnergyModel;
use crate::evaluation::energy::{
    self, ApproximateReport, EnergyOptions, EnergyReport, EnergyTarget, Fitted,
};
use crate::evaluation::error::Result;
use crate::flow::sampling::SamplingOptions;
use crate::progress::Observer;

/// Samples whose energies and pairs are shown, and samples that the figures of a randomised flow rest on.
const SHOWN: usize = 20_000;
const COMPARED: usize = 200_000;
/// Rows of a network whose importance weights estimate log Z.
const WEIGHTED: usize = 4096;
/// Bins of energies.
const BINS: usize = 40;
/// Evenly spaced levels of energy that bins are laid around.
const LEVELS: f64 = 400.0;
/// Pairs that are shown, and variables and states.
const MOST_PAIRS: usize = 3000;
const MOST_MARGINALS: usize = 6000;

/// What there is to see of a fit to an energy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnergyView {
    /// What the energy is called, and its numbers of variables and factors.
    pub energy: String,
    /// See `energy`.
    pub variables: usize,
    /// See `energy`.
    pub factors: usize,
    /// `randomized` or `neural`.
    pub method: String,
    /// What the fit is compared with: `exact`, or the chain that was used.
    pub target: String,
    /// Samples of the figures.
    pub samples: usize,
    /// Figures: name, value, standard error, value of the target; nats.
    pub figures: Vec<Figure>,
    /// Mean errors of marginals: of the fit, and of approximate inference under the energy itself, where that gives a result.
    pub marginal_errors: Vec<(String, f64)>,
    /// Probabilities of states: of the target, of samples.
    pub marginals: Vec<[f64; 2]>,
    /// Where bins of energy begin and the last one ends.
    pub edges: Vec<f64>,
    /// Shares of samples in every bin, and of exact samples where there are any.
    pub energies: [Vec<f64>; 2],
    /// Covariances of pairs of variables: of exact samples, of samples.
    pub pairs: Vec<[f64; 2]>,
    /// Whether these are all pairs, or those that share a factor.
    pub all_pairs: bool,
    /// `log Z`, where it is known exactly.
    pub log_z: Option<f64>,
}

/// A figure beside that of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Its standard error, where it has one.
    pub std_error: Option<f64>,
    /// Of the target, where it is known.
    pub target: Option<f64>,
}

/// Looks at what was fitted to an energy model.
///
/// # Errors
/// As [`energy::run`].
pub fn of_energy(
    fitted: &Fitted,
    target: &EnergyTarget,
    memory: u64,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<EnergyView> {
    let options = EnergyOptions {
        samples: match fitted {
            Fitted::Randomized(_) => COMPARED,
            // An evaluation for every site: as many as are shown.
            Fitted::Neural { .. } => SHOWN,
        },
        memory,
        importance_samples: WEIGHTED,
        conditionals: None,
        sampling: SamplingOptions::default(),
        seed: Some(seed),
    };
    let seen = energy::look(fitted, target, &options, observer)?;
    let first = |data: &Dataset| data.select(&(0..data.rows().min(SHOWN)).collect::<Vec<_>>());
    let (drawn, exact) = (&first(&seen.samples), seen.exact.as_ref().map(first));
    let (report, exact) = (&seen.report, exact.as_ref());
    let of = |data: &Dataset| energies(data, target.model);
    let all = [Some(of(drawn)), exact.map(of)];
    let edges = edges(all.iter().flatten().flatten().copied().collect());
    let shares = all.map(|energies| energies.map_or_else(Vec::new, |all| shares(&all, &edges)));
    let frequencies = frequencies(drawn);
    let truth = seen.marginals.iter().flatten().copied();
    let marginals: Vec<[f64; 2]> = truth
        .zip(frequencies)
        .map(|(truth, own)| [truth, own])
        .collect();
    let variables = target.model.variables();
    let all_pairs = variables * variables.saturating_sub(1) / 2 <= MOST_PAIRS;
    let pairs = match exact {
        Some(exact) => {
            let pairs = match all_pairs {
                true => every_pair(variables),
                false => pairs_of(target.model),
            };
            let both = pairs
                .iter()
                .map(|pair| [exact, drawn].map(|data| covariance(data, *pair)));
            both.collect()
        }
        None => Vec::new(),
    };
    Ok(EnergyView {
        energy: target.name.to_owned(),
        variables,
        factors: target.model.factors().len(),
        method: report.method.to_owned(),
        target: report.target.to_owned(),
        samples: report.comparison.samples,
        figures: figures(report),
        marginal_errors: marginal_errors(report),
        marginals: spread(marginals, MOST_MARGINALS),
        edges,
        energies: shares,
        pairs,
        all_pairs,
        log_z: report.target_log_z,
    })
}

fn figures(report: &EnergyReport) -> Vec<Figure> {
    let own = &report.comparison;
    let figure = |name: &str, value, std_error, target| Figure {
        name: name.to_owned(),
        value,
        std_error,
        target,
    };
    let mut all = vec![
        figure(
            "mean energy",
            own.energy,
            Some(own.energy_std_error),
            report.target_energy,
        ),
        figure("entropy", own.entropy, None, report.target_entropy),
        figure(
            "largest error of marginals",
            own.largest_marginal_error,
            None,
            Some(0.0),
        ),
    ];
    if let Some(kl) = own.kl {
        all.insert(
            0,
            figure("KL(model : target)", kl, own.kl_std_error, report.kl_floor),
        );
    }
    if let Some(found) = &report.importance {
        let (log_z, error) = (found.log_z_importance, Some(found.log_z_std_error));
        all.push(figure(
            "log Z by importance weights",
            log_z,
            error,
            report.target_log_z,
        ));
        let (bound, error) = (found.log_z_bound, Some(found.log_z_bound_std_error));
        all.push(figure(
            "variational bound of log Z",
            bound,
            error,
            report.target_log_z,
        ));
        let (size, of) = (found.effective_sample_size, found.importance_samples as f64);
        all.push(figure("effective sample size", size, None, Some(of)));
    }
    all
}

fn marginal_errors(report: &EnergyReport) -> Vec<(String, f64)> {
    let approximate = |found: &Option<ApproximateReport>| found.map(|own| own.marginal_error);
    let all = [
        ("this model", Some(report.comparison.marginal_error)),
        ("mean field", approximate(&report.mean_field)),
        ("belief propagation", approximate(&report.bp)),
    ];
    let known = all.into_iter();
    known
        .filter_map(|(name, error)| Some((name.to_owned(), error?)))
        .collect()
}

fn energies(data: &Dataset, model: &EnergyModel) -> Vec<f64> {
    let of = |row: &[u16]| {
        let labels: Vec<usize> = row.iter().map(|label| usize::from(*label)).collect();
        model.energy(&labels)
    };
    data.iter().map(of).collect()
}

/// Shares of the values in bins; what is not finite is in none.
fn shares(values: &[f64], edges: &[f64]) -> Vec<f64> {
    let bins = edges.len().saturating_sub(1);
    let mut shares = vec![0.0; bins];
    for value in values.iter().filter(|value| value.is_finite()) {
        let bin = edges.partition_point(|edge| edge <= value).clamp(1, bins) - 1;
        shares[bin] += 1.0 / values.len() as f64;
    }
    shares
}

/// Frequencies of the states of all variables, one after the other.
fn frequencies(data: &Dataset) -> Vec<f64> {
    let cardinalities = data.schema.cardinalities();
    let mut counts: Vec<Vec<f64>> = cardinalities.iter().map(|own| vec![0.0; *own]).collect();
    for row in data.iter() {
        for (count, label) in counts.iter_mut().zip(row) {
            count[usize::from(*label)] += 1.0 / data.rows() as f64;
        }
    }
    counts.concat()
}

/// Ends of bins: around every level where energies have few evenly spaced ones, else equal.
fn edges(mut energies: Vec<f64>) -> Vec<f64> {
    energies.retain(|energy| energy.is_finite());
    energies.sort_unstable_by(f64::total_cmp);
    let (Some(low), Some(high)) = (energies.first(), energies.last()) else {
        return Vec::new();
    };
    // Sums of the same terms in another order are the same level.
    let rounding = 1e-9 * (high - low);
    let gaps = energies.windows(2).map(|pair| pair[1] - pair[0]);
    let gap = gaps
        .filter(|gap| *gap > rounding)
        .fold(f64::INFINITY, f64::min);
    let levels = ((high - low) / gap).round();
    match gap.is_finite() && levels <= LEVELS {
        true => {
            let step = (levels / BINS as f64).ceil().max(1.0);
            let bins = (levels / step).floor() as usize + 1;
            let edge = |bin| low - gap / 2.0 + bin as f64 * step * gap;
            (0..=bins).map(edge).collect()
        }
        false => histogram(energies.into_iter(), BINS).0,
    }
}

/// All pairs of so many variables.
fn every_pair(variables: usize) -> Vec<[usize; 2]> {
    let firsts = 0..variables;
    let pairs = firsts.flat_map(|first| (first + 1..variables).map(move |second| [first, second]));
    pairs.collect()
}

/// Pairs of variables that share a factor.
fn pairs_of(model: &EnergyModel) -> Vec<[usize; 2]> {
    let mut pairs = BTreeSet::new();
    for factor in model.factors() {
        let variables = factor.variables();
        for (place, first) in variables.iter().enumerate() {
            for second in &variables[place + 1..] {
                pairs.insert([*first.min(second), *first.max(second)]);
            }
        }
        if pairs.len() > 100 * MOST_PAIRS {
            break;
        }
    }
    spread(pairs.into_iter().collect(), MOST_PAIRS)
}

/// `⟨x_i x_j⟩ − ⟨x_i⟩⟨x_j⟩` of two variables, states as numbers.
fn covariance(data: &Dataset, [first, second]: [usize; 2]) -> f64 {
    let mut sums = [0.0; 3];
    for row in data.iter() {
        let (x, y) = (f64::from(row[first]), f64::from(row[second]));
        sums[0] += x;
        sums[1] += y;
        sums[2] += x * y;
    }
    let [x, y, xy] = sums.map(|sum| sum / data.rows() as f64);
    xy - x * y
}

/// At most so many of a list, evenly spread.
fn spread<T: Copy>(all: Vec<T>, most: usize) -> Vec<T> {
    let step = all.len().div_ceil(most).max(1);
    all.into_iter().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_lie_around_levels_where_there_are_few() {
        let found = edges(vec![2.0, 0.0, 4.0, 2.0 + 1e-12]);
        let expected = [-1.0, 1.0, 3.0, 5.0];
        assert_eq!(found.len(), expected.len());
        let near = |(own, edge): (&f64, f64)| (own - edge).abs() < 1e-9;
        assert!(found.iter().zip(expected).all(near), "{found:?}");
        assert_eq!(edges(vec![1.0, f64::NAN]).len(), BINS + 1);
        let dense: Vec<f64> = (0..100).map(|x| f64::from(x * x)).collect();
        assert_eq!(edges(dense).len(), BINS + 1);
        assert!(edges(Vec::new()).is_empty());
    }

    #[test]
    fn every_pair_is_there_once() {
        assert_eq!(every_pair(3), [[0, 1], [0, 2], [1, 2]]);
    }
}
