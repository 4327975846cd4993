//! `segre impute`: fills in the missing fields of a table, by draws or by probabilities.

use std::io;
use std::time::Instant;

use anyhow::{Result, ensure};
use segre::atomic;
use segre::data::{self, DataSource, PartialDataset};
use segre::flow::sampling::SamplingOptions;
use segre::flow::training::TrainingConfig;
use segre::flow::{Model, conditional_marginals, saving};
use serde::Serialize;

use crate::args::{Common, Impute, ImputeMode};
use crate::interrupt;
use crate::report::json;
use crate::report::progress::{Budget, Progress, Spent};
use crate::session::{check_writable, complete_with_progress, warn_unconditional};

#[derive(Serialize)]
struct Report {
    rows: usize,
    /// Fields that were missing.
    missing: usize,
    /// Rows written (with `--mode mean`: lines).
    written: usize,
    seconds: f64,
    out: String,
}

/// Fills in missing fields and writes the result.
pub fn run(arguments: &Impute, common: &Common) -> Result<()> {
    let start = Instant::now();
    let (model, card) = saving::load(&arguments.model, &common.device.open()?)?;
    let source = DataSource::parse(&arguments.data)?;
    let given = data::read_partial(&source, model.schema(), &card.read_options)?;
    check_format(arguments, &model)?;
    check_writable(&arguments.out)?;
    warn_unconditional(&card, common);
    let written = match arguments.mode {
        ImputeMode::Sample => draw(arguments, common, &model, &given, &card.training)?,
        ImputeMode::Map => {
            let marginals = marginals_with_progress(&model, &given, common)?;
            let filled = given.filled(|row, site| most_probable(&model, &marginals, row, site))?;
            data::write(&filled, &arguments.out)?;
            filled.rows()
        }
        ImputeMode::Mean => {
            let marginals = marginals_with_progress(&model, &given, common)?;
            write_probabilities(arguments, &model, &given, &marginals)?
        }
    };
    let report = Report {
        rows: given.rows(),
        missing: given.unknown(),
        written,
        seconds: start.elapsed().as_secs_f64(),
        out: arguments.out.display().to_string(),
    };
    if common.json {
        return json::print_object(&report);
    }
    println!(
        "{} missing fields in {} rows; written to {}",
        report.missing, report.rows, report.out
    );
    Ok(())
}

/// Refuses a file type that cannot hold what is asked for.
fn check_format(arguments: &Impute, model: &Model) -> Result<()> {
    let out = &arguments.out;
    let extension = out
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let legal = match arguments.mode {
        ImputeMode::Mean => ".csv",
        ImputeMode::Sample | ImputeMode::Map => data::writable(&model.schema().layout),
    };
    let known = legal.split(", ").any(|known| known[1..] == extension);
    ensure!(
        known,
        "{}: cannot write this file type; use one of {legal}",
        out.display()
    );
    Ok(())
}

fn draw(
    arguments: &Impute,
    common: &Common,
    model: &Model,
    given: &PartialDataset,
    training: &TrainingConfig,
) -> Result<usize> {
    let given = given.repeat_rows(arguments.samples);
    let options = SamplingOptions {
        seed: common.seed.unwrap_or(training.seed),
        conditional: training.conditional,
        ..SamplingOptions::default()
    };
    let drawn = complete_with_progress(model, &given, &options, common)?;
    data::write(&drawn.data, &arguments.out)?;
    Ok(given.rows())
}

/// One line per category of each missing field.
fn write_probabilities(
    arguments: &Impute,
    model: &Model,
    given: &PartialDataset,
    marginals: &[f32],
) -> Result<usize> {
    let schema = model.schema();
    let mut lines = 0;
    atomic::write(&arguments.out, |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(["row", "column", "category", "probability"])?;
        for row in 0..given.rows() {
            for site in (0..given.sites()).filter(|site| given.label(row, *site).is_none()) {
                for (label, p) in (0..).zip(probabilities(model, marginals, row, site)) {
                    let category = schema.category_name(site, label);
                    let (row, p) = (row.to_string(), format!("{p:.6}"));
                    table.write_record([&row, &schema.sites[site].name, category.as_ref(), &p])?;
                    lines += 1;
                }
            }
        }
        table.flush().map_err(io::Error::other)
    })?;
    Ok(lines)
}

/// Conditional marginals of all rows, with a progress bar.
pub fn marginals_with_progress(
    model: &Model,
    given: &PartialDataset,
    common: &Common,
) -> Result<Vec<f32>> {
    let mut bar = progress_bar("marginals", given.rows(), common);
    let marginals = conditional_marginals(model, given, &mut |done| {
        bar.update(done as u64, String::new);
        !interrupt::asked()
    })?;
    bar.finish(&format!("{} rows", given.rows()));
    Ok(marginals)
}

/// The conditional probabilities of one field.
pub fn probabilities<'a>(
    model: &Model,
    marginals: &'a [f32],
    row: usize,
    site: usize,
) -> &'a [f32] {
    let schema = model.schema();
    let from = (row * schema.sites() + site) * schema.max_categories();
    &marginals[from..from + schema.cardinality(site)]
}

/// The category of largest conditional probability, the first among equals.
pub fn most_probable(model: &Model, marginals: &[f32], row: usize, site: usize) -> u16 {
    let own = probabilities(model, marginals, row, site);
    let labels = (0..=u16::MAX).zip(own);
    let better = |best: (u16, f32), (label, p): (u16, &f32)| match *p > best.1 {
        true => (label, *p),
        false => best,
    };
    labels.fold((0, f32::NEG_INFINITY), better).0
}

fn progress_bar(name: &'static str, rows: usize, common: &Common) -> Progress {
    let budget = Budget {
        steps: Some(rows as u64),
        time: None,
    };
    Progress::new(name, budget, Spent::default(), common.display())
}
