//! `segre impute`: fills in missing labels of tables, arrays and pictures, by draws or by probabilities.

mod args;

use std::io;
use std::time::Instant;

use anyhow::{Result, ensure};
use segre::atomic::{self, check_writable};
use segre::data::{self, Dataset, Layout, PartialDataset};
use segre::flow::ConditionalMarginals;
use segre::model::{Filling, Model};
use serde::Serialize;

pub use self::args::Impute;
use self::args::ImputeMode;
use crate::args::{Common, outlet};
use crate::report::json;
use crate::watched::{note_new, note_reading, note_unknown_columns, warn_unconditional};
use segre_report::pictures::infilling::{Infilled, SHOWN, draw_infilled};

#[derive(Serialize)]
struct Report {
    rows: usize,
    /// Labels that were missing or hidden.
    missing: usize,
    /// Of these, labels of columns that were missing everywhere in the fit: they stay missing.
    #[serde(skip_serializing_if = "is_zero")]
    without_value: usize,
    /// Labels that stay missing because missing fields of their columns were a category of the fit (`--fill missing`).
    #[serde(skip_serializing_if = "is_zero")]
    kept_missing: usize,
    /// Rows written (with `--mode mean`: lines).
    written: usize,
    seconds: f64,
    out: String,
}

/// Fills in missing labels and writes the result.
pub fn run(arguments: &Impute, common: &Common) -> Result<()> {
    let start = Instant::now();
    let model = Model::load_on(&arguments.model, &common.device.open()?)?;
    let model = model.with_unseen(arguments.unseen.choice());
    outlet::check(Some(&arguments.out), common)?;
    check_format(arguments, &model)?;
    let mask = arguments.hiding.mask(model.schema())?;
    let before = model.read_gaps(&arguments.data, arguments.fill.missing())?;
    note_reading(&before.schema, common);
    let before = arguments.given.and(&model, before)?;
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
    warn_unconditional(model.flow(), common);
    notice(&given, common);
    let done = |rows| format!("{rows} rows");
    let written = match arguments.mode {
        ImputeMode::Mean => {
            let marginals =
                common.watch(|bar| model.marginals(&given, bar), |_| done(given.rows()))?;
            write_probabilities(arguments, &given, &marginals)?
        }
        ImputeMode::Map | ImputeMode::Expected | ImputeMode::Sample => {
            let seed = common.seed.unwrap_or(model.card().training.seed);
            let filling = match arguments.mode {
                ImputeMode::Map => Filling::MostProbable,
                ImputeMode::Expected => Filling::Expected,
                _ => Filling::Draws(arguments.samples, arguments.sampling.options(seed)),
            };
            let filled = common.watch(
                |bar| model.fill(&given, &filling, bar),
                |filled| done(filled.rows()),
            )?;
            note_new(&filled.schema, given.schema.notes.len(), common);
            let before = mask.is_some().then_some(&before);
            write_filled(arguments, before, &given, &filled, arguments.samples)?
        }
    };
    // Not before the work, which may refuse the file in one line.
    note_unknown_columns(&before, None, common);
    let report = Report {
        rows: given.rows(),
        missing: given.unknown(),
        without_value: without_value(&given),
        kept_missing: kept_missing(&given),
        written,
        seconds: start.elapsed().as_secs_f64(),
        out: arguments.out.display().to_string(),
    };
    if common.json {
        return json::print_object(&report);
    }
    let kept = match report.without_value {
        0 => String::new(),
        some => format!(", of which {some} stay: their columns had no value in the fit"),
    };
    let stay = match report.kept_missing {
        0 => String::new(),
        some => format!("; {some} more stay missing, as they were a category of the fit"),
    };
    let line = format!(
        "{} missing labels in {} rows{kept}{stay}; written to {}",
        report.missing, report.rows, report.out
    );
    outlet::say(Some(&arguments.out), common, &line);
    Ok(())
}

/// Fields that are known to be missing, as they were in the fit.
fn kept_missing(given: &PartialDataset) -> usize {
    let schema = &given.schema;
    let sites = (0..schema.sites()).filter_map(|site| Some((site, schema.missing_category(site)?)));
    let known = |(site, missing): (usize, u16)| {
        let rows = 0..given.rows();
        rows.filter(|row| given.label(*row, site) == Some(missing))
            .count()
    };
    sites.map(known).sum()
}

/// Unknown labels of columns that have no category but that of missing fields.
fn without_value(given: &PartialDataset) -> usize {
    let schema = &given.schema;
    let empty = (0..schema.sites())
        .filter(|site| schema.cardinality(*site) == 1 && schema.missing_category(*site).is_some());
    let rows = 0..given.rows();
    let unknown = |site| {
        rows.clone()
            .filter(move |row| given.label(*row, site).is_none())
    };
    empty.map(|site| unknown(site).count()).sum()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Refuses a file type that cannot hold what is asked for.
fn check_format(arguments: &Impute, model: &Model) -> Result<()> {
    let out = &arguments.out;
    let extension = outlet::extension(out);
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
        ImputeMode::Map | ImputeMode::Expected => "map",
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
