//! How far a model's conditionals are from exact ones: what `evaluate` and `energy compare` print.

use anyhow::Result;
use segre::data::Dataset;
use segre::evaluation::conditionals::{self, ConditionalReport};
use segre::flow::Model;

use crate::args::{Common, ConditionalChecks};
use crate::report::table::estimate;

/// Compares conditionals given half of the sites of each row, which should be draws of `exp(log_weight)`, with a progress bar.
pub fn compare(
    model: &Model,
    log_weight: &dyn Fn(&[u16]) -> f64,
    rows: &Dataset,
    checks: &ConditionalChecks,
    seed: u64,
    common: &Common,
) -> Result<ConditionalReport> {
    let options = conditionals::options(rows.sites(), checks.orders, seed);
    common.watch(
        |bar| conditionals::run(model, log_weight, rows, &options, bar),
        |_| format!("{} patterns", rows.rows()),
    )
}

/// Prints one line for the terminal.
pub fn print(found: &ConditionalReport) {
    let error = Some(found.conditional_kl_std_error).filter(|error| *error > 0.0);
    println!(
        "KL(exact ‖ model) of conditionals: {} nats on average over {} random choices of {} given sites, at most {:.4}",
        estimate(found.conditional_kl, error),
        found.patterns,
        found.given_sites,
        found.conditional_kl_largest
    );
}
