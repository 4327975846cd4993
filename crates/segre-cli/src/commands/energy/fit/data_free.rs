//! Fitting the posterior network to an energy alone: its folder, its progress, its end.

use anyhow::{Result, bail, ensure};
use segre::data::Schema;
use segre::energy::EnergyModel;
use segre::flow::sampling::{Sampler, SamplingOptions};
use segre::neural::WeightedRows;
use segre::progress::{Control, Event, Observer, Progress};
use segre::randomized::schema_of;
use segre::run::DataFreeRun;
use serde::Serialize;

use super::Fit;
use crate::args::{Common, print_recipe};
use crate::interrupt;
use crate::report::json::print_object;
use crate::report::table::estimate;
use crate::watched::sample_with_progress;

/// Labels of the rows whose weights are reported at the end.
const REPORTED_LABELS: usize = 1 << 17;

#[derive(Serialize)]
struct Report {
    steps: u64,
    seconds: f64,
    rounds: u64,
    parameters: usize,
    /// Below 1 if the budget ended before the energy was reached.
    inverse_temperature: f64,
    log_z_importance: f64,
    log_z_std_error: f64,
    /// Not above log Z, but for its error.
    log_z_bound: f64,
    log_z_bound_std_error: f64,
    effective_sample_size: f64,
    importance_samples: u64,
    out: String,
}

/// Fits, or prints the settings of the fit.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let (energy, grid) = arguments.load()?;
    let schema = schema_of(&energy, grid.as_ref())?;
    let run = match arguments.resume {
        true => resume(arguments, &energy, &schema, common)?,
        false => {
            let run = begin(arguments, &energy, &schema, common)?;
            if arguments.recipe.print_recipe {
                return print_recipe(&run.resolved(), common);
            }
            run.kept_in(arguments.out(), arguments.force)?
        }
    };
    let seed = run.card().training.seed;
    let mut bar = common.bar();
    let (mut rounds, mut inverse_temperature) = (0, 0.0);
    let mut watch = |told: &Progress| {
        if let Event::Round(found) = &told.event {
            rounds = found.round + 1;
            inverse_temperature = found.inverse_temperature;
        }
        bar.tell(told)
    };
    let ended = run.train(&energy, &mut watch);
    bar.finish("training has ended");
    if interrupt::control() == Control::Stop {
        bail!(
            "stopped after {rounds} rounds at inverse temperature {inverse_temperature:.3}; the model so far is in {}, go \
             on with --resume",
            arguments.out().display()
        );
    }
    let trainer = ended?;
    let model = trainer.best_model()?;
    let options = SamplingOptions {
        sampler: Some(Sampler::Sequential),
        steps: Some(schema.sites()),
        seed: seed.wrapping_add(1),
        ..SamplingOptions::default()
    };
    let count = (REPORTED_LABELS / schema.sites().max(1)).clamp(256, 4096);
    let drawn = sample_with_progress(&model, count, &options, common)?;
    let weighted = WeightedRows::new(drawn.data, drawn.log_probabilities, &energy);
    let found = weighted.estimate(1.0);
    let progress = trainer.progress();
    let report = Report {
        steps: progress.step,
        seconds: progress.seconds,
        rounds,
        parameters: model.parameters(),
        inverse_temperature,
        log_z_importance: found.log_z.value,
        log_z_std_error: found.log_z.std_error,
        log_z_bound: found.bound.value,
        log_z_bound_std_error: found.bound.std_error,
        effective_sample_size: found.effective_share * found.log_z.samples as f64,
        importance_samples: found.log_z.samples,
        out: arguments.out().display().to_string(),
    };
    if common.json {
        return print_object(&report);
    }
    println!(
        "{} steps in {:.0} s ({} parameters, {} rounds); model in {}",
        report.steps, report.seconds, report.parameters, report.rounds, report.out
    );
    println!(
        "log Z {}, bound {}, effective sample size {:.1} % of {}",
        estimate(report.log_z_importance, Some(report.log_z_std_error)),
        estimate(report.log_z_bound, Some(report.log_z_bound_std_error)),
        100.0 * found.effective_share,
        report.importance_samples
    );
    println!(
        "how good it is: segre energy compare {} {}",
        arguments.model, report.out
    );
    Ok(())
}

/// A run of the arguments, still without a folder.
fn begin(
    arguments: &Fit,
    energy: &EnergyModel,
    schema: &Schema,
    common: &Common,
) -> Result<DataFreeRun> {
    let recipe = arguments.network_recipe(common.seed)?;
    let (prior, device) = (arguments.prior(energy)?, common.device.open()?);
    let run = DataFreeRun::new(&recipe, prior, &arguments.model, schema, &device)?;
    Ok(run)
}

/// The run in the folder, from the end of its last round.
fn resume(
    arguments: &Fit,
    energy: &EnergyModel,
    schema: &Schema,
    common: &Common,
) -> Result<DataFreeRun> {
    let given = [
        ("--recipe", arguments.recipe.file.is_some()),
        ("--set", !arguments.recipe.set.is_empty()),
        ("--network", arguments.network.is_some()),
        ("--learning-rate", arguments.learning_rate.is_some()),
        ("--prior", arguments.prior.is_some()),
    ];
    for (option, given) in given {
        ensure!(
            !given,
            "a run goes on with its own settings; leave {option} out, or start anew with --force"
        );
    }
    let (out, source) = (arguments.out(), &arguments.model);
    let recipe = arguments.network_recipe(common.seed)?;
    let device = common.device.open()?;
    let run = DataFreeRun::resume(out, &recipe, energy, source, schema, &device)?;
    Ok(run)
}
