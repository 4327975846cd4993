//! Fitting a randomised assignment flow: its samples, its progress, its end.

use anyhow::{Result, bail, ensure};
use segre::data::Schema;
use segre::energy::EnergyModel;
use segre::randomized::{Ending, Objective, schema_of};
use segre::run::{RandomizedRun, SamplesWanted, refuse_existing};
use serde::Serialize;

use super::Fit;
use crate::args::Common;
use crate::report::json::print_object;

#[derive(Serialize)]
struct Report {
    steps: u64,
    seconds: f64,
    /// Of the last steps: nats.
    loss: f64,
    parameters: usize,
    objective: Objective,
    samples_from: Option<String>,
    samples: usize,
    out: String,
}

/// Fits or goes on.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let (energy, grid) = arguments.load()?;
    let mut run = match arguments.resume {
        true => resume(arguments, &energy, common)?,
        false => {
            let schema = schema_of(&energy, grid.as_ref())?;
            begin(arguments, &energy, &schema, common)?
        }
    };
    let mut bar = common.bar();
    let ended = run.train(&energy, &mut bar);
    bar.finish("training has ended");
    let (ended, (steps, seconds), card) = (ended?, run.progress(), run.card());
    if ended == Ending::Stopped {
        bail!(
            "stopped at step {steps}; go on with: segre energy fit {} --out {} --resume",
            card.source,
            arguments.out().display()
        );
    }
    let report = Report {
        steps,
        seconds,
        loss: run.loss().unwrap_or(f64::NAN),
        parameters: run.model().parameters(),
        objective: card.training.objective,
        samples_from: card.samples_from.clone(),
        samples: card.samples,
        out: arguments.out().display().to_string(),
    };
    if common.json {
        return print_object(&report);
    }
    println!(
        "{steps} steps in {seconds:.0} s ({} parameters), loss {:.4} nats; model in {}",
        report.parameters, report.loss, report.out
    );
    println!(
        "how good it is: segre energy compare {} {}",
        card.source, report.out
    );
    Ok(())
}

/// A run of the arguments.
fn begin(
    arguments: &Fit,
    energy: &EnergyModel,
    schema: &Schema,
    common: &Common,
) -> Result<RandomizedRun> {
    let recipe = arguments.randomized_recipe(common.seed);
    let run = RandomizedRun::new(&recipe, energy, &arguments.model, schema)?;
    refuse_existing(arguments.out(), arguments.force)?;
    let run = match run.card().training.objective.needs_samples() {
        true => {
            let seed = run.card().training.seed;
            let wanted = arguments.samples_wanted(energy, common.exact_memory(), seed);
            run.learning_from(arguments.draw(energy, schema, &wanted, common)?)
        }
        false => {
            ensure!(
                arguments.samples_from.is_none() && arguments.samples.is_none(),
                "the reverse objective needs no samples; leave --samples and --samples-from out"
            );
            run
        }
    };
    Ok(run.kept_in(arguments.out(), arguments.force)?)
}

/// The run in the folder with its own settings.
fn resume(arguments: &Fit, energy: &EnergyModel, common: &Common) -> Result<RandomizedRun> {
    let others = [
        ("--objective", arguments.objective.is_some()),
        ("--settings", arguments.settings.is_some()),
        ("--samples-from", arguments.samples_from.is_some()),
        ("--samples", arguments.samples.is_some()),
        ("--draws", arguments.draws.is_some()),
        ("--rank", arguments.rank.is_some()),
        ("--end-time", arguments.end_time.is_some()),
        ("--learning-rate", arguments.learning_rate.is_some()),
        ("--seed", common.seed.is_some()),
    ];
    for (option, given) in others {
        ensure!(
            !given,
            "a run goes on with its own settings; leave {option} out, or start anew with --force"
        );
    }
    let recipe = arguments.randomized_recipe(None);
    let run = RandomizedRun::resume(arguments.out(), &recipe, energy, &arguments.model)?;
    let card = run.card().clone();
    let Some(from) = &card.samples_from else {
        return Ok(run);
    };
    let wanted = SamplesWanted {
        from: Some(from),
        count: card.samples,
        memory: common.exact_memory(),
        seed: card.training.seed,
    };
    Ok(run.learning_from(arguments.draw(energy, &card.schema, &wanted, common)?))
}
