//! `segre sample`: draws from a model, written in the data's own vocabulary.

use anyhow::{Result, ensure};
use segre::data;
use segre::flow::saving;
use serde::Serialize;

use crate::args::{Common, Sample};
use crate::report::json;
use crate::session::{
    check_writable, complete_with_progress, has_picture, sample_with_progress, sampling_options,
    warn_unconditional, write_picture,
};

#[derive(Serialize)]
struct Report {
    samples: usize,
    function_evaluations: usize,
    mean_entropy: f64,
    seconds: f64,
    out: String,
}

/// Draws and writes samples.
pub fn run(arguments: &Sample, common: &Common) -> Result<()> {
    let (model, card) = saving::load(&arguments.model, &common.device.open()?)?;
    let schema = model.schema();
    let extension = arguments
        .out
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let picture = extension == "png";
    let legal = data::writable(&schema.layout);
    let known = picture
        || legal
            .split(", ")
            .any(|known| known.trim_start_matches('.') == extension);
    ensure!(
        known,
        "{}: cannot write {} data to this file type; use one of {legal}, or .png for images",
        arguments.out.display(),
        schema.layout.name()
    );
    check_writable(&arguments.out)?;
    let options = sampling_options(
        &arguments.sampling,
        card.training.conditional,
        common.seed.unwrap_or(card.training.seed),
    );
    if picture {
        let nothing = data::Dataset::new(schema.clone(), Vec::new())?;
        ensure!(
            has_picture(&nothing),
            "{}: {} data have no picture; use one of {legal}",
            arguments.out.display(),
            schema.layout.name()
        );
    }
    let samples = match &arguments.given {
        None => sample_with_progress(&model, arguments.number, &options, common)?,
        Some(given) => {
            let source = data::DataSource::parse(given)?;
            let given = data::read_partial(&source, schema, &card.read_options)?;
            warn_unconditional(&card, common);
            let given = given.repeat_rows(arguments.number);
            complete_with_progress(&model, &given, &options, common)?
        }
    };
    match picture {
        true => write_picture(&arguments.out, &samples.data, None)?,
        false => data::write(&samples.data, &arguments.out)?,
    }
    let report = Report {
        samples: samples.data.rows(),
        function_evaluations: samples.function_evaluations,
        mean_entropy: samples.mean_entropy,
        seconds: samples.seconds,
        out: arguments.out.display().to_string(),
    };
    if common.json {
        return json::print_object(&report);
    }
    println!("{} samples written to {}", report.samples, report.out);
    Ok(())
}
