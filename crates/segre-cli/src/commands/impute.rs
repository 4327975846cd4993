//! `segre impute`: fills in missing labels of tables, arrays and pictures, by draws or by probabilities.

use std::io;
use std::time::Instant;

use anyhow::{Result, ensure};
use segre::atomic::{self, check_writable};
use segre::data::{self, DataSource, Dataset, Layout, MissingIs, PartialDataset};
use segre::flow::{ConditionalMarginals, Denoiser, LegalOnly, Model};
use segre::run;
use serde::Serialize;

use crate::args::{Common, Impute, ImputeMode};
use crate::report::infilling::{Infilled, SHOWN, draw_infilled};
use crate::report::json;
use crate::session::{
    complete_with_progress, marginals_with_progress, sampling_options, warn_unconditional,
};

#[derive(Serialize)]
struct Report {
    rows: usize,
    /// Labels that were missing or hidden.
    missing: usize,
    /// Rows written (with `--mode mean`: lines).
    written: usize,
    seconds: f64,
    out: String,
}

/// Fills in missing labels and writes the result.
pub fn run(arguments: &Impute, common: &Common) -> Result<()> {
    let start = Instant::now();
    let (model, card) = run::load(&arguments.model, &common.device.open()?)?;
    check_format(arguments, &model)?;
    let mask = arguments.hiding.mask(model.schema())?;
    let source = DataSource::parse(&arguments.data)?;
    let options = &card.read_options;
    let before = data::read_partial(&source, model.schema(), options, MissingIs::Unknown)?;
    let given = match &mask {
        None => before.clone(),
        Some(mask) => mask.hide(&before)?,
    };
    // A picture has room for some rows, and drawing the others would be work for nothing.
    let rows: Vec<usize> = match is_picture(arguments) {
        true => (0..given.rows().min(SHOWN)).collect(),
        false => (0..given.rows()).collect(),
    };
    let (before, given) = (before.select(&rows), given.select(&rows));
    check_writable(&arguments.out)?;
    warn_unconditional(&card, common);
    notice(&given, common);
    let written = match arguments.mode {
        ImputeMode::Mean => {
            let marginals = legal_marginals(&model, &given, common)?;
            write_probabilities(arguments, &given, &marginals)?
        }
        ImputeMode::Map => {
            let marginals = legal_marginals(&model, &given, common)?;
            let filled = given.filled(|row, site| marginals.most_probable(row, site))?;
            let before = mask.is_some().then_some(&before);
            write_filled(arguments, before, &given, &filled, 1)?
        }
        ImputeMode::Sample => {
            let seed = common.seed.unwrap_or(card.training.seed);
            let conditional = card.training.conditional;
            let options = sampling_options(&arguments.sampling, conditional, seed);
            let repeated = given.repeat_rows(arguments.samples);
            let legal = legal_only(&model);
            let denoiser = legal
                .as_ref()
                .map_or(&model as &dyn Denoiser, |legal| legal);
            let filled = match repeated.unknown() {
                0 => repeated.filled(|_, _| 0)?,
                _ => complete_with_progress(denoiser, &model, &repeated, &options, common)?.data,
            };
            let before = mask.is_some().then_some(&before);
            write_filled(arguments, before, &given, &filled, arguments.samples)?
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
        "{} missing labels in {} rows; written to {}",
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
    let layout = &model.schema().layout;
    let legal = match (arguments.mode, layout) {
        (ImputeMode::Mean, _) => ".csv".to_owned(),
        (_, Layout::Image { .. }) => format!("{}, .png", data::writable(layout)),
        _ => data::writable(layout).to_owned(),
    };
    let known = legal.split(", ").any(|known| known[1..] == extension);
    ensure!(
        known,
        "{}: cannot write this file type; use one of {legal}",
        out.display()
    );
    ensure!(
        arguments.samples == 1 || arguments.mode == ImputeMode::Sample,
        "--samples {}: only --mode sample draws; leave it out",
        arguments.samples
    );
    Ok(())
}

/// Whether pictures before and after are asked for.
fn is_picture(arguments: &Impute) -> bool {
    let extension = arguments.out.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}

/// Says where imputation is something simpler.
fn notice(given: &PartialDataset, common: &Common) {
    let missing = given.unknown();
    if common.quiet {
        return;
    }
    if missing == 0 {
        eprintln!("note: nothing is missing, so the rows are written as they are");
    } else if missing == given.rows() * given.sites() {
        eprintln!("note: everything is missing, so these are samples as of `segre sample`");
    }
}

/// The model without the categories that missing fields had in its data, if there are some: they are no value to fill in.
fn legal_only(model: &Model) -> Option<LegalOnly<'_>> {
    let schema = model.schema();
    let some = (0..schema.sites()).any(|site| illegal(model, site).is_some());
    some.then(|| LegalOnly::new(model, |site| illegal(model, site)))
}

/// The category that a site is not filled in with.
fn illegal(model: &Model, site: usize) -> Option<u16> {
    let schema = model.schema();
    // A column that was missing everywhere has nothing else.
    let label = schema.missing_category(site);
    label.filter(|_| schema.cardinality(site) > 1)
}

/// Conditional marginals of the categories that may be filled in.
fn legal_marginals(
    model: &Model,
    given: &PartialDataset,
    common: &Common,
) -> Result<ConditionalMarginals> {
    let mut marginals = marginals_with_progress(model, given, common)?;
    for site in 0..given.sites() {
        let Some(label) = illegal(model, site) else {
            continue;
        };
        for row in (0..given.rows()).filter(|row| given.label(*row, site).is_none()) {
            marginals.exclude(row, site, label);
        }
    }
    Ok(marginals)
}

/// Writes filled rows, or shows them beside what they were; the number of rows.
fn write_filled(
    arguments: &Impute,
    before: Option<&PartialDataset>,
    given: &PartialDataset,
    filled: &Dataset,
    samples: usize,
) -> Result<usize> {
    if !is_picture(arguments) {
        data::write(filled, &arguments.out)?;
        return Ok(filled.rows());
    }
    let caption = match arguments.mode {
        ImputeMode::Map => "map",
        _ => "draw",
    };
    let picture = draw_infilled(&Infilled {
        before,
        given,
        filled,
        samples,
        caption,
    })?;
    picture.write_png(&arguments.out)?;
    Ok(filled.rows())
}

/// One line per category of each missing field.
fn write_probabilities(
    arguments: &Impute,
    given: &PartialDataset,
    marginals: &ConditionalMarginals,
) -> Result<usize> {
    let schema = &given.schema;
    let mut lines = 0;
    atomic::write(&arguments.out, |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(["row", "column", "category", "probability"])?;
        for row in 0..given.rows() {
            for site in (0..given.sites()).filter(|site| given.label(row, *site).is_none()) {
                for (label, p) in (0..).zip(marginals.of(row, site)) {
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
