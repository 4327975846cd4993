//! A fit with a progress bar and what it leaves to look at: `segre fit`, and fits of networks to samples of an energy.

mod pictures;
mod time;

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use segre::Fit;
use segre::data::Dataset;
use segre::evaluation::baseline::{BaselineScores, Baselines};
use segre::flow::likelihood::ScoreOptions;
use segre::flow::training::Ending;
use segre::network::NetworkConfig;
use segre::run::ModelCard;
use serde::Serialize;

use self::pictures::{draw_training, show_samples};
use self::time::Time;
use crate::args::Common;
use crate::report::baselines::baseline_table;
use crate::report::json::print_object;
use crate::watched::{note_left_out, score_by_options};

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
    /// Rows of the test part that were scored: all, unless the time did not suffice.
    test_rows: usize,
    baselines: BaselineScores,
    early_stop: bool,
    out: String,
}

/// Learns what is asked for in its folder, and says how good it is beside the baselines.
pub fn fit(asked: &Fit, out: &Path, common: &Common) -> Result<()> {
    let start = Instant::now();
    let mut run = asked.start()?;
    note_left_out(&run.card().schema, common);
    let time = Time::of(run.card());
    let (train, validation) = (&run.parts().train, &run.parts().validation);
    let baselines = Baselines::fit_within(train, validation, time.tree_work())?;
    let of_validation = BaselineScores::of(&baselines, &run.parts().validation);
    let mut bar = common.bar();
    let ended = run.train(&mut bar);
    bar.finish("training has ended");
    let ended = ended?;
    let (model, card, parts) = (run.model()?, run.card(), run.parts());
    draw_training(out, card, &of_validation)?;
    let progress = run.progress();
    if ended == Ending::Stopped {
        bail!(
            "stopped at step {}; go on with: segre fit {} --out {} --resume",
            progress.step,
            card.source,
            out.display()
        );
    }
    show_samples(out, &model, parts, card, common)?;
    let scored = time.affordable(&model, &test_part(card, &parts.test), card.training.seed)?;
    let options = ScoreOptions {
        std_error: Some(0.004),
        seconds: time.scoring(),
        seed: card.training.seed,
        ..ScoreOptions::of_rows(scored.rows())
    };
    let scores = match model.has_bound() {
        true => Some(score_by_options(&model, &scored, &options, common)?),
        false => None,
    };
    let test = BaselineScores::of(&baselines, &scored);
    let bits = scores.map(|scores| scores.bits_per_dim);
    if common.json {
        return print_object(&Report {
            steps: progress.step,
            seconds: progress.seconds,
            validation_bits_per_dim: progress.kept_bits_per_dim,
            parameters: model.parameters(),
            test_bits_per_dim: bits.map(|bits| bits.value),
            test_std_error: bits.map(|bits| bits.std_error),
            test_rows: scored.rows(),
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
