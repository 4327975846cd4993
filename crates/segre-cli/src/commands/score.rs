//! `segre score`: log-likelihood of every row and of the whole, with standard errors.

use std::fmt::Write;

use anyhow::{Result, ensure};
use segre::data::{self, DataSource};
use segre::flow::likelihood::Scores;
use segre::flow::saving;
use serde::Serialize;

use crate::args::{Common, Score};
use crate::report::{json, table::estimate};
use crate::session::{check_writable, score_with_progress};

#[derive(Serialize)]
struct Report {
    /// Mean over rows and sites.
    bits_per_dim: f64,
    /// Mean negative log-likelihood of a row.
    nats: f64,
    /// Monte Carlo error of `bits_per_dim`.
    std_error: f64,
    rows: usize,
    function_evaluations: u64,
}

/// Scores data and writes the rows' scores.
pub fn run(arguments: &Score, common: &Common) -> Result<()> {
    let (model, card) = saving::load(&arguments.model, &common.device.open()?)?;
    let source = DataSource::parse(&arguments.data)?;
    let data = data::read_as(&source, model.schema(), &card.read_options)?;
    if let Some(out) = &arguments.out {
        let csv = out.extension().is_some_and(|extension| extension == "csv");
        ensure!(
            csv,
            "{}: scores are written as .csv; change the name",
            out.display()
        );
        check_writable(out)?;
    }
    let seed = common.seed.unwrap_or(card.training.seed);
    let scores = score_with_progress(&model, &data, &arguments.accuracy, seed, common)?;
    if let Some(out) = &arguments.out {
        segre::atomic::write_bytes(out, rows_as_csv(&scores, data.sites()).as_bytes())?;
    }
    let report = Report {
        bits_per_dim: scores.bits_per_dim.value,
        nats: scores.mean_nats.value,
        std_error: scores.bits_per_dim.std_error,
        rows: data.rows(),
        function_evaluations: scores.evaluations,
    };
    if common.json {
        return json::print_object(&report);
    }
    let bits = estimate(
        scores.bits_per_dim.value,
        Some(scores.bits_per_dim.std_error),
    );
    let nats = estimate(scores.mean_nats.value, Some(scores.mean_nats.std_error));
    println!(
        "{bits} bits/dim, {nats} nats per row, over {} rows (upper bound, I-MMSE)",
        data.rows()
    );
    Ok(())
}

/// One line per row, in the order of the data.
fn rows_as_csv(scores: &Scores, sites: usize) -> String {
    let mut text = String::from("row,nats,nats_std_error,bits_per_dim\n");
    for (row, score) in scores.rows.iter().enumerate() {
        let bits = score.value / (sites as f64 * std::f64::consts::LN_2);
        writeln!(
            text,
            "{row},{:.6},{:.6},{bits:.6}",
            score.value, score.std_error
        )
        .expect("writing to a string cannot fail");
    }
    text
}
