//! How far a model's conditionals are from exact ones: what `evaluate` and `energy compare` print.

use anyhow::Result;
use segre::data::Dataset;
use segre::flow::Model;
use segre::flow::likelihood::{ConditionalOptions, conditional_divergence};
use serde::Serialize;

use crate::args::{Common, ConditionalChecks};
use crate::interrupt;
use crate::report::progress::{Budget, Progress, Spent};
use crate::report::table::estimate;

/// The divergence of conditionals over random patterns, nats.
#[derive(Debug, Serialize)]
pub struct ConditionalReport {
    /// Mean of `KL(P(· | given) ‖ model(· | given))` over the patterns, too large rather than too small.
    conditional_kl: f64,
    /// Of the draws of completions; 0 where all are listed.
    conditional_kl_std_error: f64,
    /// Of the worst pattern.
    conditional_kl_largest: f64,
    patterns: usize,
    /// Sites that were given, of each row others.
    given_sites: usize,
    orders: usize,
}

impl ConditionalReport {
    /// Compares conditionals given half of the sites of each row, which should be draws of `exp(log_weight)`.
    pub fn of(
        model: &Model,
        log_weight: &dyn Fn(&[u16]) -> f64,
        rows: &Dataset,
        checks: &ConditionalChecks,
        seed: u64,
        common: &Common,
    ) -> Result<Self> {
        let given = rows.sites() / 2;
        let options = ConditionalOptions {
            given,
            // One hidden site has one order.
            orders: match rows.sites() - given {
                1 => 1,
                _ => checks.orders,
            },
            seed,
            ..ConditionalOptions::default()
        };
        let budget = Budget {
            steps: Some((rows.rows() * options.draws) as u64),
            time: None,
        };
        let mut bar = Progress::new("conditionals", budget, Spent::default(), common.display());
        let found = conditional_divergence(model, log_weight, rows, &options, &mut |done| {
            bar.update(done as u64, String::new);
            !interrupt::asked()
        })?;
        bar.finish(&format!("{} patterns", rows.rows()));
        let of_rows = found.rows.iter().map(|row| row.value);
        Ok(Self {
            conditional_kl: found.mean.value,
            conditional_kl_std_error: found.mean.std_error,
            conditional_kl_largest: of_rows.fold(f64::NEG_INFINITY, f64::max),
            patterns: rows.rows(),
            given_sites: given,
            orders: options.orders,
        })
    }

    /// One line for the terminal.
    pub fn print(&self) {
        let error = Some(self.conditional_kl_std_error).filter(|error| *error > 0.0);
        println!(
            "KL(exact ‖ model) of conditionals: {} nats on average over {} random choices of {} given sites, at most {:.4}",
            estimate(self.conditional_kl, error),
            self.patterns,
            self.given_sites,
            self.conditional_kl_largest
        );
    }
}
