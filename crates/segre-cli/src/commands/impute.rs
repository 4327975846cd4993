//! `segre impute`: fills in missing labels of tables, arrays and pictures, by draws or by probabilities.

use std::io;
use std::time::Instant;

use anyhow::{Result, ensure};
use segre::atomic;
use segre::data::{self, DataSource, Dataset, Layout, MissingIs, PartialDataset};
use segre::flow::{Denoiser, LegalOnly, Model, conditional_marginals, saving};
use serde::Serialize;

use crate::args::{Common, Impute, ImputeMode};
use crate::interrupt;
use crate::report::infilling::{Infilled, SHOWN, draw_infilled};
use crate::report::json;
use crate::report::progress::{Budget, Progress, Spent};
use crate::session::{
    check_writable, complete_with_progress, sampling_options, warn_unconditional,
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
    let (model, card) = saving::load(&arguments.model, &common.device.open()?)?;
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
            write_probabilities(arguments, &model, &given, &marginals)?
        }
        ImputeMode::Map => {
            let marginals = legal_marginals(&model, &given, common)?;
            let filled = given.filled(|row, site| most_probable(&model, &marginals, row, site))?;
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
fn legal_marginals(model: &Model, given: &PartialDataset, common: &Common) -> Result<Vec<f32>> {
    let mut marginals = marginals_with_progress(model, given, common)?;
    let (sites, categories) = (given.sites(), model.schema().max_categories());
    for (place, own) in marginals.chunks_mut(categories).enumerate() {
        let (row, site) = (place / sites, place % sites);
        if let Some(label) = illegal(model, site)
            && given.label(row, site).is_none()
        {
            own[usize::from(label)] = 0.0;
            let total: f32 = own.iter().sum();
            own.iter_mut()
                .for_each(|p| *p /= total.max(f32::MIN_POSITIVE));
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
