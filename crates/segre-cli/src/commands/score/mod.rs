//! `segre score`: negative log-likelihood of every row and of the whole, with standard errors.

mod args;

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use segre::Model;
use segre::atomic::check_writable;
use segre::data::Schema;
use segre::flow::likelihood::{Meaning, ScoreOptions, Scores};
use serde::Serialize;

pub use self::args::Score;
use crate::args::{Common, MethodName, names, outlet};
use crate::report::json;
use crate::report::table::{estimate, rounded};
use crate::watched::{note_reading, score_by_options, warn_unconditional};

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
    /// Which bound, estimate or value they are.
    method: &'static str,
    /// What the numbers are: upper bound, estimate or exact.
    meaning: &'static str,
    /// Tables with numbers: mean nats that the numbers add to those of their cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    nats_within_cells: Option<f64>,
}

/// Scores data and writes the rows' scores.
pub fn run(arguments: &Score, common: &Common) -> Result<()> {
    let model = Model::load_on(&arguments.model, &common.device.open()?)?;
    let model = model.with_unseen(arguments.unseen.choice());
    let to = arguments.out.as_deref();
    outlet::check(to, common)?;
    let data = model.read(&arguments.data)?;
    note_reading(&data.schema, common);
    if let Some(out) = &arguments.out {
        let csv = outlet::extension(out) == "csv";
        ensure!(
            csv,
            "{}: scores are written as .csv; change the name",
            out.display()
        );
        check_writable(out)?;
    }
    let seed = common.seed.unwrap_or(model.card().training.seed);
    let given = given_sites(model.schema(), arguments)?;
    let by_orders = matches!(
        arguments.method,
        Some(MethodName::Orders | MethodName::Auto)
    );
    ensure!(
        by_orders || arguments.orders.is_none(),
        "--orders is for --method orders and auto; add one or leave --orders out"
    );
    let by_chain_rule = matches!(
        arguments.method,
        Some(MethodName::Chain | MethodName::Orders)
    );
    if !given.is_empty() || by_chain_rule {
        warn_unconditional(model.flow(), common);
    }
    let accuracy = arguments.accuracy.options(data.rows(), seed);
    let options = ScoreOptions {
        method: arguments.method.map(MethodName::method),
        importance: arguments.importance.options(arguments.method)?,
        given,
        orders: arguments.orders.unwrap_or(accuracy.orders),
        ..accuracy
    };
    let scored = data.sites() - options.given.len();
    let scores = score_by_options(model.flow(), &data, &options, common)?;
    let within = data.log_within_cells();
    let within: Option<Vec<f64>> = within.map(|logs| logs.into_iter().map(|log| -log).collect());
    if let Some(out) = &arguments.out {
        let text = rows_as_csv(&scores, within.as_deref(), scored);
        segre::atomic::write_bytes(out, text.as_bytes())?;
    }
    let report = Report {
        bits_per_dim: scores.bits_per_dim.value,
        nats: scores.mean_nats.value,
        std_error: scores.bits_per_dim.std_error,
        rows: data.rows(),
        function_evaluations: scores.evaluations,
        method: scores.method.name(),
        meaning: match scores.meaning {
            Meaning::UpperBound => "upper bound",
            Meaning::Estimate => "estimate",
            Meaning::Exact => "exact",
        },
        nats_within_cells: match options.given.is_empty() {
            true => within.as_ref().map(|within| data.mean_of(within)),
            false => None,
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
        _ => format!(
            "{scored} columns given {}: ",
            names::all(&arguments.given).join(", ")
        ),
    };
    let line = format!(
        "{what}negative log-likelihood {bits} bits/dim, {nats} nats per row, over {} rows ({}: {})",
        data.rows(),
        report.meaning,
        report.method
    );
    outlet::say(to, common, &line);
    if let Some(within) = report.nats_within_cells {
        let line = format!(
            "the numbers within their cells add {} nats per row",
            rounded(within, 4)
        );
        outlet::say(to, common, &line);
    }
    Ok(())
}

/// The sites that are given, by name or because a mask does not hide them.
fn given_sites(schema: &Schema, arguments: &Score) -> Result<Vec<usize>> {
    let Some(mask) = arguments.hiding.mask(schema)? else {
        let names = names::all(&arguments.given);
        return schema.sites_named(&names).context("--given");
    };
    mask.shown()
        .context("--mask: the same sites are scored of all rows; give one mask for all of them")
}

/// One line per row, in the order of the data.
fn rows_as_csv(scores: &Scores, within: Option<&[f64]>, sites: usize) -> String {
    let more = if within.is_some() {
        ",nats_within_cells"
    } else {
        ""
    };
    let mut text = format!("row,nats,nats_std_error,bits_per_dim{more}\n");
    for (row, score) in scores.rows.iter().enumerate() {
        let bits = score.value / (sites as f64 * std::f64::consts::LN_2);
        let within = within.map_or_else(String::new, |within| {
            format!(",{}", rounded(within[row], 6))
        });
        writeln!(
            text,
            "{row},{},{:.6},{}{within}",
            rounded(score.value, 6),
            score.std_error,
            rounded(bits, 6)
        )
        .expect("writing to a string cannot fail");
    }
    text
}
