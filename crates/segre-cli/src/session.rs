//! What several subcommands share: a model with its data, its scores, its pictures.

use std::path::Path;

use anyhow::{Result, bail};
use segre::data::{self, Dataset, Layout, PartialDataset};
use segre::flow::likelihood::{ScoreOptions, Scores, score};
use segre::flow::sampling::{
    LevelGrid, Sampler, Samples, SamplingOptions, complete_with, sample, sample_with,
};
use segre::flow::{ConditionalMarginals, Denoiser, Model, conditional_marginals};
use segre::ode::AdaptiveOptions;
use segre::path::ProbabilityPath;
use segre::progress::Part;
use segre::run::ModelCard;

use crate::args::{Accuracy, Common, GridName, SamplerName, Sampling};
use crate::report::grid::{ImageShape, Panel, draw_grid, images_shown};
use crate::report::histogram2d::{HeatMap, SitePair, draw_heat_maps, frequencies};
use crate::report::key::Key;

/// Scores data with a progress bar, if the model has a bound.
pub fn score_if_bounded(
    model: &Model,
    data: &Dataset,
    accuracy: &Accuracy,
    seed: u64,
    common: &Common,
) -> Result<Option<Scores>> {
    match model.has_bound() {
        true => score_with_progress(model, data, accuracy, seed, common).map(Some),
        false => Ok(None),
    }
}

/// Scores data with a progress bar.
pub fn score_with_progress(
    model: &Model,
    data: &Dataset,
    accuracy: &Accuracy,
    seed: u64,
    common: &Common,
) -> Result<Scores> {
    let options = score_options(data, accuracy, seed);
    score_by_options(model, data, &options, common)
}

/// The library's options from the command line's.
pub fn score_options(data: &Dataset, accuracy: &Accuracy, seed: u64) -> ScoreOptions {
    ScoreOptions {
        // Many rows need few levels each: the mean is what the error is asked of.
        levels: (65_536 / data.rows().max(1)).clamp(1, 16),
        rounds: 2,
        std_error: Some(accuracy.std_error),
        max_rounds: accuracy.max_rounds,
        seed,
        ..ScoreOptions::default()
    }
}

/// Scores data by the library's options, with a progress bar.
pub fn score_by_options(
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    common: &Common,
) -> Result<Scores> {
    common.watch(
        |bar| score(model, data, options, bar),
        |found| format!("{} rows, {} evaluations", data.rows(), found.evaluations),
    )
}

/// Draws samples with a progress bar.
pub fn sample_with_progress(
    model: &Model,
    count: usize,
    options: &SamplingOptions,
    common: &Common,
) -> Result<Samples> {
    common.watch(|bar| sample(model, count, options, bar), costs)
}

/// Draws `count` samples of each of some classes, one class after the other, with a progress bar.
pub fn sample_classes_with_progress(
    model: &Model,
    classes: std::ops::Range<usize>,
    guidance: f64,
    count: usize,
    options: &SamplingOptions,
    common: &Common,
) -> Result<Samples> {
    let mut bar = common.bar();
    let mut labels = Vec::new();
    let (mut evaluations, mut entropy, mut seconds) = (0, 0.0, 0.0);
    for (place, class) in classes.clone().enumerate() {
        let of_class = model.of_class(class, guidance)?;
        // Classes do not share their noise.
        let options = SamplingOptions {
            seed: options.seed.wrapping_add(class as u64),
            ..options.clone()
        };
        let [from, to] = [place, place + 1].map(|place| place as f64 / classes.len() as f64);
        let mut part = Part::new(&mut bar, "sample", from..to);
        let drawn = sample_with(&of_class, model, count, &options, &mut part)?;
        labels.extend_from_slice(drawn.data.labels());
        evaluations = evaluations.max(drawn.function_evaluations);
        entropy += drawn.mean_entropy / classes.len() as f64;
        seconds += drawn.seconds;
    }
    let samples = Samples {
        data: Dataset::new(model.schema().clone(), labels)?,
        function_evaluations: evaluations,
        log_probabilities: Vec::new(),
        mean_entropy: entropy,
        seconds,
    };
    bar.finish(&costs(&samples));
    Ok(samples)
}

/// What samples cost, for the end of a progress bar.
fn costs(samples: &Samples) -> String {
    format!(
        "{} samples in {:.1} s, {} function evaluations each, mean entropy {:.4} before rounding",
        samples.data.rows(),
        samples.seconds,
        samples.function_evaluations,
        samples.mean_entropy
    )
}

/// Draws completions of rows with a progress bar.
pub fn complete_with_progress(
    denoiser: &dyn Denoiser,
    model: &Model,
    given: &PartialDataset,
    options: &SamplingOptions,
    common: &Common,
) -> Result<Samples> {
    common.watch(
        |bar| complete_with(denoiser, model, given, options, bar),
        |_| format!("{} rows", given.rows()),
    )
}

/// Conditional marginals of all rows, with a progress bar.
pub fn marginals_with_progress(
    model: &Model,
    given: &PartialDataset,
    common: &Common,
) -> Result<ConditionalMarginals> {
    common.watch(
        |bar| conditional_marginals(model, given, bar),
        |_| format!("{} rows", given.rows()),
    )
}

/// The library's options from the command line's.
pub fn sampling_options(arguments: &Sampling, conditional: bool, seed: u64) -> SamplingOptions {
    let sampler = arguments.sampler.map(|name| match name {
        SamplerName::Ancestral => Sampler::Ancestral,
        SamplerName::Localisation => Sampler::Localisation,
        SamplerName::LocalisationHeun => Sampler::LocalisationHeun,
        SamplerName::Sequential => Sampler::Sequential,
        SamplerName::Euler => Sampler::Euler,
        SamplerName::Heun => Sampler::Heun,
        SamplerName::Rk4 => Sampler::Rk4,
        SamplerName::DormandPrince => Sampler::DormandPrince,
    });
    SamplingOptions {
        sampler,
        conditional,
        steps: arguments.steps,
        grid: arguments.grid.map(|name| match name {
            GridName::Asinh => LevelGrid::Asinh,
            GridName::Uniform => LevelGrid::Uniform,
            GridName::LogSnr => LevelGrid::LogSnr,
        }),
        tolerances: AdaptiveOptions {
            relative_tolerance: arguments.tolerance,
            absolute_tolerance: arguments.tolerance,
            ..AdaptiveOptions::default()
        },
        seed,
        batch: arguments.batch,
    }
}

/// Says that a model has not learned the conditionals that it is asked for.
pub fn warn_unconditional(card: &ModelCard, common: &Common) {
    // The masked path learns nothing else.
    let masked = matches!(card.model.path, ProbabilityPath::Discrete(_));
    if !card.training.conditional && !masked && !common.quiet {
        eprintln!(
            "warning: this model was fitted without --conditional any, so its conditionals may be poor"
        );
    }
}

/// Whether samples of this schema can be shown as a picture.
pub fn has_picture(data: &Dataset) -> bool {
    matches!(data.schema.layout, Layout::Image { .. }) || is_pair(data)
}

/// Two integer sites: a picture is their histogram.
fn is_pair(data: &Dataset) -> bool {
    data.sites() == 2 && (0..2).all(|site| data.schema.is_ordinal(site))
}

/// Draws samples as a picture, beside data if there are any.
///
/// # Errors
/// If the layout has no picture or the file cannot be written.
pub fn write_picture(path: &Path, samples: &Dataset, beside: Option<&Dataset>) -> Result<()> {
    let schema = &samples.schema;
    let canvas = match schema.layout {
        Layout::Image { height, width, .. } => {
            let shape = ImageShape { height, width };
            let key = Key::of(schema)?;
            let shown = images_shown(samples.rows(), shape);
            let own = &samples.labels()[..shown * samples.sites()];
            let panel = |caption, labels| Panel { caption, labels };
            let canvas = match beside {
                None => draw_grid(&[panel("", own)], shape, &key.palette)?,
                Some(data) => {
                    // Files are often sorted, or frames of one film.
                    let data = data.spread(shown);
                    let panels = [
                        panel("data", data.labels()),
                        panel("samples", &own[..data.rows() * data.sites()]),
                    ];
                    draw_grid(&panels, shape, &key.palette)?
                }
            };
            key.below(canvas)
        }
        _ if is_pair(samples) => {
            let categories = [schema.cardinality(0), schema.cardinality(1)];
            let names = [schema.sites[0].name.as_str(), schema.sites[1].name.as_str()];
            let own = frequencies(samples.labels(), categories);
            let data = beside.map(|data| frequencies(data.labels(), categories));
            let mut maps = Vec::new();
            if let Some(data) = &data {
                maps.push(HeatMap {
                    caption: "data",
                    probabilities: data,
                });
            }
            maps.push(HeatMap {
                caption: "samples",
                probabilities: &own,
            });
            draw_heat_maps(&maps, SitePair { names, categories })?
        }
        _ => bail!(
            "{}: {} data have no picture; use one of {}",
            path.display(),
            schema.layout.name(),
            data::writable(&schema.layout)
        ),
    };
    canvas.write_png(path)
}
