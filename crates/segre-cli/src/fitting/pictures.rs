//! What a fit leaves to look at: the training curve, and samples of the new model.

use std::path::Path;

use anyhow::Result;
use segre::data;
use segre::evaluation::baseline::BaselineScores;
use segre::flow::Model;
use segre::flow::sampling::SamplingOptions;
use segre::run::{ModelCard, Parts, TrainingLog};

use crate::args::Common;
use crate::watched::sample_with_progress;
use segre_report::pictures::curve::{Horizontal, Width};
use segre_report::pictures::samples::{has_picture, write_picture};

/// Samples of the picture or table at the end of a fit.
const SHOWN_SAMPLES: usize = 100;
/// Pixels of large samples, and the fewest samples all the same: 100 maps of 128 × 256 would take one thread a quarter of an hour.
const SHOWN_PIXELS: usize = 1 << 19;
const FEWEST_SHOWN: usize = 16;
/// Samples of the histogram of two-site data.
const HISTOGRAM_SAMPLES: usize = 20_000;

/// Draws the training curve from the metrics file.
pub fn draw_training(out: &Path, card: &ModelCard, baselines: &BaselineScores) -> Result<()> {
    let horizontal = match card.training.budget.steps {
        Some(_) => Horizontal::Steps,
        None => Horizontal::Seconds,
    };
    let (log, bounded) = (TrainingLog::read(out)?, card.model.validated_by_bound());
    let drawing = segre_report::pictures::curve::draw_training(
        &log,
        horizontal,
        &baselines.named().into_iter().rev().collect::<Vec<_>>(),
        bounded,
        Width::Whole,
    )?;
    drawing.write_png(&out.join("training.png"))
}

/// Writes samples of the new model: a picture where the data have one, a table otherwise.
pub fn show_samples(
    out: &Path,
    model: &Model,
    parts: &Parts,
    card: &ModelCard,
    common: &Common,
) -> Result<()> {
    let picture = has_picture(&parts.train);
    let pair = picture && parts.train.sites() == 2;
    let count = match pair {
        true => HISTOGRAM_SAMPLES,
        false => (SHOWN_PIXELS / parts.train.sites()).clamp(FEWEST_SHOWN, SHOWN_SAMPLES),
    };
    let options = SamplingOptions {
        seed: card.training.seed,
        ..Default::default()
    };
    let samples = sample_with_progress(model, count, &options, common)?.data;
    if picture {
        let beside = if pair { &parts.train } else { &parts.test };
        return write_picture(&out.join("samples.png"), &samples, Some(beside));
    }
    let name = match data::writable(&samples.schema.layout) {
        legal if legal.contains(".fasta") => "samples.fasta",
        legal if legal.contains(".csv") => "samples.csv",
        _ => "samples.txt",
    };
    data::write(&samples, &out.join(name))?;
    Ok(())
}
