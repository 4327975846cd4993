//! `segre sample`: draws from a model, written in the data's own vocabulary.

mod args;

use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use segre::Model;
use segre::atomic::check_writable;
use segre::data::{self, Dataset, PartialDataset, Schema};
use segre::randomized::RandomizedFlow;
use segre::run::{self, Card, LabelSource, ModelCard};
use serde::Serialize;

pub use self::args::Sample;
use crate::args::{Common, given_values, outlet, refuse_beyond};
use crate::report::json;
use crate::watched::{
    note_new, note_reading, sample_classes_with_progress, sample_with_progress, warn_unconditional,
};
use segre_report::pictures::samples::{has_picture, write_picture};

/// Bytes of a label that may be unknown.
const LABEL: usize = size_of::<Option<u16>>();

#[derive(Serialize)]
struct Report {
    samples: usize,
    function_evaluations: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_entropy: Option<f64>,
    seconds: f64,
    out: String,
}

/// Draws and writes samples.
pub fn run(arguments: &Sample, common: &Common) -> Result<()> {
    outlet::check(Some(&arguments.out), common)?;
    if matches!(Card::load(&arguments.model)?, Card::Randomized(_)) {
        return run_randomized(arguments, common);
    }
    let model = Model::load_on(&arguments.model, &common.device.open()?)?;
    let model = model.with_unseen(arguments.unseen.choice());
    let card = model.card();
    let classes = classes_of(arguments, card)?;
    let picture = check_output(arguments, model.schema())?;
    let seed = common.seed.unwrap_or(card.training.seed);
    let options = arguments.sampling.options(seed);
    let (flow, number) = (model.flow(), arguments.number);
    let mut told = 0;
    let samples = match (&arguments.given, classes) {
        (None, Some(classes)) => {
            let (each, guidance) = (number / classes.len(), arguments.guidance);
            sample_classes_with_progress(flow, classes, guidance, each, &options, common)?
        }
        (None, None) => sample_with_progress(flow, number, &options, common)?,
        (Some(given), _) => {
            let given = read_given(&model, given)?.without_beside();
            note_reading(&given.schema, common);
            told = given.schema.notes.len();
            warn_unconditional(flow, common);
            refuse_beyond(number, given.rows() * given.schema.sites() * LABEL);
            let given = given.repeat_rows(number);
            common.watch(
                |bar| model.complete(&given, &options, bar),
                |drawn| format!("{} rows", drawn.data.rows()),
            )?
        }
    };
    note_new(&samples.data.schema, told, common);
    finish(
        &samples.data,
        picture,
        arguments,
        common,
        Report {
            samples: samples.data.rows(),
            function_evaluations: samples.function_evaluations,
            mean_entropy: Some(samples.mean_entropy),
            seconds: samples.seconds,
            out: arguments.out.display().to_string(),
        },
    )
}

/// What samples are given: values of columns, or the rows of a file.
fn read_given(model: &Model, given: &str) -> Result<PartialDataset> {
    if !given.contains('=') || Path::new(given).exists() {
        return Ok(model.read_partial(given)?);
    }
    given_values(model, given)
}

/// Samples of a randomised assignment flow.
fn run_randomized(arguments: &Sample, common: &Common) -> Result<()> {
    let (model, card) = run::load_randomized(&arguments.model)?;
    ensure!(
        arguments.given.is_none(),
        "{} is a randomised assignment flow, which has no conditionals; fit one with --method neural",
        arguments.model.display()
    );
    ensure!(
        arguments.class.is_none(),
        "{} is a randomised assignment flow, which knows no classes; leave --class out",
        arguments.model.display()
    );
    ensure!(
        arguments.sampling.sampler.is_none() && arguments.sampling.steps.is_none(),
        "{} is a randomised assignment flow, which has one sampler; leave --sampler and --steps out",
        arguments.model.display()
    );
    let picture = check_output(arguments, model.schema())?;
    let start = Instant::now();
    let seed = common.seed.unwrap_or(card.training.seed);
    let data = randomized_with_progress(&model, arguments.number, seed, common)?;
    let report = Report {
        samples: data.rows(),
        function_evaluations: 1,
        mean_entropy: None,
        seconds: start.elapsed().as_secs_f64(),
        out: arguments.out.display().to_string(),
    };
    finish(&data, picture, arguments, common, report)
}

/// Draws from a randomised flow with a progress bar.
fn randomized_with_progress(
    model: &RandomizedFlow,
    count: usize,
    seed: u64,
    common: &Common,
) -> Result<Dataset> {
    let mut bar = common.bar();
    let data = model.sample(count, seed, &mut bar)?;
    bar.finish(&format!("{count} samples"));
    Ok(data)
}

/// Refuses a file that cannot be written; whether it is a picture.
fn check_output(arguments: &Sample, schema: &Schema) -> Result<bool> {
    let extension = outlet::extension(&arguments.out);
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
    if picture {
        let nothing = data::Dataset::new(schema.clone(), Vec::new())?;
        ensure!(
            has_picture(&nothing),
            "{}: {} data have no picture; use one of {legal}",
            arguments.out.display(),
            schema.layout.name()
        );
    }
    check_writable(&arguments.out)?;
    Ok(picture)
}

/// Writes samples and reports them.
fn finish(
    samples: &Dataset,
    picture: bool,
    arguments: &Sample,
    common: &Common,
    report: Report,
) -> Result<()> {
    match picture {
        true => write_picture(&arguments.out, samples, None)?,
        false => data::write(samples, &arguments.out)?,
    }
    if common.json {
        return json::print_object(&report);
    }
    let line = format!("{} samples written to {}", report.samples, report.out);
    outlet::say(Some(&arguments.out), common, &line);
    Ok(())
}

/// The classes that are asked for.
fn classes_of(arguments: &Sample, card: &ModelCard) -> Result<Option<Range<usize>>> {
    let Some(asked) = &arguments.class else {
        return Ok(None);
    };
    let known: Option<&LabelSource> = card.labels.as_ref();
    let labels = known.with_context(|| {
        let folder = arguments.model.display();
        format!("--class: the model in {folder} was not told classes; fit one with --labels FILE")
    })?;
    let count = labels.names.len();
    if let Some(class) = labels.names.iter().position(|name| name == asked) {
        return Ok(Some(class..class + 1));
    }
    ensure!(
        asked == "all",
        "--class: {asked:?} is none of the classes of the fit; use all or one of {}",
        labels.names.join(", ")
    );
    let number = arguments.number;
    ensure!(
        number.is_multiple_of(count),
        "--number: {number} samples cannot be shared among {count} classes; use {}",
        number.next_multiple_of(count)
    );
    Ok(Some(0..count))
}
