//! Markov chains: running several, and judging them by R-hat and effective sample size.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::error::EnergyError;
use super::inference::{Inference, Method, Report};
use super::model::{EnergyModel, Observation};
use super::zeros::{Search, Zeros};
use crate::energy::error::Result;
use crate::progress::{Interrupted, Observer, Progress, Shared};
use crate::random::{Purpose, generator};
use crate::ranks;
use crate::setting::InvalidSetting;

/// How many chains are run and how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainOptions {
    /// Independent chains.
    pub chains: usize,
    /// Sweeps of each chain that are thrown away.
    pub burn_in: usize,
    /// Sweeps of each chain that are kept.
    pub sweeps: usize,
    /// Seed.
    pub seed: u64,
}

impl Default for ChainOptions {
    fn default() -> Self {
        Self {
            chains: 4,
            burn_in: 1000,
            sweeps: 5000,
            seed: 0,
        }
    }
}

/// What Markov chains say of their work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChainReport {
    /// Chains.
    pub chains: usize,
    /// A variable and its label, possible, that no chain came to; one more was started there, and is one of the chains.
    pub unreached: Option<Observation>,
    /// Sweeps of each that were thrown away.
    pub burn_in: usize,
    /// Sweeps of each that were kept.
    pub sweeps: usize,
    /// The largest split R-hat over all labels of all variables; above 1.01 the chains disagree.
    /// Infinite if chains are stuck at different labels.
    pub largest_r_hat: f64,
    /// The variable that has it.
    pub worst_variable: usize,
    /// Split R-hat of the energy.
    pub energy_r_hat: f64,
    /// Effective sample size of the energy, over all chains.
    pub energy_effective_samples: f64,
    /// Largest standard error of a marginal, from the disagreement of the half chains.
    pub largest_marginal_std_error: f64,
}

/// Labels that are searched for after the chains: some found impossible make it unlikely that another is not.
const MOST_SEARCHES: usize = 1000;

/// What a chain has seen.
struct Record {
    /// Sums of the conditional probabilities, `[halves][variables][states]`.
    halves: [Vec<Vec<f64>>; 2],
    energies: Vec<f64>,
}

impl Record {
    /// All its numbers, as another process takes them.
    fn numbers(self) -> Vec<f64> {
        let [first, second] = self.halves.map(|half| half.concat());
        [first, second, self.energies].concat()
    }

    /// The record of those numbers.
    fn of(mut numbers: &[f64], cardinalities: &[usize]) -> Self {
        let mut take = |count: &usize| {
            let (own, rest) = numbers.split_at(*count);
            numbers = rest;
            own.to_vec()
        };
        let halves = [(); 2].map(|()| cardinalities.iter().map(&mut take).collect());
        Self {
            halves,
            energies: numbers.to_vec(),
        }
    }
}

/// Gets the probabilities of a variable's labels that a sweep drew from.
pub(super) type Seen<'a> = &'a mut dyn FnMut(usize, &[f64]);

/// Counts a sweep, and says whether the caller stops the work.
pub(super) type Tick<'a> = &'a (dyn Fn() -> Result<(), Interrupted> + Sync);

/// Renews the labels of all free variables.
pub(super) type Sweep<'a> = dyn Fn(&mut [usize], &mut ChaCha8Rng, Seen) + Sync + 'a;

/// Runs chains of sweeps, the first two from opposite corners (all first labels, all last labels: the phases of a
/// ferromagnet), the others from random labelings.
///
/// A sweep renews the labels and tells for every free variable the probabilities it drew from: their
/// mean estimates the marginals with less noise than counts do (Rao & Blackwell).
///
/// Zeros may divide a model into parts that no chain leaves. Where chains never gave a label a probability, and a search
/// finds it possible, one more chain starts there: if it stays, R-hat tells.
pub(super) fn run(
    model: &EnergyModel,
    method: Method,
    options: &ChainOptions,
    observer: &mut dyn Observer,
    sweep: &Sweep,
) -> Result<Inference> {
    // A split R-hat needs two values in each half.
    for (name, value, least, expected) in [
        ("chains", options.chains, 1, "at least 1"),
        ("sweeps", options.sweeps, 4, "at least 4"),
    ] {
        if value < least {
            return Err(InvalidSetting {
                name,
                value: value as f64,
                expected,
            }
            .into());
        }
    }
    let (purpose, task) = match method {
        Method::SwendsenWang => (Purpose::SwendsenWang, "swendsen-wang"),
        _ => (Purpose::Gibbs, "gibbs"),
    };
    let mut zeros = Zeros::of(model)?;
    let witness = zeros.witness()?;
    let total = (options.chains * (options.burn_in + options.sweeps)) as f64;
    let (done, observer) = (AtomicUsize::new(0), Shared::new(observer));
    let tick = || {
        let done = done.fetch_add(1, Ordering::Relaxed) as f64 / total;
        observer.tell(&Progress::part(task, done.min(1.0)))
    };
    let chain = |number: usize, start: Option<Vec<usize>>| -> Result<Record> {
        let mut rng = generator(options.seed, purpose, number as u64);
        let mut labels = start.unwrap_or_else(|| match number {
            0 => labels_by(model, |_| 0),
            1 => labels_by(model, |states| states - 1),
            _ => labels_by(model, |states| rng.random_range(0..states)),
        });
        let burn_in = BurnIn {
            chain: number,
            sweeps: options.burn_in,
            witness: witness.as_deref(),
        };
        burn_in.run(model, &mut labels, &mut rng, sweep, &tick)?;
        let zeros = |c: &usize| vec![0.0; *c];
        let zeros: Vec<Vec<f64>> = model.cardinalities().iter().map(zeros).collect();
        let mut record = Record {
            halves: [zeros.clone(), zeros],
            energies: Vec::with_capacity(options.sweeps),
        };
        for number in 0..options.sweeps {
            tick()?;
            let half = &mut record.halves[usize::from(2 * number >= options.sweeps)];
            sweep(&mut labels, &mut rng, &mut |variable, probabilities| {
                let sums = half[variable].iter_mut().zip(probabilities);
                sums.for_each(|(sum, probability)| *sum += probability);
            });
            record.energies.push(model.energy(&labels));
        }
        Ok(record)
    };
    let numbers = |number: usize| chain(number, None).map(Record::numbers);
    let found = ranks::each(options.chains, numbers, || Interrupted.into())?;
    let of_numbers = |own: Vec<f64>| Record::of(&own, model.cardinalities());
    let mut records: Vec<Record> = found.into_iter().map(of_numbers).collect();
    let unreached = unreached(model, &mut zeros, &records);
    let unreached = match unreached {
        Some((seen, labels)) => {
            records.push(chain(options.chains, Some(labels))?);
            Some(seen)
        }
        None => None,
    };
    Ok(summarise(model, method, options, &records, unreached))
}

/// A labeling that agrees with the evidence, the labels of free variables by their numbers of states.
pub(super) fn labels_by(model: &EnergyModel, mut label: impl FnMut(usize) -> usize) -> Vec<usize> {
    let states = model.cardinalities().iter().zip(model.observed());
    states
        .map(|(states, observed)| observed.unwrap_or_else(|| label(*states)))
        .collect()
}

/// The sweeps of a chain that are thrown away.
pub(super) struct BurnIn<'a> {
    /// Number of the chain, for the message.
    pub chain: usize,
    pub sweeps: usize,
    /// A configuration of positive weight, where one is known.
    pub witness: Option<&'a [usize]>,
}

impl BurnIn<'_> {
    /// Sweeps; where that leads to no configuration, once more from the one that is known.
    pub fn run(
        &self,
        model: &EnergyModel,
        labels: &mut Vec<usize>,
        rng: &mut ChaCha8Rng,
        sweep: &Sweep,
        tick: Tick,
    ) -> Result<()> {
        self.sweep(labels, rng, sweep, tick)?;
        if model.energy(labels) < f64::INFINITY {
            return Ok(());
        }
        let Some(witness) = self.witness else {
            return Err(EnergyError::NoStart {
                chain: self.chain,
                sweeps: self.sweeps,
            });
        };
        *labels = witness.to_vec();
        self.sweep(labels, rng, sweep, tick)
    }

    fn sweep(
        &self,
        labels: &mut [usize],
        rng: &mut ChaCha8Rng,
        sweep: &Sweep,
        tick: Tick,
    ) -> Result<()> {
        for _ in 0..self.sweeps {
            tick()?;
            sweep(labels, rng, &mut |_, _| ());
        }
        Ok(())
    }
}

/// A label that no chain ever gave a probability, and a configuration of positive weight with it.
fn unreached(
    model: &EnergyModel,
    zeros: &mut Zeros,
    records: &[Record],
) -> Option<(Observation, Vec<usize>)> {
    let concerned = (0..model.variables()).filter(|variable| zeros.concern(*variable));
    let unseen: Vec<Observation> = concerned
        .flat_map(|variable| {
            (0..model.cardinalities()[variable]).map(move |state| (variable, state))
        })
        .filter(|&(variable, state)| {
            let seen =
                |record: &Record| record.halves.iter().any(|sums| sums[variable][state] > 0.0);
            zeros.is_left(variable, state) && !records.iter().any(seen)
        })
        .take(MOST_SEARCHES)
        .collect();
    for wanted in unseen {
        match zeros.search(Some(wanted)) {
            Search::Found(labels) => return Some((wanted, labels)),
            Search::Open => return None,
            Search::Impossible => {}
        }
    }
    None
}

fn summarise(
    model: &EnergyModel,
    method: Method,
    options: &ChainOptions,
    records: &[Record],
    unreached: Option<Observation>,
) -> Inference {
    let late = options.sweeps / 2;
    let lengths = [options.sweeps - late, late].map(|length| length as f64);
    let mut marginals = Vec::with_capacity(model.variables());
    let (mut worst, mut largest_error) = ((1.0, 0), 0.0_f64);
    for variable in 0..model.variables() {
        if let Some(marginal) = model.observed_marginal(variable) {
            marginals.push(marginal);
            continue;
        }
        let mut marginal = vec![0.0; model.cardinalities()[variable]];
        for (state, probability) in marginal.iter_mut().enumerate() {
            let means: Vec<f64> = records
                .iter()
                .flat_map(|record| {
                    (0..2).map(|half| record.halves[half][variable][state] / lengths[half])
                })
                .collect();
            *probability = means.iter().sum::<f64>() / means.len() as f64;
            // The label's indicator has this variance within a chain.
            let within = means.iter().map(|m| m * (1.0 - m).max(0.0)).sum::<f64>();
            let r_hat = r_hat(&means, within / means.len() as f64, lengths[1]);
            if r_hat > worst.0 {
                worst = (r_hat, variable);
            }
            largest_error = largest_error.max((variance(&means) / means.len() as f64).sqrt());
        }
        let sum: f64 = marginal.iter().sum();
        marginal.iter_mut().for_each(|p| *p /= sum);
        marginals.push(marginal);
    }
    let halves: Vec<&[f64]> = records
        .iter()
        .flat_map(|record| [&record.energies[..late], &record.energies[late..]])
        .collect();
    let means: Vec<f64> = halves.iter().map(|half| mean(half)).collect();
    let within = halves.iter().map(|half| variance(half)).sum::<f64>() / halves.len() as f64;
    let energies: Vec<&[f64]> = records.iter().map(|r| r.energies.as_slice()).collect();
    let effective = effective_samples(&energies);
    let all: Vec<f64> = energies.concat();
    Inference {
        method,
        exact: false,
        log_z: None,
        log_z_kind: None,
        marginals,
        energy: Some(mean(&all)),
        energy_std_error: Some((variance(&all) / effective).sqrt()),
        entropy: None,
        report: Report::Chains(ChainReport {
            chains: records.len(),
            unreached,
            burn_in: options.burn_in,
            sweeps: options.sweeps,
            largest_r_hat: worst.0,
            worst_variable: worst.1,
            energy_r_hat: r_hat(&means, within, lengths[1]),
            energy_effective_samples: effective,
            largest_marginal_std_error: largest_error,
        }),
    }
}

/// `√(((n−1)/n W + B/n) / W)` of the means of half chains and their variance within; 1 if nothing moves.
///
/// Source: Gelman et al., Bayesian Data Analysis (2013), section 11.4.
fn r_hat(means: &[f64], within: f64, length: f64) -> f64 {
    let between = variance(means);
    match within > 0.0 {
        true => ((length - 1.0) / length + between / within).sqrt(),
        false if between > 0.0 => f64::INFINITY,
        false => 1.0,
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// With Bessel's correction.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    squares / (values.len() as f64 - 1.0).max(1.0)
}

/// Effective number of independent values in chains of one length, by Geyer's initial monotone sequence.
///
/// Source: Geyer 1992; for several chains: Vehtari et al. 2021, section 3.2.
fn effective_samples(chains: &[&[f64]]) -> f64 {
    let length = chains[0].len();
    let total = (length * chains.len()) as f64;
    let means: Vec<f64> = chains.iter().map(|chain| mean(chain)).collect();
    let within = chains.iter().map(|c| variance(c)).sum::<f64>() / chains.len() as f64;
    let between = if chains.len() > 1 {
        variance(&means)
    } else {
        0.0
    };
    let whole = within * (length as f64 - 1.0) / length as f64 + between;
    if whole.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
        return total;
    }
    let correlation = |lag: usize| {
        let sum = |(chain, mean): (&&[f64], &f64)| -> f64 {
            let pairs = chain[..length - lag].iter().zip(&chain[lag..]);
            pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / length as f64
        };
        let covariance = chains.iter().zip(&means).map(sum).sum::<f64>() / chains.len() as f64;
        1.0 - (within * (length as f64 - 1.0) / length as f64 - covariance) / whole
    };
    // Sums of neighbouring correlations are positive and fall in a reversible chain.
    let (mut time, mut least) = (-1.0, f64::INFINITY);
    for lag in (0..length.saturating_sub(1)).step_by(2) {
        let pair = correlation(lag) + correlation(lag + 1);
        if pair <= 0.0 {
            break;
        }
        least = pair.min(least);
        time += 2.0 * least;
    }
    total / time.max(1.0 / total.log10().max(1.0))
}

/// Draws an index with these weights, of a number from 0 to 1.
pub(super) fn draw(weights: &[f64], uniform: f64) -> usize {
    let mut rest = uniform * weights.iter().sum::<f64>();
    for (index, weight) in weights.iter().enumerate() {
        rest -= weight;
        if rest < 0.0 {
            return index;
        }
    }
    // Rounding may leave a little over: the last one that is possible.
    let last = weights.iter().rposition(|weight| *weight > 0.0);
    last.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_values_are_worth_their_number() {
        let mut rng = generator(1, Purpose::Gibbs, 0);
        let values: Vec<f64> = (0..20_000).map(|_| rng.random()).collect();
        let effective = effective_samples(&[&values[..10_000], &values[10_000..]]);
        assert!((0.9..1.1).contains(&(effective / 20_000.0)), "{effective}");
    }

    #[test]
    fn correlated_values_are_worth_what_theory_says() {
        // An autoregression with coefficient a has (1 − a)/(1 + a) effective values for each.
        let (mut rng, mut state) = (generator(2, Purpose::Gibbs, 0), 0.0);
        let values: Vec<f64> = (0..40_000)
            .map(|_| {
                state = 0.8 * state + rng.random::<f64>() - 0.5;
                state
            })
            .collect();
        let share = effective_samples(&[&values]) / 40_000.0;
        assert!((share / (0.2 / 1.8) - 1.0).abs() < 0.15, "{share}");
    }

    #[test]
    fn chains_stuck_apart_have_an_infinite_r_hat() {
        assert_eq!(r_hat(&[0.0, 0.0, 1.0, 1.0], 0.0, 10.0), f64::INFINITY);
        assert_eq!(r_hat(&[1.0; 4], 0.0, 10.0), 1.0);
        assert!(r_hat(&[0.4, 0.6, 0.5, 0.5], 0.25, 1000.0) > 1.01);
    }

    #[test]
    fn draws_follow_the_weights_and_never_a_zero() {
        assert_eq!(draw(&[0.0, 2.0, 0.0], 0.0), 1);
        assert_eq!(draw(&[0.0, 2.0, 0.0], 1.0), 1);
        assert_eq!(draw(&[1.0, 1.0], 0.49), 0);
        assert_eq!(draw(&[1.0, 1.0], 0.51), 1);
    }
}
