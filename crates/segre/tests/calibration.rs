//! Whether errors are honest: of many repetitions with known values, how many 95 % intervals (1.96 standard errors each way)
//! hold the value.
//!
//! With 1 000 repetitions the share of a perfect interval is between 92 and 98 % but for one time in 10⁴; what is meant to be
//! cautious may be above. With 200 it is but for one time in 20.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::path::Path;

use common::{Pmf, blank, infinite};
use segre::data::{DataSource, Dataset, ReadOptions};
use segre::energy::exact::ExactPlan;
use segre::energy::format::parse_uai;
use segre::energy::{ChainOptions, EnergyModel, Report, gibbs};
use segre::evaluation::divergence;
use segre::flow::likelihood::{ScoreMethod, ScoreOptions, score_with};
use segre::flow::sampling::Samples;
use segre::neural::WeightedRows;
use segre::progress::Silent;

const REPETITIONS: u64 = 1_000;
/// Of what takes long.
const FEW: u64 = 200;
/// Standard errors of a 95 % interval.
const REACH: f64 = 1.96;

/// Counts intervals that hold their value.
struct Coverage {
    name: &'static str,
    held: u64,
    all: u64,
}

impl Coverage {
    fn of(name: &'static str) -> Self {
        Self {
            name,
            held: 0,
            all: 0,
        }
    }

    fn add(&mut self, value: f64, std_error: f64, truth: f64) {
        self.all += 1;
        self.held += u64::from((value - truth).abs() <= REACH * std_error);
    }

    /// Prints the share, and checks it from below; from above too, if the interval is not meant to be cautious.
    fn check(self, cautious: bool) {
        let share = self.held as f64 / self.all as f64;
        println!("| {} | {} | {:.1} % |", self.name, self.all, 100.0 * share);
        let most = if cautious { 1.0 } else { 0.98 };
        assert!((0.92..=most).contains(&share), "{}: {share}", self.name);
    }
}

fn energy() -> EnergyModel {
    let text = "MARKOV\n4\n2 3 2 2\n5\n1 0\n2 0 1\n2 1 2\n2 2 3\n2 0 3\n\n2\n1 1.5\n6\n3 1 0.5 1 2 1\n6\n1 2 0.3 1 1 2.5\n4\n2 1 1 3\n4\n\
                1 0.4 0.7 1\n";
    parse_uai(text, Path::new("calibration.uai")).unwrap()
}

#[test]
#[ignore = "takes minutes"]
fn likelihoods_of_data() {
    let pmf = Pmf::random(&[2, 3, 2], 1.0, 5);
    let data = pmf.draw(20, 9);
    let model = blank(infinite(), &data);
    let truth = data
        .iter()
        .map(|row| -pmf.probabilities[pmf.index(row)].ln());
    let truth = truth.sum::<f64>() / data.rows() as f64;
    let rounds = 4;
    for (method, name, repetitions) in [
        (ScoreMethod::Immse, "likelihood, bound", REPETITIONS),
        (
            ScoreMethod::Importance,
            "likelihood, importance weights",
            FEW,
        ),
    ] {
        let mut coverage = Coverage::of(name);
        for seed in 0..repetitions {
            let options = ScoreOptions {
                method: Some(method),
                levels: 16,
                rounds,
                std_error: None,
                max_rounds: rounds,
                seed,
                batch: 1024,
                ..ScoreOptions::default()
            };
            let found = score_with(&pmf.posterior(), &model, &data, &options, &mut Silent).unwrap();
            let mean = found.mean_nats;
            coverage.add(mean.value, mean.std_error, truth);
        }
        coverage.check(false);
    }
}

/// Of a sampler that sets the second bit of one row of ten.
#[test]
fn divergences_of_samplers() {
    let source = DataSource::parse("coupled-binary").unwrap();
    let target = source.known_distribution().unwrap();
    let p = |a: u16, b: u16| target.log_pmf(&[a, b]).exp();
    let set = p(0, 1) + p(1, 0);
    let truth: f64 = [0, 1]
        .into_iter()
        .flat_map(|a| {
            [
                (a, 0, (1.0 - set) * p(a, 0)),
                (a, 1, p(a, 1) + set * p(a, 0)),
            ]
        })
        .map(|(a, b, q)| q * (q / p(a, b)).ln())
        .sum();
    let mut coverage = Coverage::of("KL of samples");
    let draw = |seed| {
        let options = ReadOptions {
            builtin_rows: Some(4000),
            builtin_seed: seed,
            ..ReadOptions::default()
        };
        segre::data::read(&source, &options).unwrap()
    };
    for seed in 0..REPETITIONS {
        let (drawn, dice) = (draw(2 * seed), draw(2 * seed + 1));
        let mut labels = drawn.labels().to_vec();
        for (row, dice) in labels.chunks_mut(2).zip(dice.iter()) {
            if dice[0] != dice[1] {
                row[1] = 1;
            }
        }
        let samples = Samples {
            data: Dataset::new(drawn.schema.clone(), labels).unwrap(),
            function_evaluations: 1,
            log_probabilities: Vec::new(),
            mean_entropy: 0.0,
            seconds: 0.0,
        };
        let found = divergence::run(target.as_ref(), &samples).unwrap();
        coverage.add(found.kl, found.kl_std_error, truth);
    }
    coverage.check(false);
}

/// Of rows of independent variables, which are weighted.
#[test]
fn log_z_and_energies_of_weighted_rows() {
    let energy = energy();
    let exact = ExactPlan::new(&energy).unwrap().infer(&mut Silent).unwrap();
    let (log_z, mean_energy) = (exact.log_z.unwrap(), exact.energy.unwrap());
    let proposal = Pmf::independent(&exact.marginals);
    let bound = proposal.mean((0..proposal.probabilities.len()).map(|index| {
        let labels: Vec<usize> = proposal.row(index).into_iter().map(usize::from).collect();
        -energy.energy(&labels) - proposal.probabilities[index].ln()
    }));
    let names = [
        "log Z, importance weights",
        "bound of log Z",
        "mean energy, importance weights",
    ];
    let mut coverage = names.map(Coverage::of);
    for seed in 0..REPETITIONS {
        let rows = proposal.draw(500, seed);
        let logs = rows
            .iter()
            .map(|row| proposal.probabilities[proposal.index(row)].ln());
        let logs: Vec<f64> = logs.collect();
        let found = WeightedRows::new(rows, logs, &energy).estimate(1.0);
        coverage[0].add(found.log_z.value, found.log_z.std_error, log_z);
        coverage[1].add(found.bound.value, found.bound.std_error, bound);
        coverage[2].add(found.energy.value, found.energy.std_error, mean_energy);
    }
    coverage
        .into_iter()
        .for_each(|coverage| coverage.check(false));
}

/// Energies, whose error is by the effective sample size; marginals, of which the largest error is told.
#[test]
fn energies_and_marginals_of_chains() {
    let energy = energy();
    let exact = ExactPlan::new(&energy).unwrap().infer(&mut Silent).unwrap();
    let truth = exact.energy.unwrap();
    let mut coverage = Coverage::of("mean energy of chains, by effective samples");
    let mut of_marginals = Coverage::of("marginals of chains, by the largest error");
    for seed in 0..REPETITIONS {
        let options = ChainOptions {
            chains: 4,
            burn_in: 50,
            sweeps: 400,
            seed,
        };
        let found = gibbs(&energy, &options, &mut Silent).unwrap();
        coverage.add(
            found.energy.unwrap(),
            found.energy_std_error.unwrap(),
            truth,
        );
        let Report::Chains(report) = &found.report else {
            panic!("chains were run");
        };
        for (found, exact) in found
            .marginals
            .iter()
            .flatten()
            .zip(exact.marginals.iter().flatten())
        {
            of_marginals.add(*found, report.largest_marginal_std_error, *exact);
        }
    }
    coverage.check(false);
    of_marginals.check(true);
}
