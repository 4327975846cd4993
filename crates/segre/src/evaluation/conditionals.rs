//! Conditionals: how far a model's are from those of a known distribution.

use serde::Serialize;

use crate::data::{self, DataSource, Dataset, ReadOptions};
use crate::evaluation::error::Result;
use crate::flow::Model;
use crate::flow::likelihood::{ConditionalOptions, conditional_divergence};
use crate::progress::Observer;

/// The divergence of conditionals over random patterns, nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ConditionalReport {
    /// Mean of `KL(P(· | given) ‖ model(· | given))` over the patterns, too large rather than too small.
    pub conditional_kl: f64,
    /// Of the draws of completions; 0 where all are listed.
    pub conditional_kl_std_error: f64,
    /// Of the worst pattern.
    pub conditional_kl_largest: f64,
    /// How many patterns, one for each row.
    pub patterns: usize,
    /// Sites that were given, of each row others.
    pub given_sites: usize,
    /// Orders of the chain rule that the model's probabilities are averaged over.
    pub orders: usize,
}

/// Half of the sites of rows are given; the model's probabilities are averaged over `orders` orders.
pub fn options(sites: usize, orders: usize, seed: u64) -> ConditionalOptions {
    let given = sites / 2;
    ConditionalOptions {
        given,
        // One hidden site has one order.
        orders: match sites - given {
            1 => 1,
            _ => orders,
        },
        seed,
        ..ConditionalOptions::default()
    }
}

/// Compares conditionals given some sites of each row, which should be draws of `exp(log_weight)`.
///
/// # Errors
/// As [`conditional_divergence`].
pub fn run(
    model: &Model,
    log_weight: &dyn Fn(&[u16]) -> f64,
    rows: &Dataset,
    options: &ConditionalOptions,
    observer: &mut dyn Observer,
) -> Result<ConditionalReport> {
    let found = conditional_divergence(model, log_weight, rows, options, observer)?;
    let of_rows = found.rows.iter().map(|row| row.value);
    Ok(ConditionalReport {
        conditional_kl: found.mean.value,
        conditional_kl_std_error: found.mean.std_error,
        conditional_kl_largest: of_rows.fold(f64::NEG_INFINITY, f64::max),
        patterns: rows.rows(),
        given_sites: options.given,
        orders: options.orders,
    })
}

/// Draws of a built-in distribution that a fit with this seed has not seen; fewer where the source itself says how many it has.
///
/// # Errors
/// As [`data::read`].
pub fn fresh_rows(
    source: &DataSource,
    options: &ReadOptions,
    count: usize,
    seed: u64,
) -> Result<Dataset> {
    let options = ReadOptions {
        // Far from the seeds that people use.
        builtin_seed: !seed,
        builtin_rows: Some(count),
        ..options.clone()
    };
    let rows = data::read(source, &options)?;
    Ok(rows.select(&(0..count.min(rows.rows())).collect::<Vec<_>>()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_hidden_site_has_one_order() {
        assert_eq!((options(2, 64, 0).given, options(2, 64, 0).orders), (1, 1));
        assert_eq!((options(9, 64, 0).given, options(9, 64, 0).orders), (4, 64));
    }

    #[test]
    fn fresh_rows_are_as_many_as_asked_for_and_others_than_those_of_the_fit() {
        let source = DataSource::parse("pinwheel").unwrap();
        let options = ReadOptions::default();
        let rows = fresh_rows(&source, &options, 50, options.builtin_seed).unwrap();
        assert_eq!(rows.rows(), 50);
        let fitted = data::read(
            &source,
            &ReadOptions {
                builtin_rows: Some(50),
                ..options
            },
        )
        .unwrap();
        assert_ne!(rows.labels(), fitted.labels());
    }
}
