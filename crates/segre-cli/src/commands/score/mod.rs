//! `segre score`: log-likelihood of every row and of the whole, with standard errors.

mod args;

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use segre::Model;
use segre::atomic::check_writable;
use segre::data::Schema;
use segre::flow::likelihood::{Meaning, ScoreOptions, Scores};
use serde::Serialize;

pub use self::args::Score;
use crate::args::{Common, MethodName};
use crate::report::{json, table::estimate};
use crate::watched::{score_by_options, warn_unconditional};

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
    /// What the numbers are: upper bound, estimate or exact.
    meaning: &'static str,
}

/// Scores data and writes the rows' scores.
pub fn run(arguments: &Score, common: &Common) -> Result<()> {
    let model = Model::load_on(&arguments.model, &common.device.open()?)?;
    let data = model.read(&arguments.data)?;
    if let Some(out) = &arguments.out {
        let csv = out.extension().is_some_and(|extension| extension == "csv");
        ensure!(
            csv,
            "{}: scores are written as .csv; change the name",
            out.display()
        );
        check_writable(out)?;
    }
    let seed = common.seed.unwrap_or(model.card().training.seed);
    let given = given_sites(model.schema(), arguments)?;
    if !given.is_empty() || arguments.method == Some(MethodName::Chain) {
        warn_unconditional(model.flow(), common);
    }
    let options = ScoreOptions {
        method: arguments.method.map(MethodName::method),
        importance: arguments.importance.options(arguments.method)?,
        given,
        ..arguments.accuracy.options(data.rows(), seed)
    };
    let scored = data.sites() - options.given.len();
    let scores = score_by_options(model.flow(), &data, &options, common)?;
    if let Some(out) = &arguments.out {
        segre::atomic::write_bytes(out, rows_as_csv(&scores, scored).as_bytes())?;
    }
    let report = Report {
        bits_per_dim: scores.bits_per_dim.value,
        nats: scores.mean_nats.value,
        std_error: scores.bits_per_dim.std_error,
        rows: data.rows(),
        function_evaluations: scores.evaluations,
        meaning: match scores.meaning {
            Meaning::UpperBound => "upper bound",
            Meaning::Estimate => "estimate",
            Meaning::Exact => "exact",
        },
    };
    if common.json {
        return json::print_object(&report);
    }
    let bits = estimate(
        scores.bits_per_dim.value,
        Some(scores.bits_per_dim.std_error),
    );
    let nats = estimate(scores.mean_nats.value, Some(scores.mean_nats.std_error));
    let what = match (options.given.len(), arguments.given.len()) {
        (0, _) => String::new(),
        (given, 0) => format!("{scored} hidden sites given the {given} others: "),
        _ => format!("{scored} columns given {}: ", arguments.given.join(", ")),
    };
    println!(
        "{what}{bits} bits/dim, {nats} nats per row, over {} rows ({})",
        data.rows(),
        report.meaning
    );
    Ok(())
}

/// The sites that are given, by name or because a mask does not hide them.
fn given_sites(schema: &Schema, arguments: &Score) -> Result<Vec<usize>> {
    let Some(mask) = arguments.hiding.mask(schema)? else {
        return named_sites(schema, &arguments.given);
    };
    mask.shown()
        .context("--mask: the same sites are scored of all rows; give one mask for all of them")
}

/// The sites of these names.
fn named_sites(schema: &Schema, names: &[String]) -> Result<Vec<usize>> {
    let place = |name: &String| {
        let found = schema.sites.iter().position(|site| site.name == *name);
        found.with_context(|| {
            let known: Vec<&str> = schema.sites.iter().map(|site| site.name.as_str()).collect();
            let shown = known
                .iter()
                .take(20)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            format!("--given {name}: the model has no such column; it has {shown}")
        })
    };
    names.iter().map(place).collect()
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
