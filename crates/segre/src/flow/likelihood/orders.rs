//! The bound of the sequential sampler by several orders of each row: the logarithm of their mean probability.
//!
//! The sampler draws the sites in a random order `σ`, so `P(β) = E_σ P_σ(β)` and, for any `K` orders, by Jensen's inequality
//!
//! `−log P(β) ≤ E −log (1/K) Σ_k P_{σ_k}(β) ≤ E_σ −log P_σ(β)`:
//!
//! at most the chain-rule bound (`sequential.rs`), and the less the more orders. One order costs an evaluation for every site.
//!
//! Source: Uria et al. 2014, arXiv 1310.1757, section 4.1; the inequalities: Burda et al. 2016, arXiv 1509.00519, theorem 1.

use super::completion::log_probabilities;
use super::importance::{Form, estimate};
use super::score::{Meaning, ScoreMethod, ScoreOptions, Scores, summarise_rows};
use crate::data::{Dataset, PartialDataset};
use crate::flow::channel::Denoiser;
use crate::flow::error::{FlowError, Result};
use crate::flow::model::Model;
use crate::progress::Observer;
use crate::setting::InvalidSetting;

/// The bound of every row, with the error of its orders.
pub(super) fn score(
    denoiser: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    targets: &[bool],
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<Scores> {
    model.check_conditions()?;
    if options.orders < 2 {
        return Err(InvalidSetting {
            name: "orders",
            value: options.orders as f64,
            expected: "2 at least",
        }
        .into());
    }
    let shown = data.iter().flat_map(|row| {
        let labels = row.iter().zip(targets);
        labels.map(|(label, target)| (!target).then_some(*label))
    });
    let given = PartialDataset::new(data.schema.clone(), shown)?;
    let (orders, seed) = (options.orders, options.seed);
    let logs = log_probabilities(denoiser, model, &given, data, orders, seed, observer)?;
    let broken = |own: &Vec<f64>| own.iter().any(|log| !log.is_finite());
    if let Some(row) = logs.iter().position(broken) {
        return Err(FlowError::NonFiniteScore { row, root_snr: 0.0 });
    }
    let rows = logs.iter().map(|own| estimate(own, Form::LogMean));
    let scored = targets.iter().filter(|target| **target).count();
    let evaluations = data.rows() as u64 * orders as u64 * scored as u64;
    Ok(summarise_rows(
        rows.collect(),
        scored,
        evaluations,
        ScoreMethod::Orders,
        Meaning::UpperBound,
    ))
}

#[cfg(test)]
mod tests {
    use crate::data::{Dataset, Schema};
    use crate::flow::likelihood::{ScoreMethod, ScoreOptions, score};
    use crate::flow::model::Model;
    use crate::flow::{ModelConfig, PriorConfig};
    use crate::progress::Silent;
    use crate::random::{Purpose, generator};
    use burn::tensor::Device;
    use rand::RngExt;

    /// Where the network says nothing the model is the tree: every order of a row gives the same probability, with some sites
    /// given too, and the flow's bound is that number.
    #[test]
    fn a_tree_without_a_network_has_one_likelihood() {
        let mut rng = generator(1, Purpose::Sample, 0);
        let mut labels = Vec::new();
        for _ in 0..600 {
            let cluster: u16 = rng.random_range(0..3);
            for site in 0..5 {
                labels.push(match rng.random_range(0..4) + site % 2 {
                    0..3 => cluster,
                    _ => rng.random_range(0..3),
                });
            }
        }
        let data = Dataset::new(Schema::integers(&[5], false, 3), labels).unwrap();
        let config = ModelConfig {
            prior: PriorConfig::Trees,
            ..ModelConfig::default()
        };
        let mut model = Model::new(config, &data, &mut rng, &Device::flex());
        model.conditional = true;
        let rows = data.spread(50);
        let of = |method, given: &[usize], seed| {
            let options = ScoreOptions {
                method: Some(method),
                given: given.to_vec(),
                seed,
                ..ScoreOptions::default()
            };
            score(&model, &rows, &options, &mut Silent).unwrap()
        };
        for given in [vec![], vec![1, 4]] {
            let [first, second] = [1, 2].map(|seed| of(ScoreMethod::Orders, &given, seed));
            for (first, second) in first.rows.iter().zip(&second.rows) {
                assert!(first.std_error < 1e-4, "{first:?}");
                assert!((first.value - second.value).abs() < 1e-4);
            }
            let flow = of(ScoreMethod::Immse, &given, 1).mean_nats;
            let apart = (flow.value - first.mean_nats.value).abs();
            assert!(
                apart < 5.0 * flow.std_error,
                "{flow:?} {:?}",
                first.mean_nats
            );
        }
        let independent = model.independent_sites();
        let alone = rows.iter().map(|row| {
            let all = [true; 5];
            independent.negative_log_probability(row, &all)
        });
        let alone = alone.sum::<f64>() / 50.0;
        assert!(of(ScoreMethod::Orders, &[], 1).mean_nats.value < alone - 0.3);
    }
}
