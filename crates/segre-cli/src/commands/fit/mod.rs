//! `segre fit`: learns a model, with checkpoints, a training curve, samples and the test likelihood.

mod args;
mod pictures;
pub mod request;
mod start;
mod watch;

use std::time::Instant;

use anyhow::{Result, bail};
use segre::data::Dataset;
use segre::evaluation::baseline::{BaselineScores, Baselines};
use segre::flow::saving::{self, ModelCard};
use segre::flow::training::Ending;
use segre::network::NetworkConfig;
use serde::Serialize;

pub use self::args::Fit;
use self::pictures::{draw_training, show_samples};
use self::request::Request;
use self::start::{begin, resume};
use self::watch::Run;
use crate::args::{Accuracy, Common};
use crate::awake::Awake;
use crate::report::baselines::baseline_table;
use crate::report::json::print_object;
use crate::session::score_if_bounded;

const CHECKPOINT_FILE: &str = "checkpoint.safetensors";
const METRICS_FILE: &str = "metrics.jsonl";
/// Sites of the rows of the test part that are scored at the end of a UNet's fit, spread over it.
const TEST_SITES: usize = 1 << 19;

#[derive(Serialize)]
struct Report {
    steps: u64,
    seconds: f64,
    validation_bits_per_dim: Option<f64>,
    parameters: usize,
    /// Absent for a path without a likelihood bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_bits_per_dim: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_std_error: Option<f64>,
    baselines: BaselineScores,
    early_stop: bool,
    out: String,
}

/// Learns a model.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let request = Request::of(arguments, common)?;
    match arguments.recipe.print_recipe {
        true => print_recipe(&request, common),
        false => fit(&request, common),
    }
}

/// Prints the settings that a fit would have.
fn print_recipe(request: &Request, common: &Common) -> Result<()> {
    let recipe = start::resolved(request)?;
    match common.json {
        true => print_object(&recipe)?,
        false => print!("{}", recipe.to_toml()),
    }
    Ok(())
}

/// Learns what is asked for.
pub fn fit(request: &Request, common: &Common) -> Result<()> {
    let start = Instant::now();
    let device = common.device.open()?;
    let out = &request.out;
    let (card, parts, mut trainer) = match request.resume {
        true => resume(request, &device)?,
        false => begin(request, &device)?,
    };
    let fitted = Baselines::fit(&parts.train, &parts.validation)?;
    let baselines = BaselineScores::of(&fitted, &parts.validation);
    let mut run = Run::new(out, &card, &trainer, common)?;
    let awake = Awake::start();
    let ended = trainer.run(&parts.train, &parts.validation, &mut run);
    drop(awake);
    run.close();
    if ended.is_err() && trainer.progress().kept_bits_per_dim.is_some() {
        saving::save_parameters(out, &trainer.best_model()?)?;
    }
    let ended = ended?;
    let model = trainer.best_model()?;
    saving::save_parameters(out, &model)?;
    draw_training(out, &card, &baselines)?;
    if ended == Ending::Stopped {
        bail!(
            "stopped at step {}; go on with: segre fit {} --out {} --resume",
            trainer.progress().step,
            card.source,
            out.display()
        );
    }
    show_samples(out, &model, &parts, &card, common)?;
    let accuracy = Accuracy {
        std_error: 0.004,
        max_rounds: 64,
    };
    let scored = test_part(&card, &parts.test);
    let scores = score_if_bounded(&model, &scored, &accuracy, card.training.seed, common)?;
    let test = BaselineScores::of(&fitted, &scored);
    let bits = scores.map(|scores| scores.bits_per_dim);
    let progress = trainer.progress();
    if common.json {
        return print_object(&Report {
            steps: progress.step,
            seconds: progress.seconds,
            validation_bits_per_dim: progress.kept_bits_per_dim,
            parameters: model.parameters(),
            test_bits_per_dim: bits.map(|bits| bits.value),
            test_std_error: bits.map(|bits| bits.std_error),
            baselines: test,
            early_stop: ended == Ending::EarlyStop,
            out: out.display().to_string(),
        });
    }
    println!(
        "{} steps in {:.0} s ({} parameters), all in {:.0} s; model kept at step {}",
        progress.step,
        progress.seconds,
        model.parameters(),
        start.elapsed().as_secs_f64(),
        progress.kept_step
    );
    match scored.rows() == parts.test.rows() {
        true => println!("test part, {} rows:", scored.rows()),
        false => println!(
            "{} of {} rows of the test part (segre evaluate scores all, or --rows):",
            scored.rows(),
            parts.test.rows()
        ),
    }
    let bits = bits.map(|bits| (bits.value, bits.std_error));
    print!("{}", baseline_table(&test, bits));
    println!("model, samples and training curve are in {}", out.display());
    Ok(())
}

/// The rows of the test part that are scored: all, or where that would take longer than many a fit, some.
fn test_part(card: &ModelCard, test: &Dataset) -> Dataset {
    let most = match card.model.network {
        NetworkConfig::Unet(_) => (TEST_SITES / test.sites()).clamp(64, 4096).min(test.rows()),
        _ => test.rows(),
    };
    test.spread(most)
}
